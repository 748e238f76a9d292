package stager

import (
	"context"
	"math"
	"math/rand/v2"
)

// How the network learns. Twenty people are few: each night is seen a little differently every time, in length, level and
// noise, and the weights that count are a running mean.
const (
	trainingRounds = 120 // times every night is seen
	batchNights    = 4
	learningRate   = 0.01
	weightDecay    = 0.05
	runningMean    = 0.95
	dropShare      = 0.1 // of the channels, left out
	trimCells      = 5   // at most, from either end
	warpLog        = 0.1 // standard deviations of what varies between two looks at a night
	noiseLevel     = 0.1
	motionLog      = 0.15
	variabilityLog = 0.1
	variabilityOff = 0.1
	elapsedOff     = 0.03
	lossCells      = 180 // the cells of a night of 7.5 h; keeps the size of a step with a night's length
	gradientLimit  = 1
)

// An example is a night as the network learns from it.
type example struct {
	inputs  []float64
	targets []Probabilities // of a cell: the share of its epochs in each stage; less than 1 where not all were scored
}

func newExample(rec Recording, m *inputMaker) example {
	inputs, t := m.make(rec.Features)
	e := example{append([]float64(nil), inputs...), make([]Probabilities, t)}
	for i, l := range rec.labels {
		if l != noStage {
			e.targets[i/cellEpochs][l] += 1.0 / cellEpochs
		}
	}
	return e
}

// vary returns the night as it might have been: cut, stretched, louder, noisier.
func (e *example) vary(dice *rand.Rand, into *example) {
	t := len(e.targets)
	trim := min(trimCells, t/8)
	lo, hi := float64(dice.IntN(trim+1)), float64(t-1-dice.IntN(trim+1))
	n := max(minNetworkCells, int((hi-lo)*math.Exp(dice.NormFloat64()*warpLog))+1)
	into.inputs, into.targets = resize(into.inputs, inputCount*n), resize(into.targets, n)
	motion := math.Exp(dice.NormFloat64() * motionLog)
	variability, off := math.Exp(dice.NormFloat64()*variabilityLog), dice.NormFloat64()*variabilityOff
	elapsed := dice.NormFloat64() * elapsedOff
	for j := range n {
		at := lo + (hi-lo)*float64(j)/float64(n-1)
		left := min(int(at), t-2)
		share := at - float64(left)
		into.targets[j] = e.targets[int(at+0.5)]
		for i := range inputCount {
			v := e.inputs[i*t+left]*(1-share) + e.inputs[i*t+left+1]*share
			switch i {
			case inMotion, inBurst:
				v *= motion
			case inVariability, inLogVar:
				v = v*variability + off
			case inElapsed:
				v += elapsed
			}
			into.inputs[i*n+j] = v + dice.NormFloat64()*noiseLevel
		}
	}
}

// learn returns the weights of a network that has seen the examples. The same dice give the same weights.
func learn(ctx context.Context, examples []example, dice *rand.Rand, rounds int) ([]float64, error) {
	l := newLearner(dice)
	steps := rounds * ((len(examples) + batchNights - 1) / batchNights)
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		order := dice.Perm(len(examples))
		for len(order) > 0 {
			batch := order[:min(batchNights, len(order))]
			order = order[len(batch):]
			for _, i := range batch {
				examples[i].vary(dice, &l.varied)
				l.see(dice)
			}
			done := float64(l.steps+1) / float64(steps)
			l.step(learningRate * min(1, 10*done) * (0.5 + 0.5*math.Cos(math.Pi*done)))
		}
	}
	return l.mean, nil
}

// A learner is a network while it learns (Adam; Kingma and Ba 2015, with weight decay apart from it).
type learner struct {
	weights, grad, mean, first, second []float64
	layers, grads                      []convolution
	steps                              int

	pass    pass
	varied  example
	dout    []float64
	scratch [2][]float64
}

func newLearner(dice *rand.Rand) *learner {
	l := &learner{}
	for _, s := range []*[]float64{&l.weights, &l.grad, &l.mean, &l.first, &l.second} {
		*s = make([]float64, networkWeights)
	}
	l.layers, l.grads = layersOf(l.weights), layersOf(l.grad)
	for i, c := range l.layers {
		gain := 0.7
		switch i {
		case 0:
			gain = 1
		case dilatedLayers + 1:
			gain = 0.3
		}
		for k := range c.weights {
			c.weights[k] = gain * dice.NormFloat64() / math.Sqrt(float64(c.in*c.taps))
		}
	}
	return l
}

// see adds what the varied night says about the weights to the gradient: cross entropy of cells. Without dice every
// channel takes part.
func (l *learner) see(dice *rand.Rand) {
	t := len(l.varied.targets)
	keep := func() float64 {
		if dice.Float64() < dropShare {
			return 0
		}
		return 1 / (1 - dropShare)
	}
	if dice == nil {
		keep = nil // leave nothing out
	}
	l.pass.run(l.layers, l.varied.inputs, t, keep)
	l.dout = resize(l.dout, stageCount*t)
	for j, target := range l.varied.targets {
		p := softmax([stageCount]float64{l.pass.out[j], l.pass.out[t+j], l.pass.out[2*t+j], l.pass.out[3*t+j]})
		scored := target[0] + target[1] + target[2] + target[3]
		for k := range p {
			l.dout[k*t+j] = (p[k]*scored - target[k]) / lossCells
		}
	}
	l.pass.back(l.layers, l.grads, l.varied.inputs, l.dout, &l.scratch)
}

// step moves the weights against the gradient, which begins anew.
func (l *learner) step(rate float64) {
	const keepFirst, keepSecond, tiny = 0.9, 0.99, 1e-8
	l.steps++
	size := 0.0
	for _, g := range l.grad {
		size += g * g
	}
	scale := min(1, gradientLimit/math.Sqrt(max(size, tiny)))
	unbias1, unbias2 := 1-math.Pow(keepFirst, float64(l.steps)), 1-math.Pow(keepSecond, float64(l.steps))
	keep := min(runningMean, float64(l.steps)/float64(l.steps+10))
	for i, g := range l.grad {
		g *= scale
		l.first[i] = keepFirst*l.first[i] + (1-keepFirst)*g
		l.second[i] = keepSecond*l.second[i] + (1-keepSecond)*g*g
		l.weights[i] -= rate * (l.first[i]/unbias1/(math.Sqrt(l.second[i]/unbias2)+tiny) + weightDecay*l.weights[i])
		l.mean[i] = keep*l.mean[i] + (1-keep)*l.weights[i]
		l.grad[i] = 0
	}
}
