package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/usher-audiences/usher/actors"
)

const explainedYAML = `audience: keen
when:
  all:
    - {event: View, where: {plan: pro}, count: {gte: 3}, within: 10m}
    - {trait: plan, in: [free, trial]}
    - none: [{event: Order, within: lifetime}]
    - any:
        - {held: {trait: plan, eq: trial}, for: 5m}
        - {sum: price, of: Add, gte: 100}
hold_for: 30s
---
audience: other
when: {all: [{audience: keen, is: not_member}, {event: View}]}
`

const explainedLog = `{"t":"2026-01-01T00:00:00.000Z","kind":"traits","body":{"userId":"u","traits":{"plan":"trial"}}}
{"t":"2026-01-01T00:04:00.000Z","kind":"event","body":{"type":"track","event":"View","userId":"u","properties":{"plan":"pro"}}}
{"t":"2026-01-01T00:04:00.500Z","kind":"event","body":{"type":"track","event":"View","userId":"other","properties":{"plan":"pro"}}}
{"t":"2026-01-01T00:06:00.000Z","kind":"event","body":{"type":"track","event":"View","userId":"u","properties":{"plan":"pro"}}}
{"t":"2026-01-01T00:06:30.000Z","kind":"event","body":{"type":"track","event":"Add","userId":"u","properties":{"price":60.5}}}
{"t":"2026-01-01T00:07:00.000Z","kind":"event","body":{"type":"track","event":"View","userId":"u","properties":{"plan":"pro"}}}
`

// TestExplainOffline explains one person at several instants of a log.
func TestExplainOffline(t *testing.T) {
	audiences, log := write(t, "a.yaml", explainedYAML), write(t, "l.jsonl", explainedLog)
	for _, c := range []struct{ at, want string }{
		{"2026-01-01T00:04:30Z", `
u is not a member of keen
[ ] all: 2 of 4 true, needs 4 of 4
    [ ] event View where plan = pro within 10m: 1, needs >= 3 (2 more, 9m30s left)
        counted:
    [x] trait plan: trial, needs in [free, trial]
    [x] none: 0 of 1 true, needs none
        [ ] event Order within lifetime: 0, needs >= 1 (1 more)
    [ ] any: 0 of 2 true, needs 1 of 2
        [ ] held trait plan: 4m30s, needs for 5m (true by time alone in 30s)
            [x] trait plan: trial, needs = trial
        [ ] sum price of event Add: 0, needs >= 100 (100 more)
time alone does not change it
`},
		{"2026-01-01T00:06:30Z", `
    [ ] event View where plan = pro within 10m: 2, needs >= 3 (1 more, 7m30s left)
        [ ] sum price of event Add: 60.5, needs >= 100 (39.5 more)
`},
		{"2026-01-01T00:07:10Z", `
u is not a member of keen
[x] all: 4 of 4 true, needs 4 of 4
    [x] event View where plan = pro within 10m: 3, needs >= 3 (false by time alone in 6m50s)
hold_for: the condition must be true for 30s, until
time alone changes it no sooner than
`},
		{"2026-01-01T00:07:30Z", "u is a member of keen since\n"},
	} {
		got := runWith(t, "", "explain", "keen", "u", "--audiences", audiences, "--log", log, "--at", c.at)
		rest := got.out
		for line := range strings.Lines(strings.TrimPrefix(c.want, "\n")) {
			_, after, found := strings.Cut(rest, strings.TrimSuffix(line, "\n"))
			if !found || got.code != exitOK {
				t.Fatalf("%s: got code %d, no %q at its place in\n%s%s", c.at, got.code, line, got.out, got.err)
			}
			rest = after
		}
	}
}

func TestExplainOfflineJSON(t *testing.T) {
	audiences, log := write(t, "a.yaml", explainedYAML), write(t, "l.jsonl", "nonsense\n"+explainedLog)
	var x actors.Explanation
	got := runWith(t, "", "explain", "other", "u", "--audiences", audiences, "--log", log, "--json")
	if err := json.Unmarshal([]byte(got.out), &x); err != nil {
		t.Fatalf("%v: %s%s", err, got.out, got.err)
	}
	// At the end of the log: in, until half a minute from then makes u keen.
	if !x.Member || x.Changes == nil || *x.Changes != x.At+30_000 || len(x.When.Of) != 2 || x.When.Of[0].Group != "not" || x.When.Of[1].Observed != 3.0 {
		t.Errorf("got %s", got.out)
	}
	got = runWith(t, "", "explain", "other", "nobody", "--audiences", audiences, "--log", log, "--json")
	if err := json.Unmarshal([]byte(got.out), &x); err != nil || x.Member || x.Key != "nobody" {
		t.Errorf("nobody: got %s%s", got.out, got.err)
	}
}

func TestExplainUsage(t *testing.T) {
	audiences, log := write(t, "a.yaml", explainedYAML), write(t, "l.jsonl", explainedLog)
	for _, args := range [][]string{
		{"keen"}, {"keen", ""}, {"keen", "u", "--log", log}, {"keen", "u", "--at", "soon"},
		{"none", "u", "--audiences", audiences, "--log", log},
	} {
		if got := runWith(t, "", append([]string{"explain"}, args...)...); got.code != exitUsage || got.err == "" {
			t.Errorf("%q: got code %d, err %q, want code 2", args, got.code, got.err)
		}
	}
}
