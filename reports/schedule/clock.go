package schedule

import (
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// wallTime returns the instant at which clocks in loc show that date and hour. An hour that a clock change repeats is
// its second occurrence; one that a clock change skips is the first instant after the gap that is as far into the day.
// Both are the later of what could be meant: nothing is due too early.
func wallTime(loc *time.Location, date schemas.Date, hour int) time.Time {
	year, month, day := date.Civil()
	wall := time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
	// The offsets a day before and a day after are the only ones that can hold here: no zone changes twice in two days.
	var latest time.Time
	for _, near := range []time.Time{wall.AddDate(0, 0, -2), wall.AddDate(0, 0, 2)} {
		at := wall.Add(-offsetAt(loc, near))
		if offsetAt(loc, at) == offsetAt(loc, near) && at.After(latest) {
			latest = at
		}
	}
	if latest.IsZero() { // in a gap: the old offset leads past it
		latest = wall.Add(-offsetAt(loc, wall.AddDate(0, 0, -2)))
	}
	return latest
}

// endOf returns the instant at which the date is over for good in loc.
func endOf(loc *time.Location, date schemas.Date) time.Time { return wallTime(loc, date+1, 0) }

func offsetAt(loc *time.Location, at time.Time) time.Duration {
	_, seconds := local(at, loc).Zone()
	return time.Duration(seconds) * time.Second
}

// local is the one place where an instant is read in a zone.
func local(at time.Time, loc *time.Location) time.Time {
	return at.In(loc) //nolint:forbidigo // when a report is due is a question of zones; no row is dated by it
}

// dateIn returns the date that clocks in loc show.
func dateIn(at time.Time, loc *time.Location) schemas.Date {
	return schemas.NewDate(local(at, loc).Date())
}
