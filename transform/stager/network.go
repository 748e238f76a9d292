package stager

import "math"

// The network reads a night in cells of 2 min and tells how likely each stage is: a convolution that gathers the inputs,
// six that look ever further away (1 to 32 cells) and each add to what is known so far, and a weighted sum for each
// stage. It sees 2 h in either direction. Its few channels are on purpose: people are few.
const (
	cellEpochs      = 4
	channels        = 10
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
		for i := range out {
			out[i] = c.offsets[o]
		}
		for i := range c.in {
			in := x[i*t:][:t]
			w := c.weights[(o*c.in+i)*c.taps:][:c.taps]
			if c.taps == 1 {
				for k, v := range in {
					out[k] += w[0] * v
				}
				continue
			}
			addTaps(out, in, w[0], w[1], w[2], c.dilation)
		}
	}
}

// addTaps adds three weighted copies of in, d cells apart, to out.
func addTaps(out, in []float64, before, here, after float64, d int) {
	t := len(out)
	if t <= 2*d {
		for k := range out {
			sum := here * in[k]
			if k >= d {
				sum += before * in[k-d]
			}
			if k+d < t {
				sum += after * in[k+d]
			}
			out[k] += sum
		}
		return
	}
	for k := range d {
		out[k] += here*in[k] + after*in[k+d]
		out[t-1-k] += here*in[t-1-k] + before*in[t-1-k-d]
	}
	n := t - 2*d
	o, a, b, c := out[d:][:n], in[:n], in[d:][:n], in[2*d:][:n]
	for k := range o {
		o[k] += before*a[k] + here*b[k] + after*c[k]
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
