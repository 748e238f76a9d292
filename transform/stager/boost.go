package stager

import (
	"math"
	"math/rand/v2"
	"slices"
)

// How the forest grows: gradient boosting (Friedman 2001) of the log loss by trees that ask the same question of all
// branches, each of some epochs and some figures.
const (
	forestTrees = 60
	treeRate    = 0.25
	treeShare   = 0.5  // of the epochs
	treeFigures = 0.15 // of the figures
	treeRidge   = 5    // added to a leaf's weight
	treeBins    = 32
)

// A grove is what a forest grows on: the figures of all epochs, in bins.
type grove struct {
	edges [][]float64 // of each figure, ascending
	bins  [][]uint8   // of each figure, the epochs' bins
	wake  []bool
}

// plant returns the grove of recordings.
func plant(recordings []Recording, in *inputMaker, m *wakeInputMaker) *grove {
	all := figures()
	columns := make([][]float64, len(all))
	g := &grove{edges: make([][]float64, len(all)), bins: make([][]uint8, len(all))}
	for _, rec := range recordings {
		in.make(rec.Features)
		m.make(rec.Features, in)
		for k, f := range all {
			for i, v := range m.row(f) {
				if rec.labels[i] != noStage {
					columns[k] = append(columns[k], v)
				}
			}
		}
		for _, l := range rec.labels {
			if l != noStage {
				g.wake = append(g.wake, l == wake)
			}
		}
	}
	for k, column := range columns {
		sorted := slices.Sorted(slices.Values(column))
		for b := 1; b < treeBins; b++ {
			edge := sorted[b*len(sorted)/treeBins]
			if len(g.edges[k]) == 0 || edge > g.edges[k][len(g.edges[k])-1] {
				g.edges[k] = append(g.edges[k], edge)
			}
		}
		g.bins[k] = make([]uint8, len(column))
		for i, v := range column {
			at, _ := slices.BinarySearch(g.edges[k], v) // how many edges are smaller
			g.bins[k][i] = uint8(at)
		}
	}
	return g
}

// A slope is the sum of the loss's first and second derivatives over some epochs.
type slope struct{ first, second float64 }

func (s slope) gain() float64 { return s.first * s.first / (s.second + treeRidge) }

// grow returns a forest. The same dice grow the same one.
func (g *grove) grow(dice *rand.Rand) *forest {
	n, awake := len(g.wake), 0.0
	for _, w := range g.wake {
		if w {
			awake++
		}
	}
	awake = min(max(awake, 0.5), float64(n)-0.5) // odds stay finite where all are one
	f := &forest{guess: math.Log(awake / (float64(n) - awake))}
	score, slopes, leaf := slices.Repeat([]float64{f.guess}, n), make([]slope, n), make([]uint8, n)
	used := make([]int32, 0, n)
	candidates := max(1, int(treeFigures*float64(len(g.bins))))
	for range forestTrees {
		used = used[:0]
		for i := range n {
			if dice.Float64() < treeShare {
				used = append(used, int32(i))
			}
			p := 1 / (1 + math.Exp(-score[i]))
			slopes[i] = slope{-p, p * (1 - p)}
			if g.wake[i] {
				slopes[i].first++
			}
		}
		t := g.growTree(used, slopes, leaf, dice.Perm(len(g.bins))[:candidates])
		for i := range score {
			score[i] += t.value[leaf[i]]
		}
		f.trees = append(f.trees, t)
	}
	return f
}

// growTree returns the tree and leaves every epoch's leaf in leaf.
func (g *grove) growTree(used []int32, slopes []slope, leaf []uint8, candidates []int) tree {
	var t tree
	clear(leaf)
	for depth := range treeDepth {
		figure, bin := g.bestQuestion(used, slopes, leaf, candidates, 1<<depth)
		t.figure[depth], t.threshold[depth] = figure, g.edges[figure][bin]
		for i, b := range g.bins[figure] {
			if int(b) > bin {
				leaf[i] |= 1 << depth
			}
		}
	}
	var sums [treeLeaves]slope
	for _, i := range used {
		s := &sums[leaf[i]]
		s.first += slopes[i].first
		s.second += slopes[i].second
	}
	for l, s := range sums {
		t.value[l] = treeRate * s.first / (s.second + treeRidge)
	}
	return t
}

// bestQuestion returns the figure and edge that part the leaves best.
func (g *grove) bestQuestion(used []int32, slopes []slope, leaf []uint8, candidates []int, leaves int) (figure, bin int) {
	best := math.Inf(-1)
	figure = candidates[0]
	for _, k := range candidates {
		if len(g.edges[k]) == 0 {
			continue
		}
		var sums [treeLeaves / 2][treeBins]slope
		bins := g.bins[k]
		for _, i := range used {
			s := &sums[leaf[i]][bins[i]]
			s.first += slopes[i].first
			s.second += slopes[i].second
		}
		var total, below [treeLeaves / 2]slope
		for l := range leaves {
			for _, s := range sums[l] {
				total[l].first += s.first
				total[l].second += s.second
			}
		}
		for b := range g.edges[k] {
			gain := 0.0
			for l := range leaves {
				below[l].first += sums[l][b].first
				below[l].second += sums[l][b].second
				above := slope{total[l].first - below[l].first, total[l].second - below[l].second}
				gain += below[l].gain() + above.gain()
			}
			if gain > best {
				best, figure, bin = gain, k, b
			}
		}
	}
	return figure, bin
}
