package rules

import (
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// celVars is an event as CEL sees it. Its objects are built when an
// expression first asks for them: most events meet none.
type celVars struct {
	ev    *Event
	built map[string]map[string]any
}

// reset makes the variables those of another event; nil is none.
func (v *celVars) reset(ev *Event) {
	v.ev = ev
	clear(v.built)
}

// Parent returns nil: there are no other variables.
func (v *celVars) Parent() cel.Activation { return nil }

// ResolveName returns a variable.
func (v *celVars) ResolveName(name string) (any, bool) {
	switch name {
	case "event":
		return v.ev.Name, true
	case "properties", "context", "traits":
		return v.object(name), true
	}
	return nil, false
}

// object returns a member of the event, empty if it is no object.
func (v *celVars) object(name string) map[string]any {
	if found, ok := v.built[name]; ok {
		return found
	}
	if v.built == nil {
		v.built = make(map[string]map[string]any, 3)
	}
	v.built[name] = topObject(v.ev.body, name)
	return v.built[name]
}

// topObject returns the last top-level member of that name, as DecodeEvent
// takes it, from a body that was checked.
func topObject(body, name string) map[string]any {
	sc, at := scanner{s: body}, -1
	if body == "" {
		return map[string]any{}
	}
	for ok := sc.open('}'); ok; ok = sc.more('}') {
		found, _ := sc.name()
		sc.peek()
		if found == name {
			at = sc.i
		}
		sc.skip()
	}
	if at >= 0 {
		sc = scanner{s: body, i: at}
		if object, ok := sc.plain().(map[string]any); ok {
			return object
		}
	}
	return map[string]any{}
}

// celAdapter turns the plain values of JSON into CEL's values.
type celAdapter struct{}

// NativeToValue implements [types.Adapter].
func (a celAdapter) NativeToValue(x any) ref.Val {
	switch x := x.(type) {
	case map[string]any:
		return celObject{types.NewStringInterfaceMap(a, x), x}
	case []any:
		return types.NewDynamicList(a, x)
	}
	return types.DefaultTypeAdapter.NativeToValue(x)
}

// celObject is an object whose names are visited in order, so that everybody
// sees the same: the order shows in lists made of it, and in the cost of what
// stops early.
type celObject struct {
	traits.Mapper
	names map[string]any
}

// Iterator visits the names in the order of their bytes.
func (o celObject) Iterator() traits.Iterator {
	names := slices.Sorted(maps.Keys(o.names))
	return types.NewStringList(celAdapter{}, names).Iterator()
}
