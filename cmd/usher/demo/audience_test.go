package demo

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// compiled returns the demo's audiences, as they are evaluated.
func compiled(t *testing.T) *rules.RuleSet {
	t.Helper()
	files, err := Audiences()
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, %v; want 5", len(files), err)
	}
	var versioned []rules.Versioned
	var definitions []*rules.Definition
	for name, text := range files {
		parsed, err := rules.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed {
			if d.Name == "" || d.Description == "" || len(d.Tests) == 0 {
				t.Errorf("%s: no name, description or tests; the demo is also an example", name)
			}
			definitions = append(definitions, d)
			versioned = append(versioned, rules.Versioned{Definition: d, Version: 1})
		}
	}
	if warnings := rules.Warn(definitions); len(warnings) > 0 {
		t.Errorf("the demo's audiences are doubtful: %v", warnings)
	}
	set, err := rules.Compile(1, versioned)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestEveryAudienceLives plays the shop in virtual time: within a minute every
// audience has an entry and an exit, and time alone makes two kinds of exit,
// the first entry in the first seconds. Any seed will do.
func TestEveryAudienceLives(t *testing.T) {
	set := compiled(t)
	for seed := range uint64(10) {
		lived := live(t, set, seed)
		for audience, n := range lived.count {
			if n[rules.Entered] == 0 || n[rules.Exited] == 0 {
				t.Errorf("seed %d: %s has %d entries and %d exits", seed, audience, n[rules.Entered], n[rules.Exited])
			}
		}
		if len(lived.count) != 5 {
			t.Errorf("seed %d: transitions of %d audiences, want 5", seed, len(lived.count))
		}
		if lived.exits[rules.CauseWindow] == 0 || lived.exits[rules.CauseSessionEnd] == 0 {
			t.Errorf("seed %d: exits by cause %v; want some by window and some by session_end", seed, lived.exits)
		}
		if lived.first > 5*time.Second {
			t.Errorf("seed %d: the first entry comes after %v", seed, lived.first)
		}
	}
}

// life is what came of one minute in the shop.
type life struct {
	count map[rules.AudienceKey]map[rules.TransitionKind]int
	exits map[rules.Cause]int
	first time.Duration // entry
}

// opening is the instant at which the shop opens.
const opening = int64(1_800_000_000_000)

func live(t *testing.T, set *rules.RuleSet, seed uint64) life {
	t.Helper()
	l := life{count: map[rules.AudienceKey]map[rules.TransitionKind]int{}, exits: map[rules.Cause]int{}, first: time.Hour}
	sessions := map[rules.UserKey]*session.Session{}
	evaluator := rules.NewEvaluator()
	for n, a := range play(seed, time.Minute) {
		s := sessions[a.Key]
		if s == nil {
			s = session.New(a.Key, set, session.Config{Idle: rules.Millis(Idle.Milliseconds())})
			sessions[a.Key] = s
		}
		in := input(t, set, a)
		in.At, in.Seq = opening+a.At.Milliseconds(), uint64(n+1)
		l.step(t, s, evaluator, in)
	}
	for _, s := range sessions {
		l.step(t, s, evaluator, rules.Input{Kind: rules.TickInput, At: opening + time.Minute.Milliseconds(), Seq: 1 << 40})
	}
	return l
}

func (l *life) step(t *testing.T, s *session.Session, ev *rules.Evaluator, in rules.Input) {
	t.Helper()
	out, err := s.Step(ev, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range out.Transitions {
		if l.count[tr.Audience] == nil {
			l.count[tr.Audience] = map[rules.TransitionKind]int{}
		}
		l.count[tr.Audience][tr.Kind]++
		if tr.Kind == rules.Exited {
			l.exits[tr.Cause]++
		} else {
			l.first = min(l.first, time.Duration(tr.Position.At-opening)*time.Millisecond)
		}
	}
}

// input is the action as it comes out of the log.
func input(t *testing.T, set *rules.RuleSet, a Action) rules.Input {
	t.Helper()
	if a.Traits != nil {
		return rules.Input{Kind: rules.TraitsInput, Traits: &rules.TraitUpdate{Key: a.Key, UserID: string(a.Key), Traits: a.Traits}}
	}
	payload, err := json.Marshal(a.Event)
	if err != nil {
		t.Fatal(err)
	}
	event, err := set.DecodeEvent(payload, rules.JSON)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Input{Kind: rules.EventInput, Event: event}
}
