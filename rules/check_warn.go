package rules

import (
	"fmt"
	"math"
	"strings"
)

// SessionIdle is how long after its last activity a session ends, unless the
// installation says otherwise.
const SessionIdle = 30 * minute

// Warn returns what is legal in the definitions but surely not meant, for
// sessions that end after [SessionIdle].
func Warn(defs []*Definition) Diagnostics { return WarnIdle(defs, SessionIdle) }

// WarnIdle is [Warn] for sessions that end after idle.
func WarnIdle(defs []*Definition, idle Millis) Diagnostics {
	w := warnings{idle: idle}
	for _, d := range defs {
		w.negated(d.When, affirmed)
		walkConditions(d.When, w.condition)
	}
	return checkSorted(w.diags)
}

type warnings struct {
	idle  Millis
	diags Diagnostics
}

func (w *warnings) report(at Place, message, remedy string) {
	w.diags = append(w.diags, Diagnostic{Place: at, Message: message, Remedy: remedy})
}

// polarity is the side on which a condition helps the whole to be true.
type polarity int

const (
	affirmed polarity = 1  // by being true
	denied   polarity = -1 // by being false: an odd number of none and not stand around it
)

// negated warns about denied conditions over a session window.
func (w *warnings) negated(c Condition, side polarity) {
	switch c := c.(type) {
	case *Group:
		if c.Kind == None {
			side = -side
		}
		for _, of := range c.Of {
			w.negated(of, side)
		}
	case *AtLeast:
		for _, of := range c.Of {
			w.negated(of, side)
		}
	case *Not:
		w.negated(c.Of, -side)
	case *Held:
		w.negated(c.Of, side)
	case *Count:
		w.negatedWindow(c.Place, c.Within, side)
	case *Aggregate:
		w.negatedWindow(c.Place, c.Within, side)
	case *Sequence:
		if c.Lasts == 0 {
			w.negatedWindow(c.Place, c.Within, side)
		}
	}
}

func (w *warnings) negatedWindow(at Place, within Window, side polarity) {
	if side == denied && within.Session {
		w.report(at, "none or not over a session window: those it excludes come back when the session ends", "write within: lifetime, or a duration, if they should stay out")
	}
}

// condition warns about what one condition says, apart from those around it.
func (w *warnings) condition(c Condition) {
	switch c := c.(type) {
	case *Count:
		w.match(&c.Match)
		w.operators(c.Count)
		w.since(c.Since)
	case *Aggregate:
		w.match(&c.Match)
		w.path(c.Place, c.Property)
		w.operators(c.Operators)
		w.since(c.Since)
	case *Sequence:
		for i := range c.Steps {
			w.match(&c.Steps[i].Match)
		}
	case *Trait:
		w.operators(c.Operators)
	case *ContextProperty:
		w.operators(c.Operators)
	case *SessionProperty:
		w.operators(c.Operators)
		w.sessionIdle(c)
	case *TimeOfDay:
		if blankHours(c.Hour) == 0 {
			w.report(c.Place, "no hour matches", "hours do not wrap around midnight: for the night write any: with two time conditions")
		}
	case *Bucket:
		if c.Percent > 0 && math.Round(c.Percent*100) == 0 {
			w.report(c.Place, "percent rounds to 0.00, so no key is in the bucket", "")
		}
	}
}

func (w *warnings) since(m *Match) {
	if m != nil {
		w.match(m)
	}
}

func (w *warnings) match(m *Match) {
	for i := range m.Where {
		w.path(m.Where[i].Place, m.Where[i].Path)
		w.operators(m.Where[i].Operators)
	}
}

// path warns about a path that names the object it already starts at.
func (w *warnings) path(at Place, path string) {
	if rest, ok := strings.CutPrefix(path, "properties."); ok {
		w.report(at, fmt.Sprintf("path %q looks inside a property called properties", path), fmt.Sprintf("paths start at properties already: write %s", rest))
	}
}

// sessionIdle warns about an idle time that no session reaches.
func (w *warnings) sessionIdle(c *SessionProperty) {
	if c.Path != "idle" {
		return
	}
	for _, o := range c.Operators {
		for _, v := range operandValues(o) {
			if d, ok := v.(Millis); ok && d >= w.idle {
				w.report(o.Place, fmt.Sprintf("a session ends when it has been idle for %s, so idle never reaches %s", w.idle, d), "")
			}
		}
	}
}

// operandValues returns an operator's operand, or the members of its list.
func operandValues(o Operator) []any {
	if list, ok := o.Operand.([]any); ok {
		return list
	}
	return []any{o.Operand}
}

// exactMax is 2 to the 53rd: from here on, a double skips whole numbers.
const exactMax = 1 << 53

func (w *warnings) operators(operators []Operator) {
	for _, o := range operators {
		values := operandValues(o)
		for _, v := range values {
			if f, ok := v.(float64); ok && math.Abs(f) >= exactMax && f == math.Trunc(f) {
				w.report(o.Place, "numbers are IEEE 754 doubles: whole numbers from 2^53 on are not all told apart", "if it is an identifier, send and compare it as text, in quotes")
				break
			}
		}
		if o.Op == OpBetween && len(values) == 2 && warnReversed(values[0], values[1]) {
			w.report(o.Place, "between has its greater end first, so nothing lies in it", "write the lower end first")
		}
	}
}

// warnReversed reports whether low is greater than high.
func warnReversed(low, high any) bool {
	switch low := low.(type) {
	case float64:
		high, ok := high.(float64)
		return ok && low > high
	case Millis:
		high, ok := high.(Millis)
		return ok && low > high
	case string:
		high, ok := high.(string)
		return ok && low > high
	}
	return false
}
