package stager

import "math"

// The network reads a night in cells of 2 min and tells how likely each stage is: a convolution that gathers the inputs,
// six that look ever further away (1 to 32 cells) and each add to what is known so far, and a weighted sum for each
// stage. It sees 2 h in either direction. Its few channels are on purpose: people are few.
const (
	cellEpochs      = 4
	channels        = 10 // an even number: two are made at once
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
	for o := 0; o < c.out; o += 2 {
		p, q := y[o*t:][:t], y[(o+1)*t:][:t]
		w, v := c.weights[o*c.in*taps:][:c.in*taps], c.weights[(o+1)*c.in*taps:][:c.in*taps]
		for i := range c.in {
			addTaps(p, q, x[i*t:][:t], (*[taps]float64)(w[i*taps:]), (*[taps]float64)(v[i*taps:]), c.dilation)
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

// addTaps adds three weighted copies of in, d cells apart, to each of two outputs: what is read once serves both.
func addTaps(y, z, in []float64, w, v *[taps]float64, d int) {
	t := len(y)
	w0, w1, w2, v0, v1, v2 := w[0], w[1], w[2], v[0], v[1], v[2]
	edge := func(k int) {
		a, c := 0.0, 0.0
		if k >= d {
			a = in[k-d]
		}
		if k+d < t {
			c = in[k+d]
		}
		y[k] += w0*a + w1*in[k] + w2*c
		z[k] += v0*a + v1*in[k] + v2*c
	}
	if t <= 2*d {
		for k := range t {
			edge(k)
		}
		return
	}
	for k := range d {
		edge(k)
		edge(t - 1 - k)
	}
	n := t - 2*d
	p, q, a, b, c := y[d:][:n], z[d:][:n], in[:n], in[d:][:n], in[2*d:][:n]
	for k, b := range b {
		a, c := a[k], c[k]
		p[k] += w0*a + w1*b + w2*c
		q[k] += v0*a + v1*b + v2*c
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
			for k, v := range fresh {
				if v < 0 {
					v *= leak
				}
				fresh[k] = v
				known[k] = v * scale
			}
			if l > 0 {
				for k, v := range p.known[l-1][c*t:][:t] {
					known[k] += v
				}
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
