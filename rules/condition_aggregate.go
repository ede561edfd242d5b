package rules

import (
	"math"
	"slices"
	"sort"
)

// aggregateLeaf compares an aggregate of a property over the occurrences of a
// window. What it keeps, per key:
//
//   - sum and avg over the session or the lifetime: the exact sum as an
//     expansion (see addExact, mostly one to three floats) and the number of
//     occurrences;
//   - min, max, first and last over those: one occurrence;
//   - distinct over those: a 64-bit hash of each value, up to the number from
//     which on the comparison is settled; two of n values collide with a
//     chance below n²/2^65;
//   - over a time window: sum, avg and first every occurrence; min and max
//     those that no younger one outdoes; distinct the latest one of each
//     value, of these the youngest that can matter; last one.
//
// At most occurrencesMax are kept; beyond that the oldest go first and the
// aggregate is inexact until it has left the window. A feed costs a pass over
// what is kept, to find the next instant at which the truth changes.
type aggregateLeaf struct {
	kind     AggregateKind
	property *pathNode
	compare  comparison
	last     int64 // the window's length, 0 without one
	session  bool
	keep     int
}

// aggregateRecord is what an aggregate keeps for a key.
type aggregateRecord struct {
	cond     condIndex
	n        uint32 // occurrences in partials
	lost     bool
	next     int64
	partials []float64
	items    []occurrence // by (at, log order)
}

// occurrence is one kept occurrence with its value.
type occurrence struct {
	at   int64
	bits uint64 // of the number; the hash of a distinct value
	any  any    // the value that first or last found
}

func (o *occurrence) number() float64 { return math.Float64frombits(o.bits) }

func newAggregateLeaf(c *Aggregate, property *pathNode, compare comparison) *aggregateLeaf {
	l := &aggregateLeaf{
		kind: c.Kind, property: property, compare: compare,
		last: int64(c.Within.Last), session: c.Within.Session, keep: occurrencesMax,
	}
	if c.Kind == Distinct {
		t := newThreshold(compare)
		l.keep = min(max(t.settled, 1), occurrencesMax)
	}
	return l
}

// losesBeyondKeep reports whether dropping what is beyond keep loses anything.
func (l *aggregateLeaf) losesBeyondKeep() bool { return l.keep == occurrencesMax }

func (l *aggregateLeaf) search(st *State, c condIndex) (int, bool) {
	i := sort.Search(len(st.aggregates), func(i int) bool { return st.aggregates[i].cond >= c })
	return i, i < len(st.aggregates) && st.aggregates[i].cond == c
}

// live returns the kept occurrences that are in the window.
func (l *aggregateLeaf) live(rec *aggregateRecord, now int64) []occurrence {
	if l.last == 0 {
		return rec.items
	}
	i := 0
	for i < len(rec.items) && rec.items[i].at <= now-l.last {
		i++
	}
	return rec.items[i:]
}

// value is the aggregate at e.now.
func (l *aggregateLeaf) value(e *Evaluator, c condIndex) value {
	i, ok := l.search(e.state, c)
	if !ok {
		return l.of(e, nil)
	}
	rec := &e.state.aggregates[i]
	if l.last == 0 && (l.kind == Sum || l.kind == Avg) {
		return l.mean(roundExact(rec.partials), int(rec.n))
	}
	return l.of(e, l.live(rec, e.now))
}

// mean is the value of a sum or an average.
func (l *aggregateLeaf) mean(sum float64, n int) value {
	switch {
	case l.kind == Sum:
		return valueOf(sum)
	case n == 0:
		return value{}
	default:
		return valueOf(sum / float64(n))
	}
}

// of is the aggregate of the occurrences.
func (l *aggregateLeaf) of(e *Evaluator, items []occurrence) value {
	switch {
	case l.kind == Distinct:
		return valueOf(len(items))
	case l.kind == Sum || l.kind == Avg:
		e.partials = e.partials[:0]
		for i := range items {
			e.partials = addExact(e.partials, items[i].number())
		}
		return l.mean(roundExact(e.partials), len(items))
	case len(items) == 0:
		return value{}
	case l.kind == First:
		return valueOf(items[0].any)
	case l.kind == Last:
		return valueOf(items[len(items)-1].any)
	default:
		best := items[0].number()
		for i := range items {
			best = l.better(best, items[i].number())
		}
		return valueOf(best)
	}
}

func (l *aggregateLeaf) better(a, b float64) float64 {
	if l.kind == Min {
		return min(a, b)
	}
	return max(a, b)
}

func (l *aggregateLeaf) holds(e *Evaluator, c condIndex) bool {
	v := l.value(e, c)
	return l.compare.holds(&v, e.now)
}

func (l *aggregateLeaf) blank(e *Evaluator) bool {
	v := l.of(e, nil)
	return l.compare.holds(&v, e.now)
}

func (l *aggregateLeaf) changes(e *Evaluator, c condIndex) int64 {
	i, ok := l.search(e.state, c)
	if !ok {
		return Never
	}
	next := Never
	if l.last > 0 {
		next = l.nextFlip(e, l.live(&e.state.aggregates[i], e.now))
	}
	if l.session && l.holds(e, c) != l.blank(e) {
		next = min(next, e.sessionEnd())
	}
	return next
}

// nextFlip returns when the first of the occurrences whose leaving changes
// the truth leaves. It builds the aggregates of all that may remain from the
// youngest occurrence on.
func (l *aggregateLeaf) nextFlip(e *Evaluator, items []occurrence) int64 {
	n := len(items)
	e.truths = append(e.truths[:0], make([]bool, n+1)...)
	e.truths[n] = l.blank(e)
	e.partials = e.partials[:0]
	best := 0.0
	for i := n - 1; i >= 0; i-- {
		var v value
		switch l.kind {
		case Sum, Avg:
			e.partials = addExact(e.partials, items[i].number())
			v = l.mean(roundExact(e.partials), n-i)
		case Min, Max:
			if best = l.better(best, items[i].number()); i == n-1 {
				best = items[i].number()
			}
			v = valueOf(best)
		case Distinct:
			v = valueOf(n - i)
		case First:
			v = valueOf(items[i].any)
		default:
			v = valueOf(items[n-1].any)
		}
		e.truths[i] = l.compare.holds(&v, e.now)
	}
	for i := range n {
		together := i+1 < n && items[i+1].at == items[i].at
		if !together && e.truths[i+1] != e.truths[0] {
			return items[i].at + l.last
		}
	}
	return Never
}

func (l *aggregateLeaf) observed(e *Evaluator, c condIndex) observation {
	v := l.value(e, c)
	o := observation{value: v.plain()}
	if i, ok := l.search(e.state, c); ok {
		rec := &e.state.aggregates[i]
		o.inexact = rec.lost
		if l.kind == Distinct && len(rec.items) == l.keep && !rec.lost && l.keep > 1 {
			o.value = atLeast(len(rec.items))
		}
	}
	return o
}

// take returns what an occurrence with this value contributes, if anything.
func (l *aggregateLeaf) take(e *Evaluator) (occurrence, bool) {
	v := e.eventValue(l.property.slot)
	o := occurrence{at: e.occurred, bits: math.Float64bits(v.number)}
	switch {
	case v.kind == missingValue, l.session && !e.inSession, l.last > 0 && e.occurred <= e.now-l.last:
		return o, false
	case l.kind == First || l.kind == Last:
		o.any = clonePlain(v.plain())
		return o, true
	case l.kind == Distinct:
		o.bits = textID(string(canonicalAppend(nil, v.plain())))
		return o, true
	default:
		return o, v.kind == numberValue
	}
}

func (l *aggregateLeaf) feed(e *Evaluator, c condIndex) {
	o, ok := l.take(e)
	if !ok {
		return
	}
	before := l.holds(e, c)
	i, ok := l.search(e.state, c)
	if !ok {
		e.state.aggregates = slices.Insert(e.state.aggregates, i, aggregateRecord{cond: c, next: Never})
	}
	rec := &e.state.aggregates[i]
	if l.last == 0 && (l.kind == Sum || l.kind == Avg) {
		rec.partials = addExact(rec.partials, o.number())
		rec.n++
	} else {
		l.drop(rec, len(rec.items)-len(l.live(rec, e.now)))
		l.insert(rec, o)
		if l.last > 0 {
			rec.next = l.nextFlip(e, rec.items)
		}
	}
	if l.holds(e, c) != before {
		e.flipped(c)
	}
}

// drop removes the n oldest, which have left the window.
func (l *aggregateLeaf) drop(rec *aggregateRecord, n int) {
	if n > 0 {
		rec.items = slices.Delete(rec.items, 0, n)
		rec.lost = false
	}
}

// insert keeps an occurrence in its place, and not those that cannot matter
// beside it.
func (l *aggregateLeaf) insert(rec *aggregateRecord, o occurrence) {
	at := len(rec.items)
	for at > 0 && rec.items[at-1].at > o.at {
		at--
	}
	switch {
	case l.kind == Distinct:
		l.insertDistinct(rec, o)
		return
	case l.kind == Last:
		if at == len(rec.items) {
			rec.items = append(rec.items[:0], o)
		}
		return
	case l.kind == First && l.last == 0:
		if at == 0 {
			rec.items = append(rec.items[:0], o)
		}
		return
	case l.kind == Min || l.kind == Max:
		l.insertExtreme(rec, o, at)
		return
	}
	rec.items = slices.Insert(rec.items, at, o)
	l.bound(rec)
}

// bound drops the oldest of one too many.
func (l *aggregateLeaf) bound(rec *aggregateRecord) {
	if len(rec.items) > l.keep {
		rec.items = slices.Delete(rec.items, 0, 1)
		rec.lost = l.losesBeyondKeep()
	}
}

// insertExtreme keeps the occurrences that no younger one outdoes: without a
// window, age does not matter and one is left.
func (l *aggregateLeaf) insertExtreme(rec *aggregateRecord, o occurrence, at int) {
	for _, younger := range rec.items[at:] {
		if l.better(younger.number(), o.number()) == younger.number() {
			return
		}
	}
	older := rec.items[:at]
	if l.last == 0 {
		if len(rec.items) > 0 && l.better(rec.items[0].number(), o.number()) == rec.items[0].number() {
			return
		}
		rec.items = append(rec.items[:0], o)
		return
	}
	kept := at
	for kept > 0 && l.better(o.number(), older[kept-1].number()) == o.number() {
		kept--
	}
	rec.items = slices.Replace(rec.items, kept, at, o)
	l.bound(rec)
}

// insertDistinct keeps the latest occurrence of each value.
func (l *aggregateLeaf) insertDistinct(rec *aggregateRecord, o occurrence) {
	same := slices.IndexFunc(rec.items, func(x occurrence) bool { return x.bits == o.bits })
	if same >= 0 {
		if rec.items[same].at >= o.at || l.last == 0 {
			return
		}
		rec.items = slices.Delete(rec.items, same, same+1)
	} else if l.last == 0 && len(rec.items) == l.keep {
		rec.lost = l.losesBeyondKeep()
		return
	}
	at := len(rec.items)
	for at > 0 && rec.items[at-1].at > o.at {
		at--
	}
	rec.items = slices.Insert(rec.items, at, o)
	l.bound(rec)
}

func (l *aggregateLeaf) reset(e *Evaluator, c condIndex) {
	i, ok := l.search(e.state, c)
	if !ok {
		return
	}
	if l.holds(e, c) != l.blank(e) {
		e.flipped(c)
	}
	e.state.aggregates = slices.Delete(e.state.aggregates, i, i+1)
}

// forgetAggregates resets those of the session, which ends.
func (e *Evaluator) forgetAggregates() {
	st := e.state
	for i := len(st.aggregates) - 1; i >= 0; i-- {
		c := st.aggregates[i].cond
		if l := e.set.conds[c].leaf.(*aggregateLeaf); l.session {
			e.due(c, st.aggregates[i].next)
			l.reset(e, c)
		}
	}
}

// expireAggregates lets those whose instant has come look at the clock.
func (e *Evaluator) expireAggregates() {
	st := e.state
	for i := range st.aggregates {
		rec := &st.aggregates[i]
		if rec.next > e.now {
			continue
		}
		l := e.set.conds[rec.cond].leaf.(*aggregateLeaf)
		l.drop(rec, len(rec.items)-len(l.live(rec, e.now)))
		rec.next = l.nextFlip(e, rec.items)
		e.flipped(rec.cond)
	}
	st.aggregates = slices.DeleteFunc(st.aggregates, func(r aggregateRecord) bool { return len(r.items) == 0 && r.n == 0 })
}

// copyAggregates copies records with what they keep, reusing dst's memory.
func copyAggregates(dst, src []aggregateRecord) []aggregateRecord {
	dst = slices.Grow(dst[:0], len(src))[:len(src)]
	for i := range src {
		partials := overwrite(dst[i].partials, src[i].partials)
		items := overwrite(dst[i].items, src[i].items)
		dst[i] = src[i]
		dst[i].partials, dst[i].items = partials, items
	}
	return dst
}

// overwrite copies src into the memory of dst, as far as it goes.
func overwrite[T any](dst, src []T) []T { return append(dst[:0], src...) }
