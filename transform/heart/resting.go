package heart

import (
	"cmp"
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// Waking says how a resting heart rate is told of a date on which nothing is known of the heart asleep.
type Waking struct {
	StillMin    float64 // a minute counts when the person was still for so long up to it
	MeasuredMin float64 // so many are needed
	Percentile  float64 // of them
}

// Resting returns the resting heart rate of a person awake, and how many minutes it rests on.
func (w *Waking) Resting(heart samples.Heart, walked samples.Walked, beds samples.Spans) (bpm float64, measuredMin int, ok bool) {
	still := w.stillMinutes(heart, walked, beds)
	if len(still) == 0 || float64(len(still)) < w.MeasuredMin {
		return 0, 0, false
	}
	slices.SortFunc(still, cmp.Compare[float64])
	place := max(1, int(math.Ceil(float64(len(still))*w.Percentile/100)))
	return still[place-1], len(still), true
}

// stillMinutes returns the heart rates of the minutes out of bed up to which all of the last ones are known to be without a
// step.
func (w *Waking) stillMinutes(heart samples.Heart, walked samples.Walked, beds samples.Spans) []float64 {
	var still []float64
	steps, from, k := int64(0), 0, 0
	for i, minute := range heart.Minutes {
		for ; k < len(walked.Minutes) && walked.Minutes[k] <= minute; k++ {
			steps += int64(walked.Counts[k])
		}
		for ; from < k && float64(minute-walked.Minutes[from]) >= w.StillMin; from++ {
			steps -= int64(walked.Counts[from])
		}
		isObserved := k > 0 && walked.Minutes[k-1] == minute && float64(k-from) == w.StillMin
		if isObserved && steps == 0 && !beds.Contain(minute) {
			still = append(still, heart.Mean(i))
		}
	}
	return still
}
