package main

import (
	"strings"
	"testing"
)

// TestValidateFindings names what is legal and surely wrong, once each.
func TestValidateFindings(t *testing.T) {
	path := write(t, "a.yaml", `audience: never
when: {event: A, count: {gte: 3, lt: 3}}
---
audience: reversed
when: {trait: age, between: [9, 3]}
---
audience: contrary
when:
  all:
    - {trait: plan, eq: pro}
    - {trait: plan, eq: free}
`)
	got := runWith(t, "", "validate", path)
	if got.code != exitOK || strings.Count(got.err, "warning: ") != 3 || !strings.Contains(got.out, "3 audiences in 1 file: valid, 3 warnings") ||
		!strings.Contains(got.err, "a.yaml:2:7: never true") || !strings.Contains(got.err, "a.yaml:11:7: this contradicts the condition at "+path+":10:7") {
		t.Errorf("got code %d\n%s%s", got.code, got.out, got.err)
	}
	zone := write(t, "zone.yaml", "audience: a\nwhen: {all: [{event: A}, {time: {hour: 3, tz: Mars/North}}]}\n")
	if got := runWith(t, "", "validate", zone); got.code != exitUsage || !strings.Contains(got.err, "Mars/North") {
		t.Errorf("a zone that does not exist: got code %d\n%s%s", got.code, got.out, got.err)
	}
}

func TestValidateLog(t *testing.T) {
	path := write(t, "a.yaml", seenYAML+"---\naudience: typo\nwhen: {event: Prodct}\n---\naudience: rare\nwhen: {event: Product, where: {x: 1}}\n")
	log := seenLog + "oops\n" + `{"type":"track","event":"Product","userId":"v","properties":{"x":2},"timestamp":"2026-01-01T00:00:06Z"}` + "\n"
	file := write(t, "log.jsonl", log)
	got := runWith(t, "", "validate", path, "--log", file)
	for _, want := range []string{
		`audience "seen" would have 0.333 transitions per event (1 over 3 events): the budget is 0.1`,
		"the log has no event that is event Prodct", `did you mean "Product"?`,
		"none of 1 recorded events is event Product where x = 1", "1 line of " + file + " cannot be used",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("no %q in\n%s", want, got.err)
		}
	}
	if got.code != exitOK || strings.Count(got.err, "warning: ") != 3 {
		t.Errorf("got code %d\n%s%s", got.code, got.out, got.err)
	}
	got = runWith(t, "", "validate", path, "--log", file, "--budget", "0.4", "--json")
	if strings.Count(got.out, "\n") != 2 || strings.Contains(got.out, "budget") {
		t.Errorf("--budget 0.4 --json: got\n%s%s", got.out, got.err)
	}
}
