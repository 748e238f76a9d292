package stager

import (
	"math"
)

// What the network reads of each cell.
const (
	inMotion      = iota // mean log of the activity
	inBurst              // highest log of the sharpened activity
	inVariability        // mean variability
	inRank               // its place among the night's epochs, -1 to 1
	inLogVar             // mean log of the variability, less the night's
	inUnrest             // how far that log goes up and down within 22 min
	inElapsed            // time since the beginning, in 4 h, less 1
	inPresent            // 1; within the night (beyond its ends everything is 0)
	inOnset              // falls from 1 to 1/e within 20 min of the beginning
	inputCount
)

const (
	variabilityFloor = 0.05 // keeps the log of a still heart rate finite
	elapsedUnit      = 4 * 3600 / epochS
	onsetEpochs      = 20 * 60 / epochS
	unrestCells      = 5 // on either side
)

// inputMaker makes the network's inputs of a night's features. It keeps the memory of the last night.
type inputMaker struct {
	sharp, logActivity, logSharp, logVar, rank []float64
	ranker                                     ranker
	sharpener                                  sharpener
	cells                                      []float64 // one input after another
}

// make returns the inputs and how many cells there are. They are valid until the next call.
func (m *inputMaker) make(f Features) (inputs []float64, cells int) {
	n := len(f.Activity)
	m.epochs(f)
	t := (n + cellEpochs - 1) / cellEpochs
	m.cells = resize(m.cells, inputCount*t)
	row := func(i int) []float64 { return m.cells[i*t:][:t] }
	for j := range t {
		lo, hi := j*cellEpochs, min((j+1)*cellEpochs, n)
		var motion, burst, variability, rank, logVar float64
		for i := lo; i < hi; i++ {
			motion += m.logActivity[i]
			burst = max(burst, m.logSharp[i])
			variability += f.HRVariability[i]
			rank += m.rank[i]
			logVar += m.logVar[i]
		}
		share, middle := 1/float64(hi-lo), float64(lo+hi)/2
		row(inMotion)[j] = motion * share
		row(inBurst)[j] = burst
		row(inVariability)[j] = 2*variability*share - 1
		row(inRank)[j] = rank * share
		row(inLogVar)[j] = logVar * share
		row(inElapsed)[j] = middle/elapsedUnit - 1
		row(inPresent)[j] = 1
		row(inOnset)[j] = math.Exp(-middle / onsetEpochs)
	}
	logVar, unrest := row(inLogVar), row(inUnrest)
	for j := range t {
		around := logVar[max(0, j-unrestCells):min(t, j+unrestCells+1)]
		sum, squares := 0.0, 0.0
		for _, v := range around {
			sum += v
			squares += v * v
		}
		mean := sum / float64(len(around))
		unrest[j] = 2*math.Sqrt(max(0, squares/float64(len(around))-mean*mean)) - 1
	}
	return m.cells, t
}

// epochs makes what of an epoch's inputs is known without its cell.
func (m *inputMaker) epochs(f Features) {
	n := len(f.Activity)
	for _, s := range []*[]float64{&m.sharp, &m.logActivity, &m.logSharp, &m.logVar, &m.rank} {
		*s = resize(*s, n)
	}
	if f.Counts == nil {
		m.sharpener.sharpen(m.sharp, f.Activity)
	} else {
		copy(m.sharp, f.Counts)
	}
	mean := 0.0
	for i := range n {
		m.logActivity[i] = math.Log1p(f.Activity[i])
		m.logSharp[i] = math.Log1p(m.sharp[i])
		m.logVar[i] = math.Log(f.HRVariability[i] + variabilityFloor)
		mean += m.logVar[i] / float64(n)
	}
	for i := range m.logVar {
		m.logVar[i] -= mean
	}
	m.ranker.rank(m.rank, f.HRVariability)
}
