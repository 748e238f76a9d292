package locales

import (
	"embed"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/diurna-health/diurna/internal/messages"
	"github.com/diurna-health/diurna/schemas"
)

//go:embed *.json
var files embed.FS

// Fallback is the language of a message that another language does not have.
const Fallback = messages.Fallback

// Args are the fields of a message.
type Args = messages.Args

// A Locale speaks one language. It may be used by several goroutines.
type Locale struct{ *messages.Locale }

// Load returns the locale of a language tag such as en. A tag without a file is an error.
func Load(tag string) (*Locale, error) {
	l, err := messages.Load(files, tag)
	if err != nil {
		return nil, err
	}
	return &Locale{l}, nil
}

// Integer writes a whole number with the language's separators. Decimals are cut off: what is not reached is not shown.
func (l *Locale) Integer(v float64) string {
	return message.NewPrinter(l.Language()).Sprint(number.Decimal(math.Floor(v), number.MaxFractionDigits(0)))
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
