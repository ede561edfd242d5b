package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// lineMax bounds one line of a recording. It is more than an event may have,
// so that a long one is named as too large and not cut.
const lineMax = 1 << 20

// recorded is one line of a recording.
type recorded struct {
	key       usher.UserKey
	timestamp time.Time // zero if it has none
	payload   []byte
}

// badLine is a line that is no usable event.
type badLine struct {
	place string
	why   string
}

func (b *badLine) Error() string { return b.place + ": " + b.why }

// source reads a recording line by line.
type source struct {
	name   string
	number int // of the line read last
	lines  *bufio.Reader
	size   int64 // bytes of the file, compressed or not; 0 if unknown
	read   atomic.Int64
	close  func()
}

// openSource opens a file, or standard input for "-". Gzip is told by its
// first bytes, whatever the name.
func openSource(con *console, name string) (*source, error) {
	s := &source{name: name, close: func() {}}
	input := con.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, &problem{err, "a recording is a file of JSON lines, gzip too, or - for standard input"}
		}
		s.close = func() { _ = file.Close() } // it was only read
		if info, err := file.Stat(); err == nil {
			s.size = info.Size()
		}
		input = file
	} else {
		s.name = "standard input"
	}
	buffered := bufio.NewReaderSize(&counted{input, &s.read}, 1<<16)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("%s: not a gzip file, though it begins like one: %w", s.name, err)
		}
		buffered = bufio.NewReaderSize(unzipped, 1<<16)
	}
	s.lines = buffered
	return s, nil
}

// counted counts what is read through it.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (s *source) place() string { return fmt.Sprintf("%s:%d", s.name, s.number) }

func (s *source) bad(format string, args ...any) error {
	return &badLine{s.place(), fmt.Sprintf(format, args...)}
}

// next returns the next event, io.EOF after the last, or a *badLine after
// which reading can go on. Empty lines are passed over.
func (s *source) next() (recorded, error) {
	for {
		line, err := s.line()
		if err != nil {
			return recorded{}, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return s.parse(line)
		}
	}
}

// line returns one line, in memory of its own.
func (s *source) line() ([]byte, error) {
	var line []byte
	s.number++
	for {
		part, err := s.lines.ReadSlice('\n')
		if len(line) <= lineMax {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%s: %w", s.place(), err)
		case len(line) > lineMax:
			return nil, s.bad("longer than 1 MB")
		default:
			return bytes.TrimRight(line, "\r\n"), nil
		}
	}
}

func (s *source) parse(line []byte) (recorded, error) {
	var head struct {
		UserID      string `json:"userId"`
		AnonymousID string `json:"anonymousId"`
		Timestamp   string `json:"timestamp"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return recorded{}, s.bad("not a JSON event: %v", err)
	}
	if len(line) > usher.MessageMax {
		return recorded{}, s.bad("%d bytes; an event may have %d", len(line), usher.MessageMax)
	}
	key := head.UserID
	if key == "" {
		key = head.AnonymousID
	}
	if _, err := subject.Encode(key); err != nil {
		return recorded{}, s.bad("no usable userId or anonymousId: %v", err)
	}
	e := recorded{key: usher.UserKey(key), payload: line}
	if head.Timestamp != "" {
		at, err := time.Parse(time.RFC3339, head.Timestamp)
		if err != nil {
			return recorded{}, s.bad("timestamp %q is not RFC 3339", head.Timestamp)
		}
		e.timestamp = at
	}
	return e, nil
}

// withTimestamp returns the event with another timestamp.
func withTimestamp(event []byte, at time.Time) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(event, &fields); err != nil {
		return nil, err
	}
	fields["timestamp"] = json.RawMessage(`"` + rules.FormatTime(at.UnixMilli()) + `"`)
	return json.Marshal(fields)
}
