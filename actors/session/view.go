package session

import "github.com/usher-audiences/usher/rules"

// View is what a person may see of a session. Instants are Unix
// milliseconds.
type View struct {
	Key         rules.UserKey    `json:"key"`
	UserID      string           `json:"userId,omitempty"`
	AnonymousID string           `json:"anonymousId,omitempty"`
	Revision    uint64           `json:"revision"`
	At          int64            `json:"at"`  // log time of the last applied input
	Seq         uint64           `json:"seq"` // its sequence
	Next        *int64           `json:"next"`
	Session     *OpenSession     `json:"session"` // null when none is open
	Sessions    int              `json:"sessions"`
	Traits      map[string]any   `json:"traits"`
	Memberships []Membership     `json:"memberships"`
	Conditions  []ConditionCount `json:"conditions"`
}

// OpenSession is the open session of a View.
type OpenSession struct {
	ID           string `json:"id"`
	Start        int64  `json:"start"`
	LastActivity int64  `json:"lastActivity"`
	Ends         int64  `json:"ends"` // unless there is activity before
	Events       int    `json:"events"`
	Pages        int    `json:"pages"`
}

// Membership is one audience the user is a member of.
type Membership struct {
	Audience rules.AudienceKey `json:"audience"`
	Since    int64             `json:"since"`
	Shadow   bool              `json:"shadow,omitempty"`
}

// ConditionCount is what one condition has counted.
type ConditionCount struct {
	Condition string `json:"condition"`
	Observed  any    `json:"observed"`
	Needs     string `json:"needs"`
	True      bool   `json:"true"`
	Inexact   bool   `json:"inexact,omitempty"`
	Changes   *int64 `json:"changes"` // when time alone changes it next
}

// View returns what a person may see of the session, as of the last applied
// input.
func (s *Session) View() View {
	seen := rules.Inspect(&s.state, s.key, s.set, s.idle, s.at)
	v := View{
		Key:         s.key,
		UserID:      s.userID,
		AnonymousID: s.anonymousID,
		Revision:    s.set.Revision(),
		At:          s.at,
		Seq:         s.seq,
		Next:        instant(s.next),
		Sessions:    int(s.state.Visit.Number),
		Traits:      s.state.Traits.Map(),
		Memberships: make([]Membership, 0, len(seen.Memberships)),
		Conditions:  make([]ConditionCount, 0, len(seen.Conditions)),
	}
	if visit := &s.state.Visit; visit.Open {
		v.Session = &OpenSession{
			ID:           visit.SessionID(),
			Start:        visit.Start,
			LastActivity: visit.Last,
			Ends:         visit.Last + int64(s.idle),
			Events:       int(visit.Events),
			Pages:        int(visit.Pages),
		}
	}
	for _, m := range seen.Memberships {
		v.Memberships = append(v.Memberships, Membership(m))
	}
	for _, c := range seen.Conditions {
		v.Conditions = append(v.Conditions, ConditionCount{c.Condition, c.Observed, c.Needs, c.True, c.Inexact, instant(c.Changes)})
	}
	return v
}

// instant is nil for an instant that does not come.
func instant(at int64) *int64 {
	if at == rules.Never {
		return nil
	}
	return &at
}

// Check evaluates everything as of the last applied input and reports what
// was last decided otherwise: nothing, or a broken invariant.
func (s *Session) Check() error { return s.state.Check(s.key, s.set, s.idle, s.at) }
