package session

import "github.com/usher-audiences/usher/rules"

// Explain explains, as of now, why the key is or is not a member of an
// audience. Now lies in the time that is known: an instant before the last
// applied input counts as that, and one at or after the next deadline, which
// nothing has brought yet, as just before it. It returns false if the rule
// set in force does not have the audience.
func (s *Session) Explain(now int64, audience rules.AudienceKey) (rules.Explanation, bool) {
	now = max(s.at, min(now, s.next-1))
	return rules.Explain(&s.state, s.key, s.set, s.idle, now, audience)
}
