package rules

import "strings"

// valueKind is the type of a [value]. Null counts as missing: the language
// never tells them apart.
type valueKind uint8

const (
	missingValue valueKind = iota
	boolValue
	numberValue
	textValue
	listValue
	objectValue
)

// value is one extracted value, typed without boxing. Lists and objects are
// kept as the plain values of encoding/json.
type value struct {
	slot   int32 // which path of the rule set it stands at, in an event's values
	kind   valueKind
	truth  bool
	number float64
	text   string
	more   any // []any of a list, map[string]any of an object
}

func (v *value) list() []any            { return v.more.([]any) }
func (v *value) object() map[string]any { return v.more.(map[string]any) }

// valueOf types a plain value.
func valueOf(x any) value {
	switch x := x.(type) {
	case bool:
		return value{kind: boolValue, truth: x}
	case float64:
		return value{kind: numberValue, number: x}
	case Millis:
		return value{kind: numberValue, number: float64(x)}
	case int:
		return value{kind: numberValue, number: float64(x)}
	case int64:
		return value{kind: numberValue, number: float64(x)}
	case string:
		return value{kind: textValue, text: x}
	case []any:
		return value{kind: listValue, more: x}
	case map[string]any:
		return value{kind: objectValue, more: x}
	default:
		return value{}
	}
}

// plain is the inverse of valueOf.
func (v *value) plain() any {
	switch v.kind {
	case boolValue:
		return v.truth
	case numberValue:
		return v.number
	case textValue:
		return v.text
	default:
		return v.more
	}
}

// caseMode says whether text compares with or without regard to case.
type caseMode uint8

const (
	caseExact caseMode = iota
	caseFolded
)

// equal reports whether two present values are equal: of the same type, and
// lists and objects deeply. A missing value equals nothing.
func (v *value) equal(w *value, mode caseMode) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case boolValue:
		return v.truth == w.truth
	case numberValue:
		return v.number == w.number
	case textValue:
		return v.text == w.text || mode == caseFolded && strings.EqualFold(v.text, w.text)
	case listValue:
		return equalLists(v.list(), w.list(), mode)
	case objectValue:
		return equalObjects(v.object(), w.object(), mode)
	default:
		return false
	}
}

func equalPlain(a, b any, mode caseMode) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	v, w := valueOf(a), valueOf(b)
	return v.equal(&w, mode)
}

func equalLists(a, b []any, mode caseMode) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equalPlain(a[i], b[i], mode) {
			return false
		}
	}
	return true
}

func equalObjects(a, b map[string]any, mode caseMode) bool {
	if len(a) != len(b) {
		return false
	}
	for k, x := range a {
		if y, ok := b[k]; !ok || !equalPlain(x, y, mode) {
			return false
		}
	}
	return true
}

// order compares two numbers or two texts, the latter by bytes; ok is false
// for any other pair.
func (v *value) order(w *value, mode caseMode) (sign int, ok bool) {
	if v.kind != w.kind {
		return 0, false
	}
	switch v.kind {
	case numberValue:
		switch {
		case v.number < w.number:
			return -1, true
		case v.number > w.number:
			return 1, true
		}
		return 0, true
	case textValue:
		if mode == caseFolded {
			return strings.Compare(fold(v.text), fold(w.text)), true
		}
		return strings.Compare(v.text, w.text), true
	default:
		return 0, false
	}
}

// lookup walks a dotted path through nested objects, from the top-level
// value that its first part names.
func lookup(top any, rest []string) value {
	for _, name := range rest {
		object, ok := top.(map[string]any)
		if !ok {
			return value{}
		}
		top = object[name]
	}
	return valueOf(top)
}

// clonePlain copies a plain value deeply, strings included, so that nothing
// kept in a state holds a message's payload alive.
func clonePlain(x any) any {
	switch x := x.(type) {
	case string:
		return strings.Clone(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = clonePlain(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, v := range x {
			out[strings.Clone(k)] = clonePlain(v)
		}
		return out
	default:
		return x
	}
}
