package rules

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// CanonicalCondition returns what a condition means, as text: two conditions
// with equal texts are true at the same instants, and count the same things,
// whatever user and log they are asked about. The order of a group's members,
// of where's properties and of a list of values does not matter, nor does it
// how a duration, a number, an instant or a default was written, nor what the
// steps of a sequence are called. Different texts may still mean the same.
func CanonicalCondition(c Condition) string {
	return string(canonicalAppend(nil, canonicalForm{identity: true}.condition(c)))
}

// CanonicalMatch returns which events a match selects, as text, in the same
// sense as [CanonicalCondition]. A match in a sequence may refer to steps by
// name; such texts compare only within one sequence.
func CanonicalMatch(m *Match) string {
	return string(canonicalAppend(nil, canonicalForm{identity: true}.match(m)))
}

// canonicalForm turns conditions into plain values that [Parse] would read.
// With identity set, it also gives up what does not change the meaning.
type canonicalForm struct {
	identity bool
	// steps maps the names of a sequence's steps to their numbers.
	steps map[string]int
}

func (f canonicalForm) condition(c Condition) any {
	switch c := c.(type) {
	case *Group:
		return f.group(c)
	case *Not:
		return f.not(c.Of)
	case *AtLeast:
		return map[string]any{"at_least": map[string]any{"n": c.N, "of": f.members(c.Of)}}
	case *Count:
		out := f.match(&c.Match)
		out["count"] = f.operators(c.Count, nil)
		f.occurrences(out, c.Within, c.Since)
		return out
	case *Aggregate:
		return f.aggregate(c)
	case *Sequence:
		return f.sequence(c)
	case *Trait:
		return f.value("trait", &c.Comparison)
	case *SessionProperty:
		return f.value("session", &c.Comparison)
	case *ContextProperty:
		return f.value("context", &c.Comparison)
	case *Membership:
		is := "member"
		if c.NotMember {
			is = "not_member"
		}
		return map[string]any{"audience": string(c.Audience), "is": is}
	case *Held:
		return map[string]any{"held": f.condition(c.Of), "for": c.For}
	case *TimeOfDay:
		return f.timeOfDay(c)
	case *Bucket:
		percent := c.Percent
		if f.identity {
			percent = math.Round(percent*100) / 100
		}
		return map[string]any{"bucket": map[string]any{"percent": percent, "salt": c.Salt}}
	}
	panic(fmt.Sprintf("rules: %T is not a condition of the language", c))
}

// group returns a group. As an identity, a group of one is its member, and
// for none its opposite.
func (f canonicalForm) group(c *Group) any {
	members := f.members(c.Of)
	if f.identity {
		// Of two equal members one says it all. In at_least both count.
		members = slices.CompactFunc(members, canonicalEqual)
		if len(members) == 1 && c.Kind == None {
			return f.not(c.Of[0])
		}
		if len(members) == 1 {
			return members[0]
		}
	}
	return map[string]any{[...]string{"all", "any", "none"}[c.Kind]: members}
}

// not returns the opposite of c. As an identity, two opposites cancel.
func (f canonicalForm) not(c Condition) any {
	of := f.condition(c)
	if inner, ok := of.(map[string]any); ok && f.identity && inner["not"] != nil {
		return inner["not"]
	}
	return map[string]any{"not": of}
}

func (f canonicalForm) members(of []Condition) []any {
	return f.sorted(canonicalList(of, f.condition))
}

// sorted puts values whose order means nothing in one order, for identities.
func (f canonicalForm) sorted(values []any) []any {
	if !f.identity || len(values) < 2 {
		return values
	}
	type written struct {
		value any
		text  string
	}
	all := make([]written, len(values))
	for i, v := range values {
		all[i] = written{v, string(canonicalAppend(nil, v))}
	}
	slices.SortFunc(all, func(a, b written) int { return strings.Compare(a.text, b.text) })
	return canonicalList(all, func(w written) any { return w.value })
}

// canonicalEqual reports whether two values are written the same.
func canonicalEqual(a, b any) bool {
	return bytes.Equal(canonicalAppend(nil, a), canonicalAppend(nil, b))
}

// match returns an event, page, screen or type key and where.
func (f canonicalForm) match(m *Match) map[string]any {
	out := map[string]any{}
	switch m.Call {
	case Track, Page, Screen:
		word := [...]string{"event", "page", "screen"}[m.Call]
		out[word] = f.names(m.Names)
	default:
		out["type"] = callTypes()[m.Call]
	}
	f.where(out, m)
	return out
}

func (f canonicalForm) names(names []string) any {
	if len(names) == 0 {
		return "*"
	}
	return f.sorted(canonicalList(names, func(s string) any { return s }))
}

func (f canonicalForm) where(out map[string]any, m *Match) {
	if m.CEL != "" {
		out["where"] = m.CEL
	}
	if len(m.Where) == 0 {
		return
	}
	where := map[string]any{}
	for i := range m.Where {
		c := &m.Where[i]
		operators := f.operators(c.Operators, nil)
		canonicalSet(operators, "ci", c.IgnoreCase)
		where[c.Path] = operators
	}
	out["where"] = where
}

// operators adds operators to out, which may be nil, and returns it.
func (f canonicalForm) operators(operators []Operator, out map[string]any) map[string]any {
	if out == nil {
		out = map[string]any{}
	}
	for _, o := range operators {
		out[string(o.Op)] = f.operand(o)
	}
	return out
}

func (f canonicalForm) operand(o Operator) any {
	if o.Ref != "" {
		return map[string]any{"ref": f.ref(o.Ref)}
	}
	if !f.identity {
		return o.Operand
	}
	switch o.Op {
	case OpIn, OpNotIn, OpIncludesAny, OpIncludesAll:
		if list, ok := o.Operand.([]any); ok {
			return slices.CompactFunc(f.sorted(slices.Clone(list)), canonicalEqual)
		}
	case OpBefore, OpAfter:
		if text, ok := o.Operand.(string); ok {
			if at, ok := parseInstant(text); ok {
				return at.UTC().Format(time.RFC3339Nano)
			}
		}
	}
	return o.Operand
}

// ref returns a reference; as an identity it names the step by number.
func (f canonicalForm) ref(ref string) string {
	step, path, _ := strings.Cut(ref, ".")
	if n, ok := f.steps[step]; ok && f.identity {
		return fmt.Sprintf("#%d.%s", n, path)
	}
	return ref
}

// value returns a condition that compares the value at a path.
func (f canonicalForm) value(word string, c *Comparison) any {
	out := f.operators(c.Operators, map[string]any{word: c.Path})
	canonicalSet(out, "ci", c.IgnoreCase)
	return out
}

// occurrences adds which occurrences count.
func (f canonicalForm) occurrences(out map[string]any, w Window, since *Match) {
	out["within"] = canonicalWindow(w)
	if since != nil {
		out["since"] = f.match(since)
	}
}

func canonicalWindow(w Window) any {
	switch {
	case w.Lifetime:
		return "lifetime"
	case w.Session && w.Last > 0:
		return map[string]any{"session": true, "last": w.Last}
	case w.Session:
		return "session"
	}
	return w.Last
}

func (f canonicalForm) aggregate(c *Aggregate) any {
	out := f.operators(c.Operators, map[string]any{string(c.Kind): c.Property})
	out["of"] = f.match(&c.Match)
	canonicalSet(out, "ci", c.IgnoreCase)
	f.occurrences(out, c.Within, c.Since)
	return out
}

func (f canonicalForm) sequence(c *Sequence) any {
	f.steps = map[string]int{}
	for i, s := range c.Steps {
		if s.As != "" {
			f.steps[s.As] = i
		}
	}
	out := map[string]any{"sequence": canonicalList(c.Steps, f.step), "within": canonicalWindow(c.Within)}
	canonicalSet(out, "lasts", c.Lasts)
	return out
}

func (f canonicalForm) step(s Step) any {
	if s.Absent {
		return map[string]any{"absent": f.match(&s.Match), "for": s.For}
	}
	out := f.match(&s.Match)
	canonicalSet(out, "within", s.Within)
	if !f.identity {
		canonicalSet(out, "as", s.As)
	}
	return out
}

func (f canonicalForm) timeOfDay(c *TimeOfDay) any {
	inner := map[string]any{}
	if len(c.Hour) > 0 {
		inner["hour"] = f.operators(c.Hour, nil)
	}
	days := c.Weekdays
	if f.identity {
		days = nil
		for _, day := range weekdays() {
			if slices.Contains(c.Weekdays, day) {
				days = append(days, day)
			}
		}
		if len(days) == len(weekdays()) && len(c.Hour) > 0 {
			days = nil
		}
	}
	if len(days) > 0 {
		inner["weekday"] = canonicalList(days, func(s string) any { return s })
	}
	if !f.identity || c.Zone != "UTC" {
		canonicalSet(inner, "tz", c.Zone)
	}
	return map[string]any{"time": inner}
}
