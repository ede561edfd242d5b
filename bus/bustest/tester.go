package bustest

import (
	"sync"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// waitMax is how long an answer may take before a test fails. It is far more
// than any takes, and no test waits for it to pass.
const waitMax = 30 * time.Second

type tester struct {
	*testing.T
	*Fixture
}

// until waits for a condition, moving the bus meanwhile.
func (t *tester) until(what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(waitMax); !done(); {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", waitMax, what)
		}
		if t.Pump != nil {
			t.Pump()
			continue
		}
		pause()
	}
}

// pause yields for about a millisecond.
func pause() {
	timer := time.NewTimer(time.Millisecond)
	<-timer.C
}

// answer waits for the answer to what start asks for, and that it comes once.
func answer[A any](t *tester, what string, start func(done func(A))) A {
	t.Helper()
	var mu sync.Mutex
	var got []A
	start(func(a A) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, a)
	})
	t.until(what, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) > 0
	})
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 {
		t.Fatalf("%s: got %d answers, want 1", what, len(got))
	}
	return got[0]
}

// recording is everything a reader was given.
type recording struct {
	t      *tester
	reader Reader

	mu       sync.Mutex
	opened   []partition.LogOpened
	messages []partition.Message
	early    int // messages that came before any LogOpened
}

// read starts reading and ends it with the test.
func (t *tester) read(p int, r partition.Read) *recording {
	t.Helper()
	rec := &recording{t: t}
	rec.reader = t.Bus.Read(p, r, rec.take)
	t.Cleanup(rec.reader.Stop)
	t.until("the log to be opened", func() bool {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return len(rec.opened) > 0
	})
	return rec
}

func (r *recording) take(in partition.Input) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch in := in.(type) {
	case partition.LogOpened:
		r.opened = append(r.opened, in)
	case partition.Message:
		r.messages = append(r.messages, in)
		if len(r.opened) == 0 {
			r.early++
		}
	default:
		r.t.Errorf("the reader delivers a %T", in)
	}
}

// first returns the first LogOpened.
func (r *recording) first() partition.LogOpened {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened[0]
}

func (r *recording) openings() []partition.LogOpened {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]partition.LogOpened(nil), r.opened...)
}

func (r *recording) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.messages)
}

// wait waits for n messages and returns them. They must be exactly those, in
// ascending order, of this reading and after its opening.
func (r *recording) wait(n int) []partition.Message {
	r.t.Helper()
	r.t.until("messages of the log", func() bool { return r.count() >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) != n || r.early > 0 {
		r.t.Fatalf("got %d messages, %d of them before LogOpened; want %d and 0", len(r.messages), r.early, n)
	}
	for i, m := range r.messages {
		if m.Reading != r.opened[0].Reading {
			r.t.Errorf("message %d is of reading %d, want %d", i, m.Reading, r.opened[0].Reading)
		}
	}
	return append([]partition.Message(nil), r.messages...)
}

// payloads wants the payloads of the messages.
func (t *tester) payloads(got []partition.Message, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d", len(got), len(want))
	}
	for i, m := range got {
		if string(m.Payload) != want[i] {
			t.Errorf("message %d is %q, want %q", i, m.Payload, want[i])
		}
	}
}

// event produces a JSON event.
func (t *tester) event(p int, payload string) uint64 {
	return t.Produce(p, partition.EventMessage, rules.JSON, []byte(payload))
}

func cursorAt(m *partition.Message) partition.Cursor {
	return partition.Cursor{Seq: m.Seq, Time: m.Time}
}
