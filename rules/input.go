package rules

import "fmt"

// InputKind says what an [Input] is.
type InputKind uint8

// The kinds of input.
const (
	// EventInput is a behavioural event of the key.
	EventInput InputKind = iota
	// TraitsInput merges traits. It is not activity.
	TraitsInput
	// TickInput only lets time pass: deadlines at or before At fire.
	TickInput
	// RulesInput puts another rule set in force for the key.
	RulesInput
)

// Input is one log message as one key sees it. At is log time in Unix
// milliseconds and Seq the message's sequence; inputs reach a key in the
// order of (At, Seq). Before an input is applied, every deadline of the key
// at or before At fires.
type Input struct {
	Kind   InputKind
	At     int64
	Seq    uint64
	Event  *Event       // EventInput
	Traits *TraitUpdate // TraitsInput
	Rules  *RuleSet     // RulesInput
}

// TraitUpdate is the decoded body of a traits.<key> message.
type TraitUpdate struct {
	Key         UserKey
	UserID      string
	AnonymousID string
	Traits      map[string]any // merged at the top level; nil deletes
}

// Why a message is set aside. These words are the Usher-Reason header.
const (
	ReasonNotJSON      = "not_json"
	ReasonNoKey        = "no_key"
	ReasonMisrouted    = "misrouted"
	ReasonTooLarge     = "too_large"
	ReasonTooDeep      = "too_deep"
	ReasonBadTimestamp = "bad_timestamp"
	ReasonBadNumber    = "bad_number"
	ReasonUnknownType  = "unknown_type"
	ReasonPanic        = "panic"
)

// Rejection is the error of a message that cannot be used. It is stored in
// the rejected stream with its reason; nothing is dropped silently.
type Rejection struct {
	Reason string // one of the Reason constants
	Detail string // what was wrong and where, for a person
}

// Error returns the reason and the detail.
func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Reason, r.Detail) }
