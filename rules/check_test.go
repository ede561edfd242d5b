package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// checkParsed reads definitions that must be well formed.
func checkParsed(t *testing.T, texts ...string) []*Definition {
	t.Helper()
	defs, err := Parse("set.yaml", []byte(strings.Join(texts, "\n---\n")))
	if err != nil {
		t.Fatal(err)
	}
	return defs
}

// checkMessages returns the first lines of an error's diagnostics.
func checkMessages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var ds Diagnostics
	if !errors.As(err, &ds) {
		t.Fatalf("got a %T, want Diagnostics", err)
	}
	var out []string
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%d: %s", d.Line, d.Message))
	}
	return out
}

func TestCheckSetAcceptsSoundSets(t *testing.T) {
	sound := checkParsed(t,
		"audience: a\nwhen: {event: X}",
		"audience: b\nwhen: {all: [{audience: a}, {audience: c}]}",
		"audience: c\nwhen: {any: [{audience: a}, {event: Y}]}",
		"audience: d\nwhen: {none: [{event: Y}]}\neveryone: true",
	)
	if err := CheckSet(sound); err != nil {
		t.Error(err)
	}
	if err := CheckSet(nil); err != nil {
		t.Error(err)
	}
}

func TestCheckSetFindsEverything(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  []string
	}{
		{"a key twice", []string{"audience: a\nwhen: {event: X}", "audience: a\nwhen: {event: Y}"}, []string{`4: audience "a" is defined twice`}},
		{"an unknown reference", []string{"audience: buyers\nwhen: {event: X}", "audience: b\nwhen: {audience: buyer}"}, []string{`5: there is no audience "buyer"`}},
		{"itself", []string{"audience: a\nwhen: {audience: a}"}, []string{"2: audiences refer to each other in a circle: a -> a"}},
		{
			"a circle of three, entered from outside",
			[]string{
				"audience: a\nwhen: {any: [{event: X}, {audience: c}]}", "audience: b\nwhen: {audience: d}",
				"audience: c\nwhen: {held: {audience: b}, for: 1m}", "audience: d\nwhen: {at_least: {n: 1, of: [{audience: c}]}}",
			},
			[]string{"11: audiences refer to each other in a circle: c -> b -> d -> c"},
		},
		{
			"two circles and a lone none",
			[]string{
				"audience: a\nwhen: {audience: b}", "audience: b\nwhen: {audience: a}",
				"audience: c\nwhen: {none: [{event: X}]}", "audience: d\nwhen: {all: [{audience: d}]}",
			},
			[]string{
				"5: audiences refer to each other in a circle: a -> b -> a", `8: audience "c" holds for users about whom nothing is known`,
				"11: audiences refer to each other in a circle: d -> d",
			},
		},
	} {
		got := checkMessages(t, CheckSet(checkParsed(t, c.texts...)))
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestCheckSetNamesTheNearestAudience(t *testing.T) {
	src := "audience: buyers\nwhen: {event: X}\n---\naudience: b\nwhen: {audience: buyer}"
	err := CheckSet(checkParsed(t, src))
	var ds Diagnostics
	if !errors.As(err, &ds) {
		t.Fatalf("got %v", err)
	}
	const want = `set.yaml:5:7: there is no audience "buyer"
    5 | when: {audience: buyer}
      |       ^
  did you mean "buyers"?`
	if got := ds.WithSource("set.yaml", []byte(src)).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCheckSetRefusesTooManyAudiences(t *testing.T) {
	when := conditionOfText(t, "{event: X}")
	defs := make([]*Definition, AudiencesMax+1)
	for i := range defs {
		defs[i] = &Definition{Audience: AudienceKey(fmt.Sprintf("a%d", i)), When: when}
	}
	if err := CheckSet(defs[:AudiencesMax]); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if got := checkMessages(t, CheckSet(defs)); len(got) != 1 || got[0] != "0: 100001 audiences: the limit is 100000" {
		t.Errorf("got %q", got)
	}
}

func TestCheckSetFollowsALongCircle(t *testing.T) {
	defs := make([]*Definition, AudiencesMax)
	for i := range defs {
		next := AudienceKey(fmt.Sprintf("a%d", (i+1)%len(defs)))
		defs[i] = &Definition{Audience: AudienceKey(fmt.Sprintf("a%d", i)), When: &Membership{Audience: next}}
	}
	got := checkMessages(t, CheckSet(defs))
	if len(got) != 1 || !strings.HasSuffix(got[0], "a0 -> a1 -> a2 -> a3 -> a4 -> a5 -> a6 -> a7 -> a8 -> a9 -> ... -> a0") {
		t.Errorf("got %q", got)
	}
}

func TestEveryoneIsRequiredWhereNothingKnownIsEnough(t *testing.T) {
	for text, want := range map[string]bool{
		"{event: X}":                                    false,
		"{event: X, count: {gte: 0}}":                   true,
		"{event: X, count: {lt: 2}}":                    true,
		"{event: X, count: {gte: 0, neq: 0}}":           false,
		"{event: X, count: [0, 3]}":                     true,
		"{event: X, count: {not_in: [0]}}":              false,
		"{event: X, count: {between: [0, 1]}}":          true,
		"{sum: p, of: X, lt: 10}":                       true,
		"{sum: p, of: X, exists: true}":                 true,
		"{distinct: p, of: X, eq: 0}":                   true,
		"{avg: p, of: X, lt: 10}":                       false,
		"{avg: p, of: X, exists: false}":                true,
		"{last: p, of: X, neq: a}":                      false,
		"{last: p, of: X, exists: false}":               true,
		"{sequence: [{event: X}, {absent: Y, for: 1}]}": false,
		"{not: {sequence: [{event: X}]}}":               true,
		"{trait: p, neq: x}":                            false,
		"{trait: p, exists: false}":                     true,
		"{trait: p, exists: false, eq: x}":              false,
		"{not: {trait: p, exists: true}}":               true,
		"{context: p, exists: false}":                   true,
		"{session: events, lt: 10}":                     false,
		"{session: id, exists: false}":                  false,
		"{not: {session: events, lt: 10}}":              true,
		"{audience: plain}":                             false,
		"{audience: plain, is: not_member}":             true,
		"{audience: all-users}":                         true,
		"{not: {audience: all-users}}":                  true,
		"{held: {event: X}, for: 1m}":                   false,
		"{held: {none: [{event: X}]}, for: 1m}":         true,
		"{time: {hour: 9}}":                             true,
		"{time: {hour: {gte: 22, lt: 6}}}":              false,
		"{not: {time: {hour: {gte: 0}}}}":               false,
		"{not: {time: {hour: {gte: 0}, weekday: mon}}}": true,
		"{bucket: {percent: 10}}":                       true,
		"{bucket: {percent: 0}}":                        false,
		"{not: {bucket: {percent: 100}}}":               false,
		"{all: [{event: X}, {time: {hour: 9}}]}":        false,
		"{any: [{event: X}, {time: {hour: 9}}]}":        true,
		"{none: [{event: X}]}":                          true,
		"{none: [{event: X}, {event: X, count: 0}]}":    false,
		"{at_least: {n: 2, of: [{event: X}, {bucket: {percent: 5}}, {time: {hour: 3}}]}}": true,
		"{at_least: {n: 2, of: [{event: X}, {event: Y}, {time: {hour: 3}}]}}":             false,
		"{not: {at_least: {n: 1, of: [{event: X, count: 0}, {time: {hour: 3}}]}}}":        false,
		"{not: {at_least: {n: 2, of: [{event: X, count: 0}, {time: {hour: 3}}]}}}":        true,
	} {
		got := MayHoldWithNoData(conditionOfText(t, text), func(key AudienceKey) bool { return key == "all-users" })
		if got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestWarnFindsWhatIsSurelyNotMeant(t *testing.T) {
	for text, want := range map[string]string{
		"{none: [{event: X}]}": "none or not over a session window",
		"{not: {any: [{trait: a, eq: b}, {sum: p, of: X, gte: 1}]}}": "none or not over a session window",
		"{not: {event: X, within: {session: true, last: 1m}}}":       "none or not over a session window",
		"{not: {sequence: [{event: X}]}}":                            "none or not over a session window",
		"{not: {sequence: [{event: X}], lasts: 1d}}":                 "",
		"{none: [{event: X, within: lifetime}]}":                     "",
		"{not: {event: X, within: 10m}}":                             "",
		"{none: [{not: {event: X}}]}":                                "",
		"{event: X}":                                                 "",
		"{time: {hour: {gte: 22, lt: 6}}}":                           "no hour matches",
		"{time: {hour: 24}}":                                         "no hour matches",
		"{time: {hour: {gte: 22}}}":                                  "",
		"{session: idle, gte: 30m}":                                  "idle never reaches 30m",
		"{session: idle, between: [1m, 1h]}":                         "idle never reaches 1h",
		"{session: idle, gt: 29m}":                                   "",
		"{session: duration, gt: 2h}":                                "",
		"{event: X, where: {properties.plan: pro}}":                  "write plan",
		"{event: X, where: {id: 9007199254740993}}":                  "IEEE 754",
		"{event: X, where: {id: 9007199254740991}}":                  "",
		"{trait: p, between: [10, 5]}":                               "between has its greater end first",
		"{trait: p, between: [5, 5]}":                                "",
		"{bucket: {percent: 0.001}}":                                 "percent rounds to 0.00",
		"{bucket: {percent: 0.01}}":                                  "",
	} {
		got := Warn(checkParsed(t, "audience: a\nwhen: "+text)).Error()
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	long := WarnIdle(checkParsed(t, "audience: a\nwhen: {session: idle, gte: 30m}"), 31*minute)
	if len(long) != 0 {
		t.Errorf("with longer sessions: got %v", long)
	}
}
