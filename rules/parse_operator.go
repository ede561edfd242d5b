package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// operandType is what operators are applied to, as far as a definition tells.
type operandType uint8

const (
	operandAny      operandType = iota // a trait, a property, a path of the context
	operandLogged                      // what first and last find
	operandNumber                      // an aggregate, a number of the session
	operandCount                       // a count: whole, 0 to CountMax
	operandHour                        // an hour: whole, 0 to 24
	operandDuration                    // a duration of the session
	operandText                        // a text of the session
)

// operandScope says where operators stand.
type operandScope struct {
	what  string // names the value in messages
	value operandType
	steps *stepNames // of the sequence, where ref may stand; else nil
}

// operators returns the operators that fit the scope.
func (s operandScope) operators() []Op {
	ops := []Op{OpEq, OpNeq, OpGt, OpGte, OpLt, OpLte, OpBetween, OpIn, OpNotIn}
	switch s.value {
	case operandCount, operandHour:
		return ops
	case operandNumber, operandDuration:
		return append(ops, OpExists)
	}
	ops = append(ops, OpExists, OpContains, OpNotContains, OpStartsWith, OpEndsWith, OpMatches)
	if s.value == operandText {
		return ops
	}
	ops = append(ops, OpBefore, OpAfter, OpIncludes, OpIncludesAny, OpIncludesAll)
	if s.value == operandAny {
		ops = append(ops, OpWithinLast, OpMoreThanAgo)
	}
	return ops
}

// words returns the keys that may stand where the operators stand.
func (s operandScope) words() []string {
	var words []string
	for _, op := range s.operators() {
		words = append(words, string(op))
	}
	if s.value == operandAny || s.value == operandLogged || s.value == operandText {
		words = append(words, "ci")
	}
	if s.steps != nil {
		words = append(words, "ref")
	}
	return words
}

// comparisonOf reads a value to compare with: a bare value is eq, a bare list
// is in, a mapping holds operators. Path and Place are the caller's.
func (p *parser) comparisonOf(n *parserNode, scope operandScope) Comparison {
	c := Comparison{Place: n.Place}
	op := OpEq
	switch n.kind {
	case parserMap:
		if m, ok := p.mapping(n, scope.what); ok {
			p.operatorsOf(&c, m, scope)
		}
		return c
	case parserList:
		op = OpIn
	}
	c.Operators = []Operator{p.operator(n.Place, op, n, scope)}
	return c
}

// operatorsOf reads the operators among m's entries into c. The keys besides
// are those that others read.
func (p *parser) operatorsOf(c *Comparison, m parserMapping, scope operandScope, besides ...string) {
	words, misplaced := scope.words(), 0
	for _, f := range m.fields {
		switch {
		case slices.Contains(besides, f.name):
		case !slices.Contains(words, f.name):
			misplaced++
			p.misplaced(f, scope, append(words, besides...))
		case f.name == "ci":
			c.IgnoreCase = p.boolean(f.value, "ci")
		case f.name == "ref":
			o := Operator{Place: f.Place, Op: OpEq}
			o.Ref = p.ref(f.value, scope)
			c.Operators = append(c.Operators, o)
		default:
			c.Operators = append(c.Operators, p.operator(f.Place, Op(f.name), f.value, scope))
		}
	}
	if m.get("ref") != nil && m.get("eq") != nil {
		p.report(m.Place, "ref and eq both say what the value must equal", "keep one")
	}
	if len(c.Operators) == 0 && misplaced == 0 {
		p.report(m.Place, scope.what+" is compared with nothing", "add an operator, such as "+scope.example())
	}
}

// misplaced reports a key that does not belong among the operators.
func (p *parser) misplaced(f parserField, scope operandScope, known []string) {
	all := operandScope{steps: scope.steps}.words()
	switch {
	case f.name == "ref":
		p.report(f.Place, "ref stands only in where of a sequence's step", "")
	case slices.Contains(all, f.name):
		p.report(f.Place, fmt.Sprintf("operator %q does not fit %s", f.name, scope.what), "fitting: "+strings.Join(scope.words(), ", "))
	default:
		p.unknown(f.Place, "operator or key", f.name, known)
	}
}

// example returns an operator that fits the scope.
func (s operandScope) example() string {
	switch s.value {
	case operandNumber, operandCount:
		return "gte: 3"
	case operandHour:
		return "gte: 9"
	case operandDuration:
		return "gte: 5m"
	}
	return "exists: true"
}

// operator reads one operator's operand.
func (p *parser) operator(at Place, op Op, n *parserNode, scope operandScope) Operator {
	o := Operator{Place: at, Op: op}
	if n.kind == parserMap && scope.steps != nil && len(n.fields) == 1 && n.fields[0].name == "ref" && opTakesRef(op) {
		o.Ref = p.ref(n.fields[0].value, scope)
		return o
	}
	what := fmt.Sprintf("%s of %s", op, scope.what)
	switch op {
	case OpBetween:
		o.Operand = p.between(n, what, scope)
	case OpIn, OpNotIn, OpIncludesAny, OpIncludesAll:
		o.Operand = p.operandList(n, what, scope)
	case OpExists:
		o.Operand = p.boolean(n, what)
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith:
		o.Operand, _ = p.str(n, what)
	case OpMatches:
		o.Operand = p.pattern(n, what)
	case OpBefore, OpAfter:
		o.Operand = p.instant(n, what)
	case OpWithinLast, OpMoreThanAgo:
		o.Operand, _ = p.duration(n, what)
	case OpGt, OpGte, OpLt, OpLte:
		o.Operand = p.ordered(n, what, scope)
	default:
		o.Operand = p.scalar(n, what, scope)
	}
	return o
}

// opTakesRef reports whether an operator's operand may be a reference.
func opTakesRef(op Op) bool {
	switch op {
	case OpEq, OpNeq, OpGt, OpGte, OpLt, OpLte, OpContains, OpNotContains, OpStartsWith, OpEndsWith, OpBefore, OpAfter, OpIncludes:
		return true
	}
	return false
}

// scalar reads an operand that is one value.
func (p *parser) scalar(n *parserNode, what string, scope operandScope) any {
	switch scope.value {
	case operandCount:
		p.whole(n, what, 0, CountMax)
		return n.number
	case operandHour:
		p.whole(n, what, 0, 24)
		return n.number
	case operandDuration:
		d, _ := p.span(n, what)
		return d
	case operandNumber:
		if n.kind != parserNumber {
			p.wrongKind(n, what, "a number")
		}
		return n.number
	case operandText:
		p.textOperand(n, what)
		return n.text
	}
	switch n.kind {
	case parserNumber, parserBool:
	case parserString:
		p.textOperand(n, what)
	case parserNull:
		p.report(n.Place, what+" is nothing, and nothing equals a missing value", "to ask whether a value is missing write exists: false")
	case parserList:
		p.report(n.Place, what+" must be one value, but here is a list", "for one of several write in: [...]; for lists there are includes, includes_any and includes_all")
	default:
		p.wrongKind(n, what, "one value")
	}
	return n.plain()
}

// textOperand checks text to compare with; unlike a name it may be empty.
func (p *parser) textOperand(n *parserNode, what string) {
	if n.kind != parserString || n.text != "" {
		p.str(n, what)
	}
}

// ordered reads an operand that has an order: a number or text.
func (p *parser) ordered(n *parserNode, what string, scope operandScope) any {
	if (scope.value == operandAny || scope.value == operandLogged) && n.kind != parserNumber && n.kind != parserString {
		p.wrongKind(n, what, "a number or text")
		return nil
	}
	return p.scalar(n, what, scope)
}

// between reads the two ends of a range.
func (p *parser) between(n *parserNode, what string, scope operandScope) any {
	if n.kind != parserList || len(n.items) != 2 {
		p.report(n.Place, what+" must be a list of two: the lowest value and the highest", "as in between: [10, 20]; both ends are inside")
		return nil
	}
	low, high := p.ordered(n.items[0], what, scope), p.ordered(n.items[1], what, scope)
	if n.items[0].kind != n.items[1].kind && scope.value != operandDuration {
		p.report(n.Place, what+" must have two ends of one type", "")
	}
	return []any{low, high}
}

// operandList reads an operand that is a list of values.
func (p *parser) operandList(n *parserNode, what string, scope operandScope) any {
	values := []any{}
	for _, item := range p.list(n, what) {
		values = append(values, p.scalar(item, "a value in "+what, scope))
	}
	return values
}

// pattern reads a regular expression.
func (p *parser) pattern(n *parserNode, what string) string {
	text, ok := p.str(n, what)
	if !ok {
		return ""
	}
	if len(text) > PatternMax {
		p.report(n.Place, fmt.Sprintf("%s has %d bytes: the limit is %d", what, len(text), PatternMax), "")
		return ""
	}
	if _, err := regexp.Compile(text); err != nil {
		message := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		p.report(n.Place, what+" is not a regular expression: "+message, "the syntax is RE2's; it has no look-around and no back-references")
	}
	return text
}

// instant reads an RFC 3339 date and time. The operand keeps its digits and
// offset; its letters become capitals.
func (p *parser) instant(n *parserNode, what string) string {
	text, ok := p.str(n, what)
	if !ok {
		return ""
	}
	if _, ok := parseInstant(text); !ok {
		p.report(n.Place, fmt.Sprintf("%s: %q is not an RFC 3339 date and time", what, diagClip(text)), "write it as 2026-01-31T09:30:00Z or with an offset, 2026-01-31T09:30:00+02:00")
	}
	return strings.ToUpper(text)
}

// parseInstant reads an RFC 3339 date and time strictly: [time.Parse] also
// takes a one-digit hour and a comma before the fraction.
func parseInstant(s string) (time.Time, bool) {
	s = strings.ToUpper(s)
	if len(s) < len("2026-01-01T00:00:00Z") || s[10] != 'T' || s[13] != ':' || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// ref reads step.path, the value that an earlier step had.
func (p *parser) ref(n *parserNode, scope operandScope) string {
	text, ok := p.str(n, "ref")
	if !ok {
		return ""
	}
	step, path, _ := strings.Cut(text, ".")
	if path == "" {
		p.report(n.Place, fmt.Sprintf("ref %q names no property", diagClip(text)), "write the name of an earlier step, a dot and the property: view.product_id")
		return ""
	}
	p.checkPath(n.Place, path, "the path of ref")
	switch {
	case len(scope.steps.earlier) == 0:
		p.report(n.Place, fmt.Sprintf("no step before this one is called %q", diagClip(step)), "name one: {as: view, event: Product Viewed}")
	case !slices.Contains(scope.steps.earlier, step):
		p.unknown(n.Place, "earlier step", step, scope.steps.earlier)
	}
	return text
}
