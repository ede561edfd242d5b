package rules

import (
	"os"
	"strings"
	"testing"
)

// specExample returns the first YAML block of SPEC.md.
func specExample(t *testing.T) []byte {
	t.Helper()
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(spec), "```yaml\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("SPEC.md has no YAML block")
	}
	return []byte(block)
}

func TestParseReadsTheExampleOfTheSpec(t *testing.T) {
	defs, err := Parse("SPEC.md", specExample(t))
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
