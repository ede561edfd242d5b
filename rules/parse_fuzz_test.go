package rules

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// FuzzParse checks, for any bytes: Parse returns; each of its errors has a
// place inside the file; what it accepts has a canonical form that is read
// back as itself, and no check panics on it.
func FuzzParse(f *testing.F) {
	for _, seed := range parseSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		defs, err := Parse("f", src)
		if err != nil {
			checkParseError(t, src, err)
			return
		}
		if err := CheckSet(defs); err != nil {
			checkParseError(t, src, err)
		}
		if warnings := Warn(defs); len(warnings) > 0 {
			checkParseError(t, src, warnings)
		}
		for _, d := range defs {
			checkReadBack(t, d)
		}
	})
}

// parseSeeds returns the sources of the script tests, some definitions drawn
// at random, and what Parse takes apart by hand.
func parseSeeds(f *testing.F) [][]byte {
	seeds := [][]byte{[]byte("---"), []byte("--- |\n--- x\n...\n"), []byte("\xff"), []byte("a: \u0085\u2028b"), []byte("[[[["), []byte("{\"a\":1}{\"b\":")}
	files, err := filepath.Glob("testdata/parse/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no scripts in testdata/parse (error %v)", err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, text := range strings.Split(string(script), "\n=== ") {
			_, rest, _ := strings.Cut(text, "\n")
			source, _, _ := strings.Cut(rest, "\n=>\n")
			seeds = append(seeds, []byte(source))
		}
	}
	definition := rapid.Custom(randomDefinition)
	for i := range 20 {
		seeds = append(seeds, definition.Example(i).Canonical())
	}
	return seeds
}

func checkParseError(t *testing.T, src []byte, err error) {
	t.Helper()
	var ds Diagnostics
	if !errors.As(err, &ds) || len(ds) == 0 || err.Error() == "" {
		t.Fatalf("got the error %#v, want Diagnostics", err)
	}
	lines := strings.Count(string(src), "\n") + strings.Count(string(src), "\r") + strings.Count(string(src), "\u0085") +
		strings.Count(string(src), "\u2028") + strings.Count(string(src), "\u2029") + 1
	for _, d := range ds {
		listed := !strings.Contains(d.Message, "not listed")
		if listed && d.File != "f" || d.Message == "" {
			t.Errorf("got %+v without a file or message", d)
		}
		if listed && (d.Line < 1 || d.Line > lines || d.Column < 1) {
			t.Errorf("got %v in a file of %d lines", d, lines)
		}
	}
}

func checkReadBack(t *testing.T, d *Definition) {
	t.Helper()
	text := d.Canonical()
	again, err := Parse("f", text)
	if err != nil || len(again) != 1 {
		t.Fatalf("canonical form refused: %v\n%s", err, text)
	}
	if got := again[0].Canonical(); string(got) != string(text) {
		t.Errorf("got %s\nwant %s", got, text)
	}
	if got, want := CanonicalCondition(again[0].When), CanonicalCondition(d.When); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	MayHoldWithNoData(d.When, func(AudienceKey) bool { return true })
}
