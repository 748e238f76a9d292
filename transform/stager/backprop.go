package stager

// back adds to grad, laid out as the layers' own weights, how the loss changes with each weight, and writes how it
// changes with each input of the layer to dx (when there is one to write to).
func (c *convolution) back(grad *convolution, dy, x, dx []float64, t int) {
	for o := range c.out {
		d := dy[o*t:][:t]
		sum := 0.0
		for _, v := range d {
			sum += v
		}
		grad.offsets[o] += sum
		for i := range c.in {
			in := x[i*t:][:t]
			for k := range c.taps {
				w := (o*c.in+i)*c.taps + k
				shift := (k - c.taps/2) * c.dilation
				lo, hi := max(0, -shift), min(t, t-shift)
				if lo >= hi {
					continue
				}
				g, from := d[lo:hi], in[lo+shift:hi+shift]
				sum := 0.0
				if dx == nil {
					for j, v := range g {
						sum += v * from[j]
					}
				} else {
					weight, to := c.weights[w], dx[i*t:][lo+shift:hi+shift]
					for j, v := range g {
						sum += v * from[j]
						to[j] += weight * v
					}
				}
				grad.weights[w] += sum
			}
		}
	}
}

// back sends the loss's change with the scores back through the network and adds up its change with the weights.
func (p *pass) back(layers, grads []convolution, x, dout []float64, scratch *[2][]float64) {
	t := p.t
	dknown, dfresh := resize(scratch[0], channels*t), resize(scratch[1], channels*t)
	scratch[0], scratch[1] = dknown, dfresh
	clear(dknown)
	layers[dilatedLayers+1].back(&grads[dilatedLayers+1], dout, p.known[dilatedLayers], dknown, t)
	for l := dilatedLayers; l >= 0; l-- {
		for c := range channels {
			fresh, d := p.fresh[l][c*t:][:t], dfresh[c*t:][:t]
			for k, v := range dknown[c*t:][:t] {
				v *= p.drops[l][c]
				if fresh[k] < 0 {
					v *= leak
				}
				d[k] = v
			}
		}
		if l == 0 {
			layers[0].back(&grads[0], dfresh, x, nil, t)
			return
		}
		layers[l].back(&grads[l], dfresh, p.known[l-1], dknown, t) // and what passes the layer by stays in dknown
	}
}
