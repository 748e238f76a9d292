package regularity

import (
	"math"
	"slices"
)

const (
	clockMin = 1440

	// Of times evenly spread round the clock R squared is 0 or a rounding about it: they have no SD.
	rSquaredMin = 1e-6
	// Sines and cosines are summed as whole numbers of this: a sum of doubles depends on the order of its terms.
	unit = 1e15
)

// onClock returns the minute of the clock that so many minutes after midnight, or before, are.
func onClock(minute int) int { return (minute%clockMin + clockMin) % clockMin }

// floatOnClock is onClock with fractions.
func floatOnClock(minute float64) float64 {
	minute += clockMin // a hair before midnight this is a whole day already, and 0 below, not 1440
	return minute - math.Floor(minute/clockMin)*clockMin
}

// apart returns how far two minutes of the clock are from each other, the short way round.
func apart(a, b int) int {
	d := max(a-b, b-a)
	return min(d, clockMin-d)
}

// clockMedian returns the median of minutes of the clock: that of the distances from the one from which all others are
// nearest. Of two that are equally near the earlier counts. There must be one minute at least.
func clockMedian(minutes []int) float64 {
	centre, nearest := 0, math.MaxInt
	for _, m := range minutes {
		distance := 0
		for _, other := range minutes {
			distance += apart(m, other)
		}
		if distance < nearest || distance == nearest && m < centre {
			centre, nearest = m, distance
		}
	}
	fromCentre := make([]int, len(minutes))
	for i, m := range minutes {
		fromCentre[i] = onClock(m-centre+clockMin/2) - clockMin/2
	}
	slices.Sort(fromCentre)
	n := len(fromCentre)
	return floatOnClock(float64(centre) + float64(fromCentre[(n-1)/2]+fromCentre[n/2])/2)
}

// clockSD returns the circular SD of minutes of the clock, sqrt(-2 ln R) in minutes; NaN is none. R squared is the mean
// cosine over all pairs: with minutes that are all the same it is 1 and nothing else.
func clockSD(minutes []int) float64 {
	sum := int64(0)
	for i, m := range minutes {
		sum += cosines[0]
		for _, other := range minutes[:i] {
			sum += 2 * cosines[apart(m, other)]
		}
	}
	rSquared := inUnits(sum) / float64(len(minutes)*len(minutes))
	if rSquared <= rSquaredMin {
		return math.NaN()
	}
	return math.Sqrt(math.Abs(math.Log(min(1, rSquared)))) * (clockMin / 2) / math.Pi
}

// cosines are those of minutes that lie so far apart, in units. Every pair of nights needs one.
var cosines = func() (c [clockMin/2 + 1]int64) {
	for minutes := range c {
		c[minutes] = directionOf(float64(minutes)).cosine
	}
	return c
}()

// A direction is that of a clock's hand, or the sum of several, in units.
type direction struct{ sine, cosine int64 }

// directionOf returns where the hand of a clock of 24 hours points.
func directionOf(minute float64) direction {
	sine, cosine := math.Sincos(minute * math.Pi / (clockMin / 2))
	return direction{int64(math.Round(sine * unit)), int64(math.Round(cosine * unit))}
}

func (d *direction) add(other direction) {
	d.sine += other.sine
	d.cosine += other.cosine
}

// minute returns the minute of the clock to which it points: of a sum the circular mean.
func (d *direction) minute() float64 {
	return floatOnClock(math.Atan2(inUnits(d.sine), inUnits(d.cosine)) * (clockMin / 2) / math.Pi)
}

// inUnits turns a sum of units into a number. Whole and fraction go apart, for a double does not hold all digits of the sum.
func inUnits(sum int64) float64 { return float64(sum/unit) + float64(sum%unit)/unit }
