package regularity

import (
	"cmp"
	"math"
)

// A sleep is one that ended on a date, by whatever device.
type sleep struct {
	night

	lengthMin int
	device    string
	onsetMin  int // since 1970, on the person's clock
}

// precedes reports whether it is the sleep of the date rather than another: the longest is.
func (s *sleep) precedes(other *sleep) bool {
	return cmp.Or(cmp.Compare(other.lengthMin, s.lengthMin), cmp.Compare(s.device, other.device),
		cmp.Compare(s.onsetMin, other.onsetMin)) < 0
}

// habitRules say how many dates back is looked, how many of them must have a night, and which sleep is no nap by its length.
type habitRules struct{ nightCount, nightCountMin, napMaxMin float64 }

// A habit is when a person goes to sleep and wakes; NaN is none.
type habit struct {
	nightCount                int
	onsetMinute, offsetMinute float64
}

// habitOn returns the habit of the dates before one, of nights up to then, and the nights that a later date may need.
func habitOn(rules *habitRules, nights []night, date int32) (h habit, kept []night) {
	kept = forgetNights(nights, date-int32(rules.nightCount)-1)
	h = habit{len(kept), math.NaN(), math.NaN()}
	if len(kept) > 0 && float64(len(kept)) >= rules.nightCountMin {
		onsets, offsets := clockTimes(kept)
		h.onsetMinute, h.offsetMinute = clockMedian(onsets), clockMedian(offsets)
	}
	return h, kept
}
