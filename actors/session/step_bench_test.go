package session_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// benchmarkRules is n audiences over selective properties: an event matches
// few of them.
func benchmarkRules(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString("---\n")
		}
		fmt.Fprintf(&b, "audience: a%d\nwhen:\n  all:\n", i)
		fmt.Fprintf(&b, "    - {event: Product Viewed, where: {product_id: p%d}, count: {gte: 3}, within: 10m}\n", i)
		fmt.Fprintf(&b, "    - {trait: plan, in: [free, trial-%d]}\n", i%100)
		fmt.Fprintf(&b, "    - {none: [{event: Order Completed, within: lifetime}]}\n")
	}
	return b.String()
}

func shopEvent(t testing.TB, rs *rules.RuleSet, product string, seq int) *rules.Event {
	t.Helper()
	e, err := rs.DecodeEvent(fmt.Appendf(nil, `{"type":"track","event":"Product Viewed","messageId":"shop-%d","userId":"u","anonymousId":"0b131d55-5abd-48c1-99a2-68e503feaf3f",`+
		`"context":{"sessionId":"0b131d55-5abd-48c1-99a2-68e503feaf3f"},"properties":{"product_id":%q,"brand":"huawei","price":278.55}}`, seq, product), rules.JSON)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// BenchmarkStep steps an event that one audience's count matches and that
// flips nothing: no allocation is allowed.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("audiences=%d", n), func(b *testing.B) { benchmarkStep(b, compileYAML(b, 1, benchmarkRules(n))) })
	}
}

func benchmarkStep(b *testing.B, rs *rules.RuleSet) {
	s, ev := session.New("u", rs, session.Config{}), rules.NewEvaluator()
	events := make([]*rules.Event, 2000)
	for i := range events {
		events[i] = shopEvent(b, rs, "p1", i)
	}
	at, seq := start, uint64(0)
	step := func() {
		at, seq = at+1000, seq+1
		if _, err := s.Step(ev, rules.Input{At: at, Seq: seq, Event: events[seq%2000]}); err != nil {
			b.Fatal(err)
		}
	}
	for range 3000 {
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	if got := s.View().Session.Events; uint64(got) != seq {
		b.Fatalf("events: got %d, want %d", got, seq)
	}
}

// BenchmarkCompile compiles 10,000 audiences.
func BenchmarkCompile(b *testing.B) {
	defs, err := rules.Parse("rules.yaml", []byte(benchmarkRules(10_000)))
	if err != nil {
		b.Fatal(err)
	}
	versioned := make([]rules.Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = rules.Versioned{Definition: d, Version: 1}
	}
	for b.Loop() {
		rs, err := rules.Compile(1, versioned)
		if err != nil || len(rs.Audiences()) != 10_000 {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleSession reports the memory of one shopper's session after ten
// events, as heap bytes per session.
func BenchmarkIdleSession(b *testing.B) {
	rs := compileYAML(b, 1, shopperRules)
	ev := rules.NewEvaluator()
	for b.Loop() {
		sessions := make([]*session.Session, 10_000)
		before := heap()
		for i := range sessions {
			sessions[i] = shopper(b, rs, ev, i)
		}
		b.ReportMetric(float64(heap()-before)/float64(len(sessions)), "B/session")
		runtime.KeepAlive(sessions)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const shopperRules = `
audience: looker
when: {event: Product Viewed, count: {gte: 3}, within: 10m}
---
audience: big-looker
when: {event: Product Viewed, where: {price: {gte: 100}}, count: {gte: 2}, within: 1h}
---
audience: hesitant
when: {all: [{event: Product Added}, {none: [{event: Order Completed}]}]}
---
audience: returning
when: {all: [{event: "*", count: {gte: 5}, within: lifetime}, {trait: plan, eq: free}]}
---
audience: fan
when: {event: Product Viewed, where: {brand: huawei}, count: {gte: 4}, within: {session: true, last: 30m}}
linger: 30s
`

func shopper(b *testing.B, rs *rules.RuleSet, ev *rules.Evaluator, i int) *session.Session {
	s := session.New(rules.UserKey(fmt.Sprintf("user-%d", i)), rs, session.Config{})
	for n := range 10 {
		in := rules.Input{At: start + int64(n)*20_000, Seq: uint64(n + 1)}
		switch n {
		case 3:
			u, err := rules.DecodeTraits([]byte(`{"userId":"u","traits":{"plan":"free","country":"DE","orders":7}}`), rules.JSON)
			if err != nil {
				b.Fatal(err)
			}
			in.Kind, in.Traits = rules.TraitsInput, u
		default:
			in.Event = shopEvent(b, rs, fmt.Sprintf("p%d", n%4), i*10+n)
		}
		if _, err := s.Step(ev, in); err != nil {
			b.Fatal(err)
		}
	}
	return s
}
