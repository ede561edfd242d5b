package usher

import (
	"encoding/json"
	"time"

	"github.com/usher-audiences/usher/rules"
)

// Position says where in the log a transition belongs. A consumer that must
// apply each transition once keeps the last position per audience and person,
// and drops what is not after it.
type Position = rules.Position

// Reason is one condition's part in a transition: what was observed, what it
// needs, and whether that made it true.
type Reason = rules.Reason

// Cause says what made a transition happen: an event, a trait update, or
// time alone.
type Cause = rules.Cause

// The causes.
const (
	CauseEvent        = rules.CauseEvent
	CauseTraits       = rules.CauseTraits
	CauseWindow       = rules.CauseWindow
	CauseSessionStart = rules.CauseSessionStart
	CauseSessionEnd   = rules.CauseSessionEnd
	CauseDeadline     = rules.CauseDeadline
	CauseRuleChanged  = rules.CauseRuleChanged
	CauseMerge        = rules.CauseMerge
)

// TransitionType says which way a person went.
type TransitionType string

// The types of transition.
const (
	Entered TransitionType = "entered"
	Exited  TransitionType = "exited"
)

// Transition is one entry into, or exit from, an audience.
type Transition struct {
	Type     TransitionType
	Audience AudienceKey
	// Version is that of the audience's definition.
	Version uint64
	Key     UserKey
	// UserID and AnonymousID are those of the event, where there was one.
	UserID      string
	AnonymousID string
	SessionID   string
	// N counts the transitions of this audience and this person: odd for
	// entered, even for exited.
	N        uint64
	Position Position
	// At is when it happened: when the event reached the log, or the exact
	// instant at which time made the difference.
	At    time.Time
	Cause Cause
	// MessageID and Event are those of the event that caused it, if one did.
	MessageID string
	Event     string
	// ExpiresAt is an instant before which time alone cannot change this
	// membership; zero if time alone never can.
	ExpiresAt time.Time
	Because   []Reason
	// Current is set on the members that a watcher is told first: it was so
	// before the watch began.
	Current bool

	wire []byte
}

// MarshalJSON returns the transition as it stands on the wire.
func (t Transition) MarshalJSON() ([]byte, error) {
	if t.wire == nil {
		return nil, &json.UnsupportedValueError{Str: "a transition that was not received"}
	}
	return t.wire, nil
}

// UnmarshalJSON reads a transition from the wire, for consumers that read the
// stream with a NATS client of their own.
func (t *Transition) UnmarshalJSON(data []byte) error {
	var p rules.Published
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*t = Transition{
		Type: TransitionType(p.Kind.String()), Audience: p.Audience, Version: p.Version, Key: p.Key,
		UserID: p.UserID, AnonymousID: p.AnonymousID, SessionID: p.SessionID,
		N: p.N, Position: p.Position, At: time.UnixMilli(p.Position.At).UTC(), Cause: p.Cause,
		MessageID: p.MessageID, Event: p.EventName, Because: p.Because,
		wire: append([]byte(nil), data...),
	}
	if p.ExpiresAt != rules.Never {
		t.ExpiresAt = time.UnixMilli(p.ExpiresAt).UTC()
	}
	return nil
}
