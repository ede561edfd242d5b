package session_test

import (
	"fmt"
	"testing"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
	"pgregory.net/rapid"
)

// logged is an event of the log that TestSequences draws, in whole seconds.
type logged struct {
	at, o   int64
	name    string
	n       int
	session int // 0: belongs to none
}

// sequenceLog is the whole history, and the naive truth over it.
type sequenceLog struct {
	events []logged
	ends   map[int]int64 // of sessions, as a moment
	within string
	lasts  int64
	steps  []logged // name; o is the bound since the previous step; n: 1 compares n with the first step's
	absent string   // of the last step, for this many seconds
	after  int64
}

// A moment is a second and, within it, the order in which things happen: a
// session ends by its deadline, an absence is complete, a message ends a
// session, the message is applied.
const (
	endsByTime = iota
	completes
	endsByMessage
	applies
	momentsPerSecond
)

func (l *sequenceLog) bound() int64 {
	return map[string]int64{"30s": 30, "1m": 60}[l.within]
}

// holds tries every assignment of events to steps.
func (l *sequenceLog) holds(now int64) bool { return l.try(now, nil) }

func (l *sequenceLog) try(now int64, chosen []int) bool {
	if len(chosen) == len(l.steps) {
		return l.satisfied(now, chosen)
	}
	from := 0
	if len(chosen) > 0 {
		from = chosen[len(chosen)-1] + 1
	}
	for i := from; i < len(l.events); i++ {
		if l.fits(i, chosen) && l.try(now, append(chosen[:len(chosen):len(chosen)], i)) {
			return true
		}
	}
	return false
}

func (l *sequenceLog) fits(i int, chosen []int) bool {
	ev, step := l.events[i], l.steps[len(chosen)]
	if ev.name != step.name || l.within == "session" && ev.session == 0 {
		return false
	}
	if len(chosen) == 0 {
		return true
	}
	first, prev := l.events[chosen[0]], l.events[chosen[len(chosen)-1]]
	return (l.within != "session" || ev.session == first.session) &&
		(step.o == 0 || ev.o-prev.o < step.o) && (step.n == 0 || ev.n == first.n)
}

func (l *sequenceLog) satisfied(now int64, chosen []int) bool {
	first, prev := l.events[chosen[0]], l.events[chosen[len(chosen)-1]]
	completion, known := prev.o, prev.at*momentsPerSecond+applies
	if l.absent != "" {
		completion += l.after
		known = max(known, completion*momentsPerSecond+completes)
		if l.blocked(chosen[len(chosen)-1], completion) {
			return false
		}
		if end, ended := l.ends[first.session]; l.within == "session" && ended && end < known {
			return false
		}
	}
	if known > now*momentsPerSecond+applies || l.bound() > 0 && completion-first.o >= l.bound() {
		return false
	}
	if l.lasts > 0 {
		return now < completion+l.lasts
	}
	for s, end := range l.ends {
		if l.within == "session" && s == first.session || l.bound() > 0 && end > known {
			return false
		}
	}
	return true
}

func (l *sequenceLog) blocked(last int, instant int64) bool {
	for _, ev := range l.events[last+1:] {
		if ev.name == l.absent && ev.at < instant && (l.within != "session" || ev.session == l.events[last].session) {
			return true
		}
	}
	return false
}

func drawSequenceLog(t *rapid.T) (*sequenceLog, string) {
	l := &sequenceLog{ends: map[int]int64{}}
	l.within = rapid.SampledFrom([]string{"session", "lifetime", "30s", "1m"}).Draw(t, "within")
	l.lasts = rapid.SampledFrom([]int64{0, 0, 5, 40}).Draw(t, "lasts")
	text := ""
	for i := range rapid.IntRange(1, 3).Draw(t, "steps") {
		s := logged{name: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name")}
		step := "{event: " + s.name
		if i == 0 {
			step += ", as: x"
		} else {
			s.o = rapid.SampledFrom([]int64{0, 0, 10, 25}).Draw(t, "bound")
			s.n = rapid.IntRange(0, 1).Draw(t, "ref")
			if s.n == 1 {
				step += ", where: {n: {ref: x.n}}"
			}
			if s.o > 0 {
				step += fmt.Sprintf(", within: %ds", s.o)
			}
			step = ", " + step
		}
		l.steps = append(l.steps, s)
		text += step + "}"
	}
	if len(l.steps) == 1 || rapid.Bool().Draw(t, "absent") {
		l.absent = rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "absence")
		l.after = rapid.SampledFrom([]int64{1, 8, 20}).Draw(t, "for")
		text += fmt.Sprintf(", {absent: %s, for: %ds}", l.absent, l.after)
	}
	doc := fmt.Sprintf("audience: s\nwhen: {sequence: [%s], within: %s", text, l.within)
	if l.lasts > 0 {
		doc += fmt.Sprintf(", lasts: %ds", l.lasts)
	}
	return l, doc + "}\n"
}

// TestSequences compares the membership, at every second, with the naive
// truth over the whole history.
func TestSequences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, doc := drawSequenceLog(t)
		defs, err := rules.Parse("drawn.yaml", []byte(doc))
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		rs, err := rules.Compile(1, []rules.Versioned{{Definition: defs[0]}})
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		s, ev := session.New("u", rs, session.Config{Idle: 35_000}), rules.NewEvaluator()
		seq := uint64(0)
		step := func(in rules.Input, at int64) {
			seq++
			in.At, in.Seq = start+at*1000, seq
			before := s.View()
			if _, err := s.Step(ev, in); err != nil {
				t.Fatal(err)
			}
			if after := s.View(); before.Session != nil && (after.Session == nil || after.Sessions != before.Sessions) {
				l.ends[before.Sessions] = at*momentsPerSecond + endsByMessage
				if in.Kind == rules.TickInput {
					l.ends[before.Sessions] = at*momentsPerSecond + endsByTime
				}
			}
		}
		for at := int64(0); at < 120; at++ {
			step(rules.Input{Kind: rules.TickInput}, at)
			if rapid.IntRange(0, 5).Draw(t, "event") == 0 {
				e := logged{at: at, name: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name"), n: rapid.IntRange(0, 1).Draw(t, "n")}
				e.o = at - rapid.SampledFrom([]int64{0, 0, 0, 1, 6, 20, 50}).Draw(t, "late")
				l.step(t, rs, s, step, e)
			}
			if got, want := len(s.View().Memberships) > 0, l.holds(at); got != want {
				t.Fatalf("at %d: got %v, want %v\n%s%+v\nends %v", at, got, want, doc, l.events, l.ends)
			}
		}
	})
}

// step applies an event, and notes to which session it belongs.
func (l *sequenceLog) step(t *rapid.T, rs *rules.RuleSet, s *session.Session, step func(rules.Input, int64), e logged) {
	id := rapid.SampledFrom([]string{"", "", "s1", "s2"}).Draw(t, "sessionId")
	body := fmt.Sprintf(`{"type":"track","event":%q,"userId":"u","timestamp":%q,"context":{"sessionId":%q},"properties":{"n":%d}}`,
		e.name, rules.FormatTime(start+e.o*1000), id, e.n)
	decoded, err := rs.DecodeEvent([]byte(body), rules.JSON)
	if err != nil {
		t.Fatal(err)
	}
	step(rules.Input{Event: decoded}, e.at)
	if v := s.View(); v.Session != nil && v.Session.Start <= start+e.o*1000 {
		e.session = v.Sessions
	}
	l.events = append(l.events, e)
}
