package rules

import "fmt"

// gates lists the rules of the lifecycle that stand between the truth of when
// and the membership.
func (e *Evaluator) gates(dec *decision, d decisionIndex, rec memberRecord) []Gate {
	out := []Gate{}
	a := dec.audience.Definition
	if dec.paused() {
		return append(out, Gate{Rule: "status", Text: "paused: it has no members"})
	}
	life := e.life(d, false)
	if rec.member {
		if !rec.raw {
			end := later(life.turned, a.Linger)
			out = append(out, Gate{"linger", fmt.Sprintf("stays a member for %s after the condition turned false", a.Linger), explainedAt(end)})
		}
		return out
	}
	if rec.raw && a.OnSessionEnd == ExitOnSessionEnd && !e.state.Visit.Open {
		out = append(out, Gate{Rule: "on_session_end", Text: "no entry while no session is open"})
	}
	if end := later(life.turned, a.HoldFor); rec.raw && end > e.now {
		out = append(out, Gate{"hold_for", fmt.Sprintf("the condition must be true for %s", a.HoldFor), explainedAt(end)})
	}
	if end := later(life.exitAt, a.Cooldown); life.exited && end > e.now {
		out = append(out, Gate{"cooldown", fmt.Sprintf("no entry for %s after the last exit", a.Cooldown), explainedAt(end)})
	}
	if a.MaxEntries == nil {
		return out
	}
	period, next := e.period(a.MaxEntries.Per)
	if life.period == period && int(life.entries) >= a.MaxEntries.Count {
		per := [...]string{"session", "day", "lifetime"}[a.MaxEntries.Per]
		out = append(out, Gate{"max_entries", fmt.Sprintf("entered %d of %d times per %s", life.entries, a.MaxEntries.Count, per), explainedAt(next)})
	}
	return out
}
