package schemas

import (
	"errors"
	"time"
)

// MillisPerDay is the length of a civil day at one UTC offset.
const MillisPerDay = 24 * 60 * 60 * 1000

// The dates that can be written with four digits of year.
const (
	MinDate Date = -719162 // 0001-01-01
	MaxDate Date = 2932896 // 9999-12-31
)

// A Date is a civil day, counted from 1970-01-01. It is what Parquet and Iceberg call a date, so a row's local_date
// converts both ways without arithmetic.
type Date int32

// DateOf returns the civil day on which the instant falls for somebody whose clock is offsetMin minutes east of UTC.
func DateOf(atMS int64, offsetMin int32) Date {
	return Date(floorDiv(atMS+int64(offsetMin)*60_000, MillisPerDay))
}

// NewDate returns the civil day of the Gregorian calendar; a day or month out of range carries over, as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), 24*60*60))
}

// ParseDate reads YYYY-MM-DD, years 0001 to 9999.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		// The text is left out: a date of birth may stand there.
		return 0, errors.New("a date is written YYYY-MM-DD and must be one of the calendar")
	}
	return NewDate(t.Date()), nil
}

// String returns the date as YYYY-MM-DD.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

// Civil returns year, month and day of the month.
func (d Date) Civil() (year int, month time.Month, day int) { return d.midnight().Date() }

// AddDays returns the date n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date { return d + Date(n) }

func (d Date) midnight() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
