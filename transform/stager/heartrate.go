package stager

import "math"

// The window of the heart-rate feature: the samples t with t0-285 < t < t0+315, t0 being an epoch's beginning.
const (
	hrWindowBeforeS = 284
	hrWindowAfterS  = 314
	hrWindowBlocks  = (hrWindowBeforeS + hrWindowAfterS + 1 + epochS - 1) / epochS // of 30 s, the last short of one
)

// perSecond writes the heart rate of every second to dst: samples joined by straight lines, the first and the last one
// held beyond. Samples are in order of time; of several at one instant the last counts.
func perSecond(dst []float64, samples []HeartRateSample) {
	k := 0
	for s := range dst {
		at := float64(s)
		for k < len(samples) && samples[k].AtS <= at {
			k++
		}
		switch {
		case k == 0:
			dst[s] = samples[0].BPM
		case k == len(samples):
			for ; s < len(dst); s++ {
				dst[s] = samples[k-1].BPM
			}
			return
		default:
			a, b := samples[k-1], samples[k]
			dst[s] = a.BPM + (b.BPM-a.BPM)*(at-a.AtS)/(b.AtS-a.AtS)
		}
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

// filterHeartRate writes the filtered heart rate of every second to dst, without the night's mean and relative to the
// 90th percentile of its size. hr is given with room for the mirrored ends: its middle len(dst) values are set.
func filterHeartRate(dst, padded []float64, dog *dogFilter, counts []int32) {
	const pad = dogHalf + 1
	hr := padded[pad : pad+len(dst)]
	sum := 0.0
	for _, v := range hr {
		sum += v
	}
	mean := sum / float64(len(hr))
	for i := range hr {
		hr[i] -= mean
	}
	for i := range dogHalf { // the ends are mirrored, the last sample included
		padded[pad-1-i] = hr[i]
		padded[pad+len(hr)+i] = hr[len(hr)-1-i]
	}
	padded[0], padded[len(padded)-1] = 0, 0 // beyond the kernel; only the recursion's bookkeeping reads them
	dog.apply(dst, padded)
	if size := percentile90(dst, counts); size > 0 {
		for i := range dst {
			dst[i] /= size
		}
	}
}

// percentile90 returns the 90th percentile of the values' sizes, between order statistics by a straight line. The sizes
// are counted in equal bins first: only those of the bins that hold the two order statistics need sorting.
func percentile90(values []float64, counts []int32) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, math.Abs(v))
	}
	if top == 0 {
		return 0
	}
	clear(counts)
	scale := float64(len(counts)-1) / top
	for _, v := range values {
		counts[int(math.Abs(v)*scale)]++
	}
	rank := 0.9 * float64(len(values)-1)
	k := int(rank)
	lowest, below := 0, 0 // the bin of the k-th smallest, and how many lie in those before
	for ; below+int(counts[lowest]) <= k; lowest++ {
		below += int(counts[lowest])
	}
	last, until := lowest, below+int(counts[lowest]) // the bin of the one after it
	for until <= min(k+1, len(values)-1) {
		last++
		until += int(counts[last])
	}
	sizes := make([]float64, 0, until-below)
	for _, v := range values {
		v = math.Abs(v)
		if bin := int(v * scale); bin >= lowest && bin <= last {
			sizes = append(sizes, v)
		}
	}
	lower := nthSmallest(sizes, k-below)
	upper := nthSmallest(sizes, min(k+1, len(values)-1)-below)
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

// spread writes the standard deviation of the filtered heart rate in each epoch's window to dst: the population's, as
// in the method. Windows are cut at the ends of the night. Sums over blocks of 30 s serve all windows they lie in.
func spread(dst, filtered []float64, sums []blockSum) {
	// Blocks begin where windows do: 16 s after the beginning of an epoch, the first one before the night.
	const ahead = epochS*10 - hrWindowBeforeS
	blocks := len(dst) + hrWindowBlocks
	for b := range blocks {
		from := (b-10)*epochS + ahead
		var s blockSum
		lo, hi := max(from, 0), min(from+epochS, len(filtered))
		for i := lo; i < hi; i++ {
			v := filtered[i]
			s.sum += v
			s.squares += v * v
		}
		if from+epochS <= len(filtered) && from+epochS > 0 {
			s.last = filtered[from+epochS-1]
		} else {
			s.cut = true
		}
		s.n = max(0, hi-lo)
		sums[b] = s
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
		dst[i] = math.Sqrt(max(0, squares/float64(n)-mean*mean))
	}
}

// A blockSum is what 30 s of filtered heart rate add to a window.
type blockSum struct {
	n            int
	sum, squares float64
	last         float64 // the block's last second
	cut          bool    // the night does not have the block's last second
}
