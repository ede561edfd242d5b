package rules

import "fmt"

// Check evaluates every decision of the rule set, as of now, and reports the
// first that was last decided otherwise, or a deadline that has passed. Now
// must be the instant of the last evaluation. It is what the simulation asks
// after each step: evaluation looks only at what it knows to have changed, and
// this is how that is held against looking at everything.
func (s *State) Check(key UserKey, rs *RuleSet, idle Millis, now int64) error {
	if next := s.Deadline(rs, idle, now); next <= now {
		return fmt.Errorf("key %q: the deadline %d has passed at %d", key, next, now)
	}
	if !s.known {
		return nil
	}
	e := NewEvaluator()
	e.Begin(s, key, rs, idle)
	e.At(now)
	for i := range rs.decisions {
		dec := &rs.decisions[i]
		rec := e.record(decisionIndex(i))
		if raw := !dec.paused() && dec.root.holds(e); raw != rec.raw {
			return fmt.Errorf("key %q: %s was decided %v at %d, and is %v", key, dec.name, rec.raw, now, raw)
		}
	}
	return nil
}
