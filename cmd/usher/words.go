package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/usher-audiences/usher"
)

// clock is the form in which a person reads an instant of today.
const clockForm = "15:04:05.000"

// because says in words why a transition happened: the conditions that made
// it, with what was observed and what they need.
func because(t usher.Transition) string { return becauseIn(t, reasonWords) }

// becauseBriefly is because where the line may be cut: what was observed
// comes first.
func becauseBriefly(t usher.Transition) string {
	return becauseIn(t, func(r usher.Reason) string {
		return fmt.Sprintf("%s (%s): %s", valueWords(r.Observed), r.Needs, r.Condition)
	})
}

func becauseIn(t usher.Transition, words func(usher.Reason) string) string {
	wanted := t.Type == usher.Entered
	var decisive, all []string
	for _, r := range t.Because {
		all = append(all, words(r))
		if r.True == wanted {
			decisive = append(decisive, words(r))
		}
	}
	if len(decisive) == 0 {
		decisive = all
	}
	return strings.Join(decisive, ", ")
}

func reasonWords(r usher.Reason) string {
	text := fmt.Sprintf("%s: %s", r.Condition, valueWords(r.Observed))
	if r.Needs != "" {
		text += ", needs " + r.Needs
	}
	if r.Inexact {
		text += " (inexact)"
	}
	return text
}

func valueWords(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return v
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(data)
	}
}

// causeWords says in words what made a transition happen.
func causeWords(t usher.Transition) string {
	switch t.Cause {
	case usher.CauseEvent, usher.CauseSessionStart:
		if t.Event != "" {
			return t.Event
		}
		return "an event"
	case usher.CauseTraits:
		return "traits changed"
	case usher.CauseWindow:
		return "time passed"
	case usher.CauseSessionEnd:
		return "session ended"
	case usher.CauseDeadline:
		return "deadline"
	case usher.CauseRuleChanged:
		return "rule changed"
	default:
		return string(t.Cause)
	}
}

// Widths of the columns of a transition's line. A longer word pushes the rest
// of its own line only.
const (
	audienceWidth = 24
	keyWidth      = 20
	causeWidth    = 13
)

// line is a transition as a person reads it: TIME entered AUDIENCE KEY cause,
// and why.
func line(t usher.Transition) string {
	text := fmt.Sprintf("%s %-7s %-*s %-*s %-*s", t.At.Local().Format(clockForm), t.Type,
		audienceWidth, t.Audience, keyWidth, t.Key, causeWidth, t.Cause)
	if why := because(t); why != "" {
		text += " " + why
	}
	return strings.TrimRight(text, " ")
}

// count writes a number with its noun: "1 event", "2 events".
func count[N int | uint64 | int64](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shortDuration writes a latency with two or three digits.
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return d.Round(time.Second).String()
	}
}
