package messages_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/diurna-health/diurna/internal/messages"
)

func files(contents map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range contents {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func twoLanguages() fstest.MapFS {
	return files(map[string]string{
		"en.json":   `{"days": {"one": "{{.Count}} day", "other": "{{.Count}} days"}, "date": "{{.Day}} {{.Month}}"}`,
		"pl.json":   `{"days": {"one": "{{.Count}} dzień", "few": "{{.Count}} dni", "many": "{{.Count}} dni", "other": "{{.Count}} dnia"}}`,
		"README.md": "no language",
	})
}

func TestAMessageIsSaidInItsLanguageAndElseInEnglish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag, id string
		args    messages.Args
		want    string
	}{
		{"en", "days", messages.Args{"Count": 0}, "0 days"},
		{"en", "days", messages.Args{"Count": 1}, "1 day"},
		{"en", "days", messages.Args{"Count": 11}, "11 days"},
		{"pl", "days", messages.Args{"Count": 1}, "1 dzień"},
		{"pl", "days", messages.Args{"Count": 3}, "3 dni"},
		{"pl", "days", messages.Args{"Count": 1.5}, "1.5 dnia"}, // no integer chooses nothing
		{"pl", "date", messages.Args{"Day": 3, "Month": "May"}, "3 May"},
	} {
		l, err := messages.Load(twoLanguages(), c.tag)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Say(c.id, c.args); err != nil || got != c.want {
			t.Errorf("%s in %s: %q, %v; want %q", c.id, c.tag, got, err, c.want)
		}
	}
}

func TestAnUnknownMessageAndAMissingFieldAreErrors(t *testing.T) {
	t.Parallel()
	l, err := messages.Load(twoLanguages(), messages.Fallback)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Say("no.such.message", nil); err == nil {
		t.Error("an unknown message is said")
	}
	if got, err := l.Say("date", messages.Args{"Day": 1}); err == nil {
		t.Errorf("a message without its fields is said: %q", got)
	}
	if !l.Has("date") || l.Has("no.such.message") || !slices.Equal(l.Messages(), []string{"date", "days"}) {
		t.Errorf("the messages are %v", l.Messages())
	}
}

func TestALanguageHasAFile(t *testing.T) {
	t.Parallel()
	languages, err := messages.Languages(twoLanguages())
	if err != nil || !slices.Equal(languages, []string{"en", "pl"}) {
		t.Errorf("languages are %v, %v", languages, err)
	}
	for _, tag := range []string{"tlh", "not a tag", ""} {
		if _, err := messages.Load(twoLanguages(), tag); err == nil {
			t.Errorf("%q loads", tag)
		}
	}
}

func TestAWrongFileIsAnError(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON": "{", "a number": `{"a": 1}`, "an unknown form": `{"a": {"some": "x", "other": "y"}}`, "no form for other": `{"a": {"one": "x"}}`,
		"a field left open": `{"a": "{{.B"}`,
	} {
		if _, err := messages.Load(files(map[string]string{"en.json": text}), "en"); err == nil {
			t.Errorf("%s loads", name)
		}
	}
}
