package partition

// round is one checkpoint being made: every key that was dirty when it began
// is saved, then the floor of that time is.
type round struct {
	at     mark
	keys   []*entry // not yet begun
	left   int      // begun and not saved
	saving bool     // the checkpoint is being written
	final  bool     // begun by a drain, after everything was done
}

// startRound begins a checkpoint round, unless one is under way or there is
// nothing to save.
func (m *Machine) startRound() {
	if m.round != nil || (m.phase != running && m.phase != draining) {
		return
	}
	at := m.floor()
	if m.cfg.Without&RuleDone != 0 {
		at = m.read
	}
	if len(m.dirty) == 0 && !m.mark(at).Later(m.checkpoint) {
		return
	}
	m.round = &round{at: at, keys: m.dirty, final: m.phase == draining}
	m.dirty = nil
	for _, e := range m.round.keys {
		e.queued = false
	}
}

// mark is the checkpoint at a place of the log.
func (m *Machine) mark(at mark) Checkpoint {
	return Checkpoint{Seq: at.seq, Time: at.raw, LogTime: at.logTime, Revision: at.revision, Transition: m.last, Losses: m.losses}
}

// markDirty notes that the key's session differs from its snapshot.
func (m *Machine) markDirty(e *entry) {
	e.dirty = true
	if !e.queued {
		e.queued = true
		m.dirty = append(m.dirty, e)
	}
}

// pumpRound saves some of the round's keys at a time and, when all are, the
// checkpoint.
func (m *Machine) pumpRound() {
	r := m.round
	if r == nil || r.saving {
		return
	}
	for len(r.keys) > 0 && r.left < m.cfg.RoundMax {
		e := r.keys[0]
		r.keys[0] = nil
		r.keys = r.keys[1:]
		if e.phase == gone || !e.dirty && e.save == notSaving {
			continue
		}
		e.inRound = true
		e.again = e.save == writing || e.save == comparing
		r.left++
		m.requestSave(e)
	}
	if len(r.keys) > 0 || r.left > 0 {
		return
	}
	// After a lost tail the place in the log has no sequence until a message
	// was read. A checkpoint of it would send the next owner to the beginning.
	if r.at.seq == 0 || !m.mark(r.at).Later(m.checkpoint) {
		m.endRound()
		return
	}
	r.saving = true
	m.emit(SaveCheckpoint{Checkpoint: m.mark(r.at)})
}

// leaveRound tells the round that a key it waited for is saved.
func (m *Machine) leaveRound(e *entry) {
	if e.inRound {
		e.inRound = false
		m.round.left--
	}
}

// onCheckpointSaved ends the round. A refusal means that another owner is
// further on; a doubt is settled by the next round.
func (m *Machine) onCheckpointSaved(in CheckpointSaved) {
	r := m.round
	if r == nil || !r.saving {
		return
	}
	if in.Outcome == Stored {
		m.checkpoint = m.mark(r.at)
		m.forgetRules()
	}
	if in.Outcome == Doubt {
		r.final = false
	}
	m.endRound()
}

func (m *Machine) endRound() {
	m.drainSaved = m.round.final
	m.round = nil
}

// forgetRules drops the rule sets and changes that every snapshot is past.
func (m *Machine) forgetRules() {
	n := 0
	for n < len(m.changes) && m.changes[n].revision <= m.checkpoint.Revision && m.loading == 0 {
		n++
	}
	if n == 0 {
		return
	}
	m.changes = m.changes[n:]
	for rev := range m.ruleSets {
		if rev < m.checkpoint.Revision {
			delete(m.ruleSets, rev)
		}
	}
}
