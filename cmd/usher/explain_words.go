package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/rules"
)

// printExplanation writes an explanation, one line for each condition.
func printExplanation(con *console, x *actors.Explanation) {
	is := "is not a member"
	if x.Member {
		is = "is a member"
	}
	since := ""
	if x.Since != nil {
		since = " since " + instant(*x.Since)
	}
	con.print("%s %s of %s%s", x.Key, is, x.Audience, since)
	con.print("at %s, version %d%s", instant(x.At), x.Version, statusWords(x.Status))
	printExplained(con, &x.When, x.At, 0)
	for _, g := range x.Gates {
		con.print("%s: %s%s", g.Rule, g.Text, untilWords(", until", g.Until, x.At))
	}
	if x.Changes == nil {
		con.print("time alone does not change it")
	} else {
		con.print("time alone changes it%s", untilWords(" no sooner than", x.Changes, x.At))
	}
}

func statusWords(status string) string {
	if status == "active" {
		return ""
	}
	return ", " + status
}

func untilWords(word string, at *int64, now int64) string {
	if at == nil {
		return ""
	}
	return fmt.Sprintf("%s %s, in %s", word, instant(*at), rules.Millis(*at-now))
}

// occurredShown is how many occurrences of a condition are listed.
const occurredShown = 5

func printExplained(con *console, x *rules.Explained, now int64, depth int) {
	indent := strings.Repeat("    ", depth)
	if x.Group != "" && x.Group != "held" {
		con.print("%s[%s] %s: %s of %d true, needs %s", indent, mark(x.True), x.Condition, valueWords(x.Observed), len(x.Of), x.Needs)
	} else {
		con.print("%s[%s] %s", indent, mark(x.True), explainedWords(x, now))
	}
	if n := len(x.Occurred); n > 0 {
		con.print("%s    counted: %s", indent, occurredWords(x.Occurred))
	}
	for i := range x.Of {
		printExplained(con, &x.Of[i], now, depth+1)
	}
}

// explainedWords says of one condition what was observed, what is missing and
// how long it lasts: "event A within 10m: 2, needs >= 3 (1 more, 4m left)".
func explainedWords(x *rules.Explained, now int64) string {
	text := fmt.Sprintf("%s: %s", x.Condition, valueWords(x.Observed))
	if x.Needs != "" {
		text += ", needs " + x.Needs
	}
	var more []string
	if x.Missing != "" {
		more = append(more, x.Missing)
	}
	switch {
	case x.Changes != nil:
		turns := map[bool]string{true: "false", false: "true"}[x.True]
		more = append(more, fmt.Sprintf("%s by time alone in %s", turns, rules.Millis(*x.Changes-now)))
	case x.Fades != nil:
		more = append(more, fmt.Sprintf("%s left", rules.Millis(*x.Fades-now)))
	}
	if x.Inexact {
		more = append(more, "inexact")
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

func occurredWords(at []int64) string {
	shown := at[max(0, len(at)-occurredShown):]
	words := make([]string, len(shown))
	for i, o := range shown {
		words[i] = time.UnixMilli(o).Local().Format(clockForm)
	}
	text := strings.Join(words, ", ")
	if len(at) > len(shown) {
		text = fmt.Sprintf("%d, the latest at %s", len(at), text)
	}
	return text
}
