package rules

// Encoding is how a message's body is written.
type Encoding uint8

// The encodings of a body.
const (
	JSON Encoding = iota
	MessagePack
)

// Event is one decoded behavioural event. It may share memory with the
// payload it was decoded from.
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
}

// DecodeEvent reads one event, extracting only the values that some rule of
// the set reads. The error is a *[Rejection].
func (rs *RuleSet) DecodeEvent(payload []byte, enc Encoding) (*Event, error) {
	return nil, &Rejection{Reason: ReasonNotJSON, Detail: "decoding is not in place yet"}
}

// DecodeTraits reads one trait update. The error is a *[Rejection].
func DecodeTraits(payload []byte, enc Encoding) (*TraitUpdate, error) {
	return nil, &Rejection{Reason: ReasonNotJSON, Detail: "decoding is not in place yet"}
}
