package rules

// valueLeaf is a leaf that compares a value which messages set.
type valueLeaf interface {
	timedLeaf
	comparison() comparison
}

// valuePath is the conditions that compare the value at one path: those that
// need one of certain values by value, the others in a list.
type valuePath struct {
	plain []condIndex
	keyed valueIndex[condIndex]
}

func (p *valuePath) add(c condIndex, l valueLeaf) {
	if keys := l.comparison().keys(); len(keys) > 0 && !l.timed() {
		p.keyed.add(keys, c)
	} else {
		p.plain = append(p.plain, c)
	}
}

// changed marks what a change of the value can flip. Conditions with dates
// are decided anew even if their truth stays, since it may now change at
// another time.
func (p *valuePath) changed(e *Evaluator, before, after *value) {
	if before.kind == missingValue && after.kind == missingValue || before.equal(after, caseExact) {
		return
	}
	e.compare(p.plain, before, after)
	e.compare(p.keyed.find(before), before, after)
	e.compare(p.keyed.find(after), before, after)
}

func (e *Evaluator) compare(conds []condIndex, before, after *value) {
	for _, c := range conds {
		l := e.set.conds[c].leaf.(valueLeaf)
		if l.timed() || l.comparison().holds(before, e.now) != l.comparison().holds(after, e.now) {
			e.flipped(c)
		}
	}
}
