package partition

import "github.com/usher-audiences/usher/rules"

// onQuery has the key's session asked, after what was read before.
func (m *Machine) onQuery(in Query) {
	if m.phase != running {
		m.emit(Inspect{ID: in.ID, Unavailable: true})
		return
	}
	e := m.entry(in.Key)
	if e.takes() {
		m.emit(m.inspect(e, in.ID))
		return
	}
	e.held = append(e.held, held{ask: true, query: in.ID})
	m.held++
}

func (m *Machine) inspect(e *entry, id uint64) Inspect {
	in := Inspect{Key: e.key, ID: id}
	for i := range e.registers {
		in.Registers = append(in.Registers, e.registers[i].Register)
	}
	return in
}

// onForget erases a key once nothing is under way for it. What is held for it
// meanwhile is erased with it.
func (m *Machine) onForget(in Forget) {
	if m.phase != running {
		m.emit(Forgotten{ID: in.ID, Unavailable: true})
		return
	}
	m.forgets[in.Key] = append(m.forgets[in.Key], in.ID)
	e := m.entry(in.Key)
	if e.phase == active {
		m.forget(e)
	}
}

// forget ends the key's session without saving it.
func (m *Machine) forget(e *entry) {
	if e.evicting {
		e.evicting = false
		m.evicting--
	}
	m.recent.remove(e)
	e.phase = forgetting
	m.proceed(e)
}

func (m *Machine) erase(e *entry) {
	e.phase = erasing
	m.emit(Erase{Key: e.key})
}

func (m *Machine) onErased(in Erased) {
	e := m.keys[in.Key]
	if e == nil || e.phase != erasing {
		return
	}
	pending := e.held
	e.held = nil
	m.held -= len(pending)
	m.timers.set(e.key, rules.Never)
	m.drop(e)
	for _, id := range m.forgets[in.Key] {
		m.emit(Forgotten{ID: id})
	}
	delete(m.forgets, in.Key)
	for _, h := range pending {
		if h.ask {
			m.onQuery(Query{Key: in.Key, ID: h.query})
		} else {
			m.release(h.f)
		}
	}
}

// onDrain stops reading. What was read is finished, everything is saved.
func (m *Machine) onDrain() {
	if m.phase != running {
		m.phase = drained
		m.emit(Drained{})
		return
	}
	m.phase = draining
	m.backlog = nil
	m.emit(Pause{})
}

// drain goes on with a drain: everything done, saved, the checkpoint saved,
// every session passivated.
func (m *Machine) drain() {
	switch {
	case m.undone.len > 0 || m.held > 0 || m.unacked > 0 || m.round != nil:
		return
	case !m.drainSaved && (len(m.dirty) > 0 || m.mark(m.floor()).Later(m.checkpoint)):
		m.startRound()
		m.pumpRound()
		return
	}
	m.drainSaved = true
	for m.recent.first != nil {
		m.retire(m.recent.first)
	}
	if len(m.keys) == 0 {
		m.phase = drained
		m.emit(Drained{})
	}
}
