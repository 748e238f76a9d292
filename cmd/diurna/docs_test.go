package main

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite goldens")

const dictionaryFile = "../../transform/models/DICTIONARY.md"

func TestTheDictionaryIsWhatTheHeadersSay(t *testing.T) {
	t.Parallel()
	var got, stderr bytes.Buffer
	if code := run(t.Context(), []string{"docs"}, strings.NewReader(""), &got, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	if *update {
		if err := os.WriteFile(dictionaryFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(dictionaryFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs (-file +headers); run this test with -update:\n%s", dictionaryFile, diff)
	}
	for _, name := range namesInREADME(t) {
		if !strings.Contains(got.String(), "### "+name+"\n") {
			t.Errorf("%s is in the README's table, and not in the dictionary", name)
		}
	}
}

// namesInREADME returns the tables and views that the README says can be asked.
func namesInREADME(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## What can be asked\n")
	section, _, _ = strings.Cut(section, "\n## ")
	name := regexp.MustCompile("`([a-z0-9_]+)`")
	for line := range strings.SplitSeq(section, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, match := range name.FindAllStringSubmatch(cells[1], -1) {
				names = append(names, match[1])
			}
		}
	}
	if len(names) < 40 {
		t.Errorf("the README's table names %d tables, and it had more", len(names))
	}
	return names
}
