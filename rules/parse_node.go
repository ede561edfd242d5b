package rules

import (
	"fmt"
	"slices"
	"strings"
)

// parserKind is what a node of a document is.
type parserKind uint8

const (
	parserNull parserKind = iota
	parserBool
	parserNumber
	parserString
	parserList
	parserMap
	// parserBroken is a node already reported; it raises no second error.
	parserBroken
)

// String names the kind as an error message does.
func (k parserKind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a list", "a mapping", "an error"}[k]
}

// parserNode is one value of a document, YAML or JSON, with aliases resolved.
type parserNode struct {
	Place
	kind   parserKind
	text   string // of a string; of other scalars, as written
	number float64
	truth  bool
	items  []*parserNode
	fields []parserField
}

// parserField is one entry of a mapping, in the order of the source.
type parserField struct {
	Place // of the name
	name  string
	value *parserNode
}

// plain returns the node as a plain value: nil, bool, float64, string, []any
// or map[string]any.
func (n *parserNode) plain() any {
	switch n.kind {
	case parserBool:
		return n.truth
	case parserNumber:
		return n.number
	case parserString:
		return n.text
	case parserList:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case parserMap:
		fields := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			fields[f.name] = f.value.plain()
		}
		return fields
	}
	return nil
}

// parserMapping is a mapping whose keys have been checked.
type parserMapping struct {
	Place
	fields []parserField
}

// mapping reads n as a mapping, and reports keys that stand twice. It does
// not judge which keys there are.
func (p *parser) mapping(n *parserNode, what string) (parserMapping, bool) {
	if n.kind != parserMap {
		p.wrongKind(n, what, "a mapping")
		return parserMapping{}, false
	}
	return parserMapping{n.Place, p.distinct(n.fields)}, true
}

// distinct returns fields without those whose name stood before, which it
// reports.
func (p *parser) distinct(fields []parserField) []parserField {
	seen := make(map[string]Place, len(fields))
	out := make([]parserField, 0, len(fields))
	for _, f := range fields {
		if first, ok := seen[f.name]; ok {
			p.report(f.Place, fmt.Sprintf("key %q stands twice", diagClip(f.name)), fmt.Sprintf("the first is on line %d; remove one", first.Line))
			continue
		}
		seen[f.name] = f.Place
		out = append(out, f)
	}
	return out
}

// get returns the value under name, or nil.
func (m parserMapping) get(name string) *parserNode {
	for _, f := range m.fields {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// only reports every key of m that is not among known.
func (p *parser) only(m parserMapping, what string, known []string) {
	for _, f := range m.fields {
		if !slices.Contains(known, f.name) {
			p.unknown(f.Place, "key in "+what, f.name, known)
		}
	}
}

// wrongKind reports that n is not what was expected.
func (p *parser) wrongKind(n *parserNode, what, want string) {
	if n.kind == parserBroken {
		return
	}
	remedy := ""
	if want == "text" && (n.kind == parserNumber || n.kind == parserBool) {
		remedy = fmt.Sprintf("quote it: %q", diagClip(n.text))
	}
	if want == "true or false" && n.kind == parserString {
		remedy = "write true or false, without quotes"
	}
	if want == "a list" && n.kind != parserNull {
		remedy = "write [...] around it, or a line with - before each member"
	}
	p.report(n.Place, fmt.Sprintf("%s must be %s, but here is %s", what, want, n.kind), remedy)
}

// list reads n as a list with at least one member.
func (p *parser) list(n *parserNode, what string) []*parserNode {
	if n.kind != parserList {
		p.wrongKind(n, what, "a list")
		return nil
	}
	if len(n.items) == 0 {
		p.report(n.Place, what+" is empty", "give it at least one member, or leave it out")
	}
	return n.items
}

// str reads n as text of 1 to StringMax bytes.
func (p *parser) str(n *parserNode, what string) (string, bool) {
	if n.kind != parserString {
		p.wrongKind(n, what, "text")
		return "", false
	}
	if n.text == "" {
		p.report(n.Place, what+" is empty", "")
		return "", false
	}
	if len(n.text) > StringMax {
		p.report(n.Place, fmt.Sprintf("%s has %d bytes: the limit is %d", what, len(n.text), StringMax), "")
		return "", false
	}
	return n.text, true
}

// word reads n as one of the words known.
func (p *parser) word(n *parserNode, what string, known ...string) (string, bool) {
	if n.kind != parserString {
		p.wrongKind(n, what, "one of "+strings.Join(known, ", "))
		return "", false
	}
	if !slices.Contains(known, n.text) {
		p.unknown(n.Place, what, n.text, known)
		return "", false
	}
	return n.text, true
}

// boolean reads n as true or false.
func (p *parser) boolean(n *parserNode, what string) bool {
	if n.kind != parserBool {
		p.wrongKind(n, what, "true or false")
	}
	return n.truth
}

// whole reads n as a whole number from low to high.
func (p *parser) whole(n *parserNode, what string, low, high int) (int, bool) {
	if n.kind != parserNumber {
		p.wrongKind(n, what, "a whole number")
		return 0, false
	}
	if n.number != float64(int64(n.number)) || n.number < float64(low) || n.number > float64(high) {
		p.report(n.Place, fmt.Sprintf("%s must be a whole number from %d to %d, but here is %s", what, low, high, diagClip(n.text)), "")
		return 0, false
	}
	return int(n.number), true
}

// duration reads n as a duration longer than zero.
func (p *parser) duration(n *parserNode, what string) (Millis, bool) {
	d, ok := p.span(n, what)
	if ok && d == 0 {
		p.report(n.Place, what+" must be longer than zero", "")
		return 0, false
	}
	return d, ok
}

// span reads n as a duration, which may be zero.
func (p *parser) span(n *parserNode, what string) (Millis, bool) {
	switch n.kind {
	case parserNumber:
		return p.seconds(n, what)
	case parserString:
		d, err := ParseDuration(n.text)
		if err == nil {
			return d, true
		}
		p.report(n.Place, fmt.Sprintf("%s: %q %v", what, diagClip(n.text), err), "write it as 90s, 10m, 2h, 7d or 1h30m; a bare number is seconds")
	default:
		p.wrongKind(n, what, "a duration, such as 10m or 1h30m")
	}
	return 0, false
}

// seconds reads a bare number as a duration.
func (p *parser) seconds(n *parserNode, what string) (Millis, bool) {
	ms := n.number * float64(second)
	switch {
	case n.number < 0:
		p.report(n.Place, what+" is negative", "")
	case ms > float64(DurationMax):
		p.report(n.Place, what+" "+errDurationLong.Error(), "a bare number is seconds")
	case ms != float64(Millis(ms)):
		p.report(n.Place, what+" is not a whole number of milliseconds", "a bare number is seconds")
	default:
		return Millis(ms), true
	}
	return 0, false
}
