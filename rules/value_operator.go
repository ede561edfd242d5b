package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// predicate is one operator with its operand prepared.
type predicate struct {
	op      Op
	mode    caseMode
	operand value
	list    []value        // in, not_in, between, includes_any, includes_all
	pattern *regexp.Regexp // matches
	instant time.Time      // before, after
	span    int64          // within_last, more_than_ago: milliseconds
}

// preparePredicate checks and prepares an operator. The parser refuses the
// same mistakes with a better message; what arrives here is only guarded.
func preparePredicate(o *Operator, mode caseMode) (predicate, error) {
	p := predicate{op: o.Op, mode: mode, operand: valueOf(o.Operand)}
	if o.Ref != "" {
		return p, fmt.Errorf("ref %q has no earlier step to refer to", o.Ref)
	}
	switch o.Op {
	case OpEq, OpNeq, OpIncludes:
	case OpGt, OpGte, OpLt, OpLte:
		return p, requireKind(o, &p.operand, numberValue, textValue)
	case OpBetween:
		p.list = plainValues(o.Operand)
		if len(p.list) != 2 {
			return p, fmt.Errorf("%s needs a list of two", o.Op)
		}
	case OpIn, OpNotIn, OpIncludesAny, OpIncludesAll:
		p.list = plainValues(o.Operand)
		return p, requireKind(o, &p.operand, listValue)
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith:
		if mode == caseFolded {
			p.operand.text = fold(p.operand.text)
		}
		return p, requireKind(o, &p.operand, textValue)
	case OpMatches:
		return p.preparePattern(o)
	case OpExists:
		return p, requireKind(o, &p.operand, boolValue)
	case OpBefore, OpAfter:
		t, err := time.Parse(time.RFC3339, p.operand.text)
		p.instant = t
		return p, err
	case OpWithinLast, OpMoreThanAgo:
		span, ok := o.Operand.(Millis)
		if p.span = int64(span); !ok || span <= 0 {
			return p, fmt.Errorf("%s needs a duration", o.Op)
		}
	default:
		return p, fmt.Errorf("unknown operator %q", o.Op)
	}
	return p, nil
}

func (p predicate) preparePattern(o *Operator) (predicate, error) {
	expr := p.operand.text
	if p.mode == caseFolded {
		expr = "(?i:" + expr + ")"
	}
	re, err := regexp.Compile(expr)
	p.pattern = re
	if err == nil {
		err = requireKind(o, &p.operand, textValue)
	}
	return p, err
}

func requireKind(o *Operator, v *value, kinds ...valueKind) error {
	if !slices.Contains(kinds, v.kind) {
		return fmt.Errorf("%s cannot be used with the operand %v", o.Op, o.Operand)
	}
	return nil
}

func plainValues(operand any) []value {
	list, _ := operand.([]any)
	out := make([]value, len(list))
	for i := range list {
		out[i] = valueOf(list[i])
	}
	return out
}

// holds reports whether the value satisfies the predicate at now. A missing
// value satisfies only exists: false; a value of the wrong type satisfies
// only neq and not_in.
func (p *predicate) holds(v *value, now int64) bool {
	if p.op == OpExists {
		return (v.kind != missingValue) == p.operand.truth
	}
	if v.kind == missingValue {
		return false
	}
	switch p.op {
	case OpEq:
		return v.equal(&p.operand, p.mode)
	case OpNeq:
		return p.operand.kind != missingValue && !v.equal(&p.operand, p.mode)
	case OpIn:
		return p.listed(v)
	case OpNotIn:
		return !p.listed(v)
	case OpGt, OpGte, OpLt, OpLte, OpBetween:
		return p.ordered(v)
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith, OpMatches:
		return v.kind == textValue && p.textual(v.text)
	case OpIncludes, OpIncludesAny, OpIncludesAll:
		return v.kind == listValue && p.included(v.list())
	default:
		return p.dated(v, now)
	}
}

func (p *predicate) listed(v *value) bool {
	for i := range p.list {
		if v.equal(&p.list[i], p.mode) {
			return true
		}
	}
	return false
}

func (p *predicate) ordered(v *value) bool {
	if p.op == OpBetween {
		low, ok := v.order(&p.list[0], p.mode)
		high, okHigh := v.order(&p.list[1], p.mode)
		return ok && okHigh && low >= 0 && high <= 0
	}
	sign, ok := v.order(&p.operand, p.mode)
	if !ok {
		return false
	}
	switch p.op {
	case OpGt:
		return sign > 0
	case OpGte:
		return sign >= 0
	case OpLt:
		return sign < 0
	default:
		return sign <= 0
	}
}

func (p *predicate) textual(s string) bool {
	if p.op == OpMatches {
		return p.pattern.MatchString(s)
	}
	if p.mode == caseFolded {
		s = fold(s)
	}
	switch p.op {
	case OpContains:
		return strings.Contains(s, p.operand.text)
	case OpNotContains:
		return !strings.Contains(s, p.operand.text)
	case OpStartsWith:
		return strings.HasPrefix(s, p.operand.text)
	default:
		return strings.HasSuffix(s, p.operand.text)
	}
}

func (p *predicate) included(list []any) bool {
	has := func(want *value) bool {
		return slices.ContainsFunc(list, func(x any) bool {
			v := valueOf(x)
			return v.equal(want, p.mode)
		})
	}
	if p.op == OpIncludes {
		return has(&p.operand)
	}
	for i := range p.list {
		if has(&p.list[i]) != (p.op == OpIncludesAll) {
			return p.op == OpIncludesAny
		}
	}
	return p.op == OpIncludesAll
}

func (p *predicate) dated(v *value, now int64) bool {
	t, ok := v.date()
	if !ok {
		return false
	}
	switch p.op {
	case OpBefore:
		return t.Before(p.instant)
	case OpAfter:
		return t.After(p.instant)
	case OpWithinLast:
		d := t.UnixMilli()
		return now-p.span < d && d <= now
	default:
		return t.UnixMilli() <= now-p.span
	}
}

// changes returns the earliest instant after now at which time alone changes
// what the predicate says of the value.
func (p *predicate) changes(v *value, now int64) int64 {
	if p.op != OpWithinLast && p.op != OpMoreThanAgo {
		return Never
	}
	t, ok := v.date()
	if !ok {
		return Never
	}
	d := t.UnixMilli()
	if p.op == OpWithinLast && now < d {
		return d
	}
	if now < d+p.span {
		return d + p.span
	}
	return Never
}

func (v *value) date() (time.Time, bool) {
	if v.kind != textValue {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, v.text)
	return t, err == nil
}

// comparison is the operators that one value must all satisfy.
type comparison []predicate

func (c comparison) holds(v *value, now int64) bool {
	for i := range c {
		if !c[i].holds(v, now) {
			return false
		}
	}
	return true
}

// changes returns the earliest instant at which time alone could change the
// comparison.
func (c comparison) changes(v *value, now int64) int64 {
	next := Never
	for i := range c {
		next = min(next, c[i].changes(v, now))
	}
	return next
}

func (c comparison) timed() bool {
	return slices.ContainsFunc(c, func(p predicate) bool {
		return p.op == OpWithinLast || p.op == OpMoreThanAgo
	})
}

func prepareComparison(c *Comparison) (comparison, error) {
	mode := caseExact
	if c.IgnoreCase {
		mode = caseFolded
	}
	out := make(comparison, len(c.Operators))
	for i := range c.Operators {
		p, err := preparePredicate(&c.Operators[i], mode)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}
