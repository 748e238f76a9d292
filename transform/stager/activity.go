package stager

import "math"

// The activity feature is a mean of motion counts under a Gaussian (methods 1.4): counts are joined by straight lines
// at 1 Hz, a count standing at the middle of its epoch, and the 599 samples around an epoch are weighted.
const (
	activityWindowS  = 599
	activityCentreS  = activityWindowS / 2
	activityStdDevS  = 50
	activityReach    = 10 // epochs on either side that the window touches
	activityTapCount = 2*activityReach + 1
)

// activityWeights returns the weights of the window's samples; they sum to 1.
func activityWeights() []float64 {
	w := make([]float64, activityWindowS)
	sum := 0.0
	for i := range w {
		z := float64(i-activityCentreS) / activityStdDevS
		w[i] = math.Exp(-z * z / 2)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// newActivityTaps returns what each epoch weighs in the feature of the one in the middle. Straight lines and a weighted
// sum are both linear, so that 599 samples come down to 21 epochs.
func newActivityTaps() (taps [activityTapCount]float64) {
	for i, w := range activityWeights() {
		at := float64(i-activityCentreS) / epochS
		left := math.Floor(at)
		share := at - left
		k := int(left) + activityReach
		taps[k] += w * (1 - share)
		if share > 0 {
			taps[k+1] += w * share
		}
	}
	return taps
}

// smoothActivity writes the activity feature of every epoch to dst. At the ends of the night the window is cut, and what
// is left of it is weighted anew.
func smoothActivity(dst, counts []float64, taps *[activityTapCount]float64) {
	n := len(counts)
	for i := range dst {
		if i >= activityReach && i < n-activityReach {
			sum := 0.0
			for k, c := range counts[i-activityReach : i+activityReach+1] {
				sum += taps[k] * c
			}
			dst[i] = sum
			continue
		}
		sum, weight := 0.0, 0.0
		for k := max(0, activityReach-i); k < min(activityTapCount, n-i+activityReach); k++ {
			sum += taps[k] * counts[i+k-activityReach]
			weight += taps[k]
		}
		dst[i] = sum / weight
	}
}
