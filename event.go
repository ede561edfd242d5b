package usher

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// UserKey identifies a person: the user id, or the anonymous id while there
// is none.
type UserKey = rules.UserKey

// AudienceKey names an audience: lower-case letters, digits and dashes.
type AudienceKey = rules.AudienceKey

// MessageMax is the greatest size of one event or trait update on the wire,
// in bytes.
const MessageMax = 32 << 10

// EventType is a call of the Segment spec.
type EventType string

// The calls of the Segment spec.
const (
	Track    EventType = "track"
	Page     EventType = "page"
	Screen   EventType = "screen"
	Identify EventType = "identify"
	Group    EventType = "group"
	Alias    EventType = "alias"
)

// Event is one thing that a person did, by the Segment spec.
type Event struct {
	// Type is the call; empty is Track.
	Type EventType
	// Event is the name of a track call: "Product Added".
	Event string
	// Name is the name of a page or screen call: "Pricing".
	Name string
	// UserID and AnonymousID say who. At least one must be set; with both the
	// event belongs to UserID.
	UserID      string
	AnonymousID string
	// MessageID tells this event apart from every other of this person: two
	// with the same one count once. Publish chooses one if it is empty.
	MessageID string
	// Timestamp is when it happened; the zero value means when it reached the
	// log.
	Timestamp time.Time
	// Properties, Traits (of an identify call) and Context hold what JSON can.
	Properties map[string]any
	Traits     map[string]any
	Context    map[string]any
}

// Key returns whose event it is, or ErrNoKey.
func (e Event) Key() (UserKey, error) {
	key := e.UserID
	if key == "" {
		key = e.AnonymousID
	}
	if _, err := subject.Encode(key); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	return UserKey(key), nil
}

// wireEvent is the order and the spelling of the fields on the wire.
type wireEvent struct {
	Type        EventType      `json:"type"`
	Event       string         `json:"event,omitempty"`
	Name        string         `json:"name,omitempty"`
	UserID      string         `json:"userId,omitempty"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	MessageID   string         `json:"messageId"`
	Timestamp   string         `json:"timestamp,omitempty"`
	Properties  map[string]any `json:"properties,omitempty"`
	Traits      map[string]any `json:"traits,omitempty"`
	Context     map[string]any `json:"context,omitempty"`
}

// MarshalJSON writes the event as it goes over the wire, with a MessageID
// chosen if it has none.
func (e Event) MarshalJSON() ([]byte, error) {
	w := wireEvent{
		Type: e.Type, Event: e.Event, Name: e.Name, UserID: e.UserID, AnonymousID: e.AnonymousID,
		MessageID: e.MessageID, Properties: e.Properties, Traits: e.Traits, Context: e.Context,
	}
	if w.Type == "" {
		w.Type = Track
	}
	if w.MessageID == "" {
		w.MessageID = rand.Text()
	}
	if !e.Timestamp.IsZero() {
		w.Timestamp = rules.FormatTime(e.Timestamp.UnixMilli())
	}
	return json.Marshal(w)
}

// encode checks what would be rejected later, where nobody sees it.
func (e Event) encode() (UserKey, []byte, error) {
	key, err := e.Key()
	if err != nil {
		return "", nil, err
	}
	switch e.Type {
	case "", Track:
		if e.Event == "" {
			return "", nil, fmt.Errorf("%w: a track call without the name of its event", ErrEvent)
		}
	case Page, Screen, Identify, Group, Alias:
	default:
		return "", nil, fmt.Errorf("%w: unknown type %q", ErrEvent, e.Type)
	}
	data, err := e.MarshalJSON()
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return key, data, nil
}
