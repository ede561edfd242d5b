package rules

import (
	"fmt"
	"strconv"
	"strings"
)

// Because returns each condition's part in a change, in the order in which
// they were written. Call it before the state moves on.
func (e *Evaluator) Because(c *Change) []Reason {
	if c.gone {
		return nil
	}
	var out []Reason
	dec := &e.set.decisions[c.decision]
	seen := make(map[condIndex]bool)
	dec.root.leaves(func(i condIndex) {
		if !seen[i] {
			seen[i] = true
			out = append(out, e.reason(i))
		}
	})
	return out
}

func (e *Evaluator) reason(i condIndex) Reason {
	cond := &e.set.conds[i]
	seen := cond.leaf.observed(e, i)
	return Reason{
		Condition: cond.label,
		Observed:  seen.value,
		Needs:     cond.needs,
		True:      cond.leaf.holds(e, i),
		Inexact:   seen.inexact,
	}
}

// ExpiresAt returns a lower bound of the instants at which time alone changes
// the membership again; Never if none does.
func (e *Evaluator) ExpiresAt(c *Change) int64 {
	if c.gone {
		return Never
	}
	return e.membershipChanges(c.decision)
}

// atLeast is a count of which only a lower bound was kept, because more would
// not matter.
func atLeast(n int) string { return strconv.Itoa(n) + "+" }

// label names a condition for a person.
func label(cond Condition) string {
	switch c := cond.(type) {
	case *Count:
		text := matchLabel(&c.Match) + windowLabel(c.Within)
		if c.Since != nil {
			text += " since " + matchLabel(c.Since)
		}
		return text
	case *Trait:
		return "trait " + c.Path
	case *Aggregate:
		text := string(c.Kind) + " " + c.Property + " of " + matchLabel(&c.Match) + windowLabel(c.Within)
		if c.Since != nil {
			text += " since " + matchLabel(c.Since)
		}
		return text
	case *Sequence:
		return sequenceLabel(c)
	case *SessionProperty:
		return "session " + c.Path
	case *ContextProperty:
		return "context " + c.Path
	case *TimeOfDay:
		return "time"
	case *Bucket:
		return "bucket " + c.Salt
	case *Membership:
		return "audience " + string(c.Audience)
	case *Held:
		return "held " + label(c.Of)
	case *Group:
		return [...]string{"all", "any", "none"}[c.Kind]
	case *Not:
		return "not " + label(c.Of)
	case *AtLeast:
		return "at least " + strconv.Itoa(c.N)
	default:
		return kindName(cond)
	}
}

func matchLabel(m *Match) string {
	var b strings.Builder
	b.WriteString([...]string{"event", "page", "screen", "identify", "group", "alias"}[m.Call])
	if len(m.Names) > 0 {
		b.WriteString(" " + strings.Join(m.Names, " or "))
	}
	for i := range m.Where {
		join := " and "
		if i == 0 {
			join = " where "
		}
		b.WriteString(join + m.Where[i].Path + " " + operatorsText(m.Where[i].Operators))
	}
	if m.CEL != "" {
		b.WriteString(" where " + m.CEL)
	}
	return b.String()
}

func sequenceLabel(c *Sequence) string {
	steps := make([]string, len(c.Steps))
	for i := range c.Steps {
		steps[i] = matchLabel(&c.Steps[i].Match)
		if c.Steps[i].Absent {
			steps[i] = "no " + steps[i] + " for " + c.Steps[i].For.String()
		}
	}
	return "sequence " + strings.Join(steps, ", then ") + windowLabel(c.Within)
}

// windowLabel leaves out the default, the session.
func windowLabel(w Window) string {
	switch {
	case w.Lifetime:
		return " within lifetime"
	case w.Last > 0 && w.Session:
		return " within session, last " + w.Last.String()
	case w.Last > 0:
		return " within " + w.Last.String()
	default:
		return ""
	}
}

// needs says what a condition requires, for a person.
func needs(cond Condition) string {
	switch c := cond.(type) {
	case *Count:
		return operatorsText(c.Count)
	case *Trait:
		return operatorsText(c.Operators)
	case *Aggregate:
		return operatorsText(c.Operators)
	case *Sequence:
		return strconv.Itoa(len(c.Steps)) + " steps"
	case *SessionProperty:
		return operatorsText(c.Operators)
	case *ContextProperty:
		return operatorsText(c.Operators)
	case *TimeOfDay:
		return clockText(c)
	case *Bucket:
		return "< " + strconv.FormatInt(int64(newBucketLeaf(c).limit), 10)
	case *Membership:
		return "member"
	case *Held:
		return "for " + c.For.String()
	default:
		return ""
	}
}

func clockText(c *TimeOfDay) string {
	var parts []string
	if len(c.Hour) > 0 {
		parts = append(parts, "hour "+operatorsText(c.Hour))
	}
	if len(c.Weekdays) > 0 {
		parts = append(parts, strings.Join(c.Weekdays, ", "))
	}
	if c.Zone != "" {
		parts = append(parts, c.Zone)
	}
	return strings.Join(parts, " ")
}

func operatorsText(ops []Operator) string {
	parts := make([]string, len(ops))
	for i := range ops {
		parts[i] = operatorText(&ops[i])
	}
	return strings.Join(parts, " and ")
}

func operatorText(o *Operator) string {
	word := string(o.Op)
	switch o.Op {
	case OpEq:
		word = "="
	case OpNeq:
		word = "!="
	case OpGt:
		word = ">"
	case OpGte:
		word = ">="
	case OpLt:
		word = "<"
	case OpLte:
		word = "<="
	}
	if o.Ref != "" {
		return word + " " + o.Ref
	}
	return word + " " + string(appendOperand(nil, o.Operand))
}

func appendOperand(dst []byte, operand any) []byte {
	switch x := operand.(type) {
	case string:
		return append(dst, x...)
	case float64:
		return strconv.AppendFloat(dst, x, 'f', -1, 64)
	case []any:
		dst = append(dst, '[')
		for i := range x {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendOperand(dst, x[i])
		}
		return append(dst, ']')
	default:
		return fmt.Append(dst, x)
	}
}
