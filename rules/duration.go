package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The units of a duration.
const (
	millisecond Millis = 1
	second             = 1000 * millisecond
	minute             = 60 * second
	hour               = 60 * minute
	day                = 24 * hour
)

// DurationMax is the longest duration a definition may name: 100 years of
// 365 days.
const DurationMax = 36500 * day

var (
	errDurationForm  = errors.New("is not a duration")
	errDurationOrder = errors.New("has its units out of order, or one of them twice")
	errDurationLong  = errors.New("is longer than 36500d")
)

// ParseDuration reads a duration as definitions write it: whole numbers, each
// with a unit of d, h, m, s or ms, from the longest unit to the shortest, as
// in 90s, 7d or 1h30m. A bare number is not one here: in a document it is a
// number, of seconds.
func ParseDuration(s string) (Millis, error) {
	if s == "" {
		return 0, errDurationForm
	}
	var total Millis
	previous := Millis(math.MaxInt64)
	for rest := s; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if digits == 0 || digits > 18 || err != nil {
			return 0, errDurationForm
		}
		unit, length := durationUnit(rest[digits:])
		if length == 0 {
			return 0, errDurationForm
		}
		if unit >= previous {
			return 0, errDurationOrder
		}
		if n > int64(DurationMax/unit) {
			return 0, errDurationLong
		}
		total, previous, rest = total+Millis(n)*unit, unit, rest[digits+length:]
	}
	if total > DurationMax {
		return 0, errDurationLong
	}
	return total, nil
}

// durationUnit returns the unit that s begins with, and the length of its
// name; 0 if there is none.
func durationUnit(s string) (Millis, int) {
	switch {
	case strings.HasPrefix(s, "ms"):
		return millisecond, 2
	case strings.HasPrefix(s, "s"):
		return second, 1
	case strings.HasPrefix(s, "m"):
		return minute, 1
	case strings.HasPrefix(s, "h"):
		return hour, 1
	case strings.HasPrefix(s, "d"):
		return day, 1
	}
	return 0, 0
}

// String returns the duration as a definition would write it, such as 1h30m.
func (m Millis) String() string {
	if m == 0 {
		return "0s"
	}
	if m < 0 {
		return "-" + (-m).String()
	}
	var b strings.Builder
	for _, u := range []struct {
		unit Millis
		name string
	}{{day, "d"}, {hour, "h"}, {minute, "m"}, {second, "s"}, {millisecond, "ms"}} {
		if n := m / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			m -= n * u.unit
		}
	}
	return b.String()
}
