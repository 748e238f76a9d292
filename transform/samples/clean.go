package samples

import "slices"

// A cleaner takes from an hour of heart rate what no heart can have: values beyond limits, the values by which devices say
// "not measured", and jumps faster than a heart changes.
type cleaner struct {
	lowestBPM, highestBPM, jumpBPMPerS float64

	offsets []int32
}

// clean leaves in the hour what can be true, and counts what it takes out. Most hours are beyond doubt by their lowest and
// highest sample.
func (c *cleaner) clean(h *Hour) {
	if !c.doubts(h) {
		return
	}
	c.offsets = c.offsets[:0]
	n := 0
	for i, v := range h.Values {
		at := h.offsetMS(i)
		switch {
		case float64(v) < c.lowestBPM, float64(v) > c.highestBPM, slices.Contains(h.Sentinels, v):
			continue
		case n > 0 && c.isJump(h.Values[n-1], v, at-int64(c.offsets[n-1])):
			continue
		}
		c.offsets = append(c.offsets, int32(at))
		h.Values[n] = v // what is written was read before
		n++
	}
	if h.Refused = int32(len(h.Values) - n); h.Refused > 0 {
		h.Values = h.Values[:n]
		h.OffsetsMS = append(h.OffsetsMS[:0], c.offsets...)
	}
}

func (c *cleaner) doubts(h *Hour) bool {
	low, high, _ := extent(h.Values)
	return float64(low) < c.lowestBPM || float64(high) > c.highestBPM || c.isJump(low, high, int64(h.PeriodMS)) ||
		slices.ContainsFunc(h.Sentinels, func(s int32) bool { return slices.Contains(h.Values, s) })
}

func (c *cleaner) isJump(from, to int32, inMS int64) bool {
	return float64(max(from-to, to-from))*1000 > c.jumpBPMPerS*float64(inMS)
}
