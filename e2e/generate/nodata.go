package generate

import "github.com/usher-audiences/usher/rules"

// withoutData says whether a condition can be true, and whether it can be
// false, of a key of which nothing is known.
func withoutData(c rules.Condition, everyone map[rules.AudienceKey]bool) (canBeTrue, canBeFalse bool) {
	switch c := c.(type) {
	case *rules.Not:
		canBeTrue, canBeFalse = withoutData(c.Of, everyone)
		return canBeFalse, canBeTrue
	case *rules.Held:
		canBeTrue, _ = withoutData(c.Of, everyone)
		return canBeTrue, true
	case *rules.Group:
		least, most := trueMembers(c.Of, everyone)
		switch c.Kind {
		case rules.All:
			return most == len(c.Of), least < len(c.Of)
		case rules.Any:
			return most > 0, least == 0
		}
		return least == 0, most > 0
	case *rules.AtLeast:
		least, most := trueMembers(c.Of, everyone)
		return most >= c.N, least < c.N
	case *rules.Count:
		return known(satisfiedBy(0, c.Count))
	case *rules.Aggregate:
		return known((c.Kind == rules.Sum || c.Kind == rules.Distinct) && satisfiedBy(0, c.Operators) || asksForNothing(c.Operators))
	case *rules.Trait:
		return known(asksForNothing(c.Operators))
	case *rules.ContextProperty:
		return known(asksForNothing(c.Operators))
	case *rules.Membership:
		if everyone[c.Audience] {
			return true, true
		}
		return known(c.NotMember)
	case *rules.TimeOfDay, *rules.Bucket:
		return true, true
	}
	return false, true
}

func known(truth bool) (canBeTrue, canBeFalse bool) { return truth, !truth }

// trueMembers bounds how many members can be true at once, taking them as
// independent.
func trueMembers(cs []rules.Condition, everyone map[rules.AudienceKey]bool) (least, most int) {
	for _, c := range cs {
		canBeTrue, canBeFalse := withoutData(c, everyone)
		if canBeTrue {
			most++
		}
		if !canBeFalse {
			least++
		}
	}
	return least, most
}

// asksForNothing reports whether a missing value satisfies the operators.
func asksForNothing(ops []rules.Operator) bool {
	for _, op := range ops {
		if wanted, _ := op.Operand.(bool); op.Op != rules.OpExists || wanted {
			return false
		}
	}
	return true
}

// satisfiedBy applies the operators of a count to n.
func satisfiedBy(n float64, ops []rules.Operator) bool {
	for _, op := range ops {
		if !numberSatisfies(n, op) {
			return false
		}
	}
	return true
}

func numberSatisfies(n float64, op rules.Operator) bool {
	switch operand := op.Operand.(type) {
	case float64:
		switch op.Op {
		case rules.OpEq:
			return n == operand
		case rules.OpNeq:
			return n != operand
		case rules.OpGt:
			return n > operand
		case rules.OpGte:
			return n >= operand
		case rules.OpLt:
			return n < operand
		default:
			return n <= operand
		}
	case []any:
		least, _ := operand[0].(float64)
		if op.Op == rules.OpBetween {
			most, _ := operand[1].(float64)
			return least <= n && n <= most
		}
		found := false
		for _, member := range operand {
			if v, _ := member.(float64); v == n {
				found = true
			}
		}
		return found == (op.Op == rules.OpIn)
	}
	return false
}
