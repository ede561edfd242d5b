package audit

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/usher-audiences/usher/rules"
)

// missing stands for a value that is absent or null.
var missing any

// at walks a dotted path. Anything that is not there is missing.
func at(root any, path string) any {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		fields, isMap := root.(map[string]any)
		if !isMap {
			return missing
		}
		root = fields[name]
	}
	return root
}

// holds says whether a value satisfies every operator of a comparison, at
// now.
func holds(v any, c *rules.Comparison, now int64) bool {
	for _, op := range c.Operators {
		if !satisfies(v, op.Op, op.Operand, c.IgnoreCase, now) {
			return false
		}
	}
	return true
}

// satisfies is one operator. SPEC.md, "Operators" and the fine print on
// values.
func satisfies(v any, op rules.Op, operand any, ci bool, now int64) bool { //nolint:cyclop // one case per operator
	if op == rules.OpExists {
		wanted, _ := operand.(bool)
		return (v != nil) == wanted
	}
	if v == nil {
		return false
	}
	switch op {
	case rules.OpEq:
		return equal(v, operand, ci)
	case rules.OpNeq:
		return !equal(v, operand, ci)
	case rules.OpIn:
		return among(v, operand, ci)
	case rules.OpNotIn:
		return !among(v, operand, ci)
	case rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte:
		return ordered(v, op, operand, ci)
	case rules.OpBetween:
		ends := list(operand)
		return len(ends) == 2 && ordered(v, rules.OpGte, ends[0], ci) && ordered(v, rules.OpLte, ends[1], ci)
	case rules.OpContains, rules.OpNotContains, rules.OpStartsWith, rules.OpEndsWith, rules.OpMatches:
		return textual(v, op, operand, ci)
	case rules.OpBefore, rules.OpAfter:
		return dated(v, op, operand)
	case rules.OpWithinLast, rules.OpMoreThanAgo:
		return aged(v, op, operand, now)
	case rules.OpIncludes, rules.OpIncludesAny, rules.OpIncludesAll:
		return listed(v, op, operand, ci)
	}
	panic("audit: unknown operator " + string(op))
}

// equal compares two present values: numbers as numbers, a string never
// equals a number, lists and objects member by member.
func equal(a, b any, ci bool) bool {
	if x, isNumber := number(a); isNumber {
		y, other := number(b)
		return other && x == y
	}
	switch a := a.(type) {
	case string:
		s, isText := b.(string)
		return isText && (a == s || ci && fold(a) == fold(s))
	case bool:
		t, isBool := b.(bool)
		return isBool && a == t
	case []any:
		other, isList := b.([]any)
		if !isList || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !equal(a[i], other[i], ci) {
				return false
			}
		}
		return true
	case map[string]any:
		other, isMap := b.(map[string]any)
		if !isMap || len(a) != len(other) {
			return false
		}
		for k := range a {
			member, has := other[k]
			if !has || !equal(a[k], member, ci) {
				return false
			}
		}
		return true
	}
	return a == nil && b == nil
}

func among(v, operand any, ci bool) bool {
	for _, o := range list(operand) {
		if equal(v, o, ci) {
			return true
		}
	}
	return false
}

func ordered(v any, op rules.Op, operand any, ci bool) bool {
	sign := 0
	if x, isNumber := number(v); isNumber {
		y, other := number(operand)
		if !other {
			return false
		}
		switch {
		case x < y:
			sign = -1
		case x > y:
			sign = 1
		}
	} else {
		s, isText := v.(string)
		t, other := operand.(string)
		if !isText || !other {
			return false
		}
		if ci {
			s, t = fold(s), fold(t)
		}
		sign = strings.Compare(s, t)
	}
	switch op {
	case rules.OpGt:
		return sign > 0
	case rules.OpGte:
		return sign >= 0
	case rules.OpLt:
		return sign < 0
	default:
		return sign <= 0
	}
}

func textual(v any, op rules.Op, operand any, ci bool) bool {
	s, isText := v.(string)
	t, other := operand.(string)
	if !isText || !other {
		return false
	}
	if op == rules.OpMatches {
		if ci {
			t = "(?i)" + t
		}
		return regexp.MustCompile(t).MatchString(s)
	}
	if ci {
		s, t = fold(s), fold(t)
	}
	switch op {
	case rules.OpContains:
		return strings.Contains(s, t)
	case rules.OpNotContains:
		return !strings.Contains(s, t)
	case rules.OpStartsWith:
		return strings.HasPrefix(s, t)
	default:
		return strings.HasSuffix(s, t)
	}
}

func dated(v any, op rules.Op, operand any) bool {
	d, isDate := instant(v)
	limit, other := instant(operand)
	if !isDate || !other {
		return false
	}
	if op == rules.OpBefore {
		return d.Before(limit)
	}
	return d.After(limit)
}

func aged(v any, op rules.Op, operand any, now int64) bool {
	date, isDate := instant(v)
	span, isSpan := operand.(rules.Millis)
	if !isDate || !isSpan {
		return false
	}
	d := date.UnixMilli()
	if op == rules.OpWithinLast {
		return now-int64(span) < d && d <= now
	}
	return d <= now-int64(span)
}

func listed(v any, op rules.Op, operand any, ci bool) bool {
	members, isList := v.([]any)
	if !isList {
		return false
	}
	if op == rules.OpIncludes {
		return among(operand, members, ci)
	}
	wanted := list(operand)
	found := 0
	for _, w := range wanted {
		if among(w, members, ci) {
			found++
		}
	}
	if op == rules.OpIncludesAny {
		return found > 0
	}
	return found == len(wanted)
}

// instant reads an RFC 3339 string.
func instant(v any) (time.Time, bool) {
	s, isText := v.(string)
	if !isText {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case rules.Millis:
		return float64(v), true
	}
	return 0, false
}

func list(v any) []any {
	members, _ := v.([]any)
	return members
}

// fold maps every rune to the smallest rune that differs from it in case
// only.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}
