package stager

import "math"

// The activity feature is spread over minutes, and what wakes people is short. Where only the feature is known, sharpening
// looks for the counts that, spread again, give it: least squares without negative counts, each epoch weighted by how
// exactly its feature is known, by accelerated projected gradients (Beck and Teboulle 2009).
const (
	sharpenReach    = 10
	sharpenRounds   = 400
	sharpenRelative = 0.02 // what of a feature is taken for noise, as a share of it,
	sharpenAbsolute = 0.002
)

// sharpenKernel is how an epoch's counts spread over its neighbours.
var sharpenKernel = func() (k [2*sharpenReach + 1]float64) {
	sum := 0.0
	for i := range k {
		z := float64(i-sharpenReach) * epochS / activityStdDevS
		k[i] = math.Exp(-z * z / 2)
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}()

// A sharpener keeps the memory of the last night.
type sharpener struct {
	weights, product            []float64
	paddedPoint, paddedResidual []float64
	point, residual             []float64
}

// sharpen writes the sharpened activity to dst.
func (s *sharpener) sharpen(dst, activity []float64) {
	s.grow(len(dst))
	for i, a := range activity {
		s.weights[i] = 1 / (sharpenRelative*a + sharpenAbsolute)
		s.weights[i] *= s.weights[i]
	}
	step := 1 / s.steepness()
	copy(s.point, activity)
	copy(dst, activity)
	momentum := 1.0
	for range sharpenRounds {
		spreadOut(s.product, s.paddedPoint)
		for i, p := range s.product {
			s.residual[i] = (p - activity[i]) * s.weights[i]
		}
		spreadOut(s.product, s.paddedResidual)
		next := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		for i, slope := range s.product {
			x := max(0, s.point[i]-slope*step)
			s.point[i] = x + (momentum-1)/next*(x-dst[i])
			dst[i] = x
		}
		momentum = next
	}
}

func (s *sharpener) grow(n int) {
	s.weights, s.product = resize(s.weights, n), resize(s.product, n)
	s.paddedPoint, s.paddedResidual = resize(s.paddedPoint, n+2*sharpenReach), resize(s.paddedResidual, n+2*sharpenReach)
	clear(s.paddedPoint)
	clear(s.paddedResidual)
	s.point, s.residual = s.paddedPoint[sharpenReach:][:n], s.paddedResidual[sharpenReach:][:n]
}

// steepness returns the largest slope of the gradient, by which steps must be divided: a power iteration.
func (s *sharpener) steepness() float64 {
	const rounds, uneven = 30, 7
	for i := range s.point {
		s.point[i] = 1 + float64(i%uneven)
	}
	size := 0.0
	for range rounds {
		spreadOut(s.product, s.paddedPoint)
		for i, p := range s.product {
			s.residual[i] = p * s.weights[i]
		}
		spreadOut(s.product, s.paddedResidual)
		size = 0
		for _, v := range s.product {
			size += v * v
		}
		size = math.Sqrt(size)
		for i, v := range s.product {
			s.point[i] = v / size
		}
	}
	return size
}

// spreadOut writes padded under the kernel to dst.
func spreadOut(dst, padded []float64) {
	for i := range dst {
		p := padded[i:][:2*sharpenReach+1]
		sum := sharpenKernel[sharpenReach] * p[sharpenReach]
		for k := 1; k <= sharpenReach; k++ {
			sum += sharpenKernel[sharpenReach+k] * (p[sharpenReach+k] + p[sharpenReach-k])
		}
		dst[i] = sum
	}
}
