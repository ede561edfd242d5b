package rules

import (
	"cmp"
	"math"
	"slices"
)

// sessionProperty is one of the closed list of what session: may name.
type sessionProperty uint8

const (
	sessionEvents sessionProperty = iota
	sessionPages
	sessionNumber
	sessionDuration
	sessionIdle
	sessionIDProperty
	sessionEntry // the entry at sessionEntry + i is the i-th of entryPaths
)

// entryPath says from where in the event that began the session a property of
// it comes: the first of the paths that has a value.
type entryPath struct {
	property string
	paths    []string
	ofPage   []string // of a page call, instead of paths
}

func entryPaths() []entryPath {
	return []entryPath{
		{"entry.page", []string{"context.page.path", "context.page.url"}, []string{"path", "url"}},
		{"entry.referrer", []string{"context.page.referrer"}, []string{"referrer"}},
		{"campaign.source", []string{"context.campaign.source"}, nil},
		{"campaign.medium", []string{"context.campaign.medium"}, nil},
		{"campaign.name", []string{"context.campaign.name"}, nil},
		{"campaign.term", []string{"context.campaign.term"}, nil},
		{"campaign.content", []string{"context.campaign.content"}, nil},
		{"device.type", []string{"context.device.type"}, nil},
	}
}

func sessionPropertyOf(name string) (sessionProperty, bool) {
	plain := []string{"events", "pages", "number", "duration", "idle", "id"}
	if i := slices.Index(plain, name); i >= 0 {
		return sessionProperty(i), true
	}
	i := slices.IndexFunc(entryPaths(), func(p entryPath) bool { return p.property == name })
	return sessionEntry + sessionProperty(i), i >= 0
}

// sessionLeaf compares a property of the open session. It keeps nothing:
// duration and idle change by time at instants that are known from the
// session's start and last activity, for all keys alike.
type sessionLeaf struct {
	property sessionProperty
	compare  comparison
	points   []int64 // where a numeric property changes the truth, ascending
}

func newSessionLeaf(property sessionProperty, compare comparison) *sessionLeaf {
	l := &sessionLeaf{property: property, compare: compare}
	if property > sessionIdle {
		return l
	}
	for i := range compare {
		p := &compare[i]
		for _, v := range append(slices.Clone(p.list), p.operand) {
			if v.kind == numberValue && math.Abs(v.number) < 1<<52 {
				l.points = append(l.points, int64(math.Ceil(v.number)), int64(math.Floor(v.number))+1)
			}
		}
	}
	slices.Sort(l.points)
	l.points = slices.DeleteFunc(slices.Compact(l.points), func(p int64) bool { return l.at(p-1) == l.at(p) })
	return l
}

// at is the truth for a value of a numeric property.
func (l *sessionLeaf) at(n int64) bool {
	v := value{kind: numberValue, number: float64(n)}
	return l.compare.holds(&v, 0)
}

func (l *sessionLeaf) value(e *Evaluator) value {
	v := &e.state.Visit
	if !v.Open {
		return value{}
	}
	switch l.property {
	case sessionEvents:
		return valueOf(int64(v.Events))
	case sessionPages:
		return valueOf(int64(v.Pages))
	case sessionNumber:
		return valueOf(int64(v.Number))
	case sessionDuration:
		return valueOf(e.now - v.Start)
	case sessionIdle:
		return valueOf(e.now - v.Last)
	case sessionIDProperty:
		return valueOf(v.SessionID())
	default:
		return v.entry(int(l.property - sessionEntry))
	}
}

func (v *Visit) entry(i int) value {
	for _, en := range v.Entry {
		if en.property == i {
			return valueOf(en.value)
		}
	}
	return value{}
}

// holds is false for every operator, exists included, while no session is
// open.
func (l *sessionLeaf) holds(e *Evaluator, _ condIndex) bool {
	v := l.value(e)
	return e.state.Visit.Open && l.compare.holds(&v, e.now)
}

func (l *sessionLeaf) changes(e *Evaluator, c condIndex) int64 {
	next := Never
	if l.holds(e, c) {
		next = e.sessionEnd()
	}
	if from, ok := l.runsFrom(&e.state.Visit); ok {
		next = min(next, nextPoint(l.points, from, e.now))
	}
	return next
}

// runsFrom returns from when on a property runs with time.
func (l *sessionLeaf) runsFrom(v *Visit) (int64, bool) {
	switch {
	case !v.Open:
		return 0, false
	case l.property == sessionDuration:
		return v.Start, true
	case l.property == sessionIdle:
		return v.Last, true
	default:
		return 0, false
	}
}

// nextPoint returns the first from + point after now.
func nextPoint(points []int64, from, now int64) int64 {
	i, _ := slices.BinarySearch(points, now-from+1)
	if i == len(points) {
		return Never
	}
	return from + points[i]
}

func (l *sessionLeaf) observed(e *Evaluator, _ condIndex) observation {
	v := l.value(e)
	if _, runs := l.runsFrom(&e.state.Visit); runs {
		return observation{value: Millis(int64(v.number)).String()}
	}
	return observation{value: v.plain()}
}

// sessionIndex finds the session conditions that a change of the session can
// flip.
type sessionIndex struct {
	all    []condIndex
	id     []condIndex
	steps  [sessionIdle + 1][]sessionStep // by point
	points [sessionIdle + 1][]int64       // the distinct points
	reads  []entryRead
}

// sessionStep is a condition and a value of its property from which on its
// truth is another.
type sessionStep struct {
	point int64
	cond  condIndex
}

// entryRead is a property of the session's entry that some rule reads.
type entryRead struct {
	property int
	ofPage   []*pathNode
	nodes    []*pathNode
}

func newSessionIndex(conds []condition) *sessionIndex {
	ix := &sessionIndex{}
	for i := range conds {
		l, ok := conds[i].leaf.(*sessionLeaf)
		if !ok {
			continue
		}
		ix.all = append(ix.all, condIndex(i))
		if l.property == sessionIDProperty {
			ix.id = append(ix.id, condIndex(i))
		}
		for _, p := range l.points {
			ix.steps[l.property] = append(ix.steps[l.property], sessionStep{p, condIndex(i)})
			ix.points[l.property] = append(ix.points[l.property], p)
		}
	}
	for p := range ix.steps {
		slices.SortFunc(ix.steps[p], func(a, b sessionStep) int { return cmp.Compare(a.point, b.point) })
		slices.Sort(ix.points[p])
		ix.points[p] = slices.Compact(ix.points[p])
	}
	return ix
}

// between marks the conditions that a property passes on its way from one
// value, exclusive, to another, inclusive.
func (ix *sessionIndex) between(e *Evaluator, p sessionProperty, from, to int64) {
	steps := ix.steps[p]
	i, _ := slices.BinarySearchFunc(steps, from+1, func(s sessionStep, n int64) int { return cmp.Compare(s.point, n) })
	for ; i < len(steps) && steps[i].point <= to; i++ {
		e.flipped(steps[i].cond)
	}
}

// deadline is the next instant at which duration or idle pass a point.
func (ix *sessionIndex) deadline(v *Visit, now int64) int64 {
	if !v.Open {
		return Never
	}
	return min(nextPoint(ix.points[sessionDuration], v.Start, now), nextPoint(ix.points[sessionIdle], v.Last, now))
}

// opened marks every session condition that is true: when a session begins,
// or is about to end.
func (ix *sessionIndex) opened(e *Evaluator) {
	for _, c := range ix.all {
		if e.set.conds[c].leaf.holds(e, c) {
			e.flipped(c)
		}
	}
}

// take keeps what the event that began the session says of its entry.
func (ix *sessionIndex) take(e *Evaluator, call CallType) {
	for _, r := range ix.reads {
		nodes := r.nodes
		if call == Page {
			nodes = r.ofPage
		}
		for _, n := range nodes {
			if v := e.eventValue(n.slot); v.kind != missingValue {
				e.state.Visit.Entry = append(e.state.Visit.Entry, entryRecord{r.property, clonePlain(v.plain())})
				break
			}
		}
	}
}

// entryRecord is a property of the open session's entry.
type entryRecord struct {
	property int // in entryPaths
	value    any
}
