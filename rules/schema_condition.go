package rules

// schemaOfWord is the mapping that a condition word begins.
func schemaOfWord(word string) schema {
	properties, required := schema{}, []string{word}
	switch word {
	case "all", "any", "none":
		properties[word] = schemaRef("conditions")
	case "not":
		properties[word] = schemaRef("condition")
	case "at_least":
		properties[word] = schemaMapping("", schema{
			"n": schema{"type": "integer", "minimum": 1, "maximum": ConditionsMax}, "of": schemaRef("conditions"),
		}, "n", "of")
	case "event", "page", "screen", "type":
		properties = schema{
			word: schemaEvents(schema{})[word], "where": schemaRef("where"), "within": schemaRef("window"), "since": schemaRef("event"),
			"count": schemaComparison(operandScope{value: operandCount}),
		}
	case "sequence":
		properties = schema{
			word:     schema{"type": "array", "items": schemaRef("step"), "minItems": 1, "maxItems": StepsMax},
			"within": schemaRef("span"), "lasts": schemaRef("duration"),
		}
	case "trait", "context":
		properties = schemaOperators(operandScope{value: operandAny}, schema{word: schemaRef("path")})
	case "session":
		return schemaSession()
	case "audience":
		properties = schema{word: schemaRef("key"), "is": schemaWord([]string{"member", "not_member"})}
	case "held":
		properties, required = schema{word: schemaRef("condition"), "for": schemaRef("duration")}, []string{word, "for"}
	case "time":
		properties[word] = schemaTime()
	case "bucket":
		properties[word] = schemaMapping("", schema{
			"percent": schema{"type": "number", "minimum": 0, "maximum": 100}, "salt": schemaText(0, StringMax),
		}, "percent")
	default:
		properties, required = schemaAggregate(word), []string{word, "of"}
	}
	properties[word] = schemaDescribed(properties[word], schemaWords("condition")[word])
	return schemaMapping("", properties, required...)
}

func schemaAggregate(word string) schema {
	scope := operandScope{value: operandNumber}
	switch AggregateKind(word) {
	case Distinct:
		scope.value = operandCount
	case First, Last:
		scope.value = operandLogged
	}
	return schemaOperators(scope, schema{
		word: schemaRef("path"), "of": schemaRef("event"), "where": schemaRef("where"),
		"within": schemaRef("window"), "since": schemaRef("event"),
	})
}

// schemaSession has different operators for different properties.
func schemaSession() schema {
	byType := map[operandType][]string{}
	for _, name := range sessionProperties() {
		byType[sessionOperand(name)] = append(byType[sessionOperand(name)], name)
	}
	var of []any
	for _, value := range []operandType{operandNumber, operandDuration, operandText} {
		named := schemaDescribed(schemaWord(byType[value]), schemaWords("condition")["session"])
		of = append(of, schemaMapping("", schemaOperators(operandScope{value: value}, schema{"session": named}), "session"))
	}
	return schemaAnyOf(of...)
}

func schemaTime() schema {
	m := schemaMapping("", schema{
		"hour":    schemaComparison(operandScope{value: operandHour}),
		"weekday": schemaAnyOf(schemaWord(weekdays()), schema{"type": "array", "items": schemaWord(weekdays()), "minItems": 1}),
		"tz":      schema{"type": "string", "pattern": `^[a-zA-Z0-9_+][a-zA-Z0-9_+-]*(/[a-zA-Z0-9_+][a-zA-Z0-9_+-]*)*$`, "maxLength": KeyMax},
	})
	m["minProperties"] = 1
	m["anyOf"] = []any{schema{"required": []string{"hour"}}, schema{"required": []string{"weekday"}}}
	return m
}

// schemaComparison is a value to compare with: a bare one is eq, a bare list
// is in, a mapping holds operators.
func schemaComparison(scope operandScope) schema {
	mapping := schemaMapping("", schemaOperators(scope, schema{}))
	mapping["minProperties"] = 1
	return schemaAnyOf(schemaScalar(scope), schemaOperand(OpIn, scope), mapping)
}

// schemaOperators adds the operators that fit a scope to the keys that may
// stand beside them.
func schemaOperators(scope operandScope, properties schema) schema {
	descriptions := schemaWords("operator")
	for _, word := range scope.words() {
		switch word {
		case "ci":
			properties[word] = schema{"type": "boolean"}
		case "ref":
			properties[word] = schemaStepRef()
		default:
			properties[word] = schemaOperand(Op(word), scope)
		}
		properties[word] = schemaDescribed(properties[word], descriptions[word])
	}
	return properties
}

// schemaStepRef names a property of an earlier step.
func schemaStepRef() schema {
	return schema{"type": "string", "pattern": `^[a-zA-Z0-9_+-]+(\.[^.]+)+$`}
}

// schemaOperand is what an operator compares with.
func schemaOperand(op Op, scope operandScope) schema {
	operand := schemaPlainOperand(op, scope)
	if scope.steps == nil || !opTakesRef(op) {
		return operand
	}
	return schemaAnyOf(operand, schemaMapping("", schema{"ref": schemaStepRef()}, "ref"))
}

func schemaPlainOperand(op Op, scope operandScope) schema {
	switch op {
	case OpBetween:
		return schema{"type": "array", "items": schemaOrdered(scope), "minItems": 2, "maxItems": 2}
	case OpIn, OpNotIn, OpIncludesAny, OpIncludesAll:
		return schema{"type": "array", "items": schemaScalar(scope), "minItems": 1}
	case OpExists:
		return schema{"type": "boolean"}
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith:
		return schemaText(1, StringMax)
	case OpMatches:
		return schemaText(1, PatternMax)
	case OpBefore, OpAfter:
		return schemaRef("instant")
	case OpWithinLast, OpMoreThanAgo:
		return schemaRef("duration")
	case OpGt, OpGte, OpLt, OpLte:
		return schemaOrdered(scope)
	default:
		return schemaScalar(scope)
	}
}

// schemaScalar is one value.
func schemaScalar(scope operandScope) schema {
	switch scope.value {
	case operandCount:
		return schema{"type": "integer", "minimum": 0, "maximum": CountMax}
	case operandHour:
		return schema{"type": "integer", "minimum": 0, "maximum": 24}
	case operandDuration:
		return schemaRef("duration")
	case operandNumber:
		return schema{"type": "number"}
	case operandText:
		return schemaText(0, StringMax)
	default:
		return schema{"type": []string{"number", "boolean", "string"}}
	}
}

// schemaOrdered is one value of a type that has an order.
func schemaOrdered(scope operandScope) schema {
	if scope.value == operandAny || scope.value == operandLogged {
		return schema{"type": []string{"number", "string"}}
	}
	return schemaScalar(scope)
}
