package rules

import (
	"slices"
	"strings"
)

// Evaluator is the scratch memory of evaluation, shared by all sessions of
// one partition. It is not safe for concurrent use.
//
// A step of a session goes: [Evaluator.Begin]; then, for each instant at
// which something happens, [Evaluator.At], the methods that say what happens
// (EndSession, Expire, BeginSession, Count, Merge, Replace), and
// [Evaluator.Evaluate]. Nothing is decided before Evaluate, so what happens
// at one instant is seen as a whole. [Evaluator.Restore] undoes the step.
type Evaluator struct {
	set   *RuleSet
	state *State
	key   UserKey
	idle  Millis
	now   int64
	saved State // the state as Begin found it

	inSession    bool  // the event at hand belongs to the open session
	occurred     int64 // its occurrence time
	sessionEnded bool  // a session ended since the last evaluation
	sessionBegan bool  // with the event at hand

	values   []*value // by slot, of the event at hand; nil is missing
	missing  value
	cel      celVars // the event at hand, for CEL
	matched  []*matcher
	feeding  *matcher    // whose conditions are being fed
	advanced []partial   // scratch of sequences
	truths   []bool      // scratch of aggregates
	partials []float64   // scratch of aggregates
	anew     []condIndex // conditions whose since the event at hand matched

	queue   []decisionIndex // a heap
	queued  []bool
	changes []Change

	diff     *ruleDiff // between the last two rule sets that Replace saw
	replaced *ruleDiff // set while a rule change is evaluated
}

// NewEvaluator returns an evaluator.
func NewEvaluator() *Evaluator { return &Evaluator{} }

// Begin starts a step over one key's state.
func (e *Evaluator) Begin(st *State, key UserKey, rs *RuleSet, idle Millis) {
	e.use(rs)
	e.state, e.key, e.idle = st, key, idle
	e.saved.copyFrom(st)
	e.sessionEnded, e.sessionBegan, e.inSession = false, false, false
	e.changes = e.changes[:0]
}

// Restore makes the state what Begin found.
func (e *Evaluator) Restore() {
	for _, d := range e.queue {
		e.queued[d] = false
	}
	e.queue = e.queue[:0]
	clear(e.values)
	e.replaced = nil
	e.state.copyFrom(&e.saved)
}

func (e *Evaluator) use(rs *RuleSet) {
	e.set = rs
	if n := len(rs.decisions); len(e.queued) < n {
		e.queued = append(e.queued, make([]bool, n-len(e.queued))...)
	}
	if n := int(rs.paths.slots); len(e.values) < n {
		e.values = append(e.values, make([]*value, n-len(e.values))...)
	}
}

// At sets the instant at which what follows happens. Instants never go back.
func (e *Evaluator) At(now int64) { e.now = now }

// Deadline returns the next instant at which time alone may change something.
func (e *Evaluator) Deadline() int64 { return e.state.Deadline(e.set, e.idle, e.now) }

func (e *Evaluator) sessionEnd() int64 { return e.state.Visit.end(e.idle) }

// EndSession ends the open session: what counts only within it is forgotten.
func (e *Evaluator) EndSession() {
	e.passSessionPoints()
	e.set.session.opened(e)
	e.forgetSession()
	e.state.Visit.Open, e.state.Visit.Entry = false, nil
	e.sessionEnded = true
	for i := range e.state.members {
		rec := &e.state.members[i]
		if rec.member && e.set.decisions[rec.decision].exitsWithSession() {
			e.mark(rec.decision)
		}
	}
}

func (e *Evaluator) forgetSession() {
	st := e.state
	counts := st.counts[:0]
	for _, rec := range st.counts {
		l := e.set.conds[rec.cond].leaf.(*countLeaf)
		if !l.session {
			counts = append(counts, rec)
		} else if l.threshold.holds(int(rec.n)) != l.threshold.holds(0) {
			e.flipped(rec.cond)
		}
	}
	st.counts = counts
	e.forgetAggregates()
	e.endSequences()
	for i, offset := 0, 0; i < len(st.windows); {
		rec := st.windows[i]
		l := e.set.conds[rec.cond].leaf.(*windowLeaf)
		if l.session {
			e.due(rec.cond, rec.next)
			l.reset(e, rec.cond)
			continue
		}
		offset += int(rec.n)
		i++
	}
}

// BeginSession begins a session, to which the event at hand belongs.
func (e *Evaluator) BeginSession(start int64, id string) {
	v := &e.state.Visit
	*v = Visit{Open: true, Start: start, Last: start, ID: id, Number: v.Number + 1}
	e.sessionBegan = true
	for i := range e.state.members {
		rec := &e.state.members[i]
		if rec.raw && !rec.member && e.set.decisions[rec.decision].waitsForSession() {
			e.mark(rec.decision)
		}
	}
}

// visited lets the event at hand take part in the open session.
func (e *Evaluator) visited(ev *Event) {
	v, ix := &e.state.Visit, e.set.session
	if e.occurred >= v.Last {
		// Idle time falls back to now - o: what it had passed since is undone.
		ix.between(e, sessionIdle, e.now-e.occurred, e.now-v.Last)
		v.Last = e.occurred
	}
	v.Events++
	ix.between(e, sessionEvents, int64(v.Events)-1, int64(v.Events))
	if ev.Call == Page {
		v.Pages++
		ix.between(e, sessionPages, int64(v.Pages)-1, int64(v.Pages))
	}
	if e.sessionBegan {
		e.sessionBegan = false
		ix.take(e, ev.Call)
		ix.opened(e)
	} else if v.ID == "" && ev.SessionID != "" {
		v.ID = strings.Clone(ev.SessionID)
		for _, c := range ix.id {
			e.flipped(c)
		}
	}
}

// Expire lets the records whose instant has come look at the clock.
func (e *Evaluator) Expire() {
	st := e.state
	for i, offset := 0, 0; i < len(st.windows); {
		cond := st.windows[i].cond
		if st.windows[i].next <= e.now {
			e.flipped(cond)
			if !e.set.conds[cond].leaf.(*windowLeaf).trim(e, i, offset) {
				st.windows = slices.Delete(st.windows, i, i+1)
				continue
			}
		}
		offset += int(st.windows[i].n)
		i++
	}
	e.expireAggregates()
	e.expireSequences()
	e.passSessionPoints()
	for i := range st.members {
		if st.members[i].wake <= e.now {
			e.mark(st.members[i].decision)
		}
	}
}

// passSessionPoints marks what duration and idle time flip at this instant.
func (e *Evaluator) passSessionPoints() {
	if v := &e.state.Visit; v.Open {
		e.set.session.between(e, sessionDuration, e.now-v.Start-1, e.now-v.Start)
		e.set.session.between(e, sessionIdle, e.now-v.Last-1, e.now-v.Last)
	}
}

// Greet is the first message of a key: what holds of a key of which nothing
// is known is decided.
func (e *Evaluator) Greet() {
	if e.state.known {
		return
	}
	e.state.known = true
	for _, d := range e.set.first {
		e.mark(d)
	}
}

// EventScope says whether an event belongs to the open session.
type EventScope uint8

// The scopes of an event.
const (
	InSession EventScope = iota
	UserLevel            // too late for any session: counted in user-level windows only
)

// Count counts an event that occurred at o, in the open session if it
// belongs there.
func (e *Evaluator) Count(ev *Event, o int64, scope EventScope) {
	ev = ev.under(e.set)
	e.inSession, e.occurred = scope == InSession, o
	e.cel.reset(ev)
	for i := range ev.values {
		e.values[ev.values[i].slot] = &ev.values[i]
	}
	if e.inSession {
		e.visited(ev)
	}
	e.takeContext()
	e.matched = e.set.events.match(e, ev, e.now, e.matched[:0])
	e.anew = e.anew[:0]
	for _, m := range e.matched {
		for _, c := range m.resets {
			e.set.conds[c].leaf.(countingLeaf).reset(e, c)
			e.anew = append(e.anew, c)
		}
	}
	for _, m := range e.matched {
		e.feeding = m
		for _, c := range m.feeds {
			// An occurrence is not after itself: one that since selects too
			// does not count.
			if len(e.anew) == 0 || !slices.Contains(e.anew, c) {
				e.set.conds[c].leaf.(countingLeaf).feed(e, c)
			}
		}
	}
	for i := range ev.values {
		e.values[ev.values[i].slot] = nil
	}
	e.cel.reset(nil)
}

func (e *Evaluator) eventValue(slot int32) *value {
	if v := e.values[slot]; v != nil {
		return v
	}
	return &e.missing
}

// Merge merges an update into the traits.
func (e *Evaluator) Merge(update map[string]any) *Rejection {
	before := e.state.Traits
	after, rejection := before.merge(update)
	if rejection != nil {
		return rejection
	}
	e.state.Traits = after
	for name := range update { // marks only; their order does not matter
		e.set.traits.changed(e, name, before, after)
	}
	return nil
}

// due marks what depends on a condition that time flips at this very instant,
// at which something else happens to it: its truth as last decided is not
// what it would say now.
func (e *Evaluator) due(c condIndex, at int64) {
	if at <= e.now {
		e.flipped(c)
	}
}

// flipped marks what depends on a condition.
func (e *Evaluator) flipped(c condIndex) {
	for _, d := range e.set.conds[c].targets {
		e.mark(d)
	}
}

// mark puts a decision into the queue, once.
func (e *Evaluator) mark(d decisionIndex) {
	if e.queued[d] {
		return
	}
	e.queued[d] = true
	e.queue = append(e.queue, d)
	for i := len(e.queue) - 1; i > 0; {
		parent := (i - 1) / 2
		if e.queue[parent] <= e.queue[i] {
			break
		}
		e.queue[parent], e.queue[i] = e.queue[i], e.queue[parent]
		i = parent
	}
}

// next takes the first decision in the order of evaluation from the queue.
func (e *Evaluator) next() decisionIndex {
	q := e.queue
	first, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	for i := 0; ; {
		least := i
		for _, kid := range [2]int{2*i + 1, 2*i + 2} {
			if kid < last && q[kid] < q[least] {
				least = kid
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	e.queue = q
	e.queued[first] = false
	return first
}
