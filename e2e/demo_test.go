package e2e_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDemo runs the demo as a pipe sees it: every audience has an entry and
// an exit, and time alone makes at least two kinds of exit.
func TestDemo(t *testing.T) {
	p := start(t, "demo", "--for", "20s")
	if code := p.end(t); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, p.out, p.err)
	}
	lines := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3} (entered|exited) +([a-z-]+) +[a-z]+-[a-z]+ +([a-z_]+)`).
		FindAllStringSubmatch(p.out.String(), -1)
	types, causes := map[string]map[string]int{}, map[string]int{}
	for _, l := range lines {
		if types[l[2]] == nil {
			types[l[2]] = map[string]int{}
		}
		types[l[2]][l[1]]++
		if l[1] == "exited" && (l[3] == "window" || l[3] == "session_end" || l[3] == "deadline") {
			causes[l[3]]++
		}
	}
	if len(types) != 5 {
		t.Errorf("transitions of %d audiences, want 5: %v", len(types), types)
	}
	for audience, n := range types {
		if n["entered"] == 0 || n["exited"] == 0 {
			t.Errorf("%s: %v, want an entry and an exit", audience, n)
		}
	}
	if len(causes) < 2 {
		t.Errorf("exits by time alone: %v, want two kinds", causes)
	}
	if !strings.Contains(p.out.String(), "EXITS BY CAUSE") || !strings.Contains(p.out.String(), "p99") {
		t.Errorf("no summary in:\n%s", p.out)
	}
}

// TestDemoInterrupted ends with the summary, too.
func TestDemoInterrupted(t *testing.T) {
	p := start(t, "demo")
	p.await(t, p.out, "entered")
	p.signal(t, os.Interrupt)
	if code := p.end(t); code != 130 || !strings.Contains(p.out.String(), "EXITS BY CAUSE") {
		t.Errorf("exit code %d, want 130 and a summary\n%s%s", code, p.out, p.err)
	}
}
