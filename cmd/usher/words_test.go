package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/usher-audiences/usher"
)

func TestLine(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 123e6, time.Local)
	tests := []struct {
		transition usher.Transition
		want       string
	}{
		{
			usher.Transition{
				Type: usher.Entered, Audience: "high-intent", Key: "u_42", At: at, Cause: usher.CauseEvent,
				Because: []usher.Reason{
					{Condition: "event Pricing Viewed", Observed: 3, Needs: ">= 3", True: true},
					{Condition: "trait plan", Observed: "free", Needs: "in [free, trial]", True: true},
					{Condition: "event Order Completed", Observed: 0, Needs: ">= 1"},
				},
			},
			"10:00:00.123 entered high-intent              u_42                 event         event Pricing Viewed: 3, needs >= 3, trait plan: free, needs in [free, trial]",
		},
		{
			usher.Transition{
				Type: usher.Exited, Audience: "an-audience-with-a-very-long-name", Key: "u", At: at, Cause: usher.CauseSessionEnd,
				Because: []usher.Reason{{Condition: "trait plan", Needs: "= pro", Inexact: true}},
			},
			"10:00:00.123 exited  an-audience-with-a-very-long-name u                    session_end   trait plan: nothing, needs = pro (inexact)",
		},
		{
			usher.Transition{Type: usher.Exited, Audience: "a", Key: "u", At: at, Cause: usher.CauseRuleChanged},
			"10:00:00.123 exited  a                        u                    rule_changed",
		},
	}
	for _, tt := range tests {
		if got := line(tt.transition); got != tt.want {
			t.Errorf("line\n got %q\nwant %q", got, tt.want)
		}
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00 ms", 420 * time.Microsecond: "0.42 ms", 1250 * time.Microsecond: "1.2 ms", 99 * time.Millisecond: "99.0 ms",
		1500 * time.Millisecond: "1500 ms", 61 * time.Second: "1m1s",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("shortDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestTally: what the demo's summary says.
func TestTally(t *testing.T) {
	n := newTally()
	n.introduce(definition(t, buyersText))
	now := time.Now()
	n.begin()
	n.published("m1", now)
	n.transition(usher.Transition{Type: usher.Entered, Audience: "buyers", MessageID: "m1", Cause: usher.CauseEvent}, now.Add(3*time.Millisecond))
	n.transition(usher.Transition{Type: usher.Exited, Audience: "buyers", At: now, Cause: usher.CauseWindow}, now.Add(7*time.Millisecond))
	n.transition(usher.Transition{Type: usher.Entered, Audience: "unknown"}, now)
	f := n.figures()
	if f.events != 1 || f.transitions != 2 || f.p50 != 3*time.Millisecond || f.late99 != 7*time.Millisecond {
		t.Errorf("figures %+v", f)
	}
	out := newTranscript()
	n.summary(&console{out: out}, 7)
	out.await(t, `buyers +1 +1 +0  window 1\n`)
	out.await(t, `1 event in .*, 2 transitions; seed 7`)
	out.await(t, `p50 3\.0 ms, p99 3\.0 ms`)
	out.await(t, `time alone made \(window 1\): received within 7\.0 ms`)
}

func TestPercentiles(t *testing.T) {
	var d []time.Duration
	for i := 1000; i > 0; i-- {
		d = append(d, time.Duration(i))
	}
	if p50, p99 := percentiles(d); p50 != 500 || p99 != 990 {
		t.Errorf("percentiles of 1 to 1000: %d and %d, want 500 and 990", p50, p99)
	}
	if p50, p99 := percentiles(nil); p50 != 0 || p99 != 0 {
		t.Errorf("percentiles of nothing: %d and %d", p50, p99)
	}
}

// TestTerminalView draws the demo's screen without a terminal.
func TestTerminalView(t *testing.T) {
	n := newTally()
	n.introduce(definition(t, buyersText))
	m := &demoModel{tally: n, length: time.Minute, url: "nats://x", width: 80, height: 24, style: newStyle(&console{out: newTranscript()})}
	entered := usher.Transition{
		Type: usher.Entered, Audience: "buyers", Key: "ada-lopez", Cause: usher.CauseEvent, Event: "Order Completed",
		Because: []usher.Reason{{Condition: "event Order Completed", Observed: 1, Needs: ">= 1", True: true}},
	}
	n.transition(entered, time.Now())
	m.take(entered)
	screen := m.View()
	lines := regexp.MustCompile("\n").Split(screen, -1)
	if len(lines) > 24 {
		t.Errorf("%d lines on a screen of 24", len(lines))
	}
	for _, want := range []string{`buyers .*█ +1 +1 in, 0 out`, `▲ entered ada-lopez +Order Completed +1 \(>= 1\): event Order Completed`, `q ends`} {
		if !regexp.MustCompile(want).MatchString(screen) {
			t.Errorf("no %q on the screen:\n%s", want, screen)
		}
	}
}
