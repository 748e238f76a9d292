// Package openapitest holds the answers of an HTTP API to its OpenAPI document, for tests: every answer must be one that
// the document promises, and every promise must be seen to be kept.
package openapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Contract is an OpenAPI document, with which answers were seen of those it promises. It is for one goroutine.
type Contract struct {
	root map[string]any
	seen map[string]bool // "GET /v1/rankings 200"
}

// Read reads a document.
func Read(tb testing.TB, path string) *Contract {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	c := &Contract{seen: map[string]bool{}}
	if err := yaml.Unmarshal(text, &c.root); err != nil {
		tb.Fatal(err)
	}
	return c
}

// follow returns what a reference points to.
func (c *Contract) follow(node any) map[string]any {
	m := node.(map[string]any)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	at := any(c.root)
	for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[name]
	}
	return c.follow(at)
}

// operation returns what the document says of a method and path; a HEAD is a GET, and of a method that is not in the
// document any operation tells how it is refused.
func (c *Contract) operation(method, path string) map[string]any {
	item := c.root["paths"].(map[string]any)[path].(map[string]any)
	if op, ok := item[strings.ToLower(method)].(map[string]any); ok {
		return op
	}
	for _, op := range item {
		return op.(map[string]any)
	}
	return nil
}

// Check holds an answer to what the document says of it. path is one of the document's.
func (c *Contract) Check(tb testing.TB, method, path string, status int, contentType string, body []byte) {
	tb.Helper()
	key := path + " " + strconv.Itoa(status)
	c.seen[key] = true
	response, ok := c.operation(method, path)["responses"].(map[string]any)[strconv.Itoa(status)]
	if !ok {
		tb.Errorf("%s: the document does not have this status", key)
		return
	}
	content, ok := c.follow(response)["content"].(map[string]any)
	if !ok {
		if len(body) > 0 {
			tb.Errorf("%s: there is a body and the document has none", key)
		}
		return
	}
	media, ok := content[contentType].(map[string]any)
	if !ok {
		tb.Errorf("%s: the document does not have the type %s", key, contentType)
		return
	}
	if media["schema"] == nil {
		return
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		tb.Fatal(err)
	}
	for _, problem := range c.validate(media["schema"], value, "$") {
		tb.Errorf("%s: %s", key, problem)
	}
}

// validate knows the words of JSON Schema that the document uses, and says so when there are others.
func (c *Contract) validate(node, value any, at string) (problems []string) {
	schema := c.follow(node)
	say := func(format string, args ...any) { problems = append(problems, at+": "+fmt.Sprintf(format, args...)) }
	for word, rule := range schema {
		switch word {
		case "description", "properties", "additionalProperties":
		case "type":
			types, ok := rule.([]any)
			if !ok {
				types = []any{rule}
			}
			if !slices.ContainsFunc(types, func(name any) bool { return isType(name.(string), value) }) {
				say("%v is not of the type %v", value, rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), value) {
				say("%v is not one of %v", value, rule)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
				say("%q does not match %s", text, rule)
			}
		case "format":
			layout := map[any]string{"date": time.DateOnly, "date-time": time.RFC3339}[rule]
			if text, ok := value.(string); ok {
				if _, err := time.Parse(layout, text); err != nil {
					say("%q is no %s", text, rule)
				}
			}
		case "required":
			fields, isObject := value.(map[string]any)
			for _, name := range rule.([]any) {
				if _, ok := fields[name.(string)]; isObject && !ok {
					say("%s is missing", name)
				}
			}
		case "items":
			items, _ := value.([]any) // the type says whether it must be one
			for i, item := range items {
				problems = append(problems, c.validate(rule, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "anyOf":
			if !slices.ContainsFunc(rule.([]any), func(option any) bool { return len(c.validate(option, value, at)) == 0 }) {
				say("it is none of the forms the document has: %v", c.validate(rule.([]any)[0], value, at))
			}
		default:
			say("the test does not know the word %q of the document", word)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	if fields, ok := value.(map[string]any); ok && properties != nil {
		for name, field := range fields {
			if properties[name] == nil {
				say("the document does not have the field %s", name)
				continue
			}
			problems = append(problems, c.validate(properties[name], field, at+"."+name)...)
		}
	}
	return problems
}

func isType(name string, value any) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	case json.Number:
		_, err := v.Int64()
		return name == "number" || name == "integer" && err == nil
	default:
		return false
	}
}

// Unseen returns the promises that no answer has shown.
func (c *Contract) Unseen() []string {
	var missing []string
	for path, item := range c.root["paths"].(map[string]any) {
		for _, operation := range item.(map[string]any) {
			for status := range operation.(map[string]any)["responses"].(map[string]any) {
				if key := path + " " + status; !c.seen[key] {
					missing = append(missing, key)
				}
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// QueryParameters returns the names of a GET's query parameters.
func (c *Contract) QueryParameters(path string) []string {
	var names []string
	list, _ := c.operation("get", path)["parameters"].([]any)
	for _, p := range list {
		if parameter := c.follow(p); parameter["in"] == "query" {
			names = append(names, parameter["name"].(string))
		}
	}
	return slices.Sorted(slices.Values(names))
}

// Fields returns every name of a field that the schemas of those names have, for the comparison with Go types.
func (c *Contract) Fields(names ...string) map[string]bool {
	found := map[string]bool{}
	schemas := c.root["components"].(map[string]any)["schemas"].(map[string]any)
	for _, name := range names {
		fields(schemas[name], found)
	}
	return found
}

func fields(node any, into map[string]bool) {
	switch n := node.(type) {
	case map[string]any:
		if properties, ok := n["properties"].(map[string]any); ok {
			for name := range maps.Keys(properties) {
				into[name] = true
			}
		}
		for _, child := range n {
			fields(child, into)
		}
	case []any:
		for _, child := range n {
			fields(child, into)
		}
	}
}

// Enum returns the words that a field of a schema may have.
func (c *Contract) Enum(schema, field string) []string {
	s := c.root["components"].(map[string]any)["schemas"].(map[string]any)[schema].(map[string]any)
	var words []string
	for _, word := range s["properties"].(map[string]any)[field].(map[string]any)["enum"].([]any) {
		if word, ok := word.(string); ok {
			words = append(words, word)
		}
	}
	return slices.Sorted(slices.Values(words))
}
