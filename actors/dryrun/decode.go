package dryrun

import (
	"github.com/usher-audiences/usher/rules"
)

// decoded is a message ready to be applied. Its memory is used again for
// another one.
type decoded struct {
	kind   rules.InputKind
	at     int64
	seq    uint64
	event  rules.Event
	traits *rules.TraitUpdate
	err    error // why the message cannot be used
}

func (d *decoded) decode(set *rules.RuleSet, m *Message) {
	d.kind, d.at, d.seq, d.traits, d.err = m.Kind, m.At, m.Seq, nil, nil
	switch m.Kind {
	case rules.EventInput:
		d.err = set.DecodeEventInto(&d.event, m.Body, m.Encoding)
	case rules.TraitsInput:
		d.traits, d.err = rules.DecodeTraits(m.Body, m.Encoding)
	}
}

// Line is one line of a log, decoded for the rule set of a run. Decoding
// touches no run, so that it may go on while another line is applied.
type Line struct {
	number  int
	message decoded
}

// Number returns the number of the line, counted from 1.
func (l *Line) Number() int { return l.number }

// Decode reads and decodes the next line that is not blank. The error is
// io.EOF after the last, or the reader's; that a line cannot be used is for
// [Run.ApplyLine] to tell.
func (l *Lines) Decode(set *rules.RuleSet, into *Line) error {
	text, err := l.Next()
	into.number = l.number
	if err == nil {
		var m Message
		m, err = ParseLine(text)
		m.Seq = uint64(l.number) //nolint:gosec // lines are counted from 1
		if err == nil {
			into.message.decode(set, &m)
			return nil
		}
		into.message.kind, into.message.at, into.message.seq = rules.TickInput, m.At, m.Seq
	} else {
		into.message.kind, into.message.at = rules.TickInput, FromTimestamp
	}
	into.message.err = err
	if isRejection(err) {
		return nil
	}
	return err
}

// ApplyLine applies a decoded line. The error is an *[Unusable] for one that
// cannot be used, after which the run can go on.
func (r *Run) ApplyLine(l *Line) error {
	err := r.apply(&l.message)
	if err == nil {
		return nil
	}
	return unusableLine(l.number, err)
}

// Step decodes and applies the next line. The error is io.EOF after the last
// one, an *[Unusable], or that of the reader.
func (r *Run) Step(l *Lines) error {
	if err := l.Decode(r.set, &r.line); err != nil {
		return err
	}
	return r.ApplyLine(&r.line)
}
