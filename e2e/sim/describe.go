package sim

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// describe writes a definition on one line, for a person.
func describe(v rules.Versioned) string {
	d := v.Definition
	text := fmt.Sprintf("%s v%d status %d everyone %t hold_for %s linger %s cooldown %s on_session_end %d",
		d.Audience, v.Version, d.Status, d.Everyone, d.HoldFor, d.Linger, d.Cooldown, d.OnSessionEnd)
	if d.MaxEntries != nil {
		text += fmt.Sprintf(" max_entries %d per %d", d.MaxEntries.Count, d.MaxEntries.Per)
	}
	return text + " when " + rules.CanonicalCondition(d.When)
}
