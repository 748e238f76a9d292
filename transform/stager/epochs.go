package stager

import (
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

const epochMS = epochS * 1000

// maxStagedEpochs is how long an episode may be: two days. A longer one is no sleep, and would take memory as it liked.
const maxStagedEpochs = 2 * 86400 / epochS

// An episode is a main sleep, and what devices recorded in the hours it touches.
type episode struct {
	firstEpoch, endEpoch int64 // whole ones, since 1970-01-01 UTC
	hours                samples.Hours

	motion, heart []sum // of its epochs
	night         Night
}

// A sum is what the samples of an epoch come to.
type sum struct{ total, count int64 }

// observe fills the night with what one device measured, of several as good that with most motion counts. It reports
// whether that is enough: a motion count in so many percent of the epochs, and a heart rate in so many of the minutes.
func (e *episode) observe(sharePct float64) bool {
	n := e.endEpoch - e.firstEpoch
	e.night.MotionCounts, e.night.HeartRate = e.night.MotionCounts[:0], e.night.HeartRate[:0]
	device, ok := samples.PreferredDevice(e.hours, samples.Motion, func(h *samples.Hour) int64 { return int64(len(h.Values)) })
	if !ok || n <= 0 || n > maxStagedEpochs {
		return false
	}
	e.motion, e.heart = zeroed(e.motion, n), zeroed(e.heart, n)
	for i := range e.hours {
		switch h := &e.hours[i]; {
		case h.Device != device:
		case h.Metric == samples.Motion:
			e.sum(h, e.motion)
		default:
			e.sum(h, e.heart)
		}
	}
	epochs, minutes := e.fillNight()
	return float64(100*epochs) >= sharePct*float64(n) && float64(200*minutes) >= sharePct*float64(n)
}

func zeroed(sums []sum, n int64) []sum {
	sums = slices.Grow(sums[:0], int(n))[:n]
	clear(sums)
	return sums
}

// sum adds an hour's samples to the epochs in which they start.
func (e *episode) sum(h *samples.Hour, epochs []sum) {
	for i, v := range h.Values {
		if at := h.Place(i, epochMS) - e.firstEpoch; at >= 0 && at < int64(len(epochs)) {
			epochs[at].total += int64(v)
			epochs[at].count++
		}
	}
}

// fillNight makes the night of the sums, up to the last epoch with a motion count. A heart rate counts where there is one.
// It returns how many epochs have a count, and how many minutes a heart rate.
func (e *episode) fillNight() (epochs, minutes int) {
	lastMinute := int64(math.MinInt64)
	for i, m := range e.motion {
		if m.count == 0 {
			continue
		}
		epochs++
		for len(e.night.MotionCounts) < i {
			e.night.MotionCounts = append(e.night.MotionCounts, math.NaN())
		}
		e.night.MotionCounts = append(e.night.MotionCounts, float64(m.total/m.count))
		if h := e.heart[i]; h.count > 0 {
			e.night.HeartRate = append(e.night.HeartRate, HeartRateSample{
				AtS: float64(i)*epochS + epochS/2, BPM: float64(h.total) / float64(h.count),
			})
			if minute := (e.firstEpoch + int64(i)) / 2; minute != lastMinute {
				minutes, lastMinute = minutes+1, minute
			}
		}
	}
	return epochs, minutes
}
