package rules

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const schemaFile = "audience.schema.json"

// TestSchemaFile holds the committed schema to the one that the parser's
// words give.
func TestSchemaFile(t *testing.T) {
	if *rewrite {
		if err := os.WriteFile(schemaFile, Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, Schema()) {
		t.Errorf("%s is not what Schema returns: go test ./rules -run TestSchemaFile -rewrite", schemaFile)
	}
}

func schemaForTest(t testing.TB) (validator, map[string]any) {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	return validator{root["definitions"].(map[string]any)}, root
}

// fits returns what is wrong with the documents of a source, by the schema.
func fits(va validator, root map[string]any, file, source string) string {
	p := &parser{file: file, src: source}
	for _, document := range p.documents() {
		if wrong := va.check(root, document.plain()); wrong != "" {
			return wrong
		}
	}
	return ""
}

// TestSchemaTakesWhatParseTakes holds every sample in the repository, and the
// parser's own scripts, to the schema.
func TestSchemaTakesWhatParseTakes(t *testing.T) {
	va, root := schemaForTest(t)
	var samples []string
	for _, pattern := range []string{"../cmd/usher/demo/audiences/*.yaml", "../e2e/bench/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		samples = append(samples, found...)
	}
	for _, file := range samples {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := fits(va, root, file, string(source)); wrong != "" {
			t.Errorf("%s: %s", file, wrong)
		}
	}
	if wrong := fits(va, root, "SPEC.md", specBlock(t, "yaml")); wrong != "" {
		t.Errorf("SPEC.md: %s", wrong)
	}
	taken, refused, both := 0, 0, 0
	for _, c := range parseScriptCases(t) {
		_, err := Parse(c.file, []byte(c.source))
		wrong := fits(va, root, c.file, c.source)
		switch {
		case err == nil && wrong != "":
			t.Errorf("%s is taken by Parse, and not by the schema: %s", c.title, wrong)
		case err == nil:
			taken++
		case wrong != "":
			both++
			refused++
		default:
			refused++
		}
	}
	t.Logf("of %d cases that Parse refuses the schema refuses %d; %d are taken by both", refused, both, taken)
	if taken < 10 || both*2 < refused {
		t.Errorf("the schema refuses %d of %d refused documents, and %d were taken: too few", both, refused, taken)
	}
}

type parseScriptCase struct{ title, file, source string }

func parseScriptCases(t *testing.T) []parseScriptCase {
	t.Helper()
	files, err := filepath.Glob("testdata/parse/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var cases []parseScriptCase
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Split("\n"+string(script), "\n=== ")[1:] {
			title, rest, _ := strings.Cut(text, "\n")
			source, _, _ := strings.Cut("\n"+rest, "\n=>\n")
			name, _, _ := strings.Cut(title, ":")
			cases = append(cases, parseScriptCase{title, name, strings.TrimPrefix(source, "\n")})
		}
	}
	return cases
}

// TestSchemaTakesEveryDefinition draws definitions over the whole language.
func TestSchemaTakesEveryDefinition(t *testing.T) {
	va, root := schemaForTest(t)
	rapid.Check(t, func(t *rapid.T) {
		text := randomDefinition(t).Canonical()
		if _, err := Parse("a.json", text); err != nil {
			return
		}
		if wrong := fits(va, root, "a.json", string(text)); wrong != "" {
			t.Fatalf("%s: %s", text, wrong)
		}
	})
}

func TestSchemaRefuses(t *testing.T) {
	va, root := schemaForTest(t)
	for _, source := range []string{
		"audience: a", "when: {event: A}", "audience: A B\nwhen: {event: A}", "audience: a\nwhen: {event: A}\nlingr: 3s",
		"audience: a\nwhen: {}", "audience: a\nwhen: {evnt: A}", "audience: a\nwhen: {event: A, trait: b, eq: 1}",
		"audience: a\nwhen: {all: []}", "audience: a\nwhen: {event: A, within: soon}", "audience: a\nwhen: {event: A, count: {gte: 1.5}}",
		"audience: a\nwhen: {event: A, count: {contains: x}}", "audience: a\nwhen: {session: colour, eq: red}",
		"audience: a\nwhen: {session: events, contains: x}", "audience: a\nwhen: {sum: price, gte: 3}",
		"audience: a\nwhen: {trait: x, exists: maybe}", "audience: a\nwhen: {event: A, where: {b: {ref: view.b}}}",
		"audience: a\nwhen: {sequence: [{event: A}, {absent: B}]}", "audience: a\nwhen: {time: {tz: UTC}}",
		"audience: a\nwhen: {event: A}\nstatus: asleep", "audience: a\nwhen: {event: A}\ntests: [{timeline: [{at: 0s, track: A}]}]",
		"audience: a\nwhen: {event: A}\ntests: [{timeline: [], expect: [{at: 0s}]}]", "- 3", "audience: a\nwhen: {bucket: {percent: 101}}",
	} {
		if _, err := Parse("a.yaml", []byte(source)); err == nil {
			t.Errorf("Parse takes %q", source)
		}
		if fits(va, root, "a.yaml", source) == "" {
			t.Errorf("the schema takes %q", source)
		}
	}
}

// TestSchemaDescribesEveryWord wants a description of each word an editor can
// offer.
func TestSchemaDescribesEveryWord(t *testing.T) {
	all := operandScope{steps: &stepNames{}}
	for of, words := range map[string][]string{"definition": definitionKeys(), "condition": parserConditionWords(), "operator": all.words()} {
		for _, word := range words {
			if schemaWords(of)[word] == "" {
				t.Errorf("no description of %s %s", of, word)
			}
		}
	}
}
