package transform_test

import (
	"os"
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
		if m.Build == transform.BuildTable && !strings.Contains(string(got), "### "+m.Name+"\n") {
			t.Errorf("table %s is not in the dictionary", m.Name)
		}
	}
}
