package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/e2e/bench"
	"github.com/usher-audiences/usher/rules"
)

const users = 20_000

// BenchmarkThroughput publishes b.N events as fast as the log takes them and
// waits until every one is done. Each event is acknowledged by the log before
// it counts as published; at most inFlight wait for that.
func BenchmarkThroughput(b *testing.B) {
	n := start(b, benchmarkSet(b), 0, 0)
	seen := n.transitions(b)
	events := draw(bench.NewLoad(1, users), b.N)
	b.ReportAllocs()
	b.ResetTimer()
	used := processorTime(b)
	publish(b, n.client, events)
	b.ReportMetric(b.Elapsed().Seconds(), "s-publishing")
	n.await(b, func() bool { return n.done(b.N) })
	b.StopTimer()
	used = processorTime(b) - used
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(used.Nanoseconds())/1000/float64(b.N), "cpu-us/event")
	total := n.Status().Total
	b.ReportMetric(float64(total.Transitions)/float64(b.N), "transitions/event")
	b.ReportMetric(float64(seen.audiences()), "audiences-changed")
	if total.Rejected > 0 {
		b.Errorf("%d events were rejected", total.Rejected)
	}
}

const inFlight = 4096

type event struct {
	subject string
	payload []byte
}

// draw takes events from a load before the clock runs.
func draw(load *bench.Load, count int) []event {
	events := make([]event, count)
	for i := range events {
		events[i].subject, events[i].payload = load.Next()
	}
	return events
}

// processorTime is what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// publish publishes count events over one connection and waits for their
// acknowledgements.
func publish(b *testing.B, nc *nats.Conn, events []event) {
	b.Helper()
	inbox := nats.NewInbox()
	slots := make(chan struct{}, inFlight)
	refused := make(chan string, 1)
	sub, err := nc.Subscribe(inbox, func(m *nats.Msg) {
		if bytes.Contains(m.Data, []byte(`"error"`)) || m.Header.Get("Status") != "" {
			select {
			case refused <- string(m.Data) + m.Header.Get("Status"):
			default:
			}
		}
		<-slots
	})
	check(b, err)
	defer func() { check(b, sub.Unsubscribe()) }()
	for _, e := range events {
		slots <- struct{}{}
		check(b, nc.PublishRequest(e.subject, inbox, e.payload))
	}
	for range inFlight {
		slots <- struct{}{}
	}
	select {
	case why := <-refused:
		b.Fatalf("an event was refused: %s", why)
	default:
	}
}

// done reports whether count events have been read and all that they caused
// is acknowledged.
func (n *node) done(count int) bool {
	t := n.Status().Total
	return t.Messages >= uint64(count) && t.Held == 0 && t.Unacknowledged == 0 //nolint:gosec // counts are not negative
}

// received is what a core subscriber of audiences.> has seen.
type received struct {
	mu     sync.Mutex
	counts map[string]int
	each   func(rules.Published, time.Time)
}

func (n *node) transitions(b *testing.B) *received {
	b.Helper()
	r := &received{counts: make(map[string]int)}
	_, err := n.client.Subscribe(subject.AudiencesAll, func(m *nats.Msg) {
		now := time.Now()
		audience, _, ok := subject.ParseTransition(m.Subject)
		r.mu.Lock()
		defer r.mu.Unlock()
		if ok {
			r.counts[audience]++
		}
		if r.each == nil {
			return
		}
		var t rules.Published
		if err := json.Unmarshal(m.Data, &t); err != nil {
			b.Errorf("transition: %v", err)
		}
		r.each(t, now)
	})
	check(b, err)
	check(b, n.client.Flush())
	return r
}

func (r *received) audiences() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.counts)
}

// BenchmarkLatency publishes b.N events at 1,000 a second, after a warm-up,
// and takes the time from each publish to a core subscriber receiving the
// transition that the event caused.
func BenchmarkLatency(b *testing.B) {
	n := start(b, benchmarkSet(b), 0, 0)
	seen := n.transitions(b)
	load := bench.NewLoad(2, users)
	publish(b, n.client, draw(load, 20*min(b.N, 1000)))
	sent := make([]time.Time, b.N)
	var took []time.Duration
	seen.mu.Lock()
	seen.each = func(t rules.Published, at time.Time) {
		var i int
		if _, err := fmt.Sscanf(t.MessageID, "paced-%d", &i); err == nil {
			took = append(took, at.Sub(sent[i]))
		}
	}
	seen.mu.Unlock()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	b.ResetTimer()
	for i := range b.N {
		to, payload := load.Named(fmt.Sprintf("paced-%d", i))
		<-pace.C
		seen.mu.Lock()
		sent[i] = time.Now()
		seen.mu.Unlock()
		check(b, n.client.Publish(to, payload))
		check(b, n.client.Flush())
	}
	n.await(b, func() bool { return n.done(b.N) })
	check(b, n.client.Flush())
	b.StopTimer()
	seen.mu.Lock()
	defer seen.mu.Unlock()
	b.ReportMetric(float64(len(took))/float64(b.N), "transitions/event")
	report(b, took, "latency")
}

// report tells the quantiles of durations in milliseconds.
func report(b *testing.B, took []time.Duration, what string) {
	b.Helper()
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[min(int(q*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-"+what+"-ms")
	b.ReportMetric(at(0.99), "p99-"+what+"-ms")
}

// BenchmarkWindowExit lets b.N users enter for two seconds, with nothing else
// going on, and takes how long after the exact deadline each exit reaches a
// core subscriber.
func BenchmarkWindowExit(b *testing.B) {
	defs, err := rules.Parse("window.yaml", []byte("audience: lately\nwhen: {event: Product Viewed, within: 2s}\n"))
	check(b, err)
	n := start(b, defs, 0, 0)
	seen := n.transitions(b)
	var late []time.Duration
	exits := make(chan struct{}, b.N)
	seen.each = func(t rules.Published, at time.Time) {
		if t.Kind == rules.Exited {
			late = append(late, at.Sub(time.UnixMilli(t.Position.At)))
			exits <- struct{}{}
		}
	}
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	b.ResetTimer()
	for i := range b.N {
		<-pace.C
		check(b, n.client.Publish(subject.Events(subject.Token(fmt.Sprintf("u%d", i))), fmt.Appendf(nil,
			`{"type":"track","event":"Product Viewed","userId":"u%d","messageId":"m%d"}`, i, i)))
	}
	check(b, n.client.Flush())
	for range b.N {
		<-exits
	}
	b.StopTimer()
	seen.mu.Lock()
	defer seen.mu.Unlock()
	report(b, late, "late")
}
