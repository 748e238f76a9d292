package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocumentsAreFoundWhateverTheirLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"one over many lines", "\n{\"a\":\n1}\n", []string{"2 {\"a\":\n1}"}},
		{"one a line", "{\"a\":1}\n{\"b\":2}\n", []string{`1 {"a":1}`, `2 {"b":2}`}},
		{"many on one line", "{\"a\":1} {\"b\":2}{\"c\":3}", []string{`1 {"a":1}`, `1 {"b":2}`, `1 {"c":3}`}},
		{"a mark before them", "\ufeff{\"a\":1}", []string{`1 {"a":1}`}},
		{"a broken line between", "{\"a\":1}\r\n{\"b\":\r\n{\"c\":3}\r\n", []string{`1 {"a":1}`, "2 error", `3 {"c":3}`}},
		{"words after one", "{\"a\":1}\nand so on\n\n{\"c\":3}", []string{`1 {"a":1}`, "2 error", `4 {"c":3}`}},
		{"no end", "{\"a\":1}\n{\"b\":", []string{`1 {"a":1}`, "2 error"}},
		{"nothing", " \n", []string{"1 error"}},
		{"a list", " [{}]", []string{"1 error"}},
		{"protobuf, whose first byte is a line feed", "\n\x03{b1", []string{"1 \n\x03{b1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for doc, err := range documents([]byte(tt.file)) {
				what := string(doc.data)
				if err != nil {
					what = "error"
				}
				got = append(got, fmt.Sprintf("%d %s", doc.line, what))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocumentsStopWhenNobodyWantsMore(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "[]", "x", "{} {}", "{\n{", strings.Repeat("{}\n", 3)} {
		n := 0
		for range documents([]byte(file)) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%q gave %d documents", file, n)
		}
	}
}
