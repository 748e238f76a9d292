package heart

import (
	"math"

	"github.com/diurna-health/diurna/transform/samples"
)

// Lock says when a sensor may have taken steps for beats.
type Lock struct {
	StepsPerMin float64 // more than so many
	DistanceBPM float64 // and a heart rate so near to them
	Min         float64 // for so long
}

// LockedMin returns the minutes in which steps may have been taken for beats.
func (l *Lock) LockedMin(heart samples.Heart, walked samples.Walked) (locked int) {
	run, last := 0, int32(math.MinInt32)
	k := 0
	end := func() {
		if run > 0 && float64(run) >= l.Min {
			locked += run
		}
		run = 0
	}
	for i, minute := range walked.Minutes {
		steps := float64(walked.Counts[i])
		if steps <= l.StepsPerMin {
			continue
		}
		at, found := samples.Seek(heart.Minutes, k, minute)
		if k = at; !found {
			continue
		}
		n := float64(heart.Count(k))
		if math.Abs(float64(heart.Sum(k))-steps*n) > l.DistanceBPM*n {
			continue
		}
		if minute != last+1 {
			end()
		}
		run, last = run+1, minute
	}
	end()
	return locked
}
