package partition

// Status is a machine at one instant.
type Status struct {
	Running  bool // the log is being read
	Caught   bool // what was in the log when reading began is done
	Draining bool
	Paused   bool

	Seq        uint64 // last message read
	Goal       uint64 // the log's last message when reading began
	LogTime    int64  // Unix milliseconds
	Revision   uint64 // of the rule set in force
	Checkpoint Checkpoint

	Undone         int // messages read and not done
	Held           int // inputs waiting for their session
	Sessions       int // keys in hand: being loaded, active or being passivated
	Dirty          int // keys stepped since they were saved, at most
	Unacknowledged int // transitions on their way
	Deadlines      int // keys with a deadline, active or not
	Sweeps         int // rule changes not yet brought to every key
}

// Status tells where the machine stands. It costs nothing to ask.
func (m *Machine) Status() Status {
	s := Status{
		Running: m.phase == running, Caught: m.caught,
		Draining: m.phase == draining || m.phase == drained, Paused: m.paused,
		Seq: m.read.seq, Goal: m.goal, LogTime: m.read.logTime,
		Checkpoint: m.checkpoint,
		Undone:     m.undone.len, Held: m.held, Sessions: len(m.keys),
		Dirty: len(m.dirty), Unacknowledged: m.unacked,
		Deadlines: len(m.timers.byKey), Sweeps: len(m.sweeps),
	}
	if m.rules != nil {
		s.Revision = m.rules.Revision()
	}
	return s
}
