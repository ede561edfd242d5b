package partition

import "github.com/usher-audiences/usher/rules"

// entry is one key that the machine has in hand: being loaded, active, or
// being passivated. Keys without an entry are known by their snapshot and
// their timer only.
type entry struct {
	key   rules.UserKey
	phase entryPhase
	save  savePhase

	evicting bool // passivate as soon as it is saved
	dirty    bool // stepped since the last capture
	queued   bool // stands in Machine.dirty
	inRound  bool // the checkpoint round waits for it
	again    bool // the save under way was captured before the round began
	swept    bool // the sweep waits for it to be loaded

	createdUnder uint64    // revision in force when the entry was made
	stored       uint64    // revision of the snapshot record, as known
	loaded       *Snapshot // read, waiting for its rule set
	writing      *Snapshot // captured, being written

	held      []held     // inputs that cannot be delivered yet, in log order
	delivered []delivery // and not stepped, in order
	unacked   int        // publications, and rejections of a panic, not acknowledged
	registers []register

	prev, next *entry // in Machine.recent, while active and not evicting
	listed     bool
}

type entryPhase uint8

const (
	loading entryPhase = iota
	active
	passivating
	forgetting // waiting for quiet, then passivated and erased
	erasing
	gone
)

type savePhase uint8

const (
	notSaving savePhase = iota
	quieting            // waits until nothing is delivered or unacknowledged
	capturing
	writing
	comparing // refused or in doubt: the stored record is being read
)

// delivery is one input that the session has been given.
type delivery struct {
	f    *flight
	kind rules.InputKind
}

// held is one input waiting for its key, or a query.
type held struct {
	input rules.Input
	f     *flight
	query uint64
	ask   bool
}

// takes reports whether the entry's session can be given inputs now.
func (e *entry) takes() bool {
	return e.phase == active && e.save != quieting && e.save != capturing
}

// quiet reports whether nothing is under way for the entry's session.
func (e *entry) quiet() bool { return len(e.delivered) == 0 && e.unacked == 0 }

// entry returns key's entry; it makes one and begins to load it if there is
// none.
func (m *Machine) entry(key rules.UserKey) *entry {
	if e := m.keys[key]; e != nil {
		return e
	}
	e := &entry{key: key, createdUnder: m.rules.Revision()}
	m.keys[key] = e
	m.load(e)
	return e
}

func (m *Machine) load(e *entry) {
	e.phase = loading
	m.loading++
	m.emit(ReadSnapshot{Key: e.key})
}

// deliver gives one input to a key, now or when it can take it.
func (m *Machine) deliver(key rules.UserKey, in rules.Input, f *flight) {
	f.hold()
	e := m.entry(key)
	if e.evicting {
		m.keep(e)
	}
	if e.takes() {
		m.send(e, in, f)
		return
	}
	e.held = append(e.held, held{input: in, f: f})
	m.held++
}

// keep calls off a passivation that has not begun.
func (m *Machine) keep(e *entry) {
	if e.phase == active {
		e.evicting = false
		m.evicting--
		m.recent.push(e)
	}
}

func (m *Machine) send(e *entry, in rules.Input, f *flight) {
	if e.listed {
		m.recent.touch(e)
	}
	e.delivered = append(e.delivered, delivery{f, in.Kind})
	m.emit(Deliver{Key: e.key, Input: in})
}

// unhold delivers what was held, as far as the session takes it.
func (m *Machine) unhold(e *entry) {
	if !e.takes() || len(e.held) == 0 {
		return
	}
	for i, h := range e.held {
		if h.ask {
			m.emit(m.inspect(e, h.query))
		} else {
			m.send(e, h.input, h.f)
		}
		e.held[i] = held{}
	}
	m.held -= len(e.held)
	e.held = nil
}

// onSnapshotRead begins the key's session, or compares after a refused save.
func (m *Machine) onSnapshotRead(in SnapshotRead) {
	e := m.keys[in.Key]
	switch {
	case e == nil:
	case e.save == comparing:
		m.compare(e, in)
	case e.phase == loading && e.loaded == nil:
		e.stored = in.Revision
		if in.Data == nil {
			m.activate(e, &Snapshot{Revision: e.createdUnder, Next: rules.Never})
			return
		}
		s, err := DecodeSnapshot(in.Data)
		if err != nil {
			m.setAside(e.key, in.Data, err)
			s = &Snapshot{Revision: e.createdUnder, Next: rules.Never}
		}
		m.activate(e, s)
	}
}

// setAside keeps a snapshot that cannot be used among the rejected messages.
func (m *Machine) setAside(key rules.UserKey, data []byte, err error) {
	m.emit(Alarm{Kind: SnapshotUnusable, Key: key, Detail: err.Error()})
	m.emit(Reject{Kind: snapshotKind, Reason: string(SnapshotUnusable), Detail: string(key) + ": " + err.Error(), Payload: data})
}

// snapshotKind is the kind of a rejected snapshot.
const snapshotKind MessageKind = "snapshot"

// activate starts the session from s, once its rule set is there, brings it
// up to the revision in force when the entry was made, and delivers what was
// held.
func (m *Machine) activate(e *entry, s *Snapshot) {
	set := m.ruleSets[s.Revision]
	if set == nil {
		e.loaded = s
		m.readRuleSet(s.Revision)
		m.waiting[s.Revision] = append(m.waiting[s.Revision], e)
		return
	}
	e.loaded = nil
	m.loading--
	e.phase = active
	e.evicting = false
	m.recent.push(e)
	for _, r := range s.Registers {
		e.registers = append(e.registers, register{Register: r, mustRead: m.mayBeLost(s, r.Sequence)})
	}
	m.emit(Activate{Key: e.key, State: s.State, Rules: set})
	for _, c := range m.changes {
		if c.revision > s.Revision && c.revision <= e.createdUnder {
			c.f.hold()
			m.send(e, rules.Input{Kind: rules.RulesInput, At: c.at.logTime, Seq: c.at.seq, Rules: c.rules}, c.f)
		}
	}
	m.unhold(e)
	m.activated(e, s.Next)
}

// activated settles what waited for the session to be there. One that was
// only asked about goes again. Its next deadline is the snapshot's, unless a
// step under way is about to tell it.
func (m *Machine) activated(e *entry, next int64) {
	if e.swept {
		e.swept = false
		m.sweeps[0].loading--
	}
	if e.quiet() {
		m.timers.set(e.key, next)
	}
	switch {
	case len(m.forgets[e.key]) > 0:
		m.forget(e)
	case e.quiet():
		m.retire(e)
	}
}

func (m *Machine) onActivationFailed(in ActivationFailed) {
	m.setAside(in.Key, in.State, in.Err)
}

// onStepped takes what the oldest delivered input of a key decided.
func (m *Machine) onStepped(in Stepped) {
	e := m.keys[in.Key]
	if e == nil || len(e.delivered) == 0 {
		return
	}
	d := e.delivered[0]
	if e.delivered = e.delivered[1:]; len(e.delivered) == 0 {
		e.delivered = nil
	}
	if in.Rejection != nil {
		m.panicked(e, d, in.Rejection)
	} else {
		for i := range in.Transitions {
			m.publish(e, d.f, &in.Transitions[i])
		}
		if !in.Skipped {
			m.markDirty(e)
		}
		m.timers.set(e.key, in.Next)
	}
	m.release(d.f)
	m.proceed(e)
}

// panicked rejects the message whose step panicked. A deadline's panic rejects
// nothing: the message that noticed it is another's. It is tried again with
// the key's next message. The session is not saved before the rejection is
// stored: one that a later message brought past it would skip it on replay,
// and nobody would reject it.
func (m *Machine) panicked(e *entry, d delivery, r *rules.Rejection) {
	m.emit(Alarm{Kind: StepPanicked, Key: e.key, Seq: d.f.at.seq, Detail: r.Detail})
	if d.kind != rules.EventInput && d.kind != rules.TraitsInput {
		return
	}
	m.reject(d.f, r)
	m.rejects[d.f.at.seq] = rejection{f: d.f, e: e}
	e.unacked++
	m.unacked++
}

// proceed takes the entry's next step once something under way has ended.
func (m *Machine) proceed(e *entry) {
	if e.save == quieting {
		m.capture(e)
	}
	if e.phase == forgetting && e.quiet() && e.save == notSaving {
		m.emit(Passivate{Key: e.key})
	}
}

// entryList is a list of entries by time of use, least recent first.
type entryList struct {
	first, last *entry
	len         int
}

func (l *entryList) push(e *entry) {
	e.prev, e.next, e.listed = l.last, nil, true
	if l.last == nil {
		l.first = e
	} else {
		l.last.next = e
	}
	l.last = e
	l.len++
}

func (l *entryList) remove(e *entry) {
	if !e.listed {
		return
	}
	if e.prev == nil {
		l.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next, e.listed = nil, nil, false
	l.len--
}

func (l *entryList) touch(e *entry) {
	if l.last != e {
		l.remove(e)
		l.push(e)
	}
}
