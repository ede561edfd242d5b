package memory

import (
	"encoding/json"
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// logStream is one partition's log. Sequences count from 1 and may have gaps
// where messages were erased or purged.
type logStream struct {
	messages []partition.Message
	last     uint64
}

// erase removes the messages of a key.
func (l *logStream) erase(key rules.UserKey) {
	l.messages = slices.DeleteFunc(slices.Clone(l.messages), func(m partition.Message) bool {
		return keyOf(&m) == key
	})
}

// keyOf reads whose message it is, empty if it is nobody's.
func keyOf(m *partition.Message) rules.UserKey {
	if m.Kind != partition.EventMessage && m.Kind != partition.TraitsMessage {
		return ""
	}
	var doc struct {
		UserID      string `json:"userId" msgpack:"userId"`
		AnonymousID string `json:"anonymousId" msgpack:"anonymousId"`
	}
	decode := json.Unmarshal
	if m.Encoding == rules.MessagePack {
		decode = msgpack.Unmarshal
	}
	if decode(m.Payload, &doc) != nil {
		return ""
	}
	if doc.UserID != "" {
		return rules.UserKey(doc.UserID)
	}
	return rules.UserKey(doc.AnonymousID)
}

// first is the sequence of the first message, or of the next if there is
// none.
func (l *logStream) first() uint64 {
	if len(l.messages) == 0 {
		return l.last + 1
	}
	return l.messages[0].Seq
}

// holds reports whether the message at the cursor is the one it was, or was
// erased from between the first and the last.
func (l *logStream) holds(c partition.Cursor) bool {
	i := l.after(c.Seq)
	if i > 0 && l.messages[i-1].Seq == c.Seq {
		return l.messages[i-1].Time == c.Time
	}
	return l.first() < c.Seq && c.Seq <= l.last
}

// after is the index of the first message after a sequence.
func (l *logStream) after(seq uint64) int {
	i, found := slices.BinarySearchFunc(l.messages, seq, func(m partition.Message, seq uint64) int {
		switch {
		case m.Seq < seq:
			return -1
		case m.Seq > seq:
			return 1
		}
		return 0
	})
	if found {
		i++
	}
	return i
}

// afterTime is the index of the first message stored after an instant.
func (l *logStream) afterTime(t int64) int {
	i := slices.IndexFunc(l.messages, func(m partition.Message) bool { return m.Time > t })
	if i < 0 {
		return len(l.messages)
	}
	return i
}

// Append stores a message in p's log and delivers it to the readers.
func (b *Bus) Append(p int, kind partition.MessageKind, enc rules.Encoding, payload []byte) uint64 {
	l := &b.stored.logs[p]
	l.last++
	l.messages = append(l.messages, partition.Message{
		Seq: l.last, Time: b.now(), Kind: kind, Encoding: enc, Payload: slices.Clone(payload),
	})
	last := l.last
	for _, r := range slices.Clone(b.readers) {
		if r.p == p {
			r.deliverAll()
		}
	}
	return last
}

// AppendTick appends a tick.
func (b *Bus) AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended)) {
	b.Append(p, partition.TickMessage, rules.JSON, partition.EncodeTick(t))
	done(partition.TickAppended{Outcome: partition.Stored})
}

// AppendRules appends a revision.
func (b *Bus) AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended)) {
	b.Append(p, partition.RulesMessage, rules.JSON, partition.EncodeRules(r.Revision, ""))
	done(partition.RulesAppended{Revision: r.Revision, Outcome: partition.Stored})
}

// Reject stores a message that cannot be used, once per sequence.
func (b *Bus) Reject(p int, r partition.Reject, done func(partition.RejectStored)) {
	if _, stored := b.stored.rejected[p][r.Seq]; !stored {
		b.stored.rejected[p][r.Seq] = r
	}
	done(partition.RejectStored{Seq: r.Seq})
}

// Rejected gives the rejected messages of p, by sequence.
func (b *Bus) Rejected(p int) []partition.Reject {
	var out []partition.Reject
	for _, r := range b.stored.rejected[p] {
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y partition.Reject) int {
		if x.Seq < y.Seq {
			return -1
		}
		return 1
	})
	return out
}

// Log gives the messages of p's log. The caller does not change them.
func (b *Bus) Log(p int) []partition.Message { return slices.Clip(b.stored.logs[p].messages) }

// Purge removes the messages of p's log below a sequence.
func (b *Bus) Purge(p int, below uint64) {
	l := &b.stored.logs[p]
	l.messages = slices.Clone(l.messages[l.after(below-1):])
}

// reader is one reading. It keeps no messages: while it is paused they stay
// where they are.
type reader struct {
	bus     *Bus
	p       int
	reading int
	at      partition.Cursor // last delivered
	deliver func(partition.Input)
	paused  bool
	busy    bool
}

// Read delivers LogOpened and the messages after the cursor.
func (b *Bus) Read(p int, r partition.Read, deliver func(partition.Input)) Reader {
	rd := &reader{bus: b, p: p, reading: r.Reading, at: r.After, deliver: deliver, busy: true}
	b.readers = append(b.readers, rd)
	rd.open()
	rd.busy = false
	rd.deliverAll()
	return rd
}

// open compares the cursor with the log and tells where reading begins.
func (r *reader) open() {
	l := &r.bus.stored.logs[r.p]
	intact := r.at.Seq == 0 || l.holds(r.at)
	if !intact {
		r.at.Seq = 0
		if i := l.afterTime(r.at.Time); i > 0 {
			r.at.Seq = l.messages[i-1].Seq
		}
	}
	r.deliver(partition.LogOpened{Reading: r.reading, First: l.first(), Last: l.last, Intact: intact})
}

// deliverAll delivers what there is. A delivery that leads to another append
// is not nested.
func (r *reader) deliverAll() {
	if r.busy {
		return
	}
	r.busy = true
	defer func() { r.busy = false }()
	for !r.paused {
		l := &r.bus.stored.logs[r.p]
		i := l.after(r.at.Seq)
		if i == len(l.messages) {
			return
		}
		m := l.messages[i]
		m.Reading = r.reading
		r.at = partition.Cursor{Seq: m.Seq, Time: m.Time}
		r.deliver(m)
	}
}

// Pause stops the delivery until Resume.
func (r *reader) Pause() { r.paused = true }

// Resume goes on.
func (r *reader) Resume() {
	r.paused = false
	r.deliverAll()
}

// Stop ends the reading.
func (r *reader) Stop() {
	r.paused = true
	r.bus.readers = without(r.bus.readers, r)
}
