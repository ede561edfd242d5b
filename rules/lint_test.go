package rules

import (
	"os"
	"strings"
	"testing"
)

// TestLintScript runs testdata/lint/findings.txt: documents divided by "---",
// each followed by what Lint says of it in comments behind "#>". All are one
// set.
func TestLintScript(t *testing.T) {
	const file = "testdata/lint/findings.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	source := stripFindings(string(text))
	defs, err := Parse("a.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	byLine := make(map[int][]string)
	for _, d := range Lint(defs, SessionIdle) {
		byLine[d.Line] = append(byLine[d.Line], d.Message)
	}
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(source, "\n"), "\n") {
		out.WriteString(line + "\n")
		for _, message := range byLine[i+1] {
			out.WriteString("#> " + message + "\n")
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if out.String() != string(text) {
		t.Errorf("got\n%s", out.String())
	}
}

// stripFindings removes the comments, so that places do not move when they
// change.
func stripFindings(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#> ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// TestLintIsQuietAboutSamples wants no finding in what the project itself
// shows.
func TestLintIsQuietAboutSamples(t *testing.T) {
	for _, source := range []string{specBlock(t, "yaml"), readForTest(t, "../e2e/bench/audiences.yaml")} {
		defs, err := Parse("a.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if found := Lint(defs, SessionIdle); len(found) > 0 {
			t.Errorf("got %v", found)
		}
	}
}

func readForTest(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
