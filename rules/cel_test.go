package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// compileCEL compiles one audience: those with an event that satisfies the
// expression, which stands at line 3.
func compileCEL(text string) (*RuleSet, error) {
	when := &Count{
		Match:  Match{CEL: text, CELAt: Place{File: "f", Line: 3, Column: 7}},
		Count:  []Operator{{Op: OpGte, Operand: 1.0}},
		Within: Window{Lifetime: true},
	}
	return Compile(1, []Versioned{{Definition: &Definition{Audience: "a", When: when}}})
}

// celMatch compiles an expression into a rule set, and returns what it is
// asked with.
func celMatch(t testing.TB, text string) func(body string) bool {
	t.Helper()
	rs, err := compileCEL(text)
	if err != nil {
		t.Fatal(err)
	}
	test := rs.events.any[Track].plain[0].cel
	return func(body string) bool {
		ev, err := rs.DecodeEvent([]byte(body), JSON)
		if err != nil {
			t.Fatal(err)
		}
		return test.holds(&celVars{ev: ev})
	}
}

func celEvent(properties string) string {
	return `{"type":"track","event":"A","userId":"u","properties":{"first":1},"properties":` + properties + `}`
}

func TestCELRefusals(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"properties.x >", "Syntax error"},
		{"plan == 'pro'", "undeclared reference to 'plan', at 1:1"},
		{"properties.x > 1 &&\n event > 1", "no matching overload for '_>_' applied to '(string, int)', at 2:8"},
		{"properties.x", "of type dyn"},
		{"size(properties)", "of type int"},
		{"properties.x.matches('(')", "invalid matches argument"},
		{"properties.x.matches(properties.y)", "must be written out"},
		{"timestamp(properties.x).getHours('Europe/London') == 1", "no time zone"},
		{"timestamp('tomorrow') < timestamp(properties.x)", "invalid timestamp argument"},
		{"{'a': 1}.exists(k, k == event)", "a map cannot be written out"},
		{"google.protobuf.Struct{} == properties.x", "cannot be made"},
		{"[" + strings.Repeat("1,", 300) + "1].map(a, [" + strings.Repeat("1,", 300) + "1].map(b, a + b)).size() == 1", "the limit is 20000"},
		{strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), "recursion"},
	} {
		_, err := compileCEL(tc.text)
		var refused Diagnostics
		if !errors.As(err, &refused) || refused[0].Line != 3 || !strings.Contains(refused[0].Message, tc.want) {
			t.Errorf("%.60s: got %v, want %q at line 3", tc.text, err, tc.want)
		}
	}
}

func TestCELIsBounded(t *testing.T) {
	matches := celMatch(t, "properties.list.all(a, properties.list.all(b, a == b))")
	for n, want := range map[int]bool{1: true, 10: true, 16_000: false} {
		list := strings.TrimSuffix(strings.Repeat("0,", n), ",")
		if got := matches(celEvent(`{"list":[` + list + `]}`)); got != want {
			t.Errorf("%d squared: got %v, want %v", n, got, want)
		}
	}
	grow := celMatch(t, "size("+strings.Repeat("properties.s + ", 200)+"'') > 0")
	if grow(celEvent(`{"s":"` + strings.Repeat("x", 30_000) + `"}`)) {
		t.Error("6 MB of text: got true, want it to be too costly")
	}
}

// TestCELVisitsKeysInOrder would fail in one run of about 10^9 if the keys of
// an object came in the order of Go's maps.
func TestCELVisitsKeysInOrder(t *testing.T) {
	for _, tc := range []struct{ text, properties string }{
		{"properties.map(k, k) == ['a', 'b', 'c', 'd']", `{"d":1,"b":2,"a":3,"c":4}`},
		{"properties.o.map(k, k) == ['a', 'b', 'c', 'd']", `{"o":{"d":1,"b":2,"a":3,"c":4}}`},
		{"properties.l[0].map(k, k) == ['a', 'b', 'c', 'd']", `{"l":[{"d":1,"b":2,"a":3,"c":4}]}`},
	} {
		matches := celMatch(t, tc.text)
		for range 7 {
			if !matches(celEvent(tc.properties)) {
				t.Errorf("%s: got false, want true", tc.text)
				break
			}
		}
	}
}

func TestCELIsShared(t *testing.T) {
	rs := compileText(t, `
audience: a
when: {event: A, where: "properties.x > 1"}
---
audience: b
when: {event: B, where: "properties.x > 1"}
`)
	if a, b := rs.events.named[Track]["A"].plain[0].cel, rs.events.named[Track]["B"].plain[0].cel; a == nil || a != b {
		t.Errorf("got %p and %p, want one", a, b)
	}
}

// TestCELIsLazy counts an event that no expression is asked of.
func TestCELIsLazy(t *testing.T) {
	rs := compileText(t, "audience: a\nwhen: {event: A, where: \"properties.x > 1\"}\n")
	e, st := NewEvaluator(), &State{}
	for _, name := range []string{"B", "A"} {
		ev, err := rs.DecodeEvent(fmt.Appendf(nil, `{"type":"track","event":%q,"userId":"u"}`, name), JSON)
		if err != nil {
			t.Fatal(err)
		}
		e.Begin(st, "u", rs, 1000)
		e.At(1)
		e.Count(ev, 1, UserLevel)
		e.Evaluate()
		if built, want := e.cel.built != nil, name == "A"; built != want {
			t.Errorf("%s: built is %v, want %v", name, built, want)
		}
	}
}

// BenchmarkCEL asks an expression of an event, whose properties are built
// anew each time.
func BenchmarkCEL(b *testing.B) {
	rs, err := compileCEL("properties.price >= 100 && event == 'A'")
	if err != nil {
		b.Fatal(err)
	}
	ev, err := rs.DecodeEvent([]byte(celEvent(`{"product_id":"p1","brand":"huawei","price":278.55}`)), JSON)
	if err != nil {
		b.Fatal(err)
	}
	test, vars := rs.events.any[Track].plain[0].cel, &celVars{}
	b.ReportAllocs()
	for b.Loop() {
		vars.reset(ev)
		if !test.holds(vars) {
			b.Fatal("got false, want true")
		}
	}
}

// FuzzCEL checks, for any expression and properties: nothing panics, and what
// compiles says the same twice.
func FuzzCEL(f *testing.F) {
	for _, text := range []string{
		"properties.price >= 100 && event == 'A'", "has(properties.a.b)", "properties.map(k, k)[0] == 'a'", "timestamp(properties.at).getHours() == 23",
		"duration('1h') < duration(properties.d)", "properties.s.matches('^a+$')", "[1, 2.0, 3u].exists(x, x == properties.x)", "size(properties) in [1, 2]",
		"bytes(properties.s) == b'x'", "type(properties.x) == double", "int(properties.x) / int(properties.y) == 1", "properties.x ? true : false", "!(properties.a || context.b)",
	} {
		f.Add(text, `{"a":{"b":1},"s":"aaa","at":"2026-01-02T00:30:00+01:00","x":1,"y":0,"price":1e308,"d":"1h"}`)
	}
	f.Fuzz(func(t *testing.T, text, properties string) {
		if text == "" || len(text) > StringMax {
			return
		}
		rs, err := compileCEL(text)
		if err != nil {
			return
		}
		ev, err := rs.DecodeEvent([]byte(celEvent(properties)), JSON)
		if err != nil {
			return
		}
		test := rs.events.any[Track].plain[0].cel
		first := test.holds(&celVars{ev: ev})
		for range 3 {
			if again := test.holds(&celVars{ev: ev}); again != first {
				t.Fatalf("%q of %s: got %v, then %v", text, properties, first, again)
			}
		}
	})
}
