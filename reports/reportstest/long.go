package reportstest

import (
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// The made-up people whose months and years are looked at. Their records run from 1 June 2024 to 31 December 2025.
const (
	// Steady wears a watch day and night, and moves more in 2025 than in 2024.
	Steady = "steady"
	// Gaps wears one without heart rate, and from April to June 2025 none at all.
	Gaps = "gaps"
)

// Long returns the gold rows of both.
func Long() *Gold {
	g := new(Gold)
	for d := schemas.NewDate(2024, time.June, 1); d <= schemas.NewDate(2025, time.December, 31); d++ {
		g.steady(d)
		g.gaps(d)
	}
	return g
}

func (g *Gold) steady(d schemas.Date) {
	k := int(d - schemas.NewDate(2024, time.January, 1))
	_, month, _ := d.Civil()
	steps := int64(6000 + 700*(k%7) + 31*(k%11))
	if d >= schemas.NewDate(2025, time.January, 1) {
		steps += 4000
	}
	g.Steps = append(g.Steps, ActivityDay{User: Steady, Date: d, Steps: steps, ActiveHours: 7 + k%5,
		Moderate: new(10 + k%9), Vigorous: new(int(month) % 4)})
	g.Hearts = append(g.Hearts, HeartRateDay{User: Steady, Date: d, Min: 45 + k%6, Mean: 62 + float64(k%8), Max: 120 + k%50,
		Measured: 1300})
	asleep := 400 + 9*float64(k%6)
	onset := time.Date(2024, time.January, 1, 22, 30, 0, 0, time.UTC).AddDate(0, 0, k-1)
	offset := onset.Add(time.Duration(asleep+20) * time.Minute)
	g.Nights = append(g.Nights, SleepNight{User: Steady, Date: d, Source: "segments", Asleep: asleep, InBed: asleep + 20,
		Onset: &onset, Offset: &offset})
	g.day(UserDay{User: Steady, Date: d, HasSteps: true, HasHeart: true, Sleep: true, WornMin: new(1300),
		WearSource: "heart_rate", IsValidDay: true, IsValidNight: true})
}

func (g *Gold) gaps(d schemas.Date) {
	k := int(d - schemas.NewDate(2024, time.January, 1))
	if d >= schemas.NewDate(2025, time.April, 1) && d < schemas.NewDate(2025, time.July, 1) {
		g.day(UserDay{User: Gaps, Date: d})
		return
	}
	day := UserDay{User: Gaps, Date: d, HasSteps: true, Sleep: k%2 == 0, WornMin: new(700), WearSource: "motion",
		IsValidDay: k%3 != 0, IsValidNight: k%2 == 0}
	if !day.IsValidDay {
		day.WornMin = new(300)
	}
	g.day(day)
	g.Steps = append(g.Steps, ActivityDay{User: Gaps, Date: d, Steps: int64(3000 + 100*(k%13)), ActiveHours: 5})
	if day.Sleep {
		g.Nights = append(g.Nights, SleepNight{User: Gaps, Date: d, Source: "summary", Asleep: 380 + float64(k%20), InBed: 440})
	}
}
