package stager

// A confusion counts epochs by what they are (row) and what they were taken for (column).
type confusion [][]float64

func newConfusion(classes int) confusion {
	c := make(confusion, classes)
	for i := range c {
		c[i] = make([]float64, classes)
	}
	return c
}

// add counts epochs that have a label and a stage, each translated to its class.
func (c confusion) add(labels, stages []int, class *[stageCount]int) {
	for i, l := range labels {
		if l != noStage && stages[i] != noStage {
			c[class[l]][class[stages[i]]]++
		}
	}
}

// total returns how many epochs were counted.
func (c confusion) total() float64 {
	n := 0.0
	for _, row := range c {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// accuracy returns the share of epochs that were taken for what they are, 0 of none.
func (c confusion) accuracy() float64 {
	right := 0.0
	for i := range c {
		right += c[i][i]
	}
	return right / max(1, c.total())
}

// kappa returns Cohen's kappa: how far agreement goes beyond what the frequencies alone would give (Cohen 1960). It is 0
// where one class is all there is on both sides.
func (c confusion) kappa() float64 {
	n, expected := max(1, c.total()), 0.0
	for i := range c {
		is, taken := 0.0, 0.0
		for j := range c {
			is += c[i][j]
			taken += c[j][i]
		}
		expected += is / n * taken / n
	}
	if expected >= 1 {
		return 0
	}
	return (c.accuracy() - expected) / (1 - expected)
}

// recall returns the share of a class's epochs that were taken for it, nil when it has none.
func (c confusion) recall(class int) *float64 {
	n := 0.0
	for _, v := range c[class] {
		n += v
	}
	if n == 0 {
		return nil
	}
	share := c[class][class] / n
	return &share
}

// The coarser classes: two are sleep and wake, three tell REM from the rest of sleep.
var (
	fourClasses  = [stageCount]int{0, 1, 2, 3}
	threeClasses = [stageCount]int{0, 1, 1, 2}
	twoClasses   = [stageCount]int{0, 1, 1, 1}
)
