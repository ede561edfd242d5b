package memory

import (
	"maps"
	"slices"

	"github.com/usher-audiences/usher/actors/partition"
)

// Mark remembers all that is stored. What it returns brings the bus back to
// that, as a power loss does; readings go on and find out.
func (b *Bus) Mark() (restore func()) {
	kept := b.stored.copy()
	return func() {
		b.stored = kept
		kept = b.stored.copy()
		for _, r := range slices.Clone(b.readers) {
			r.reset()
		}
	}
}

func (s *store) copy() store {
	out := *s
	out.logs = slices.Clone(s.logs)
	for i := range out.logs {
		out.logs[i].messages = slices.Clone(out.logs[i].messages)
	}
	out.transitions = slices.Clone(s.transitions)
	out.registers = maps.Clone(s.registers)
	out.checkpoints = slices.Clone(s.checkpoints)
	out.definitions = slices.Clone(s.definitions)
	out.rejected, out.snapshots = slices.Clone(s.rejected), slices.Clone(s.snapshots)
	for p := range out.rejected {
		out.rejected[p] = maps.Clone(s.rejected[p])
		out.snapshots[p] = maps.Clone(s.snapshots[p])
	}
	return out
}

// LoseLog removes the last n messages of p's log. Their sequences are given
// again.
func (b *Bus) LoseLog(p, n int) {
	l := &b.stored.logs[p]
	l.messages = slices.Clone(l.messages[:max(0, len(l.messages)-n)])
	l.last = 0
	if k := len(l.messages); k > 0 {
		l.last = l.messages[k-1].Seq
	}
	for _, r := range slices.Clone(b.readers) {
		if r.p == p {
			r.reset()
		}
	}
}

// LoseTransitions removes the last n transitions. Their sequences are given
// again.
func (b *Bus) LoseTransitions(n int) {
	kept := max(0, len(b.stored.transitions)-n)
	b.stored.transitions = slices.Clone(b.stored.transitions[:kept])
	b.stored.sequence = 0
	if kept > 0 {
		b.stored.sequence = b.stored.transitions[kept-1].Sequence
	}
	b.index()
}

// reset is what a consumer does when its stream has changed under it: it goes
// on only if the last message it delivered is still there.
func (r *reader) reset() {
	if r.at != (partition.Cursor{}) && !r.bus.stored.logs[r.p].holds(r.at) {
		r.open()
	}
	r.deliverAll()
}
