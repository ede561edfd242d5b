package rules

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// withoutPlaces sets every Place below v to zero.
func withoutPlaces(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			withoutPlaces(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			withoutPlaces(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Place]() && v.CanSet() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			withoutPlaces(v.Field(i))
		}
	}
}

func TestCanonicalIsReadBackAsTheSameDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := randomDefinition(t)
		text := want.Canonical()
		defs, err := Parse("canonical.json", text)
		if err != nil {
			t.Fatalf("%v\nin %s", err, text)
		}
		got := defs[0]
		if got.Place.Line == 0 {
			t.Fatal("the definition has no place")
		}
		withoutPlaces(reflect.ValueOf(got))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %s\nwant %s", got.Canonical(), text)
		}
		if again := got.Canonical(); !bytes.Equal(again, text) {
			t.Fatalf("got %s\nwant %s", again, text)
		}
	})
}

func TestIdentityOfAConditionSurvivesReadingItsCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := randomDefinition(t)
		want := CanonicalCondition(d.When)
		defs, err := Parse("", d.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		if got := CanonicalCondition(defs[0].When); got != want {
			t.Fatalf("got %s\nwant %s", got, want)
		}
	})
}

func TestDigestDoesNotDependOnLayout(t *testing.T) {
	texts := []string{
		"audience: a\nwhen: {event: X, where: {b: 1, a: [x]}, within: 600}\n",
		"# a comment\nwhen:\n  within: 10m\n  where:\n    a: {in: [x]}\n    b: {eq: 1.0}\n  count: {gte: 1}\n  event: [X]\naudience: 'a'\n",
		`{"when": {"event": "X", "within": "600s", "where": {"a": ["x"], "b": 1}}, "audience": "a"}`,
	}
	const want = `{"audience":"a","when":{"count":{"gte":1},"event":["X"],"where":{"a":{"in":["x"]},"b":{"eq":1}},"within":"600000ms"}}`
	var first *Definition
	for _, text := range texts {
		defs, err := Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(defs[0].Canonical()); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if first == nil {
			first = defs[0]
		}
		if defs[0].Digest() != first.Digest() || len(first.Digest()) != 64 {
			t.Errorf("got digest %s, want %s", defs[0].Digest(), first.Digest())
		}
	}
	other, err := Parse("f", []byte("audience: a\nwhen: {event: X, where: {b: 1, a: [y]}, within: 600}\n"))
	if err != nil || other[0].Digest() == first.Digest() {
		t.Errorf("another operand has the same digest (error %v)", err)
	}
}

// conditionOfText parses one condition in flow YAML.
func conditionOfText(t *testing.T, text string) Condition {
	t.Helper()
	defs, err := Parse("f", []byte("audience: a\nwhen: "+text+"\n"))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return defs[0].When
}

func TestConditionsOfOneMeaningHaveOneIdentity(t *testing.T) {
	for _, same := range [][]string{
		{"{event: X, where: {plan: pro}}", "{event: [X], where: {plan: {eq: pro}}, count: {gte: 1}, within: session}"},
		{"{event: X, where: {a: 1, b: 2}}", "{event: X, where: {b: 2, a: 1.0}}"},
		{"{event: X, within: 10m}", "{event: X, within: 600s}", "{event: X, within: 600}"},
		{"{event: [X, Y, X]}", "{event: [Y, X]}"},
		{"{event: \"*\"}", "{type: track}"},
		{"{trait: p, in: [a, b, a]}", "{trait: p, in: [b, a]}"},
		{"{trait: p, before: 2026-01-01T00:00:00Z}", "{trait: p, before: \"2026-01-01t01:00:00.0+01:00\"}"},
		{"{sum: p, of: X, gte: 1}", "{sum: p, of: {event: X}, gte: 1, within: session}"},
		{"{all: [{event: X}, {event: Y}]}", "{all: [{event: Y}, {event: X}, {event: Y}]}"},
		{"{any: [{event: X}]}", "{all: [{event: X}]}", "{event: X}", "{not: {not: {event: X}}}", "{none: [{not: {event: X}}]}"},
		{"{none: [{event: X}]}", "{not: {event: X}}"},
		{"{time: {hour: 9, weekday: [mon, tue], tz: UTC}}", "{time: {hour: {eq: 9}, weekday: [tue, mon]}}"},
		{"{bucket: {percent: 10}}", "{bucket: {percent: 10.001, salt: \"\"}}"},
		{"{audience: b}", "{audience: b, is: member}"},
		{
			"{sequence: [{as: v, event: X}, {event: Y, where: {p: {ref: v.p}}}]}",
			"{sequence: [{as: w, event: X}, {as: unused, event: Y, where: {p: {eq: {ref: w.p}}}}], within: session}",
		},
		{"{sequence: [{event: X}, {absent: Y, for: 1m}]}", "{sequence: [{event: X}, {absent: {event: Y}, for: 60}]}"},
	} {
		want := CanonicalCondition(conditionOfText(t, same[0]))
		for _, text := range same[1:] {
			if got := CanonicalCondition(conditionOfText(t, text)); got != want {
				t.Errorf("%s and %s: got %s\nwant %s", same[0], text, got, want)
			}
		}
	}
}

func TestConditionsOfDifferentMeaningDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"{event: X}", "{page: X}", "{screen: X}", "{type: page}", "{type: identify}", "{event: [X, Y]}",
		"{event: X, count: 1}", "{event: X, within: lifetime}", "{event: X, within: 10m}", "{event: X, within: {session: true, last: 10m}}",
		"{event: X, since: Y}", "{event: X, since: {page: Y}}", "{event: X, where: {a: 1}}", "{event: X, where: {a: \"1\"}}",
		"{event: X, where: {a: {eq: 1, ci: true}}}", "{event: X, where: \"properties.a == 1\"}", "{event: X, where: {context.a: 1}}",
		"{sum: a, of: X, gte: 1}", "{avg: a, of: X, gte: 1}", "{sum: b, of: X, gte: 1}", "{sum: a, of: X, gt: 1}",
		"{all: [{event: X}, {event: Y}]}", "{any: [{event: X}, {event: Y}]}", "{none: [{event: X}, {event: Y}]}", "{not: {event: X}}",
		"{at_least: {n: 1, of: [{event: X}, {event: Y}]}}", "{at_least: {n: 2, of: [{event: X}, {event: Y}]}}",
		"{at_least: {n: 2, of: [{event: X}, {event: Y}, {event: Y}]}}",
		"{held: {event: X}, for: 1m}", "{held: {event: X}, for: 2m}", "{audience: b}", "{audience: b, is: not_member}",
		"{trait: a, exists: true}", "{session: id, exists: true}", "{context: a, exists: true}",
		"{session: idle, gt: 5}", "{session: events, gt: 5}", "{time: {hour: 9}}", "{time: {weekday: mon}}", "{time: {hour: 9, tz: Asia/Tokyo}}",
		"{bucket: {percent: 10}}", "{bucket: {percent: 10, salt: x}}",
		"{sequence: [{event: X}, {event: Y}]}", "{sequence: [{event: Y}, {event: X}]}", "{sequence: [{event: X}, {event: Y, within: 1m}]}",
		"{sequence: [{event: X}, {event: Y}], lasts: 1m}", "{sequence: [{event: X}, {event: Y}], within: 1m}", "{sequence: [{event: X}, {absent: Y, for: 1m}]}",
		"{sequence: [{as: a, event: X}, {as: b, event: X}, {event: Y, where: {p: {ref: a.p}}}]}",
		"{sequence: [{as: a, event: X}, {as: b, event: X}, {event: Y, where: {p: {ref: b.p}}}]}",
	} {
		id := CanonicalCondition(conditionOfText(t, text))
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s both have %s", other, text, id)
		}
		seen[id] = text
	}
}
