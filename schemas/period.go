package schemas

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A PeriodKind is a length of calendar that people look back on.
type PeriodKind string

// The kinds of period.
const (
	PeriodWeek  PeriodKind = "week"  // ISO 8601: Monday to Sunday, named by the year of its Thursday
	PeriodMonth PeriodKind = "month" // of the Gregorian calendar
	PeriodYear  PeriodKind = "year"  // of the Gregorian calendar
)

// A Period is a week, a month or a year of the civil calendar. Periods of one kind follow each other without gap or
// overlap. Two are equal, as Go compares them, when they are the same period; the zero Period is none.
type Period struct {
	kind   PeriodKind
	year   int // of a week, the ISO year
	number int // of the week or month within the year; 0 of a year
}

// ParsePeriod reads 2016-W16, 2016-04 or 2016. Its error is an *Error with CodeInvalid and a sentence for the person
// who typed it.
func ParsePeriod(s string) (Period, error) {
	year, rest, divided := strings.Cut(s, "-")
	y, ok := digits(year, 4)
	if !ok || y == 0 {
		return Period{}, invalidPeriod(s)
	}
	if !divided {
		return Period{PeriodYear, y, 0}, nil
	}
	if week, isWeek := strings.CutPrefix(rest, "W"); isWeek {
		n, ok := digits(week, 2)
		if !ok {
			return Period{}, invalidPeriod(s)
		}
		if last := isoWeeks(y); n < 1 || n > last {
			return Period{}, &Error{Code: CodeInvalid, Message: fmt.Sprintf(
				"%04d has no week %d: its weeks are %04d-W01 to %04d-W%02d", y, n, y, y, last)}
		}
		return Period{PeriodWeek, y, n}, nil
	}
	n, ok := digits(rest, 2)
	if !ok {
		return Period{}, invalidPeriod(s)
	}
	if n < 1 || n > 12 {
		return Period{}, &Error{Code: CodeInvalid, Message: fmt.Sprintf(
			"a year has no month %d: its months are %04d-01 to %04d-12", n, y, y)}
	}
	return Period{PeriodMonth, y, n}, nil
}

// ISOWeekOf returns the ISO week that holds the date.
func ISOWeekOf(d Date) Period {
	y, w := d.midnight().ISOWeek()
	return Period{PeriodWeek, y, w}
}

// MonthOf returns the month that holds the date.
func MonthOf(d Date) Period {
	y, m, _ := d.Civil()
	return Period{PeriodMonth, y, int(m)}
}

// YearOf returns the year that holds the date.
func YearOf(d Date) Period {
	y, _, _ := d.Civil()
	return Period{PeriodYear, y, 0}
}

// Kind returns which kind of period it is; "" for the zero Period.
func (p Period) Kind() PeriodKind { return p.kind }

// String returns the period as ParsePeriod reads it.
func (p Period) String() string {
	switch p.kind {
	case PeriodWeek:
		return fmt.Sprintf("%04d-W%02d", p.year, p.number)
	case PeriodMonth:
		return fmt.Sprintf("%04d-%02d", p.year, p.number)
	case PeriodYear:
		return fmt.Sprintf("%04d", p.year)
	default:
		return ""
	}
}

// Dates returns the first and the last day of the period, both of it.
func (p Period) Dates() (first, last Date) {
	switch p.kind {
	case PeriodWeek:
		first = firstMonday(p.year).AddDays(7 * (p.number - 1))
		return first, first.AddDays(6)
	case PeriodMonth:
		m := time.Month(p.number)
		return NewDate(p.year, m, 1), NewDate(p.year, m+1, 1) - 1
	default:
		return NewDate(p.year, time.January, 1), NewDate(p.year, time.December, 31)
	}
}

// Contains reports whether the date is one of the period's.
func (p Period) Contains(d Date) bool {
	first, last := p.Dates()
	return first <= d && d <= last
}

// Previous returns the period of the same kind that ends the day before this one starts.
func (p Period) Previous() Period {
	first, _ := p.Dates()
	return p.sameKindAt(first - 1)
}

// Next returns the period of the same kind that starts the day after this one ends.
func (p Period) Next() Period {
	_, last := p.Dates()
	return p.sameKindAt(last + 1)
}

func (p Period) sameKindAt(d Date) Period {
	switch p.kind {
	case PeriodWeek:
		return ISOWeekOf(d)
	case PeriodMonth:
		return MonthOf(d)
	default:
		return YearOf(d)
	}
}

// firstMonday returns the first day of the ISO year: the Monday of the week that holds 4 January.
func firstMonday(year int) Date {
	fourth := NewDate(year, time.January, 4)
	sinceMonday := (int(fourth.Weekday()) + 6) % 7
	return fourth.AddDays(-sinceMonday)
}

func isoWeeks(year int) int { return int(firstMonday(year+1)-firstMonday(year)) / 7 }

func invalidPeriod(s string) error {
	return &Error{Code: CodeInvalid, Message: fmt.Sprintf(
		"%q is not a period: write a week as 2016-W16, a month as 2016-04 or a year as 2016", s)}
}

// digits reads a number of exactly n digits: strconv alone would let a sign through.
func digits(s string, n int) (int, bool) {
	if len(s) != n || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.Atoi(s)
	return v, err == nil
}
