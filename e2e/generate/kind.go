package generate

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// Kinds lists the kinds of condition, window, operator and lifecycle that a
// definition uses, a word each, with repetitions.
func Kinds(d *rules.Definition) []string {
	out := lifecycleKinds(d)
	conditionKinds(d.When, func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) })
	return out
}

func lifecycleKinds(d *rules.Definition) []string {
	out := []string{map[rules.Status]string{rules.Active: "active", rules.Paused: "paused", rules.Shadow: "shadow"}[d.Status]}
	for word, used := range map[string]bool{
		"everyone": d.Everyone, "hold_for": d.HoldFor > 0, "linger": d.Linger > 0, "cooldown": d.Cooldown > 0,
		"on_session_end exit": d.OnSessionEnd == rules.ExitOnSessionEnd,
	} {
		if used {
			out = append(out, word)
		}
	}
	if d.MaxEntries != nil {
		out = append(out, "max_entries "+[]string{"session", "day", "lifetime"}[d.MaxEntries.Per])
	}
	return out
}

func conditionKinds(c rules.Condition, add func(format string, args ...any)) {
	switch c := c.(type) {
	case *rules.Group:
		add([]string{"all", "any", "none"}[c.Kind])
	case *rules.Not:
		add("not")
	case *rules.AtLeast:
		add("at_least")
	case *rules.Count:
		add([]string{"event", "page", "screen", "type", "type", "type"}[c.Match.Call])
		matchKinds(&c.Match, add)
		operatorKinds("count", c.Count, add)
		windowKinds(c.Within, c.Since, add)
	case *rules.Aggregate:
		add(string(c.Kind))
		matchKinds(&c.Match, add)
		windowKinds(c.Within, c.Since, add)
	case *rules.Sequence:
		add("sequence")
	case *rules.Trait:
		add("trait")
		comparisonKinds("trait", &c.Comparison, add)
	case *rules.SessionProperty:
		add("session: %s", c.Path)
	case *rules.ContextProperty:
		add("context")
	case *rules.Membership:
		add("audience")
	case *rules.Held:
		add("held")
	case *rules.TimeOfDay:
		add("time")
	case *rules.Bucket:
		add("bucket")
	}
	for _, member := range below(c) {
		conditionKinds(member, add)
	}
}

func matchKinds(m *rules.Match, add func(string, ...any)) {
	if len(m.Names) == 0 && m.Call == rules.Track {
		add("any event")
	}
	if m.CEL != "" {
		add("where CEL")
	}
	for i := range m.Where {
		comparisonKinds("where", &m.Where[i], add)
	}
}

func comparisonKinds(place string, c *rules.Comparison, add func(string, ...any)) {
	operatorKinds(place, c.Operators, add)
	if c.IgnoreCase {
		add("ci")
	}
}

func operatorKinds(place string, ops []rules.Operator, add func(string, ...any)) {
	for _, op := range ops {
		add("%s %s", place, op.Op)
	}
}

func windowKinds(w rules.Window, since *rules.Match, add func(string, ...any)) {
	switch {
	case w.Lifetime:
		add("within lifetime")
	case w.Session && w.Last > 0:
		add("within session and duration")
	case w.Session:
		add("within session")
	default:
		add("within duration")
	}
	if since != nil {
		add("since")
	}
}
