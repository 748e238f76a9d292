package stager

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGradientsAreSlopes nudges weights and looks whether the loss follows.
func TestGradientsAreSlopes(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 5))
	l := newLearner(dice)
	const cells = 70 // longer than the widest layer reaches, and 2*32 > 70-2*32
	l.varied = example{make([]float64, inputCount*cells), make([]Probabilities, cells)}
	for i := range l.varied.inputs {
		l.varied.inputs[i] = dice.NormFloat64()
	}
	for j := range l.varied.targets {
		l.varied.targets[j][dice.IntN(stageCount)] = 0.75
	}
	loss := func() float64 {
		l.pass.run(l.layers, l.varied.inputs, cells, nil)
		sum := 0.0
		for j, target := range l.varied.targets {
			out := l.pass.out
			p := softmax([stageCount]float64{out[j], out[cells+j], out[2*cells+j], out[3*cells+j]})
			for k, share := range target {
				sum -= share * math.Log(p[k]) / lossCells
			}
		}
		return sum
	}
	l.see(nil)
	for range 200 {
		i := dice.IntN(networkWeights)
		const nudge = 1e-5
		weight := l.weights[i]
		l.weights[i] = weight + nudge
		above := loss()
		l.weights[i] = weight - nudge
		below := loss()
		l.weights[i] = weight
		near(t, "gradient", l.grad[i], (above-below)/(2*nudge), 1e-7)
	}
}

// TestAForestLearnsAQuestion grows on one figure that decides.
func TestAForestLearnsAQuestion(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(6, 6))
	rec := Recording{Person: "p", labels: make([]int, 2000)}
	n := len(rec.labels)
	rec.Features = Features{Activity: make([]float64, n), HRVariability: make([]float64, n), Observed: make([]bool, n)}
	for i := range n {
		rec.Features.Activity[i], rec.Features.HRVariability[i], rec.Features.Observed[i] = dice.Float64(), dice.Float64(), true
		rec.labels[i] = light
		if rec.Features.HRVariability[i] > 0.8 {
			rec.labels[i] = wake
		}
	}
	var in inputMaker
	var m wakeInputMaker
	f := plant([]Recording{rec}, &in, &m).grow(dice)
	p := make([]float64, n)
	f.wake(p, &m, figures())
	wrong := 0
	for i, l := range rec.labels {
		if (p[i] > 0.5) != (l == wake) {
			wrong++
		}
	}
	if wrong > n/25 {
		t.Errorf("%d of %d epochs are taken for the wrong one", wrong, n)
	}
}
