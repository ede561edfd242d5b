package generate

import (
	"github.com/usher-audiences/usher/rules"
)

// Language says which conditions are drawn.
type Language uint8

// The languages. FirstLight is groups, events, traits and the lifecycle;
// Whole is everything.
const (
	FirstLight Language = iota
	Whole
)

func eventNames() []string { return []string{"Viewed", "Added", "Bought", "Left"} }
func pageNames() []string  { return []string{"Home", "Pricing"} }

// leafs draws conditions, nested up to a depth.
func (d *drawer) condition(depth int) rules.Condition {
	if depth > 0 && d.chance(60) {
		return d.group(depth - 1)
	}
	return d.leaf(depth)
}

// drawer draws one set of audiences.
type drawer struct {
	*Source
	language Language
	start    int64               // about when the traffic begins, Unix milliseconds
	others   []rules.AudienceKey // that may be referred to
}

func (d *drawer) members(depth int) []rules.Condition {
	out := make([]rules.Condition, 1+d.IntN(3))
	for i := range out {
		out[i] = d.condition(depth)
	}
	return out
}

func (d *drawer) group(depth int) rules.Condition {
	switch d.IntN(7) {
	case 0, 1:
		return &rules.Group{Kind: rules.All, Of: d.members(depth)}
	case 2, 3:
		return &rules.Group{Kind: rules.Any, Of: d.members(depth)}
	case 4:
		return &rules.Group{Kind: rules.None, Of: d.members(depth)}
	case 5:
		return &rules.Not{Of: d.condition(depth)}
	}
	of := d.members(depth)
	return &rules.AtLeast{N: 1 + d.IntN(len(of)), Of: of}
}

func (d *drawer) leaf(depth int) rules.Condition {
	if d.language == FirstLight {
		if d.chance(70) {
			return d.count()
		}
		return &rules.Trait{Comparison: d.traitComparison()}
	}
	switch d.IntN(16) {
	case 0, 1, 2, 3, 4:
		return d.count()
	case 5, 6:
		return &rules.Trait{Comparison: d.traitComparison()}
	case 7, 8:
		return d.aggregate()
	case 9, 10:
		return d.sequence()
	case 11:
		return d.sessionProperty()
	case 12:
		return &rules.ContextProperty{Comparison: d.contextComparison()}
	case 13:
		if len(d.others) > 0 {
			return &rules.Membership{Audience: pick(d.Source, d.others...), NotMember: d.chance(30)}
		}
		return d.count()
	case 14:
		if depth > 0 {
			return &rules.Held{Of: d.condition(depth - 1), For: d.duration()}
		}
		return d.bucket()
	}
	return d.timeOfDay()
}

func (d *drawer) bucket() rules.Condition {
	return &rules.Bucket{Percent: pick(d.Source, 50, 12.5, 80), Salt: pick(d.Source, "a", "b")}
}

func (d *drawer) timeOfDay() rules.Condition {
	c := &rules.TimeOfDay{Zone: pick(d.Source, "", "Europe/London", "Asia/Kolkata")}
	if d.chance(70) {
		from := d.IntN(20)
		c.Hour = []rules.Operator{{Op: rules.OpGte, Operand: float64(from)}, {Op: rules.OpLt, Operand: float64(from + 1 + d.IntN(4))}}
	} else {
		c.Weekdays = []string{pick(d.Source, "mon", "tue", "sun")}
	}
	return c
}

// match draws which events count.
func (d *drawer) match() rules.Match {
	var m rules.Match
	switch d.IntN(10) {
	case 0:
		m = rules.Match{Call: rules.Page, Names: []string{pick(d.Source, pageNames()...)}}
	case 1:
		m = rules.Match{Call: rules.Screen, Names: []string{pick(d.Source, pageNames()...)}}
	case 2:
		m = rules.Match{Call: pick(d.Source, rules.Identify, rules.GroupCall, rules.Page, rules.Alias)}
	case 3:
		m = rules.Match{Call: rules.Track} // "*"
	case 4:
		names := eventNames()
		d.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		m = rules.Match{Call: rules.Track, Names: names[:2]}
	default:
		m = rules.Match{Call: rules.Track, Names: []string{pick(d.Source, eventNames()...)}}
	}
	for used := map[string]bool{}; d.chance(35) && len(used) < 3; {
		c := d.whereComparison()
		if !used[c.Path] {
			m.Where, used[c.Path] = append(m.Where, c), true
		}
	}
	if d.language == Whole && len(m.Where) == 0 && d.chance(10) {
		m.CEL = d.expression()
	}
	return m
}

func (d *drawer) window() rules.Window {
	switch d.IntN(6) {
	case 0:
		return rules.Window{Session: true}
	case 1:
		return rules.Window{Lifetime: true}
	case 2:
		return rules.Window{Session: true, Last: d.duration()}
	}
	return rules.Window{Last: d.duration()}
}

func (d *drawer) since() *rules.Match {
	if !d.chance(15) {
		return nil
	}
	m := d.match()
	return &m
}

func (d *drawer) count() rules.Condition {
	return &rules.Count{Match: d.match(), Count: d.countOperators(), Within: d.window(), Since: d.since()}
}

func (d *drawer) countOperators() []rules.Operator {
	n := func(most int) float64 { return float64(d.IntN(most)) }
	switch d.IntN(10) {
	case 0:
		return []rules.Operator{{Op: rules.OpEq, Operand: n(4)}}
	case 1:
		return []rules.Operator{{Op: rules.OpNeq, Operand: n(3)}}
	case 2:
		return []rules.Operator{{Op: rules.OpGte, Operand: 1.0}, {Op: rules.OpLt, Operand: 2 + n(3)}}
	case 3:
		return []rules.Operator{{Op: rules.OpGt, Operand: n(3)}}
	case 4:
		return []rules.Operator{{Op: rules.OpBetween, Operand: []any{1 + n(2), 3 + n(2)}}}
	case 5:
		return []rules.Operator{{Op: pick(d.Source, rules.OpIn, rules.OpNotIn), Operand: []any{1.0, 3 + n(2)}}}
	case 6:
		return []rules.Operator{{Op: rules.OpLte, Operand: n(3)}}
	}
	if d.chance(20) {
		return []rules.Operator{{Op: pick(d.Source, rules.OpGte, rules.OpLt, rules.OpEq), Operand: 4 + n(6)}}
	}
	return []rules.Operator{{Op: rules.OpGte, Operand: 1 + n(3)}}
}

func (d *drawer) aggregate() rules.Condition {
	c := &rules.Aggregate{
		Kind:     pick(d.Source, rules.Sum, rules.Avg, rules.Min, rules.Max, rules.Distinct, rules.First, rules.Last),
		Property: pick(d.Source, "price", "cart.total"), Match: d.match(), Within: d.window(), Since: d.since(),
	}
	c.Operators = []rules.Operator{{
		Op:      pick(d.Source, rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte, rules.OpEq, rules.OpNeq),
		Operand: pick(d.Source, 0.0, 9.5, 10.0, 100.0, 110.0),
	}}
	switch c.Kind {
	case rules.Distinct:
		c.Property = pick(d.Source, "price", "sku", "plan")
		c.Operators = d.countOperators()
	case rules.First, rules.Last:
		if d.chance(50) {
			c.Property, c.IgnoreCase = "plan", d.chance(50)
			c.Operators = []rules.Operator{{Op: pick(d.Source, rules.OpEq, rules.OpNeq, rules.OpStartsWith), Operand: pick(d.Source, plans()...)}}
		}
	}
	return c
}

func (d *drawer) sessionProperty() rules.Condition {
	var c rules.Comparison
	operators := []rules.Op{rules.OpGt, rules.OpGte, rules.OpLt, rules.OpLte}
	switch d.IntN(4) {
	case 0:
		c.Path = pick(d.Source, "events", "pages", "number")
		c.Operators = []rules.Operator{{Op: pick(d.Source, operators...), Operand: float64(1 + d.IntN(4))}}
	case 1:
		c.Path = "duration"
		c.Operators = []rules.Operator{{Op: pick(d.Source, operators...), Operand: d.duration()}}
	case 2:
		c.Path = "idle"
		c.Operators = []rules.Operator{{Op: pick(d.Source, operators...), Operand: pick(d.Source, second, 30*second, minute, 10*minute)}}
	default:
		c.Path = pick(d.Source, "campaign.source", "entry.page", "entry.referrer", "device.type")
		c.Operators = []rules.Operator{{Op: pick(d.Source, rules.OpEq, rules.OpNeq), Operand: pick(d.Source, "mail", "/home", "phone", "/p")}}
	}
	return &rules.SessionProperty{Comparison: c}
}

func (d *drawer) sequence() rules.Condition {
	c := &rules.Sequence{Within: pick(d.Source, rules.Window{Session: true}, rules.Window{Lifetime: true}, rules.Window{Last: pick(d.Source, minute, 10*minute, hour)})}
	for i := range 2 + d.IntN(2) {
		step := rules.Step{Match: d.match()}
		if i > 0 && d.chance(30) {
			step.Within = d.duration()
		}
		if i == 0 && d.chance(40) {
			step.As = "one"
		}
		if i == 1 && c.Steps[0].As != "" {
			step.Match.Where = []rules.Comparison{{Path: "sku", Operators: []rules.Operator{{Op: pick(d.Source, rules.OpEq, rules.OpNeq), Ref: "one.sku"}}}}
		}
		c.Steps = append(c.Steps, step)
	}
	if last := &c.Steps[len(c.Steps)-1]; d.chance(35) {
		last.Absent, last.Within = true, 0
		last.For = pick(d.Source, second, 5*second, 30*second)
	}
	if d.chance(40) {
		c.Lasts = d.duration()
	}
	return c
}
