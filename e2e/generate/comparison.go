package generate

import (
	"time"

	"github.com/usher-audiences/usher/rules"
)

func plans() []any { return []any{"free", "pro", "Pro", "trial", "ÉLAN", "élan"} }

func compare(path string, op rules.Op, operand any) rules.Comparison {
	return rules.Comparison{Path: path, Operators: []rules.Operator{{Op: op, Operand: operand}}}
}

// whereComparison draws a condition on an event's value.
func (d *drawer) whereComparison() rules.Comparison {
	switch d.IntN(9) {
	case 0, 1, 2:
		return d.textComparison("plan")
	case 3, 4:
		return d.numberComparison(pick(d.Source, "price", "cart.total"))
	case 5:
		return d.listComparison("tags")
	case 6:
		return compare("flag", pick(d.Source, rules.OpEq, rules.OpNeq), d.chance(50))
	case 7:
		return d.contextWhere()
	}
	return compare(pick(d.Source, "plan", "price", "gone", "traits.plan"), rules.OpExists, d.chance(50))
}

func (d *drawer) contextWhere() rules.Comparison {
	return compare(pick(d.Source, "context.campaign.source", "context.device.type"), pick(d.Source, rules.OpEq, rules.OpNeq), pick(d.Source, "mail", "phone"))
}

func (d *drawer) contextComparison() rules.Comparison {
	return compare(pick(d.Source, "campaign.source", "device.type", "page.path"),
		pick(d.Source, rules.OpEq, rules.OpNeq, rules.OpContains), pick(d.Source, "mail", "phone", "/home"))
}

// expression draws a CEL expression over what events carry.
func (d *drawer) expression() string {
	return pick(d.Source,
		"properties.price >= 10", "properties.price == 10 || properties.plan == 'pro'", "properties.price * 2.0 < 100.0", "properties.price + 1 > 0",
		"!has(properties.price)", "properties.plan != 'pro'", "properties.plan == null", "properties.plan.startsWith('p')",
		"properties.sku.matches('^s[0-9]$')", "properties.cart.total > 9", "'new' in properties.tags", "properties.tags.exists(t, t == 1)",
		"size(properties) > 3", "event == 'Viewed' && properties.flag", "has(context.device) && context.device.type == 'phone'", "traits.plan == 'pro'",
	)
}

// traitComparison draws a condition on a trait.
func (d *drawer) traitComparison() rules.Comparison {
	switch d.IntN(8) {
	case 0, 1:
		return d.textComparison(pick(d.Source, "plan", "address.city"))
	case 2:
		return d.numberComparison("age")
	case 3:
		return d.listComparison("tags")
	case 4, 5:
		return d.dateComparison("renewed")
	case 6:
		return compare("vip", rules.OpEq, d.chance(50))
	}
	return compare(pick(d.Source, "plan", "age", "address", "address.city"), rules.OpExists, d.chance(50))
}

func (d *drawer) textComparison(path string) rules.Comparison {
	plan := func() any { return pick(d.Source, plans()...) }
	var c rules.Comparison
	switch d.IntN(12) {
	case 0, 1, 2:
		c = compare(path, rules.OpEq, plan())
	case 3:
		c = compare(path, rules.OpNeq, plan())
	case 4:
		c = compare(path, rules.OpIn, []any{plan(), plan(), 10.0})
	case 5:
		c = compare(path, rules.OpNotIn, []any{plan(), plan()})
	case 6:
		c = compare(path, rules.OpContains, pick(d.Source, "r", "R", "Él", "a"))
	case 7:
		c = compare(path, rules.OpNotContains, pick(d.Source, "r", "l"))
	case 8:
		c = compare(path, rules.OpStartsWith, pick(d.Source, "p", "P", "é"))
	case 9:
		c = compare(path, rules.OpEndsWith, pick(d.Source, "e", "O", "n"))
	case 10:
		c = compare(path, rules.OpMatches, pick(d.Source, "^p.o$", "r(o|i)", "[ae]"))
	default:
		c = compare(path, pick(d.Source, rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte), plan())
	}
	switch c.Operators[0].Op {
	case rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte:
	default:
		c.IgnoreCase = d.chance(30)
	}
	return c
}

func (d *drawer) numberComparison(path string) rules.Comparison {
	n := func() any { return pick[any](d.Source, 0.0, 9.5, 10.0, 100.0, -3.0) }
	switch d.IntN(5) {
	case 0:
		return compare(path, pick(d.Source, rules.OpEq, rules.OpNeq), n())
	case 1:
		return compare(path, rules.OpBetween, []any{0.0, n()})
	case 2:
		return compare(path, pick(d.Source, rules.OpIn, rules.OpNotIn), []any{n(), n(), "10"})
	case 3:
		c := compare(path, pick(d.Source, rules.OpGt, rules.OpGte), 0.0)
		c.Operators = append(c.Operators, rules.Operator{Op: pick(d.Source, rules.OpLt, rules.OpLte), Operand: 100.0})
		return c
	}
	return compare(path, pick(d.Source, rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte), n())
}

func (d *drawer) listComparison(path string) rules.Comparison {
	tag := func() any { return pick[any](d.Source, "new", "NEW", "sale", 1.0) }
	switch d.IntN(3) {
	case 0:
		return compare(path, rules.OpIncludes, tag())
	case 1:
		c := compare(path, rules.OpIncludesAny, []any{tag(), tag()})
		c.IgnoreCase = d.chance(30)
		return c
	}
	return compare(path, rules.OpIncludesAll, []any{tag(), tag()})
}

// dateComparison draws a condition on a date near the traffic's beginning.
func (d *drawer) dateComparison(path string) rules.Comparison {
	if d.chance(60) {
		return compare(path, pick(d.Source, rules.OpWithinLast, rules.OpMoreThanAgo), d.duration())
	}
	return compare(path, pick(d.Source, rules.OpBefore, rules.OpAfter), d.date())
}

// date draws an RFC 3339 instant near the traffic's beginning.
func (d *drawer) date() string { return formatDate(d.Source, d.start) }

func formatDate(s *Source, near int64) string {
	t := time.UnixMilli(near + int64(s.IntN(int(4*hour))) - int64(hour)).UTC()
	switch s.IntN(3) {
	case 0:
		return t.In(time.FixedZone("", 2*60*60)).Format(time.RFC3339)
	case 1:
		return t.Truncate(time.Minute).Format(time.RFC3339)
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}
