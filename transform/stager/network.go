package stager

import "math"

// The network reads a night in cells of 2.5 min and tells how likely each stage is: a convolution that gathers the inputs,
// six that look ever further away (1 to 32 cells) and each add to what is known so far, and a weighted sum for each
// stage. It sees more than 2 h in either direction. Its few channels are on purpose: people are few.
const (
	cellEpochs      = 5
	channels        = 12 // a multiple of four: four are made at once
	dilatedLayers   = 6
	taps            = 3
	leak            = 0.1 // slope of the activation below zero
	gatherWeights   = channels * (inputCount*taps + 1)
	dilatedWeights  = channels * (channels*taps + 1)
	outWeights      = stageCount * (channels + 1)
	networkWeights  = gatherWeights + dilatedLayers*dilatedWeights + outWeights
	widestDilation  = 1 << (dilatedLayers - 1)
	minNetworkCells = 2
)

// A convolution is a view of a network's weights: for each output channel, for each input channel its taps, then the
// output channels' offsets.
type convolution struct {
	in, out, taps, dilation int
	weights, offsets        []float64
}

// layersOf cuts a network's weights into its convolutions.
func layersOf(weights []float64) []convolution {
	cut := func(in, out, taps, dilation int) convolution {
		w, b := weights[:in*out*taps], weights[in*out*taps:][:out]
		weights = weights[len(w)+len(b):]
		return convolution{in, out, taps, dilation, w, b}
	}
	layers := []convolution{cut(inputCount, channels, taps, 1)}
	for l := range dilatedLayers {
		layers = append(layers, cut(channels, channels, taps, 1<<l))
	}
	return append(layers, cut(channels, stageCount, 1, 1))
}

// apply writes the convolution of x to y. Both hold one channel after another, t cells each; beyond the ends is zero.
func (c *convolution) apply(y, x []float64, t int) {
	for o := range c.out {
		out := y[o*t:][:t]
		for k := range out {
			out[k] = c.offsets[o]
		}
	}
	if c.taps == 1 {
		c.mix(y, x, t)
		return
	}
	for o := 0; o < c.out; o += 4 {
		for i := range c.in {
			w := func(k int) *[taps]float64 { return (*[taps]float64)(c.weights[((o+k)*c.in+i)*taps:]) }
			addTaps(y[o*t:][:4*t], x[i*t:][:t], w(0), w(1), w(2), w(3), c.dilation)
		}
	}
}

// mix adds weighted copies of the channels.
func (c *convolution) mix(y, x []float64, t int) {
	for o := range c.out {
		out := y[o*t:][:t]
		for i := range c.in {
			w := c.weights[o*c.in+i]
			for k, v := range x[i*t:][:t] {
				out[k] += w * v
			}
		}
	}
}

// addTaps adds three weighted copies of in, d cells apart, to each of four channels of y: what is read once serves all.
func addTaps(y, in []float64, w0, w1, w2, w3 *[taps]float64, d int) {
	t := len(in)
	y0, y1, y2, y3 := y[:t], y[t:][:t], y[2*t:][:t], y[3*t:][:t]
	edge := func(k int) {
		a, b, c := 0.0, in[k], 0.0
		if k >= d {
			a = in[k-d]
		}
		if k+d < t {
			c = in[k+d]
		}
		y0[k] += w0[0]*a + w0[1]*b + w0[2]*c
		y1[k] += w1[0]*a + w1[1]*b + w1[2]*c
		y2[k] += w2[0]*a + w2[1]*b + w2[2]*c
		y3[k] += w3[0]*a + w3[1]*b + w3[2]*c
	}
	for k := range min(d, t) {
		edge(k)
	}
	for k := max(d, t-d); k < t; k++ {
		edge(k)
	}
	n := t - 2*d
	if n <= 0 {
		return
	}
	y0, y1, y2, y3 = y0[d:][:n], y1[d:][:n], y2[d:][:n], y3[d:][:n]
	before, here, after := in[:n], in[d:][:n], in[2*d:][:n]
	for k, b := range here {
		a, c := before[k], after[k]
		y0[k] += w0[0]*a + w0[1]*b + w0[2]*c
		y1[k] += w1[0]*a + w1[1]*b + w1[2]*c
		y2[k] += w2[0]*a + w2[1]*b + w2[2]*c
		y3[k] += w3[0]*a + w3[1]*b + w3[2]*c
	}
}

// A pass is one night on its way through a network, with what learning needs of it.
type pass struct {
	t     int
	known [dilatedLayers + 1][]float64 // after the gathering layer and each of the dilated ones
	fresh [dilatedLayers + 1][]float64 // what each layer made, before it was added
	out   []float64                    // the stages' scores, one stage after another
	drops [dilatedLayers + 1][channels]float64
}

// run sends inputs of t cells through the network. keep scales the channels each layer makes; nil leaves them as they are.
func (p *pass) run(layers []convolution, x []float64, t int, keep func() float64) {
	p.t = t
	for l := range p.known {
		p.known[l], p.fresh[l] = resize(p.known[l], channels*t), resize(p.fresh[l], channels*t)
		layers[l].apply(p.fresh[l], x, t)
		for c := range channels {
			scale := 1.0
			if keep != nil {
				scale = keep()
			}
			p.drops[l][c] = scale
			fresh, known := p.fresh[l][c*t:][:t], p.known[l][c*t:][:t]
			if l == 0 {
				for k, v := range fresh {
					v = max(v, v*leak)
					fresh[k], known[k] = v, v*scale
				}
				continue
			}
			before := p.known[l-1][c*t:][:t]
			for k, v := range fresh {
				v = max(v, v*leak)
				fresh[k], known[k] = v, before[k]+v*scale
			}
		}
		x = p.known[l]
	}
	p.out = resize(p.out, stageCount*t)
	layers[dilatedLayers+1].apply(p.out, x, t)
}

// softmax turns four scores into probabilities.
func softmax(scores [stageCount]float64) (p Probabilities) {
	top := max(scores[0], scores[1], scores[2], scores[3])
	sum := 0.0
	for k, s := range scores {
		p[k] = math.Exp(s - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}
