package transform_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What cites methods and rules by number, in text without its line breaks.
var (
	citedMethods = regexp.MustCompile(`\bmethods?\s+(\d\.\d+(?:(?:,|\s+and)\s+\d\.\d+)*)`)
	citedRules   = regexp.MustCompile(`\b(?:product|report|medal|board|plausibility)\s+rules?\s+` +
		`([A-Z]{1,2}\d{1,2}\b(?:(?:,|\s+and)\s+[A-Z]{1,2}\d{1,2}\b)*)`)
	citedPlausibility = regexp.MustCompile(`\bAC\d{1,2}\b`)
	methodNumber      = regexp.MustCompile(`\d\.\d+|[A-Z]{1,2}\d{1,2}`)

	// What cites something else: a chapter under a letter, a file, a number that does not say of what.
	citesElsewhere = regexp.MustCompile(`\b(?:features?|methods?|rules?)\s+[A-Z]\.\d|\b(?:features|methods)\s+[A-Z]\d|` +
		`\b(?:methods|features)\.md\b`)
	citesNothing = regexp.MustCompile(`\((?:\d\.\d|[A-Z]{1,2}\d{1,2})(?:,\s+(?:\d\.\d|[A-Z]{1,2}\d{1,2}))*\)`)

	lineStart = regexp.MustCompile(`\n[ \t]*(?:--|//|#)?[ \t]*`)
	sourceKey = regexp.MustCompile(`(?m)^-- source:[^\n]*\n(?:--    [^\n]*\n)*`)
)

// TestEveryCitedMethodIsExplained holds models/METHODS.md to what the repository cites: a number that anything cites is an
// entry, and an entry is cited.
func TestEveryCitedMethodIsExplained(t *testing.T) {
	t.Parallel()
	entries := methodEntries(t)
	cited := map[string]string{} // number to the first file that cites it
	for _, file := range filesThatCite(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := lineStart.ReplaceAllString(string(data), " ")
		for _, found := range citesElsewhere.FindAllString(text, -1) {
			t.Errorf("%s cites %q, which models/METHODS.md has not", file, found)
		}
		for _, source := range append(sourceKey.FindAllString(string(data), -1), definitionSources(file, text)...) {
			for _, found := range citesNothing.FindAllString(lineStart.ReplaceAllString(source, " "), -1) {
				t.Errorf("%s cites %s without a word of what: methods or rules", file, found)
			}
		}
		for _, number := range citationsIn(text) {
			if cited[number] == "" {
				cited[number] = file
			}
		}
	}
	if len(cited) < 50 {
		t.Errorf("only %d numbers are cited: are all files looked at?", len(cited))
	}
	for number, file := range cited {
		if !slices.Contains(entries, number) {
			t.Errorf("%s cites %s, which models/METHODS.md does not explain", file, number)
		}
	}
	for _, entry := range entries {
		if cited[entry] == "" {
			t.Errorf("models/METHODS.md explains %s, which nothing cites", entry)
		}
	}
}

func TestCitationsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"time in bed (methods 1.6), and so on":           {"1.6"},
		"sleep (methods 2.5, product rule H10)":          {"2.5", "H10"},
		"rules of two (methods 3.1, 3.6); E064":          {"3.1", "3.6"},
		"per hour (methods 4.1, E064)":                   {"4.1"},
		"the worse (methods 4.2, product rule V3, E065)": {"4.2", "V3"},
		"product rules I3, A6 and T5":                    {"I3", "A6", "T5"},
		"board rules Z1 and Z3, plausibility rule AC5":   {"Z1", "Z3", "AC5"},
		"nobody walks (AC1)":                             {"AC1"},
		"its methods may be called 2.5 times":            nil,
		"product rule: half of the window":               nil,
	} {
		if got := citationsIn(text); !slices.Equal(got, want) {
			t.Errorf("%q cites %q, want %q", text, got, want)
		}
	}
}

// citationsIn returns the numbers that a text cites.
func citationsIn(text string) (numbers []string) {
	for _, list := range slices.Concat(citedMethods.FindAllStringSubmatch(text, -1), citedRules.FindAllStringSubmatch(text, -1)) {
		numbers = append(numbers, methodNumber.FindAllString(list[1], -1)...)
	}
	for _, number := range citedPlausibility.FindAllString(text, -1) {
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// definitionSources returns the text of a file of definitions, whose last column is a source.
func definitionSources(file, text string) []string {
	if filepath.Base(file) != "definitions.csv" {
		return nil
	}
	return []string{text}
}

// methodEntries returns the numbers that models/METHODS.md explains: headings with a paragraph that says where a method is
// from, and rows of three cells.
func methodEntries(t *testing.T) (entries []string) {
	t.Helper()
	data, err := os.ReadFile("models/METHODS.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := regexp.MustCompile(`^(\d\.\d+) \S`)
	row := regexp.MustCompile(`(?m)^\| ([A-Z]{1,2}\d{1,2}) \| [^|\n]+ \| [^|\n]+ \|$`)
	for part := range strings.SplitSeq(string(data), "\n### ") {
		if number := heading.FindStringSubmatch(part); number != nil {
			entries = append(entries, number[1])
			if !strings.Contains(part, "\n\nFrom: ") {
				t.Errorf("models/METHODS.md does not say where %s is from", number[1])
			}
		}
	}
	for _, number := range row.FindAllStringSubmatch(string(data), -1) {
		entries = append(entries, number[1])
	}
	sorted := slices.Sorted(slices.Values(entries))
	if unique := slices.Compact(slices.Clone(sorted)); len(unique) < len(entries) {
		t.Errorf("models/METHODS.md explains something twice: %q", sorted)
	}
	return entries
}

// filesThatCite returns every file of the repository that can cite: its text, but for what explains the citations, what is
// made from the headers, what lies in folders of test data, and these tests.
func filesThatCite(t *testing.T) (files []string) {
	t.Helper()
	kinds := []string{".sql", ".csv", ".go", ".md", ".json", ".txtar", ".html", ".yaml"}
	never := []string{"METHODS.md", "DICTIONARY.md", "methods_test.go"}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin"):
			return filepath.SkipDir
		case entry.Type().IsRegular() && slices.Contains(kinds, filepath.Ext(name)) && !slices.Contains(never, name):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
