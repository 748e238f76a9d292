package transform_test

import (
	"strings"
	"testing"
)

func TestTheDictionaryHasWhatPeopleCanAsk(t *testing.T) {
	t.Parallel()
	project := loadProject(t)
	text, err := project.Dictionary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool { return strings.Contains(string(text), "### "+name+"\n") }
	for _, m := range project.Models() {
		if isStep := strings.HasPrefix(m.Name, "stg_"); isStep == has(m.Name) {
			t.Errorf("%s: a step on the way is not in the dictionary, and everything else is", m.Name)
		}
	}
	if !has("method_changes") {
		t.Error("method_changes is not in the dictionary")
	}
}
