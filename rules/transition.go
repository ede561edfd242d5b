package rules

import "cmp"

// Position says where in a partition's log a transition belongs: the same
// whoever derives it. At is log time, or the exact deadline, in Unix
// milliseconds; Seq is the sequence of the log message that caused it, or 0
// for a deadline; Order counts within that evaluation.
type Position struct {
	At    int64
	Seq   uint64
	Order int
}

// Compare orders positions by (At, Seq, Order).
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Order, q.Order))
}

// TransitionKind says which way a membership went.
type TransitionKind uint8

// The kinds of transition. A register's n is odd for entered, even for
// exited; NoTransition is the kind of a register that has none yet.
const (
	NoTransition TransitionKind = iota
	Entered
	Exited
)

// String returns the word used on the wire.
func (k TransitionKind) String() string {
	return [...]string{"", "entered", "exited"}[k]
}

// Cause says what made a transition happen.
type Cause string

// The causes.
const (
	CauseEvent        Cause = "event"
	CauseTraits       Cause = "traits"
	CauseWindow       Cause = "window"
	CauseSessionStart Cause = "session_start"
	CauseSessionEnd   Cause = "session_end"
	CauseDeadline     Cause = "deadline"
	CauseRuleChanged  Cause = "rule_changed"
	CauseMerge        Cause = "merge"
)

// Transition is one decided entry or exit. It does not carry n: that is the
// register's, and is given at publish.
type Transition struct {
	Kind        TransitionKind
	Audience    AudienceKey
	Version     uint64 // of the audience's definition
	Shadow      bool   // published under shadow.> only
	Key         UserKey
	UserID      string
	AnonymousID string
	SessionID   string
	Position    Position
	Cause       Cause
	MessageID   string // of the event that caused it, if one did
	EventName   string
	ExpiresAt   int64 // Unix milliseconds; Never if time alone cannot change it
	Because     []Reason
}

// Reason is one condition's part in a transition.
type Reason struct {
	Condition string `json:"condition"`
	Observed  any    `json:"observed"`
	Needs     string `json:"needs"`
	True      bool   `json:"true"`
	Inexact   bool   `json:"inexact,omitempty"`
}

// Never is the instant that does not come, in Unix milliseconds.
const Never int64 = 1<<63 - 1
