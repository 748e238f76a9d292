package stager

// Where heart rate comes by the minute, its straight lines have few corners, and the filtered signal follows from these:
// the kernel is even, so that of a straight line it leaves the line times the kernel's sum, and a corner adds its change
// of slope times what the kernel holds beyond it. That is about 280 products a corner.
const (
	cornerLimit = 1500  // corners from which the recursions are faster
	cornerTiny  = 1e-12 // a change of slope that is rounding
)

// newCornerShape returns what a corner of slope change 1 adds at each distance from -(dogHalf-1) to dogHalf-1, and the
// kernel's sum.
func newCornerShape() (shape [2*dogHalf - 1]float64, sum float64) {
	for d := -dogHalf; d <= dogHalf; d++ {
		sum += dogKernel(d)
	}
	for at := range shape {
		distance := at - (dogHalf - 1)
		distance = max(distance, -distance)
		for u := distance + 1; u <= dogHalf; u++ {
			shape[at] += dogKernel(u) * float64(u-distance)
		}
	}
	return shape, sum
}

// applyCorners writes the filtered signal to dst, from a signal as apply has it. It gives up, and returns false, when
// there are too many corners.
func (f *dogFilter) applyCorners(dst, padded []float64, mean float64) bool {
	corners := f.corners[:0]
	slope := padded[2] - padded[1]
	for i, v := range padded[3 : len(padded)-1] { // the outermost samples are not the signal's
		next := v - padded[i+2]
		if change := next - slope; change > cornerTiny || change < -cornerTiny {
			if len(corners) == cornerLimit {
				return false
			}
			corners = append(corners, corner{i + 2, change})
		}
		slope = next
	}
	f.corners = corners
	for s, v := range padded[dogHalf+1:][:len(dst)] {
		dst[s] = f.sum * (v - mean)
	}
	for _, c := range corners {
		from := c.at - (dogHalf + 1) - (dogHalf - 1) // where the corner's shape begins in dst
		shape := f.shape[:]
		if from < 0 {
			shape, from = shape[-from:], 0
		}
		to := min(from+len(shape), len(dst))
		if from >= to {
			continue
		}
		addScaled(dst[from:to], shape, c.change)
	}
	return true
}

// addScaled adds a scaled copy of x to y, four at a time.
func addScaled(y, x []float64, scale float64) {
	x = x[:len(y)]
	k := 0
	for ; k+4 <= len(y); k += 4 {
		to, from := y[k:k+4:k+4], x[k:k+4:k+4]
		to[0] += scale * from[0]
		to[1] += scale * from[1]
		to[2] += scale * from[2]
		to[3] += scale * from[3]
	}
	for ; k < len(y); k++ {
		y[k] += scale * x[k]
	}
}

// A corner is where the signal changes its slope.
type corner struct {
	at     int // in padded
	change float64
}
