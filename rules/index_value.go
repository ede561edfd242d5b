package rules

// valueIndex finds what needs one of certain scalar values.
type valueIndex[T any] struct {
	texts   map[string][]T
	numbers map[float64][]T
	bools   [2][]T
}

// keys are the values one of which a value must equal to satisfy the
// comparison, nil when there are none or they cannot be looked up.
func (c comparison) keys() []value {
	for i := range c {
		p := &c[i]
		if p.mode != caseExact || p.op != OpEq && p.op != OpIn {
			continue
		}
		keys := p.list
		if p.op == OpEq {
			keys = []value{p.operand}
		}
		if scalars(keys) {
			return keys
		}
	}
	return nil
}

func scalars(vs []value) bool {
	for i := range vs {
		switch vs[i].kind {
		case boolValue, numberValue, textValue:
		default:
			return false
		}
	}
	return true
}

// add puts x under each of the keys, once even if a key is named twice.
func (vi *valueIndex[T]) add(keys []value, x T) {
	if vi.texts == nil {
		vi.texts, vi.numbers = make(map[string][]T), make(map[float64][]T)
	}
	for i := range keys {
		k := &keys[i]
		if containsEqual(keys[:i], k) {
			continue
		}
		switch k.kind {
		case textValue:
			vi.texts[k.text] = append(vi.texts[k.text], x)
		case numberValue:
			vi.numbers[k.number] = append(vi.numbers[k.number], x)
		default:
			vi.bools[k.bit()] = append(vi.bools[k.bit()], x)
		}
	}
}

// find returns what the value could satisfy.
func (vi *valueIndex[T]) find(v *value) []T {
	switch v.kind {
	case textValue:
		return vi.texts[v.text]
	case numberValue:
		return vi.numbers[v.number]
	case boolValue:
		return vi.bools[v.bit()]
	default:
		return nil
	}
}

func containsEqual(vs []value, k *value) bool {
	for i := range vs {
		if vs[i].equal(k, caseExact) {
			return true
		}
	}
	return false
}

func (v *value) bit() int {
	if v.truth {
		return 1
	}
	return 0
}
