package locales

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed *.json
var files embed.FS

// Fallback is the language of a message that another language lacks.
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

// Load returns the locale of a language tag such as en. A tag without a file is an error.
func Load(tag string) (*Locale, error) {
	t, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("read language tag: %w", err)
	}
	l := &Locale{tag: t, messages: map[string]forms{}}
	for _, name := range slices.Compact([]string{Fallback, tag}) {
		if err := l.read(name); err != nil {
			return nil, fmt.Errorf("read messages in %s: %w", name, err)
		}
	}
	return l, nil
}

func (l *Locale) read(tag string) error {
	data, err := files.ReadFile(tag + ".json")
	if err != nil {
		return err
	}
	var sources map[string]json.RawMessage
	if err := json.Unmarshal(data, &sources); err != nil {
		return err
	}
	for id, source := range sources {
		texts := map[string]string{}
		var text string
		if json.Unmarshal(source, &text) == nil {
			texts["other"] = text
		} else if err := json.Unmarshal(source, &texts); err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		if l.messages[id], err = parseForms(id, texts); err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
	}
	return nil
}

func parseForms(id string, texts map[string]string) (forms, error) {
	names := map[string]plural.Form{
		"zero": plural.Zero, "one": plural.One, "two": plural.Two,
		"few": plural.Few, "many": plural.Many, "other": plural.Other,
	}
	m := forms{}
	for name, text := range texts {
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

// Messages returns the ids of all messages, sorted.
func (l *Locale) Messages() []string { return slices.Sorted(maps.Keys(l.messages)) }

// Say returns the message with its fields filled in. An integer Count among them chooses the plural form. An unknown id
// and a missing field are errors.
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

// Integer writes a whole number with the language's separators. Decimals are cut off: what is not reached is not shown.
func (l *Locale) Integer(v float64) string {
	return message.NewPrinter(l.tag).Sprint(number.Decimal(math.Floor(v), number.MaxFractionDigits(0)))
}

// Date writes a date: 18 April 2016.
func (l *Locale) Date(d schemas.Date) (string, error) {
	year, month, day := d.Civil()
	name, err := l.Say("month."+strconv.Itoa(int(month)), nil)
	if err != nil {
		return "", err
	}
	return l.Say("date", Args{"Day": day, "Month": name, "Year": year})
}

// Period writes a day, week, month or year as it is named in the ledger.
func (l *Locale) Period(id string) (string, error) {
	if d, err := schemas.ParseDate(id); err == nil {
		return l.Date(d)
	}
	p, err := schemas.ParsePeriod(id)
	if err != nil {
		return "", fmt.Errorf("name a period: %w", err)
	}
	first, _ := p.Dates()
	year, month, _ := first.Civil()
	switch p.Kind() {
	case schemas.PeriodWeek:
		isoYear, week, _ := strings.Cut(id, "-W")
		n, err := strconv.Atoi(week)
		if err != nil {
			return "", fmt.Errorf("name a week: %w", err)
		}
		return l.Say("week", Args{"Week": n, "Year": isoYear})
	case schemas.PeriodMonth:
		name, err := l.Say("month."+strconv.Itoa(int(month)), nil)
		if err != nil {
			return "", err
		}
		return l.Say("month", Args{"Month": name, "Year": year})
	default:
		return id, nil
	}
}
