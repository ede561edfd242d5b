package dryrun_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-audiences/usher/actors/dryrun"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the want sections of the scripts with what came out")

// TestScripts runs testdata/*.txt. A script has sections that begin with
// "-- NAME --": "rules" (YAML documents), "log" (lines as they stand in a
// file), perhaps "end" (an instant), and "want": the transitions, without
// what the session's own tests show, and the lines that were not used.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, want, ok := strings.Cut(string(text), "-- want --\n")
	if !ok {
		t.Fatalf("%s has no section want", file)
	}
	got := simulate(t, section(before, "rules"), section(before, "log"), strings.TrimSpace(section(before, "end")))
	if *rewrite {
		if err := os.WriteFile(file, []byte(before+"-- want --\n"+got), 0o644); err != nil {
			t.Fatal(err)
		}
		want = got
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// section returns the body of a section.
func section(text, name string) string {
	_, body, _ := strings.Cut(text, "-- "+name+" --\n")
	body, _, _ = strings.Cut(body, "-- ")
	return body
}

func simulate(t *testing.T, definitions, log, end string) string {
	t.Helper()
	var out strings.Builder
	run := dryrun.New(compile(t, definitions), session.Config{}, func(p *rules.Published) {
		fmt.Fprintf(&out, "%s %s %s n=%d %s %s position %s\n", rules.FormatTime(p.Position.At), p.Key, p.Audience,
			p.N, p.Kind, p.Cause, strings.TrimPrefix(p.Position.String(), fmt.Sprint(p.Position.At)+"-"))
	})
	lines := dryrun.NewLines(strings.NewReader(log))
	for {
		err := run.Step(lines)
		var unusable *dryrun.Unusable
		if errors.As(err, &unusable) {
			fmt.Fprintln(&out, unusable)
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if end != "" {
		at, err := time.Parse(time.RFC3339, end)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Advance(at.UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&out, "now %s, %d keys\n", rules.FormatTime(run.Now()), run.Keys())
	return out.String()
}

func compile(t testing.TB, text string) *rules.RuleSet {
	t.Helper()
	defs, err := rules.Parse("rules.yaml", []byte(text))
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
	return set
}
