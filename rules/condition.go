package rules

import "slices"

// condition is one distinct leaf condition of a rule set, shared by all
// audiences that name it.
type condition struct {
	id      uint64 // hash of text; stable across rule sets
	text    string // canonical: equal texts mean the same
	label   string // for a person
	needs   string // for a person
	leaf    leaf
	targets []decisionIndex // what is decided anew when the truth flips
}

// leaf is a kind of condition. It has, in the state of a key, at most one
// record; what it says of a key without one is what it says of a key of which
// nothing is known.
type leaf interface {
	// holds reports the truth at e.now.
	holds(e *Evaluator, c condIndex) bool
	// changes returns a lower bound of the instants after e.now at which
	// time alone changes the truth, the end of the session included.
	changes(e *Evaluator, c condIndex) int64
	// observed returns what is compared, for a person.
	observed(e *Evaluator, c condIndex) observation
}

// countingLeaf is a leaf that matching events feed.
type countingLeaf interface {
	leaf
	// feed counts the event at hand.
	feed(e *Evaluator, c condIndex)
	// reset forgets what was counted, at an event that since selects.
	reset(e *Evaluator, c condIndex)
}

// timedLeaf is a leaf whose truth changes by time without a record of its
// own to say when; a decision over it keeps a wake.
type timedLeaf interface {
	leaf
	timed() bool
}

// observation is what a condition compares, for a person.
type observation struct {
	value   any
	inexact bool
}

// nodeKind is the kind of a [node].
type nodeKind uint8

const (
	leafNode nodeKind = iota
	notNode
	atLeastNode
)

// node is the compiled form of when: all is at_least len, any is at_least 1,
// none is not any.
type node struct {
	kind nodeKind
	need int // atLeastNode
	cond condIndex
	kids []node
}

// holds reports the truth at e.now.
func (n *node) holds(e *Evaluator) bool {
	switch n.kind {
	case leafNode:
		return e.set.conds[n.cond].leaf.holds(e, n.cond)
	case notNode:
		return !n.kids[0].holds(e)
	}
	missing := n.need
	for i := range n.kids {
		if missing > len(n.kids)-i {
			return false
		}
		if n.kids[i].holds(e) {
			if missing--; missing <= 0 {
				return true
			}
		}
	}
	return missing <= 0
}

// changes returns the truth and a lower bound of the instants at which time
// alone changes it. A group that is true with k true members turns false only
// when k - need + 1 of them do; one that is false, only when need - k of the
// others turn true.
func (n *node) changes(e *Evaluator) (holds bool, next int64) {
	switch n.kind {
	case leafNode:
		l := e.set.conds[n.cond].leaf
		return l.holds(e, n.cond), l.changes(e, n.cond)
	case notNode:
		holds, next = n.kids[0].changes(e)
		return !holds, next
	}
	var buf [8]int64
	whenTrue, whenFalse := buf[:0:4], buf[4:4]
	for i := range n.kids {
		kid, at := n.kids[i].changes(e)
		if kid {
			whenTrue = append(whenTrue, at)
		} else {
			whenFalse = append(whenFalse, at)
		}
	}
	if k := len(whenTrue); k >= n.need {
		return true, nth(whenTrue, k-n.need+1)
	}
	return false, nth(whenFalse, n.need-len(whenTrue))
}

// nth returns the n-th smallest instant, counting from 1; Never if there are
// fewer.
func nth(at []int64, n int) int64 {
	if n > len(at) {
		return Never
	}
	slices.Sort(at)
	return at[n-1]
}

// timed reports whether the tree's truth may change by time without a
// record of a condition saying when.
func (n *node) timed(conds []condition) bool {
	if n.kind == leafNode {
		t, ok := conds[n.cond].leaf.(timedLeaf)
		return ok && t.timed()
	}
	return slices.ContainsFunc(n.kids, func(k node) bool { return k.timed(conds) })
}

// leaves calls f with every leaf, in the order in which they were written.
func (n *node) leaves(f func(condIndex)) {
	if n.kind == leafNode {
		f(n.cond)
	}
	for i := range n.kids {
		n.kids[i].leaves(f)
	}
}

// later adds a span to an instant; Never stays.
func later(at int64, by Millis) int64 {
	if at > Never-int64(by) {
		return Never
	}
	return at + int64(by)
}
