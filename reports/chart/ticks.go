package chart

// Ticks returns the multiples of one of steps between low and high, both included: of the first step that gives no
// more than limit of them beside the lowest, else of the last. The caller gives the steps in rising order, because
// what is round depends on the unit: 30 minutes is, 50 minutes is not.
func Ticks(low, high float64, limit int, steps ...float64) []float64 {
	var ticks []float64
	for _, step := range steps {
		ticks = ticks[:0]
		for v := float64(int(low/step)) * step; v <= high; v += step {
			if v >= low {
				ticks = append(ticks, v)
			}
		}
		if len(ticks) <= limit+1 {
			return ticks
		}
	}
	return ticks
}
