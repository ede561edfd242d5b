package rules

import (
	"math"
	"slices"
)

// lintDomain is what values there are to compare.
type lintDomain uint8

const (
	lintAny     lintDomain = iota // any value, or none
	lintNumber                    // a number
	lintMaybe                     // a number, or none
	lintCount                     // a whole number from 0 on
	lintOrdinal                   // a whole number from 1 on, or none
	lintText                      // text, or none
	lintZero                      // 0
)

// lintVariable is a value that conditions compare: those of one name compare
// the same value.
type lintVariable struct {
	name    string
	domain  lintDomain
	compare *Comparison
}

// variable returns what a leaf compares, if that is one value.
func (l *linter) variable(c Condition) (lintVariable, bool) {
	switch c := c.(type) {
	case *Count:
		plain := *c
		plain.Count = nil
		return lintVariable{name: CanonicalCondition(&plain), domain: lintCount, compare: &Comparison{Operators: c.Count}}, true
	case *Aggregate:
		plain := *c
		plain.Operators, plain.IgnoreCase = nil, false
		domain := map[AggregateKind]lintDomain{Sum: lintNumber, Distinct: lintCount, First: lintAny, Last: lintAny}
		of, known := domain[c.Kind]
		if !known {
			of = lintMaybe
		}
		return lintVariable{CanonicalCondition(&plain), of, &Comparison{Operators: c.Operators, IgnoreCase: c.IgnoreCase}}, true
	case *Trait:
		return lintVariable{name: "trait " + c.Path, compare: &c.Comparison}, true
	case *ContextProperty:
		return lintVariable{name: "context " + c.Path, compare: &c.Comparison}, true
	case *SessionProperty:
		v := lintVariable{name: "session " + c.Path, domain: lintText, compare: &c.Comparison}
		switch sessionOperand(c.Path) {
		case operandNumber:
			v.domain = lintOrdinal
			if c.Path == "pages" {
				v.domain = lintMaybe
			}
		case operandDuration:
			v.domain = lintMaybe
		}
		return v, true
	}
	return lintVariable{}, false
}

// lintLiteral is a condition that must be true, or must be false, for an all
// to be.
type lintLiteral struct {
	of      Condition
	text    string
	negated bool
}

// lintLiterals appends those that a condition comes down to.
func lintLiterals(c Condition, out []lintLiteral) []lintLiteral {
	switch c := c.(type) {
	case *Group:
		for _, of := range c.Of {
			switch c.Kind {
			case All:
				out = lintLiterals(of, out)
			case None:
				out = append(out, lintLiteral{of, CanonicalCondition(of), true})
			}
		}
		if c.Kind != Any {
			return out
		}
	case *Not:
		return append(out, lintLiteral{c.Of, CanonicalCondition(c.Of), true})
	case *Membership:
		member := *c
		member.NotMember = false
		return append(out, lintLiteral{c, CanonicalCondition(&member), c.NotMember})
	}
	return append(out, lintLiteral{c, CanonicalCondition(c), false})
}

// lintDenials are the opposites of conditions, of which all must be true for
// none of the conditions to be.
func lintDenials(of []Condition) []lintLiteral {
	var out []lintLiteral
	for _, c := range of {
		for _, a := range lintLiterals(c, nil) {
			if g, group := c.(*Group); group && g.Kind != Any && len(g.Of) > 1 {
				continue // a denied all is not all denied
			}
			a.negated = !a.negated
			out = append(out, a)
		}
	}
	return out
}

// truth tries every kind of value that could make a difference.
func (v lintVariable) truth() lintTruth {
	var t lintTruth
	for _, x := range lintSamples(v.domain, []*Comparison{v.compare}) {
		mayHold, mayFail := lintCompares(v.compare, &x)
		t.mayHold = t.mayHold || mayHold
		t.mayFail = t.mayFail || mayFail
	}
	return t
}

// together reports whether some value satisfies all literals on it.
func (l *linter) together(literals []lintLiteral) bool {
	var compares []*Comparison
	var first lintVariable
	for i, a := range literals {
		v, _ := l.variable(a.of)
		if i == 0 {
			first = v
		}
		compares = append(compares, v.compare)
	}
	return slices.ContainsFunc(lintSamples(first.domain, compares), func(x value) bool {
		for i, a := range literals {
			mayHold, mayFail := lintCompares(compares[i], &x)
			if a.negated && !mayFail || !a.negated && !mayHold {
				return false
			}
		}
		return true
	})
}

// lintCompares reports what a comparison can say of a value. An operator whose
// samples are not known is taken to go either way of the type it reads.
func lintCompares(c *Comparison, x *value) (mayHold, mayFail bool) {
	mayHold = true
	for i := range c.Operators {
		o := &c.Operators[i]
		if o.Ref != "" {
			mayFail = true
			continue
		}
		if reads, vague := lintVague(o); vague {
			mayHold = mayHold && x.kind == reads
			mayFail = true
			continue
		}
		one, err := prepareComparison(&Comparison{Operators: c.Operators[i : i+1], IgnoreCase: c.IgnoreCase})
		if err != nil {
			return true, true
		}
		holds := one.holds(x, 0)
		mayHold = mayHold && holds
		mayFail = mayFail || !holds
	}
	return mayHold, mayFail
}

// lintVague returns the type that an operator reads if its samples are not
// known.
func lintVague(o *Operator) (reads valueKind, vague bool) {
	switch o.Op {
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith, OpMatches, OpBefore, OpAfter, OpWithinLast, OpMoreThanAgo:
		return textValue, true
	case OpIncludes, OpIncludesAny, OpIncludesAll:
		return listValue, true
	}
	return missingValue, false
}

// lintSamples returns a value of each kind that the comparisons can tell
// apart: what they compare with, and what lies between and beyond.
func lintSamples(domain lintDomain, compares []*Comparison) []value {
	var numbers []float64
	var texts []string
	for _, c := range compares {
		for _, o := range c.Operators {
			for _, x := range operandValues(o) {
				switch v := valueOf(x); v.kind {
				case numberValue:
					numbers = append(numbers, v.number)
				case textValue:
					texts = append(texts, v.text)
				}
			}
		}
	}
	return lintTake(domain, lintNumbers(domain, numbers), texts)
}

// lintNumbers adds what lies around and between.
func lintNumbers(domain lintDomain, of []float64) []float64 {
	of = append(of, 0, 1)
	slices.Sort(of)
	var out []float64
	for i, n := range of {
		out = append(out, n-1, math.Floor(n), n, math.Ceil(n), n+1)
		if i > 0 {
			out = append(out, of[i-1]+(n-of[i-1])/2)
		}
	}
	if domain == lintCount || domain == lintOrdinal {
		out = slices.DeleteFunc(out, func(n float64) bool { return n != math.Trunc(n) })
	}
	return out
}

func lintTake(domain lintDomain, numbers []float64, texts []string) []value {
	if domain == lintZero {
		return []value{{kind: numberValue}}
	}
	var out []value
	if domain != lintNumber && domain != lintCount {
		out = append(out, value{})
	}
	if domain == lintAny || domain == lintText {
		for _, s := range append(texts, "", "\U0010ffff") {
			out = append(out, value{kind: textValue, text: s}, value{kind: textValue, text: s + "\x00"})
		}
	}
	if domain == lintText {
		return out
	}
	least := map[lintDomain]float64{lintCount: 0, lintOrdinal: 1}
	for _, n := range numbers {
		if from, bounded := least[domain]; bounded && n < from {
			continue
		}
		out = append(out, value{kind: numberValue, number: n})
	}
	if domain == lintAny {
		out = append(out, value{kind: boolValue}, value{kind: boolValue, truth: true}, value{kind: listValue, more: []any{}}, value{kind: objectValue, more: map[string]any{}})
	}
	return out
}
