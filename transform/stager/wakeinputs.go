package stager

import "math"

// The trees read every epoch by itself, through figures of what lies around it. A figure is a series of the night, read
// some epochs earlier or later.
type figure struct {
	series, lag int
}

const (
	seriesMotion = iota // log of the activity
	seriesSharp         // log of the sharpened activity
	seriesLogVar
	seriesVariability
	seriesRank
	seriesMotionRank
	seriesElapsed
	seriesOnset
	seriesFirstSince // epochs since a movement of some size, then until one, for each size
)

var (
	movementSizes = [...]float64{0.3, 1, 3, 10, 30} // of the sharpened activity
	windowEpochs  = [...]int{2, 5, 10, 20, 40, 60}  // on one side
	motionLags    = [...]int{-20, -12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 20}
	logVarLags    = [...]int{-20, -16, -12, -8, -4, -2, 0, 2, 4, 8, 12, 16, 20}
)

const (
	figurePad       = 20 // the longest lag
	longestSince    = 240
	seriesFirstMean = seriesFirstSince + 2*len(movementSizes)
	windowSeries    = 10 // of each window length
	seriesCount     = seriesFirstMean + windowSeries*len(windowEpochs)
	figureCount     = 5 + 2*len(movementSizes) + windowSeries*len(windowEpochs) + 2*len(motionLags) + len(logVarLags)
)

// figures lists all figures the trees may choose from.
func figures() []figure {
	list := make([]figure, 0, figureCount)
	for s := seriesVariability; s < seriesCount; s++ {
		list = append(list, figure{s, 0})
	}
	for _, lag := range motionLags {
		list = append(list, figure{seriesMotion, lag}, figure{seriesSharp, lag})
	}
	for _, lag := range logVarLags {
		list = append(list, figure{seriesLogVar, lag})
	}
	return list
}

// A wakeInputMaker makes the series of a night. It keeps the memory of the last night.
type wakeInputMaker struct {
	n      int
	series [seriesCount][]float64 // with figurePad epochs more on either side, which hold what is nearest
	sums   [4][]float64           // running sums of log activity, log variability, its square, movement
	order  []int32
}

// row returns a figure's value for each epoch.
func (m *wakeInputMaker) row(f figure) []float64 {
	return m.series[f.series][figurePad+f.lag:][:m.n]
}

func (m *wakeInputMaker) make(f Features, in *inputMaker) {
	n := len(f.Activity)
	m.n = n
	for s := range m.series {
		m.series[s] = resize(m.series[s], n+2*figurePad)
	}
	row := func(s int) []float64 { return m.row(figure{s, 0}) }
	copy(row(seriesMotion), in.logActivity)
	copy(row(seriesSharp), in.logSharp)
	copy(row(seriesLogVar), in.logVar)
	copy(row(seriesVariability), f.HRVariability)
	copy(row(seriesRank), in.rank)
	m.order = resize(m.order, n)
	rankOf(row(seriesMotionRank), f.Activity, m.order)
	for i := range n {
		row(seriesElapsed)[i] = float64(i)
		row(seriesOnset)[i] = math.Exp(-float64(i) / onsetEpochs)
	}
	for k, size := range movementSizes {
		since(row(seriesFirstSince+2*k), row(seriesFirstSince+2*k+1), in.sharp, size)
	}
	m.windows(f, in, row)
	for s := range m.series {
		padEnds(m.series[s])
	}
}

// padEnds fills the places before and after the night.
func padEnds(series []float64) {
	end := len(series) - figurePad - 1
	for i := range figurePad {
		series[i] = series[figurePad]
		series[end+1+i] = series[end]
	}
}

// since writes how many epochs it is from the last movement of at least a size, and to the next.
func since(last, next, movement []float64, size float64) {
	count := float64(longestSince)
	for i, v := range movement {
		count = min(count+1, longestSince)
		if v > size {
			count = 0
		}
		last[i] = count
	}
	count = longestSince
	for i := len(movement) - 1; i >= 0; i-- {
		count = min(count+1, longestSince)
		if movement[i] > size {
			count = 0
		}
		next[i] = count
	}
}

// windows writes the means over windows around, before and after each epoch. Windows are cut at the ends of the night.
func (m *wakeInputMaker) windows(f Features, in *inputMaker, row func(int) []float64) {
	n := m.n
	for k := range m.sums {
		m.sums[k] = resize(m.sums[k], n+1)
		m.sums[k][0] = 0
	}
	activity, motion, logVar, squares := m.sums[0], m.sums[1], m.sums[2], m.sums[3]
	for i := range n {
		activity[i+1] = activity[i] + f.Activity[i]
		motion[i+1] = motion[i] + in.logActivity[i]
		logVar[i+1] = logVar[i] + in.logVar[i]
		squares[i+1] = squares[i] + in.logVar[i]*in.logVar[i]
	}
	for k, w := range windowEpochs {
		var out [windowSeries][]float64
		for j := range out {
			out[j] = row(seriesFirstMean + k*windowSeries + j)
		}
		for i := range n {
			lo, hi := max(0, i-w), min(n, i+w+1)
			around, before, after := 1/float64(hi-lo), 1/float64(i+1-lo), 1/float64(hi-i)
			out[0][i] = (motion[hi] - motion[lo]) * around
			out[1][i] = (motion[i+1] - motion[lo]) * before
			out[2][i] = (motion[hi] - motion[i]) * after
			mean := (logVar[hi] - logVar[lo]) * around
			out[3][i] = mean
			out[4][i] = (logVar[i+1] - logVar[lo]) * before
			out[5][i] = (logVar[hi] - logVar[i]) * after
			out[6][i] = (squares[hi]-squares[lo])*around - mean*mean
			out[7][i] = (activity[hi] - activity[lo]) * around
			out[8][i] = (activity[i+1] - activity[lo]) * before
			out[9][i] = (activity[hi] - activity[i]) * after
		}
	}
}
