package stager

import "math"

// The filter of the heart-rate feature is a difference of Gaussians cut to 285 samples of 1 s: exp(-(d/120)²/2) -
// 0.75 exp(-(d/600)²/2) for |d| <= 142 (methods 1.4). A convolution would take 285 steps a second of the night. Within
// its short support the kernel is a sum of seven cosines and a constant to 4e-13, and the convolution with a cosine cut
// to a window follows from its own value one second before and what enters and leaves the window: eight short
// recursions, whatever the number of heart-rate samples.
const (
	dogHalf      = 142 // s on either side
	dogPeriod    = 550 // s; half the period of the first cosine
	dogTerms     = 8
	dogRestartS  = 2048 // s after which the recursions begin anew, so that rounding does not add up
	dogNarrowS   = 120
	dogWideS     = 600
	dogWideShare = 0.75
)

// dogCosines are the cosines' amplitudes, fitted to the kernel by least squares; a test holds them to it.
var dogCosines = [dogTerms]float64{
	-0.3893792373056021,
	0.3345797533690681,
	0.22658748238609602,
	0.0633792881166369,
	0.013220756350097073,
	0.001491199984251207,
	0.00011365027213328105,
	7.106827220583478e-06,
}

// dogKernel returns the kernel d seconds from its middle.
func dogKernel(d int) float64 {
	if d < -dogHalf || d > dogHalf {
		return 0
	}
	narrow, wide := float64(d)/dogNarrowS, float64(d)/dogWideS
	return math.Exp(-narrow*narrow/2) - dogWideShare*math.Exp(-wide*wide/2)
}

// A dogFilter holds what the recursions need, made once.
type dogFilter struct {
	cosine                 [dogTerms][dogHalf + 1]float64 // amplitude times cosine at a distance
	turn, entering, beside [dogTerms]float64

	shape   [2*dogHalf - 1]float64 // what a corner adds around it
	sum     float64                // the kernel's
	corners []corner
}

func newDogFilter() *dogFilter {
	f := &dogFilter{corners: make([]corner, 0, cornerLimit)}
	f.shape, f.sum = newCornerShape()
	for m, amplitude := range dogCosines {
		w := float64(m) * math.Pi / dogPeriod
		for d := range f.cosine[m] {
			f.cosine[m][d] = amplitude * math.Cos(w*float64(d))
		}
		s := math.Sin(w / 2)
		f.turn[m] = 4 * s * s // 2 - 2 cos(w), without cancellation
		f.entering[m] = f.cosine[m][dogHalf]
		f.beside[m] = amplitude * math.Cos(w*(dogHalf+1))
	}
	return f
}

// apply writes the filtered signal, less its mean, to dst. The signal is given with dogHalf+1 samples more on either side
// of dst, and is not kept.
func (f *dogFilter) apply(dst, padded []float64, mean float64) {
	if f.applyCorners(dst, padded, mean) {
		return
	}
	for i := range padded {
		padded[i] -= mean
	}
	for from := 0; from < len(dst); from += dogRestartS {
		to := min(from+dogRestartS, len(dst))
		f.applyFrom(dst[from:to], padded[from:to+2*(dogHalf+1)])
	}
}

// at returns the m-th cosine's share of the filtered signal at sample i of padded.
func (f *dogFilter) at(m int, padded []float64, i int) float64 {
	c := &f.cosine[m]
	sum := c[0] * padded[i]
	for d := 1; d <= dogHalf; d++ {
		sum += c[d] * (padded[i-d] + padded[i+d])
	}
	return sum
}

// applyFrom runs the recursions. With C the m-th share, C(s+1) - 2 cos(w) C(s) + C(s-1) has only the window's ends in it.
// It is written as a step that is itself corrected, which keeps rounding from growing with the square of time.
func (f *dogFilter) applyFrom(dst, padded []float64) {
	clear(dst)
	for m := 0; m < dogTerms; m += dogAtOnce {
		f.addShares(dst, padded, m)
	}
}

// dogAtOnce is how many recursions run side by side: their state stays in the processor's registers.
const dogAtOnce = 4

// addShares adds the shares of the cosines m to m+3 to dst.
func (f *dogFilter) addShares(dst, padded []float64, m int) {
	const first = dogHalf + 1
	var share, step [dogAtOnce]float64
	for k := range dogAtOnce {
		share[k] = f.at(m+k, padded, first)
		if len(dst) > 1 {
			step[k] = f.at(m+k, padded, first+1) - share[k]
		}
	}
	c0, c1, c2, c3 := share[0], share[1], share[2], share[3]
	d0, d1, d2, d3 := step[0], step[1], step[2], step[3]
	e0, e1, e2, e3 := f.entering[m], f.entering[m+1], f.entering[m+2], f.entering[m+3]
	b0, b1, b2, b3 := f.beside[m], f.beside[m+1], f.beside[m+2], f.beside[m+3]
	t0, t1, t2, t3 := f.turn[m], f.turn[m+1], f.turn[m+2], f.turn[m+3]
	n := len(dst)
	// The ends of the window as seen from the sample whose share was just made.
	before, leaving := padded[1:][:n], padded[2:][:n]
	inner, after := padded[2*dogHalf+2:], padded[2*dogHalf+3:]
	for s := range dst {
		dst[s] += c0 + c1 + (c2 + c3)
		if s+1 == n {
			return
		}
		c0, c1, c2, c3 = c0+d0, c1+d1, c2+d2, c3+d3
		e, b := before[s]+after[s], leaving[s]+inner[s]
		d0 += e0*e - b0*b - t0*c0
		d1 += e1*e - b1*b - t1*c1
		d2 += e2*e - b2*b - t2*c2
		d3 += e3*e - b3*b - t3*c3
	}
}
