package rules

import "slices"

// contextLeaf compares a value of the latest event's context. The state keeps
// the value of each path that some rule reads and that the latest event had,
// once for all conditions; a path that no rule read before is unknown until
// the next event.
type contextLeaf struct {
	path    string
	at      int // in RuleSet.context
	compare comparison
}

func (l *contextLeaf) comparison() comparison { return l.compare }
func (l *contextLeaf) timed() bool            { return l.compare.timed() }

func (l *contextLeaf) holds(e *Evaluator, _ condIndex) bool {
	v := e.state.contextValue(l.at)
	return l.compare.holds(&v, e.now)
}

func (l *contextLeaf) changes(e *Evaluator, _ condIndex) int64 {
	v := e.state.contextValue(l.at)
	return l.compare.changes(&v, e.now)
}

func (l *contextLeaf) observed(e *Evaluator, _ condIndex) observation {
	v := e.state.contextValue(l.at)
	return observation{value: v.plain()}
}

// contextPath is one path of the context that conditions read.
type contextPath struct {
	path string
	node *pathNode
	valuePath
}

// contextRecord is a value that the latest event's context had.
type contextRecord struct {
	path  int // in RuleSet.context
	value any
}

func (s *State) contextValue(path int) value {
	for i := range s.context {
		if s.context[i].path == path {
			return valueOf(s.context[i].value)
		}
	}
	return value{}
}

// takeContext keeps what the event at hand says of every path that is read.
func (e *Evaluator) takeContext() {
	for i := range e.set.context {
		p := &e.set.context[i]
		before, after := e.state.contextValue(i), *e.eventValue(p.node.slot)
		if before.kind == missingValue && after.kind == missingValue || before.equal(&after, caseExact) {
			continue
		}
		e.state.setContext(i, clonePlain(after.plain()))
		p.changed(e, &before, &after)
	}
}

func (s *State) setContext(path int, x any) {
	i, ok := slices.BinarySearchFunc(s.context, path, func(r contextRecord, path int) int { return r.path - path })
	switch {
	case ok && x == nil:
		s.context = slices.Delete(s.context, i, i+1)
	case ok:
		s.context[i].value = x
	case x != nil:
		s.context = slices.Insert(s.context, i, contextRecord{path, x})
	}
}
