package locales

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed *.json
var files embed.FS

// Fallback is the language of a sentence that another language does not have.
const Fallback = "en"

// Args are the fields of a message.
type Args map[string]any

// A Locale speaks one language. It may be used by several goroutines.
type Locale struct {
	tag      language.Tag
	messages map[string]msg
}

// A msg is one message: its plural forms, of which a message without a count has only other.
type msg map[plural.Form]*template.Template

var _ json.Unmarshaler = (*source)(nil)

// source is a message as its file has it.
type source map[string]string

// UnmarshalJSON reads a text, or an object of plural forms.
func (s *source) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*s = source{"other": text}
		return nil
	}
	var forms map[string]string
	if err := json.Unmarshal(data, &forms); err != nil {
		return err
	}
	*s = forms
	return nil
}

// Load returns the locale of a language tag such as en or pt-BR. A tag without a file is an error.
func Load(tag string) (*Locale, error) {
	t, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("read language tag: %w", err)
	}
	l := &Locale{tag: t, messages: map[string]msg{}}
	for _, name := range slices.Compact([]string{Fallback, tag}) {
		if err := l.read(name); err != nil {
			return nil, fmt.Errorf("read messages in %s: %w", name, err)
		}
	}
	return l, nil
}

// Languages returns the tags that have a file, sorted.
func Languages() ([]string, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".json")
	}
	slices.Sort(names)
	return names, nil
}

func (l *Locale) read(tag string) error {
	data, err := files.ReadFile(tag + ".json")
	if err != nil {
		return err
	}
	var sources map[string]source
	if err := json.Unmarshal(data, &sources); err != nil {
		return err
	}
	for id, forms := range sources {
		m := msg{}
		for name, text := range forms {
			form, isForm := pluralForms()[name]
			if !isForm {
				return fmt.Errorf("message %s: %q is no plural form", id, name)
			}
			t, err := template.New(id).Option("missingkey=error").Parse(text)
			if err != nil {
				return fmt.Errorf("message %s: %w", id, err)
			}
			m[form] = t
		}
		if m[plural.Other] == nil {
			return fmt.Errorf("message %s: no form for other", id)
		}
		l.messages[id] = m
	}
	return nil
}

func pluralForms() map[string]plural.Form {
	return map[string]plural.Form{
		"zero": plural.Zero, "one": plural.One, "two": plural.Two,
		"few": plural.Few, "many": plural.Many, "other": plural.Other,
	}
}

// Tag returns the language as a page states it.
func (l *Locale) Tag() string { return l.tag.String() }

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

// Integer writes a whole number with the language's separators. What is a half or more is rounded up.
func (l *Locale) Integer(v float64) string {
	return message.NewPrinter(l.tag).Sprint(number.Decimal(roundHalfUp(v), number.MaxFractionDigits(0)))
}

// Percent writes a share of 100, without decimals.
func (l *Locale) Percent(pct float64) string {
	return message.NewPrinter(l.tag).Sprint(number.Percent(roundHalfUp(pct)/100, number.MaxFractionDigits(0)))
}
