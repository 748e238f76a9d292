package stager

import "math"

// epochS is the length of an epoch in seconds, that of polysomnography.
const epochS = 30

// A Night is what a watch recorded during one sleep episode, on a grid of 30 s epochs.
type Night struct {
	// MotionCounts holds the device's motion count of each epoch; NaN where there is none. Its length is the night's.
	MotionCounts []float64
	// HeartRate holds the heart rate in order of time, at whatever instants the device measured it.
	HeartRate []HeartRateSample
}

// A HeartRateSample is a heart rate at an instant.
type HeartRateSample struct {
	AtS float64 // s since the beginning of the first epoch
	BPM float64 // beats per minute
}

// Features are the two figures of an epoch that stages are told from, and the counts the first is made of. The slices are
// as long as the night.
type Features struct {
	Counts        []float64 // motion counts of the epoch alone; nil where only the feature is known: it is then sharpened
	Activity      []float64 // motion counts under a Gaussian with a standard deviation of 50 s
	HRVariability []float64 // standard deviation of the filtered heart rate within 10 min, relative to the night
	Observed      []bool    // the epoch has a motion count and a heart rate near by
}

// How much may be missing. What is missing is bridged by a straight line for the sake of its neighbours, and the epoch
// itself gets no stage; a night with too little gets none at all (methods 1.6).
const (
	heartRateNearS     = 120 // s between an epoch's middle and the nearest heart rate
	minEpochs          = 20  // epochs of a night; the windows are as long
	minObservedShare   = 0.9 // of the night's epochs
	maxUnobservedEpoch = 3600 / epochS
)

// enough reports whether so much was observed that a night can be staged.
func enough(observed []bool) bool {
	n, gap := 0, 0
	for _, ok := range observed {
		if !ok {
			if gap++; gap > maxUnobservedEpoch {
				return false
			}
			continue
		}
		n, gap = n+1, 0
	}
	return len(observed) >= minEpochs && float64(n) >= minObservedShare*float64(len(observed))
}

// bridge copies values to dst, joins what lies on both sides of a gap by a straight line, and reports whether there was
// any value. Before the first and after the last value stands that value.
func bridge(dst, values []float64) bool {
	last := -1
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		dst[i] = v
		switch {
		case last < 0:
			for j := range i {
				dst[j] = v
			}
		case i-last > 1:
			slope := (v - dst[last]) / float64(i-last)
			for j := last + 1; j < i; j++ {
				dst[j] = dst[last] + slope*float64(j-last)
			}
		}
		last = i
	}
	if last < 0 {
		return false
	}
	for j := last + 1; j < len(values); j++ {
		dst[j] = dst[last]
	}
	return true
}
