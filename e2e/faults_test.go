package e2e_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/bus/subject"
)

// plainServer is a NATS server that knows nothing of Usher, except what it is
// told to map.
func plainServer(t *testing.T, mappings ...subject.Mapping) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mappings {
		if err := s.GlobalAccount().AddMapping(m.Source, m.Destination); err != nil {
			t.Fatal(err)
		}
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(waitMax) {
		t.Fatal("the server is not ready")
	}
	return s.ClientURL()
}

// nested is an object of that many levels.
func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels)
}

// TestBadInput: what cannot be used ends in REJECTED with its reason, and the
// one partition goes on to the next message.
func TestBadInput(t *testing.T) {
	n := serve(t, "--partitions", "1")
	mustRun(t, "apply", write(t, "audiences.yaml", audiencesText), "--nats", n.url)
	ctx, c := limited(t), connect(t, n.url)
	nc, err := nats.Connect(n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	event := func(rest string) string { return `{"type":"track","event":"Product Added","userId":"u"` + rest + `}` }
	tests := []struct{ name, payload, reason string }{
		{"not JSON", "{", "not_json"},
		{"nothing", "", "not_json"},
		{"no object", `[1]`, "not_json"},
		{"no key", `{"type":"track","event":"Product Added"}`, "no_key"},
		{"33 KB", event(`,"properties":{"x":"` + strings.Repeat("x", 33<<10) + `"}`), "too_large"},
		{"deep", event(`,"properties":` + nested(1000)), "too_deep"},
		{"NaN", event(`,"properties":{"price":NaN}`), "bad_number"},
		{"a number beyond any", event(`,"properties":{"price":1e999}`), "bad_number"},
		{"a timestamp of no calendar", event(`,"timestamp":"2026-02-31T00:00:00Z"`), "bad_timestamp"},
		{"a timestamp that is none", event(`,"timestamp":"yesterday"`), "bad_timestamp"},
		{"before the clock began", event(`,"timestamp":"0001-01-01T00:00:00Z"`), "bad_timestamp"},
		{"an unknown type", `{"type":"purchase","userId":"u"}`, "unknown_type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := js.Publish(ctx, "events.u", []byte(tt.payload)); err != nil {
				t.Fatalf("publish: %v", err)
			}
			rejected(t, js, tt.payload, tt.reason)
		})
	}
	// Ten thousand names of events, absurd but readable timestamps: applied.
	for i := range 10_000 {
		if err := c.PublishAsync(ctx, usher.Event{Event: fmt.Sprint("Event ", i), UserID: "u"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []string{"1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		if err := c.PublishRawAsync(ctx, "u", []byte(`{"type":"page","name":"P","userId":"u","timestamp":"`+at+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch(ctx, "readers", usher.WithMembers())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	expect(t, w, usher.Entered, "readers", "u")
	if out := mustRun(t, "status", "--nats", n.url); !strings.Contains(out, fmt.Sprintf("%d rejected", len(tests))) || !strings.Contains(out, ": ready") {
		t.Errorf("status after %d bad messages:\n%s", len(tests), out)
	}
}

// rejected waits until the newest rejected message is this one.
func rejected(t *testing.T, js jetstream.JetStream, payload, reason string) {
	t.Helper()
	ctx := limited(t)
	consumer, err := js.OrderedConsumer(ctx, "REJECTED", jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverLastPolicy})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			t.Fatalf("not rejected: %v", err)
		}
		if string(m.Data()) != payload {
			continue // the one before
		}
		if got := m.Headers().Get("Usher-Reason"); got != reason {
			t.Errorf("rejected as %q (%s), want %q", got, m.Headers().Get("Usher-Detail"), reason)
		}
		return
	}
}

// TestKilledAndStartedAgain: nothing that was acknowledged is lost, nothing
// comes twice.
func TestKilledAndStartedAgain(t *testing.T) {
	address, data := freeAddress(t), t.TempDir()
	n := serveAt(t, address, data)
	mustRun(t, "apply", write(t, "audiences.yaml", audiencesText), "--nats", n.url)
	ctx, c := limited(t), connect(t, n.url)
	page := func(user string) {
		t.Helper()
		if err := c.Publish(ctx, usher.Event{Type: usher.Page, Name: "Home", UserID: user}); err != nil {
			t.Fatal(err)
		}
	}
	page("u")
	n.kill(t)
	n = serveAt(t, address, data)
	page("u") // the second page: one was seen before the kill
	w, err := c.Watch(ctx, "readers", usher.WithMembers())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if got := expect(t, w, usher.Entered, "readers", "u"); got.N != 1 {
		t.Errorf("entered with n %d, want 1", got.N)
	}
	n.kill(t)
	serveAt(t, address, data)
	page("v")
	page("v")
	if got := expect(t, w, usher.Entered, "readers", "v"); got.N != 1 {
		t.Errorf("entered with n %d, want 1", got.N)
	}
}

// TestSecondSignal ends a node at once.
func TestSecondSignal(t *testing.T) {
	n := serve(t)
	n.signal(t, syscall.SIGTERM)
	n.await(t, n.err, "draining|stopped")
	n.signal(t, syscall.SIGTERM)
	n.end(t) // either the first was quick enough, or the second ended it
}

// TestConflicts: a port or a directory that is in use is named, with what to
// do.
func TestConflicts(t *testing.T) {
	n := serve(t)
	address := strings.TrimPrefix(n.url, "nats://")
	code, _, said := run(t, "serve", "--listen", address, "--http", "", "--data", t.TempDir())
	if code != 1 || !strings.Contains(said, address) || !strings.Contains(said, "choose another port") {
		t.Errorf("a used port: exit code %d\n%s", code, said)
	}
	code, _, said = run(t, "serve", "--listen", "127.0.0.1:0", "--http", "", "--data", n.data)
	if code != 1 || !strings.Contains(said, n.data) || !strings.Contains(said, "--data") {
		t.Errorf("a used directory: exit code %d\n%s", code, said)
	}
}

// TestExternalServer: a node on a server of somebody else's.
func TestExternalServer(t *testing.T) {
	url := plainServer(t, subject.Mappings(16)...)
	n := start(t, "serve", "--nats", url, "--http", "")
	n.await(t, n.err, `(?s)usher is ready.*NATS +`+url)
	mustRun(t, "apply", write(t, "audiences.yaml", audiencesText), "--nats", url)
	ctx, c := limited(t), connect(t, url)
	w, err := c.Watch(ctx, "big-cart")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if err := c.Publish(ctx, usher.Event{Event: "Product Added", UserID: "u", Properties: map[string]any{"price": 100}}); err != nil {
		t.Fatal(err)
	}
	expect(t, w, usher.Entered, "big-cart", "u")
	n.signal(t, syscall.SIGTERM)
	if code := n.end(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, n.err)
	}
}

// TestExternalServerWithoutMapping: producers' events would reach no log, so
// the node does not start, and says which lines the server lacks.
func TestExternalServerWithoutMapping(t *testing.T) {
	code, _, said := run(t, "serve", "--nats", plainServer(t), "--http", "")
	if code != 1 || !strings.Contains(said, "mapping") || !strings.Contains(said, "partition(16,1)") {
		t.Errorf("serve on a server without the mapping: exit code %d\n%s", code, said)
	}
}
