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

// mark marks the artefacts among the intervals.
func (a *Artefacts) mark(marked []bool) {
	for _, positions := range [][]int{a.Ectopic, a.Missed, a.Extra, a.LongShort} {
		for _, i := range positions {
			marked[i] = true
		}
	}
}

// clear forgets them.
func (a *Artefacts) clear() {
	a.Ectopic, a.Missed, a.Extra, a.LongShort = a.Ectopic[:0], a.Missed[:0], a.Extra[:0], a.LongShort[:0]
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

// A classifier finds artefacts after Lipponen and Tarvainen (2019): by differences to the interval before and to the median
// of the neighbourhood, both in units of how much they vary near by. It takes one series of possible intervals after the
// other, in the same memory.
type classifier struct {
	intervalsMS []int32
	change      []float64 // from the interval before, in units of how large changes usually get near by
	sizes       []int32   // half ms, of the changes but the first
	near        spread    // sizes about an interval

	deviations []int32 // half ms, from the median of the neighbourhood; those of shorter intervals count twice
	known      int     // deviations, but for what was never asked for
	farNear    spread  // deviations about an interval

	found Artefacts
}

// classify returns the artefacts of a series, which are there until the next.
func (c *classifier) classify(intervalsMS []int32) *Artefacts {
	c.found.clear()
	if len(intervalsMS) < shortestClassified {
		return &c.found
	}
	c.intervalsMS, c.known = intervalsMS, 0
	c.near.clear()
	c.farNear.clear()
	if !c.measureChanges() {
		return &c.found
	}
	for i := 0; i < len(intervalsMS)-2; {
		switch {
		case math.Abs(c.change[i]) <= 1:
			i++
		case c.isEctopic(i):
			c.found.Ectopic = append(c.found.Ectopic, i)
			i++
		default:
			last := i
			if math.Abs(c.change[i+1]) < math.Abs(c.change[i+2]) {
				last = i + 1 // the artefact may have bent the next one instead
			}
			for ; i <= last; i++ {
				c.sortOut(i)
			}
		}
	}
	return &c.found
}

// measureChanges fills in the changes. It is false when none is so large that it could be an artefact's.
func (c *classifier) measureChanges() bool {
	n := len(c.intervalsMS)
	c.sizes = c.sizes[:0]
	largest := int32(0)
	for i := 1; i < n; i++ {
		size := c.intervalsMS[i] - c.intervalsMS[i-1]
		size = halves * max(size, -size)
		largest = max(largest, size)
		c.sizes = append(c.sizes, size)
	}
	if largest <= halves*leastThreshold {
		return false
	}
	// The first has none before it: its change is the mean of the others.
	first := float64(c.intervalsMS[n-1]-c.intervalsMS[0]) / float64(n-1)
	c.change = append(c.change[:0], first/c.usualChange(0, first))
	for i := 1; i < n; i++ {
		c.change = append(c.change, float64(c.intervalsMS[i]-c.intervalsMS[i-1])/c.usualChange(i, first))
	}
	return true
}

// usualChange returns how large changes usually get about an interval. It is asked from the first interval to the last.
func (c *classifier) usualChange(i int, first float64) float64 {
	c.near.move(c.sizes, max(0, i-1-thresholdWidth/2), min(len(c.sizes), i+thresholdWidth/2))
	if i > thresholdWidth/2 {
		return c.near.threshold()
	}
	return c.near.thresholdWith(math.Abs(first))
}

// usualDeviation returns how large deviations usually get about an interval. It is asked of no interval before the last.
func (c *classifier) usualDeviation(i int) float64 {
	n := len(c.intervalsMS)
	from, to := max(0, i-thresholdWidth/2), min(n, i+1+thresholdWidth/2)
	c.deviations = slices.Grow(c.deviations[:0], n)[:n]
	for ; c.known < to; c.known++ {
		c.known = max(c.known, from)
		size := halves*c.intervalsMS[c.known] - c.twiceMedian(c.known)
		c.deviations[c.known] = max(size, -2*size)
	}
	c.farNear.move(c.deviations, from, to)
	return c.farNear.threshold()
}

// twiceMedian returns twice the median of the neighbourhood, in ms.
func (c *classifier) twiceMedian(i int) int32 {
	var room [medianWidth]int32
	sorted := room[:0]
	for _, ms := range c.intervalsMS[max(0, i-medianWidth/2):min(len(c.intervalsMS), i+1+medianWidth/2)] {
		at := len(sorted)
		sorted = append(sorted, ms)
		for ; at > 0 && sorted[at-1] > ms; at-- {
			sorted[at] = sorted[at-1]
		}
		sorted[at] = ms
	}
	n := len(sorted)
	return sorted[(n-1)/2] + sorted[n/2]
}

// besides is the change before or after, whichever opposes that of the interval the least.
func (c *classifier) besides(i int) float64 {
	if c.change[i] > 0 {
		return max(c.at(i-1), c.at(i+1))
	}
	return min(c.at(i-1), c.at(i+1))
}

// following is the one of the next two changes that opposes that of the interval the least.
func (c *classifier) following(i int) float64 {
	if c.change[i] < 0 {
		return max(c.at(i+1), c.at(i+2))
	}
	return min(c.at(i+1), c.at(i+2))
}

// at returns a change; beyond its ends the series is mirrored.
func (c *classifier) at(i int) float64 {
	if i = max(i, -i); i >= len(c.change) {
		i = 2*(len(c.change)-1) - i
	}
	return c.change[i]
}

func (c *classifier) isEctopic(i int) bool {
	change, besides := c.change[i], c.besides(i)
	return change > 1 && besides < -ectopicSlope*change-ectopicOffset ||
		change < -1 && besides > -ectopicSlope*change+ectopicOffset
}

// sortOut adds the interval to the artefact it is, if any.
func (c *classifier) sortOut(i int) {
	isLong := c.change[i] > 1 && c.following(i) < -1
	isShort := c.change[i] < -1 && c.following(i) > 1
	usual := c.usualDeviation(i)
	isFar := math.Abs(float64(c.deviations[i])/halves/usual) > farFromMedian
	if !isLong && !isShort && !isFar {
		return
	}
	median := float64(c.twiceMedian(i)) / 2
	within := func(ms float64) bool { return math.Abs(ms-median) < usual }
	ms := float64(c.intervalsMS[i])
	switch {
	case isShort && within(ms+float64(c.intervalsMS[i+1])):
		c.found.Extra = append(c.found.Extra, i)
	case isLong && within(ms/2):
		c.found.Missed = append(c.found.Missed, i)
	default:
		c.found.LongShort = append(c.found.LongShort, i)
	}
}
