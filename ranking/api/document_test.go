package api_test

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

// A contract is openapi.yaml, with which answers were seen of those it promises.
type contract struct {
	root map[string]any
	seen map[string]bool // "GET /v1/rankings 200"
}

func readContract(t *testing.T) *contract {
	t.Helper()
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{seen: map[string]bool{}}
	if err := yaml.Unmarshal(text, &c.root); err != nil {
		t.Fatal(err)
	}
	return c
}

// follow returns what a reference points to.
func (c *contract) follow(node any) map[string]any {
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

func (c *contract) operation(path string) map[string]any {
	return c.root["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)
}

// check holds an answer to what the document says of it.
func (c *contract) check(t *testing.T, path string, status int, contentType string, body []byte) {
	t.Helper()
	key := path + " " + strconv.Itoa(status)
	c.seen[key] = true
	response, ok := c.operation(path)["responses"].(map[string]any)[strconv.Itoa(status)]
	if !ok {
		t.Errorf("%s: the document does not have this status", key)
		return
	}
	content, ok := c.follow(response)["content"].(map[string]any)
	if !ok {
		if len(body) > 0 {
			t.Errorf("%s: there is a body and the document has none", key)
		}
		return
	}
	media, ok := content[contentType].(map[string]any)
	if !ok {
		t.Errorf("%s: the document does not have the type %s", key, contentType)
		return
	}
	if media["schema"] == nil {
		return
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	for _, problem := range c.validate(media["schema"], value, "$") {
		t.Errorf("%s: %s", key, problem)
	}
}

// validate knows the words of JSON Schema that the document uses, and says so when there are others.
func (c *contract) validate(node, value any, at string) (problems []string) {
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

// unseen returns the promises that no answer has shown.
func (c *contract) unseen() []string {
	var missing []string
	for path, item := range c.root["paths"].(map[string]any) {
		for status := range item.(map[string]any)["get"].(map[string]any)["responses"].(map[string]any) {
			if key := path + " " + status; !c.seen[key] {
				missing = append(missing, key)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// queryParameters returns the names of an operation's query parameters.
func (c *contract) queryParameters(path string) []string {
	var names []string
	list, _ := c.operation(path)["parameters"].([]any)
	for _, p := range list {
		if parameter := c.follow(p); parameter["in"] == "query" {
			names = append(names, parameter["name"].(string))
		}
	}
	return slices.Sorted(slices.Values(names))
}

// fields returns every name of a field that the document has, for the comparison with the Go types.
func (c *contract) fields(node any, into map[string]bool) {
	switch n := node.(type) {
	case map[string]any:
		if properties, ok := n["properties"].(map[string]any); ok {
			for name := range maps.Keys(properties) {
				into[name] = true
			}
		}
		for _, child := range n {
			c.fields(child, into)
		}
	case []any:
		for _, child := range n {
			c.fields(child, into)
		}
	}
}
