package rules

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestOrderDoesNotMatterToIdentity shuffles whatever has no order.
func TestOrderDoesNotMatterToIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := definitionDraw{t}.condition(4)
		want := CanonicalCondition(c)
		walkConditions(c, func(c Condition) { shuffleCondition(t, c) })
		if got := CanonicalCondition(c); got != want {
			t.Fatalf("got %s\nwant %s", got, want)
		}
	})
}

func shuffleCondition(t *rapid.T, c Condition) {
	switch c := c.(type) {
	case *Group:
		shuffle(t, c.Of)
		if len(c.Of) < 4 {
			c.Of = append(c.Of, c.Of[0])
		}
	case *AtLeast:
		shuffle(t, c.Of)
	case *Count:
		shuffleMatch(t, &c.Match)
		shuffle(t, c.Count)
	case *Aggregate:
		shuffleMatch(t, &c.Match)
	case *Sequence:
		for i := range c.Steps {
			shuffleMatch(t, &c.Steps[i].Match)
		}
	case *Trait:
		shuffleOperators(t, c.Operators)
	case *TimeOfDay:
		shuffle(t, c.Weekdays)
	}
}

func shuffleMatch(t *rapid.T, m *Match) {
	shuffle(t, m.Names)
	shuffle(t, m.Where)
	for i := range m.Where {
		shuffleOperators(t, m.Where[i].Operators)
	}
}

func shuffleOperators(t *rapid.T, operators []Operator) {
	shuffle(t, operators)
	for i, o := range operators {
		if list, ok := o.Operand.([]any); ok && o.Op == OpIn {
			operators[i].Operand = append(slices.Clone(list), list[0])
		}
	}
}

func shuffle[T any](t *rapid.T, items []T) {
	if len(items) > 1 {
		copy(items, rapid.Permutation(items).Draw(t, "order"))
	}
}
