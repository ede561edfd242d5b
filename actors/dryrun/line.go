package dryrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usher-audiences/usher/rules"
)

// timeMax is the last millisecond of the year 9999.
const timeMax = 253402300799999

// ParseLine reads one line of a recorded log. It is either a bare event of
// the Segment spec, whose log time is its timestamp or the greatest so far, or
// an object {"t": TIME, "kind": "event"|"traits"|"tick", "body": {...}}: one
// with a member kind and none called type. The message's body is a part of
// the line.
//
// The error is a [*rules.Rejection] and says what is wrong with the object; a
// body is judged by [Run.Apply]. A message whose t is good comes with an error,
// too: the line cannot be used, but time has passed.
func ParseLine(line []byte) (Message, error) {
	bare := Message{Kind: rules.EventInput, At: FromTimestamp, Body: line}
	// Finding no quoted word kind anywhere is much cheaper than to split.
	if !bytes.Contains(line, []byte(`"kind"`)) {
		return bare, nil
	}
	var e envelope
	if !e.split(line) || e.typed || e.kind == nil {
		return bare, nil // for the decoder of events to judge
	}
	return e.message()
}

// envelope is the members of a line, as they stand there.
type envelope struct {
	t, kind, body []byte
	typed         bool
}

// message reads the members.
func (e *envelope) message() (Message, error) {
	m := Message{Kind: rules.TickInput, At: FromTimestamp, Body: e.body}
	if e.t == nil {
		return m, unusable(rules.ReasonBadTimestamp, "no t beside kind")
	}
	at, err := time.Parse(time.RFC3339, text(e.t))
	if err != nil || at.UnixMilli() < 0 || at.UnixMilli() > timeMax {
		return m, unusable(rules.ReasonBadTimestamp, "t is not an RFC 3339 instant of the years 1970 to 9999: %s", e.t)
	}
	m.At = at.UnixMilli()
	switch text(e.kind) {
	case "event":
		m.Kind = rules.EventInput
	case "traits":
		m.Kind = rules.TraitsInput
	case "tick":
		return m, nil
	default:
		return m, unusable(rules.ReasonUnknownType, "kind %s is none of event, traits and tick", e.kind)
	}
	if e.body == nil {
		m.Kind = rules.TickInput
		return m, unusable(rules.ReasonNotJSON, "no body beside kind %s", e.kind)
	}
	return m, nil
}

func unusable(reason, format string, args ...any) error {
	return &rules.Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// text reads a JSON string; anything else gives "".
func text(value []byte) string {
	n := len(value)
	if n >= 2 && value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : n-1])
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// split finds the members of an object without reading the body; it returns
// false if the line is none. Of two members of one name the last counts.
func (e *envelope) split(line []byte) bool {
	s := splitter{b: line}
	if !s.take('{') {
		return false
	}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return false
		}
		name := s.value()
		if len(name) < 2 || name[0] != '"' || !s.take(':') {
			return false
		}
		value := s.value()
		if value == nil || !e.member(text(name), value) {
			return false
		}
	}
	s.blank()
	return s.i == len(s.b)
}

// member takes one member. What nobody reads must still be JSON.
func (e *envelope) member(name string, value []byte) bool {
	switch name {
	case "body":
		e.body = value
		return true
	case "t":
		e.t = value
	case "kind":
		e.kind = value
	case "type":
		e.typed = true
	}
	return json.Valid(value)
}

// splitter walks over JSON values, trusting them to be ones.
type splitter struct {
	b []byte
	i int
}

func (s *splitter) blank() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\r' || s.b[s.i] == '\n') {
		s.i++
	}
}

func (s *splitter) take(c byte) bool {
	s.blank()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// value passes over one value and returns it, nil if there is none.
func (s *splitter) value() []byte {
	s.blank()
	start, depth := s.i, 0
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case '"':
			if !s.quoted() {
				return nil
			}
			if depth == 0 {
				return s.b[start:s.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return s.found(start)
			}
			if c == '}' || c == ']' {
				if depth--; depth == 0 {
					s.i++
					return s.b[start:s.i]
				}
			}
		}
		s.i++
	}
	if depth > 0 {
		return nil
	}
	return s.found(start)
}

func (s *splitter) found(start int) []byte {
	if s.i == start {
		return nil
	}
	return s.b[start:s.i]
}

// quoted passes over a string.
func (s *splitter) quoted() bool {
	for s.i++; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '"':
			s.i++
			return true
		case '\\':
			s.i++
		}
	}
	return false
}
