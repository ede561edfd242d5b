package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckSet checks what no document can be judged for by itself: that keys are
// unique, that every reference has its audience and none leads back to where
// it began, that everyone: true stands where it must, and that there are at
// most [AudiencesMax] audiences. The error is a [Diagnostics], in the order
// of file and place.
func CheckSet(defs []*Definition) error {
	c := checkedSet{byKey: make(map[AudienceKey]*Definition, len(defs))}
	if len(defs) > AudiencesMax {
		c.report(Place{}, fmt.Sprintf("%d audiences: the limit is %d", len(defs), AudiencesMax), "")
	}
	for _, d := range defs {
		if first, ok := c.byKey[d.Audience]; ok {
			c.report(d.Place, fmt.Sprintf("audience %q is defined twice", d.Audience), fmt.Sprintf("the other definition is at %s; remove one", first.Place))
			continue
		}
		c.byKey[d.Audience] = d
		c.order = append(c.order, d)
	}
	c.references()
	c.cycles()
	for _, d := range c.order {
		c.everyone(d)
	}
	if len(c.diags) == 0 {
		return nil
	}
	return checkSorted(c.diags)
}

// checkSorted returns ds in the order of the source, and no more of them than
// a person reads.
func checkSorted(ds Diagnostics) Diagnostics {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int { return checkComparePlaces(a.Place, b.Place) })
	if len(ds) <= diagnosticsMax {
		return ds
	}
	rest := Diagnostic{Message: fmt.Sprintf("%d more; they are not listed", len(ds)-diagnosticsMax)}
	return append(ds[:diagnosticsMax:diagnosticsMax], rest)
}

// checkComparePlaces orders places as a reader meets them.
func checkComparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// checkedSet is a set of definitions being checked.
type checkedSet struct {
	byKey map[AudienceKey]*Definition
	order []*Definition // without the second ones of a key
	diags Diagnostics
}

func (c *checkedSet) report(at Place, message, remedy string) {
	c.diags = append(c.diags, Diagnostic{Place: at, Message: message, Remedy: remedy})
}

// References returns the memberships that the condition refers to, in the
// order in which they were written.
func References(c Condition) []*Membership {
	var found []*Membership
	walkConditions(c, func(c Condition) {
		if m, ok := c.(*Membership); ok {
			found = append(found, m)
		}
	})
	return found
}

// walkConditions calls visit for c and everything below it, c first.
func walkConditions(c Condition, visit func(Condition)) {
	visit(c)
	switch c := c.(type) {
	case *Group:
		for _, of := range c.Of {
			walkConditions(of, visit)
		}
	case *AtLeast:
		for _, of := range c.Of {
			walkConditions(of, visit)
		}
	case *Not:
		walkConditions(c.Of, visit)
	case *Held:
		walkConditions(c.Of, visit)
	}
}

// nearestMax bounds the unknown references for which the nearest of up to
// AudiencesMax keys is looked for.
const nearestMax = 20

// references reports references to audiences that do not exist.
func (c *checkedSet) references() {
	var known []string
	unknown := 0
	for _, d := range c.order {
		for _, m := range References(d.When) {
			if c.byKey[m.Audience] != nil {
				continue
			}
			if known == nil {
				known = c.keys()
			}
			diag := Diagnostic{Place: m.Place, Message: fmt.Sprintf("there is no audience %q", m.Audience)}
			if unknown++; unknown <= nearestMax {
				diag.Nearest = diagNearest(string(m.Audience), known)
			}
			if diag.Nearest == "" {
				diag.Remedy = "define it, or remove the reference"
			}
			c.diags = append(c.diags, diag)
		}
	}
}

func (c *checkedSet) keys() []string {
	keys := make([]string, 0, len(c.order))
	for _, d := range c.order {
		keys = append(keys, string(d.Audience))
	}
	return keys
}

// visited says how far the search for circles has come with an audience.
type visited uint8

const (
	unvisited visited = iota
	onPath
	finished
)

// pathStep is one audience on the path of references being followed.
type pathStep struct {
	key  AudienceKey
	left []*Membership // references not yet followed
}

// cycles reports every reference that leads back to an audience on the path
// to it, by depth-first search from the smallest key on. The path is kept
// here, not on the call stack: it may be as long as there are audiences.
func (c *checkedSet) cycles() {
	state := make(map[AudienceKey]visited, len(c.order))
	for _, key := range slices.Sorted(maps.Keys(c.byKey)) {
		if state[key] != unvisited {
			continue
		}
		path := []pathStep{c.enter(key, state)}
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.left) == 0 {
				state[top.key] = finished
				path = path[:len(path)-1]
				continue
			}
			m := top.left[0]
			top.left = top.left[1:]
			switch {
			case c.byKey[m.Audience] == nil:
			case state[m.Audience] == onPath:
				c.reportCircle(path, m)
			case state[m.Audience] == unvisited:
				path = append(path, c.enter(m.Audience, state))
			}
		}
	}
}

func (c *checkedSet) enter(key AudienceKey, state map[AudienceKey]visited) pathStep {
	state[key] = onPath
	return pathStep{key, References(c.byKey[key].When)}
}

// circleNamesMax bounds the audiences that are named of one circle.
const circleNamesMax = 10

// reportCircle reports that m, at the end of path, leads back into it.
func (c *checkedSet) reportCircle(path []pathStep, m *Membership) {
	start := slices.IndexFunc(path, func(s pathStep) bool { return s.key == m.Audience })
	var names []string
	for _, s := range path[start:] {
		if names = append(names, string(s.key)); len(names) == circleNamesMax {
			names = append(names, "...")
			break
		}
	}
	names = append(names, string(m.Audience))
	c.report(m.Place, "audiences refer to each other in a circle: "+strings.Join(names, " -> "),
		"membership cannot depend on itself: remove one of these references")
}

// everyone reports an audience that could have a member about whom nothing is
// known, and does not say so.
func (c *checkedSet) everyone(d *Definition) {
	if d.Everyone || !MayHoldWithNoData(d.When, c.saysEveryone) {
		return
	}
	c.report(d.When.At(), fmt.Sprintf("audience %q holds for users about whom nothing is known", d.Audience),
		"if that is meant, add everyone: true; else add a condition that needs an event or a trait")
}

func (c *checkedSet) saysEveryone(key AudienceKey) bool {
	d := c.byKey[key]
	return d != nil && d.Everyone
}
