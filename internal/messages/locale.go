package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Fallback is the language of a message that another language does not have.
const Fallback = "en"

// Args are the fields of a message.
type Args map[string]any

// A Locale speaks one language. It may be used by several goroutines.
type Locale struct {
	tag      language.Tag
	messages map[string]forms
}

// forms are the plural forms of a message; one without a count has only other.
type forms map[plural.Form]*template.Template

// Load returns the locale of a language tag such as en or pt-BR, from the files of a folder. A tag without a file is an
// error.
func Load(files fs.FS, tag string) (*Locale, error) {
	t, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("read language tag: %w", err)
	}
	l := &Locale{tag: t, messages: map[string]forms{}}
	for _, name := range slices.Compact([]string{Fallback, tag}) {
		if err := l.read(files, name); err != nil {
			return nil, fmt.Errorf("read messages in %s: %w", name, err)
		}
	}
	return l, nil
}

// Languages returns the tags that have a file, sorted.
func Languages(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".json")
	}
	slices.Sort(names)
	return names, nil
}

func (l *Locale) read(files fs.FS, tag string) error {
	data, err := fs.ReadFile(files, tag+".json")
	if err != nil {
		return err
	}
	var sources map[string]source
	if err := json.Unmarshal(data, &sources); err != nil {
		return err
	}
	for id, s := range sources {
		if l.messages[id], err = s.parse(id); err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
	}
	return nil
}

var _ json.Unmarshaler = (*source)(nil)

// A source is a message as its file has it: a text for each plural form.
type source map[string]string

// UnmarshalJSON reads a text, or an object of plural forms.
func (s *source) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*s = source{"other": text}
		return nil
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		return err
	}
	*s = texts
	return nil
}

func (s source) parse(id string) (forms, error) {
	names := map[string]plural.Form{
		"zero": plural.Zero, "one": plural.One, "two": plural.Two,
		"few": plural.Few, "many": plural.Many, "other": plural.Other,
	}
	m := forms{}
	for name, text := range s {
		form, isForm := names[name]
		if !isForm {
			return nil, fmt.Errorf("%q is no plural form", name)
		}
		t, err := template.New(id).Option("missingkey=error").Parse(text)
		if err != nil {
			return nil, err
		}
		m[form] = t
	}
	if m[plural.Other] == nil {
		return nil, errors.New("no form for other")
	}
	return m, nil
}

// Language returns the language spoken, by which numbers are written.
func (l *Locale) Language() language.Tag { return l.tag }

// Messages returns the ids of all messages, sorted.
func (l *Locale) Messages() []string { return slices.Sorted(maps.Keys(l.messages)) }

// Has reports whether there is a message of that id.
func (l *Locale) Has(id string) bool { return l.messages[id] != nil }

// Say returns the message with its fields filled in. An integer Count among them chooses the plural form. An unknown
// id and a missing field are errors.
func (l *Locale) Say(id string, args Args) (string, error) {
	m := l.messages[id]
	if m == nil {
		return "", fmt.Errorf("say %s: no such message", id)
	}
	t := m[plural.Other]
	if count, isCounted := args["Count"].(int); isCounted {
		if form := m[plural.Cardinal.MatchPlural(l.tag, count, 0, 0, 0, 0)]; form != nil {
			t = form
		}
	}
	var b strings.Builder
	if err := t.Execute(&b, map[string]any(args)); err != nil {
		return "", fmt.Errorf("say %s: %w", id, err)
	}
	return b.String(), nil
}
