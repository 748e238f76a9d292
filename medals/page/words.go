package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/medals/locales"
	"github.com/diurna-health/diurna/schemas"
)

// words says what is on the page. After an error it says nothing more.
type words struct {
	locale *locales.Locale
	err    error
}

func (w *words) say(id string, args locales.Args) string {
	return w.keep(w.locale.Say(id, args))
}

func (w *words) date(d schemas.Date) string { return w.keep(w.locale.Date(d)) }

func (w *words) period(id string) string { return sentenceStart(w.keep(w.locale.Period(id))) }

// value says a figure of a metric with its unit.
func (w *words) value(m medals.Metric, v float64) string {
	whole := int(math.Floor(v))
	return w.say("value."+string(m), locales.Args{
		"Count": whole, "Value": w.locale.Integer(v), "Hours": whole / 60, "Minutes": fmt.Sprintf("%02d", whole%60),
	})
}

func (w *words) keep(text string, err error) string {
	if w.err == nil {
		w.err = err
	}
	return text
}

func plural(n int, one, other string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + other
}

// sentence makes a phrase of the wall into a sentence of its own.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return sentenceStart(text)
	}
	return sentenceStart(text) + "."
}

func sentenceStart(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(r)) + text[size:]
}
