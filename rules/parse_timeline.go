package rules

import (
	"fmt"
	"slices"
)

// TestStart is the instant of 0s in a test block without start: the first
// millisecond of 2026, UTC, in Unix milliseconds.
const TestStart int64 = 1_767_225_600_000

// tests reads the test blocks of a definition.
func (p *parser) tests(n *parserNode) []Test {
	var tests []Test
	for _, item := range p.list(n, "tests") {
		tests = append(tests, p.test(item))
	}
	return tests
}

func (p *parser) test(n *parserNode) Test {
	t := Test{Place: n.Place, Start: TestStart}
	m, ok := p.mapping(n, "a test")
	if !ok {
		return t
	}
	p.only(m, "a test", []string{"name", "start", "traits", "timeline", "expect"})
	p.needs(m, "a test", "timeline", "expect")
	if name := m.get("name"); name != nil {
		t.Name, _ = p.str(name, "name")
	}
	if start := m.get("start"); start != nil {
		if at, ok := parseInstant(p.instant(start, "start")); ok {
			t.Start = at.UnixMilli()
		}
	}
	if traits := m.get("traits"); traits != nil {
		t.Traits = p.object(traits, "traits")
	}
	t.Timeline, t.Expect = p.timeline(m.get("timeline")), p.expectations(m.get("expect"))
	return t
}

// object reads a mapping of plain values.
func (p *parser) object(n *parserNode, what string) map[string]any {
	if _, ok := p.mapping(n, what); !ok {
		return nil
	}
	p.distinctDeep(n)
	object, _ := n.plain().(map[string]any)
	return object
}

// distinctDeep reports keys that stand twice in mappings below n.
func (p *parser) distinctDeep(n *parserNode) {
	for _, item := range n.items {
		p.distinctDeep(item)
	}
	for _, f := range n.fields {
		if f.value.kind == parserMap {
			p.distinct(f.value.fields)
		}
		p.distinctDeep(f.value)
	}
}

func (p *parser) timeline(n *parserNode) []TestInput {
	if n == nil {
		return nil
	}
	if n.kind != parserList {
		p.wrongKind(n, "timeline", "a list")
		return nil
	}
	var inputs []TestInput
	last := Millis(0)
	for _, item := range n.items {
		in := p.testInput(item)
		if in.At < last {
			p.report(item.Place, fmt.Sprintf("the timeline goes back, from %s to %s", last, in.At), "write it in the order of the log; an event that occurred earlier carries a timestamp")
		}
		last = max(last, in.At)
		inputs = append(inputs, in)
	}
	return inputs
}

// testFields are the fields of an event that may stand in a timeline.
func testFields() []string {
	return []string{"properties", "traits", "context", "timestamp", "messageId", "userId", "anonymousId", "previousId", "groupId"}
}

// testInput reads one line of a timeline.
func (p *parser) testInput(n *parserNode) TestInput {
	in := TestInput{Place: n.Place}
	m, ok := p.mapping(n, "a line of the timeline")
	if !ok {
		return in
	}
	calls := callTypes()
	fields := testFields()
	p.only(m, "a line of the timeline", append(append([]string{"at"}, calls...), fields...))
	if p.needs(m, "a line of the timeline", "at") {
		in.At, _ = p.span(m.get("at"), "at")
	}
	in.Event = map[string]any{}
	for _, f := range m.fields {
		switch {
		case slices.Contains(calls, f.name) && in.Call != "":
			p.report(f.Place, fmt.Sprintf("two calls in one line: %s and %s", in.Call, f.name), "write two lines")
		case slices.Contains(calls, f.name):
			in.Call = f.name
			p.testCall(&in, f)
		case slices.Contains(fields, f.name):
			p.testField(&in, f)
		}
	}
	p.checkTestInput(&in, m)
	return in
}

// testCall reads the value beside a call's word.
func (p *parser) testCall(in *TestInput, f parserField) {
	switch f.name {
	case "track":
		in.Name, _ = p.str(f.value, "the event's name")
	case "page", "screen":
		if f.value.kind != parserNull {
			in.Name, _ = p.str(f.value, "the "+f.name+"'s name")
		}
	default:
		if f.value.kind != parserNull && p.object(f.value, f.name) != nil {
			in.Event["traits"] = f.value.plain()
		}
	}
}

// testField reads a field of the event.
func (p *parser) testField(in *TestInput, f parserField) {
	switch f.name {
	case "properties", "traits", "context":
		if f.name == "traits" && in.Event["traits"] != nil {
			p.report(f.Place, "the traits stand twice in this line", "keep one")
		}
		in.Event[f.name] = p.object(f.value, f.name)
	default:
		in.Event[f.name], _ = p.str(f.value, f.name)
	}
}

// checkTestInput gives a line with traits alone its call, and refuses a line
// that is no message.
func (p *parser) checkTestInput(in *TestInput, m parserMapping) {
	switch {
	case in.Call != "":
	case m.get("traits") == nil:
		p.report(m.Place, "the line is neither an event nor a trait update", "give it one of track, page, screen, identify, group, alias and traits")
	default:
		in.Call = "traits"
		for _, f := range m.fields {
			if f.name != "at" && f.name != "traits" && slices.Contains([]string{"properties", "context", "timestamp", "messageId"}, f.name) {
				p.report(f.Place, fmt.Sprintf("a trait update has no %s", f.name), "for an event write identify: and the traits")
			}
		}
	}
}

func (p *parser) expectations(n *parserNode) []TestExpectation {
	if n == nil {
		return nil
	}
	if n.kind != parserList {
		p.wrongKind(n, "expect", "a list")
		return nil
	}
	var expected []TestExpectation
	for _, item := range n.items {
		expected = append(expected, p.expectation(item))
	}
	return expected
}

func (p *parser) expectation(n *parserNode) TestExpectation {
	e := TestExpectation{Place: n.Place}
	m, ok := p.mapping(n, "a line of expect")
	if !ok {
		return e
	}
	p.only(m, "a line of expect", []string{"at", "entered", "exited"})
	if p.needs(m, "a line of expect", "at") {
		e.At, _ = p.span(m.get("at"), "at")
	}
	entered, exited := m.get("entered"), m.get("exited")
	if (entered == nil) == (exited == nil) {
		p.report(n.Place, "a line of expect is either entered or exited", "write entered: true or exited: true")
		return e
	}
	word := entered
	if word == nil {
		word = exited
	}
	if e.Entered = entered != nil; !p.boolean(word, "what is expected") && word.kind == parserBool {
		p.report(word.Place, "only what happens can be expected", "leave the line out; an unexpected transition fails the test")
	}
	return e
}
