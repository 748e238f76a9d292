package stager

import "math"

// The forest tells how likely an epoch is wake: the logistic of a sum of small trees. Each asks three questions, the
// same of every epoch, and has a value for each of the eight answers.
const (
	treeDepth  = 3
	treeLeaves = 1 << treeDepth
)

type tree struct {
	figure    [treeDepth]int // of figures()
	threshold [treeDepth]float64
	value     [treeLeaves]float64
}

// A forest is trees on top of a first guess, all in log odds.
type forest struct {
	guess float64
	trees []tree
}

// wake writes the probability of wake of each epoch to dst.
func (f *forest) wake(dst []float64, m *wakeInputMaker, all []figure) {
	for i := range dst {
		dst[i] = f.guess
	}
	for t := range f.trees {
		t := &f.trees[t]
		a, b, c := m.row(all[t.figure[0]])[:len(dst)], m.row(all[t.figure[1]])[:len(dst)], m.row(all[t.figure[2]])[:len(dst)]
		for i := range dst {
			leaf := above(a[i], t.threshold[0]) | above(b[i], t.threshold[1])<<1 | above(c[i], t.threshold[2])<<2
			dst[i] += t.value[leaf&(treeLeaves-1)]
		}
	}
	for i, v := range dst {
		dst[i] = 1 / (1 + math.Exp(-v))
	}
}

// above returns 1 when v is above the threshold and 0 otherwise: the sign of their difference, without a branch that a
// processor would guess wrong half of the time.
func above(v, threshold float64) uint64 { return math.Float64bits(threshold-v) >> 63 }
