package partition

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// register is one of an active key's registers: what is known of its last
// message, and the publications waiting for their turn. At most one is under
// way, so that a session waits only before a second transition of the same
// register.
type register struct {
	Register
	mustRead bool   // read before the first publish (rule 10)
	attempt  uint64 // of the publish or read under way, 0 if none
	queue    []publication
}

// publication is a decided transition on its way into its register.
type publication struct {
	transition *rules.Transition
	f          *flight
}

// publish queues a transition for its register.
func (m *Machine) publish(e *entry, f *flight, t *rules.Transition) {
	if m.cfg.Without&RulePosition != 0 && f != nil {
		t.Position.At, t.Position.Seq = f.at.logTime, f.at.seq
	}
	f.hold()
	e.unacked++
	m.unacked++
	r := e.register(t.Audience, t.Shadow)
	r.queue = append(r.queue, publication{t, f})
	if r.attempt == 0 {
		m.publishNext(e, r)
	}
}

// register returns the entry's register, adding an unknown one. The pointer
// is valid until the next call.
func (e *entry) register(audience rules.AudienceKey, shadow bool) *register {
	i, ok := slices.BinarySearchFunc(e.registers, Register{Audience: audience, Shadow: shadow}, compareRegister)
	if !ok {
		e.registers = slices.Insert(e.registers, i, register{Register: Register{Audience: audience, Shadow: shadow}})
	}
	return &e.registers[i]
}

func compareRegister(r register, q Register) int {
	if c := cmp.Compare(r.Audience, q.Audience); c != 0 || r.Shadow == q.Shadow {
		return c
	}
	if r.Shadow {
		return 1
	}
	return -1
}

// publishNext settles the head of the queue by what is known of the register
// (rule 2): at or before the register's position it is already published; of
// the register's own kind it is no change; else it is published as n + 1.
func (m *Machine) publishNext(e *entry, r *register) {
	for len(r.queue) > 0 {
		p := r.queue[0]
		t := p.transition
		if r.mustRead {
			m.readRegister(e, r)
			return
		}
		if r.published(t.Position) || t.Kind == r.last() {
			m.settled(e, r)
			continue
		}
		m.attempts++
		r.attempt = m.attempts
		m.emit(Publish{
			Register: r.key(e), Attempt: r.attempt,
			Expected: r.Sequence, N: r.N + 1, Transition: t,
		})
		return
	}
	r.queue = nil
}

func (r *register) key(e *entry) RegisterKey {
	return RegisterKey{Audience: r.Audience, Key: e.key, Shadow: r.Shadow}
}

// published reports whether a transition at p is in the register already.
func (r *register) published(p rules.Position) bool {
	return r.Kind != rules.NoTransition && p.Compare(r.Position) <= 0
}

// last is the kind of the register's last message. An empty one stands like
// one that was exited.
func (r *register) last() rules.TransitionKind {
	if r.Kind == rules.NoTransition {
		return rules.Exited
	}
	return r.Kind
}

// settled takes the head of the queue out: it is stored, or need not be.
func (m *Machine) settled(e *entry, r *register) {
	p := r.queue[0]
	r.queue[0] = publication{}
	r.queue = r.queue[1:]
	e.unacked--
	m.unacked--
	m.release(p.f)
}

func (m *Machine) readRegister(e *entry, r *register) {
	m.attempts++
	r.attempt = m.attempts
	m.emit(ReadRegister{Register: r.key(e), Attempt: r.attempt})
}

// underWay returns the register that attempt is under way for.
func (m *Machine) underWay(key RegisterKey, attempt uint64) (*entry, *register) {
	e := m.keys[key.Key]
	if e == nil || attempt == 0 {
		return nil, nil
	}
	i, ok := slices.BinarySearchFunc(e.registers, Register{Audience: key.Audience, Shadow: key.Shadow}, compareRegister)
	if !ok || e.registers[i].attempt != attempt {
		return nil, nil
	}
	return e, &e.registers[i]
}

// onPublished takes an acknowledgement. A refusal or a doubt is settled by
// reading the register and deciding again (rule 3).
func (m *Machine) onPublished(in Published) {
	e, r := m.underWay(in.Register, in.Attempt)
	if r == nil {
		return
	}
	outcome := in.Outcome
	if outcome == Doubt && m.cfg.Without&RuleReread != 0 {
		outcome = Stored
	}
	if outcome != Stored {
		m.readRegister(e, r)
		return
	}
	t := r.queue[0].transition
	r.attempt = 0
	r.Register = Register{
		Audience: r.Audience, Shadow: r.Shadow, Sequence: in.Seq,
		N: r.N + 1, Kind: t.Kind, Position: t.Position, Cause: t.Cause,
	}
	if in.Seq > m.last.Sequence {
		m.last = StoredTransition{Sequence: in.Seq, Register: in.Register, Position: t.Position}
	}
	m.settled(e, r)
	m.publishNext(e, r)
	m.proceed(e)
}

// onRegisterRead adopts what the register holds and decides again.
func (m *Machine) onRegisterRead(in RegisterRead) {
	e, r := m.underWay(in.Register, in.Attempt)
	if r == nil {
		return
	}
	r.attempt = 0
	if lost := m.lostBehind(e, r, in.Last); lost || r.mustRead {
		r.mustRead = false
		m.bringUp(e, r, in.Last)
	} else {
		r.adopt(in.Last)
		if m.cfg.Without&RuleRegister != 0 {
			m.settled(e, r)
		}
	}
	m.publishNext(e, r)
	m.proceed(e)
}

// lostBehind reports whether the register holds less than is known to have
// been stored in it. An owner that took over after the loss was noticed, and
// after a checkpoint that no longer shows it, finds out here (rule 10).
func (m *Machine) lostBehind(e *entry, r *register, last Register) bool {
	behind := last.Position.Compare(r.Position) < 0
	if last.Sequence == 0 {
		behind = r.Kind == rules.Entered // exits are forgotten, entries never
	}
	if !behind || r.Kind == rules.NoTransition || m.cfg.Without&RuleTransitionsTail != 0 {
		return false
	}
	m.noteLoss()
	m.emit(Alarm{
		Kind: TransitionsLost, Key: e.key, Seq: r.Sequence,
		Detail: fmt.Sprintf("the register of %s no longer holds what was stored in it", r.Audience),
	})
	return true
}

// mayBeLost reports whether the stream may hold something else at a sequence
// that a snapshot names: the snapshot is older than the last loss that was
// noticed, or an earlier life took it after the last checkpoint, so that what
// it saw acknowledged may be lost unnoticed.
func (m *Machine) mayBeLost(s *Snapshot, sequence uint64) bool {
	if m.cfg.Without&RuleTransitionsTail != 0 {
		return false
	}
	return s.Losses < m.losses || s.Life != m.life && sequence > m.verified
}

// noteLoss has every register read again before its next publish: the sequence
// it is known by may hold another transition now.
func (m *Machine) noteLoss() {
	m.losses++
	for _, e := range m.keys { // marks only; their order does not matter
		for i := range e.registers {
			if r := &e.registers[i]; r.attempt == 0 {
				r.mustRead = true
			}
		}
	}
}

// adopt takes over what the register holds. An empty one was purged after an
// exit: it goes on with its n.
func (r *register) adopt(last Register) {
	if last.Sequence == 0 {
		r.Sequence = 0
		return
	}
	last.Audience, last.Shadow = r.Audience, r.Shadow
	r.Register = last
}

// bringUp adopts a register of a stream that lost its tail (rule 10). If its
// kind is not the one the session last published, that transition is
// published again, once.
func (m *Machine) bringUp(e *entry, r *register, last Register) {
	known := r.Register
	if last.Sequence == 0 && known.N > 0 {
		last.N = known.N - 1
		last.Kind = rules.NoTransition
	}
	last.Audience, last.Shadow = r.Audience, r.Shadow
	r.Register = last
	if known.Kind == rules.NoTransition || known.Kind == r.last() || r.published(known.Position) {
		if last.Sequence == 0 {
			r.N, r.Kind, r.Position = known.N, known.Kind, known.Position
		}
		return
	}
	again := &rules.Transition{
		Kind: known.Kind, Audience: known.Audience, Shadow: known.Shadow, Key: e.key,
		Position: known.Position, Cause: known.Cause, ExpiresAt: rules.Never,
	}
	e.unacked++
	m.unacked++
	r.queue = slices.Insert(r.queue, 0, publication{transition: again})
}
