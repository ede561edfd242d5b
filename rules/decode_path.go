package rules

import "strings"

// pathNode is one name on the way to a value that some rule reads. The nodes
// beneath one of properties, context and traits form a trie, so that one pass
// over a message finds all of them.
type pathNode struct {
	name   string
	wanted bool  // some rule reads the value at this very path
	slot   int32 // where a wanted value goes, else -1
	// first and end bound the slots of this path and of all beneath it: they
	// are given in depth-first order.
	first, end int32
	kids       []*pathNode
	byName     map[string]int // set when there are more kids than kidsScanMax
}

// kidsScanMax is the number of children up to which comparing one by one is
// faster than a map.
const kidsScanMax = 8

// pathSet is every path that a rule set, or the session machine, reads from
// an event.
type pathSet struct {
	properties, context, traits pathNode
	sessionID, sessionStart     *pathNode
	slots                       int32
}

func newPathSet() *pathSet {
	ps := &pathSet{}
	ps.sessionID = ps.add("context.sessionId")
	ps.sessionStart = ps.add("context.sessionStart")
	return ps
}

// add wants the value at a path of where: it starts at properties, or at
// what "context." or "traits." in front names.
func (ps *pathSet) add(path string) *pathNode {
	node, rest := &ps.properties, path
	if after, ok := strings.CutPrefix(path, "context."); ok {
		node, rest = &ps.context, after
	} else if after, ok := strings.CutPrefix(path, "traits."); ok {
		node, rest = &ps.traits, after
	}
	for name := range strings.SplitSeq(rest, ".") {
		node = node.add(name)
	}
	node.wanted = true
	return node
}

func (n *pathNode) add(name string) *pathNode {
	if i := n.find(name); i >= 0 {
		return n.kids[i]
	}
	k := &pathNode{name: name}
	n.kids = append(n.kids, k)
	if n.byName != nil {
		n.byName[name] = len(n.kids) - 1
	} else if len(n.kids) > kidsScanMax {
		n.byName = make(map[string]int)
		for i, k := range n.kids {
			n.byName[k.name] = i
		}
	}
	return k
}

// find returns the index of the child of that name, -1 if there is none.
func (n *pathNode) find(name string) int {
	if n.byName != nil {
		if i, ok := n.byName[name]; ok {
			return i
		}
		return -1
	}
	for i, k := range n.kids {
		if k.name == name {
			return i
		}
	}
	return -1
}

// number gives every wanted node its slot, once all paths are added.
func (ps *pathSet) number() {
	for _, top := range []*pathNode{&ps.properties, &ps.context, &ps.traits} {
		ps.slots = top.number(ps.slots)
	}
}

func (n *pathNode) number(next int32) int32 {
	n.first, n.slot = next, -1
	if n.wanted {
		n.slot = next
		next++
	}
	for _, k := range n.kids {
		next = k.number(next)
	}
	n.end = next
	return next
}
