package rules

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// specBlock returns the first block of SPEC.md in a language.
func specBlock(t *testing.T, language string) string {
	t.Helper()
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(spec), "```"+language+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("SPEC.md has no %s block", language)
	}
	return block
}

func TestSpecShowsAnErrorAsItIs(t *testing.T) {
	_, err := Parse("shop.yaml", []byte("audience: a\nwhen:\n  all:\n    - {evnt: X}\n"))
	if err == nil || err.Error()+"\n" != specBlock(t, "text") {
		t.Errorf("got\n%v\nwant\n%s", err, specBlock(t, "text"))
	}
}

func TestSpecNamesTheLimits(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		specNumber(AudiencesMax) + " | `AudiencesMax`",
		specNumber(ConditionsMax) + " | `ConditionsMax`",
		specNumber(StepsMax) + " | `StepsMax`",
		specNumber(CountMax) + " | `CountMax`",
		specNumber(SourceMax>>20) + " MiB | `SourceMax`",
		specNumber(DefinitionMax>>10) + " KiB | `DefinitionMax`",
		specNumber(NestingMax) + " | `NestingMax`",
		specNumber(StringMax) + " bytes | `StringMax`",
		specNumber(PatternMax) + " bytes | `PatternMax`",
		specNumber(PathMax) + " bytes | `PathMax`",
		specNumber(KeyMax) + " bytes | `KeyMax`",
		specNumber(int(DurationMax/day)) + " d | `DurationMax`",
		"may have " + specNumber(aliasNodesMax) + " values",
		"Of one file " + specNumber(diagnosticsMax) + " errors",
	} {
		if !strings.Contains(string(spec), row) {
			t.Errorf("SPEC.md does not say %q", row)
		}
	}
}

// specNumber returns n with a comma before its last three digits.
func specNumber(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func TestParseReadsTheExampleOfTheSpec(t *testing.T) {
	defs, err := Parse("SPEC.md", []byte(specBlock(t, "yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if len(defs) != 1 {
		t.Fatalf("got %d definitions, want 1", len(defs))
	}
	d := defs[0]
	if d.Audience != "high-intent-free-plan" || d.Name != "High intent, free plan" || d.Linger != 30_000 {
		t.Errorf("got %q %q linger %v", d.Audience, d.Name, d.Linger)
	}
	all := d.When.(*Group)
	if all.Kind != All || len(all.Of) != 4 {
		t.Fatalf("got kind %v with %d members, want all with 4", all.Kind, len(all.Of))
	}
	count := all.Of[0].(*Count)
	if count.Within.Last != 600_000 || count.Within.Session || count.Match.Names[0] != "Pricing Viewed" {
		t.Errorf("got %+v", count)
	}
	if w := count.Match.Where[0]; w.Path != "plan" || w.Operators[0].Op != OpEq || w.Operators[0].Operand != "pro" {
		t.Errorf("got where %+v", w)
	}
	sequence := all.Of[3].(*Group).Of[1].(*Sequence)
	if ref := sequence.Steps[1].Match.Where[0].Operators[0].Ref; ref != "view.product_id" {
		t.Errorf("got ref %q", ref)
	}
	if last := sequence.Steps[2]; !last.Absent || last.For != 120_000 || last.Match.Names[0] != "Checkout Started" {
		t.Errorf("got last step %+v", last)
	}
	if test := d.Tests[0]; len(test.Timeline) != 4 || len(test.Expect) != 2 || test.Start != TestStart || test.Expect[1].At != 630_000 {
		t.Errorf("got test %+v", test)
	}
	if p := count.At(); p.Line != 5 || p.Column != 7 {
		t.Errorf("got place %v, want line 5, column 7", p)
	}
}
