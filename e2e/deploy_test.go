package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/bus/subject"
)

// singleConf is the configuration that an operator is given, as it stands,
// and the number of partitions that it is written for.
const (
	singleConf           = "../deploy/nats/single.conf"
	singleConfPartitions = 16
)

func TestSingleConfMapsToPartitions(t *testing.T) {
	url := startSingleConf(t)
	node, producer := login(t, url, "usher"), login(t, url, "producer")
	logs, err := node.SubscribeSync("usher.log.>")
	if err != nil {
		t.Fatal(err)
	}
	flush(t, node)
	for _, key := range []string{"k1", "u_42", "ada@example.org", "Zoë *>", "$1"} {
		token, err := subject.Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		p := subject.Partition(token, singleConfPartitions)
		for from, want := range map[string]string{
			subject.Events(token): subject.Log(p, subject.KindEvents),
			subject.Traits(token): subject.Log(p, subject.KindTraits),
		} {
			if err := producer.Publish(from, []byte(key)); err != nil {
				t.Fatal(err)
			}
			m, err := logs.NextMsg(waitMax)
			if err != nil {
				t.Fatalf("%s did not arrive: %v", from, err)
			}
			if m.Subject != want || string(m.Data) != key {
				t.Errorf("%s arrived as %q on %s, want %q on %s", from, m.Data, m.Subject, key, want)
			}
		}
	}
}

// TestSingleConfStores publishes as a producer does and wants the
// acknowledgement of the partition's log.
func TestSingleConfStores(t *testing.T) {
	url := startSingleConf(t)
	node := stream(t, login(t, url, "usher"))
	p := subject.Partition("k1", singleConfPartitions)
	create(t, node, jetstream.StreamConfig{Name: subject.LogStream(p), Subjects: []string{subject.LogAll(p)}})
	ack, err := stream(t, login(t, url, "producer")).Publish(t.Context(), "events.k1", []byte(`{"userId":"k1"}`))
	if err != nil {
		t.Fatalf("publish events.k1: %v", err)
	}
	if ack.Stream != subject.LogStream(p) || ack.Sequence != 1 {
		t.Errorf("events.k1 was stored as %d of %s, want 1 of %s", ack.Sequence, ack.Stream, subject.LogStream(p))
	}
}

// TestSingleConfSubscriber does with the SDK what the subscriber's permissions
// are there for.
func TestSingleConfSubscriber(t *testing.T) {
	url := startSingleConf(t)
	node := stream(t, login(t, url, "usher"))
	create(t, node, jetstream.StreamConfig{
		Name: subject.StreamTransitions, Subjects: []string{subject.TransitionsAll},
		RePublish: &jetstream.RePublish{Source: subject.TransitionsAll, Destination: subject.AudiencesAll},
	})
	client, err := usher.FromConn(login(t, url, "subscriber"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	watcher, err := client.Watch(t.Context(), "vip")
	if err != nil {
		t.Fatal(err)
	}
	entered := `{"type":"entered","audience":"vip","version":1,"key":"k1","sessionId":"s","n":1,"position":"1795428000123-1-0",` +
		`"at":"2026-11-23T10:00:00.123Z","cause":"event","expiresAt":null,"because":[]}`
	if _, err := node.Publish(t.Context(), subject.Transition("vip", "k1"), []byte(entered)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	if got, err := watcher.Next(ctx); err != nil || got.Key != "k1" {
		t.Errorf("the watcher got %+v, %v; want k1", got, err)
	}
	if got, err := client.Members(ctx, "vip"); err != nil || len(got) != 1 || got[0].Key != "k1" {
		t.Errorf("Members = %+v, %v; want k1", got, err)
	}
	durable, err := stream(t, login(t, url, "subscriber")).CreateConsumer(ctx, subject.StreamTransitions, jetstream.ConsumerConfig{Durable: "mail", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatalf("durable consumer: %v", err)
	}
	m, err := durable.Next(jetstream.FetchMaxWait(waitMax))
	if err != nil {
		t.Fatalf("durable consumer: %v", err)
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Errorf("acknowledge: %v", err)
	}
}

func TestSingleConfRefuses(t *testing.T) {
	url := startSingleConf(t)
	for _, tt := range []struct{ user, verb, subject string }{
		{"producer", "publish", "usher.log.0.tick"},
		{"producer", "publish", "usher.log.0.rules"},
		{"producer", "publish", "transitions.vip.k1"},
		{"producer", "publish", "audiences.vip.k1"},
		{"producer", "publish", "$JS.API.STREAM.DELETE.LOG_0"},
		{"producer", "subscribe", "events.*"},
		{"producer", "subscribe", "audiences.>"},
		{"subscriber", "publish", "events.k1"},
		{"subscriber", "publish", "transitions.vip.k1"},
		{"subscriber", "publish", "audiences.vip.k1"},
		{"subscriber", "publish", "$JS.API.STREAM.PURGE.TRANSITIONS"},
		{"subscriber", "publish", "$JS.API.STREAM.MSG.DELETE.TRANSITIONS"},
		{"subscriber", "publish", "$JS.API.CONSUMER.CREATE.LOG_0"},
		{"subscriber", "subscribe", "transitions.>"},
		{"subscriber", "subscribe", "usher.log.>"},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tt.user, tt.verb, tt.subject), func(t *testing.T) {
			refused := make(chan error, 1)
			nc := login(t, url, tt.user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
			if tt.verb == "publish" {
				if err := nc.Publish(tt.subject, nil); err != nil {
					t.Fatal(err)
				}
			} else if _, err := nc.SubscribeSync(tt.subject); err != nil {
				t.Fatal(err)
			}
			// The server answers in order: the refusal is read before the pong.
			flush(t, nc)
			select {
			case err := <-refused:
				if !errors.Is(err, nats.ErrPermissionViolation) {
					t.Errorf("got %v, want a refusal", err)
				}
			case <-time.After(waitMax):
				t.Error("the server permitted it")
			}
		})
	}
}

// waitMax is how long a test waits for what must come.
const waitMax = 10 * time.Second

// startSingleConf runs the configuration with another port, another folder
// and passwords that equal the user names, and returns its URL.
func startSingleConf(t *testing.T) string {
	t.Helper()
	for variable, user := range map[string]string{
		"USHER_NODE_PASSWORD": "usher", "USHER_PRODUCER_PASSWORD": "producer", "USHER_SUBSCRIBER_PASSWORD": "subscriber",
	} {
		t.Setenv(variable, user)
	}
	opts, err := server.ProcessConfigFile(singleConf)
	if err != nil {
		t.Fatal(err)
	}
	opts.Port, opts.HTTPPort, opts.StoreDir = server.RANDOM_PORT, 0, t.TempDir()
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(waitMax) {
		t.Fatal("the server does not accept connections")
	}
	return s.ClientURL()
}

func login(t *testing.T, url, user string, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append(options, nats.UserInfo(user, user))...)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func stream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func create(t *testing.T, js jetstream.JetStream, config jetstream.StreamConfig) {
	t.Helper()
	if _, err := js.CreateStream(t.Context(), config); err != nil {
		t.Fatalf("create %s: %v", config.Name, err)
	}
}

func flush(t *testing.T, nc *nats.Conn) {
	t.Helper()
	if err := nc.FlushTimeout(waitMax); err != nil {
		t.Fatal(err)
	}
}
