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

func (l *traitLeaf) comparison() comparison { return l.compare }

// traitIndex finds the trait conditions that a change of traits can flip.
type traitIndex struct {
	byName map[string][]*traitPath // by the top-level trait
}

// traitPath is the conditions that read one path.
type traitPath struct {
	way *traitLeaf // any of them, for the way to the value
	valuePath
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
			p = &traitPath{way: l}
			byPath[l.path] = p
			ix.byName[l.name] = append(ix.byName[l.name], p)
		}
		p.add(condIndex(i), l)
	}
	return ix
}

// changed marks what the change of one top-level trait can flip.
func (ix *traitIndex) changed(e *Evaluator, name string, before, after Traits) {
	for _, p := range ix.byName[name] {
		old, now := p.way.value(before), p.way.value(after)
		p.changed(e, &old, &now)
	}
}
