package audit

import (
	"strings"

	"github.com/usher-audiences/usher/rules"
)

// sequence tries every assignment of events to steps and asks whether any is
// satisfied at now.
func (k *keyAudit) sequence(c *rules.Sequence, now int64) bool {
	return k.assign(c, nil, now)
}

// assign extends the events chosen for the first steps by every possible one.
func (k *keyAudit) assign(c *rules.Sequence, chosen []*occurrence, now int64) bool {
	if len(chosen) == len(c.Steps) {
		last := chosen[len(chosen)-1]
		return k.lasting(c, chosen, last.o, now)
	}
	step := &c.Steps[len(chosen)]
	if step.Absent {
		return k.absence(c, chosen, step, now)
	}
	after := k.force.from[c]
	if len(chosen) > 0 {
		after = chosen[len(chosen)-1].seq
	}
	for _, e := range k.events {
		if e.seq > after && k.fits(c, chosen, step, e) && k.assign(c, append(chosen[:len(chosen):len(chosen)], e), now) {
			return true
		}
	}
	return false
}

// fits says whether an event can be the next step.
func (k *keyAudit) fits(c *rules.Sequence, chosen []*occurrence, step *rules.Step, e *occurrence) bool {
	if !stepMatches(c, chosen, &step.Match, e) {
		return false
	}
	if c.Within.Session && e.session == 0 {
		return false
	}
	if len(chosen) == 0 {
		return true
	}
	first, previous := chosen[0], chosen[len(chosen)-1]
	switch {
	case c.Within.Session && e.session != first.session,
		step.Within > 0 && e.o-previous.o >= int64(step.Within),
		c.Within.Last > 0 && len(chosen) == len(c.Steps)-1 && e.o-first.o >= int64(c.Within.Last):
		return false
	}
	return true
}

// stepMatches is matches, with the references to earlier steps filled in.
func stepMatches(c *rules.Sequence, chosen []*occurrence, m *rules.Match, e *occurrence) bool {
	filled := *m
	filled.Where = nil
	for _, w := range m.Where {
		ops := make([]rules.Operator, len(w.Operators))
		for i, op := range w.Operators {
			ops[i] = op
			if op.Ref == "" {
				continue
			}
			v := referred(c, chosen, op.Ref)
			if v == nil {
				return false
			}
			ops[i].Operand = v
		}
		w.Operators = ops
		filled.Where = append(filled.Where, w)
	}
	return matches(e, &filled)
}

// referred is the value that "step.property" stands for.
func referred(c *rules.Sequence, chosen []*occurrence, ref string) any {
	name, path, _ := strings.Cut(ref, ".")
	for i, e := range chosen {
		if c.Steps[i].As == name {
			return field(e, path)
		}
	}
	return missing
}

// absence asks whether the last step completed because nothing came.
func (k *keyAudit) absence(c *rules.Sequence, chosen []*occurrence, step *rules.Step, now int64) bool {
	previous := chosen[len(chosen)-1]
	complete := previous.o + int64(step.For)
	if complete > now {
		return false
	}
	if c.Within.Last > 0 && complete-chosen[0].o >= int64(c.Within.Last) {
		return false
	}
	if c.Within.Session && k.endedBy(previous.session, complete) {
		return false
	}
	for _, e := range k.events {
		blocks := e.seq > previous.seq && e.at < complete && stepMatches(c, chosen, &step.Match, e)
		if blocks && (!c.Within.Session || e.session == previous.session) {
			return false
		}
	}
	return k.lasting(c, chosen, complete, now)
}

// lasting asks whether a match that completed is still satisfied at now.
func (k *keyAudit) lasting(c *rules.Sequence, chosen []*occurrence, complete int64, now int64) bool {
	if c.Lasts > 0 {
		return now < complete+int64(c.Lasts)
	}
	switch {
	case c.Within.Lifetime:
		return true
	case c.Within.Session:
		return k.open != nil && k.open.number == chosen[0].session
	}
	last := chosen[len(chosen)-1]
	known := max(complete, last.at)
	for _, e := range k.ends {
		if e.at > known || e.at == known && e.byMessage && e.seq >= last.seq {
			return false
		}
	}
	return true
}

// endedBy reports whether a session had ended when the deadlines of an
// instant were evaluated. A message of the same time comes after them.
func (k *keyAudit) endedBy(session int, instant int64) bool {
	for _, e := range k.ends {
		if e.session == session {
			return e.at < instant || e.at == instant && !e.byMessage
		}
	}
	return false
}

// sequenceInstants offers, for every event, every sum of up to two of the
// sequence's durations.
func (k *keyAudit) sequenceInstants(c *rules.Sequence, consider func(int64)) {
	durations := []int64{0, int64(c.Lasts), int64(c.Within.Last)}
	for i := range c.Steps {
		durations = append(durations, int64(c.Steps[i].For), int64(c.Steps[i].Within))
	}
	for _, e := range k.events {
		for _, d := range durations {
			for _, more := range durations {
				consider(e.o + d + more)
			}
		}
	}
}
