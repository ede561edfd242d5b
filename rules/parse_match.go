package rules

import (
	"fmt"
	"slices"
	"strings"
)

// count reads a condition on the number of events of one call type.
func (p *parser) count(word parserField, m parserMapping) Condition {
	p.only(m, parserArticle(word.name)+" condition", []string{word.name, "where", "count", "within", "since"})
	c := &Count{Place: m.Place, Within: p.windowOf(m), Since: p.since(m)}
	c.Match = p.match(word, m, nil)
	if n := m.get("count"); n != nil {
		c.Count = p.comparisonOf(n, operandScope{what: "count", value: operandCount}).Operators
	} else {
		c.Count = []Operator{{Place: m.Place, Op: OpGte, Operand: float64(1)}}
	}
	return c
}

// aggregate reads a condition on a value computed from events.
func (p *parser) aggregate(word parserField, m parserMapping) Condition {
	c := &Aggregate{Place: m.Place, Kind: AggregateKind(word.name), Property: p.path(word.value, word.name)}
	c.Within, c.Since = p.windowOf(m), p.since(m)
	if of := m.get("of"); of != nil {
		c.Match = p.matchValue(of, "of", m.get("where"), nil)
	} else {
		p.report(m.Place, word.name+" lacks \"of\"", "say which event carries the property, as in of: Order Completed")
	}
	scope := operandScope{what: word.name, value: operandNumber}
	switch c.Kind {
	case Distinct:
		scope.value = operandCount
	case First, Last:
		scope.value = operandLogged
	}
	var compared Comparison
	p.operatorsOf(&compared, m, scope, word.name, "of", "where", "within", "since")
	c.Operators, c.IgnoreCase = compared.Operators, compared.IgnoreCase
	return c
}

// match reads what word, and where beside it, select.
func (p *parser) match(word parserField, m parserMapping, steps *stepNames) Match {
	match := Match{Place: m.Place, Call: Track}
	switch word.name {
	case "page":
		match.Call = Page
	case "screen":
		match.Call = Screen
	case "type":
		match.Call = p.callType(word.value)
	}
	if word.name != "type" {
		match.Names = p.names(word.value, word.name)
	}
	if where := m.get("where"); where != nil {
		p.where(where, &match, steps)
	}
	return match
}

// matchValue reads what of:, since: and absent: select: the name of an event,
// a list of names, "*", or a mapping with an event, page, screen or type.
// The where beside it, if there is one, belongs to it.
func (p *parser) matchValue(n *parserNode, what string, where *parserNode, steps *stepNames) Match {
	if n.kind != parserMap {
		match := Match{Place: n.Place, Call: Track, Names: p.names(n, what)}
		if where != nil {
			p.where(where, &match, steps)
		}
		return match
	}
	m, _ := p.mapping(n, what)
	calls := []string{"event", "page", "screen", "type"}
	p.only(m, what, append(calls, "where"))
	var found []parserField
	for _, f := range m.fields {
		if slices.Contains(calls, f.name) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		p.report(n.Place, what+" needs one of event, page, screen and type", "")
		return Match{}
	}
	if where != nil && m.get("where") != nil {
		p.report(where.Place, fmt.Sprintf("where stands both beside %s and inside it", what), "keep one")
	}
	match := p.match(found[0], m, steps)
	if where != nil {
		p.where(where, &match, steps)
	}
	return match
}

// callType reads what type: names.
func (p *parser) callType(n *parserNode) CallType {
	words := callTypes()
	word, _ := p.word(n, "type", words...)
	for i, w := range words {
		if w == word {
			return CallType(i)
		}
	}
	return Track
}

// callTypes returns the words of the call types, in the order of [CallType].
func callTypes() []string { return []string{"track", "page", "screen", "identify", "group", "alias"} }

// names reads one name, a list of them, or "*" for any.
func (p *parser) names(n *parserNode, what string) []string {
	if n.kind == parserString && n.text == "*" {
		return nil
	}
	if n.kind != parserList {
		if name, ok := p.str(n, what); ok {
			return []string{name}
		}
		return nil
	}
	var names []string
	seen := make(map[string]bool, len(n.items))
	for _, item := range p.list(n, what) {
		name, ok := p.str(item, "a name in "+what)
		switch {
		case !ok:
		case name == "*":
			p.report(item.Place, "\"*\" stands for any name and cannot be in a list", "write "+what+": \"*\"")
		case !seen[name]:
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// where reads the conditions on an event's values into match.
func (p *parser) where(n *parserNode, match *Match, steps *stepNames) {
	if n.kind == parserString {
		match.CEL, _ = p.str(n, "where")
		match.CELAt = n.Place
		if match.CEL != "" && strings.TrimSpace(match.CEL) == "" {
			p.report(n.Place, "where is blank", "write a CEL expression, or a mapping of properties")
		}
		return
	}
	m, ok := p.mapping(n, "where")
	if !ok {
		return
	}
	for _, f := range m.fields {
		p.checkPath(f.Place, f.name, "a path in where")
		c := p.comparisonOf(f.value, operandScope{what: diagClip(f.name), value: operandAny, steps: steps})
		c.Place, c.Path = f.Place, f.name
		match.Where = append(match.Where, c)
	}
}

// path reads a path to a property or trait.
func (p *parser) path(n *parserNode, what string) string {
	path, ok := p.str(n, what)
	if ok {
		p.checkPath(n.Place, path, what)
	}
	return path
}

// checkPath reports a path with an empty part.
func (p *parser) checkPath(at Place, path, what string) {
	switch {
	case len(path) > PathMax:
		p.report(at, fmt.Sprintf("%s has %d bytes: the limit is %d", what, len(path), PathMax), "")
	case path == "" || strings.Contains("."+path+".", ".."):
		p.report(at, fmt.Sprintf("%s %q has an empty part", what, diagClip(path)), "a path is names joined by single dots")
	}
}

// since reads the event after which occurrences count.
func (p *parser) since(m parserMapping) *Match {
	n := m.get("since")
	if n == nil {
		return nil
	}
	match := p.matchValue(n, "since", nil, nil)
	return &match
}

// windowOf reads within; without it the window is the session.
func (p *parser) windowOf(m parserMapping) Window {
	n := m.get("within")
	if n == nil {
		return Window{Session: true}
	}
	if n.kind == parserString && (n.text == "session" || n.text == "lifetime") {
		return Window{Session: n.text == "session", Lifetime: n.text == "lifetime"}
	}
	if n.kind == parserMap {
		return p.windowMapping(n)
	}
	return Window{Last: p.windowDuration(n)}
}

// windowDuration reads the length of a window.
func (p *parser) windowDuration(n *parserNode) Millis {
	if n.kind == parserString {
		if near := diagNearest(n.text, []string{"session", "lifetime"}); near != "" {
			p.unknown(n.Place, "window", n.text, []string{"session", "lifetime"})
			return 0
		}
	}
	d, _ := p.duration(n, "within")
	return d
}

// windowMapping reads {session: true, last: D}.
func (p *parser) windowMapping(n *parserNode) Window {
	m, _ := p.mapping(n, "within")
	p.only(m, "within", []string{"session", "last"})
	if !p.needs(m, "within", "session", "last") {
		return Window{}
	}
	w := Window{Session: p.boolean(m.get("session"), "session")}
	if !w.Session {
		p.report(m.get("session").Place, "session must be true here", "for a window that ends with no session write within: and the duration alone")
	}
	w.Last, _ = p.duration(m.get("last"), "last")
	return w
}

// parserArticle returns the word with its article.
func parserArticle(word string) string {
	if strings.IndexByte("aeiou", word[0]) >= 0 {
		return "an " + word
	}
	return "a " + word
}
