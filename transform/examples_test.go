package transform_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryWorkedExampleIsAnsweredOrNotDue holds the table of worked examples to the tests it points to: each names the
// example it shows.
func TestEveryWorkedExampleIsAnsweredOrNotDue(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("models/EXAMPLES.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\[[^]]*\]\(([^)]*)\)`)
	const examples = 73
	last, rows := "", 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.HasPrefix(strings.TrimSpace(cells[0]), "E") {
			continue
		}
		id, answer, shown := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])
		if id <= last {
			t.Errorf("%s comes after %s", id, last)
		}
		last = id
		rows++
		if answer == "not due" {
			if shown == "" {
				t.Errorf("%s is not due, and nothing says why", id)
			}
			continue
		}
		links := link.FindAllStringSubmatch(shown, -1)
		if len(links) == 0 {
			t.Errorf("%s is answered by %s and shown nowhere", id, answer)
		}
		for _, l := range links {
			test, err := os.ReadFile(filepath.Join("models", l[1]))
			if err != nil {
				t.Errorf("%s: %v", id, err)
				continue
			}
			if !strings.Contains(strings.ToUpper(string(test)), id) {
				t.Errorf("%s is not named in %s", id, l[1])
			}
		}
	}
	if rows != examples {
		t.Errorf("the table has %d examples, want %d", rows, examples)
	}
}
