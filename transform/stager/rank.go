package stager

import "math"

// A ranker says where values stand among each other. It keeps the memory of the last night.
type ranker struct {
	from, to []placed
}

// A placed is a value, as the bits that sort like it, and where it stood.
type placed struct {
	bits uint64
	at   int32
}

// rank writes each value's place among all of them, from -1 to 1; of equal ones the first stands lower. Values are not
// negative. They are sorted digit by digit, the last first.
func (r *ranker) rank(dst, values []float64) {
	const digitBits, digits = 11, 1 << 11
	n := len(values)
	r.from, r.to = resize(r.from, n), resize(r.to, n)
	differ := uint64(0)
	for i, v := range values {
		r.from[i] = placed{math.Float64bits(v), int32(i)}
		differ |= r.from[i].bits ^ r.from[0].bits
	}
	for shift := 0; shift < 64; shift += digitBits {
		if differ>>shift&(digits-1) == 0 {
			continue
		}
		var starts [digits]int32
		for _, p := range r.from {
			starts[p.bits>>shift&(digits-1)]++
		}
		sum := int32(0)
		for b, count := range starts {
			starts[b], sum = sum, sum+count
		}
		for _, p := range r.from {
			b := p.bits >> shift & (digits - 1)
			r.to[starts[b]] = p
			starts[b]++
		}
		r.from, r.to = r.to, r.from
	}
	for k, p := range r.from {
		dst[p.at] = 2*float64(k)/float64(n) - 1
	}
}
