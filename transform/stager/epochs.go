package stager

import (
	"cmp"
	"math"
	"slices"
)

const epochMS = epochS * 1000

// maxStagedEpochs is how long an episode may be: two days. A longer one is no sleep, and would take memory as it liked.
const maxStagedEpochs = 2 * 86400 / epochS

// An hour is samples of one metric that a device recorded.
type hour struct {
	device    string
	rank      int32 // lower is preferred
	isMotion  bool  // counts, else heart rates
	startMS   int64
	periodMS  int32
	offsetsMS []int32 // one for each value, or the first alone
	values    []int32
}

// epoch returns the epoch since 1970-01-01 UTC in which a sample begins.
func (h *hour) epoch(i int) int64 {
	at := h.startMS
	if len(h.offsetsMS) == len(h.values) {
		at += int64(h.offsetsMS[i])
	} else {
		at += int64(h.offsetsMS[0]) + int64(i)*int64(h.periodMS)
	}
	epoch := at / epochMS
	if at%epochMS < 0 {
		epoch--
	}
	return epoch
}

// An episode is a main sleep, and what devices recorded in the hours it touches.
type episode struct {
	firstEpoch, endEpoch int64 // whole ones, since 1970-01-01 UTC
	hours                []hour

	motion, heart []sum // of its epochs
	night         Night
}

// A sum is what the samples of an epoch come to.
type sum struct{ total, count int64 }

// add adds an hour. Its lists may go when the next hour comes, so they are copied, into the memory of an episode before.
func (e *episode) add(h hour) {
	n := len(e.hours)
	if n < cap(e.hours) {
		e.hours = e.hours[:n+1]
	} else {
		e.hours = append(e.hours, hour{})
	}
	before := e.hours[n]
	h.offsetsMS = append(before.offsetsMS[:0], h.offsetsMS...)
	h.values = append(before.values[:0], h.values...)
	e.hours[n] = h
}

// observe fills the night with what the device that stands for it measured. It reports whether that is enough: a motion
// count in so many percent of the epochs, and a heart rate in so many percent of the minutes.
func (e *episode) observe(sharePct float64) bool {
	n := e.endEpoch - e.firstEpoch
	e.night.MotionCounts, e.night.HeartRate = e.night.MotionCounts[:0], e.night.HeartRate[:0]
	device, ok := e.device()
	if !ok || n <= 0 || n > maxStagedEpochs {
		return false
	}
	e.motion, e.heart = zeroed(e.motion, n), zeroed(e.heart, n)
	for i := range e.hours {
		if h := &e.hours[i]; h.device == device {
			if h.isMotion {
				h.sumInto(e.motion, e.firstEpoch)
			} else {
				h.sumInto(e.heart, e.firstEpoch)
			}
		}
	}
	epochs, minutes := e.fillNight()
	return float64(100*epochs) >= sharePct*float64(n) && float64(200*minutes) >= sharePct*float64(n)
}

// device returns the device that stands for the episode: native before imported before typed in, then the one with most
// motion counts, then the first by name.
func (e *episode) device() (device string, ok bool) {
	type claim struct {
		device string
		rank   int32
		counts int
	}
	var claims []claim
	for i := range e.hours {
		h := &e.hours[i]
		if !h.isMotion {
			continue
		}
		at := slices.IndexFunc(claims, func(c claim) bool { return c.device == h.device })
		if at < 0 {
			at = len(claims)
			claims = append(claims, claim{device: h.device, rank: h.rank})
		}
		claims[at].rank = min(claims[at].rank, h.rank)
		claims[at].counts += len(h.values)
	}
	if len(claims) == 0 {
		return "", false
	}
	return slices.MinFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.counts, a.counts), cmp.Compare(a.device, b.device))
	}).device, true
}

func zeroed(sums []sum, n int64) []sum {
	sums = slices.Grow(sums[:0], int(n))[:n]
	clear(sums)
	return sums
}

// sumInto adds the hour's samples to the epochs in which they begin.
func (h *hour) sumInto(epochs []sum, first int64) {
	for i, v := range h.values {
		if at := h.epoch(i) - first; at >= 0 && at < int64(len(epochs)) {
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
