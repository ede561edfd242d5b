package audit

import (
	"time"

	"github.com/usher-audiences/usher/rules"
)

// next returns the earliest instant after now at which time alone could change
// the audience. It may well name instants at which nothing changes: it is
// generous, so that it need not be clever.
func (k *keyAudit) next(a *audience, d *rules.Definition, now int64) int64 {
	least := rules.Never
	consider := func(instant int64) {
		if instant > now {
			least = min(least, instant)
		}
	}
	consider(a.trueSince + int64(d.HoldFor))
	consider(a.falseSince + int64(d.Linger))
	consider(a.lastExit + int64(d.Cooldown))
	if d.MaxEntries != nil && d.MaxEntries.Per == rules.PerDay {
		consider((now/dayMillis + 1) * dayMillis)
	}
	walk(d.When, func(c rules.Condition) { k.instants(c, now, consider) })
	return least
}

// instants offers every instant after now at which a condition could change
// by time alone. The end of the session is not among them: it is an instant
// for all.
func (k *keyAudit) instants(c rules.Condition, now int64, consider func(int64)) {
	switch c := c.(type) {
	case *rules.Count:
		k.windowEnds(&c.Match, c.Within, consider)
	case *rules.Aggregate:
		k.windowEnds(&c.Match, c.Within, consider)
	case *rules.Sequence:
		k.sequenceInstants(c, consider)
	case *rules.Trait:
		dateInstants(at(k.traits, c.Path), &c.Comparison, consider)
	case *rules.ContextProperty:
		dateInstants(k.latestContext(c), &c.Comparison, consider)
	case *rules.SessionProperty:
		if k.open != nil {
			for _, span := range spans(c.Operators) {
				for _, origin := range []int64{k.open.start, k.open.last} {
					consider(origin + span)
					consider(origin + span + 1)
				}
			}
		}
	case *rules.Held:
		if since, known := k.heldSince[k.force.identity[c]]; known {
			consider(since + int64(c.For))
		}
	case *rules.TimeOfDay:
		hourInstants(zone(c.Zone), now, consider)
	}
}

func (k *keyAudit) windowEnds(m *rules.Match, w rules.Window, consider func(int64)) {
	if w.Last == 0 {
		return
	}
	for _, e := range k.matching(m, 0) {
		consider(e.o + int64(w.Last))
	}
}

// spans lists the numbers that operators compare with.
func spans(ops []rules.Operator) []int64 {
	var out []int64
	for _, op := range ops {
		operands := []any{op.Operand}
		if members, isList := op.Operand.([]any); isList {
			operands = members
		}
		for _, operand := range operands {
			if n, isNumber := number(operand); isNumber {
				out = append(out, int64(n))
			}
		}
	}
	return out
}

func dateInstants(v any, c *rules.Comparison, consider func(int64)) {
	d, isDate := instant(v)
	if !isDate {
		return
	}
	consider(d.UnixMilli())
	for _, op := range c.Operators {
		if span, isSpan := op.Operand.(rules.Millis); isSpan {
			consider(d.UnixMilli() + int64(span))
		}
	}
}

// hourInstants offers the next full hours, midnight and change of offset in a
// time zone.
func hourInstants(where *time.Location, now int64, consider func(int64)) {
	t := time.UnixMilli(now).In(where)
	for h := range 26 {
		consider(time.Date(t.Year(), t.Month(), t.Day(), h, 0, 0, 0, where).UnixMilli())
	}
	if _, end := t.ZoneBounds(); !end.IsZero() {
		consider(end.UnixMilli())
	}
}
