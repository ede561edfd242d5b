package rules

import (
	"cmp"
	"slices"
	"strconv"
)

// Indices into a rule set. Conditions are numbered in the order of their ids,
// decisions in the order of evaluation.
type (
	condIndex     uint32
	decisionIndex uint32
)

// occurrencesMax bounds the occurrences kept per condition and key. Beyond
// it the oldest go first and the condition is inexact until those that went
// would have left the window anyway.
const occurrencesMax = 4096

// State is what is known of one key and what the conditions have counted for
// it. It is kept sparse: only what differs from a key of which nothing is
// known has a record. Its records are flat and hold no pointers, so that an
// idle key costs little memory and the garbage collector nothing.
//
// The records refer to conditions and decisions of one rule set by index;
// [State.AppendBinary] writes stable ids instead.
type State struct {
	Visit  Visit
	Traits Traits

	known      bool // some message has reached the key
	counts     []countRecord
	windows    []windowRecord
	times      []int64 // occurrences of all windows, in the order of windows
	members    []memberRecord
	lives      []lifeRecord
	context    []contextRecord
	aggregates []aggregateRecord
	sequences  []sequenceRecord
}

// Visit is the open session, and what outlives it. The zero value is a key
// without one.
type Visit struct {
	Open   bool
	Start  int64  // occurrence time of the event that began it
	Last   int64  // last activity
	ID     string // context.sessionId; empty until an event carries one
	Number uint32 // how many sessions the key has begun
	Events uint32
	Pages  uint32
	Entry  []entryRecord // of what rules read; replaced, never changed
}

// SessionID names the session: the id its events carried, else its start in
// milliseconds.
func (v *Visit) SessionID() string {
	if v.ID != "" {
		return v.ID
	}
	return strconv.FormatInt(v.Start, 10)
}

// countRecord is the count of a condition over the session or the lifetime.
type countRecord struct {
	cond condIndex
	n    uint32
}

// windowRecord is a condition over a time window; its occurrences lie in
// State.times, ascending.
type windowRecord struct {
	cond condIndex
	n    uint16 // how many occurrences are kept
	more bool   // younger ones than the window is long were dropped: n is a lower bound
	lost bool   // they were dropped for occurrencesMax: the truth may be inexact
	next int64  // when time alone changes the truth
}

// memberRecord is an audience, or a held condition, that is not simply false.
type memberRecord struct {
	decision decisionIndex
	raw      bool // the truth of when
	member   bool
	since    int64 // when member last changed; of a held condition: raw
	wake     int64 // when to decide again though no condition's record says so
}

// lifeRecord is what the lifecycle of an audience has to remember.
type lifeRecord struct {
	decision decisionIndex
	entries  uint32 // in the period
	exited   bool
	turned   int64 // when raw last turned
	exitAt   int64 // the last exit, if exited
	period   int64 // session number or day
}

// search finds a record by its index.
func searchCount(rs []countRecord, c condIndex) (int, bool) {
	return slices.BinarySearchFunc(rs, c, func(r countRecord, c condIndex) int { return cmp.Compare(r.cond, c) })
}

func searchMember(rs []memberRecord, d decisionIndex) (int, bool) {
	return slices.BinarySearchFunc(rs, d, func(r memberRecord, d decisionIndex) int { return cmp.Compare(r.decision, d) })
}

func searchLife(rs []lifeRecord, d decisionIndex) (int, bool) {
	return slices.BinarySearchFunc(rs, d, func(r lifeRecord, d decisionIndex) int { return cmp.Compare(r.decision, d) })
}

// searchWindow also returns where in State.times the record's occurrences
// begin.
func (s *State) searchWindow(c condIndex) (at, offset int, ok bool) {
	for i := range s.windows {
		if s.windows[i].cond >= c {
			return i, offset, s.windows[i].cond == c
		}
		offset += int(s.windows[i].n)
	}
	return len(s.windows), offset, false
}

// Deadline returns the next instant at which time alone may change something:
// the end of the session, or an instant that a record waits for.
// Now is the last instant at which something happened.
func (s *State) Deadline(rs *RuleSet, idle Millis, now int64) int64 {
	next := min(s.Visit.end(idle), rs.session.deadline(&s.Visit, now))
	for i := range s.windows {
		next = min(next, s.windows[i].next)
	}
	for i := range s.aggregates {
		next = min(next, s.aggregates[i].next)
	}
	for i := range s.sequences {
		next = min(next, s.sequences[i].next)
	}
	for i := range s.members {
		next = min(next, s.members[i].wake)
	}
	return next
}

// end is when the open session ends, Never if none is open.
func (v *Visit) end(idle Millis) int64 {
	if !v.Open {
		return Never
	}
	return later(v.Last, idle)
}

// copyFrom makes s equal to t, reusing s's memory. Strings and traits, which
// are replaced and never changed in place, are shared.
func (s *State) copyFrom(t *State) {
	s.Visit, s.Traits, s.known = t.Visit, t.Traits, t.known
	s.counts = append(s.counts[:0], t.counts...)
	s.windows = append(s.windows[:0], t.windows...)
	s.times = append(s.times[:0], t.times...)
	s.members = append(s.members[:0], t.members...)
	s.lives = append(s.lives[:0], t.lives...)
	s.context = append(s.context[:0], t.context...)
	s.aggregates = copyAggregates(s.aggregates, t.aggregates)
	s.sequences = copySequences(s.sequences, t.sequences)
}
