package partition

// Status is how a machine stands, for an operator.
type Status struct {
	Seq            uint64     // last message read
	End            uint64     // the log's last message when it was last opened
	LogTime        int64      // Unix milliseconds
	Revision       uint64     // of the rule set in force
	Undone         int        // messages read and not done
	Held           int        // inputs waiting for their session
	Unacknowledged int        // transitions decided and not acknowledged
	Checkpoint     Checkpoint // last saved
}

// Status tells how the machine stands.
func (m *Machine) Status() Status {
	return Status{
		Seq: m.read.seq, End: m.goal, LogTime: m.read.logTime, Revision: m.read.revision,
		Undone: m.undone.len, Held: m.held, Unacknowledged: m.unacked, Checkpoint: m.checkpoint,
	}
}
