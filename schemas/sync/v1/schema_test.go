package syncv1

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a JSON Schema cannot say or a JSON library does not tell: how a number is spelled, a field that is there twice,
// the calendar, one list against another. Decode alone refuses these documents.
var beyondTheSchema = []string{
	"day-not-in-the-calendar", "duplicate-field", "duplicate-field-by-escape", "fewer-times-than-values", "lone-surrogate",
	"number-with-exponent", "span-over-20-days", "times-that-do-not-rise", "whole-number-as-float",
}

func TestTheSchemaAgreesWithTheDecoder(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("sync.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	s := schema{root}
	for name, data := range documents(t, "shouldPass") {
		var doc any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !s.valid(t, root, doc) {
			t.Errorf("%s: the schema refuses what the decoder takes", name)
		}
	}
	for name, data := range documents(t, "shouldFail") {
		var doc any
		taken := json.Unmarshal(data, &doc) == nil && s.valid(t, root, doc)
		if want := slices.Contains(beyondTheSchema, name); taken != want {
			t.Errorf("%s: the schema takes it: %v, want %v", name, taken, want)
		}
	}
}

// A schema knows the keywords of draft 2020-12 that sync.schema.json uses, and fails the test on any other.
type schema struct{ root map[string]any }

func (s schema) valid(t *testing.T, rule map[string]any, doc any) bool {
	t.Helper()
	object, _ := doc.(map[string]any)
	array, isArray := doc.([]any)
	text, isText := doc.(string)
	number, isNumber := doc.(float64)
	for keyword, arg := range rule {
		ok := true
		switch keyword {
		case "$schema", "$id", "$defs", "title", "description":
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			ok = s.valid(t, s.root["$defs"].(map[string]any)[name].(map[string]any), doc)
		case "type":
			ok = hasType(doc, arg.(string))
		case "enum":
			ok = slices.Contains(arg.([]any), doc)
		case "required":
			for _, name := range arg.([]any) {
				if _, there := object[name.(string)]; object != nil && !there {
					ok = false
				}
			}
		case "properties":
			for name, rule := range arg.(map[string]any) {
				if value, there := object[name]; there {
					ok = ok && s.valid(t, rule.(map[string]any), value)
				}
			}
		case "additionalProperties":
			known, _ := rule["properties"].(map[string]any)
			for name := range object {
				_, there := known[name]
				ok = ok && there
			}
		case "items":
			for _, element := range array {
				ok = ok && s.valid(t, arg.(map[string]any), element)
			}
		case "maxItems":
			ok = !isArray || float64(len(array)) <= arg.(float64)
		case "pattern":
			ok = !isText || utf8.ValidString(text) && regexp.MustCompile(arg.(string)).MatchString(text)
		case "minimum":
			ok = !isNumber || number >= arg.(float64)
		case "maximum":
			ok = !isNumber || number <= arg.(float64)
		case "not":
			ok = !s.valid(t, arg.(map[string]any), doc)
		case "oneOf":
			matching := 0
			for _, rule := range arg.([]any) {
				if s.valid(t, rule.(map[string]any), doc) {
					matching++
				}
			}
			ok = matching == 1
		default:
			t.Fatalf("the test does not know the keyword %s", keyword)
		}
		if !ok {
			return false
		}
	}
	return true
}

func hasType(doc any, name string) bool {
	switch v := doc.(type) {
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "integer" && v == math.Trunc(v)
	default:
		return name == "null"
	}
}
