package stager

import (
	"math"
	"slices"
)

// The window of the heart-rate feature: the samples t with t0-285 < t < t0+315, t0 being an epoch's beginning.
const (
	hrWindowBeforeS = 284
	hrWindowAfterS  = 314
	hrWindowBlocks  = (hrWindowBeforeS + hrWindowAfterS + 1 + epochS - 1) / epochS // of 30 s, the last short of one
)

// perSecond writes the heart rate of every second to dst: samples joined by straight lines, the first and the last one
// held beyond. Samples are in order of time; of several at one instant the last counts.
func perSecond(dst []float64, samples []HeartRateSample) {
	s := 0
	for ; s < len(dst) && float64(s) < samples[0].AtS; s++ {
		dst[s] = samples[0].BPM
	}
	for k := 1; k < len(samples); k++ {
		a, b := samples[k-1], samples[k]
		slope := (b.BPM - a.BPM) / (b.AtS - a.AtS)
		for ; s < len(dst) && float64(s) < b.AtS; s++ {
			dst[s] = a.BPM + slope*(float64(s)-a.AtS)
		}
	}
	for ; s < len(dst); s++ {
		dst[s] = samples[len(samples)-1].BPM
	}
}

// nearHeartRate clears the epochs that have no heart rate near by.
func nearHeartRate(observed []bool, samples []HeartRateSample) {
	k := 0
	for i := range observed {
		middle := (float64(i) + 0.5) * epochS
		for k+1 < len(samples) && math.Abs(samples[k+1].AtS-middle) <= math.Abs(samples[k].AtS-middle) {
			k++
		}
		if len(samples) == 0 || math.Abs(samples[k].AtS-middle) > heartRateNearS {
			observed[i] = false
		}
	}
}

// filterHeartRate writes the filtered heart rate of every second, without the night's mean, to dst, and returns the 90th
// percentile of its size. padded has the heart rate in its middle and room for the mirrored ends.
func filterHeartRate(dst, padded []float64, dog *dogFilter, scratch *[]float64) (size float64) {
	const pad = dogHalf + 1
	hr := padded[pad : pad+len(dst)]
	for i := range dogHalf { // the ends are mirrored, the last sample included
		padded[pad-1-i] = hr[i]
		padded[pad+len(hr)+i] = hr[len(hr)-1-i]
	}
	padded[0], padded[len(padded)-1] = 0, 0 // beyond the kernel; only the recursion's bookkeeping reads them
	sum, _ := sums2(hr)
	dog.apply(dst, padded, sum/float64(len(hr)))
	return percentile90(dst, scratch)
}

// percentileSamples is how many of the values say where about the percentile must be.
const percentileSamples = 256

// percentile90 returns the 90th percentile of the values' sizes, between order statistics by a straight line. A few values
// say where about it must be, and only those there are looked at closely. scratch is memory for them.
func percentile90(values []float64, scratch *[]float64) float64 {
	rank := 0.9 * float64(len(values)-1)
	k := int(rank)
	next := min(k+1, len(values)-1)
	few := (*scratch)[:0]
	stride := max(1, len(values)/percentileSamples)
	for i := 0; i < len(values); i += stride {
		few = append(few, math.Abs(values[i]))
	}
	slices.Sort(few)
	low, high := few[len(few)*84/100], few[len(few)*95/100]

	below, near := 0, few[:0]
	for _, v := range values {
		v = math.Abs(v)
		if v < low {
			below++
		} else if v <= high {
			near = append(near, v)
		}
	}
	if k < below || next >= below+len(near) { // the few were no fair sample
		below, near = 0, near[:0]
		for _, v := range values {
			near = append(near, math.Abs(v))
		}
	}
	*scratch = near
	lower := nthSmallest(near, k-below)
	upper := nthSmallest(near, next-below)
	return lower + (rank-float64(k))*(upper-lower)
}

// nthSmallest partitions until the k-th smallest stands in its place.
func nthSmallest(v []float64, k int) float64 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot := v[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}

// spread writes the standard deviation of the filtered heart rate in each epoch's window, relative to size, to dst: the
// population's, as in the method. A heart rate that stood still has none, 0. Windows are cut at the ends of the night. Sums over blocks of 30 s serve all windows they lie in.
func spread(dst, filtered []float64, size float64, sums []blockSum) {
	// Blocks begin where windows do: 16 s after the beginning of an epoch, the first one before the night.
	const ahead = epochS*10 - hrWindowBeforeS
	blocks := len(dst) + hrWindowBlocks
	for b := range blocks {
		from := (b-10)*epochS + ahead
		lo, hi := max(from, 0), min(from+epochS, len(filtered))
		s := blockSum{n: max(0, hi-lo)}
		if s.n > 0 {
			s.sum, s.squares = sums2(filtered[lo:hi])
		}
		if from+epochS <= len(filtered) && from+epochS > 0 {
			s.last = filtered[from+epochS-1]
		} else {
			s.cut = true
		}
		sums[b] = s
	}
	if size == 0 {
		clear(dst)
		return
	}
	for i := range dst {
		n, sum, squares := 0, 0.0, 0.0
		window := sums[i : i+hrWindowBlocks]
		for k := range window {
			n += window[k].n
			sum += window[k].sum
			squares += window[k].squares
		}
		if end := &window[hrWindowBlocks-1]; !end.cut { // the window ends a second before its last block
			n--
			sum -= end.last
			squares -= end.last * end.last
		}
		mean := sum / float64(n)
		dst[i] = math.Sqrt(max(0, squares/float64(n)-mean*mean)) / size
	}
}

// sums2 returns the sum of values and of their squares, by two sums each that need not wait for each other.
func sums2(values []float64) (sum, squares float64) {
	var sum2, squares2 float64
	k := 1
	for ; k < len(values); k += 2 {
		v, w := values[k-1], values[k]
		sum, sum2 = sum+v, sum2+w
		squares, squares2 = squares+v*v, squares2+w*w
	}
	if k == len(values) {
		v := values[k-1]
		sum, squares = sum+v, squares+v*v
	}
	return sum + sum2, squares + squares2
}

// A blockSum is what 30 s of filtered heart rate add to a window.
type blockSum struct {
	n            int
	sum, squares float64
	last         float64 // the block's last second
	cut          bool    // the night does not have the block's last second
}
