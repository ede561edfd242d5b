package actors

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// benchAudiences has every message looked at and about one in ten change
// something.
const benchAudiences = `
audience: looking
when: {event: Product Viewed, where: {brand: acme}, count: {gte: 3}, within: 1h}
---
audience: cart
when: {event: Product Added, count: {gte: 10}, within: lifetime}
---
audience: switched-on
when: {trait: lamp, eq: true}
`

const benchKeys = 20_000

// handBus hands over the messages of a benchmark one by one; all else is the
// fake's.
type handBus struct {
	*fakeBus
	deliver func(partition.Input)
	at      uint64
	bodies  [][]byte
}

func (h *handBus) Read(_ int, r partition.Read, deliver func(partition.Input)) Reader {
	h.deliver = deliver
	deliver(partition.LogOpened{Reading: r.Reading, First: 1, Intact: true})
	return h
}

func (h *handBus) Pause()  {}
func (h *handBus) Resume() {}
func (h *handBus) Stop()   {}

// AppendRules reads the revision back at once.
func (h *handBus) AppendRules(_ int, r partition.AppendRules, done func(partition.RulesAppended)) {
	h.send(partition.RulesMessage, partition.EncodeRules(r.Revision, ""))
	done(partition.RulesAppended{Revision: r.Revision, Outcome: partition.Stored})
}

func (h *handBus) send(kind partition.MessageKind, payload []byte) {
	h.deliver(h.message(kind, payload))
}

func (h *handBus) message(kind partition.MessageKind, payload []byte) partition.Message {
	h.at++
	return partition.Message{Reading: 1, Seq: h.at, Time: time.Now().UnixNano(), Kind: kind, Payload: payload}
}

// next is the next message of the benchmark: nine events, then a trait that
// changes a membership, each key in its turn.
func (h *handBus) next(i int) (partition.MessageKind, []byte) {
	if i%10 == 9 {
		key := i % benchKeys
		return partition.TraitsMessage, fmt.Appendf(nil, `{"userId":"user-%d","traits":{"lamp":%t}}`, key, i/benchKeys%2 == 0)
	}
	return partition.EventMessage, h.bodies[i%len(h.bodies)]
}

func newHandBus(b *testing.B) *handBus {
	h := &handBus{fakeBus: newFakeBus(b, 1, benchAudiences)}
	for i := range benchKeys {
		name := []string{"Product Viewed", "Product Added", "Cart Viewed"}[i%3]
		h.bodies = append(h.bodies, fmt.Appendf(nil,
			`{"type":"track","event":%q,"userId":"user-%d","messageId":"m-%d","properties":{"product_id":"p-%d","brand":%q,"price":%d.5,"currency":"USD"},"context":{"page":{"path":"/p/%d","url":"https://shop.example/p/%d"},"userAgent":"Mozilla/5.0"}}`,
			name, i, i, i%1000, []string{"acme", "other"}[i%2], i%100, i%1000, i%1000))
	}
	return h
}

// BenchmarkMessage takes messages from the reader's hand over the partition's
// actor and the session's to their being done; publishes are answered at
// once. Its time less BenchmarkMessageWithoutActors' is what the actors cost.
func BenchmarkMessage(b *testing.B) {
	h := newHandBus(b)
	c := config(h, 1)
	c.CheckpointEvery = time.Hour
	n, err := Start(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	await(b, n, func(s PartitionStatus) bool { return s.Revision == 1 })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		h.send(h.next(i))
		i++
	}
	await(b, n, func(s PartitionStatus) bool { return s.Seq == h.at && s.Unacknowledged == 0 })
	s := n.Status().Total
	if s.Messages != uint64(i) || s.Rejected != 0 || i > benchKeys && s.Transitions < uint64(i/20) {
		b.Errorf("%d messages: %+v", i, s)
	}
	b.ReportMetric(float64(s.Transitions)/float64(s.Messages), "transitions/op")
	b.StopTimer()
	crashed(b, n)
}

// BenchmarkIdleSession holds b.N sessions of ten events and three traits each
// and takes the heap that each of them costs: the machine's entry, timer and
// registers, actor, session.
func BenchmarkIdleSession(b *testing.B) {
	h := newHandBus(b)
	c := config(h, 1)
	c.CheckpointEvery = time.Hour
	c.SessionsMax = b.N + 1
	n, err := Start(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	await(b, n, func(s PartitionStatus) bool { return s.Revision == 1 })
	before := heap()
	for i := range b.N {
		h.send(partition.EventMessage, fmt.Appendf(nil, `{"type":"identify","userId":"user-%d","messageId":"i%d","traits":{"plan":"free","country":"NL","tier":"gold"}}`, i, i))
		for j := range 9 {
			h.send(partition.EventMessage, fmt.Appendf(nil, `{"type":"track","event":"Product Added","userId":"user-%d","messageId":"m%d-%d"}`, i, i, j))
		}
	}
	await(b, n, func(s PartitionStatus) bool { return s.Sessions == b.N && s.Seq == h.at })
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/session")
	b.StopTimer()
	crashed(b, n)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func await(b *testing.B, n *Node, so func(PartitionStatus) bool) {
	b.Helper()
	poll := time.NewTicker(100 * time.Microsecond)
	defer poll.Stop()
	for !so(n.Status().Partitions[0]) {
		<-poll.C
	}
}

func crashed(b *testing.B, n *Node) {
	ctx, cancel := contextFor(time.Millisecond)
	defer cancel()
	if err := n.Drain(ctx); err != nil {
		b.Logf("stopped: %v", err)
	}
}

// BenchmarkMessageWithoutActors drives the same machine and sessions by plain
// calls.
func BenchmarkMessageWithoutActors(b *testing.B) {
	h := newHandBus(b)
	d := &direct{
		h: h, m: partition.New(partition.Config{Partitions: 1}), ev: rules.NewEvaluator(),
		sessions: make(map[rules.UserKey]*session.Session),
	}
	h.deliver = func(in partition.Input) { d.inputs = append(d.inputs, in) }
	d.feed(partition.Start{Now: time.Now().UnixMilli()})
	d.feed(partition.RevisionAvailable{Revision: 1})
	if got := d.m.Status().Revision; got != 1 {
		b.Fatalf("revision %d in force, want 1", got)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		d.feed(h.message(h.next(i)))
		i++
	}
	if s := d.m.Status(); s.Seq != h.at || s.Undone != 0 {
		b.Errorf("%d messages: %+v", i, s)
	}
}

// direct carries out a machine's effects without actors.
type direct struct {
	h        *handBus
	m        *partition.Machine
	ev       *rules.Evaluator
	sessions map[rules.UserKey]*session.Session
	inputs   []partition.Input
}

func (d *direct) feed(in partition.Input) {
	d.inputs = append(d.inputs, in)
	for i := 0; i < len(d.inputs); i++ {
		for _, e := range d.m.Step(d.inputs[i]) {
			d.carryOut(e)
		}
	}
	clear(d.inputs)
	d.inputs = d.inputs[:0]
}

func (d *direct) carryOut(e partition.Effect) {
	h := d.h
	switch e := e.(type) {
	case partition.Deliver:
		out, err := d.sessions[e.Key].Step(d.ev, e.Input)
		if err != nil {
			panic(err)
		}
		d.inputs = append(d.inputs, partition.Stepped{Key: e.Key, Skipped: out.Skipped, Transitions: out.Transitions, Next: out.Next})
	case partition.Activate:
		d.sessions[e.Key] = session.New(e.Key, e.Rules, session.Config{})
	case partition.Publish:
		h.Publish(e, func(in partition.Published) { h.deliver(in) })
	case partition.ReadSnapshot:
		h.ReadSnapshot(0, e, func(in partition.SnapshotRead) { h.deliver(in) })
	case partition.ReadCheckpoint:
		h.ReadCheckpoint(0, func(in partition.CheckpointRead) { h.deliver(in) })
	case partition.ReadRuleSet:
		h.ReadRuleSet(e, func(in partition.RuleSetRead) { h.deliver(in) })
	case partition.ScanSnapshots:
		h.ScanSnapshots(0, e, func(in partition.SnapshotsScanned) { h.deliver(in) })
	case partition.AppendRules:
		h.AppendRules(0, e, func(in partition.RulesAppended) { h.deliver(in) })
	case partition.Read:
		h.deliver(partition.LogOpened{Reading: e.Reading, First: 1, Intact: true})
	}
}
