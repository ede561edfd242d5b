package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

func TestInstallIsIdempotent(t *testing.T) {
	s := newSite(t, 3)
	want, err := s.conn.Installation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want.Partitions != 3 || want.Idle != 30*60*1000 || want.Replicas != 1 {
		t.Errorf("installed %+v, want 3 partitions, 30 minutes, 1 replica", want)
	}
	for _, again := range []bus.Installation{{}, {Partitions: 3}, {Idle: want.Idle}} {
		if got, err := s.conn.Install(t.Context(), again); err != nil || got != want {
			t.Errorf("installing %+v again: %+v, %v; want %+v", again, got, err, want)
		}
	}
	for _, other := range []bus.Installation{{Partitions: 4}, {Idle: 1}} {
		if _, err := s.conn.Install(t.Context(), other); !errors.Is(err, bus.ErrFixed) {
			t.Errorf("installing %+v over it: %v, want %v", other, err, bus.ErrFixed)
		}
	}
}

// TestInstallRepairs changes settings that Usher relies on behind its back.
func TestInstallRepairs(t *testing.T) {
	s := newSite(t, 1)
	stream, err := s.js.Stream(t.Context(), subject.StreamTransitions)
	if err != nil {
		t.Fatal(err)
	}
	broken := stream.CachedInfo().Config
	broken.RePublish, broken.MaxMsgsPerSubject, broken.MaxAge = nil, 1, time.Hour
	broken.Description = "kept"
	if _, err := s.js.UpdateStream(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.Install(t.Context(), bus.Installation{}); err != nil {
		t.Fatal(err)
	}
	if stream, err = s.js.Stream(t.Context(), subject.StreamTransitions); err != nil {
		t.Fatal(err)
	}
	got := stream.CachedInfo().Config
	if got.RePublish == nil || got.MaxMsgsPerSubject != 64 || got.MaxAge != 0 || got.Description != "kept" {
		t.Errorf("the stream is %+v", got)
	}
}

func TestInstallRefusesIncompatible(t *testing.T) {
	s := newPlain(t, "")
	js, err := jetstream.New(s.NATS())
	if err != nil {
		t.Fatal(err)
	}
	cfg := jetstream.StreamConfig{Name: subject.LogStream(0), Subjects: []string{subject.LogAll(0)}, Storage: jetstream.MemoryStorage}
	if _, err := js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	_, err = s.Install(t.Context(), bus.Installation{Partitions: 1})
	if !errors.Is(err, bus.ErrIncompatible) || !strings.Contains(err.Error(), "nats stream rm LOG_0") {
		t.Errorf("got %v, want %v with the remedy", err, bus.ErrIncompatible)
	}
}

// newPlain connects to a server that has nothing but JetStream and lines.
func newPlain(t *testing.T, lines string) *bus.Conn {
	t.Helper()
	opts := &server.Options{}
	if lines != "" {
		if err := opts.ProcessConfigString(lines); err != nil {
			t.Fatal(err)
		}
	}
	opts.JetStream, opts.StoreDir, opts.DontListen, opts.NoSigs, opts.NoLog = true, t.TempDir(), true, true, true
	srv, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	conn, err := bus.Connect(t.Context(), bus.Config{InProcess: srv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// TestMapping: a server without the mapping is found out, one configured with
// the lines that the error names is not, and one with those of another number
// of partitions is.
func TestMapping(t *testing.T) {
	without := newPlain(t, "")
	_, err := without.Install(t.Context(), bus.Installation{Partitions: 5})
	if !errors.Is(err, bus.ErrMapping) || !strings.Contains(err.Error(), bus.MappingLines(5)) {
		t.Errorf("without a mapping: %v, want %v with the lines", err, bus.ErrMapping)
	}
	with := newPlain(t, bus.MappingLines(5))
	if _, err := with.Install(t.Context(), bus.Installation{Partitions: 5}); err != nil {
		t.Errorf("with the lines: %v", err)
	}
	other := newPlain(t, bus.MappingLines(4))
	if _, err := other.Install(t.Context(), bus.Installation{Partitions: 5}); !errors.Is(err, bus.ErrMapping) {
		t.Errorf("with the lines for 4 partitions: %v, want %v", err, bus.ErrMapping)
	}
	js, err := jetstream.New(with.NATS())
	if err != nil {
		t.Fatal(err)
	}
	for p := range 5 {
		stream, err := js.Stream(t.Context(), subject.LogStream(p))
		if err != nil {
			t.Fatal(err)
		}
		if got := stream.CachedInfo().State.Msgs; got != 0 {
			t.Errorf("the check stored %d messages in partition %d", got, p)
		}
	}
}

func TestNotInstalled(t *testing.T) {
	conn := newPlain(t, "")
	if _, err := conn.Open(t.Context()); !errors.Is(err, bus.ErrNotInstalled) {
		t.Errorf("open: %v, want %v", err, bus.ErrNotInstalled)
	}
	if _, _, err := conn.Definitions().Current(t.Context()); !errors.Is(err, bus.ErrNotInstalled) {
		t.Errorf("current definitions: %v, want %v", err, bus.ErrNotInstalled)
	}
}

// TestPlainPublish publishes as any NATS client would and finds the message
// in its key's partition.
func TestPlainPublish(t *testing.T) {
	s := newSite(t, 4)
	for _, key := range []string{"u_42", "ada@example.org", "Zoë", "a b>*"} {
		token, err := subject.Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		ack, err := s.js.Publish(t.Context(), subject.Traits(token), []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if want := subject.LogStream(subject.Partition(token, 4)); ack.Stream != want {
			t.Errorf("traits of %q are stored in %s, want %s", key, ack.Stream, want)
		}
	}
}

// TestRepublish: subscribers are told of stored transitions and of no others.
func TestRepublish(t *testing.T) {
	s := newSite(t, 1)
	sub, err := s.conn.NATS().SubscribeSync(subject.AudiencesAll)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(r partition.RegisterKey, at int64) partition.Published {
		tr := &rules.Transition{Kind: rules.Entered, Audience: r.Audience, Key: r.Key, Shadow: r.Shadow, Position: rules.Position{At: at}, ExpiresAt: rules.Never}
		ch := make(chan partition.Published, 1)
		s.bus.Publish(partition.Publish{Register: r, N: 1, Transition: tr}, func(p partition.Published) { ch <- p })
		return <-ch
	}
	key := partition.RegisterKey{Audience: "vip", Key: "a.b"}
	publish(key, 1)
	publish(key, 2) // refused
	publish(partition.RegisterKey{Audience: "vip", Key: "a.b", Shadow: true}, 3)
	publish(partition.RegisterKey{Audience: "vip", Key: "c"}, 4)
	for _, want := range []string{"audiences.vip.a%2Eb 1-0-0", "audiences.vip.c 4-0-0"} {
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Subject + " " + m.Header.Get(subject.HeaderPosition); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}
