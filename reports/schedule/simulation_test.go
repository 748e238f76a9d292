package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Ten zones: both hemispheres, halves and quarters of an hour, a half-hour clock change, one at midnight, and none.
func zones() []string {
	return []string{
		"Pacific/Auckland", "Pacific/Chatham", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Kolkata",
		"Africa/Cairo", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles",
	}
}

func TestThirteenMonthsOverTenZonesGiveEveryReportOnceAtTheRightHour(t *testing.T) {
	var everybody []Person
	var lives []life
	for i, zone := range zones() {
		p := Person{UserID: fmt.Sprintf("person-%d", i), Zone: zone, Language: "en"}
		l := life{person: p, wakes: 7, first: schemas.NewDate(2025, time.September, 1), last: schemas.NewDate(2027, time.February, 10)}
		if i%5 == 2 {
			l.wakes = -1 // no nights: the deadline decides
		}
		everybody, lives = append(everybody, p), append(lives, l)
	}
	begin, end := utc(2025, time.December, 31, 0), utc(2027, time.February, 7, 0)
	// Down for two days around the clock changes of Europe and of North America, both on the eve of a Monday.
	down := [][2]time.Time{
		{utc(2026, time.March, 28, 12), utc(2026, time.March, 30, 12)},
		{utc(2026, time.October, 31, 20), utc(2026, time.November, 2, 20)},
	}
	w := newWorld(t, tables(t, lives...), begin, everybody...)
	for _, d := range down {
		w.run(t, d[0], time.Hour)
		w.clock = d[1]
		w.restart(t)
	}
	w.run(t, end, time.Hour)

	got := map[string][]handed{}
	for _, h := range w.out.got {
		key := h.UserID + " " + h.Period.String()
		got[key] = append(got[key], h)
	}
	want := 0
	for _, l := range lives {
		loc := l.person.location()
		for _, kind := range kinds() {
			// All periods whose deadline lies within the simulated time.
			for p := periodOf(kind, schemas.NewDate(2025, time.December, 20)); ; p = p.Next() {
				_, last := p.Dates()
				deadline := w.deadline(loc, kind, last)
				if deadline.After(end) {
					break
				}
				if deadline.Before(begin) {
					continue
				}
				want++
				key := l.person.UserID + " " + p.String()
				if len(got[key]) != 1 {
					t.Errorf("%s in %s came %d times, want once", key, l.person.Zone, len(got[key]))
					continue
				}
				checkHour(t, l, p, got[key][0], down)
				delete(got, key)
			}
		}
	}
	if want < 10*(55+12+2) {
		t.Errorf("only %d reports were to come: the simulation is too short", want)
	}
	for key := range got {
		t.Errorf("%s came and was not to", key)
	}
}

// checkHour holds a report against the hour its reader expects it at, reckoned here on its own.
func checkHour(t *testing.T, l life, p schemas.Period, h handed, down [][2]time.Time) {
	t.Helper()
	loc := l.person.location()
	_, last := p.Dates()
	at := h.at.In(loc)
	day, hour := last+1, 9
	if p.Kind() == schemas.PeriodYear {
		day = last + 2
	}
	if l.wakes < 0 {
		hour = 18
		day = last + map[schemas.PeriodKind]schemas.Date{schemas.PeriodWeek: 1, schemas.PeriodMonth: 3, schemas.PeriodYear: 7}[p.Kind()]
	}
	year, month, dayOfMonth := day.Civil()
	expected := time.Date(year, month, dayOfMonth, hour, 0, 0, 0, loc) // no zone changes its clocks at nine or at six
	for _, d := range down {
		// What was due while nothing ran comes at the first tick after, or in the morning when that is at night.
		if expected.After(d[0].Add(-time.Hour)) && expected.Before(d[1]) {
			expected = d[1]
			morning := expected.In(loc)
			switch {
			case morning.Hour() >= 21:
				morning = morning.AddDate(0, 0, 1)
				fallthrough
			case morning.Hour() < 7:
				expected = time.Date(morning.Year(), morning.Month(), morning.Day(), 7, 0, 0, 0, loc)
			}
		}
	}
	// The clock ticks on the hour of Greenwich.
	if late := at.Sub(expected); late < 0 || late >= time.Hour {
		t.Errorf("%s of %s came at %s, %s after %s", p, l.person.Zone, at, late, expected.In(loc))
	}
}
