package rules

import (
	"math"
	"slices"
)

// threshold is what a count is compared with. Its truth is the same for all
// counts from settled on, so no condition needs to tell those apart.
type threshold struct {
	settled int
	table   uint64 // truths of the counts 0 to settled, if settled < 64
	ops     comparison
}

func newThreshold(ops comparison) threshold {
	t := threshold{ops: ops}
	for i := range ops {
		p := &ops[i]
		bounds := p.list
		if p.op != OpBetween && p.op != OpIn && p.op != OpNotIn {
			bounds = []value{p.operand}
		}
		for j := range bounds {
			t.settled = max(t.settled, settledAt(p.op, bounds[j].number))
		}
	}
	if t.settled < 64 {
		for n := range t.settled + 1 {
			if t.compare(n) {
				t.table |= 1 << n
			}
		}
	}
	return t
}

// settledAt is the count from which on a comparison with bound does not
// change any more.
func settledAt(op Op, bound float64) int {
	bound = min(max(bound, 0), CountMax+1)
	if op == OpGte || op == OpLt {
		return int(math.Ceil(bound))
	}
	return int(math.Floor(bound)) + 1
}

func (t *threshold) holds(n int) bool {
	n = min(n, t.settled)
	if t.settled < 64 {
		return t.table>>n&1 == 1
	}
	return t.compare(n)
}

func (t *threshold) compare(n int) bool {
	v := value{kind: numberValue, number: float64(n)}
	return t.ops.holds(&v, 0)
}

// countLeaf counts over the open session or the lifetime. It needs the
// number of occurrences only: one counter per key.
type countLeaf struct {
	threshold
	session bool // of the open session; else of the lifetime
}

func (l *countLeaf) n(e *Evaluator, c condIndex) int {
	if i, ok := searchCount(e.state.counts, c); ok {
		return int(e.state.counts[i].n)
	}
	return 0
}

func (l *countLeaf) holds(e *Evaluator, c condIndex) bool {
	return l.threshold.holds(l.n(e, c))
}

func (l *countLeaf) changes(e *Evaluator, c condIndex) int64 {
	if l.session && l.holds(e, c) != l.threshold.holds(0) {
		return e.sessionEnd()
	}
	return Never
}

func (l *countLeaf) observed(e *Evaluator, c condIndex) observation {
	return observation{value: l.n(e, c)}
}

func (l *countLeaf) feed(e *Evaluator, c condIndex) {
	if l.session && !e.inSession {
		return
	}
	i, ok := searchCount(e.state.counts, c)
	if !ok {
		e.state.counts = slices.Insert(e.state.counts, i, countRecord{cond: c})
	}
	rec := &e.state.counts[i]
	n := int(rec.n)
	if rec.n < math.MaxUint32 {
		rec.n++
	}
	if l.threshold.holds(n) != l.threshold.holds(n+1) {
		e.flipped(c)
	}
}

func (l *countLeaf) reset(e *Evaluator, c condIndex) {
	i, ok := searchCount(e.state.counts, c)
	if !ok {
		return
	}
	if l.holds(e, c) != l.threshold.holds(0) {
		e.flipped(c)
	}
	e.state.counts = slices.Delete(e.state.counts, i, i+1)
}
