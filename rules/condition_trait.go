package rules

import "strings"

// traitLeaf compares a trait. It keeps nothing: the traits are at hand. Its
// truth changes with the traits, and by time if it compares with a date.
type traitLeaf struct {
	path    string
	name    string   // the top-level trait
	rest    []string // the way from there
	compare comparison
}

func newTraitLeaf(path string, compare comparison) *traitLeaf {
	parts := strings.Split(path, ".")
	return &traitLeaf{path: path, name: parts[0], rest: parts[1:], compare: compare}
}

func (l *traitLeaf) value(ts Traits) value { return lookup(ts.value(l.name), l.rest) }

func (l *traitLeaf) holds(e *Evaluator, _ condIndex) bool {
	v := l.value(e.state.Traits)
	return l.compare.holds(&v, e.now)
}

func (l *traitLeaf) changes(e *Evaluator, _ condIndex) int64 {
	v := l.value(e.state.Traits)
	return l.compare.changes(&v, e.now)
}

func (l *traitLeaf) observed(e *Evaluator, _ condIndex) observation {
	v := l.value(e.state.Traits)
	return observation{value: v.plain()}
}

func (l *traitLeaf) timed() bool { return l.compare.timed() }

// traitIndex finds the trait conditions that a change of traits can flip: by
// path, then by the value before and the value after.
type traitIndex struct {
	byName map[string][]*traitPath // by the top-level trait
}

// traitPath is the conditions that read one path.
type traitPath struct {
	leaf  *traitLeaf // any of them, for the way to the value
	plain []condIndex
	keyed valueIndex[condIndex]
}

func newTraitIndex(conds []condition) *traitIndex {
	ix := &traitIndex{byName: make(map[string][]*traitPath)}
	byPath := make(map[string]*traitPath)
	for i := range conds {
		l, ok := conds[i].leaf.(*traitLeaf)
		if !ok {
			continue
		}
		p := byPath[l.path]
		if p == nil {
			p = &traitPath{leaf: l}
			byPath[l.path] = p
			ix.byName[l.name] = append(ix.byName[l.name], p)
		}
		if keys := l.compare.keys(); len(keys) > 0 && !l.timed() {
			p.keyed.add(keys, condIndex(i))
		} else {
			p.plain = append(p.plain, condIndex(i))
		}
	}
	return ix
}

// changed marks what the change of one top-level trait can flip. Conditions
// with dates are decided anew even if their truth stays, since it may now
// change at another time.
func (ix *traitIndex) changed(e *Evaluator, name string, before, after Traits) {
	for _, p := range ix.byName[name] {
		old, now := p.leaf.value(before), p.leaf.value(after)
		if old.equal(&now, caseExact) {
			continue
		}
		e.compareTraits(p.plain, &old, &now)
		e.compareTraits(p.keyed.find(&old), &old, &now)
		e.compareTraits(p.keyed.find(&now), &old, &now)
	}
}

func (e *Evaluator) compareTraits(conds []condIndex, old, now *value) {
	for _, c := range conds {
		l := e.set.conds[c].leaf.(*traitLeaf)
		if l.timed() || l.compare.holds(old, e.now) != l.compare.holds(now, e.now) {
			e.flipped(c)
		}
	}
}
