package tracks

import (
	"math"
)

// A Beat is a heart rate at a time.
type Beat struct {
	MS  int64 // since 1970-01-01 UTC
	BPM int32
}

// Held is a heart rate and how long it stood for.
type Held struct {
	Beat
	ForMS int64
}

// Hold lets each heart rate stand until the next or the end, but not for longer than most. What nothing stands for is not
// covered.
func Hold(beats []Beat, endMS, mostMS int64) []Held {
	held := make([]Held, 0, len(beats))
	for i, b := range beats {
		next := endMS
		if i+1 < len(beats) {
			next = min(next, beats[i+1].MS)
		}
		held = append(held, Held{b, min(max(0, next-b.MS), mostMS)})
	}
	return held
}

// Zones are the lower bounds of the five zones, in beats/min. A rate on a bound is in the zone above it.
type Zones [5]float64

// TimeInZones returns the ms in each zone; below the first is in none.
func TimeInZones(held []Held, zones Zones) (ms [5]int64) {
	for _, h := range held {
		for z := len(zones) - 1; z >= 0; z-- {
			if float64(h.BPM) >= zones[z] {
				ms[z] += h.ForMS
				break
			}
		}
	}
	return ms
}

// EdwardsTRIMP is minutes in zones, each weighted by the zone's number (Edwards 1993).
func EdwardsTRIMP(minutes [5]float64) (trimp float64) {
	for z, m := range minutes {
		trimp += m * float64(z+1)
	}
	return trimp
}

// A Weighting turns a share of the heart rate reserve into strain.
type Weighting struct{ Factor, Exponent float64 }

// The weightings of Morton and Green, from the lactate of men and of women.
var (
	OfMen   = Weighting{0.64, 1.92}
	OfWomen = Weighting{0.86, 1.67}
)

// TRIMP is the training impulse of Banister, minute by minute and summed: the weight is convex, so the mean of a workout
// would make intervals lighter than they are.
func TRIMP(held []Held, startMS int64, restBPM, maxBPM float64, w Weighting) (trimp float64) {
	for i := 0; i < len(held); {
		minute := (held[i].MS - startMS) / 60_000
		var forMS, beats float64
		for ; i < len(held) && (held[i].MS-startMS)/60_000 == minute; i++ {
			forMS += float64(held[i].ForMS)
			beats += float64(held[i].ForMS) * float64(held[i].BPM)
		}
		if forMS == 0 {
			continue
		}
		x := min(1, max(0, (beats/forMS-restBPM)/(maxBPM-restBPM)))
		trimp += forMS / 60_000 * x * w.Factor * math.Exp(w.Exponent*x)
	}
	return trimp
}

// MeanBPM is the mean heart rate by the time each stood for; false when none did.
func MeanBPM(held []Held) (bpm float64, ok bool) {
	var forMS, beats int64
	for _, h := range held {
		forMS += h.ForMS
		beats += h.ForMS * int64(h.BPM)
	}
	if forMS == 0 {
		return 0, false
	}
	return float64(beats) / float64(forMS), true
}
