package bench_test

import (
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/e2e/bench"
	"github.com/usher-audiences/usher/rules"
)

// TestBenchmarkSet holds the benchmark to what it claims: over the load at
// 50,000 events a second every audience changes, and at least one event in
// twenty causes a transition.
func TestBenchmarkSet(t *testing.T) {
	defs, err := rules.Parse("audiences.yaml", audiences)
	if err != nil {
		t.Fatal(err)
	}
	versioned := make([]rules.Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = rules.Versioned{Definition: d, Version: 1}
	}
	set, err := rules.Compile(1, versioned)
	if err != nil {
		t.Fatal(err)
	}
	const events, perMilli = 200_000, 50
	load := bench.NewLoad(1, events/50)
	sessions := make(map[rules.UserKey]*session.Session)
	evaluator := rules.NewEvaluator()
	changed := make(map[rules.AudienceKey]int)
	transitions, causing := 0, 0
	for i := range events {
		_, payload := load.Next()
		ev, err := set.DecodeEvent(payload, rules.JSON)
		if err != nil {
			t.Fatal(err)
		}
		s := sessions[ev.Key]
		if s == nil {
			s = session.New(ev.Key, set, session.Config{})
			sessions[ev.Key] = s
		}
		out, err := s.Step(evaluator, rules.Input{Kind: rules.EventInput, At: int64(i/perMilli) + 1, Seq: uint64(i + 1), Event: ev})
		if err != nil {
			t.Fatal(err)
		}
		transitions += len(out.Transitions)
		causing += min(len(out.Transitions), 1)
		for _, tr := range out.Transitions {
			changed[tr.Audience]++
		}
	}
	for _, d := range defs {
		if changed[d.Audience] == 0 {
			t.Errorf("%s does not change", d.Audience)
		}
		t.Logf("%6d %s", changed[d.Audience], d.Audience)
	}
	if causing*20 < events {
		t.Errorf("%d of %d events cause a transition, want one in twenty", causing, events)
	}
	t.Logf("%d transitions, caused by %d of %d events", transitions, causing, events)
}
