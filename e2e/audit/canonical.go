package audit

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// meaning writes a condition so that two conditions of the same meaning are
// written the same, wherever they stand: places are left out, and what has no
// order is sorted.
func meaning(c rules.Condition) string {
	switch c := c.(type) {
	case *rules.Group:
		return text("group", c.Kind, meanings(c.Of))
	case *rules.Not:
		return text("not", meaning(c.Of))
	case *rules.AtLeast:
		return text("at_least", c.N, meanings(c.Of))
	case *rules.Count:
		return text("count", matchMeaning(&c.Match), operatorMeanings(c.Count), c.Within, optional(c.Since))
	case *rules.Aggregate:
		return text("aggregate", c.Kind, c.Property, matchMeaning(&c.Match), operatorMeanings(c.Operators), c.Within, optional(c.Since), c.IgnoreCase)
	case *rules.Sequence:
		steps := make([]string, len(c.Steps))
		for i := range c.Steps {
			s := &c.Steps[i]
			steps[i] = text(s.As, matchMeaning(&s.Match), s.Within, s.Absent, s.For)
		}
		return text("sequence", steps, c.Within, c.Lasts)
	case *rules.Trait:
		return text("trait", comparisonMeaning(&c.Comparison))
	case *rules.SessionProperty:
		return text("session", comparisonMeaning(&c.Comparison))
	case *rules.ContextProperty:
		return text("context", comparisonMeaning(&c.Comparison))
	case *rules.Membership:
		return text("audience", c.Audience, c.NotMember)
	case *rules.Held:
		return text("held", meaning(c.Of), c.For)
	case *rules.TimeOfDay:
		return text("time", operatorMeanings(c.Hour), c.Weekdays, c.Zone)
	case *rules.Bucket:
		return text("bucket", c.Percent, c.Salt)
	}
	panic(fmt.Sprintf("audit: unknown condition %T", c))
}

func text(parts ...any) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(fmt.Sprintf("audit: %v cannot be written: %v", parts, err))
	}
	return string(b)
}

func meanings(cs []rules.Condition) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = meaning(c)
	}
	slices.Sort(out)
	return out
}

func optional(m *rules.Match) string {
	if m == nil {
		return ""
	}
	return matchMeaning(m)
}

func matchMeaning(m *rules.Match) string {
	where := make([]string, len(m.Where))
	for i := range m.Where {
		where[i] = comparisonMeaning(&m.Where[i])
	}
	slices.Sort(where)
	names := slices.Clone(m.Names)
	slices.Sort(names)
	return text("match", m.Call, slices.Compact(names), where, m.CEL)
}

func comparisonMeaning(c *rules.Comparison) string {
	return text(c.Path, operatorMeanings(c.Operators), c.IgnoreCase)
}

func operatorMeanings(ops []rules.Operator) []string {
	out := make([]string, len(ops))
	for i, op := range ops {
		out[i] = text(op.Op, op.Operand, op.Ref)
	}
	slices.Sort(out)
	return out
}
