package hrv

import "math"

// Sums are what a stretch of normal intervals adds up to. Sums of several stretches are added field by field; no figure
// is lost by it, and the differences between stretches are not among them.
type Sums struct {
	Intervals   int64 // normal intervals (NN)
	SumMS       int64 // their sum
	SumSquares  int64 // ms^2, sum of their squares
	Pairs       int64 // differences between neighbours
	SumDiffs2   int64 // ms^2, sum of the differences' squares
	DiffsOver20 int64 // differences of more than 20 ms
	DiffsOver50 int64 // differences of more than 50 ms
}

// add takes a normal interval; before is its neighbour, 0 when that was none or no normal one.
func (s *Sums) add(ms, before int32) {
	s.Intervals++
	s.SumMS += int64(ms)
	s.SumSquares += int64(ms) * int64(ms)
	if before == 0 {
		return
	}
	diff := int64(ms) - int64(before)
	s.Pairs++
	s.SumDiffs2 += diff * diff
	if diff = max(diff, -diff); diff > 20 {
		s.DiffsOver20++
	}
	if diff > 50 {
		s.DiffsOver50++
	}
}

// MeanMS returns the mean interval. ok is false when there is none.
func (s *Sums) MeanMS() (ms float64, ok bool) {
	if s.Intervals == 0 {
		return 0, false
	}
	return float64(s.SumMS) / float64(s.Intervals), true
}

// SDNN returns the standard deviation (n-1) of the intervals in ms. ok is false when there are fewer than two.
func (s *Sums) SDNN() (ms float64, ok bool) {
	if s.Intervals < 2 {
		return 0, false
	}
	n := s.Intervals
	return math.Sqrt(float64(n*s.SumSquares-s.SumMS*s.SumMS) / (float64(n) * float64(n-1))), true
}

// RMSSD returns the root mean square of the differences between neighbours in ms. ok is false when there is none.
func (s *Sums) RMSSD() (ms float64, ok bool) {
	if s.Pairs == 0 {
		return 0, false
	}
	return math.Sqrt(float64(s.SumDiffs2) / float64(s.Pairs)), true
}

// PNN50 returns the share of differences of more than 50 ms, in percent of the differences. ok is false when there is
// none.
func (s *Sums) PNN50() (pct float64, ok bool) {
	if s.Pairs == 0 {
		return 0, false
	}
	return 100 * float64(s.DiffsOver50) / float64(s.Pairs), true
}
