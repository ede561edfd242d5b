package rules

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// TraitsMax bounds the traits of one key, in bytes as [Traits.size] counts.
const TraitsMax = 32 << 10

// trait is one trait of a key.
type trait struct {
	name  string
	value any
}

// Traits are the traits of one key, sorted by name. A Traits is never changed
// in place: merging makes a new one.
type Traits []trait

// value returns a trait, nil if there is none.
func (ts Traits) value(name string) any {
	for i := range ts {
		if ts[i].name == name {
			return ts[i].value
		}
	}
	return nil
}

// Map returns the traits in plain form. The caller must not change the
// values.
func (ts Traits) Map() map[string]any {
	out := make(map[string]any, len(ts))
	for _, t := range ts {
		out[t.name] = t.value
	}
	return out
}

// merge returns the traits with an update applied: at the top level only, nil
// deletes. The result shares no memory with the update.
func (ts Traits) merge(update map[string]any) (Traits, *Rejection) {
	if len(update) == 0 {
		return ts, nil
	}
	out := make(Traits, 0, len(ts)+len(update))
	for _, t := range ts {
		if _, replaced := update[t.name]; !replaced {
			out = append(out, t)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(update)) {
		if x := update[name]; x != nil {
			out = append(out, trait{strings.Clone(name), clonePlain(x)})
		}
	}
	slices.SortFunc(out, func(a, b trait) int { return cmp.Compare(a.name, b.name) })
	if size := out.size(); size > TraitsMax {
		return nil, &Rejection{Reason: ReasonTooLarge,
			Detail: "the user's traits would be " + strconv.Itoa(size) + " bytes, at most " + strconv.Itoa(TraitsMax)}
	}
	return slices.Clip(out), nil
}

// size is what the traits count against TraitsMax: the bytes of all names and
// texts, 8 for a number, and 1 for every other value and every level.
func (ts Traits) size() int {
	size := 0
	for _, t := range ts {
		size += len(t.name) + plainSize(t.value)
	}
	return size
}

func plainSize(x any) int {
	size := 1
	switch x := x.(type) {
	case float64:
		size = 8
	case string:
		size += len(x)
	case []any:
		for _, y := range x {
			size += plainSize(y)
		}
	case map[string]any:
		for k, y := range x {
			size += len(k) + plainSize(y)
		}
	}
	return size
}
