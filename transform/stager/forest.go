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

// forestBlock is how many epochs all trees look at before they go on: what they read of them stays in the cache.
const forestBlock = 128

// wake writes the probability of wake of each epoch to dst.
func (f *forest) wake(dst []float64, m *wakeInputMaker, all []figure) {
	for from := 0; from < len(dst); from += forestBlock {
		block := dst[from:min(from+forestBlock, len(dst))]
		for i := range block {
			block[i] = f.guess
		}
		row := func(figure int) []float64 { return m.row(all[figure])[from:] }
		for t := range f.trees {
			t := &f.trees[t]
			a, b, c := row(t.figure[0])[:len(block)], row(t.figure[1])[:len(block)], row(t.figure[2])[:len(block)]
			t0, t1, t2 := t.threshold[0], t.threshold[1], t.threshold[2]
			values := t.value // a copy that no store can change
			for i := range block {
				leaf := above(a[i], t0) | above(b[i], t1)<<1 | above(c[i], t2)<<2
				block[i] += values[leaf&(treeLeaves-1)]
			}
		}
		for i, v := range block {
			block[i] = 1 / (1 + math.Exp(-v))
		}
	}
}

// above returns 1 when v is above the threshold and 0 otherwise: the sign of their difference, without a branch that a
// processor would guess wrong half of the time.
func above(v, threshold float64) uint64 { return math.Float64bits(threshold-v) >> 63 }
