package transform_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/transform"
)

func TestTheDictionaryIsWhatTheHeadersSay(t *testing.T) {
	t.Parallel()
	project, err := transform.Load(t.Context(), transform.Models)
	if err != nil {
		t.Fatal(err)
	}
	got, err := project.Dictionary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const file = "models/DICTIONARY.md"
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-file +headers); run this test with -update:\n%s", file, diff)
	}
	for _, m := range project.Models() {
		if isStep := strings.HasPrefix(m.Name, "stg_"); isStep == strings.Contains(string(got), "### "+m.Name+"\n") {
			t.Errorf("%s: a step on the way is not in the dictionary, and everything else is", m.Name)
		}
	}
	for _, name := range namesInREADME(t) {
		if !strings.Contains(string(got), "### "+name+"\n") {
			t.Errorf("%s is in the README's table, and not in the dictionary", name)
		}
	}
}

// namesInREADME returns the tables and views that the README says can be asked.
func namesInREADME(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## What can be asked\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.SplitSeq(section, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, name := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
				names = append(names, name[1])
			}
		}
	}
	if len(names) < 40 {
		t.Errorf("the README's table names %d tables, and it had more", len(names))
	}
	return names
}
