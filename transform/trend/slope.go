package trend

import (
	"cmp"
	"math"
	"slices"
)

// A Point is a figure's value on a day. Days that were not measured have none.
type Point struct {
	Day   int // counted from anywhere
	Value float64
}

// TheilSen returns the median slope over all pairs of points, by day, and the median intercept at day 0 (Sen 1968). It
// needs two points on different days.
func TheilSen(points []Point) (slope, intercept float64) {
	slopes := make([]float64, 0, len(points)*(len(points)-1)/2)
	for i, p := range points {
		for _, q := range points[i+1:] {
			if p.Day != q.Day {
				slopes = append(slopes, (q.Value-p.Value)/float64(q.Day-p.Day))
			}
		}
	}
	slope = Median(slopes)
	intercepts := make([]float64, len(points))
	for i, p := range points {
		intercepts[i] = p.Value - slope*float64(p.Day)
	}
	return slope, Median(intercepts)
}

// MannKendall says whether values rise or fall in the order they stand in. S is the number of pairs that rise less those
// that fall; its variance allows for ties; Z is S with the correction for continuity, and P the probability of one as
// large, either way, without a trend. Of equal values Z and P are NaN.
func MannKendall(values []float64) (s int, variance, z, p float64) {
	for i, v := range values {
		for _, w := range values[i+1:] {
			s += cmp.Compare(w, v)
		}
	}
	term := func(n int) int { return n * (n - 1) * (2*n + 5) }
	sum := term(len(values))
	sorted := slices.Sorted(slices.Values(values))
	for len(sorted) > 0 {
		ties := 1
		for ties < len(sorted) && sorted[ties] == sorted[0] {
			ties++
		}
		sum -= term(ties)
		sorted = sorted[ties:]
	}
	variance = float64(sum) / 18
	if variance == 0 {
		return s, variance, math.NaN(), math.NaN()
	}
	z = float64(s-cmp.Compare(s, 0)) / math.Sqrt(variance)
	return s, variance, z, math.Erfc(math.Abs(z) / math.Sqrt2)
}
