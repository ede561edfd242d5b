package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

const richRules = `
audience: last
when: {event: A, count: {gte: 2}, within: 10m}
linger: 1m
---
audience: session
when: {event: A, count: {gte: 2}}
max_entries: {count: 3, per: session}
---
audience: quiet
everyone: true
when: {held: {none: [{event: A, within: 1m}]}, for: 10s}
---
audience: pro
when: {trait: plan, eq: pro}
on_session_end: exit
`

// poisons are inputs that break a step at different depths, each after the
// step has already changed something: deadlines fired, a session begun, an id
// remembered, events counted, records renumbered.
func poisons(t *testing.T, rs *rules.RuleSet, at int64, seq uint64) map[string]rules.Input {
	t.Helper()
	identify, err := rs.DecodeEvent([]byte(`{"type":"identify","userId":"u","messageId":"poison"}`), rules.JSON)
	if err != nil {
		t.Fatal(err)
	}
	identify.Traits = map[string]any{"plan": "free", "big": strings.Repeat("x", rules.TraitsMax)}
	event, err := rs.DecodeEvent([]byte(`{"type":"track","event":"A","userId":"u","anonymousId":"other","messageId":"p","context":{"sessionId":"p"}}`), rules.JSON)
	if err != nil {
		t.Fatal(err)
	}
	event.Call = 99
	return map[string]rules.Input{
		"no event":        {Kind: rules.EventInput, At: at, Seq: seq},
		"no update":       {Kind: rules.TraitsInput, At: at, Seq: seq},
		"unknown call":    {Kind: rules.EventInput, At: at, Seq: seq, Event: event},
		"traits too big":  {Kind: rules.EventInput, At: at, Seq: seq, Event: identify},
		"broken rule set": {Kind: rules.RulesInput, At: at, Seq: seq, Rules: new(rules.RuleSet)},
	}
}

func TestStepRestoresTheStateExactly(t *testing.T) {
	rs := compileYAML(t, 0, richRules) // so that the broken set is not an older one
	for gap := range int64(4) {
		for name := range poisons(t, rs, start, 1) {
			t.Run(fmt.Sprintf("%s after %d minutes", name, gap*7), func(t *testing.T) { poison(t, rs, name, gap*7*60_000) })
		}
	}
}

func poison(t *testing.T, rs *rules.RuleSet, name string, gap int64) {
	ev := rules.NewEvaluator()
	s := session.New("u", rs, session.Config{Idle: 15 * 60_000})
	for i := range 1500 {
		body := fmt.Sprintf(`{"type":"track","event":"A","userId":"u","messageId":"m%d"}`, i)
		if i%400 == 399 {
			body = `{"type":"identify","userId":"u","traits":{"plan":"pro"}}`
		}
		e, err := rs.DecodeEvent([]byte(body), rules.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Step(ev, rules.Input{At: start + int64(i)*1000, Seq: uint64(i + 1), Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	before, next := s.Encode(nil), s.Next()
	at := start + 1500_000 + gap
	out, err := s.Step(ev, poisons(t, rs, at, 2000)[name])
	var rejection *rules.Rejection
	if !errors.As(err, &rejection) || len(out.Transitions) > 0 || out.Next != next {
		t.Fatalf("got %+v, %v, want a rejection, no transitions and next %d", out, err, next)
	}
	if rejection.Reason == rules.ReasonPanic && !strings.Contains(rejection.Detail, ".go:") {
		t.Errorf("detail %q does not say where", rejection.Detail)
	}
	if got := s.Encode(nil); !bytes.Equal(got, before) {
		t.Errorf("state: got %x, want %x", got, before)
	}
	twin, err := session.Decode("u", before, rs, session.Config{Idle: 15 * 60_000})
	if err != nil {
		t.Fatal(err)
	}
	tick := rules.Input{Kind: rules.TickInput, At: at + 3_600_000, Seq: 2001}
	got, err := s.Step(ev, tick)
	want, wantErr := twin.Step(rules.NewEvaluator(), tick)
	if err != nil || wantErr != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("afterwards: got %v, %v, want %v, %v", got, err, want, wantErr)
	}
}
