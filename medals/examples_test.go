package medals

import (
	"slices"
	"testing"

	"github.com/diurna-health/diurna/schemas"
)

func TestE073StreaksAreRunsOfDates(t *testing.T) {
	t.Parallel()
	met := []string{
		"2025-01-29", "2025-01-30", "2025-01-31", "2025-02-01", "2025-02-03", "2025-02-04", "2025-02-28", "2025-03-01", "2025-03-02",
	}
	rule := &Rule{Metric: StepCount, AtLeast: 1}
	until := func(last string) tally {
		var days []day
		first, _ := schemas.ParseDate(met[0])
		end, _ := schemas.ParseDate(last)
		for d := first; d <= end; d++ {
			steps := 0.0
			if slices.Contains(met, d.String()) {
				steps = 1
			}
			days = append(days, day{date: d, values: map[Metric]float64{StepCount: steps}})
		}
		return rule.streak(days, Shields{})
	}
	for last, want := range map[string][2]float64{
		"2025-02-01": {4, 4}, "2025-02-02": {4, 4}, "2025-02-03": {1, 4}, "2025-02-05": {2, 4}, "2025-02-06": {0, 4},
		"2025-03-02": {3, 4}, "2025-03-03": {3, 4}, // it lives until the day after the last success is over
		"2025-03-04": {0, 4},
	} {
		if got := until(last); got.current != want[0] || got.best != want[1] {
			t.Errorf("on %s the streak is %v and the longest %v, want %v", last, got.current, got.best, want)
		}
	}
}
