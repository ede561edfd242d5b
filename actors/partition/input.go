package partition

import (
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Input is what a [Machine] is told. Each type says which effect it answers,
// if it answers one.
type Input interface{ isInput() }

// Start begins the takeover. It is the first input.
type Start struct{ Now int64 }

// Clock tells the wall-clock time in Unix milliseconds. It answers [Arm], and
// may come at any time.
type Clock struct{ Now int64 }

// CheckpointDue asks for a checkpoint round now. The caller sends it at its
// checkpoint interval.
type CheckpointDue struct{}

// Drain asks the machine to finish what it has read, save every session and
// the checkpoint, passivate all and answer with [Drained].
type Drain struct{}

// RevisionAvailable tells the newest revision in the definitions bucket. The
// machine appends to its log those that the log lacks, in order.
type RevisionAvailable struct{ Revision uint64 }

// CheckpointRead answers [ReadCheckpoint]. A nil Checkpoint means there is
// none: the partition is new.
type CheckpointRead struct{ Checkpoint *Checkpoint }

// TransitionChecked answers [CheckTransition].
type TransitionChecked struct{ Intact bool }

// RuleSetRead answers [ReadRuleSet].
type RuleSetRead struct{ Rules *rules.RuleSet }

// SnapshotsScanned answers [ScanSnapshots], in any number of batches; Done
// ends them.
type SnapshotsScanned struct {
	Scan  int // of the effect it answers
	Heads []SnapshotHead
	Done  bool
}

// SnapshotHead is what a scan tells of one stored snapshot.
type SnapshotHead struct {
	Key      rules.UserKey
	Next     int64  // next deadline, Unix milliseconds; rules.Never if none
	Revision uint64 // of the rule set it was taken under
}

// LogOpened answers [Read], before the first message: Last is the log's last
// sequence at that time, 0 if it is empty. Intact tells whether the message at
// the cursor is still there with its recorded timestamp; if it is not, the
// messages begin by time after it. First and Last are sequences of messages
// that exist: one erased at the log's end does not count.
type LogOpened struct {
	Reading     int // of the effect it answers
	First, Last uint64
	Intact      bool
}

// MessageKind is the last token of a log subject.
type MessageKind = subject.Kind

// The kinds of log message.
const (
	EventMessage  = subject.KindEvents
	TraitsMessage = subject.KindTraits
	TickMessage   = subject.KindTick
	RulesMessage  = subject.KindRules
)

// Message is one message of the log, in sequence order.
type Message struct {
	Reading  int // of the Read it belongs to
	Seq      uint64
	Time     int64 // the stream's timestamp, Unix nanoseconds
	Kind     MessageKind
	Encoding rules.Encoding
	Payload  []byte // retained
}

// SnapshotRead answers [ReadSnapshot]. Data is nil if there is none; Revision
// is the record's revision in its bucket, 0 if there is none.
type SnapshotRead struct {
	Key      rules.UserKey
	Data     []byte
	Revision uint64
}

// Stepped answers [Deliver]. Err is a *rules.Rejection when the step failed
// and left the session as it was.
type Stepped struct {
	Key         rules.UserKey
	Skipped     bool
	Transitions []rules.Transition // owned by the machine from here on
	Next        int64
	Rejection   *rules.Rejection
}

// ActivationFailed answers [Activate] when State could not be decoded: it is
// set aside, and the driver has started an empty session under the same rules
// instead, which the replayed log fills as far as it goes.
type ActivationFailed struct {
	Key   rules.UserKey
	State []byte
	Err   error
}

// Captured answers [Capture]: the session's encoded state after everything
// delivered before, its applied position, its next deadline and the revision
// of its rule set.
type Captured struct {
	Key        rules.UserKey
	State      []byte
	AppliedAt  int64
	AppliedSeq uint64
	Next       int64
	Revision   uint64
}

// Passivated answers [Passivate]: the session is gone.
type Passivated struct{ Key rules.UserKey }

// Outcome is how a conditional write ended.
type Outcome uint8

// The outcomes. Doubt means that it is not known whether the write was
// stored: a time-out, a lost acknowledgement, a leader change.
const (
	Stored Outcome = iota
	Refused
	Doubt
)

// SnapshotSaved answers [SaveSnapshot]. Revision is the new one if stored.
type SnapshotSaved struct {
	Key      rules.UserKey
	Outcome  Outcome
	Revision uint64
}

// CheckpointSaved answers [SaveCheckpoint]. Refused means another owner has
// saved a later one.
type CheckpointSaved struct{ Outcome Outcome }

// Published answers [Publish]. Seq is the stored message's sequence in the
// transitions stream.
type Published struct {
	Register RegisterKey
	Attempt  uint64
	Outcome  Outcome
	Seq      uint64
}

// RegisterRead answers [ReadRegister], from the stream's leader. A zero
// Sequence means that the register holds no message.
type RegisterRead struct {
	Register RegisterKey
	Attempt  uint64
	Last     Register
}

// RejectStored answers [Reject].
type RejectStored struct{ Seq uint64 }

// TickAppended answers [AppendTick]. Outcome Stored or Doubt; either way a
// tick may come back through the log, or not.
type TickAppended struct{ Outcome Outcome }

// RulesAppended answers [AppendRules].
type RulesAppended struct {
	Revision uint64
	Outcome  Outcome
}

// Query asks for the session's state, after every message read before it.
// The answer is the effect [Inspect] with the same ID.
type Query struct {
	Key rules.UserKey
	ID  uint64
}

// Forget erases a key. The answer, when all is erased, is [Forgotten].
type Forget struct {
	Key rules.UserKey
	ID  uint64
}

// Erased answers [Erase].
type Erased struct{ Key rules.UserKey }

func (Start) isInput()             {}
func (Clock) isInput()             {}
func (CheckpointDue) isInput()     {}
func (Drain) isInput()             {}
func (RevisionAvailable) isInput() {}
func (CheckpointRead) isInput()    {}
func (TransitionChecked) isInput() {}
func (RuleSetRead) isInput()       {}
func (SnapshotsScanned) isInput()  {}
func (LogOpened) isInput()         {}
func (Message) isInput()           {}
func (SnapshotRead) isInput()      {}
func (Stepped) isInput()           {}
func (ActivationFailed) isInput()  {}
func (Captured) isInput()          {}
func (Passivated) isInput()        {}
func (SnapshotSaved) isInput()     {}
func (CheckpointSaved) isInput()   {}
func (Published) isInput()         {}
func (RegisterRead) isInput()      {}
func (RejectStored) isInput()      {}
func (TickAppended) isInput()      {}
func (RulesAppended) isInput()     {}
func (Query) isInput()             {}
func (Forget) isInput()            {}
func (Erased) isInput()            {}
