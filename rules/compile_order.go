package rules

import (
	"fmt"
	"strings"
)

// decide puts audiences and held conditions into the order of evaluation:
// repeatedly the audience with the smallest key whose references have all
// been evaluated, and before each the held conditions it is the first to
// need.
func (c *compiler) decide(defs []Versioned, trees map[AudienceKey]*tree) {
	waits := make(map[AudienceKey]int)
	waiting := make(map[AudienceKey][]AudienceKey)
	for _, d := range defs {
		refs := make(map[AudienceKey]bool)
		references(trees[d.Audience], refs)
		waits[d.Audience] = len(refs)
		for ref := range refs {
			waiting[ref] = append(waiting[ref], d.Audience)
		}
	}
	ready := make(keyHeap, 0, len(defs))
	for _, d := range defs {
		if waits[d.Audience] == 0 {
			ready.push(d.Audience)
		}
	}
	var sofar AudienceKey
	for len(ready) > 0 {
		key := ready.pop()
		sofar = max(sofar, key)
		c.decideAudience(key, sofar, trees[key])
		for _, next := range waiting[key] {
			if waits[next]--; waits[next] == 0 {
				ready.push(next)
			}
		}
	}
}

// references collects the audiences that a tree refers to. [CheckSet] has made
// sure that they exist and that no circle is among them.
func references(t *tree, refs map[AudienceKey]bool) {
	if t.draft != nil && t.draft.refers != "" {
		refs[t.draft.refers] = true
	}
	if t.draft != nil && t.draft.held != nil {
		references(t.draft.held.tree, refs)
	}
	for _, k := range t.kids {
		references(k, refs)
	}
}

func (c *compiler) decideAudience(key AudienceKey, sofar AudienceKey, t *tree) {
	d := c.rs.defs[key]
	at := c.decision(decision{name: string(key), meaning: meaning(d.Definition), audience: d, sofar: sofar}, t)
	if d.Everyone {
		c.rs.first = append(c.rs.first, at)
	}
}

// decision numbers a decision and ties it to the conditions that can change
// it.
func (c *compiler) decision(d decision, t *tree) decisionIndex {
	d.root = c.node(t)
	d.timed = d.root.timed(c.rs.conds)
	at := decisionIndex(len(c.rs.decisions))
	c.rs.decisions = append(c.rs.decisions, d)
	c.rs.decisionByName[d.name] = at
	d.root.leaves(func(i condIndex) {
		cond := &c.rs.conds[i]
		switch l := cond.leaf.(type) {
		case *membershipLeaf:
			c.target(l.decision, at)
		case *heldLeaf:
			c.target(l.decision, at)
		default:
			cond.targets = appendOnce(cond.targets, at)
		}
	})
	return at
}

func (c *compiler) target(of, at decisionIndex) {
	d := &c.rs.decisions[of]
	d.targets = appendOnce(d.targets, at)
}

// appendOnce appends a decision unless it is the last one already: decisions
// come in order.
func appendOnce(ds []decisionIndex, d decisionIndex) []decisionIndex {
	if n := len(ds); n > 0 && ds[n-1] == d {
		return ds
	}
	return append(ds, d)
}

// node gives a tree its final form. What it refers to has been decided; a
// held condition is decided here, at its first use.
func (c *compiler) node(t *tree) node {
	n := node{kind: t.kind, need: t.need}
	if t.kind == leafNode {
		at, _ := c.rs.condition(t.draft.id)
		n.cond = at
		switch l := c.rs.conds[at].leaf.(type) {
		case *membershipLeaf:
			l.decision = c.rs.decisionByName[string(l.audience)]
		case *heldLeaf:
			l.decision = c.heldDecision(t.draft.held)
		}
	}
	for _, k := range t.kids {
		n.kids = append(n.kids, c.node(k))
	}
	return n
}

func (c *compiler) heldDecision(h *heldDraft) decisionIndex {
	if at, ok := c.rs.decisionByName[h.name]; ok {
		return at
	}
	d := decision{name: h.name, meaning: h.name, held: h.span}
	if n := len(c.rs.decisions); n > 0 {
		d.sofar = c.rs.decisions[n-1].sofar
	}
	at := c.decision(d, h.tree)
	c.rs.first = append(c.rs.first, at)
	return at
}

// meaning is what an audience decides, as text: two definitions with equal
// meanings decide the same from the same state.
func meaning(d *Definition) string {
	var b strings.Builder
	b.WriteString(CanonicalCondition(d.When))
	fmt.Fprintf(&b, " %d %d %d %d %d", d.Status, d.HoldFor, d.Linger, d.Cooldown, d.OnSessionEnd)
	if d.MaxEntries != nil {
		fmt.Fprintf(&b, " %d/%d", d.MaxEntries.Count, d.MaxEntries.Per)
	}
	return b.String()
}

// keyHeap gives out the smallest key first.
type keyHeap []AudienceKey

func (h *keyHeap) push(key AudienceKey) {
	q := append(*h, key)
	for i := len(q) - 1; i > 0; {
		parent := (i - 1) / 2
		if q[parent] <= q[i] {
			break
		}
		q[parent], q[i] = q[i], q[parent]
		i = parent
	}
	*h = q
}

func (h *keyHeap) pop() AudienceKey {
	q := *h
	first, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	for i := 0; ; {
		least := i
		for _, kid := range [2]int{2*i + 1, 2*i + 2} {
			if kid < last && q[kid] < q[least] {
				least = kid
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	*h = q
	return first
}
