package trend

import (
	"math"
	"slices"
)

// Mean returns the mean, summed in the order of the values.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values)) // of none: 0/0, which is NaN
}

// SD returns the standard deviation of a sample (n-1).
func SD(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// Median returns the value in the middle, or the mean of the two that are.
func Median(values []float64) float64 { return quantileOf(slices.Sorted(slices.Values(values)), 0.5) }

// Quantile returns the p-quantile, interpolated linearly between the order statistics (type 7, percentile_cont).
func Quantile(values []float64, p float64) float64 {
	return quantileOf(slices.Sorted(slices.Values(values)), p)
}

func quantileOf(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	place := float64(len(sorted)-1) * p
	below := int(place)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (place-float64(below))*(sorted[below+1]-sorted[below])
}

// MAD returns the median absolute deviation from the centre, not scaled.
func MAD(values []float64, centre float64) float64 {
	deviations := make([]float64, len(values))
	for i, v := range values {
		deviations[i] = math.Abs(v - centre)
	}
	slices.Sort(deviations)
	return quantileOf(deviations, 0.5)
}
