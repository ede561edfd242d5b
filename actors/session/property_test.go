package session_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
	"pgregory.net/rapid"
)

// drawRules draws a set of audiences over few names, so that they share
// conditions and meet the events drawn.
func drawRules(t *rapid.T, revision uint64) *rules.RuleSet {
	n := rapid.IntRange(1, 6).Draw(t, "audiences")
	var docs []string
	for i := range n {
		doc := fmt.Sprintf("audience: a%d\neveryone: true\nwhen: %s\n", i, drawCondition(t, i, 2))
		doc += drawLifecycle(t)
		docs = append(docs, doc)
	}
	text := strings.Join(docs, "---\n")
	defs, err := rules.Parse("drawn.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	versioned := make([]rules.Versioned, len(defs))
	for i, d := range defs {
		versioned[i] = rules.Versioned{Definition: d, Version: revision}
	}
	rs, err := rules.Compile(revision, versioned)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return rs
}

func drawLifecycle(t *rapid.T) string {
	var b strings.Builder
	draw := func(word string, values ...string) {
		if v := rapid.SampledFrom(append(values, "", "", "")).Draw(t, word); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", word, v)
		}
	}
	draw("hold_for", "5s", "1m")
	draw("linger", "5s", "1m")
	draw("cooldown", "10s", "2m")
	draw("max_entries", "{count: 1, per: session}", "{count: 2, per: day}", "{count: 2, per: lifetime}")
	draw("on_session_end", "exit")
	draw("status", "paused", "shadow")
	return b.String()
}

func drawCondition(t *rapid.T, audience, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 && kind > 3 {
		kind = 8 + kind%2
	}
	switch kind {
	default:
		return drawCount(t)
	case 2:
		return drawAggregate(t)
	case 3:
		return rapid.SampledFrom([]string{
			"{trait: plan, eq: pro}", "{trait: plan, not_in: [free]}", "{trait: seen, within_last: 1m}",
			"{trait: seen, more_than_ago: 30s}", "{trait: plan, exists: false}",
		}).Draw(t, "trait")
	case 4:
		word := rapid.SampledFrom([]string{"all", "any", "none"}).Draw(t, "group")
		return fmt.Sprintf("{%s: [%s, %s]}", word, drawCondition(t, audience, depth-1), drawCondition(t, audience, depth-1))
	case 1:
		return drawSequence(t)
	case 5:
		return fmt.Sprintf("{at_least: {n: 2, of: [%s, %s, %s]}}", drawCondition(t, audience, 0), drawCondition(t, audience, 0), drawCondition(t, audience, 0))
	case 6:
		if audience == 0 {
			return fmt.Sprintf("{not: %s}", drawCondition(t, audience, depth-1))
		}
		is := rapid.SampledFrom([]string{"member", "not_member"}).Draw(t, "is")
		return fmt.Sprintf("{audience: a%d, is: %s}", rapid.IntRange(0, audience-1).Draw(t, "other"), is)
	case 8:
		return rapid.SampledFrom([]string{
			"{session: events, gte: 3}", "{session: events, lt: 3}", "{session: pages, between: [1, 2]}", "{session: duration, gt: 15s}",
			"{session: duration, lte: 30s}", "{session: duration, lt: 10s}", "{session: idle, lt: 10s}", "{session: idle, gte: 10s}", "{session: idle, lt: 5s}", "{session: number, eq: 2}",
			"{session: id, eq: s1}", "{session: id, exists: true}", "{session: entry.page, starts_with: /}", "{session: campaign.source, neq: x}",
		}).Draw(t, "session")
	case 9:
		return rapid.SampledFrom([]string{
			"{context: x, eq: y}", "{context: x, exists: false}", "{context: seen, within_last: 20s}", "{context: sessionId, in: [s1, s2]}",
			"{bucket: {percent: 50, salt: a}}", "{time: {hour: {lt: 1}, tz: Europe/London}}", "{time: {hour: {gte: 1}}}",
		}).Draw(t, "context")
	case 7:
		return fmt.Sprintf("{held: %s, for: 20s}", drawCondition(t, audience, depth-1))
	}
}

func drawSequence(t *rapid.T) string {
	steps := rapid.SampledFrom([]string{
		"{event: A}, {event: B}", "{event: A}, {event: A, within: 10s}", "{event: A}, {absent: B, for: 5s}",
		"{as: x, event: A}, {event: B, where: {n: {ref: x.n}}}", "{event: A}, {event: B, within: 20s}, {event: A}",
		"{as: x, event: A}, {event: A, where: {n: {gt: {ref: x.n}}}}, {absent: B, where: {n: {ref: x.n}}, for: 9s}",
	}).Draw(t, "steps")
	within := rapid.SampledFrom([]string{"session", "lifetime", "10s", "1m"}).Draw(t, "within")
	lasts := rapid.SampledFrom([]string{"", ", lasts: 5s", ", lasts: 1m"}).Draw(t, "lasts")
	return fmt.Sprintf("{sequence: [%s], within: %s%s}", steps, within, lasts)
}

func drawAggregate(t *rapid.T) string {
	kind := rapid.SampledFrom([]string{"sum", "avg", "min", "max", "distinct", "first", "last"}).Draw(t, "aggregate")
	ops := rapid.SampledFrom([]string{"gte: 2", "lt: 2", "eq: 1", "between: [1, 4]", "neq: 3", "gt: 5"}).Draw(t, "operator")
	within := rapid.SampledFrom([]string{"session", "lifetime", "10s", "1m", "{session: true, last: 30s}"}).Draw(t, "within")
	since := rapid.SampledFrom([]string{"", "", ", since: {event: B}"}).Draw(t, "since")
	return fmt.Sprintf("{%s: n, of: [A, B], %s, within: %s%s}", kind, ops, within, since)
}

func drawCount(t *rapid.T) string {
	event := rapid.SampledFrom([]string{"A", "B", "[A, B]", `"*"`}).Draw(t, "event")
	where := rapid.SampledFrom([]string{"", "", ", where: {n: 1}", ", where: {n: {gt: 1}}", ", where: {n: [1, 2], context.x: y}"}).Draw(t, "where")
	count := rapid.SampledFrom([]string{"{gte: 1}", "{gte: 2}", "{eq: 0}", "{lt: 2}", "{eq: 2}", "{neq: 1}", "{between: [1, 2]}", "{in: [0, 3]}"}).Draw(t, "count")
	within := rapid.SampledFrom([]string{"session", "lifetime", "10s", "1m", "{session: true, last: 30s}"}).Draw(t, "within")
	since := rapid.SampledFrom([]string{"", "", ", since: {event: B}"}).Draw(t, "since")
	return fmt.Sprintf("{event: %s%s, count: %s, within: %s%s}", event, where, count, within, since)
}

// drawInput draws the input of sequence seq at time at.
func drawInput(t *rapid.T, rs *rules.RuleSet, at int64, seq uint64) rules.Input {
	in := rules.Input{At: at, Seq: seq}
	var err error
	switch rapid.IntRange(0, 9).Draw(t, "input") {
	default:
		in.Event, err = rs.DecodeEvent([]byte(drawEvent(t, at)), rules.JSON)
	case 0:
		in.Kind = rules.TickInput
	case 1:
		in.Kind = rules.TraitsInput
		in.Traits, err = rules.DecodeTraits([]byte(`{"userId":"u","traits":`+drawTraits(t, at)+`}`), rules.JSON)
	}
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func drawTraits(t *rapid.T, at int64) string {
	seen := rules.FormatTime(at + rapid.Int64Range(-90_000, 60_000).Draw(t, "seen"))
	return rapid.SampledFrom([]string{`{"plan":"pro"}`, `{"plan":"free"}`, `{"plan":null}`, `{"seen":"` + seen + `"}`}).Draw(t, "traits")
}

func drawEvent(t *rapid.T, at int64) string {
	call := rapid.SampledFrom([]string{`"type":"track","event":"A"`, `"type":"track","event":"A"`, `"type":"track","event":"B"`, `"type":"page","name":"P"`, `"type":"identify","traits":` + drawTraits(t, at)}).Draw(t, "call")
	id := ""
	if n := rapid.IntRange(0, 30).Draw(t, "messageId"); n < 15 {
		id = fmt.Sprintf(`,"messageId":"m%d"`, n)
	}
	late := rapid.SampledFrom([]int64{0, 0, 0, 1000, 9999, 10_000, 59_999, 60_000, 200_000, -5000}).Draw(t, "late")
	context := rapid.SampledFrom([]string{`{}`, `{"x":"y"}`, `{"sessionId":"s1"}`, `{"sessionId":"s2"}`, `{"sessionId":"s3","sessionStart":true}`,
		`{"seen":"` + rules.FormatTime(at) + `"}`, `{"page":{"path":"/a"},"campaign":{"source":"y"}}`}).Draw(t, "context")
	return fmt.Sprintf(`{%s,"userId":"u"%s,"timestamp":%q,"context":%s,"properties":{"n":%d}}`,
		call, id, rules.FormatTime(at-late), context, rapid.IntRange(0, 3).Draw(t, "n"))
}

// TestAnySessionRestoredGoesOnTheSame runs one session as it is, and another
// that is encoded and decoded at random, given inputs twice and given inputs
// that fail: both must say the same and end in the same state.
func TestAnySessionRestoredGoesOnTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := session.Config{Idle: rules.Millis(rapid.SampledFrom([]int{10_000, 20_000, 60_000, 1_800_000}).Draw(t, "idle"))}
		rs := drawRules(t, 1)
		straight, twin := session.New("u", rs, cfg), session.New("u", rs, cfg)
		ev, other := rules.NewEvaluator(), rules.NewEvaluator()
		at := start
		for seq := uint64(1); seq <= 40; seq++ {
			at += rapid.SampledFrom([]int64{0, 1, 1000, 5000, 10_000, 20_000, 61_000, 3_600_000}).Draw(t, "gap")
			in := drawInput(t, straight.Rules(), at, seq)
			if seq%2 == 0 {
				in = drawInput(t, rs, at, seq) // decoded for the rules before
			}
			if seq == 25 {
				in = rules.Input{Kind: rules.RulesInput, At: at, Seq: seq, Rules: drawRules(t, 2)}
			}
			want, wantErr := straight.Step(ev, in)
			if next := straight.Next(); next <= at || want.Next != next {
				t.Fatalf("next deadline %d at %d, told %d", next, at, want.Next)
			}
			if err := straight.Check(); err != nil {
				t.Fatal(err)
			}
			twin = disturb(t, twin, other, cfg, in)
			got, err := twin.Step(other, in)
			if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) {
				t.Fatalf("at %d: got %v, %v, want %v, %v", at, got, err, want, wantErr)
			}
			if a, b := twin.Encode(nil), straight.Encode(nil); !bytes.Equal(a, b) {
				t.Fatalf("at %d: state: got %x, want %x", at, a, b)
			}
			checkOutput(t, want, in)
		}
	})
}

// checkOutput holds a step's transitions against what any must keep: rising
// positions within the step, and entries and exits told apart by cause.
func checkOutput(t *rapid.T, out session.Output, in rules.Input) {
	for i, tr := range out.Transitions {
		if i > 0 && out.Transitions[i-1].Position.Compare(tr.Position) >= 0 {
			t.Fatalf("position %v after %v", tr.Position, out.Transitions[i-1].Position)
		}
		if tr.Position.At > in.At || tr.ExpiresAt <= tr.Position.At {
			t.Fatalf("at %d: %+v", in.At, tr)
		}
	}
}

func disturb(t *rapid.T, s *session.Session, ev *rules.Evaluator, cfg session.Config, next rules.Input) *session.Session {
	switch rapid.IntRange(0, 5).Draw(t, "disturb") {
	case 0:
		state := s.Encode(nil)
		restored, err := session.Decode("u", state, s.Rules(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return restored
	case 1:
		at, seq := s.Applied()
		if out, err := s.Step(ev, rules.Input{Kind: rules.TickInput, At: at, Seq: seq}); seq > 0 && (err != nil || !out.Skipped) {
			t.Fatalf("an applied position was not skipped: %v, %v", out, err)
		}
	case 2:
		if _, err := s.Step(ev, rules.Input{Kind: rules.EventInput, At: next.At, Seq: next.Seq}); err == nil {
			t.Fatal("an input without an event was applied")
		}
	case 3:
		// Time passes in more steps than one; the outcome is compared through
		// the state.
		ev.Begin(&rules.State{}, "other", s.Rules(), cfg.Idle)
	}
	return s
}

// TestAnExpiryIsALowerBound lets only time pass after each transition: none
// of the same audience may come before its expiresAt.
func TestAnExpiryIsALowerBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := session.Config{Idle: 60_000}
		rs := drawRules(t, 1)
		s, ev := session.New("u", rs, cfg), rules.NewEvaluator()
		at := start
		for seq := uint64(1); seq <= 20; seq++ {
			at += rapid.SampledFrom([]int64{1, 1000, 5000, 20_000}).Draw(t, "gap")
			out, err := s.Step(ev, drawInput(t, rs, at, seq))
			if err != nil {
				t.Fatal(err)
			}
			future, err := session.Decode("u", s.Encode(nil), rs, cfg)
			if err != nil {
				t.Fatal(err)
			}
			expires := map[rules.AudienceKey]int64{}
			for _, tr := range out.Transitions {
				// Of an earlier evaluation, the message came after it.
				if tr.Position.Seq == seq && tr.Cause != rules.CauseSessionEnd {
					expires[tr.Audience] = tr.ExpiresAt
				}
			}
			later, err := future.Step(rules.NewEvaluator(), rules.Input{Kind: rules.TickInput, At: at + 86_400_000*2, Seq: seq})
			if err != nil {
				t.Fatal(err)
			}
			for _, tr := range later.Transitions {
				if e, ok := expires[tr.Audience]; ok && tr.Position.At < e {
					t.Fatalf("%s %s at %d, though the one before expires at %d", tr.Audience, tr.Kind, tr.Position.At, e)
				}
				delete(expires, tr.Audience)
			}
		}
	})
}
