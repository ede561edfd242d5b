package bus

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// registerSubject is where a register is stored. A key without a token never
// gets this far: its partition cannot be told.
func registerSubject(r *partition.RegisterKey) string {
	token := mustToken(r.Key)
	if r.Shadow {
		return subject.Shadow(string(r.Audience), token)
	}
	return subject.Transition(string(r.Audience), token)
}

func mustToken(key rules.UserKey) subject.Token {
	token, err := subject.Encode(string(key))
	if err != nil {
		panic(fmt.Sprintf("bus: key %q has no partition: %v", key, err))
	}
	return token
}

// Publish stores a transition if its register's last sequence is still the
// expected one.
func (b *Bus) Publish(p partition.Publish, done func(partition.Published)) {
	body, err := encodeTransition(&rules.Published{Transition: *p.Transition, N: p.N})
	if err != nil {
		b.log.Error("a transition cannot be encoded", "audience", p.Register.Audience, "key", p.Register.Key, "err", err)
		done(partition.Published{Register: p.Register, Attempt: p.Attempt, Outcome: partition.Doubt})
		return
	}
	m := &nats.Msg{Subject: registerSubject(&p.Register), Data: body, Header: nats.Header{
		subject.HeaderPosition:      {p.Transition.Position.String()},
		nats.ExpectedLastSubjSeqHdr: {strconv.FormatUint(p.Expected, 10)},
	}}
	b.store(&b.gates.transitions, m, func(outcome partition.Outcome, seq uint64) {
		done(partition.Published{Register: p.Register, Attempt: p.Attempt, Outcome: outcome, Seq: seq})
	})
}

// encodeTransition writes what a condition observed as text if JSON has no
// form for it, such as an infinite sum.
func encodeTransition(t *rules.Published) ([]byte, error) {
	body, err := t.MarshalJSON()
	if err == nil {
		return body, nil
	}
	t.Because = slices.Clone(t.Because)
	for i := range t.Because {
		t.Because[i].Observed = fmt.Sprint(t.Because[i].Observed)
	}
	return t.MarshalJSON()
}

// ReadRegister reads a register's last message from the stream's leader.
func (b *Bus) ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead)) {
	q := getQuery{Last: registerSubject(&r.Register)}
	b.persist("read a register", func(end func(error)) {
		b.getMessage(subject.StreamTransitions, q, func(m *storedMessage, err error) {
			if end(err); err != nil || b.ctx.Err() != nil {
				return
			}
			done(partition.RegisterRead{Register: r.Register, Attempt: r.Attempt, Last: b.register(&r.Register, m)})
		})
	})
}

// register is what a register's last message says. One that Usher did not
// write says only where it stands: the next transition then replaces it.
func (b *Bus) register(key *partition.RegisterKey, m *storedMessage) partition.Register {
	out := partition.Register{Audience: key.Audience, Shadow: key.Shadow}
	if m == nil {
		return out
	}
	out.Sequence = m.Seq
	var t rules.Published
	if err := json.Unmarshal(m.Data, &t); err != nil {
		b.log.Error("a register holds what is no transition", "subject", m.Subject, "seq", m.Seq, "err", err)
		return out
	}
	out.N, out.Kind, out.Position, out.Cause = t.N, t.Kind, t.Position, t.Cause
	return out
}

// CheckTransition looks whether the message at the sequence is still that
// transition.
func (b *Bus) CheckTransition(c partition.CheckTransition, done func(partition.TransitionChecked)) {
	want := c.Transition
	if want.Sequence == 0 {
		done(partition.TransitionChecked{Intact: true})
		return
	}
	b.persist("check the last transition", func(end func(error)) {
		b.getMessage(subject.StreamTransitions, getQuery{Seq: want.Sequence}, func(m *storedMessage, err error) {
			if end(err); err != nil || b.ctx.Err() != nil {
				return
			}
			done(partition.TransitionChecked{Intact: isTransition(m, &want)})
		})
	})
}

func isTransition(m *storedMessage, want *partition.StoredTransition) bool {
	if m == nil || m.Subject != registerSubject(&want.Register) {
		return false
	}
	h, err := m.header()
	return err == nil && h.Get(subject.HeaderPosition) == want.Position.String()
}
