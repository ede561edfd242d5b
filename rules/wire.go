package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Published is a transition as it stands on the wire: with the register's n.
type Published struct {
	Transition
	N uint64
}

// wireTime is the form of every instant on the wire: RFC 3339, UTC, with
// milliseconds.
const wireTime = "2006-01-02T15:04:05.000Z"

// FormatTime writes an instant in Unix milliseconds as RFC 3339, UTC, with
// milliseconds.
func FormatTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(wireTime) }

// String writes the position as <at>-<seq>-<order>, the form of the
// Usher-Position header.
func (p Position) String() string {
	return fmt.Sprintf("%d-%d-%d", p.At, p.Seq, p.Order)
}

// ParsePosition reads what [Position.String] wrote.
func ParsePosition(s string) (Position, error) {
	at, rest, _ := strings.Cut(s, "-")
	seq, order, ok := strings.Cut(rest, "-")
	var p Position
	var errs [3]error
	p.At, errs[0] = strconv.ParseInt(at, 10, 64)
	p.Seq, errs[1] = strconv.ParseUint(seq, 10, 64)
	p.Order, errs[2] = strconv.Atoi(order)
	if !ok || errs[0] != nil || errs[1] != nil || errs[2] != nil || p.Order < 0 {
		return Position{}, fmt.Errorf("position %q: want <at in ms>-<log seq>-<order>", s)
	}
	return p, nil
}

// wireTransition is the JSON form; the order of its fields is the order on
// the wire.
type wireTransition struct {
	Type        string      `json:"type"`
	Audience    AudienceKey `json:"audience"`
	Version     uint64      `json:"version"`
	Key         UserKey     `json:"key"`
	UserID      string      `json:"userId,omitempty"`
	AnonymousID string      `json:"anonymousId,omitempty"`
	SessionID   string      `json:"sessionId,omitempty"`
	N           uint64      `json:"n"`
	Position    string      `json:"position"`
	At          string      `json:"at"`
	Cause       Cause       `json:"cause"`
	Event       *wireEvent  `json:"event,omitempty"`
	ExpiresAt   *string     `json:"expiresAt"`
	Because     []Reason    `json:"because"`
	Shadow      bool        `json:"shadow,omitempty"`
}

type wireEvent struct {
	MessageID string `json:"messageId,omitempty"`
	Name      string `json:"name,omitempty"`
}

// MarshalJSON writes the transition as SPEC.md, "Transitions", shows it. Call
// it directly: json.Marshal would write <, > and & as escapes.
func (p Published) MarshalJSON() ([]byte, error) {
	w := wireTransition{
		Type: p.Kind.String(), Audience: p.Audience, Version: p.Version, Key: p.Key,
		UserID: p.UserID, AnonymousID: p.AnonymousID, SessionID: p.SessionID,
		N: p.N, Position: p.Position.String(), At: FormatTime(p.Position.At),
		Cause: p.Cause, Because: p.Because, Shadow: p.Shadow,
	}
	if p.MessageID != "" || p.EventName != "" {
		w.Event = &wireEvent{MessageID: p.MessageID, Name: p.EventName}
	}
	if p.ExpiresAt != Never {
		at := FormatTime(p.ExpiresAt)
		w.ExpiresAt = &at
	}
	if w.Because == nil {
		w.Because = []Reason{}
	}
	// Not json.Marshal: a person reads "needs":">= 3", not \u003e.
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(w); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// UnmarshalJSON reads what [Published.MarshalJSON] wrote.
func (p *Published) UnmarshalJSON(data []byte) error {
	var w wireTransition
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*p = Published{N: w.N, Transition: Transition{
		Audience: w.Audience, Version: w.Version, Key: w.Key, UserID: w.UserID,
		AnonymousID: w.AnonymousID, SessionID: w.SessionID, Cause: w.Cause,
		Because: w.Because, Shadow: w.Shadow, ExpiresAt: Never,
	}}
	switch w.Type {
	case Entered.String():
		p.Kind = Entered
	case Exited.String():
		p.Kind = Exited
	default:
		return fmt.Errorf("transition type %q: want entered or exited", w.Type)
	}
	var err error
	if p.Position, err = ParsePosition(w.Position); err != nil {
		return err
	}
	if w.Event != nil {
		p.MessageID, p.EventName = w.Event.MessageID, w.Event.Name
	}
	if w.ExpiresAt != nil {
		at, err := time.Parse(time.RFC3339, *w.ExpiresAt)
		if err != nil {
			return fmt.Errorf("expiresAt: %w", err)
		}
		p.ExpiresAt = at.UnixMilli()
	}
	return nil
}
