package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rewrite makes the script tests of this package write what they got as what
// they want. Read the diff before committing it.
var rewrite = flag.Bool("rewrite", false, "write what the scripts give as what they should give")

// TestParseScripts runs testdata/parse/*.txt. A case is a line "=== FILE:
// what it shows", the source of FILE, a line "=>", and what Parse gives: its
// error, or the canonical form of each definition and its warnings.
func TestParseScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/parse/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata/parse (error %v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { runParseScript(t, file) })
	}
}

func runParseScript(t *testing.T, file string) {
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, text := range strings.Split("\n"+string(script), "\n=== ") {
		if i == 0 {
			fmt.Fprintf(&out, "%s\n", strings.TrimPrefix(text, "\n"))
			continue
		}
		title, rest, _ := strings.Cut(text, "\n")
		source, want, ok := strings.Cut("\n"+rest, "\n=>\n")
		name, _, _ := strings.Cut(title, ":")
		if !ok && !*rewrite {
			t.Errorf("%s: no => line", title)
		}
		source, want = strings.TrimPrefix(source, "\n"), strings.TrimRight(want, "\n")
		got := parseForScript(name, source)
		if got != want && !*rewrite {
			t.Errorf("%s: got\n%s\nwant\n%s", title, got, want)
		}
		fmt.Fprintf(&out, "=== %s\n%s\n=>\n%s\n\n", title, source, got)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// parseForScript returns what Parse makes of source, as text.
func parseForScript(file, source string) string {
	defs, err := Parse(file, []byte(source))
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, d := range defs {
		fmt.Fprintf(&out, "%s\n", d.Canonical())
	}
	if warnings := Warn(defs).WithSource(file, []byte(source)); len(warnings) > 0 {
		fmt.Fprintf(&out, "warning: %s", warnings.Error())
	}
	return strings.TrimRight(out.String(), "\n")
}
