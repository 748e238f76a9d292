package stager

import "math"

// A FeatureMaker computes the features of nights. It keeps what all nights share, and the memory of the last night: it is
// for one goroutine.
type FeatureMaker struct {
	taps [activityTapCount]float64
	dog  *dogFilter

	features         Features
	padded, filtered []float64
	size             float64 // of the filtered heart rate: its 90th percentile
	scratch          []float64
	blocks           []blockSum
}

// NewFeatureMaker returns one.
func NewFeatureMaker() *FeatureMaker {
	return &FeatureMaker{taps: newActivityTaps(), dog: newDogFilter()}
}

// Make returns the features of a night, valid until the next call. ok is false when the night has too little to tell
// stages from.
func (m *FeatureMaker) Make(night Night) (f Features, ok bool) {
	n := len(night.MotionCounts)
	m.grow(n)
	f = m.features
	for i, c := range night.MotionCounts {
		f.Observed[i] = !math.IsNaN(c)
	}
	nearHeartRate(f.Observed, night.HeartRate)
	if !enough(f.Observed) || !bridge(f.Counts, night.MotionCounts) {
		return f, false
	}
	smoothActivity(f.Activity, f.Counts, &m.taps)
	perSecond(m.padded[dogHalf+1:dogHalf+1+n*epochS], night.HeartRate)
	m.size = filterHeartRate(m.filtered, m.padded, m.dog, &m.scratch)
	spread(f.HRVariability, m.filtered, m.size, m.blocks)
	return f, true
}

// grow makes everything as long as the night.
func (m *FeatureMaker) grow(n int) {
	m.features.Activity = resize(m.features.Activity, n)
	m.features.HRVariability = resize(m.features.HRVariability, n)
	m.features.Observed = resize(m.features.Observed, n)
	m.features.Counts = resize(m.features.Counts, n)
	m.filtered = resize(m.filtered, n*epochS)
	m.padded = resize(m.padded, n*epochS+2*(dogHalf+1))
	m.blocks = resize(m.blocks, n+hrWindowBlocks)
}

// resize returns a slice of length n, with the memory of s when it is long enough. What it holds is not defined.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
