package dryrun_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

const twinRules = `
audience: lately
when: {event: A, within: 5s}
---
audience: often
when: {event: A, count: {gte: 2}, within: 7s}
linger: 2s
---
audience: visiting
when: {event: "*", count: {gte: 2}}
---
audience: keen
when: {all: [{audience: lately}, {trait: plan, eq: pro}]}
`

// TestRunEqualsSimple compares a run with one that looks at every key for the
// next deadline before every message.
func TestRunEqualsSimple(t *testing.T) {
	set := compile(t, twinRules)
	config := session.Config{Idle: 9000}
	for seed := range uint64(200) {
		log := randomLog(rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // a seed is meant to repeat
		var got []string
		run := dryrun.New(set, config, func(p *rules.Published) { got = append(got, told(&p.Transition)) })
		simple := simpleRun{set: set, config: config, sessions: map[rules.UserKey]*session.Session{}, ev: rules.NewEvaluator()}
		for _, m := range log {
			if err := run.Apply(m); err != nil {
				t.Fatal(err)
			}
			simple.apply(t, m)
		}
		if err := run.Advance(1e9); err != nil {
			t.Fatal(err)
		}
		simple.pass(t, 1e9)
		if len(got) < 10 || !slices.Equal(got, simple.out) {
			t.Fatalf("seed %d: got %d transitions\n%q\nwant\n%q", seed, len(got), got, simple.out)
		}
	}
}

func told(tr *rules.Transition) string {
	return fmt.Sprintf("%s %s %s %s %s", tr.Position, tr.Key, tr.Audience, tr.Kind, tr.Cause)
}

// randomLog draws messages so close together that many deadlines and messages
// fall on one instant.
func randomLog(r *rand.Rand) []dryrun.Message {
	var log []dryrun.Message
	at := int64(1000)
	for seq := range uint64(120) {
		at += 500 * int64(r.IntN(4))
		m := dryrun.Message{At: at, Seq: seq + 1}
		user := fmt.Sprintf("u%d", r.IntN(6))
		switch r.IntN(8) {
		case 0:
			m.Kind = rules.TickInput
		case 1:
			m.Kind = rules.TraitsInput
			m.Body = fmt.Appendf(nil, `{"userId":%q,"traits":{"plan":%q}}`, user, []string{"pro", "free"}[r.IntN(2)])
		default:
			stamp := at - 500*int64(r.IntN(8))
			if stamp < 0 || r.IntN(2) == 0 {
				stamp = at
			}
			m.Body = fmt.Appendf(nil, `{"type":"track","event":%q,"userId":%q,"timestamp":%q}`,
				[]string{"A", "B"}[r.IntN(2)], user, rules.FormatTime(stamp))
		}
		log = append(log, m)
	}
	return log
}

type simpleRun struct {
	set      *rules.RuleSet
	config   session.Config
	sessions map[rules.UserKey]*session.Session
	ev       *rules.Evaluator
	out      []string
}

func (s *simpleRun) apply(t *testing.T, m dryrun.Message) {
	s.pass(t, m.At)
	in := rules.Input{Kind: m.Kind, At: m.At, Seq: m.Seq}
	var key rules.UserKey
	var err error
	switch m.Kind {
	case rules.EventInput:
		in.Event, err = s.set.DecodeEvent(m.Body, rules.JSON)
		key = in.Event.Key
	case rules.TraitsInput:
		in.Traits, err = rules.DecodeTraits(m.Body, rules.JSON)
		key = in.Traits.Key
	default:
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.sessions[key] == nil {
		s.sessions[key] = session.New(key, s.set, s.config)
	}
	s.step(t, s.sessions[key], in)
}

func (s *simpleRun) step(t *testing.T, of *session.Session, in rules.Input) {
	out, err := of.Step(s.ev, in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range out.Transitions {
		s.out = append(s.out, told(&out.Transitions[i]))
	}
}

// pass fires the deadlines up to an instant, smallest (deadline, key) first.
func (s *simpleRun) pass(t *testing.T, to int64) {
	for {
		var first *session.Session
		for _, of := range s.sessions {
			if first == nil || of.Next() < first.Next() || of.Next() == first.Next() && of.Key() < first.Key() {
				first = of
			}
		}
		if first == nil || first.Next() > to {
			return
		}
		s.step(t, first, rules.Input{Kind: rules.TickInput, At: first.Next()})
	}
}
