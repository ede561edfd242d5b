package rules

import (
	"cmp"
	"slices"
)

// ruleDiff is what changes for every key when one rule set follows another.
type ruleDiff struct {
	from, to  *RuleSet
	conds     []int32 // by old index: the new index, -1 when it is gone
	decisions []int32
	context   []int32
	// anew are the decisions to look at for every key: those whose meaning or
	// lifecycle is not what it was.
	anew []decisionIndex
	// shadowed says of audiences whose status changed between active and
	// shadow what it was.
	shadowed map[decisionIndex]bool
	// deleted are the audiences that a key may have to leave, of that key, in
	// order.
	deleted []Versioned
}

// Replace puts another rule set in force. Conditions that say the same as one
// before keep what they have counted, others start from now; everything whose
// meaning changed is decided anew.
func (e *Evaluator) Replace(rs *RuleSet) {
	if e.diff == nil || e.diff.from != e.set || e.diff.to != rs {
		e.diff = newRuleDiff(e.set, rs)
	}
	diff := e.diff
	e.settleLives(diff)
	diff.deleted = diff.deleted[:0]
	e.leavers(diff)
	e.remap(diff)
	e.use(rs)
	e.replaced = diff
	if !e.state.known {
		return
	}
	for _, d := range diff.anew {
		e.mark(d)
	}
}

// settleLives forgets what the lifecycles need no longer, so that it does not
// depend on when they were last looked at: exits whose cooldown is over, and
// entries counted per another period.
func (e *Evaluator) settleLives(diff *ruleDiff) {
	for i := range e.state.lives {
		life := &e.state.lives[i]
		old := e.set.decisions[life.decision].audience
		if life.exited && later(life.exitAt, old.Cooldown) <= e.now {
			life.exited, life.exitAt = false, 0
		}
		to := diff.decisions[life.decision]
		if to < 0 {
			continue
		}
		now := diff.to.decisions[to].audience
		if old.MaxEntries == nil || now.MaxEntries == nil || old.MaxEntries.Per != now.MaxEntries.Per {
			life.period, life.entries = 0, 0
		}
	}
}

// leavers collects the deleted audiences of which the key is a member.
func (e *Evaluator) leavers(diff *ruleDiff) {
	for _, rec := range e.state.members {
		dec := &e.set.decisions[rec.decision]
		if rec.member && diff.decisions[rec.decision] < 0 && dec.audience.Definition != nil {
			diff.deleted = append(diff.deleted, dec.audience)
		}
	}
	slices.SortFunc(diff.deleted, func(a, b Versioned) int { return cmp.Compare(a.Audience, b.Audience) })
}

// leaveDeleted announces the exits from deleted audiences whose turn it is.
func (e *Evaluator) leaveDeleted(due func(AudienceKey) bool) {
	for e.replaced != nil && len(e.replaced.deleted) > 0 && due(e.replaced.deleted[0].Audience) {
		gone := e.replaced.deleted[0]
		e.replaced.deleted = e.replaced.deleted[1:]
		e.changes = append(e.changes, Change{
			Audience: gone, Kind: Exited, Shadow: gone.Status == Shadow, gone: true,
		})
	}
}

// remap renumbers the state's records and drops those without a successor.
func (e *Evaluator) remap(diff *ruleDiff) {
	st := e.state
	st.counts = remap(st.counts, func(r *countRecord) bool { return renumber(&r.cond, diff.conds) })
	slices.SortFunc(st.counts, func(a, b countRecord) int { return cmp.Compare(a.cond, b.cond) })
	e.remapWindows(diff)
	e.remapContext(diff)
	st.aggregates = remap(st.aggregates, func(r *aggregateRecord) bool { return renumber(&r.cond, diff.conds) })
	st.sequences = remap(st.sequences, func(r *sequenceRecord) bool { return renumber(&r.cond, diff.conds) })
	st.members = remap(st.members, func(r *memberRecord) bool { return renumber(&r.decision, diff.decisions) })
	slices.SortFunc(st.members, func(a, b memberRecord) int { return cmp.Compare(a.decision, b.decision) })
	st.lives = remap(st.lives, func(r *lifeRecord) bool { return renumber(&r.decision, diff.decisions) })
	slices.SortFunc(st.lives, func(a, b lifeRecord) int { return cmp.Compare(a.decision, b.decision) })
}

// remapContext keeps the values of paths that are still read.
func (e *Evaluator) remapContext(diff *ruleDiff) {
	e.state.context = remap(e.state.context, func(r *contextRecord) bool {
		to := diff.context[r.path]
		r.path = int(max(to, 0))
		return to >= 0
	})
}

// remapWindows moves the occurrences along with their records. Conditions
// are numbered by their ids in every rule set, so the order stays.
func (e *Evaluator) remapWindows(diff *ruleDiff) {
	st := e.state
	windows, times, offset := st.windows[:0], st.times[:0], 0
	for _, rec := range st.windows {
		own := st.times[offset : offset+int(rec.n)]
		offset += int(rec.n)
		if renumber(&rec.cond, diff.conds) {
			windows, times = append(windows, rec), append(times, own...)
		}
	}
	st.windows, st.times = windows, times
}

func remap[T any](records []T, kept func(*T) bool) []T {
	out := records[:0]
	for _, r := range records {
		if kept(&r) {
			out = append(out, r)
		}
	}
	clear(records[len(out):]) // what a record holds must not be held twice
	return out
}

func renumber[I ~uint32](i *I, to []int32) bool {
	n := to[*i]
	*i = I(max(n, 0))
	return n >= 0
}

func newRuleDiff(from, to *RuleSet) *ruleDiff {
	diff := &ruleDiff{from: from, to: to, shadowed: make(map[decisionIndex]bool)}
	diff.conds = make([]int32, len(from.conds))
	for i := range from.conds {
		diff.conds[i] = -1
		if at, ok := to.condition(from.conds[i].id); ok {
			diff.conds[i] = int32(at)
		}
	}
	diff.context = make([]int32, len(from.context))
	for i := range from.context {
		diff.context[i] = int32(slices.IndexFunc(to.context, func(p contextPath) bool { return p.path == from.context[i].path }))
	}
	diff.decisions = make([]int32, len(from.decisions))
	same := make([]bool, len(to.decisions))
	for i := range from.decisions {
		old := &from.decisions[i]
		at, ok := to.decisionByName[old.name]
		if !ok {
			diff.decisions[i] = -1
			continue
		}
		diff.decisions[i] = int32(at)
		now := &to.decisions[at]
		same[at] = old.meaning == now.meaning
		if old.audience.Definition != nil && (old.audience.Status == Shadow) != (now.audience.Status == Shadow) {
			diff.shadowed[at] = old.audience.Status == Shadow
		}
	}
	for i, kept := range same {
		if !kept {
			diff.anew = append(diff.anew, decisionIndex(i))
		}
	}
	return diff
}
