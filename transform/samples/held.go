package samples

import (
	"cmp"
	"math"
	"slices"
)

// A holder tells how long a heart kept each rate on a date.
type holder struct {
	holdMS, holdDenseMS, denseGapMS, spotHoldMS, spotOwnMS float64

	byMinute map[int64]candidate
	samples  []beat
	rates    []rate
	places   []int // in rates, from 1 on, by rate

	last                  beat  // what it comes to shows when the next one is there
	beforeMS              int64 // from the one before the last to it; none = there is none
	minutes, nextMinuteMS int64 // in which samples start; when the one after the last begins
}

const none = -1 // ms to a sample that is not there

// A candidate is a device that measured in a minute.
type candidate struct {
	device     string
	sourceRank int32
}

// A beat is a valid sample of heart rate.
type beat struct {
	atMS     int64
	periodMS int32
	bpm      int32
}

// A rate is a line of a date's histogram.
type rate struct {
	bpm                     int32
	count, heldMS, weightMS int64
}

// A summary is what the date's samples come to besides.
type summary struct {
	measuredMin, refused, lengthMin, spanMS int64
}

// hold returns the histogram of the valid samples of a date, in order of rates.
func (d *holder) hold(hours []*Hour) ([]rate, summary) {
	if len(hours) == 0 {
		return nil, summary{}
	}
	s := summarize(hours)
	d.begin()
	switch {
	case slices.ContainsFunc(hours, func(h *Hour) bool { return h.Device != hours[0].Device }):
		d.findDevices(hours)
		d.addSorted(hours, func(h *Hour, atMS int64) bool { return d.byMinute[floorDiv(atMS, minuteMS)].device == h.Device })
		d.minutes = minutesOfAny(hours)
	case !inTime(hours):
		d.addSorted(hours, func(*Hour, int64) bool { return true })
	default:
		for _, h := range hours {
			d.addHour(h)
		}
	}
	s.measuredMin = d.minutes
	return d.end(), s
}

// inTime reports whether each sample of some hours starts after the one before.
func inTime(hours []*Hour) bool {
	last := int64(math.MinInt64)
	for _, h := range hours {
		if len(h.Values) == 0 {
			continue
		}
		if len(h.OffsetsMS) == len(h.Values) {
			for k := 1; k < len(h.OffsetsMS); k++ {
				if h.OffsetsMS[k] <= h.OffsetsMS[k-1] {
					return false
				}
			}
		} else if h.PeriodMS <= 0 {
			return false
		}
		if h.startMS(0) <= last {
			return false
		}
		last = h.startMS(len(h.Values) - 1)
	}
	return true
}

func (d *holder) begin() {
	d.rates = d.rates[:0]
	clear(d.places)
	d.last, d.beforeMS, d.minutes, d.nextMinuteMS = beat{bpm: none}, none, 0, math.MinInt64
}

// end counts the last sample.
func (d *holder) end() []rate {
	if d.last.bpm != none {
		d.count(&d.last, d.beforeMS, none)
	}
	slices.SortFunc(d.rates, func(a, b rate) int { return cmp.Compare(a.bpm, b.bpm) })
	return d.rates
}

// addSorted adds those samples of hours that count, in the order of time.
func (d *holder) addSorted(hours []*Hour, counts func(h *Hour, atMS int64) bool) {
	d.samples = d.samples[:0]
	for _, h := range hours {
		for k, bpm := range h.Values {
			if at := h.startMS(k); counts(h, at) {
				d.samples = append(d.samples, beat{at, h.PeriodMS, bpm})
			}
		}
	}
	slices.SortFunc(d.samples, func(a, b beat) int {
		// Of two samples at one moment the finer series has the later word.
		return cmp.Or(cmp.Compare(a.atMS, b.atMS), -cmp.Compare(a.periodMS, b.periodMS), cmp.Compare(a.bpm, b.bpm))
	})
	for _, b := range d.samples {
		d.add(b)
	}
}

// addHour adds the samples of an hour, after those of all before. Of a steady series each is followed by the next when it
// ends, and counts at once.
func (d *holder) addHour(h *Hour) {
	if len(h.Values) == 0 {
		return
	}
	d.add(h.beat(0))
	if len(h.OffsetsMS) == len(h.Values) {
		for k := 1; k < len(h.Values); k++ {
			d.add(h.beat(k))
		}
		return
	}
	n, period := len(h.Values), int64(h.PeriodMS)
	if n == 1 {
		return
	}
	held, weight := d.lengths(period, none, period)
	for _, bpm := range h.Values[:n-1] {
		d.rate(bpm).add(held, weight)
	}
	last := h.beat(n - 1)
	if period > minuteMS {
		d.minutes += int64(n - 1)
	} else {
		d.minutes += floorDiv(last.atMS, minuteMS) - floorDiv(d.last.atMS, minuteMS)
	}
	d.nextMinuteMS = (floorDiv(last.atMS, minuteMS) + 1) * minuteMS
	d.last, d.beforeMS = last, period
}

func (h *Hour) beat(k int) beat { return beat{h.startMS(k), h.PeriodMS, h.Values[k]} }

// add adds a sample, and counts the one before.
func (d *holder) add(b beat) {
	if b.atMS >= d.nextMinuteMS {
		d.minutes++
		d.nextMinuteMS = (floorDiv(b.atMS, minuteMS) + 1) * minuteMS
	}
	between := int64(none)
	if d.last.bpm != none {
		between = b.atMS - d.last.atMS
		d.count(&d.last, d.beforeMS, between)
	}
	d.last, d.beforeMS = b, between
}

// count adds a sample to the line of its rate.
func (d *holder) count(b *beat, beforeMS, afterMS int64) {
	held, weight := d.lengths(int64(b.periodMS), beforeMS, afterMS)
	d.rate(b.bpm).add(held, weight)
}

func (r *rate) add(heldMS, weightMS int64) {
	r.count++
	r.heldMS += heldMS
	r.weightMS += weightMS
}

// findDevices finds, for each minute, the device that stands for it: native before imported before typed in, then by
// name. That it was worn each shows by its heart rate.
func (d *holder) findDevices(hours []*Hour) {
	if d.byMinute == nil {
		d.byMinute = map[int64]candidate{}
	}
	clear(d.byMinute)
	for _, h := range hours {
		for k := range h.Values {
			at := h.Place(k, minuteMS)
			best, ok := d.byMinute[at]
			if !ok || h.SourceRank < best.sourceRank || h.SourceRank == best.sourceRank && h.Device < best.device {
				d.byMinute[at] = candidate{h.Device, h.SourceRank}
			}
		}
	}
}

func summarize(hours []*Hour) summary {
	s := summary{lengthMin: minutesOfDay}
	var first, end, firstPlace, lastPlace int64
	var firstOffset, lastOffset int32
	seen := false
	for i, h := range hours {
		s.refused += int64(h.Refused)
		// By time, and of two devices that disagree at one moment always by the same of them.
		place := h.HourUS / 1000
		if len(h.OffsetsMS) > 0 {
			place += int64(h.OffsetsMS[0])
		}
		place = place*4096 + int64(h.UTCOffsetMin) + 2048
		if i == 0 || place < firstPlace {
			firstPlace, firstOffset = place, h.UTCOffsetMin
		}
		if i == 0 || place > lastPlace {
			lastPlace, lastOffset = place, h.UTCOffsetMin
		}
		if len(h.Values) == 0 {
			continue
		}
		from, to := h.startMS(0), h.startMS(len(h.Values)-1)+int64(h.PeriodMS)
		if !seen {
			first, end, seen = from, to, true
		}
		first, end = min(first, from), max(end, to)
	}
	s.lengthMin -= int64(lastOffset - firstOffset)
	s.spanMS = end - first
	return s
}

// minutesOfAny counts the minutes in which a valid sample of any device starts.
func minutesOfAny(hours []*Hour) int64 {
	seen := map[int64]bool{}
	for _, h := range hours {
		for k := range h.Values {
			seen[h.Place(k, minuteMS)] = true
		}
	}
	return int64(len(seen))
}

// rate returns the line of a rate.
func (d *holder) rate(bpm int32) *rate {
	for int(bpm) >= len(d.places) {
		d.places = append(d.places, 0)
	}
	place := &d.places[bpm]
	if *place == 0 {
		d.rates = append(d.rates, rate{bpm: bpm})
		*place = len(d.rates)
	}
	return &d.rates[*place-1]
}

// lengths returns how long a sample was seen, and for how long it stands: until the next, but no longer than it says
// itself; a spot value says nothing, and the rules do.
func (d *holder) lengths(period, before, after int64) (heldMS, weightMS int64) {
	if period > 0 {
		until := period
		if after >= 0 {
			until = min(after, period)
		}
		return min(until, int64(d.holdMS)), min(until, int64(d.spotHoldMS))
	}
	heldMS = min(max(after, 0), int64(d.holdMS))
	if before >= 0 && before <= int64(d.denseGapMS) {
		heldMS = min(max(after, 0), int64(d.holdDenseMS))
	}
	if after >= 0 && after <= int64(d.spotHoldMS) {
		return heldMS, after
	}
	return heldMS, int64(d.spotOwnMS)
}
