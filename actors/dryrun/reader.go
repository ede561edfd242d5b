package dryrun

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/usher-audiences/usher/rules"
)

// lineMax bounds a line. It is far more than a message may have, so that a
// long one is named as too large and not cut.
const lineMax = 1 << 20

// Lines reads the lines of a log.
type Lines struct {
	reader *bufio.Reader
	number int
	long   []byte // a line that is longer than the reader's buffer
}

// NewLines returns the lines of a text.
func NewLines(r io.Reader) *Lines { return &Lines{reader: bufio.NewReaderSize(r, 1<<17)} }

// Number returns the number of the line read last, counted from 1.
func (l *Lines) Number() int { return l.number }

// Next returns the next line that is not blank, without its end, io.EOF after
// the last. It is valid until the next call. The error is a *rules.Rejection
// for a line that is too long, after which reading can go on.
func (l *Lines) Next() ([]byte, error) {
	for {
		l.number++
		line, err := l.reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.rest(line)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		if len(line) > lineMax {
			return nil, unusable(rules.ReasonTooLarge, "longer than %d bytes", lineMax)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, io.EOF
		}
	}
}

// rest reads to the end of a long line and keeps no more of it than tells
// that it is too long.
func (l *Lines) rest(line []byte) ([]byte, error) {
	l.long = append(l.long[:0], line...)
	for {
		part, err := l.reader.ReadSlice('\n')
		if len(l.long) <= lineMax {
			l.long = append(l.long, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

// Unusable is a line that was not used.
type Unusable struct {
	Line int
	Err  *rules.Rejection
}

// Error returns the reason, with the number of the line.
func (u *Unusable) Error() string { return fmt.Sprintf("line %d: %v", u.Line, u.Err) }

// Unwrap returns the rejection.
func (u *Unusable) Unwrap() error { return u.Err }

func isRejection(err error) bool {
	var rejected *rules.Rejection
	return errors.As(err, &rejected)
}

// unusableLine adds the line's number to a rejection; another error stays.
func unusableLine(number int, err error) error {
	var rejected *rules.Rejection
	if errors.As(err, &rejected) {
		return &Unusable{Line: number, Err: rejected}
	}
	return err
}
