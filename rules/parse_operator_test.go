package rules

import (
	"strings"
	"testing"
)

// TestOperatorsFitWhereTheSpecSays tries every operator in every place.
func TestOperatorsFitWhereTheSpecSays(t *testing.T) {
	const (
		numbers = "eq neq gt gte lt lte between in not_in"
		lists   = " includes includes_any includes_all"
		texts   = " contains not_contains starts_with ends_with matches"
		dates   = " before after"
		ages    = " within_last more_than_ago"
		refs    = "eq neq gt gte lt lte contains not_contains starts_with ends_with before after includes"
	)
	number := map[Op]string{OpBetween: "[1, 2]", OpIn: "[1]", OpNotIn: "[1]", "": "1"}
	span := map[Op]string{OpBetween: "[1m, 120]", OpIn: "[1m]", OpNotIn: "[1m]", "": "90s"}
	text := map[Op]string{OpBetween: "[a, b]", OpIn: "[a]", OpNotIn: "[a]", OpIncludesAny: "[a]", OpIncludesAll: "[a]", "": "a"}
	ref := map[Op]string{"": "{ref: v.p}"}
	for _, place := range []struct {
		condition string // % is where the operator stands
		operands  map[Op]string
		fitting   string
	}{
		{"{event: X, count: {%}}", number, numbers},
		{"{distinct: p, of: X, %}", number, numbers},
		{"{time: {hour: {%}}}", number, numbers},
		{"{sum: p, of: X, %}", number, numbers + " exists"},
		{"{max: p, of: X, %}", number, numbers + " exists"},
		{"{session: events, %}", number, numbers + " exists"},
		{"{session: duration, %}", span, numbers + " exists"},
		{"{session: idle, %}", span, numbers + " exists"},
		{"{session: entry.page, %}", text, numbers + texts + " exists"},
		{"{first: p, of: X, %}", text, numbers + texts + " exists" + dates + lists},
		{"{last: p, of: X, %}", number, numbers + texts + " exists" + dates + lists},
		{"{trait: p, %}", text, numbers + texts + " exists" + dates + lists + ages},
		{"{context: p, %}", number, numbers + texts + " exists" + dates + lists + ages},
		{"{event: X, where: {p: {%}}}", text, numbers + texts + " exists" + dates + lists + ages},
		{"{sequence: [{as: v, event: X}, {event: Y, where: {p: {%}}}]}", ref, refs},
		{"{event: X, where: {p: {%}}}", ref, ""},
	} {
		for _, op := range (operandScope{}).operators() {
			operand := operandFor(op, place.operands)
			source := strings.Replace(place.condition, "%", string(op)+": "+operand, 1)
			_, err := Parse("f", []byte("audience: a\nwhen: "+source))
			want := strings.Contains(" "+place.fitting+" ", " "+string(op)+" ")
			if got := err == nil; got != want {
				t.Errorf("%s: got accepted %v, want %v (error %v)", source, got, want, err)
			}
		}
	}
}

// operandFor returns an operand of the operator's type: from operands, which
// has the one of most operators under "", or, of the operators that take one
// type alone, of that type.
func operandFor(op Op, operands map[Op]string) string {
	if operand, ok := operands[op]; ok {
		return operand
	}
	if strings.HasPrefix(operands[""], "{ref") {
		return operands[""]
	}
	switch op {
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith, OpMatches:
		return "a"
	case OpExists:
		return "true"
	case OpBefore, OpAfter:
		return "2026-01-31T09:30:00Z"
	case OpWithinLast, OpMoreThanAgo:
		return "7d"
	case OpIncludesAny, OpIncludesAll:
		return "[1]"
	}
	return operands[""]
}
