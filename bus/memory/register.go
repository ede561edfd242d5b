package memory

import (
	"slices"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// Transition is one stored transition.
type Transition struct {
	rules.Published
	Sequence uint64
	Time     int64 // Unix nanoseconds
}

func registerOf(t *rules.Transition) partition.RegisterKey {
	return partition.RegisterKey{Audience: t.Audience, Key: t.Key, Shadow: t.Shadow}
}

// last is the register's last message, nil if it holds none.
func (b *Bus) last(key partition.RegisterKey) *Transition {
	i, held := b.stored.registers[key]
	if !held {
		return nil
	}
	return &b.stored.transitions[i]
}

// index notes where every register's last message stands.
func (b *Bus) index() {
	b.stored.registers = make(map[partition.RegisterKey]int)
	for i := range b.stored.transitions {
		b.stored.registers[registerOf(&b.stored.transitions[i].Transition)] = i
	}
}

// Publish stores a transition if the register's last sequence is the expected
// one.
func (b *Bus) Publish(p partition.Publish, done func(partition.Published)) {
	answer := partition.Published{Register: p.Register, Attempt: p.Attempt, Outcome: partition.Refused}
	var last uint64
	if t := b.last(p.Register); t != nil {
		last = t.Sequence
	}
	if last == p.Expected {
		b.stored.sequence++
		stored := Transition{Published: rules.Published{Transition: *p.Transition, N: p.N}, Sequence: b.stored.sequence, Time: b.now()}
		b.stored.registers[p.Register] = len(b.stored.transitions)
		b.stored.transitions = append(b.stored.transitions, stored)
		answer.Outcome, answer.Seq = partition.Stored, stored.Sequence
	}
	done(answer)
}

// ReadRegister gives a register's last message.
func (b *Bus) ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead)) {
	answer := partition.RegisterRead{Register: r.Register, Attempt: r.Attempt}
	answer.Last = partition.Register{Audience: r.Register.Audience, Shadow: r.Register.Shadow}
	if t := b.last(r.Register); t != nil {
		answer.Last.Sequence, answer.Last.N, answer.Last.Kind = t.Sequence, t.N, t.Kind
		answer.Last.Position, answer.Last.Cause = t.Position, t.Cause
	}
	done(answer)
}

// CheckTransition tells whether the transition still stands where it stood.
func (b *Bus) CheckTransition(c partition.CheckTransition, done func(partition.TransitionChecked)) {
	i := slices.IndexFunc(b.stored.transitions, func(t Transition) bool { return t.Sequence == c.Transition.Sequence })
	intact := i >= 0 && registerOf(&b.stored.transitions[i].Transition) == c.Transition.Register &&
		b.stored.transitions[i].Position == c.Transition.Position
	done(partition.TransitionChecked{Intact: intact})
}

// Transitions gives every stored transition, in order. The caller does not
// change them.
func (b *Bus) Transitions() []Transition { return slices.Clip(b.stored.transitions) }
