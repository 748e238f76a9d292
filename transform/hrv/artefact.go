package hrv

import (
	"math"
	"slices"
)

// The intervals that can lie between two beats of a living heart, in ms.
const (
	ShortestMS = 300
	LongestMS  = 2000
)

// maxChange is the largest change from one interval to the next that Malik's rule accepts.
const maxChange = 0.2

// Malik marks the intervals that differ from the one before by more than a fifth of it (Malik 1989). The interval after
// a marked one is accepted whatever it is, because it has no sound neighbour to be measured by.
func Malik(intervalsMS []int32) []bool {
	marked := make([]bool, len(intervalsMS))
	for i := 1; i < len(intervalsMS); i++ {
		before := float64(intervalsMS[i-1])
		marked[i] = !marked[i-1] && math.Abs(float64(intervalsMS[i])-before) > maxChange*before
	}
	return marked
}

// Artefacts are the positions of intervals that a faulty beat has bent, by what was wrong with the beat.
type Artefacts struct {
	Ectopic   []int // came early, and the next one late
	Missed    []int // was not seen: the interval is two
	Extra     []int // was none: the interval is a part of one
	LongShort []int // came too early or too late
}

// Count returns the number of artefacts.
func (a *Artefacts) Count() int {
	return len(a.Ectopic) + len(a.Missed) + len(a.Extra) + len(a.LongShort)
}

// Mask marks the artefacts among n intervals.
func (a *Artefacts) Mask(n int) []bool {
	marked := make([]bool, n)
	for _, positions := range [][]int{a.Ectopic, a.Missed, a.Extra, a.LongShort} {
		for _, i := range positions {
			marked[i] = true
		}
	}
	return marked
}

// Constants of Lipponen and Tarvainen.
const (
	medianWidth    = 11  // intervals
	thresholdWidth = 91  // intervals
	quartileFactor = 5.2 // half the distance of the quartiles, times this, holds 99.95 % of normal values
	ectopicSlope   = 0.13
	ectopicOffset  = 0.17
	farFromMedian  = 3.0

	// leastThreshold is ours. Watches tell intervals in steps of up to 10 ms; in calm stretches their quartiles fall
	// together, and without it the smallest step would be an artefact.
	leastThreshold = quartileFactor * 10 / 2
)

// shortestClassified is the least number of intervals the classification can look at: it compares each with the two
// that follow.
const shortestClassified = 4

// Classify finds artefacts after Lipponen and Tarvainen (2019): by differences to the interval before and to the median
// of the neighbourhood, both in units of how much they vary near by.
func Classify(intervalsMS []int32) *Artefacts {
	found := &Artefacts{}
	if len(intervalsMS) < shortestClassified {
		return found
	}
	s := newSubspaces(intervalsMS)
	for i := 0; i < len(intervalsMS)-2; {
		switch {
		case math.Abs(s.change[i]) <= 1:
			i++
		case s.isEctopic(i):
			found.Ectopic = append(found.Ectopic, i)
			i++
		default:
			last := i
			if math.Abs(s.change[i+1]) < math.Abs(s.change[i+2]) {
				last = i + 1 // the artefact may have bent the next one instead
			}
			for ; i <= last; i++ {
				s.sortOut(i, found)
			}
		}
	}
	return found
}

// subspaces holds what each interval is judged by.
type subspaces struct {
	intervals   []float64
	median      []float64 // of the neighbourhood
	change      []float64 // from the interval before, in units of threshold
	deviation   []float64 // from median, in units of threshold; shorter ones count twice
	besides     []float64 // the change before or after, whichever opposes change the least
	following   []float64 // the one of the next two changes that opposes change the least
	medianLimit []float64 // ms, the threshold of deviation
}

func newSubspaces(intervalsMS []int32) *subspaces {
	n := len(intervalsMS)
	s := &subspaces{
		intervals: make([]float64, n), change: make([]float64, n), deviation: make([]float64, n),
		besides: make([]float64, n), following: make([]float64, n),
	}
	for i, ms := range intervalsMS {
		s.intervals[i] = float64(ms)
	}
	sum := 0.0
	for i := 1; i < n; i++ {
		s.change[i] = s.intervals[i] - s.intervals[i-1]
		sum += s.change[i]
	}
	s.change[0] = sum / float64(n-1) // the first has none before it
	s.median = rolling(s.intervals, medianWidth, func(sorted []float64) float64 { return quantile(sorted, 0.5) })
	for i, ms := range s.intervals {
		if s.deviation[i] = ms - s.median[i]; s.deviation[i] < 0 {
			s.deviation[i] *= 2
		}
	}
	divide(s.change, thresholds(s.change))
	s.medianLimit = thresholds(s.deviation)
	divide(s.deviation, s.medianLimit)

	at := func(i int) float64 { // beyond its ends the series is mirrored
		if i = max(i, -i); i >= n {
			i = 2*(n-1) - i
		}
		return s.change[i]
	}
	for i, change := range s.change {
		switch {
		case change > 0:
			s.besides[i] = math.Max(at(i-1), at(i+1))
		case change < 0:
			s.besides[i] = math.Min(at(i-1), at(i+1))
		}
		if change < 0 {
			s.following[i] = math.Max(at(i+1), at(i+2))
		} else {
			s.following[i] = math.Min(at(i+1), at(i+2))
		}
	}
	return s
}

func (s *subspaces) isEctopic(i int) bool {
	change, besides := s.change[i], s.besides[i]
	return change > 1 && besides < -ectopicSlope*change-ectopicOffset ||
		change < -1 && besides > -ectopicSlope*change+ectopicOffset
}

// sortOut adds the interval to the artefact it is, if any.
func (s *subspaces) sortOut(i int, found *Artefacts) {
	isLong := s.change[i] > 1 && s.following[i] < -1
	isShort := s.change[i] < -1 && s.following[i] > 1
	isFar := math.Abs(s.deviation[i]) > farFromMedian
	if !isLong && !isShort && !isFar {
		return
	}
	within := func(ms float64) bool { return math.Abs(ms-s.median[i]) < s.medianLimit[i] }
	switch {
	case isShort && within(s.intervals[i]+s.intervals[i+1]):
		found.Extra = append(found.Extra, i)
	case isLong && within(s.intervals[i]/2):
		found.Missed = append(found.Missed, i)
	default:
		found.LongShort = append(found.LongShort, i)
	}
}

// thresholds returns, for each value, how large values usually get near by.
func thresholds(values []float64) []float64 {
	sizes := make([]float64, len(values))
	for i, v := range values {
		sizes[i] = math.Abs(v)
	}
	return rolling(sizes, thresholdWidth, func(sorted []float64) float64 {
		return max(leastThreshold, quartileFactor*(quantile(sorted, 0.75)-quantile(sorted, 0.25))/2)
	})
}

func divide(values, by []float64) {
	for i := range values {
		values[i] /= by[i]
	}
}

// rolling applies f to the sorted values of the window about each position, which is cut at the ends.
func rolling(values []float64, width int, f func(sorted []float64) float64) []float64 {
	out := make([]float64, len(values))
	sorted := make([]float64, 0, width)
	insert := func(v float64) {
		i, _ := slices.BinarySearch(sorted, v)
		sorted = slices.Insert(sorted, i, v)
	}
	half := width / 2
	for i := range min(half, len(values)) {
		insert(values[i])
	}
	for i := range values {
		if i+half < len(values) {
			insert(values[i+half])
		}
		if i > half {
			at, _ := slices.BinarySearch(sorted, values[i-half-1])
			sorted = slices.Delete(sorted, at, at+1)
		}
		out[i] = f(sorted)
	}
	return out
}

// quantile interpolates between the two nearest of sorted values (Hyndman and Fan's type 7).
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
