package rules

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// sequenceLeaf is true from the completion of a sequence of events on.
//
// It keeps every partial match that some later event could complete and no
// other can stand in for: of two that wait for the same step, with equal
// values for later steps to refer to, the one whose first and previous steps
// both occurred later satisfies every bound that the other does, so the other
// goes. A sequence without references and bounds keeps one match per step.
// Events may come late, so no partial match is ever too old. At most
// occurrencesMax are kept; beyond that the oldest go first and the sequence
// is inexact.
type sequenceLeaf struct {
	steps    []sequenceStep
	absence  *sequenceStep // the last step, if it is one; not among steps
	captures []capture
	session  bool  // the whole match lies in one session
	lifetime bool  // without lasts, satisfied for ever
	last     int64 // bound from the first to the last step, 0 without one
	lasts    int64
}

// sequenceStep is one step.
type sequenceStep struct {
	match  *matcher
	refs   []refComparison
	within int64 // since the previous step, 0 is unbounded
	after  int64 // of an absence: complete this long after the previous step
}

// refComparison compares a value of the event with one that an earlier step
// had.
type refComparison struct {
	path    *pathNode
	op      Op
	mode    caseMode
	capture int
}

// capture is a value that later steps refer to.
type capture struct {
	step int
	path string
	node *pathNode
}

// sequenceRecord is what a sequence keeps for a key.
type sequenceRecord struct {
	cond      condIndex
	satisfied bool // without lasts
	lost      bool
	until     int64 // with lasts: when the satisfaction ends
	next      int64
	partials  []partial // in the order in which they came about
}

// partial is a partial match.
type partial struct {
	step        int32 // how many steps it has
	first, prev int64 // when the first and the latest step occurred
	due         int64 // with all steps but the absence: when that completes it
	captured    []any // as far as steps captured; never changed in place
}

func (l *sequenceLeaf) search(st *State, c condIndex) (int, bool) {
	return slices.BinarySearchFunc(st.sequences, c, func(r sequenceRecord, c condIndex) int { return cmp.Compare(r.cond, c) })
}

func (l *sequenceLeaf) holds(e *Evaluator, c condIndex) bool {
	i, ok := l.search(e.state, c)
	return ok && l.satisfied(&e.state.sequences[i], e.now)
}

func (l *sequenceLeaf) satisfied(rec *sequenceRecord, now int64) bool {
	return rec.satisfied || now < rec.until
}

func (l *sequenceLeaf) changes(e *Evaluator, c condIndex) int64 {
	i, ok := l.search(e.state, c)
	if !ok {
		return Never
	}
	rec := &e.state.sequences[i]
	if rec.satisfied && !l.lifetime {
		return e.sessionEnd()
	}
	return l.wake(rec, e.now)
}

// wake is when the record has to look at the clock.
func (l *sequenceLeaf) wake(rec *sequenceRecord, now int64) int64 {
	next := Never
	if now < rec.until {
		next = rec.until
	}
	for i := range rec.partials {
		next = min(next, rec.partials[i].due)
	}
	return next
}

func (l *sequenceLeaf) observed(e *Evaluator, c condIndex) observation {
	i, ok := l.search(e.state, c)
	if !ok {
		return observation{value: 0}
	}
	rec := &e.state.sequences[i]
	steps := 0
	for _, p := range rec.partials {
		steps = max(steps, int(p.step))
	}
	if l.satisfied(rec, e.now) {
		steps = len(l.steps)
		if l.absence != nil {
			steps++
		}
	}
	return observation{value: steps, inexact: rec.lost}
}

// feed lets the event block absences and take every step that it can. It is
// called once per step that the event's match selects, and acts once.
func (l *sequenceLeaf) feed(e *Evaluator, c condIndex) {
	if l.session && !e.inSession || l.firstMatched(e) != e.feeding {
		return
	}
	i, ok := l.search(e.state, c)
	if !ok {
		e.state.sequences = slices.Insert(e.state.sequences, i, sequenceRecord{cond: c, next: Never})
	}
	rec := &e.state.sequences[i]
	before := l.satisfied(rec, e.now)
	if !rec.satisfied || !l.settled() {
		l.block(e, rec)
		l.advance(e, rec)
	}
	l.settle(e, i, before)
}

// settled reports whether a satisfaction, once there, leaves nothing to wait
// for until the session's end forgets it all.
func (l *sequenceLeaf) settled() bool { return l.lasts == 0 && (l.session || l.lifetime) }

// settle ends every change of a record: what no longer matters goes, and who
// depends on the truth is told if it changed.
func (l *sequenceLeaf) settle(e *Evaluator, i int, before bool) {
	rec := &e.state.sequences[i]
	if rec.satisfied && l.settled() {
		rec.partials = rec.partials[:0]
	}
	if rec.until <= e.now {
		rec.until = 0
	}
	rec.next = l.wake(rec, e.now)
	if l.satisfied(rec, e.now) != before {
		e.flipped(rec.cond)
	}
	if len(rec.partials) == 0 && !l.satisfied(rec, e.now) {
		e.state.sequences = slices.Delete(e.state.sequences, i, i+1)
	}
}

// firstMatched is the first of the event's matchers that is a step's.
func (l *sequenceLeaf) firstMatched(e *Evaluator) *matcher {
	for _, m := range e.matched {
		if l.absence != nil && l.absence.match == m || slices.ContainsFunc(l.steps, func(s sequenceStep) bool { return s.match == m }) {
			return m
		}
	}
	return nil
}

// selects reports whether the event is one of the step's, next to what the
// partial match captured.
func (s *sequenceStep) selects(e *Evaluator, captured []any) bool {
	if !slices.Contains(e.matched, s.match) {
		return false
	}
	for _, r := range s.refs {
		p, err := preparePredicate(&Operator{Op: r.op, Operand: captured[r.capture]}, r.mode)
		if captured[r.capture] == nil || err != nil || !p.holds(e.eventValue(r.path.slot), e.now) {
			return false
		}
	}
	return true
}

// block removes the matches whose absence the event breaks.
func (l *sequenceLeaf) block(e *Evaluator, rec *sequenceRecord) {
	if l.absence == nil {
		return
	}
	rec.partials = slices.DeleteFunc(rec.partials, func(p partial) bool {
		return p.due != Never && l.absence.selects(e, p.captured)
	})
}

// advance takes the event as the next step of every partial match it fits,
// and as the first step of a new one. Only matches from before the event
// count: one event is one step.
func (l *sequenceLeaf) advance(e *Evaluator, rec *sequenceRecord) {
	e.advanced = e.advanced[:0]
	if l.steps[0].selects(e, nil) {
		e.advanced = append(e.advanced, l.next(e, partial{first: e.occurred, prev: e.occurred}))
	}
	for _, p := range rec.partials {
		if p.due != Never {
			continue
		}
		s := &l.steps[p.step]
		inTime := s.within == 0 || e.occurred-p.prev < s.within
		if inTime && s.selects(e, p.captured) {
			e.advanced = append(e.advanced, l.next(e, p))
		}
	}
	for _, p := range e.advanced {
		l.add(e, rec, p)
	}
	clear(e.advanced) // hold no captured values
}

// next is the partial match with the event as its next step.
func (l *sequenceLeaf) next(e *Evaluator, p partial) partial {
	p.captured = slices.Clip(p.captured)
	for _, c := range l.captures {
		if c.step == int(p.step) {
			p.captured = append(p.captured, clonePlain(e.eventValue(c.node.slot).plain()))
		}
	}
	p.step, p.prev, p.due = p.step+1, e.occurred, Never
	return p
}

// add completes a match, or keeps it.
func (l *sequenceLeaf) add(e *Evaluator, rec *sequenceRecord, p partial) {
	if int(p.step) < len(l.steps) {
		l.retain(rec, p)
		return
	}
	completion := p.prev
	if l.absence != nil {
		completion += l.absence.after
	}
	if l.last > 0 && completion-p.first >= l.last {
		return
	}
	if completion <= e.now {
		l.complete(rec, completion)
		return
	}
	p.due = completion
	l.retain(rec, p)
}

func (l *sequenceLeaf) complete(rec *sequenceRecord, at int64) {
	if l.lasts > 0 {
		rec.until = max(rec.until, at+l.lasts)
	} else {
		rec.satisfied = true
	}
}

// retain keeps a partial match unless another stands in for it, and drops
// those for which it does.
func (l *sequenceLeaf) retain(rec *sequenceRecord, p partial) {
	for i := range rec.partials {
		if l.standsIn(&rec.partials[i], &p) {
			return
		}
	}
	rec.partials = slices.DeleteFunc(rec.partials, func(q partial) bool { return l.standsIn(&p, &q) })
	rec.partials = append(rec.partials, p)
	if len(rec.partials) > occurrencesMax {
		rec.partials = slices.Delete(rec.partials, 0, 1)
		rec.lost = true
	}
}

// standsIn reports whether q completes only if p does, no later. Waiting for
// an absence, the instant matters instead of the previous step: it has been
// bounded already.
func (l *sequenceLeaf) standsIn(p, q *partial) bool {
	if p.step != q.step || p.due != q.due {
		return false
	}
	if p.due == Never {
		if l.last > 0 && p.first < q.first {
			return false
		}
		if l.steps[p.step].within > 0 && p.prev < q.prev {
			return false
		}
	}
	return reflect.DeepEqual(p.captured, q.captured)
}

func (l *sequenceLeaf) reset(*Evaluator, condIndex) {}

// endSequences is the end of the session for the sequences: partial matches
// within it are over, and so is what lasts until it.
func (e *Evaluator) endSequences() {
	for i := len(e.state.sequences) - 1; i >= 0; i-- {
		rec := &e.state.sequences[i]
		l := e.set.conds[rec.cond].leaf.(*sequenceLeaf)
		before := l.satisfied(rec, e.now)
		e.due(rec.cond, rec.next)
		if l.session {
			rec.partials = rec.partials[:0]
		}
		if !l.lifetime {
			rec.satisfied = false
		}
		l.settle(e, i, before)
	}
}

// expireSequences completes the absences whose instant has come, and ends
// what has lasted.
func (e *Evaluator) expireSequences() {
	for i := len(e.state.sequences) - 1; i >= 0; i-- {
		rec := &e.state.sequences[i]
		if rec.next > e.now {
			continue
		}
		l := e.set.conds[rec.cond].leaf.(*sequenceLeaf)
		for _, p := range rec.partials {
			if p.due <= e.now {
				l.complete(rec, p.due)
			}
		}
		rec.partials = slices.DeleteFunc(rec.partials, func(p partial) bool { return p.due <= e.now })
		e.flipped(rec.cond)
		l.settle(e, i, l.satisfied(rec, e.now))
	}
}

func copySequences(dst, src []sequenceRecord) []sequenceRecord {
	dst = slices.Grow(dst[:0], len(src))[:len(src)]
	for i := range src {
		partials := overwrite(dst[i].partials, src[i].partials)
		dst[i] = src[i]
		dst[i].partials = partials
	}
	return dst
}

// draftSequence compiles a sequence.
func (c *compiler) draftSequence(d *draft, cond *Sequence) {
	l := &sequenceLeaf{
		session:  cond.Within.Session,
		lifetime: cond.Within.Lifetime,
		last:     int64(cond.Within.Last),
		lasts:    int64(cond.Lasts),
	}
	names := make(map[string]int)
	for i := range cond.Steps {
		s := &cond.Steps[i]
		step := c.sequenceStep(l, s, names)
		if s.Absent {
			l.absence = &step
		} else {
			l.steps = append(l.steps, step)
		}
		if s.As != "" {
			names[s.As] = i
		}
		if !slices.Contains(d.feeds, step.match) {
			d.feeds = append(d.feeds, step.match)
		}
	}
	if len(l.steps) == 0 {
		c.refuse(cond.Place, "a sequence needs a step that is not an absence")
	}
	// Captures are appended to a match in the order of its steps.
	c.orderCaptures(l)
	d.leaf = l
}

// sequenceStep compiles one step: its match without the references, which are
// compared for each partial match.
func (c *compiler) sequenceStep(l *sequenceLeaf, s *Step, names map[string]int) sequenceStep {
	out := sequenceStep{within: int64(s.Within), after: int64(s.For)}
	plain := s.Match
	plain.Where = nil
	for _, w := range s.Match.Where {
		rest := w
		rest.Operators = nil
		for _, o := range w.Operators {
			if o.Ref == "" {
				rest.Operators = append(rest.Operators, o)
				continue
			}
			step, path, _ := strings.Cut(o.Ref, ".")
			at, ok := names[step]
			if !ok {
				c.refuse(o.Place, "ref %q names no earlier step", o.Ref)
			}
			mode := caseExact
			if w.IgnoreCase {
				mode = caseFolded
			}
			out.refs = append(out.refs, refComparison{c.rs.paths.add(w.Path), o.Op, mode, c.capture(l, at, path)})
		}
		if len(rest.Operators) > 0 {
			plain.Where = append(plain.Where, rest)
		}
	}
	out.match = c.matcher(&plain)
	return out
}

// capture returns the number of the value at a path of a step.
func (c *compiler) capture(l *sequenceLeaf, step int, path string) int {
	for i, known := range l.captures {
		if known.step == step && known.path == path {
			return i
		}
	}
	l.captures = append(l.captures, capture{step, path, c.rs.paths.add(path)})
	return len(l.captures) - 1
}

// orderCaptures renumbers captures by step, the order in which a match comes
// by them.
func (c *compiler) orderCaptures(l *sequenceLeaf) {
	before := slices.Clone(l.captures)
	slices.SortStableFunc(l.captures, func(a, b capture) int { return cmp.Compare(a.step, b.step) })
	renumber := func(s *sequenceStep) {
		for i := range s.refs {
			s.refs[i].capture = slices.Index(l.captures, before[s.refs[i].capture])
		}
	}
	for i := range l.steps {
		renumber(&l.steps[i])
	}
	if l.absence != nil {
		renumber(l.absence)
	}
}
