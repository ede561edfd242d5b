package rules

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestParseLimits checks that what is at a limit is accepted, and what is one
// beyond it is refused with the limit named.
func TestParseLimits(t *testing.T) {
	nots := func(n int) string { return strings.Repeat("{not: ", n) + "{event: X}" + strings.Repeat("}", n) }
	conditions := func(n int) string { return "{all: [" + strings.Repeat("{event: X}, ", n-1) + "]}" }
	steps := func(n int) string { return "{sequence: [" + strings.Repeat("{event: X}, ", n) + "]}" }
	for _, c := range []struct {
		name, at, beyond, message string
	}{
		{"ConditionsMax", conditions(ConditionsMax), conditions(ConditionsMax + 1), "more than 256 conditions"},
		{"StepsMax", steps(StepsMax), steps(StepsMax + 1), "more than 16 steps"},
		{"CountMax", "{event: X, count: 10000}", "{event: X, count: 10001}", "from 0 to 10000"},
		{"NestingMax", nots(NestingMax - 2), nots(NestingMax), "nested deeper than 100"},
		{"StringMax", "{event: " + strings.Repeat("x", StringMax) + "}", "{event: " + strings.Repeat("x", StringMax+1) + "}", "the limit is 4096"},
		{"PatternMax", "{trait: a, matches: " + strings.Repeat("x", PatternMax) + "}", "{trait: a, matches: " + strings.Repeat("x", PatternMax+1) + "}", "the limit is 1024"},
		{"PathMax", "{trait: " + strings.Repeat("x", PathMax) + ", eq: 1}", "{trait: " + strings.Repeat("x", PathMax+1) + ", eq: 1}", "the limit is 512"},
		{"KeyMax", "{audience: " + strings.Repeat("x", KeyMax) + "}", "{audience: " + strings.Repeat("x", KeyMax+1) + "}", "the limit is 128"},
		{"DurationMax", "{event: X, within: 36500d}", "{event: X, within: 36501d}", "is longer than 36500d"},
		{"DefinitionMax", limitValues(20_000), limitValues(50_000), "the limit is 262144"},
	} {
		if _, err := Parse("f", []byte("audience: a\nwhen: "+c.at)); err != nil {
			t.Errorf("%s: at the limit: %v", c.name, err)
		}
		_, err := Parse("f", []byte("audience: a\nwhen: "+c.beyond))
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: beyond the limit: got %v, want %q", c.name, err, c.message)
		}
	}
}

// limitValues returns a condition with a list of n values.
func limitValues(n int) string {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "%d,", 100_000+i)
	}
	return "{trait: a, in: [" + list.String() + "]}"
}

func TestParseRefusesAHugeFile(t *testing.T) {
	_, err := Parse("f", bytes.Repeat([]byte(" "), SourceMax+1))
	if err == nil || !strings.Contains(err.Error(), "the limit is 67108864") {
		t.Errorf("got %v", err)
	}
}

func TestParseCountsWhatItDoesNotList(t *testing.T) {
	_, err := Parse("f", []byte("audience: a\nwhen: {all: ["+strings.Repeat("{evnt: X}, ", 130)+"]}"))
	if err == nil || !strings.HasSuffix(err.Error(), "f: 30 more errors; they are not listed") {
		t.Errorf("got %v", err)
	}
}

// TestAliasesAreBounded checks the limit itself: ten values, repeated.
func TestAliasesAreBounded(t *testing.T) {
	file := func(aliases int) []byte {
		return []byte("audience: a\nwhen: {any: [{trait: a, in: &v [1,2,3,4,5,6,7,8,9,10]}, {trait: b, in: [" + strings.Repeat("*v, ", aliases) + "]}]}")
	}
	_, err := Parse("f", file(900))
	if err == nil || strings.Contains(err.Error(), "aliases expand") {
		t.Errorf("below the limit: got %v, want only that a value is a list", err)
	}
	if _, err = Parse("f", file(910)); err == nil || !strings.Contains(err.Error(), "aliases expand to more than 10000 values") {
		t.Errorf("beyond the limit: got %v", err)
	}
}

func TestParseReadsJSONAndYAMLAlike(t *testing.T) {
	for _, source := range []string{
		`{"audience": "a", "when": {"event": "X", "where": {"a": [1, "x", true], "b": {"eq": 1e3}}, "within": 0.5}}`,
		"[{\"audience\": \"a\",\t\"when\": {\"trait\": \"p\", \"eq\": \"\\u00fc\\n\"}}]",
	} {
		fromJSON, err := Parse("f.json", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		// A comment makes it YAML.
		fromYAML, err := Parse("f.yaml", []byte("# no JSON\n"+source))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fromYAML[0].Canonical(), fromJSON[0].Canonical(); !bytes.Equal(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
		p, q := fromJSON[0].When.At(), fromYAML[0].When.At()
		if p.Line+1 != q.Line || p.Column != q.Column {
			t.Errorf("JSON has the condition at %v, YAML a line further at %v", p, q)
		}
	}
}

func TestParseSkipsAByteOrderMark(t *testing.T) {
	src := "\xef\xbb\xbfaudience: a\nwhen: {event: X}\n"
	if _, err := Parse("f", []byte(src)); err != nil {
		t.Error(err)
	}
	_, err := Parse("f", []byte("\xef\xbb\xbfaudienc: a\nwhen: {event: X}\n"))
	if err == nil || !strings.Contains(err.Error(), "f:1:1: unknown key in a definition \"audienc\"\n    1 | audienc: a\n") {
		t.Errorf("got %v", err)
	}
}

func TestParseRefusesWhatIsNotUTF8(t *testing.T) {
	_, err := Parse("f", []byte("audience: a\nname: b\xffc\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f:2:8: the text is not UTF-8") {
		t.Errorf("got %v", err)
	}
}
