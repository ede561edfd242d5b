package actors

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// fakeBus is the ports in memory, for real actors on real goroutines: safe
// for concurrent use, and nothing ever goes wrong. Readers have a goroutine
// each; everything else is answered at once.
type fakeBus struct {
	mu          sync.Mutex
	changed     *sync.Cond
	logs        [][]partition.Message
	transitions []rules.Published
	registers   map[partition.RegisterKey]partition.Register
	rejected    []partition.Reject
	snapshots   []map[rules.UserKey]stored
	checkpoints []*partition.Checkpoint
	revisions   []*rules.RuleSet // from 0 on
	watchers    []func(partition.RevisionAvailable)
	writes      uint64
	delivered   int                 // messages given to readers
	latePublish func(answer func()) // if set, decides when publishes are answered
}

type stored struct {
	data     []byte
	revision uint64
}

func newFakeBus(t testing.TB, partitions int, documents string) *fakeBus {
	t.Helper()
	b := &fakeBus{
		logs: make([][]partition.Message, partitions), registers: make(map[partition.RegisterKey]partition.Register),
		checkpoints: make([]*partition.Checkpoint, partitions),
	}
	b.changed = sync.NewCond(&b.mu)
	for range partitions {
		b.snapshots = append(b.snapshots, make(map[rules.UserKey]stored))
	}
	empty, err := rules.Compile(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.revisions = []*rules.RuleSet{empty}
	if documents != "" {
		b.define(t, documents)
	}
	return b
}

// define stores the next revision.
func (b *fakeBus) define(t testing.TB, documents string) uint64 {
	t.Helper()
	docs, err := rules.Parse("test.yaml", []byte(documents))
	if err != nil {
		t.Fatal(err)
	}
	var defs []rules.Versioned
	for _, d := range docs {
		defs = append(defs, rules.Versioned{Definition: d, Version: 1})
	}
	b.mu.Lock()
	revision := uint64(len(b.revisions))
	set, err := rules.Compile(revision, defs)
	if err != nil {
		t.Fatal(err)
	}
	b.revisions = append(b.revisions, set)
	watchers := slices.Clone(b.watchers)
	b.mu.Unlock()
	for _, each := range watchers {
		each(partition.RevisionAvailable{Revision: revision})
	}
	return revision
}

// append stores a message as a producer would.
func (b *fakeBus) append(p int, kind partition.MessageKind, payload []byte) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	seq := uint64(len(b.logs[p]) + 1)
	b.logs[p] = append(b.logs[p], partition.Message{Seq: seq, Time: time.Now().UnixNano(), Kind: kind, Payload: payload})
	b.changed.Broadcast()
	return seq
}

func (b *fakeBus) AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended)) {
	b.append(p, partition.TickMessage, partition.EncodeTick(t))
	done(partition.TickAppended{Outcome: partition.Stored})
}

func (b *fakeBus) AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended)) {
	b.append(p, partition.RulesMessage, partition.EncodeRules(r.Revision, ""))
	done(partition.RulesAppended{Revision: r.Revision, Outcome: partition.Stored})
}

func (b *fakeBus) Reject(_ int, r partition.Reject, done func(partition.RejectStored)) {
	b.mu.Lock()
	b.rejected = append(b.rejected, r)
	b.mu.Unlock()
	done(partition.RejectStored{Seq: r.Seq})
}

// fakeReader delivers from its goroutine.
type fakeReader struct {
	bus             *fakeBus
	p               int
	paused, stopped bool // under bus.mu
}

func (b *fakeBus) Read(p int, r partition.Read, deliver func(partition.Input)) Reader {
	rd := &fakeReader{bus: b, p: p}
	go rd.run(p, r, deliver)
	return rd
}

func (r *fakeReader) run(p int, read partition.Read, deliver func(partition.Input)) {
	b := r.bus
	b.mu.Lock()
	at := int(read.After.Seq)
	opened := partition.LogOpened{Reading: read.Reading, First: 1, Last: uint64(len(b.logs[p])), Intact: true}
	b.mu.Unlock()
	deliver(opened)
	for {
		b.mu.Lock()
		for !r.stopped && (r.paused || at >= len(b.logs[p])) {
			b.changed.Wait()
		}
		if r.stopped {
			b.mu.Unlock()
			return
		}
		m := b.logs[p][at]
		b.delivered++
		b.mu.Unlock()
		at++
		m.Reading = read.Reading
		deliver(m)
	}
}

func (r *fakeReader) set(change func()) {
	r.bus.mu.Lock()
	change()
	r.bus.changed.Broadcast()
	r.bus.mu.Unlock()
}

func (r *fakeReader) End() uint64 {
	r.bus.mu.Lock()
	defer r.bus.mu.Unlock()
	return uint64(len(r.bus.logs[r.p]))
}

func (r *fakeReader) Pause()  { r.set(func() { r.paused = true }) }
func (r *fakeReader) Resume() { r.set(func() { r.paused = false }) }
func (r *fakeReader) Stop()   { r.set(func() { r.stopped = true }) }

func (b *fakeBus) Publish(p partition.Publish, done func(partition.Published)) {
	answer := partition.Published{Register: p.Register, Attempt: p.Attempt, Outcome: partition.Refused}
	b.mu.Lock()
	if b.registers[p.Register].Sequence == p.Expected {
		b.transitions = append(b.transitions, rules.Published{Transition: *p.Transition, N: p.N})
		answer.Outcome, answer.Seq = partition.Stored, uint64(len(b.transitions))
		b.registers[p.Register] = partition.Register{
			Audience: p.Register.Audience, Shadow: p.Register.Shadow, Sequence: answer.Seq, N: p.N,
			Kind: p.Transition.Kind, Position: p.Transition.Position, Cause: p.Transition.Cause,
		}
	}
	late := b.latePublish
	b.mu.Unlock()
	if late != nil {
		late(func() { done(answer) })
		return
	}
	done(answer)
}

func (b *fakeBus) ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead)) {
	b.mu.Lock()
	last := b.registers[r.Register]
	b.mu.Unlock()
	done(partition.RegisterRead{Register: r.Register, Attempt: r.Attempt, Last: last})
}

func (b *fakeBus) CheckTransition(_ partition.CheckTransition, done func(partition.TransitionChecked)) {
	done(partition.TransitionChecked{Intact: true})
}

func (b *fakeBus) ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead)) {
	b.mu.Lock()
	s := b.snapshots[p][r.Key]
	b.mu.Unlock()
	done(partition.SnapshotRead{Key: r.Key, Data: s.data, Revision: s.revision})
}

func (b *fakeBus) SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved)) {
	b.mu.Lock()
	answer := partition.SnapshotSaved{Key: s.Key, Outcome: partition.Refused}
	if b.snapshots[p][s.Key].revision == s.Revision {
		b.writes++
		b.snapshots[p][s.Key] = stored{data: s.Data, revision: b.writes}
		answer.Outcome, answer.Revision = partition.Stored, b.writes
	}
	b.mu.Unlock()
	done(answer)
}

func (b *fakeBus) ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned)) {
	b.mu.Lock()
	scanned := partition.SnapshotsScanned{Scan: s.Scan, Done: true}
	for _, key := range slices.Sorted(maps.Keys(b.snapshots[p])) {
		next, revision, err := partition.DecodeSnapshotHead(b.snapshots[p][key].data)
		if err == nil {
			scanned.Heads = append(scanned.Heads, partition.SnapshotHead{Key: key, Next: next, Revision: revision})
		}
	}
	b.mu.Unlock()
	each(scanned)
}

func (b *fakeBus) ReadCheckpoint(p int, done func(partition.CheckpointRead)) {
	b.mu.Lock()
	c := b.checkpoints[p]
	b.mu.Unlock()
	done(partition.CheckpointRead{Checkpoint: c})
}

func (b *fakeBus) SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved)) {
	b.mu.Lock()
	b.checkpoints[p] = &s.Checkpoint
	b.mu.Unlock()
	done(partition.CheckpointSaved{Outcome: partition.Stored})
}

func (b *fakeBus) ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead)) {
	b.mu.Lock()
	set := b.revisions[r.Revision]
	b.mu.Unlock()
	done(partition.RuleSetRead{Rules: set})
}

func (b *fakeBus) Watch(each func(partition.RevisionAvailable)) (stop func()) {
	b.mu.Lock()
	b.watchers = append(b.watchers, each)
	newest := uint64(len(b.revisions) - 1)
	b.mu.Unlock()
	each(partition.RevisionAvailable{Revision: newest})
	return func() {
		b.mu.Lock()
		b.watchers = nil
		b.mu.Unlock()
	}
}

func (b *fakeBus) Erase(p int, e partition.Erase, done func(partition.Erased)) {
	b.mu.Lock()
	delete(b.snapshots[p], e.Key)
	maps.DeleteFunc(b.registers, func(r partition.RegisterKey, _ partition.Register) bool { return r.Key == e.Key })
	b.transitions = slices.DeleteFunc(b.transitions, func(t rules.Published) bool { return t.Key == e.Key })
	b.mu.Unlock()
	done(partition.Erased(e))
}

// byKey returns the transitions of each key, by audience and in the order
// they were stored.
func (b *fakeBus) byKey() map[rules.UserKey][]rules.Published {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[rules.UserKey][]rules.Published)
	for _, t := range b.transitions {
		out[t.Key] = append(out[t.Key], t)
	}
	for _, ts := range out {
		slices.SortStableFunc(ts, func(a, b rules.Published) int { return cmp.Compare(a.Audience, b.Audience) })
	}
	return out
}

func (b *fakeBus) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.transitions)
}
