package reportstest

import (
	"math"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Week is the week the made-up people are looked at in: Monday 2 to Sunday 8 March 2026.
const Week = "2026-W10"

// Monday is the first date of Week.
func Monday() schemas.Date { return schemas.NewDate(2026, time.March, 2) }

// AsOf is a time after Week, an hour east of Greenwich.
func AsOf() time.Time {
	return time.Date(2026, time.March, 9, 9, 30, 0, 0, time.FixedZone("", 3600))
}

// The made-up people. Everybody's figures come from plain arithmetic on the date, so that a reader can follow them.
const (
	// Full wears a watch that stages sleep, day and night, for five weeks, and sleeps longer in Week than before.
	Full = "full"
	// Partial wears a watch without heart rate and with nightly totals: one day short, one day on the table, one night
	// without sleep, one night too short.
	Partial = "partial"
	// Thin has two days and one night, the first ever.
	Thin = "thin"
	// Empty has records before and after Week.
	Empty = "empty"
	// Unworn left the watch on a table: zeros for the whole week.
	Unworn = "unworn"
)

// People returns the gold rows of all of them.
func People() *Gold {
	g := new(Gold)
	for d := Monday() - 28; d <= Monday()+6; d++ {
		g.full(d)
		g.partial(d)
	}
	for d := Monday() + 4; d <= Monday()+5; d++ {
		g.thin(d)
	}
	for _, d := range []schemas.Date{Monday() - 10, Monday() + 12} {
		g.day(UserDay{User: Empty, Date: d, HasSteps: true, WornMin: new(700), WearSource: "motion", IsValidDay: true})
		g.Steps = append(g.Steps, ActivityDay{User: Empty, Date: d, Steps: 5000, ActiveHours: 7})
	}
	for d := Monday() - 10; d < Monday()+12; d++ {
		if d != Monday()-10 {
			g.day(UserDay{User: Empty, Date: d})
		}
		g.day(UserDay{User: Unworn, Date: d, HasSteps: true, WornMin: new(0), WearSource: "motion"})
		g.Steps = append(g.Steps, ActivityDay{User: Unworn, Date: d, Moderate: new(0), Vigorous: new(0)})
	}
	return g
}

func (g *Gold) full(d schemas.Date) {
	k := int(d - Monday() + 28)
	g.Steps = append(g.Steps, ActivityDay{
		User: Full, Date: d, Steps: int64(7000 + 613*(k%7) + 97*(k%5)), ActiveHours: 8 + k%4,
		Moderate: new(12 + 5*(k%4)), Vigorous: new(3 * (k % 3)),
	})
	g.Hearts = append(g.Hearts, HeartRateDay{
		User: Full, Date: d, Min: 46 + k%5, Mean: 64.3 + 1.7*float64(k%6), Max: 128 + 7*(k%6), Measured: 1380 - 10*(k%4),
	})
	asleep := 405 + 11*float64(k%5)
	if d >= Monday() {
		asleep += 42
	}
	deep, rem, awake := math.Round(asleep*0.19), math.Round(asleep*0.22), 20+float64(k%3)
	light := asleep - deep - rem
	offset := time.Date(2026, time.March, 2, 6, 15+k%20, 0, 0, time.UTC).AddDate(0, 0, int(d-Monday()))
	onset := offset.Add(-time.Duration(asleep+awake) * time.Minute)
	g.Nights = append(g.Nights, SleepNight{
		User: Full, Date: d, Source: "segments", Asleep: asleep, InBed: asleep + awake + 15, Light: &light, Deep: &deep,
		REM: &rem, Awake: &awake, Onset: &onset, Offset: &offset, OffsetMin: 60,
	})
	g.day(UserDay{User: Full, Date: d, HasSteps: true, HasHeart: true, Sleep: true, WornMin: new(1380 - 10*(k%4)),
		WearSource: "heart_rate", IsValidDay: true, IsValidNight: true})
}

func (g *Gold) partial(d schemas.Date) {
	k := int(d - Monday() + 28)
	day := UserDay{User: Partial, Date: d, HasSteps: true, Sleep: true, WornMin: new(760 + 10*(k%6)), WearSource: "motion",
		IsValidDay: true, IsValidNight: true}
	steps := ActivityDay{User: Partial, Date: d, Steps: int64(5200 + 450*(k%6)), ActiveHours: 6 + k%3}
	night := SleepNight{User: Partial, Date: d, Source: "summary", Asleep: 380 + 13*float64(k%4), InBed: 430 + 15*float64(k%4)}
	switch int(d - Monday()) {
	case 1: // worn for the morning only
		day.WornMin, day.IsValidDay, steps.Steps = new(215), false, 1840
	case 2: // left on the table
		day.WornMin, day.IsValidDay, steps.Steps, steps.ActiveHours = new(0), false, 0, 0
	case 3: // after a night without the watch
		day.Sleep, day.IsValidNight = false, false
	case 5: // a short night
		day.IsValidNight, night.Asleep, night.InBed = false, 171, 190
	}
	g.day(day)
	g.Steps = append(g.Steps, steps)
	if day.Sleep {
		g.Nights = append(g.Nights, night)
	}
}

func (g *Gold) thin(d schemas.Date) {
	k := int(d - Monday())
	g.day(UserDay{User: Thin, Date: d, HasSteps: true, HasHeart: true, Sleep: k == 5, WornMin: new(900 + k),
		WearSource: "heart_rate", IsValidDay: true, IsValidNight: k == 5})
	g.Steps = append(g.Steps, ActivityDay{User: Thin, Date: d, Steps: int64(6000 + 100*k), ActiveHours: 7,
		Moderate: new(20), Vigorous: new(1)})
	g.Hearts = append(g.Hearts, HeartRateDay{User: Thin, Date: d, Min: 55, Mean: 71.5, Max: 131, Measured: 900 + k})
	if k == 5 {
		g.Nights = append(g.Nights, SleepNight{User: Thin, Date: d, Source: "summary", Asleep: 400, InBed: 441})
	}
}

func (g *Gold) day(d UserDay) { g.Days = append(g.Days, d) }
