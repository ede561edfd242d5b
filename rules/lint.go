package rules

import "fmt"

// Lint returns what is legal in the definitions but cannot be meant: what is
// never true, what is always true, what contradicts itself, and spans that
// have no effect. Idle is when sessions end. What it reports is certain; what
// it does not see may still be wrong.
func Lint(defs []*Definition, idle Millis) Diagnostics {
	l := linter{idle: idle, byKey: make(map[AudienceKey]*Definition, len(defs)), known: make(map[AudienceKey]lintTruth)}
	for _, d := range defs {
		l.byKey[d.Audience] = d
	}
	for _, d := range defs {
		l.definition(d)
	}
	return checkSorted(l.diags)
}

type linter struct {
	idle  Millis
	byKey map[AudienceKey]*Definition
	known map[AudienceKey]lintTruth // of when, by audience
	quiet bool                      // findings were reported before
	diags Diagnostics
}

// lintTruth is what a condition can be, over all users and times.
type lintTruth struct{ mayHold, mayFail bool }

// lintOpen is the truth of what may go either way.
func lintOpen() lintTruth { return lintTruth{true, true} }

func (l *linter) report(at Place, message, remedy string) {
	if !l.quiet {
		l.diags = append(l.diags, Diagnostic{Place: at, Message: message, Remedy: remedy})
	}
}

func (l *linter) definition(d *Definition) {
	before := len(l.diags)
	truth := l.truth(d.When)
	l.known[d.Audience] = truth
	walkConditions(d.When, l.spans)
	if s, ok := d.When.(*Sequence); ok && s.Lasts > 0 && d.HoldFor >= s.Lasts {
		l.report(d.Place, fmt.Sprintf("hold_for, %s, is not shorter than lasts, %s: a completed sequence is over before anyone enters, unless it is completed again", d.HoldFor, s.Lasts),
			"shorten hold_for, or lengthen lasts")
	}
	if len(l.diags) > before {
		return
	}
	switch {
	case !truth.mayHold:
		l.report(d.When.At(), fmt.Sprintf("the condition of audience %q is never true: it has no members", d.Audience), "")
	case !truth.mayFail:
		l.report(d.When.At(), fmt.Sprintf("the condition of audience %q is always true: every user is a member", d.Audience), "")
	}
}

// truth judges a condition and reports what is wrong inside of it.
func (l *linter) truth(c Condition) lintTruth {
	switch c := c.(type) {
	case *Group:
		return l.group(c)
	case *Not:
		of := l.truth(c.Of)
		return lintTruth{of.mayFail, of.mayHold}
	case *AtLeast:
		return lintAtLeast(l.truths(c.Of), c.N)
	case *Held:
		of := l.truth(c.Of)
		return lintTruth{of.mayHold, true}
	case *Membership:
		return l.membership(c)
	case *Sequence:
		return l.sequence(c)
	case *TimeOfDay:
		hours := blankHours(c.Hour)
		if hours == hoursPerDay && (len(c.Weekdays) == 0 || len(c.Weekdays) == len(weekdays())) {
			l.report(c.Place, "every time matches", "")
		}
		return lintTruth{hours > 0, hours < hoursPerDay || len(c.Weekdays) > 0 && len(c.Weekdays) < len(weekdays())}
	case *Bucket:
		return l.bucket(c)
	}
	return l.leaf(c)
}

func (l *linter) truths(of []Condition) []lintTruth {
	out := make([]lintTruth, len(of))
	for i := range of {
		out[i] = l.truth(of[i])
	}
	return out
}

func lintAtLeast(of []lintTruth, n int) lintTruth {
	mayHold, mayFail := 0, 0
	for _, t := range of {
		if t.mayHold {
			mayHold++
		}
		if t.mayFail {
			mayFail++
		}
	}
	return lintTruth{mayHold >= n, mayFail > len(of)-n}
}

func (l *linter) group(c *Group) lintTruth {
	of := l.truths(c.Of)
	if c.Kind == All {
		t := lintAtLeast(of, len(of))
		if a, b, ok := l.exclusive(lintLiterals(c, nil)); t.mayHold && ok {
			l.report(a.of.At(), fmt.Sprintf("this contradicts the condition at %s: they are never true together", b.of.At()), "")
			t.mayHold = false
		}
		return t
	}
	t := lintAtLeast(of, 1)
	if a, b, ok := l.exclusive(lintDenials(c.Of)); t.mayFail && ok {
		l.report(a.of.At(), fmt.Sprintf("this or the condition at %s is true at any time", b.of.At()), "")
		t.mayFail = false
	}
	if c.Kind == None {
		return lintTruth{t.mayFail, t.mayHold}
	}
	return t
}

func (l *linter) membership(c *Membership) lintTruth {
	t := lintOpen()
	switch d := l.byKey[c.Audience]; {
	case d == nil:
	case d.Status == Paused:
		l.report(c.Place, fmt.Sprintf("audience %q is paused: it has no members", c.Audience), "")
		t.mayHold = false
	default:
		t.mayHold = l.of(d).mayHold
		if !t.mayHold {
			l.report(c.Place, fmt.Sprintf("audience %q never has members", c.Audience), "")
		}
	}
	if c.NotMember {
		return lintTruth{t.mayFail, t.mayHold}
	}
	return t
}

// of judges another audience without reporting what is wrong in it.
func (l *linter) of(d *Definition) lintTruth {
	if t, ok := l.known[d.Audience]; ok {
		return t
	}
	l.known[d.Audience] = lintOpen() // against circles, which others report
	quiet := l.quiet
	l.quiet = true
	t := l.truth(d.When)
	l.quiet = quiet
	l.known[d.Audience] = t
	return t
}

func (l *linter) bucket(c *Bucket) lintTruth {
	share := blankForm{}.truth(c)
	switch {
	case c.Percent == 0:
		l.report(c.Place, "no user is in a bucket of 0 percent", "")
	case !share.mayFail:
		l.report(c.Place, "every user is in a bucket of 100 percent", "")
	}
	return lintTruth(share)
}

// sequence judges whether every step can match.
func (l *linter) sequence(c *Sequence) lintTruth {
	t := lintOpen()
	for i := range c.Steps {
		if s := &c.Steps[i]; !l.match(&s.Match) && !s.Absent {
			t.mayHold = false
		}
	}
	return t
}

// spans reports spans that have no effect, or make others impossible.
func (l *linter) spans(c Condition) {
	s, ok := c.(*Sequence)
	if !ok {
		return
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		if s.Within.Last > 0 && step.Within >= s.Within.Last {
			l.report(step.Place, fmt.Sprintf("within of this step, %s, is not shorter than that of the sequence, %s: it has no effect", step.Within, s.Within.Last), "")
		}
		if step.Absent && s.Within.Session && step.For >= l.idle {
			l.report(step.Place, fmt.Sprintf("a session ends after %s without activity, before an absence of %s is complete, unless other events keep it open", l.idle, step.For),
				"write within: lifetime, or a duration longer than the absence, beside the sequence")
		}
	}
}

// match reports whether some event could match.
func (l *linter) match(m *Match) bool {
	possible := true
	for i := range m.Where {
		w := &m.Where[i]
		if !(lintVariable{compare: w, domain: lintAny}).truth().mayHold {
			l.report(w.Place, fmt.Sprintf("no value of %s satisfies all of this", w.Path), "")
			possible = false
		}
	}
	return possible
}

// leaf judges a condition that compares one value.
func (l *linter) leaf(c Condition) lintTruth {
	v, ok := l.variable(c)
	if !ok {
		return lintOpen()
	}
	t := v.truth()
	before := len(l.diags)
	switch c := c.(type) {
	case *Count:
		if !l.match(&c.Match) {
			v.domain = lintZero
			t = v.truth()
		}
	case *Aggregate:
		if !l.match(&c.Match) {
			t.mayHold = t.mayHold && MayHoldWithNoData(c, func(AudienceKey) bool { return false })
		}
	}
	switch {
	case len(l.diags) > before:
	case !t.mayHold:
		l.report(c.At(), "never true: nothing satisfies "+operatorsText(v.compare.Operators), "")
	case !t.mayFail:
		l.report(c.At(), "always true: everything satisfies "+operatorsText(v.compare.Operators), "")
	}
	return t
}

// exclusive finds two literals that are never true together.
func (l *linter) exclusive(literals []lintLiteral) (a, b lintLiteral, found bool) {
	for i, a := range literals {
		for _, b := range literals[:i] {
			if a.negated != b.negated && a.text == b.text {
				return a, b, true
			}
		}
	}
	byValue := make(map[string][]lintLiteral)
	for _, a := range literals {
		v, ok := l.variable(a.of)
		if !ok {
			continue
		}
		byValue[v.name] = append(byValue[v.name], a)
		if same := byValue[v.name]; len(same) > 1 && !l.together(same) {
			return a, same[0], true
		}
	}
	return a, b, false
}
