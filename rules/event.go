package rules

import "strconv"

// EventMax bounds one message: an event, or a trait update.
const EventMax = 32 << 10

// userKeyMax bounds a user id or anonymous id, in bytes.
const userKeyMax = 256

// timestampMax is the last millisecond of the year 9999.
const timestampMax = 253402300799999

// Encoding is how a message's body is written.
type Encoding uint8

// The encodings of a body.
const (
	JSON Encoding = iota
	MessagePack
)

// Event is one decoded behavioural event. It shares memory with a copy of the
// payload it was decoded from; nothing that a session keeps does.
//
// A track call without an event name, or whose name is not a string, is
// accepted: its Name is empty and only conditions on any event ("*", or a
// call type) match it. Fields of the wrong type count as missing, but for
// three: the key and the type, without which the event means nothing, and the
// timestamp, without which it would count at the wrong time.
type Event struct {
	Call         CallType
	Name         string // event of a track call, name of a page or screen call
	Key          UserKey
	UserID       string
	AnonymousID  string
	MessageID    string
	Timestamp    int64 // Unix milliseconds; Never if the event carries none
	SessionID    string
	SessionStart bool
	Traits       map[string]any // identify only

	// values are the extracted values, each path once, and from whose rules
	// they were; body is kept to extract again for another rule set.
	values []value
	few    [4]value // what values points into while they are few
	from   *RuleSet
	body   string
}

// DecodeEvent reads one event, extracting only the values that some rule of
// the set reads. The body is checked in full, whatever the rules read.
//
// The error is a *[Rejection]: too_large over [EventMax] bytes; too_deep
// beyond 32 levels; not_json for what is no JSON (or MessagePack) object;
// bad_number for NaN, an infinity, or a magnitude beyond float64; no_key when
// neither userId nor anonymousId is a non-empty string, when a userId is not a
// string, or when the key is longer than 256 bytes; unknown_type for a type
// other than the six, or none; bad_timestamp for a timestamp that is not RFC
// 3339 or lies outside the years 1970 to 9999. A timestamp in the future is
// no error: the session counts it at log time. Of two members of one name the
// last counts, as in encoding/json.
func (rs *RuleSet) DecodeEvent(payload []byte, enc Encoding) (*Event, error) {
	body, rejection := bodyText(payload, enc)
	if rejection != nil {
		return nil, rejection
	}
	ev, rejection := rs.decodeBody(body)
	if rejection != nil {
		return nil, rejection
	}
	return ev, nil
}

// DecodeEventInto is [RuleSet.DecodeEvent] into an event of the caller's that
// nobody needs any more, for one who decodes many and keeps none.
func (rs *RuleSet) DecodeEventInto(ev *Event, payload []byte, enc Encoding) error {
	body, rejection := bodyText(payload, enc)
	if rejection == nil {
		rejection = rs.decodeInto(ev, body)
	}
	if rejection != nil {
		return rejection
	}
	return nil
}

// under returns the event as the rule set reads it.
func (ev *Event) under(rs *RuleSet) *Event {
	if ev.from == rs || ev.body == "" {
		return ev
	}
	again, rejection := rs.decodeBody(ev.body)
	if rejection != nil {
		panic("rules: a decoded event does not decode again: " + rejection.Error())
	}
	return again
}

// DecodeTraits reads one trait update: userId or anonymousId, and traits. The
// error is a *[Rejection], for the reasons of [RuleSet.DecodeEvent] that
// apply. Without traits, or with null, nothing is merged.
func DecodeTraits(payload []byte, enc Encoding) (*TraitUpdate, error) {
	body, rejection := bodyText(payload, enc)
	if rejection != nil {
		return nil, rejection
	}
	x := extractor{sc: scanner{s: body}, ev: &Event{}}
	if !x.topLevel() || !x.finishKey() {
		return nil, x.sc.err
	}
	u := &TraitUpdate{Key: x.ev.Key, UserID: x.ev.UserID, AnonymousID: x.ev.AnonymousID}
	if x.traitsAt > 0 {
		sc := scanner{s: body, i: x.traitsAt}
		switch traits := sc.plain().(type) {
		case map[string]any:
			u.Traits = traits
		case nil:
		default:
			return nil, &Rejection{Reason: ReasonNotJSON, Detail: "traits is not an object"}
		}
	}
	return u, nil
}

// bodyText returns the message as JSON text.
func bodyText(payload []byte, enc Encoding) (string, *Rejection) {
	if len(payload) > EventMax {
		return "", &Rejection{Reason: ReasonTooLarge,
			Detail: strconv.Itoa(len(payload)) + " bytes, at most " + strconv.Itoa(EventMax)}
	}
	if enc == MessagePack {
		return transcode(payload)
	}
	return string(payload), nil
}
