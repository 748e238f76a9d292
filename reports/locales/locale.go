package locales

import (
	"embed"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/diurna-health/diurna/internal/messages"
)

//go:embed *.json
var files embed.FS

// Fallback is the language of a sentence that another language does not have.
const Fallback = messages.Fallback

// Args are the fields of a message.
type Args = messages.Args

// A Locale speaks one language. It may be used by several goroutines.
type Locale struct{ *messages.Locale }

// Load returns the locale of a language tag such as en or pt-BR. A tag without a file is an error.
func Load(tag string) (*Locale, error) {
	l, err := messages.Load(files, tag)
	if err != nil {
		return nil, err
	}
	return &Locale{l}, nil
}

// Languages returns the tags that have a file, sorted.
func Languages() ([]string, error) { return messages.Languages(files) }

// Tag returns the language as a page states it.
func (l *Locale) Tag() string { return l.Language().String() }

// Integer writes a whole number with the language's separators. What is a half or more is rounded up.
func (l *Locale) Integer(v float64) string {
	return message.NewPrinter(l.Language()).Sprint(number.Decimal(roundHalfUp(v), number.MaxFractionDigits(0)))
}

// Percent writes a share of 100, without decimals.
func (l *Locale) Percent(pct float64) string {
	return message.NewPrinter(l.Language()).Sprint(number.Percent(roundHalfUp(pct)/100, number.MaxFractionDigits(0)))
}
