package partition

// requestSave begins to save a key, unless that is under way: its session is
// given nothing more until it is quiet and captured.
func (m *Machine) requestSave(e *entry) {
	if e.save != notSaving || e.phase != active {
		return
	}
	e.save = quieting
	m.capture(e)
}

// capture asks for the session's state once none of its transitions is
// unacknowledged (rule 4).
func (m *Machine) capture(e *entry) {
	if !e.quiet() && (m.cfg.Without&RuleQuiet == 0 || len(e.delivered) > 0) {
		return
	}
	e.save = capturing
	m.emit(Capture{Key: e.key})
}

// onCaptured writes the snapshot and gives the session its inputs again.
func (m *Machine) onCaptured(in Captured) {
	e := m.keys[in.Key]
	if e == nil || e.save != capturing {
		return
	}
	s := &Snapshot{
		AppliedAt: in.AppliedAt, AppliedSeq: in.AppliedSeq,
		Next: in.Next, Revision: in.Revision, State: in.State, Losses: m.losses, Life: m.life,
	}
	for i := range e.registers {
		s.Registers = append(s.Registers, e.registers[i].Register)
	}
	e.save, e.dirty, e.writing = writing, false, s
	m.emit(SaveSnapshot{Key: e.key, Data: EncodeSnapshot(s), Revision: e.stored})
	m.unhold(e)
}

func (m *Machine) onSnapshotSaved(in SnapshotSaved) {
	e := m.keys[in.Key]
	if e == nil || e.save != writing {
		return
	}
	if in.Outcome == Stored {
		e.stored = in.Revision
		m.saved(e)
		return
	}
	e.save = comparing
	m.emit(ReadSnapshot{Key: e.key})
}

// compare settles a save that was refused or is in doubt (rule 5): a stored
// record at or after ours counts as saved, and its revision is not adopted;
// an earlier one is replaced.
func (m *Machine) compare(e *entry, in SnapshotRead) {
	if in.Data != nil && m.cfg.Without&RuleLater == 0 {
		stored, err := DecodeSnapshot(in.Data)
		if err == nil && !e.writing.Later(stored) {
			m.saved(e)
			return
		}
	}
	e.save = writing
	m.emit(SaveSnapshot{Key: e.key, Data: EncodeSnapshot(e.writing), Revision: in.Revision})
}

// saved ends a save.
func (m *Machine) saved(e *entry) {
	e.save, e.writing = notSaving, nil
	if e.phase == active && e.dirty && (e.again || e.evicting) {
		e.again = false
		m.requestSave(e)
		return
	}
	m.leaveRound(e)
	m.passivate(e)
	m.proceed(e)
}

// evict passivates the least recently used sessions beyond SessionsMax.
func (m *Machine) evict() {
	for m.recent.len > m.cfg.SessionsMax && m.evicting < m.cfg.SavesMax {
		m.retire(m.recent.first)
	}
}

// retire takes a session out of use, to be saved and passivated.
func (m *Machine) retire(e *entry) {
	m.recent.remove(e)
	e.evicting = true
	m.evicting++
	m.passivate(e)
}

// passivate ends an evicted session as soon as it is saved and quiet.
func (m *Machine) passivate(e *entry) {
	switch {
	case !e.evicting || e.phase != active || e.save != notSaving:
	case e.dirty || !e.quiet():
		m.requestSave(e)
	default:
		e.phase = passivating
		m.emit(Passivate{Key: e.key})
	}
}

// onPassivated drops the entry, or loads it again for what came meanwhile.
func (m *Machine) onPassivated(in Passivated) {
	e := m.keys[in.Key]
	if e == nil {
		return
	}
	switch e.phase {
	case forgetting:
		m.erase(e)
	case passivating:
		if e.evicting {
			e.evicting = false
			m.evicting--
		}
		e.registers = nil
		switch {
		case len(m.forgets[e.key]) > 0:
			m.erase(e)
		case len(e.held) > 0:
			m.load(e)
		default:
			m.drop(e)
		}
	}
}

func (m *Machine) drop(e *entry) {
	m.recent.remove(e)
	m.leaveRound(e)
	e.phase = gone
	delete(m.keys, e.key)
}
