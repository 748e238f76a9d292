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
	seriesElapsed
	seriesOnset
	seriesFirstSince // epochs since a movement of some size, then until one, for each size
)

var (
	movementSizes = [...]float64{0.3, 1, 3, 10, 30}       // of the sharpened activity
	windowEpochs  = [...]int{2, 5, 10, 20, 40, maxWindow} // on one side
	motionLags    = [...]int{-20, -12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 20}
	logVarLags    = [...]int{-20, -16, -12, -8, -4, -2, 0, 2, 4, 8, 12, 16, 20}
)

const (
	figurePad       = 20 // the longest lag
	longestSince    = 240
	maxWindow       = 60
	seriesFirstMean = seriesFirstSince + 2*len(movementSizes)
	windowSeries    = 7 // of each window length
	seriesCount     = seriesFirstMean + windowSeries*len(windowEpochs)
	figureCount     = 4 + 2*len(movementSizes) + windowSeries*len(windowEpochs) + 2*len(motionLags) + len(logVarLags)
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
	sums   [3][]float64           // running sums of log activity, log variability, and its square

	inverse [2*maxWindow + 2]float64 // of how many epochs a window has
	onset   []float64                // of each epoch, as many as the longest night had
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
	for i := len(m.onset); i < n; i++ {
		m.onset = append(m.onset, math.Exp(-float64(i)/onsetEpochs))
	}
	for i := range m.inverse[1:] {
		m.inverse[i+1] = 1 / float64(i+1)
	}
	copy(row(seriesOnset), m.onset)
	for i, elapsed := 0, row(seriesElapsed); i < n; i++ {
		elapsed[i] = float64(i)
	}
	for k, size := range movementSizes {
		since(row(seriesFirstSince+2*k), row(seriesFirstSince+2*k+1), in.sharp, size)
	}
	m.windows(in, row)
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
func (m *wakeInputMaker) windows(in *inputMaker, row func(int) []float64) {
	n := m.n
	for k := range m.sums {
		m.sums[k] = resize(m.sums[k], n+1)
		m.sums[k][0] = 0
	}
	motion, logVar, squares := m.sums[0], m.sums[1], m.sums[2]
	for i := range n {
		motion[i+1] = motion[i] + in.logActivity[i]
		logVar[i+1] = logVar[i] + in.logVar[i]
		squares[i+1] = squares[i] + in.logVar[i]*in.logVar[i]
	}
	for k, w := range windowEpochs {
		var out [windowSeries][]float64
		for j := range out {
			out[j] = row(seriesFirstMean + k*windowSeries + j)
		}
		o0, o1, o2, o3 := out[0][:n], out[1][:n], out[2][:n], out[3][:n]
		o4, o5, o6 := out[4][:n], out[5][:n], out[6][:n]
		for i := range n {
			lo, hi := max(0, i-w), min(n, i+w+1)
			around, before, after := m.inverse[hi-lo], m.inverse[i+1-lo], m.inverse[hi-i]
			motionLow, motionHigh, varLow, varHigh := motion[lo], motion[hi], logVar[lo], logVar[hi]
			o0[i] = (motionHigh - motionLow) * around
			o1[i] = (motion[i+1] - motionLow) * before
			o2[i] = (motionHigh - motion[i]) * after
			mean := (varHigh - varLow) * around
			o3[i] = mean
			o4[i] = (logVar[i+1] - varLow) * before
			o5[i] = (varHigh - logVar[i]) * after
			o6[i] = (squares[hi]-squares[lo])*around - mean*mean
		}
	}
}
