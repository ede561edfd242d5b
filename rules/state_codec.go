package rules

import (
	"math"
	"slices"
)

// Write writes the state. Conditions appear under their ids and audiences
// under their keys, so that what is written does not depend on how the rule
// set numbers them.
func (s *State) Write(w *SnapshotWriter, rs *RuleSet) {
	w.List(10)
	w.Bool(s.known)
	s.Visit.write(w)
	w.List(len(s.Traits))
	for _, t := range s.Traits {
		w.List(2)
		w.Text(t.name)
		w.Plain(t.value)
	}
	w.List(len(s.counts))
	for _, rec := range s.counts {
		w.List(2)
		w.Uint(rs.conds[rec.cond].id)
		w.Uint(uint64(rec.n))
	}
	s.writeWindows(w, rs)
	w.List(len(s.members))
	for _, rec := range s.members {
		w.List(5)
		w.Text(rs.decisions[rec.decision].name)
		w.Bool(rec.raw)
		w.Bool(rec.member)
		w.Int(rec.since)
		w.Int(rec.wake)
	}
	w.List(len(s.lives))
	for _, rec := range s.lives {
		w.List(6)
		w.Text(rs.decisions[rec.decision].name)
		w.Uint(uint64(rec.entries))
		w.Bool(rec.exited)
		w.Int(rec.turned)
		w.Int(rec.exitAt)
		w.Int(rec.period)
	}
	w.List(len(s.context))
	for _, rec := range s.context {
		w.List(2)
		w.Text(rs.context[rec.path].path)
		w.Plain(rec.value)
	}
	s.writeAggregates(w, rs)
	s.writeSequences(w, rs)
}

func (v *Visit) write(w *SnapshotWriter) {
	w.List(8)
	w.Bool(v.Open)
	w.Int(v.Start)
	w.Int(v.Last)
	w.Text(v.ID)
	w.Int(int64(v.Number))
	w.Int(int64(v.Events))
	w.Int(int64(v.Pages))
	w.List(len(v.Entry))
	for _, en := range v.Entry {
		w.List(2)
		w.Int(int64(en.property))
		w.Plain(en.value)
	}
}

// writeWindows writes times as differences, which are short.
func (s *State) writeWindows(w *SnapshotWriter, rs *RuleSet) {
	w.List(len(s.windows))
	offset := 0
	for _, rec := range s.windows {
		w.List(4)
		w.Uint(rs.conds[rec.cond].id)
		w.Bool(rec.more)
		w.Bool(rec.lost)
		w.List(int(rec.n))
		last := int64(0)
		for _, at := range s.times[offset : offset+int(rec.n)] {
			w.Int(at - last)
			last = at
		}
		offset += int(rec.n)
	}
}

// Read reads a state that was written under a rule set of the same revision.
func (s *State) Read(r *SnapshotReader, rs *RuleSet) {
	*s = State{}
	r.Fields(10)
	s.known = r.Bool()
	s.Visit.read(r)
	s.readTraits(r)
	s.readCounts(r, rs)
	s.readWindows(r, rs)
	s.readMembers(r, rs)
	s.readLives(r, rs)
	s.readContext(r, rs)
	s.readAggregates(r, rs)
	s.readSequences(r, rs)
}

func (s *State) readContext(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	for last := -1; len(s.context) < n; {
		r.Fields(2)
		path := r.Text()
		rec := contextRecord{value: r.Plain(depthMax)}
		rec.path = slices.IndexFunc(rs.context, func(p contextPath) bool { return p.path == path })
		if rec.path <= last || rec.value == nil {
			r.Fail("context %q is unknown, empty or out of order", path)
		}
		if r.err != nil {
			return
		}
		last = rec.path
		s.context = append(s.context, rec)
	}
}

func (v *Visit) read(r *SnapshotReader) {
	r.Fields(8)
	v.Open = r.Bool()
	v.Start = r.Count(timestampMax)
	v.Last = r.Count(timestampMax)
	v.ID = r.Text()
	v.Number = uint32(r.Count(math.MaxUint32))
	v.Events = uint32(r.Count(math.MaxUint32))
	v.Pages = uint32(r.Count(math.MaxUint32))
	n := r.List()
	for range n {
		r.Fields(2)
		en := entryRecord{property: int(r.Count(int64(len(entryPaths()))))}
		if en.value = r.Plain(depthMax); en.value == nil {
			r.Fail("an entry without a value")
			return
		}
		v.Entry = append(v.Entry, en)
	}
}

func (s *State) readTraits(r *SnapshotReader) {
	n := r.List()
	if n > 0 {
		s.Traits = make(Traits, 0, n)
	}
	for range n {
		r.Fields(2)
		t := trait{name: r.Text()}
		t.value = r.Plain(depthMax)
		if len(s.Traits) > 0 && s.Traits[len(s.Traits)-1].name >= t.name || t.value == nil {
			r.Fail("traits out of order")
		}
		if r.err != nil {
			return
		}
		s.Traits = append(s.Traits, t)
	}
}

// readCondition reads a condition's id, which must be after the last.
func readCondition(r *SnapshotReader, rs *RuleSet, last int) condIndex {
	id := r.Uint()
	c, ok := rs.condition(id)
	if r.err == nil && (!ok || int(c) <= last) {
		r.Fail("condition %x is unknown or out of order", id)
	}
	return c
}

func (s *State) readCounts(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	s.counts = make([]countRecord, 0, n)
	for last := -1; len(s.counts) < n; {
		r.Fields(2)
		rec := countRecord{cond: readCondition(r, rs, last)}
		rec.n = uint32(r.Count(math.MaxUint32))
		if r.err != nil {
			return
		}
		if _, ok := rs.conds[rec.cond].leaf.(*countLeaf); !ok {
			r.Fail("a counter for another kind of condition")
			return
		}
		last = int(rec.cond)
		s.counts = append(s.counts, rec)
	}
}

func (s *State) readWindows(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	s.windows = make([]windowRecord, 0, n)
	for last := -1; len(s.windows) < n; {
		r.Fields(4)
		rec := windowRecord{cond: readCondition(r, rs, last), more: r.Bool(), lost: r.Bool()}
		kept := r.List()
		if r.err != nil {
			return
		}
		l, ok := rs.conds[rec.cond].leaf.(*windowLeaf)
		if !ok || kept > l.keep {
			r.Fail("a window for another kind of condition, or too long")
			return
		}
		offset := len(s.times)
		for i, at := 0, int64(0); i < kept; i++ {
			step := r.Int()
			at += step
			if i > 0 && step < 0 || at < 0 || at > timestampMax {
				r.Fail("occurrences out of order or range")
				return
			}
			s.times = append(s.times, at)
		}
		rec.n = uint16(kept)
		rec.next = l.nextFlip(s.times[offset:])
		last = int(rec.cond)
		s.windows = append(s.windows, rec)
	}
}

// readDecision reads the name of a decision, which must be after the last.
func readDecision(r *SnapshotReader, rs *RuleSet, last int) decisionIndex {
	name := r.Text()
	d, ok := rs.decisionByName[name]
	if r.err == nil && (!ok || int(d) <= last) {
		r.Fail("%q is unknown or out of order", name)
	}
	return d
}

func (s *State) readMembers(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	s.members = make([]memberRecord, 0, n)
	for last := -1; len(s.members) < n; {
		r.Fields(5)
		rec := memberRecord{decision: readDecision(r, rs, last)}
		rec.raw, rec.member = r.Bool(), r.Bool()
		rec.since, rec.wake = r.Int(), r.Int()
		if r.err != nil {
			return
		}
		last = int(rec.decision)
		s.members = append(s.members, rec)
	}
}

func (s *State) readLives(r *SnapshotReader, rs *RuleSet) {
	n := r.List()
	if n > 0 {
		s.lives = make([]lifeRecord, 0, n)
	}
	for last := -1; len(s.lives) < n; {
		r.Fields(6)
		rec := lifeRecord{decision: readDecision(r, rs, last)}
		rec.entries, rec.exited = uint32(r.Count(math.MaxUint32)), r.Bool()
		rec.turned, rec.exitAt, rec.period = r.Int(), r.Int(), r.Int()
		if r.err == nil && rs.decisions[rec.decision].audience.Definition == nil {
			r.Fail("a lifecycle for something that is no audience")
		}
		if r.err != nil {
			return
		}
		last = int(rec.decision)
		s.lives = append(s.lives, rec)
	}
}
