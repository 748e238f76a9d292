package hrv

import (
	"math"
	"math/bits"
)

// halves is how many units of a spread make a millisecond: the median of an even number of intervals lies between two.
const halves = 2

// mostHalves is the largest size that a spread counts: the deviation of a shorter interval, which counts twice.
const mostHalves = 2 * halves * (LongestMS - ShortestMS)

// A spread is the window about a position of a series of sizes, in half ms, and tells how far their quartiles are apart.
// Sizes are counted, and the quartiles followed as the window moves: they rarely pass more than one size at a step.
type spread struct {
	from, to int // the window's positions in the series
	most     int // the largest size since the window was cleared
	counts   [mostHalves + 1]uint8
	there    [mostHalves/64 + 1]uint64 // a bit for each size that is in the window
	first    cut                       // at the first quartile
	third    cut                       // at the third
}

// A cut is a size, and how many smaller ones are in the window.
type cut struct{ size, below int }

// clear empties the window.
func (s *spread) clear() {
	clear(s.counts[:s.most+1])
	clear(s.there[:s.most/64+1])
	s.from, s.to, s.most = 0, 0, 0
	s.first, s.third = cut{}, cut{}
}

// move moves the window on to other positions.
func (s *spread) move(sizes []int32, from, to int) {
	if from > s.to {
		s.clear()
		s.from, s.to = from, from
	}
	for ; s.to < to; s.to++ {
		s.add(int(sizes[s.to]))
	}
	for ; s.from < from; s.from++ {
		s.remove(int(sizes[s.from]))
	}
}

func (s *spread) add(size int) {
	s.most = max(s.most, size)
	s.counts[size]++
	s.there[size/64] |= 1 << (size % 64)
	s.first.add(size, 1)
	s.third.add(size, 1)
}

func (s *spread) remove(size int) {
	if s.counts[size]--; s.counts[size] == 0 {
		s.there[size/64] &^= 1 << (size % 64)
	}
	s.first.add(size, -1)
	s.third.add(size, -1)
}

func (c *cut) add(size, n int) {
	if size < c.size {
		c.below += n
	}
}

// threshold returns how large the sizes of the window usually get, in ms.
func (s *spread) threshold() float64 {
	return thresholdOf(s.quantile(&s.first, 0.25), s.quantile(&s.third, 0.75))
}

func thresholdOf(first, third float64) float64 {
	return max(leastThreshold, quartileFactor*(third-first)/2)
}

// thresholdWith is threshold with a further size among them, in ms.
func (s *spread) thresholdWith(ms float64) float64 {
	return thresholdOf(s.quantileWith(&s.first, 0.25, ms), s.quantileWith(&s.third, 0.75, ms))
}

// quantile interpolates between the two nearest of the sizes in the window (Hyndman and Fan's type 7), in ms.
func (s *spread) quantile(c *cut, p float64) float64 {
	at := p * float64(s.to-s.from-1)
	i := int(at)
	s.settle(c, i)
	return between(inMS(c.size), inMS(s.next(c, i)), at-float64(i))
}

// quantileWith is quantile with a further size among them, which pushes up what is larger.
func (s *spread) quantileWith(c *cut, p, ms float64) float64 {
	n := s.to - s.from
	at := p * float64(n)
	i := int(at)
	s.settle(c, i)
	low, high := 0.0, math.Inf(1)
	if i > 0 {
		low = inMS(s.previous(c, i))
	}
	if i+1 < n {
		high = inMS(s.next(c, i))
	}
	middle := inMS(c.size)
	return between(min(max(ms, low), middle), min(max(ms, middle), high), at-float64(i))
}

func between(low, high, share float64) float64 { return low + share*(high-low) }

func inMS(size int) float64 { return float64(size) / halves }

// settle moves the cut to the size that i sizes come before in order.
func (s *spread) settle(c *cut, i int) {
	for c.below > i {
		c.size = s.before(c.size)
		c.below -= int(s.counts[c.size])
	}
	for c.below+int(s.counts[c.size]) <= i {
		c.below += int(s.counts[c.size])
		c.size = s.after(c.size)
	}
}

// next returns the size that comes after that of a cut settled at i: another one, or the same once more.
func (s *spread) next(c *cut, i int) int {
	if c.below+int(s.counts[c.size]) > i+1 {
		return c.size
	}
	return s.after(c.size)
}

// previous returns the size that comes before it.
func (s *spread) previous(c *cut, i int) int {
	if c.below < i {
		return c.size
	}
	return s.before(c.size)
}

// after returns the next larger size that is there.
func (s *spread) after(size int) int {
	word := size / 64
	larger := s.there[word] >> (size % 64) >> 1
	if larger != 0 {
		return size + 1 + bits.TrailingZeros64(larger)
	}
	for word++; s.there[word] == 0; word++ {
	}
	return 64*word + bits.TrailingZeros64(s.there[word])
}

// before returns the next smaller size that is there.
func (s *spread) before(size int) int {
	word := size / 64
	smaller := s.there[word] & (1<<(size%64) - 1)
	for ; smaller == 0; smaller = s.there[word] {
		word--
	}
	return 64*word + bits.Len64(smaller) - 1
}
