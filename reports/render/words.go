package render

import (
	"strings"
	"time"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/schemas"
)

// words speaks for one rendering and remembers the first thing it could not say, so that the sentences of a page read
// without a check behind each.
type words struct {
	locale *locales.Locale
	// kind is month or year; empty of a week, whose words are the plain ones.
	kind string
	err  error
}

// newWords speaks about a period of that kind.
func newWords(locale *locales.Locale, kind string) *words {
	if kind == string(schemas.PeriodWeek) {
		kind = ""
	}
	return &words{locale: locale, kind: kind}
}

// say prefers the message that is meant for the kind of period.
func (w *words) say(id string, args locales.Args) string {
	if w.kind != "" && w.locale.Has(id+"."+w.kind) {
		id += "." + w.kind
	}
	return w.keep(w.locale.Say(id, args))
}

func (w *words) keep(s string, err error) string {
	if err != nil && w.err == nil {
		w.err = err
	}
	return s
}

func (w *words) integer(v float64) string { return w.locale.Integer(v) }
func (w *words) count(n int) string       { return w.locale.Integer(float64(n)) }

func (w *words) duration(minutes float64) string { return w.keep(w.locale.Duration(minutes)) }

func (w *words) shortDuration(minutes float64) string { return w.keep(w.locale.ShortDuration(minutes)) }

func (w *words) shortDate(d schemas.Date) string { return w.keep(w.locale.ShortDate(d)) }

func (w *words) shortWeekday(d schemas.Date) string { return w.keep(w.locale.ShortWeekday(d)) }

// night names the night that ended on the morning of d: Sun 17 → Mon 18.
func (w *words) night(d schemas.Date) string {
	return w.say("night.label", locales.Args{"Evening": w.shortDate(d - 1), "Morning": w.shortDate(d)})
}

// dates writes a list of dates: Mon 18, Tue 19 and Fri 22.
func (w *words) dates(dates []schemas.Date) string {
	names := make([]string, len(dates))
	for i, d := range dates {
		names[i] = w.shortDate(d)
	}
	return w.list(names)
}

func (w *words) list(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	list := items[0]
	for _, item := range items[1 : len(items)-1] {
		list = w.say("list.more", locales.Args{"First": list, "Last": item})
	}
	return w.say("list.two", locales.Args{"First": list, "Last": items[len(items)-1]})
}

// past names what the period is compared with: your last three weeks, or the month before.
func (w *words) past(weeks int) string {
	if w.kind != "" {
		return w.say("past", nil)
	}
	name := w.count(weeks)
	if id := "words." + name; w.locale.Has(id) {
		name = w.say(id, nil)
	}
	return w.say("weeks.past", locales.Args{"Count": weeks, "Words": name})
}

// minutes and figure write a value of a snapshot; what is null is a dash.
func (w *words) minutes(v *reports.Number) string {
	if v == nil {
		return w.none()
	}
	return w.shortDuration(float64(*v))
}

func (w *words) figure(v *reports.Number) string {
	if v == nil {
		return w.none()
	}
	return w.integer(float64(*v))
}

func (w *words) whole(v *int) string {
	if v == nil {
		return w.none()
	}
	return w.count(*v)
}

func (w *words) none() string { return w.say("none", nil) }

// clock writes the time of day of an instant at its own offset; what is null is a dash.
func (w *words) clock(at *string) string {
	if at == nil {
		return w.none()
	}
	t, err := time.Parse(time.RFC3339, *at)
	return w.keep(t.Format("15:04"), err)
}

func (w *words) instant(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return w.keep("", err)
	}
	return w.keep(w.locale.Instant(t))
}

// join sets sentences one after the other.
func join(sentences ...string) string {
	return strings.Join(sentences, " ")
}
