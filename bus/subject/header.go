package subject

import (
	"fmt"
	"strconv"
	"strings"
)

// Headers of stored messages.
const (
	// HeaderPosition is a transition's position: see FormatPosition.
	HeaderPosition = "Usher-Position"
	// HeaderReason is the word that says why a message was rejected.
	HeaderReason = "Usher-Reason"
	// HeaderDetail says for a person what was wrong with a rejected message.
	HeaderDetail = "Usher-Detail"
)

// FormatPosition returns the text of a transition's position, the value of
// HeaderPosition: at in Unix milliseconds, the sequence of the log message or
// 0 for a deadline, and the order within that evaluation.
func FormatPosition(at int64, seq uint64, order int) string {
	// 20 digits of at and of seq each, 20 of order, two dashes: never grown.
	b := make([]byte, 0, 62)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, int64(order), 10)
	return string(b)
}

// ParsePosition is the inverse of FormatPosition. It returns ErrNotPosition
// for any string that FormatPosition does not return with order >= 0.
func ParsePosition(s string) (at int64, seq uint64, order int, err error) {
	// From the right, because at is negative before 1970.
	last := strings.LastIndexByte(s, '-')
	if last < 0 {
		return 0, 0, 0, notPosition(s)
	}
	middle := strings.LastIndexByte(s[:last], '-')
	if middle < 0 {
		return 0, 0, 0, notPosition(s)
	}
	at, errAt := strconv.ParseInt(s[:middle], 10, 64)
	seq, errSeq := strconv.ParseUint(s[middle+1:last], 10, 64)
	order, errOrder := strconv.Atoi(s[last+1:])
	if errAt != nil || errSeq != nil || errOrder != nil || FormatPosition(at, seq, order) != s {
		return 0, 0, 0, notPosition(s)
	}
	return at, seq, order, nil
}

func notPosition(s string) error {
	return fmt.Errorf("position %q: %w", s, ErrNotPosition)
}
