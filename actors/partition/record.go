package partition

import "github.com/usher-audiences/usher/rules"

// Checkpoint says from where a new owner replays: everything at or below Seq
// is done and saved. It is one record, never mixed from two.
type Checkpoint struct {
	Seq      uint64 // of the last message that is done and saved
	Time     int64  // that message's own timestamp, Unix nanoseconds
	LogTime  int64  // log time there, Unix milliseconds
	Revision uint64 // of the rule set in force there

	// The last transition this partition's owner saw acknowledged, to notice
	// that the transitions stream lost its tail. Zero if there was none.
	Transition StoredTransition

	// Losses counts how often the transitions stream was found to have lost
	// its tail. A snapshot taken before the last of them may name sequences
	// that now hold something else.
	Losses uint64
}

// StoredTransition identifies one message of the transitions stream: what
// stands at a sequence. An acknowledgement carries no timestamp, so register
// and position, which no other transition has, stand in its place.
type StoredTransition struct {
	Sequence uint64
	Register RegisterKey
	Position rules.Position
}

// Later reports whether c lies after d, by (log time, sequence).
func (c Checkpoint) Later(d Checkpoint) bool {
	return c.LogTime > d.LogTime || c.LogTime == d.LogTime && c.Seq > d.Seq
}

// Register is what is known of one register's last message. The zero
// Sequence means that the register holds none; N, Kind and Position then
// still tell the last one known, if there was one.
type Register struct {
	Audience rules.AudienceKey
	Shadow   bool
	Sequence uint64 // in the transitions stream
	N        uint64
	Kind     rules.TransitionKind
	Position rules.Position
	Cause    rules.Cause
}

// Snapshot is one key's record: its session's state with the position it was
// taken at, and what the key's registers held.
type Snapshot struct {
	AppliedAt  int64  // log time of the last input applied, Unix milliseconds
	AppliedSeq uint64 // its sequence
	Next       int64  // next deadline, Unix milliseconds; rules.Never if none
	Revision   uint64 // of the rule set the state was encoded under
	Losses     uint64 // Checkpoint.Losses then
	Life       int64  // Start.Now of the machine that took it, Unix milliseconds
	Registers  []Register
	State      []byte
}

// Later reports whether s was taken after d, by applied position.
func (s *Snapshot) Later(d *Snapshot) bool {
	return s.AppliedAt > d.AppliedAt || s.AppliedAt == d.AppliedAt && s.AppliedSeq > d.AppliedSeq
}
