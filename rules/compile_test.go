package rules

import (
	"errors"
	"fmt"
	"testing"
)

func TestCompileRefusesWhatItCannotEvaluate(t *testing.T) {
	for _, tc := range []struct {
		name, text   string
		line, column int
	}{
		{"CEL", "audience: a\nwhen:\n  event: A\n  where: properties.x > \n", 4, 10},
		{"backfill", "audience: a\nwhen: {event: A}\nlinger: 1s\nbackfill: {replay: 1h}\n", 4, 1},
		{"no such time zone", "audience: a\nwhen: {all: [{event: A}, {time: {hour: 9, tz: Europe/Lodnon}}]}\n", 2, 26},
		{"the first of two", "audience: a\nwhen: {event: A, where: x}\nbackfill: {replay: 1h}\n", 2, 25},
		{"a circle", "audience: a\nwhen: {audience: b}\n---\naudience: b\nwhen: {audience: a}\n", 5, 7},
		{"no such audience", "audience: a\nwhen: {any: [{event: A}, {audience: b}]}\n", 2, 26},
		{"everyone is missing", "audience: a\nwhen: {none: [{event: A}]}\n", 2, 7},
	} {
		defs, err := Parse("rules.yaml", []byte(tc.text))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		versioned := make([]Versioned, len(defs))
		for i, d := range defs {
			versioned[i] = Versioned{Definition: d}
		}
		_, err = Compile(1, versioned)
		var refused Diagnostics
		if !errors.As(err, &refused) || refused[0].File != "rules.yaml" || refused[0].Line != tc.line || refused[0].Column != tc.column {
			t.Errorf("%s: got %v, want a diagnostic at rules.yaml:%d:%d", tc.name, err, tc.line, tc.column)
		}
	}
}

func TestCompileNothing(t *testing.T) {
	rs, err := Compile(0, nil)
	if err != nil || rs.Revision() != 0 || len(rs.Audiences()) != 0 {
		t.Errorf("got %v, %v, want an empty set of revision 0", rs, err)
	}
}

func TestConditionsAreShared(t *testing.T) {
	rs := compileText(t, `
audience: a
when: {all: [{event: A, count: {gte: 2}, within: 10m}, {event: B}]}
---
audience: b
when: {any: [{event: B, within: session}, {event: [A], within: 600s, count: {gte: 2}}]}
`)
	if len(rs.conds) != 2 {
		t.Errorf("got %d conditions, want 2", len(rs.conds))
	}
}

// TestWindowBound counts more than are kept: the truth is then inexact, says
// so, and is exact again once what was dropped would have left the window.
func TestWindowBound(t *testing.T) {
	rs := compileText(t, "audience: a\nwhen: {event: A, count: {gte: 5000}, within: 10s}\n")
	e, st := NewEvaluator(), &State{}
	ev, err := rs.DecodeEvent([]byte(`{"type":"track","event":"A","userId":"u"}`), JSON)
	if err != nil {
		t.Fatal(err)
	}
	feed := func(at int64) Reason {
		e.Begin(st, "u", rs, 1000)
		e.At(at)
		e.Greet()
		e.Count(ev, at, UserLevel)
		e.Evaluate()
		return e.reason(0)
	}
	for i := range int64(6000) {
		got := feed(100_000 + i)
		if want := i >= occurrencesMax; got.Inexact != want || got.True {
			t.Fatalf("after %d: got %+v, want inexact %v", i+1, got, want)
		}
	}
	if n := len(st.times); n != occurrencesMax {
		t.Errorf("kept %d, want %d", n, occurrencesMax)
	}
	if got := feed(120_000); got.Inexact || fmt.Sprint(got.Observed) != "1" {
		t.Errorf("afterwards: got %+v, want 1, exact", got)
	}
}
