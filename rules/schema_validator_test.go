package rules

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// validator holds values to a JSON Schema of draft 7. It knows the keywords
// that the schema of definitions uses and panics at any other, so that none
// is passed over.
type validator struct{ definitions map[string]any }

// annotations are the keywords that demand nothing.
func annotations() []string {
	return []string{"$schema", "title", "description", "definitions", "then", "else"}
}

// check returns what is wrong with v, "" if nothing is.
func (va validator) check(s map[string]any, v any) string {
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/definitions/")
		target, ok := va.definitions[name].(map[string]any)
		if !ok {
			panic("no definition " + ref)
		}
		return va.check(target, v)
	}
	for keyword, demand := range s {
		if slices.Contains(annotations(), keyword) {
			continue
		}
		if wrong := va.keyword(s, keyword, demand, v); wrong != "" {
			return wrong
		}
	}
	return ""
}

func (va validator) keyword(s map[string]any, keyword string, demand, v any) string {
	switch keyword {
	case "type", "const", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum":
		return checkScalar(keyword, demand, v)
	case "if", "not", "oneOf", "anyOf", "allOf":
		return va.combination(s, keyword, demand, v)
	case "properties", "additionalProperties", "required", "minProperties":
		object, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		return va.object(s, keyword, demand, object)
	case "items", "minItems", "maxItems":
		list, ok := v.([]any)
		if !ok {
			return ""
		}
		return va.list(keyword, demand, list)
	}
	panic("unknown keyword " + keyword)
}

func (va validator) combination(s map[string]any, keyword string, demand, v any) string {
	switch keyword {
	case "if":
		branch := "then"
		if va.check(demand.(map[string]any), v) != "" {
			branch = "else"
		}
		if then, ok := s[branch].(map[string]any); ok {
			return va.check(then, v)
		}
		return ""
	case "not":
		if va.check(demand.(map[string]any), v) == "" {
			return fmt.Sprintf("%v is what it must not be", v)
		}
		return ""
	}
	var wrong []string
	of := demand.([]any)
	for _, part := range of {
		if w := va.check(part.(map[string]any), v); w != "" {
			wrong = append(wrong, w)
		}
	}
	fits := len(of) - len(wrong)
	if keyword == "oneOf" && fits != 1 || keyword == "anyOf" && fits == 0 || keyword == "allOf" && fits < len(of) {
		return fmt.Sprintf("%v fits %d of %s: %s", v, fits, keyword, strings.Join(wrong, "; "))
	}
	return ""
}

func (va validator) object(s map[string]any, keyword string, demand any, object map[string]any) string {
	switch keyword {
	case "required":
		for _, name := range demand.([]any) {
			if _, ok := object[name.(string)]; !ok {
				return fmt.Sprintf("%v lacks %v", object, name)
			}
		}
	case "minProperties":
		if float64(len(object)) < demand.(float64) {
			return "too few properties"
		}
	case "properties":
		for name, part := range demand.(map[string]any) {
			if v, ok := object[name]; ok {
				if wrong := va.check(part.(map[string]any), v); wrong != "" {
					return name + ": " + wrong
				}
			}
		}
	case "additionalProperties":
		return va.additional(s, demand, object)
	}
	return ""
}

// additional checks the properties that are not named.
func (va validator) additional(s map[string]any, demand any, object map[string]any) string {
	named, _ := s["properties"].(map[string]any)
	for name, v := range object {
		if _, ok := named[name]; ok {
			continue
		}
		part, ok := demand.(map[string]any)
		if !ok {
			return "unknown key " + name
		}
		if wrong := va.check(part, v); wrong != "" {
			return name + ": " + wrong
		}
	}
	return ""
}

func (va validator) list(keyword string, demand any, list []any) string {
	n := float64(len(list))
	switch {
	case keyword == "items":
		for i, v := range list {
			if wrong := va.check(demand.(map[string]any), v); wrong != "" {
				return fmt.Sprintf("%d: %s", i, wrong)
			}
		}
	case keyword == "minItems" && n < demand.(float64), keyword == "maxItems" && n > demand.(float64):
		return fmt.Sprintf("%v members, %s %v", n, keyword, demand)
	}
	return ""
}

func checkScalar(keyword string, demand, v any) string {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	ok := true
	switch keyword {
	case "type":
		types, several := demand.([]any)
		if !several {
			types = []any{demand}
		}
		ok = slices.ContainsFunc(types, func(t any) bool { return isType(t.(string), v) })
	case "const":
		ok = reflect.DeepEqual(demand, v)
	case "enum":
		ok = slices.ContainsFunc(demand.([]any), func(d any) bool { return reflect.DeepEqual(d, v) })
	case "minLength":
		ok = !isText || float64(utf8.RuneCountInString(text)) >= demand.(float64)
	case "maxLength":
		ok = !isText || float64(utf8.RuneCountInString(text)) <= demand.(float64)
	case "pattern":
		ok = !isText || regexp.MustCompile(demand.(string)).MatchString(text)
	case "minimum":
		ok = !isNumber || number >= demand.(float64)
	case "maximum":
		ok = !isNumber || number <= demand.(float64)
	}
	if !ok {
		return fmt.Sprintf("%v: want %s %v", v, keyword, demand)
	}
	return ""
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}
