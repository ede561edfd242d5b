package rules

import "slices"

// decision is what is decided once per evaluation and key: an audience, or a
// held condition. Decisions are numbered so that each comes after those it
// refers to.
type decision struct {
	name     string    // unique: the audience key, or what is held
	meaning  string    // equal meanings decide the same from the same state
	audience Versioned // Definition is nil for a held condition
	held     Millis    // of a held condition
	root     node
	timed    bool            // the root's truth may change without a record saying so
	targets  []decisionIndex // what refers to it
	// sofar is the greatest audience key up to this decision: deleted
	// audiences with a smaller key leave before it.
	sofar AudienceKey
}

func (d *decision) paused() bool { return d.audience.Definition != nil && d.audience.Status == Paused }

func (d *decision) exitsWithSession() bool {
	return d.audience.Definition != nil && d.audience.OnSessionEnd == ExitOnSessionEnd
}

// waitsForSession reports whether the next session may let a blocked entry
// through.
func (d *decision) waitsForSession() bool {
	a := d.audience.Definition
	return a != nil && (a.OnSessionEnd == ExitOnSessionEnd || a.MaxEntries != nil && a.MaxEntries.Per == PerSession)
}

// Change is one membership that an evaluation changed.
type Change struct {
	Audience Versioned
	Kind     TransitionKind
	Shadow   bool
	// RawChanged says that the truth of when changed, not only what the
	// lifecycle made of it.
	RawChanged bool
	decision   decisionIndex
	gone       bool // the audience is not in the rule set any more
}

// Evaluate decides everything that may have changed, each decision once and
// after those it refers to, and returns the memberships that did, in that
// order. They are valid until the next evaluation.
func (e *Evaluator) Evaluate() []Change {
	e.changes = e.changes[:0]
	for len(e.queue) > 0 {
		d := e.next()
		if e.set.decisions[d].audience.Definition == nil {
			e.decideHeld(d)
		} else {
			e.decideAudience(d)
		}
	}
	e.leaveDeleted(func(AudienceKey) bool { return true })
	e.replaced, e.sessionEnded = nil, false
	return e.changes
}

// record returns the decision's record, a new one if it has none.
func (e *Evaluator) record(d decisionIndex) memberRecord {
	if i, ok := searchMember(e.state.members, d); ok {
		return e.state.members[i]
	}
	return memberRecord{decision: d, since: e.now}
}

// keep stores a record, or removes it when it says what having none says.
func (e *Evaluator) keep(rec memberRecord) {
	st := e.state
	i, ok := searchMember(st.members, rec.decision)
	idle := !rec.raw && !rec.member && rec.wake == Never
	switch {
	case ok && idle:
		st.members = slices.Delete(st.members, i, i+1)
	case ok:
		st.members[i] = rec
	case !idle:
		st.members = slices.Insert(st.members, i, rec)
	}
}

func (e *Evaluator) decideHeld(d decisionIndex) {
	dec := &e.set.decisions[d]
	was := e.record(d)
	rec := was
	rec.raw, rec.wake = e.truth(dec)
	if rec.raw && !was.raw {
		rec.since = e.now
	}
	complete := later(rec.since, dec.held)
	rec.member = rec.raw && complete <= e.now
	if rec.raw && !rec.member {
		rec.wake = min(rec.wake, complete)
	}
	e.keep(rec)
	if rec.member != was.member {
		e.markAll(dec.targets)
	}
}

// truth returns the truth of a decision's root and, if it may change without
// a record saying so, when to look again.
func (e *Evaluator) truth(dec *decision) (raw bool, wake int64) {
	if dec.timed {
		return dec.root.changes(e)
	}
	return dec.root.holds(e), Never
}

func (e *Evaluator) markAll(ds []decisionIndex) {
	for _, d := range ds {
		e.mark(d)
	}
}

func (e *Evaluator) decideAudience(d decisionIndex) {
	dec := &e.set.decisions[d]
	was := e.record(d)
	rec := was
	rec.raw, rec.wake = false, Never
	if !dec.paused() {
		rec.raw, rec.wake = e.truth(dec)
	}
	life := e.life(d, rec.raw != was.raw)
	due := Never
	if was.member {
		rec.member, due = e.stay(dec, rec, life)
	} else if rec.raw {
		rec.member, due = e.admit(dec, &life)
	}
	rec.wake = min(rec.wake, due)
	if rec.member != was.member {
		rec.since = e.now
	}
	if was.member && !rec.member {
		life.exited, life.exitAt = true, e.now
	}
	e.keep(rec)
	e.keepLife(dec, rec, life)
	e.announce(d, was, rec)
	if rec.member != was.member {
		e.markAll(dec.targets)
	}
}

// stay decides whether a member remains one, and when to look again.
func (e *Evaluator) stay(dec *decision, rec memberRecord, life lifeRecord) (member bool, due int64) {
	if dec.paused() || e.sessionEnded && dec.exitsWithSession() {
		return false, Never
	}
	if rec.raw {
		return true, Never
	}
	end := later(life.turned, dec.audience.Linger)
	return e.now < end, liveDue(e.now, end)
}

func liveDue(now, due int64) int64 {
	if due <= now {
		return Never
	}
	return due
}

// admit decides whether one of whom when is true enters, and if not, when to
// look again: at the latest of what blocks the entry.
func (e *Evaluator) admit(dec *decision, life *lifeRecord) (member bool, due int64) {
	a := dec.audience.Definition
	due = later(life.turned, a.HoldFor)
	if life.exited {
		due = max(due, later(life.exitAt, a.Cooldown))
	}
	if a.OnSessionEnd == ExitOnSessionEnd && !e.state.Visit.Open {
		return false, Never // until the next session begins
	}
	if a.MaxEntries != nil {
		period, next := e.period(a.MaxEntries.Per)
		if life.period != period {
			life.period, life.entries = period, 0
		}
		if int(life.entries) >= a.MaxEntries.Count {
			due = max(due, next)
		}
	}
	if due > e.now {
		return false, due
	}
	if a.MaxEntries != nil {
		life.entries++
	}
	return true, Never
}

const dayMillis = 24 * 60 * 60 * 1000

// period returns which period max_entries counts in now, and when by time
// alone the next one begins.
func (e *Evaluator) period(per EntryPeriod) (period, next int64) {
	switch per {
	case PerSession:
		return int64(e.state.Visit.Number), Never
	case PerDay:
		day := e.now / dayMillis
		return day, (day + 1) * dayMillis
	default:
		return 0, Never
	}
}

// life returns what the lifecycle remembers of a decision.
func (e *Evaluator) life(d decisionIndex, turned bool) lifeRecord {
	i, ok := searchLife(e.state.lives, d)
	if !ok {
		return lifeRecord{decision: d, turned: e.now}
	}
	life := e.state.lives[i]
	if turned || life.turned == 0 { // 0: it was not needed until now
		life.turned = e.now
	}
	return life
}

// keepLife stores what the lifecycle still needs, or removes it.
func (e *Evaluator) keepLife(dec *decision, rec memberRecord, life lifeRecord) {
	a := dec.audience.Definition
	waits := rec.raw && a.HoldFor > 0 || rec.member && !rec.raw
	cools := life.exited && later(life.exitAt, a.Cooldown) > e.now
	counts := life.entries > 0 && a.MaxEntries != nil
	life.exited = cools
	if !cools {
		life.exitAt = 0
	}
	if !waits {
		life.turned = 0
	}
	st := e.state
	i, ok := searchLife(st.lives, rec.decision)
	needed := waits || cools || counts
	switch {
	case ok && needed:
		st.lives[i] = life
	case ok:
		st.lives = slices.Delete(st.lives, i, i+1)
	case needed:
		st.lives = slices.Insert(st.lives, i, life)
	}
}

// announce appends the change of a membership. An audience that became a
// shadow, or ceased to be one, changes the register: its member leaves under
// the one and enters under the other.
func (e *Evaluator) announce(d decisionIndex, was, rec memberRecord) {
	dec := &e.set.decisions[d]
	shadow := dec.audience.Status == Shadow
	before := shadow
	if e.replaced != nil && was.member {
		if old, ok := e.replaced.shadowed[d]; ok {
			before = old
		}
	}
	c := Change{Audience: dec.audience, RawChanged: rec.raw != was.raw, decision: d}
	if was.member && (!rec.member || before != shadow) {
		c.Kind, c.Shadow = Exited, before
		e.append(dec.sofar, c)
	}
	if rec.member && (!was.member || before != shadow) {
		c.Kind, c.Shadow = Entered, shadow
		e.append(dec.sofar, c)
	}
}

// append adds a change behind the deleted audiences that come before it.
func (e *Evaluator) append(sofar AudienceKey, c Change) {
	e.leaveDeleted(func(key AudienceKey) bool { return key < sofar })
	e.changes = append(e.changes, c)
}

// isMember reports what was last decided.
func (e *Evaluator) isMember(d decisionIndex) bool {
	i, ok := searchMember(e.state.members, d)
	return ok && e.state.members[i].member
}

// membershipChanges returns a lower bound of the instants at which time alone
// changes what was decided.
func (e *Evaluator) membershipChanges(d decisionIndex) int64 {
	dec := &e.set.decisions[d]
	if dec.paused() {
		return Never
	}
	rec := e.record(d)
	_, next := dec.root.changes(e)
	if dec.audience.Definition == nil {
		if rec.raw && !rec.member {
			return later(rec.since, dec.held)
		}
		if !rec.raw {
			return later(next, dec.held)
		}
		return next
	}
	switch {
	case rec.member && rec.raw:
		next = later(next, dec.audience.Linger)
	case rec.member:
		next = rec.wake
	case rec.raw:
		return rec.wake // of what blocks the entry
	default:
		return later(next, dec.audience.HoldFor)
	}
	if dec.exitsWithSession() {
		next = min(next, e.sessionEnd())
	}
	return next
}
