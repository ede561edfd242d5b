package rules

// matcher is one distinct way of selecting events, shared by all conditions
// that say the same.
type matcher struct {
	call  CallType
	names []string // empty: any name
	where []slotComparison
	cel   *celTest // nil: none
	// feeds are the conditions that count what this selects, resets those
	// that begin anew when it does (their since).
	feeds, resets []condIndex
}

// slotComparison compares the value at one path of an event.
type slotComparison struct {
	path    *pathNode
	compare comparison
}

func (m *matcher) matches(e *Evaluator, now int64) bool {
	for i := range m.where {
		w := &m.where[i]
		if !w.compare.holds(e.eventValue(w.path.slot), now) {
			return false
		}
	}
	return m.cel == nil || m.cel.holds(&e.cel)
}

// eventIndex finds the matchers that an event could satisfy: by call and
// name, then by the value of a property that must equal something.
type eventIndex struct {
	named [Alias + 1]map[string]*matcherList
	any   [Alias + 1]*matcherList
}

// matcherList is the matchers of one call and name.
type matcherList struct {
	plain []*matcher // no equality to look up
	keyed []matchersByValue
}

// matchersByValue are those that need one of certain values at a path.
type matchersByValue struct {
	path *pathNode
	by   *valueIndex[*matcher]
}

func newEventIndex(matchers []*matcher) *eventIndex {
	ix := &eventIndex{}
	for _, m := range matchers {
		if len(m.names) == 0 {
			if ix.any[m.call] == nil {
				ix.any[m.call] = &matcherList{}
			}
			ix.any[m.call].plain = append(ix.any[m.call].plain, m)
		}
		for _, name := range m.names {
			if ix.named[m.call] == nil {
				ix.named[m.call] = make(map[string]*matcherList)
			}
			list := ix.named[m.call][name]
			if list == nil {
				list = &matcherList{}
				ix.named[m.call][name] = list
			}
			list.plain = append(list.plain, m)
		}
	}
	for call := range ix.named {
		for _, list := range ix.named[call] {
			list.split()
		}
		if ix.any[call] != nil {
			ix.any[call].split()
		}
	}
	return ix
}

// split moves the matchers that require an equality into indexes by value. A
// matcher with several goes by the path that most of the list requires, so
// that few paths have to be looked up.
func (l *matcherList) split() {
	uses := make(map[*pathNode]int)
	for _, m := range l.plain {
		for i := range m.where {
			if len(m.where[i].compare.keys()) > 0 {
				uses[m.where[i].path]++
			}
		}
	}
	rest := l.plain[:0:0]
	indexes := make(map[*pathNode]*valueIndex[*matcher])
	for _, m := range l.plain {
		by := m.indexBy(uses)
		if by == nil {
			rest = append(rest, m)
			continue
		}
		vi := indexes[by.path]
		if vi == nil {
			vi = &valueIndex[*matcher]{}
			indexes[by.path] = vi
			l.keyed = append(l.keyed, matchersByValue{by.path, vi})
		}
		vi.add(by.compare.keys(), m)
	}
	l.plain = rest
}

// indexBy chooses the equality under which the matcher is found; nil if it
// has none.
func (m *matcher) indexBy(uses map[*pathNode]int) *slotComparison {
	var best *slotComparison
	for i := range m.where {
		w := &m.where[i]
		if len(w.compare.keys()) == 0 {
			continue
		}
		if best == nil || uses[w.path] > uses[best.path] {
			best = w
		}
	}
	return best
}

// match appends the matchers that the loaded event satisfies.
func (ix *eventIndex) match(e *Evaluator, ev *Event, now int64, out []*matcher) []*matcher {
	out = ix.any[ev.Call].match(e, now, out)
	if ix.named[ev.Call] != nil {
		out = ix.named[ev.Call][ev.Name].match(e, now, out)
	}
	return out
}

func (l *matcherList) match(e *Evaluator, now int64, out []*matcher) []*matcher {
	if l == nil {
		return out
	}
	out = appendMatching(e, now, l.plain, out)
	for _, k := range l.keyed {
		out = appendMatching(e, now, k.by.find(e.eventValue(k.path.slot)), out)
	}
	return out
}

func appendMatching(e *Evaluator, now int64, candidates, out []*matcher) []*matcher {
	for _, m := range candidates {
		if m.matches(e, now) {
			out = append(out, m)
		}
	}
	return out
}
