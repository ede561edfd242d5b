package partition

import "github.com/usher-audiences/usher/rules"

// Effect is something a [Machine] asks its driver to do. Storage effects are
// carried out without waiting and retried by the driver until they are
// answered, unless the answer has an [Outcome]: those are tried once. Effects
// on one session ([Activate], [Deliver], [Capture], [Inspect], [Passivate])
// are carried out in the order they were asked for, and those that have an
// answer are answered in that order.
type Effect interface{ isEffect() }

// ReadCheckpoint asks for the partition's checkpoint: [CheckpointRead].
type ReadCheckpoint struct{}

// CheckTransition asks whether the transitions stream still holds this
// transition at its sequence: [TransitionChecked].
type CheckTransition struct{ Transition StoredTransition }

// ReadRuleSet asks for a revision, compiled: [RuleSetRead]. Revision 0 is the
// empty rule set.
type ReadRuleSet struct{ Revision uint64 }

// ScanSnapshots asks for the head of every stored snapshot of the partition:
// [SnapshotsScanned]. A record whose head cannot be read is reported and left
// out.
type ScanSnapshots struct{ Scan int }

// Read asks for the log's messages after the cursor: [LogOpened], then
// [Message]. If the message at the cursor is missing or has another timestamp
// reading starts by time after it. A reset of the consumer compares the same
// way before it goes on; when it cannot go on after the last message
// delivered, it tells so by another LogOpened. A zero cursor is the log's
// beginning.
type Read struct {
	Reading int
	After   Cursor
}

// Cursor is a place in the log: a sequence and that message's own timestamp,
// Unix nanoseconds.
type Cursor struct {
	Seq  uint64
	Time int64
}

// Pause asks the driver to stop delivering messages; some may still come.
type Pause struct{}

// Resume ends a Pause.
type Resume struct{}

// ReadSnapshot asks for the stored snapshot of a key: [SnapshotRead].
type ReadSnapshot struct{ Key rules.UserKey }

// Activate starts a key's session: from State under Rules, or new if State is
// nil. It is answered only if it fails: [ActivationFailed].
type Activate struct {
	Key   rules.UserKey
	State []byte
	Rules *rules.RuleSet
}

// Deliver steps a key's session: [Stepped].
type Deliver struct {
	Key   rules.UserKey
	Input rules.Input
}

// Capture asks for a key's session, encoded: [Captured].
type Capture struct{ Key rules.UserKey }

// Passivate ends a key's session: [Passivated].
type Passivate struct{ Key rules.UserKey }

// SaveSnapshot replaces a stored snapshot if its revision in the bucket is
// still Revision (0: there is none): [SnapshotSaved].
type SaveSnapshot struct {
	Key      rules.UserKey
	Data     []byte // EncodeSnapshot
	Revision uint64
}

// RegisterKey names a register: one audience's for one key. A shadow
// audience's registers are apart.
type RegisterKey struct {
	Audience rules.AudienceKey
	Key      rules.UserKey
	Shadow   bool
}

// Publish stores a transition if the register's last sequence is still
// Expected: [Published]. Attempt tells answers to earlier attempts apart.
type Publish struct {
	Register   RegisterKey
	Attempt    uint64
	Expected   uint64
	N          uint64
	Transition *rules.Transition
}

// ReadRegister asks for a register's last message: [RegisterRead].
type ReadRegister struct {
	Register RegisterKey
	Attempt  uint64
}

// Reject stores a message that cannot be used, with its reason:
// [RejectStored]. Storing the same Seq twice is one rejection.
type Reject struct {
	Seq     uint64
	Kind    MessageKind
	Reason  string
	Detail  string
	Payload []byte
}

// AppendTick appends a tick to the log, for the deadline At (Unix
// milliseconds): [TickAppended].
type AppendTick struct{ At int64 }

// AppendRules appends a revision to the log: [RulesAppended].
type AppendRules struct{ Revision uint64 }

// Arm asks for a [Clock] at or soon after the wall-clock instant At, Unix
// milliseconds. A later Arm replaces it.
type Arm struct{ At int64 }

// SaveCheckpoint replaces the stored checkpoint unless that one is later:
// [CheckpointSaved].
type SaveCheckpoint struct{ Checkpoint Checkpoint }

// Inspect asks the driver to answer the query ID from the key's session.
// Registers are the key's as last known. Unavailable means that the partition
// is not serving: still taking over, or draining.
type Inspect struct {
	Key         rules.UserKey
	ID          uint64
	Registers   []Register
	Unavailable bool
}

// Erase removes a key from log, registers and snapshots: [Erased].
type Erase struct{ Key rules.UserKey }

// Forgotten answers [Forget]. Unavailable is as in [Inspect].
type Forgotten struct {
	ID          uint64
	Unavailable bool
}

// Caught tells that everything that was in the log when reading began has
// been read and done.
type Caught struct{}

// Drained answers [Drain]. Nothing is asked for after it.
type Drained struct{}

// AlarmKind says what an [Alarm] is about.
type AlarmKind string

// The alarms. Each is logged at error level and counted.
const (
	LogGap           AlarmKind = "log_gap"           // messages between cursor and first are missing
	LogTailLost      AlarmKind = "log_tail_lost"     // the cursor's message is missing or another
	TransitionsLost  AlarmKind = "transitions_lost"  // the transitions stream lost its tail
	SnapshotUnusable AlarmKind = "snapshot_unusable" // set aside; the key is rebuilt from the log
	StepPanicked     AlarmKind = "step_panicked"     // the message was rejected, the state kept
)

// Alarm reports what should not happen and was survived.
type Alarm struct {
	Kind   AlarmKind
	Key    rules.UserKey
	Seq    uint64
	Detail string
}

func (ReadCheckpoint) isEffect()  {}
func (CheckTransition) isEffect() {}
func (ReadRuleSet) isEffect()     {}
func (ScanSnapshots) isEffect()   {}
func (Read) isEffect()            {}
func (Pause) isEffect()           {}
func (Resume) isEffect()          {}
func (ReadSnapshot) isEffect()    {}
func (Activate) isEffect()        {}
func (Deliver) isEffect()         {}
func (Capture) isEffect()         {}
func (Passivate) isEffect()       {}
func (SaveSnapshot) isEffect()    {}
func (Publish) isEffect()         {}
func (ReadRegister) isEffect()    {}
func (Reject) isEffect()          {}
func (AppendTick) isEffect()      {}
func (AppendRules) isEffect()     {}
func (Arm) isEffect()             {}
func (SaveCheckpoint) isEffect()  {}
func (Inspect) isEffect()         {}
func (Erase) isEffect()           {}
func (Forgotten) isEffect()       {}
func (Caught) isEffect()          {}
func (Drained) isEffect()         {}
func (Alarm) isEffect()           {}
