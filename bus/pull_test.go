package bus

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestParseMetadata(t *testing.T) {
	want := metadata{seq: 20, delivery: 30, time: 1_795_428_000_123_456_789, pending: 40}
	for _, reply := range []string{
		"$JS.ACK.LOG_1.usher-x.1.20.30.1795428000123456789.40",
		"$JS.ACK.hub.hash.LOG_1.usher-x.1.20.30.1795428000123456789.40",
		"$JS.ACK._.hash.LOG_1.usher-x.1.20.30.1795428000123456789.40.token",
	} {
		if got, ok := parseMetadata(reply); !ok || got != want {
			t.Errorf("parseMetadata(%q) = %+v, %t; want %+v", reply, got, ok, want)
		}
	}
	for _, reply := range []string{
		"", "_INBOX.x", "$JS.ACK.LOG_1.usher-x.1.20.30.1795428000123456789", "$JS.ACK.LOG_1.usher-x.1.20.x.1795428000123456789.40",
		"$JS.ACK.LOG_1.usher-x.1.20.30.1795428000123456789.40.50", "$XX.ACK.LOG_1.usher-x.1.20.30.1795428000123456789.40",
	} {
		if got, ok := parseMetadata(reply); ok {
			t.Errorf("parseMetadata(%q) = %+v, want none", reply, got)
		}
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add("$JS.ACK.LOG_1.usher-x.1.20.30.1795428000123456789.40")
	f.Fuzz(func(t *testing.T, reply string) {
		m, ok := parseMetadata(reply)
		if again, _ := parseMetadata(fmt.Sprintf("$JS.ACK.S.C.1.%d.%d.%d.%d", m.seq, m.delivery, m.time, m.pending)); ok && again != m {
			t.Errorf("parseMetadata(%q) = %+v, written and read again %+v", reply, m, again)
		}
	})
}

// TestGate lets no more through than it should, in order, and forgets those
// that are gone.
func TestGate(t *testing.T) {
	g := gate{free: 2}
	const n = 5 * compactMin
	through := 0
	for i := range n {
		if g.enter(&nats.Msg{Subject: fmt.Sprint(i)}, nil) {
			through++
		}
	}
	if through != 2 {
		t.Fatalf("%d went through, want 2", through)
	}
	for i := 2; i < n; i++ {
		w, ok := g.leave()
		if want := fmt.Sprint(i); !ok || w.m.Subject != want {
			t.Fatalf("next is %v, %t; want %s", w.m, ok, want)
		}
		if waiting := n - 1 - i; len(g.waiting) > 2*waiting+compactMin+1 {
			t.Fatalf("%d wait and the queue holds %d", waiting, len(g.waiting))
		}
	}
	for range 2 {
		if w, ok := g.leave(); ok {
			t.Fatalf("next is %v, want none", w.m)
		}
	}
	if g.free != 2 {
		t.Errorf("%d places are free, want 2", g.free)
	}
}
