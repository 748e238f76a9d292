package locales

import (
	"math"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// roundHalfUp rounds as people do on paper: 0.5 goes up, and so does -0.5, to zero.
func roundHalfUp(v float64) float64 { return math.Floor(v + 0.5) }

// Duration writes minutes in words for a sentence: 7 h 05, 8 h, 48 min.
func (l *Locale) Duration(minutes float64) (string, error) {
	hours, rest := hoursAndMinutes(minutes)
	switch {
	case hours == 0:
		return l.Say("duration.minutes", Args{"Minutes": rest})
	case rest == 0:
		return l.Say("duration.hours", Args{"Hours": hours})
	default:
		return l.Say("duration.hours_minutes", Args{"Hours": hours, "Minutes": twoDigits(rest)})
	}
}

// ShortDuration writes minutes for a chart or a table: 7:05, 0:48.
func (l *Locale) ShortDuration(minutes float64) (string, error) {
	hours, rest := hoursAndMinutes(minutes)
	return l.Say("duration.short", Args{"Hours": hours, "Minutes": twoDigits(rest)})
}

func hoursAndMinutes(minutes float64) (hours, rest int) {
	whole := int(roundHalfUp(max(minutes, 0)))
	return whole / 60, whole % 60
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// Weekday returns the name of a date's day of the week, Short its abbreviation, such as Monday and Mon.
func (l *Locale) Weekday(d schemas.Date) (string, error) { return l.Say(weekdayID(d, "long"), nil) }

// ShortWeekday returns the abbreviation of a date's day of the week.
func (l *Locale) ShortWeekday(d schemas.Date) (string, error) {
	return l.Say(weekdayID(d, "short"), nil)
}

// weekdayID counts from Monday = 1, as ISO 8601 does.
func weekdayID(d schemas.Date, form string) string {
	return "weekday." + strconv.Itoa((int(d.Weekday())+6)%7+1) + "." + form
}

// Month returns the name of a month.
func (l *Locale) Month(m time.Month) (string, error) {
	return l.Say("month."+strconv.Itoa(int(m)), nil)
}

// ShortMonth returns the abbreviation of a month's name.
func (l *Locale) ShortMonth(m time.Month) (string, error) {
	return l.Say("month.short."+strconv.Itoa(int(m)), nil)
}

// DayMonth writes a date without its year: 18 April.
func (l *Locale) DayMonth(d schemas.Date) (string, error) { return l.date("date.day_month", d) }

// DayMonthYear writes a date: 18 April 2016.
func (l *Locale) DayMonthYear(d schemas.Date) (string, error) {
	return l.date("date.day_month_year", d)
}

// WeekdayDayMonth writes a date with its day of the week: Monday 18 April.
func (l *Locale) WeekdayDayMonth(d schemas.Date) (string, error) {
	return l.date("date.weekday_day_month", d)
}

// ShortDate writes a date for a chart or a list: Mon 18.
func (l *Locale) ShortDate(d schemas.Date) (string, error) { return l.date("date.short", d) }

// DateRange writes first to last without repeating what both share: Monday 18 – Sunday 24 April 2016.
func (l *Locale) DateRange(first, last schemas.Date) (string, error) {
	firstYear, firstMonth, _ := first.Civil()
	lastYear, lastMonth, _ := last.Civil()
	id := "range.within_month"
	switch {
	case firstYear != lastYear:
		id = "range.over_years"
	case firstMonth != lastMonth:
		id = "range.over_months"
	}
	from, err := l.dateArgs(first)
	if err != nil {
		return "", err
	}
	to, err := l.dateArgs(last)
	if err != nil {
		return "", err
	}
	return l.Say(id, Args{"From": from, "To": to})
}

// Instant writes a time at its own offset: 25 April 2016, 09:30 (UTC+02:00).
func (l *Locale) Instant(t time.Time) (string, error) {
	date, err := l.DayMonthYear(schemas.NewDate(t.Date()))
	if err != nil {
		return "", err
	}
	return l.Say("date.instant", Args{"Date": date, "Time": t.Format("15:04"), "Offset": t.Format("-07:00")})
}

func (l *Locale) date(id string, d schemas.Date) (string, error) {
	args, err := l.dateArgs(d)
	if err != nil {
		return "", err
	}
	return l.Say(id, args)
}

func (l *Locale) dateArgs(d schemas.Date) (Args, error) {
	year, month, day := d.Civil()
	monthName, err := l.Month(month)
	if err != nil {
		return nil, err
	}
	weekday, err := l.Weekday(d)
	if err != nil {
		return nil, err
	}
	short, err := l.ShortWeekday(d)
	if err != nil {
		return nil, err
	}
	return Args{"Day": day, "Month": monthName, "Year": year, "Weekday": weekday, "ShortWeekday": short}, nil
}
