package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Schema returns the JSON Schema of a definition (draft 7, which editors
// know), for files that hold one document or a list of them. It is built from
// the same tables of words that the parser reads by, so a document that
// [Parse] takes always fits; what depends on more than one place, such as
// the reference to an earlier step, only the parser judges. It is committed as
// audience.schema.json.
func Schema() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(schemaRoot()); err != nil {
		panic("rules: the schema cannot be encoded: " + err.Error())
	}
	return b.Bytes()
}

// schema is a part of the schema, or a property by name.
type schema = map[string]any

func schemaRoot() schema {
	return schema{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "Usher audience",
		"description": "One audience, or a list of them. SPEC.md says what each word means.",
		"if":          schema{"type": "array"},
		"then":        schema{"items": schemaRef("definition")},
		"else":        schemaRef("definition"),
		"definitions": schemaDefinitions(),
	}
}

func schemaDefinitions() schema {
	defs := schema{
		"definition": schemaDefinition(),
		"condition":  schemaCondition(),
		"conditions": schema{"type": "array", "items": schemaRef("condition"), "minItems": 1},
		"key":        schema{"type": "string", "pattern": "^[a-z0-9-]+$", "maxLength": KeyMax},
		"text":       schemaText(1, StringMax),
		"path":       schema{"type": "string", "minLength": 1, "maxLength": PathMax, "pattern": `^[^.]+(\.[^.]+)*$`},
		"duration":   schemaDuration(),
		"instant":    schema{"type": "string", "pattern": `^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`},
		"object":     schema{"type": "object"},
		"names":      schemaNames(),
		"event":      schemaMatch(operandScope{}),
		"window":     schemaWindow(schemaMapping("", schema{"session": schema{"const": true}, "last": schemaRef("duration")}, "session", "last")),
		"span":       schemaWindow(nil),
		"step":       schemaStep(),
		"test":       schemaTest(),
		"where":      schemaWhere("comparison"),
		"step_where": schemaWhere("step_comparison"),
		"comparison": schemaComparison(operandScope{value: operandAny}),
		// In where of a step a value may be that of an earlier step.
		"step_comparison": schemaComparison(operandScope{value: operandAny, steps: &stepNames{}}),
		"step_event":      schemaMatch(operandScope{steps: &stepNames{}}),
	}
	for _, word := range parserConditionWords() {
		defs["when_"+word] = schemaOfWord(word)
	}
	return defs
}

func schemaRef(name string) schema { return schema{"$ref": "#/definitions/" + name} }

func schemaText(shortest, longest int) schema {
	return schema{"type": "string", "minLength": shortest, "maxLength": longest}
}

func schemaWord[S ~[]string](words S) schema { return schema{"enum": words} }

func schemaAnyOf(of ...any) schema { return schema{"anyOf": of} }

// schemaMapping is a mapping with these keys and no others.
func schemaMapping(description string, properties schema, required ...string) schema {
	m := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if description != "" {
		m["description"] = description
	}
	if len(required) > 0 {
		m["required"] = required
	}
	return m
}

// schemaOne wants exactly one of the keys.
func schemaOne(m schema, words []string) schema {
	var one []any
	for _, w := range words {
		one = append(one, schema{"required": []string{w}})
	}
	m["oneOf"] = one
	return m
}

func schemaDuration() schema {
	return schema{
		"description": "A duration: 90s, 10m, 2h, 7d, 1h30m, 250ms; a bare number is seconds.",
		"anyOf": []any{
			schema{"type": "number", "minimum": 0},
			schema{"type": "string", "minLength": 2, "pattern": `^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$`},
		},
	}
}

// schemaNames is one name, a list of them, or "*".
func schemaNames() schema {
	name := schemaText(1, StringMax)
	name["not"] = schema{"const": "*"}
	return schemaAnyOf(schemaRef("text"), schema{"type": "array", "items": name, "minItems": 1})
}

func schemaWindow(mapping schema) schema {
	of := []any{schemaWord([]string{"session", "lifetime"}), schemaRef("duration")}
	if mapping != nil {
		of = append(of, mapping)
	}
	return schema{"description": schemaWords("condition")["within"], "anyOf": of}
}

// schemaWhere is a CEL expression, or comparisons by path.
func schemaWhere(comparison string) schema {
	return schemaAnyOf(schemaRef("text"), schema{"type": "object", "additionalProperties": schemaRef(comparison)})
}

// eventWords are the keys that say which events are meant.
func eventWords() []string { return []string{"event", "page", "screen", "type"} }

func schemaEvents(properties schema) schema {
	for _, word := range eventWords() {
		properties[word] = schemaRef("names")
	}
	properties["type"] = schemaWord(callTypes())
	return properties
}

// schemaMatch is what of, since and absent select.
func schemaMatch(scope operandScope) schema {
	where := "where"
	if scope.steps != nil {
		where = "step_where"
	}
	mapping := schemaOne(schemaMapping("", schemaEvents(schema{"where": schemaRef(where)})), eventWords())
	return schemaAnyOf(schemaRef("names"), mapping)
}

func schemaDefinition() schema {
	words := schemaWords("definition")
	properties := schema{
		"audience":       schemaRef("key"),
		"name":           schemaRef("text"),
		"description":    schemaRef("text"),
		"when":           schemaRef("condition"),
		"everyone":       schema{"type": "boolean"},
		"status":         schemaWord([]string{"active", "paused", "shadow"}),
		"hold_for":       schemaRef("duration"),
		"linger":         schemaRef("duration"),
		"cooldown":       schemaRef("duration"),
		"on_session_end": schemaWord([]string{"keep", "exit"}),
		"backfill":       schemaMapping("", schema{"replay": schemaRef("duration")}, "replay"),
		"tests":          schema{"type": "array", "items": schemaRef("test"), "minItems": 1},
		"max_entries": schemaMapping("", schema{
			"count": schema{"type": "integer", "minimum": 1, "maximum": CountMax},
			"per":   schemaWord([]string{"session", "day", "lifetime"}),
		}, "count", "per"),
	}
	kept := schema{}
	for _, key := range definitionKeys() {
		kept[key] = schemaDescribed(properties[key], words[key])
	}
	return schemaMapping("One audience.", kept, "audience", "when")
}

// schemaDescribed adds a description. Beside a $ref draft 7 reads nothing, so
// the reference moves into an allOf.
func schemaDescribed(of any, description string) schema {
	described, ok := of.(schema)
	if !ok {
		panic(fmt.Sprintf("rules: no schema for what is described as %q", description))
	}
	if _, refers := described["$ref"]; refers {
		described = schema{"allOf": []any{described}}
	}
	described["description"] = description
	return described
}

// schemaCondition leads from the one condition word to its schema.
func schemaCondition() schema {
	words, descriptions := parserConditionWords(), schemaWords("condition")
	properties := schema{}
	var cases []any
	for _, word := range words {
		properties[word] = schema{"description": descriptions[word]}
		cases = append(cases, schema{"if": schema{"required": []string{word}}, "then": schemaRef("when_" + word)})
	}
	return schemaOne(schema{"type": "object", "properties": properties, "allOf": cases}, words)
}

func schemaStep() schema {
	step := schemaEvents(schema{
		"as": schema{"type": "string", "pattern": "^[a-zA-Z0-9_+-]+$", "maxLength": KeyMax}, "where": schemaRef("step_where"), "within": schemaRef("duration"),
	})
	absent := schema{"absent": schemaRef("step_event"), "where": schemaRef("step_where"), "for": schemaRef("duration")}
	return schema{
		"type": "object",
		"if":   schema{"required": []string{"absent"}},
		"then": schemaMapping(schemaWords("condition")["absent"], absent, "absent", "for"),
		"else": schemaOne(schemaMapping("", step), eventWords()),
	}
}

func schemaTest() schema {
	line := schema{"at": schemaRef("duration")}
	for _, word := range callTypes() {
		line[word] = schemaAnyOf(schema{"type": "object"}, schema{"type": "null"})
	}
	line["track"] = schemaRef("text")
	for _, word := range []string{"page", "screen"} {
		line[word] = schemaAnyOf(schemaRef("text"), schema{"type": "null"})
	}
	for _, word := range testFields() {
		line[word] = schemaRef("text")
	}
	for _, word := range []string{"properties", "traits", "context"} {
		line[word] = schemaRef("object")
	}
	expected := schemaMapping("", schema{"at": schemaRef("duration"), "entered": schema{"const": true}, "exited": schema{"const": true}}, "at")
	return schemaMapping("", schema{
		"name":     schemaRef("text"),
		"start":    schemaRef("instant"),
		"traits":   schemaRef("object"),
		"timeline": schema{"type": "array", "items": schemaMapping("", line, "at")},
		"expect":   schema{"type": "array", "items": schemaOne(expected, []string{"entered", "exited"})},
	}, "timeline", "expect")
}
