package rules

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// predicateCase is a value, an operator and what it says.
type predicateCase struct {
	value   any
	op      Op
	operand any
	mode    caseMode
	want    bool
}

func predicateCases() []predicateCase {
	list := func(xs ...any) []any { return xs }
	return []predicateCase{
		{nil, OpEq, "x", caseExact, false},
		{nil, OpNeq, "x", caseExact, false},
		{nil, OpNotIn, list("x"), caseExact, false},
		{nil, OpExists, false, caseExact, true},
		{nil, OpExists, true, caseExact, false},
		{"", OpExists, true, caseExact, true},
		{1.0, OpEq, 1.0, caseExact, true},
		{"1", OpEq, 1.0, caseExact, false},
		{"1", OpNeq, 1.0, caseExact, true},
		{"x", OpNeq, nil, caseExact, false},
		{true, OpEq, true, caseExact, true},
		{true, OpEq, "true", caseExact, false},
		{list(1.0, map[string]any{"a": nil}), OpEq, list(1.0, map[string]any{"a": nil}), caseExact, true},
		{list(1.0), OpEq, list(1.0, 2.0), caseExact, false},
		{"Pro", OpEq, "pRO", caseFolded, true},
		{"Pro", OpEq, "pRO", caseExact, false},
		{"Pro", OpIn, list("x", "PRO"), caseFolded, true},
		{5.0, OpNotIn, list("x"), caseExact, true},
		{5.0, OpGt, 4.0, caseExact, true},
		{5.0, OpGt, 5.0, caseExact, false},
		{5.0, OpGte, 5.0, caseExact, true},
		{"b", OpGt, "a", caseExact, true},
		{"B", OpGt, "a", caseExact, false},
		{"B", OpGt, "a", caseFolded, true},
		{"5", OpLt, 6.0, caseExact, false},
		{true, OpLte, 1.0, caseExact, false},
		{5.0, OpBetween, list(5.0, 5.0), caseExact, true},
		{6.0, OpBetween, list(1.0, 5.0), caseExact, false},
		{"abc", OpContains, "b", caseExact, true},
		{"abc", OpContains, "B", caseFolded, true},
		{list("b"), OpContains, "b", caseExact, false},
		{"abc", OpNotContains, "x", caseExact, true},
		{1.0, OpNotContains, "x", caseExact, false},
		{"abc", OpStartsWith, "ab", caseExact, true},
		{"ABC", OpEndsWith, "bc", caseFolded, true},
		{"abc", OpMatches, "b.?$", caseExact, true},
		{"ABC", OpMatches, "b", caseFolded, true},
		{5.0, OpMatches, "5", caseExact, false},
		{list("a", 1.0), OpIncludes, 1.0, caseExact, true},
		{list("A"), OpIncludes, "a", caseFolded, true},
		{"a", OpIncludes, "a", caseExact, false},
		{list("a"), OpIncludesAny, list("b", "a"), caseExact, true},
		{list("a"), OpIncludesAll, list("b", "a"), caseExact, false},
		{list("a", "b", "c"), OpIncludesAll, list("b", "a"), caseExact, true},
		{"2001-09-09T00:00:00Z", OpBefore, "2001-09-09T02:00:00+01:00", caseExact, true},
		{"2001-09-09T01:00:00Z", OpBefore, "2001-09-09T02:00:00+01:00", caseExact, false},
		{"2001-09-09T01:00:00.0001Z", OpAfter, "2001-09-09T02:00:00+01:00", caseExact, true},
		{"2001-09-09", OpBefore, "2002-01-01T00:00:00Z", caseExact, false},
		{"2001-09-09T01:45:40.001Z", OpWithinLast, Millis(60_000), caseExact, true},
		{"2001-09-09T01:45:40Z", OpWithinLast, Millis(60_000), caseExact, false},
		{"2001-09-09T01:46:40Z", OpWithinLast, Millis(60_000), caseExact, true},
		{"2001-09-09T01:46:40.001Z", OpWithinLast, Millis(60_000), caseExact, false},
		{"2001-09-09T01:45:40Z", OpMoreThanAgo, Millis(60_000), caseExact, true},
		{"2001-09-09T01:45:40.001Z", OpMoreThanAgo, Millis(60_000), caseExact, false},
		{999_999_999_999.0, OpWithinLast, Millis(60_000), caseExact, false},
	}
}

func TestPredicates(t *testing.T) {
	const now = 1_000_000_000_000 // 2001-09-09T01:46:40Z
	for _, tc := range predicateCases() {
		p, err := preparePredicate(&Operator{Op: tc.op, Operand: tc.operand}, tc.mode)
		if err != nil {
			t.Errorf("%s %v: %v", tc.op, tc.operand, err)
			continue
		}
		v := valueOf(tc.value)
		if got := p.holds(&v, now); got != tc.want {
			t.Errorf("%#v %s %#v: got %v, want %v", tc.value, tc.op, tc.operand, got, tc.want)
		}
	}
}

// TestPredicateChanges: from now on the truth stays until the instant told,
// and is another at it, or told again.
func TestPredicateChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]Op{OpWithinLast, OpMoreThanAgo}).Draw(t, "op")
		span := Millis(rapid.Int64Range(1, 50).Draw(t, "span"))
		p, err := preparePredicate(&Operator{Op: op, Operand: span}, caseExact)
		if err != nil {
			t.Fatal(err)
		}
		v := valueOf(FormatTime(rapid.Int64Range(900, 1100).Draw(t, "date")))
		for now := int64(900); now < 1200; {
			next := p.changes(&v, now)
			for at := now; at < min(next, 1200); at++ {
				if p.holds(&v, at) != p.holds(&v, now) {
					t.Fatalf("%s %v: another truth at %d, told %d at %d", op, v.text, at, next, now)
				}
			}
			if next != Never && p.holds(&v, next) == p.holds(&v, now) {
				t.Fatalf("%s %v: the same truth at %d", op, v.text, next)
			}
			now = next
		}
	})
}

func TestFoldIsEqualFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]rune("aAkKK\u212asSſßẞıİiIµΜμΣσςǅǆǄ5-"))
		draw := func(name string) string { return string(rapid.SliceOfN(alphabet, 0, 4).Draw(t, name)) }
		a, b := draw("a"), draw("b")
		if got, want := fold(a) == fold(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("%q and %q: got %v, want %v", a, b, got, want)
		}
		if !utf8.ValidString(fold(a)) {
			t.Fatalf("%q folds to no UTF-8", a)
		}
	})
}

// TestThresholds compares the table with the operators it was made from.
func TestThresholds(t *testing.T) {
	ops := []Op{OpEq, OpNeq, OpGt, OpGte, OpLt, OpLte, OpBetween, OpIn, OpNotIn}
	rapid.Check(t, func(t *rapid.T) {
		bound := func(name string) float64 {
			return rapid.SampledFrom([]float64{-1, 0, 0.5, 1, 2, 3, 62, 63, 64, 65, 2.5, 9999, 10000}).Draw(t, name)
		}
		op := rapid.SampledFrom(ops).Draw(t, "op")
		var operand any = bound("bound")
		if op == OpBetween || op == OpIn || op == OpNotIn {
			operand = []any{operand, bound("other")}
		}
		p, err := preparePredicate(&Operator{Op: op, Operand: operand}, caseExact)
		if err != nil {
			t.Fatal(err)
		}
		th := newThreshold(comparison{p})
		for _, n := range []int{0, 1, 2, 3, 4, 61, 62, 63, 64, 65, 66, 9998, 9999, 10000, 10001, 20000} {
			v := valueOf(n)
			if got, want := th.holds(n), p.holds(&v, 0); got != want {
				t.Fatalf("%d %s %v: got %v, want %v", n, op, operand, got, want)
			}
		}
	})
}

func TestTraitsMerge(t *testing.T) {
	var ts Traits
	steps := []struct {
		update map[string]any
		want   map[string]any
	}{
		{map[string]any{"b": 1.0, "a": map[string]any{"x": 1.0, "y": 2.0}}, map[string]any{"a": map[string]any{"x": 1.0, "y": 2.0}, "b": 1.0}},
		{map[string]any{"a": map[string]any{"x": 3.0}}, map[string]any{"a": map[string]any{"x": 3.0}, "b": 1.0}},
		{map[string]any{"b": nil, "c": nil}, map[string]any{"a": map[string]any{"x": 3.0}}},
		{nil, map[string]any{"a": map[string]any{"x": 3.0}}},
	}
	for i, step := range steps {
		next, rejection := ts.merge(step.update)
		if rejection != nil {
			t.Fatal(rejection)
		}
		if ts = next; !equalObjects(ts.Map(), step.want, caseExact) {
			t.Errorf("step %d: got %v, want %v", i, ts.Map(), step.want)
		}
	}
	if _, rejection := ts.merge(map[string]any{"big": strings.Repeat("x", TraitsMax)}); rejection == nil || rejection.Reason != ReasonTooLarge {
		t.Errorf("got %v, want %s", rejection, ReasonTooLarge)
	}
}
