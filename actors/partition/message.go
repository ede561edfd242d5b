package partition

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// onMessage takes the next message of the log.
func (m *Machine) onMessage(msg Message) {
	if msg.Reading != m.reading || m.phase != running {
		return
	}
	if m.blocked != nil {
		m.backlog = append(m.backlog, msg)
		return
	}
	if msg.Seq <= m.read.seq {
		return // delivered again
	}
	m.checkGap(msg.Seq)
	f := m.advance(msg)
	m.fireDue(f)
	switch msg.Kind {
	case EventMessage:
		m.event(f)
	case TraitsMessage:
		m.traits(f)
	case TickMessage:
		m.tickRead(f)
	case RulesMessage:
		m.rulesRead(f)
	default:
		m.reject(f, &rules.Rejection{Reason: rules.ReasonUnknownType, Detail: fmt.Sprintf("message kind %q", msg.Kind)})
	}
	m.release(f)
}

// advance moves the reading place over msg and lists its flight, held once by
// the caller.
func (m *Machine) advance(msg Message) *flight {
	f := &flight{before: m.read, message: msg, pending: 1}
	ms := msg.Time / int64(time.Millisecond)
	if m.cfg.Without&RuleLogTime == 0 {
		ms = max(ms, m.read.logTime)
	}
	m.read.seq, m.read.raw, m.read.logTime = msg.Seq, msg.Time, ms
	f.at = m.read
	m.undone.push(f)
	return f
}

// fireDue delivers a tick to every key that has a deadline at or before the
// flight's log time. It carries the sequence below the message's own, so that
// what the message itself brings to the key comes after.
func (m *Machine) fireDue(f *flight) {
	for {
		key, ok := m.timers.due(f.at.logTime)
		if !ok {
			return
		}
		in := rules.Input{Kind: rules.TickInput, At: f.at.logTime, Seq: f.at.seq - 1}
		m.deliver(key, in, f)
	}
}

func (m *Machine) event(f *flight) {
	ev, err := m.rules.DecodeEvent(f.message.Payload, f.message.Encoding)
	if err == nil {
		err = m.routed(ev.Key)
	}
	if err != nil {
		m.reject(f, err)
		return
	}
	m.deliver(ev.Key, rules.Input{Kind: rules.EventInput, At: f.at.logTime, Seq: f.at.seq, Event: ev}, f)
}

func (m *Machine) traits(f *flight) {
	tr, err := rules.DecodeTraits(f.message.Payload, f.message.Encoding)
	if err == nil {
		err = m.routed(tr.Key)
	}
	if err != nil {
		m.reject(f, err)
		return
	}
	m.deliver(tr.Key, rules.Input{Kind: rules.TraitsInput, At: f.at.logTime, Seq: f.at.seq, Traits: tr}, f)
}

// routed reports whether key belongs to this partition.
func (m *Machine) routed(key rules.UserKey) error {
	token, err := subject.Encode(string(key))
	if err != nil {
		return &rules.Rejection{Reason: rules.ReasonNoKey, Detail: err.Error()}
	}
	if p := subject.Partition(token, m.cfg.Partitions); p != m.cfg.Partition {
		return &rules.Rejection{
			Reason: rules.ReasonMisrouted,
			Detail: fmt.Sprintf("key %q belongs to partition %d, the message is in %d: publish it on %s",
				key, p, m.cfg.Partition, subject.Events(token)),
		}
	}
	return nil
}

// reject stores the flight's message as unusable; the flight waits for it.
func (m *Machine) reject(f *flight, err error) {
	var r *rules.Rejection
	if !errors.As(err, &r) {
		r = &rules.Rejection{Reason: rules.ReasonNotJSON, Detail: err.Error()}
	}
	if _, again := m.rejects[f.at.seq]; again {
		return
	}
	f.hold()
	m.rejects[f.at.seq] = rejection{f: f}
	m.emit(Reject{Seq: f.at.seq, Kind: f.message.Kind, Reason: r.Reason, Detail: r.Detail, Payload: f.message.Payload})
}

// rejection is a message being stored as unusable.
type rejection struct {
	f *flight
	e *entry // whose step of it panicked; nil if it was never delivered
}

func (m *Machine) onRejectStored(in RejectStored) {
	f, e := m.rejects[in.Seq].f, m.rejects[in.Seq].e
	delete(m.rejects, in.Seq)
	if e != nil {
		e.unacked--
		m.unacked--
		m.proceed(e)
	}
	m.release(f)
}

// tickBody is the payload of a tick message.
type tickBody struct {
	At int64 `json:"at"` // the deadline it was appended for, Unix milliseconds
}

// EncodeTick writes the payload of a tick message.
func EncodeTick(t AppendTick) []byte {
	b, _ := json.Marshal(tickBody(t)) // cannot fail: one integer
	return b
}

// rulesBody is the payload of a rules message.
type rulesBody struct {
	Revision uint64 `json:"revision"`
	Digest   string `json:"digest,omitempty"`
}

// EncodeRules writes the payload of a rules message: the revision, and the
// digest of its manifest.
func EncodeRules(revision uint64, digest string) []byte {
	b, _ := json.Marshal(rulesBody{revision, digest}) // cannot fail: a number and a string
	return b
}

// DecodeRules reads the revision that a rules message puts in force.
func DecodeRules(payload []byte) (revision uint64, err error) {
	var b rulesBody
	if err := json.Unmarshal(payload, &b); err != nil {
		return 0, &rules.Rejection{Reason: rules.ReasonNotJSON, Detail: "rules message: " + err.Error()}
	}
	return b.Revision, nil
}
