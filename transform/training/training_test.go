package training_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/diurna-health/diurna/transform/training"
)

// Day by day each mean takes its share of what the day's load is above it: the weights are that recursion, unrolled.
func TestMeansAreThoseOfTheRecursion(t *testing.T) {
	t.Parallel()
	rules := training.Rules{FitnessDays: 42, FatigueDays: 7, WindowDays: 252, RecentDays: 7, UsualDays: 28}
	w := training.NewWeights(rules)
	r := rand.New(rand.NewPCG(6, 1))
	share := func(days float64) float64 { return 1 - math.Exp(-1/days) }
	var days []training.Day
	var ctl, atl, recent, usual float64
	for date := range int32(250) {
		day := training.Day{Date: 20_000 + date, IsKnown: true}
		if r.IntN(3) == 0 {
			day.LoadHundredths = r.Int64N(30_000)
		}
		days = append(days, day)
		tsb := ctl - atl
		load := float64(day.LoadHundredths) / 100
		ctl += share(42) * (load - ctl)
		atl += share(7) * (load - atl)
		recent += 2.0 / 8 * (load - recent)
		usual += 2.0 / 29 * (load - usual)
		got := training.LoadOf(days, w)
		near(t, date, "CTL", got.CTL, ctl)
		near(t, date, "ATL", got.ATL, atl)
		if date > 0 {
			near(t, date, "TSB", got.TSB, tsb)
		}
		if date >= 27 {
			near(t, date, "ratio", got.RecentToUsualEWMA, recent/usual)
		}
		if got.HistoryDays != date+1 {
			t.Fatalf("day %d has a history of %d days", date, got.HistoryDays)
		}
	}
}

func near(t *testing.T, date int32, figure string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-5) {
		t.Fatalf("day %d: %s is %v, by the recursion %v", date, figure, got, want)
	}
}

func TestALoadThatIsNotKnownIsCountedAndWeighsNothing(t *testing.T) {
	t.Parallel()
	w := training.NewWeights(training.Rules{FitnessDays: 42, FatigueDays: 7, WindowDays: 252, RecentDays: 7, UsualDays: 28})
	days := []training.Day{{Date: 100}, {Date: 150}, {Date: 191, IsKnown: true, LoadHundredths: 5000}, {Date: 192}}
	got := training.LoadOf(days, w)
	if got.MissingDayCount != 1 || got.HistoryDays != 93 {
		t.Errorf("%d of 42 days are missing, of a history of %d", got.MissingDayCount, got.HistoryDays)
	}
	if !math.IsNaN(got.CTL) || math.IsNaN(got.TSB) || !math.IsNaN(got.WeekTRIMP) {
		t.Errorf("of a day that is not known: %+v", got)
	}
}
