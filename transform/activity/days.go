package activity

import (
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// DayRules are the limits of a date's figures.
type DayRules struct {
	ActiveHourSteps                  float64 // an hour of so many counts as active
	CadenceModerate, CadenceVigorous float64
	PeakMin                          float64 // so many minutes are the highest
	VigorousWeight                   float64 // of a vigorous minute, in moderate ones
}

// StepDay is what a date's steps come to.
type StepDay struct {
	Steps                           int64
	ActiveHours                     int
	LightMin, ModerateMin, VigorMin int // by cadence
	Peak1                           int32
	Peak                            float64 // mean of the highest minutes
	HasPeak                         bool    // there are as many
}

// StepDayOf returns what the steps of a date come to. Hour tells which hour the person's clock showed in the minute at a
// place.
func StepDayOf(r *DayRules, walked samples.Walked, hour func(i int) int32) StepDay {
	var d StepDay
	var hours [24]int64
	moving := make([]int32, 0, len(walked.Counts))
	for i, steps := range walked.Counts {
		d.Steps += int64(steps)
		hours[hour(i)] += int64(steps)
		d.Peak1 = max(d.Peak1, steps)
		switch {
		case steps <= 0:
			continue
		case float64(steps) >= r.CadenceVigorous:
			d.VigorMin++
		case float64(steps) >= r.CadenceModerate:
			d.ModerateMin++
		default:
			d.LightMin++
		}
		moving = append(moving, steps)
	}
	for _, steps := range hours {
		if steps > 0 && float64(steps) >= r.ActiveHourSteps {
			d.ActiveHours++
		}
	}
	slices.Sort(moving)
	sum := int64(0)
	for _, steps := range moving[max(0, len(moving)-int(r.PeakMin)):] {
		sum += int64(steps)
	}
	d.Peak, d.HasPeak = float64(sum)/r.PeakMin, float64(len(walked.Counts)) >= r.PeakMin
	return d
}
