package rules

import (
	"fmt"
	"slices"
	"strings"
)

// stepNames are the names of the steps before the one being read.
type stepNames struct{ earlier []string }

// sequence reads a sequence of steps.
func (p *parser) sequence(word parserField, m parserMapping) Condition {
	p.only(m, "a sequence", []string{"sequence", "within", "lasts"})
	c := &Sequence{Place: m.Place, Within: p.windowOf(m)}
	if within := m.get("within"); c.Within.Session && c.Within.Last > 0 {
		p.report(within.Place, "within of a sequence is session, lifetime or a duration, not both", "bound the steps by their own within, or leave the session out")
	}
	if lasts := m.get("lasts"); lasts != nil {
		c.Lasts, _ = p.duration(lasts, "lasts")
	}
	items := p.list(word.value, "sequence")
	if len(items) > StepsMax {
		p.report(items[StepsMax].Place, fmt.Sprintf("more than %d steps in one sequence", StepsMax), "")
		return nil
	}
	names := &stepNames{}
	for i, item := range items {
		step := p.step(item, names)
		if i == 0 && step.Within > 0 {
			p.report(step.Place, "the first step has no step before it that within could count from", "leave it out; within beside sequence bounds the whole")
		}
		c.Steps = append(c.Steps, step)
	}
	p.checkAbsence(c)
	return c
}

// checkAbsence checks that an absence stands last, behind another step, and
// can be completed.
func (p *parser) checkAbsence(c *Sequence) {
	for i, step := range c.Steps {
		switch {
		case !step.Absent:
		case i < len(c.Steps)-1:
			p.report(step.Place, "absent may only be the last step", "end the sequence here, or write an event")
		case i == 0:
			p.report(step.Place, "absent needs a step before it", "its time counts from the step before it")
		case c.Within.Last > 0 && step.For > 0 && c.Within.Last <= step.For:
			p.report(step.Place, fmt.Sprintf("the sequence's within, %s, must be longer than the absence, %s", c.Within.Last, step.For),
				"lengthen within, or shorten for")
		}
	}
}

// step reads one step and adds its name to names.
func (p *parser) step(n *parserNode, names *stepNames) Step {
	s := Step{Place: n.Place}
	m, ok := p.mapping(n, "a step")
	if !ok {
		return s
	}
	if m.get("absent") != nil {
		p.absentStep(&s, m, names)
		return s
	}
	p.only(m, "a step", []string{"as", "event", "page", "screen", "type", "where", "within", "absent", "for"})
	p.stepMatch(&s, m, names)
	if within := m.get("within"); within != nil {
		s.Within, _ = p.duration(within, "within of a step")
	}
	if m.get("for") != nil {
		p.report(m.get("for").Place, "for belongs to an absent step", "for a bound since the step before write within:")
	}
	if as := m.get("as"); as != nil {
		s.As = p.stepName(as, names)
	}
	return s
}

// absentStep reads a step that asks for the absence of an event.
func (p *parser) absentStep(s *Step, m parserMapping, names *stepNames) {
	p.only(m, "an absent step", []string{"absent", "where", "for"})
	s.Absent = true
	s.Match = p.matchValue(m.get("absent"), "absent", m.get("where"), names)
	if p.needs(m, "an absent step", "for") {
		s.For, _ = p.duration(m.get("for"), "for")
	}
}

// stepMatch reads what event a step waits for.
func (p *parser) stepMatch(s *Step, m parserMapping, names *stepNames) {
	var found []parserField
	for _, f := range m.fields {
		if slices.Contains([]string{"event", "page", "screen", "type"}, f.name) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		p.report(m.Place, "the step waits for nothing", "give it one of event, page, screen, type and absent")
	case 1:
		s.Match = p.match(found[0], m, names)
	default:
		p.report(found[1].Place, fmt.Sprintf("one step waits for two: %q and %q", found[0].name, found[1].name), "write two steps")
	}
}

// stepName reads the name of a step.
func (p *parser) stepName(n *parserNode, names *stepNames) string {
	name, ok := p.str(n, "as")
	switch {
	case !ok:
		return ""
	case len(name) > KeyMax || strings.TrimLeft(name, parserZoneLetters) != "":
		p.report(n.Place, fmt.Sprintf("step name %q is not letters, digits, dashes and underscores", diagClip(name)), "")
		return ""
	case slices.Contains(names.earlier, name):
		p.report(n.Place, fmt.Sprintf("two steps are called %q", name), "give each its own name")
		return ""
	}
	names.earlier = append(names.earlier, name)
	return name
}
