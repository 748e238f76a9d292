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
}

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
	shared := slices.ContainsFunc(hours, func(h *Hour) bool { return h.Device != hours[0].Device })
	if shared {
		d.findDevices(hours)
	}
	d.samples = d.samples[:0]
	last, inOrder := int64(math.MinInt64), true
	for _, h := range hours {
		for k, bpm := range h.Values {
			at := h.startMS(k)
			if shared && d.byMinute[floorDiv(at, minuteMS)].device != h.Device {
				continue
			}
			d.samples = append(d.samples, beat{at, h.PeriodMS, bpm})
			last, inOrder = at, inOrder && at > last
		}
	}
	if !inOrder {
		slices.SortFunc(d.samples, func(a, b beat) int {
			// Of two samples at one moment the finer series has the later word.
			return cmp.Or(cmp.Compare(a.atMS, b.atMS), -cmp.Compare(a.periodMS, b.periodMS), cmp.Compare(a.bpm, b.bpm))
		})
	}
	s.measuredMin = minutesWith(hours, d.samples, shared)
	return d.histogram(), s
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

// minutesWith counts the minutes in which a valid sample of any device starts.
func minutesWith(hours []*Hour, inTime []beat, shared bool) int64 {
	if !shared {
		n, next := int64(0), int64(math.MinInt64) // next: when the minute after the last begins
		for _, b := range inTime {
			if b.atMS >= next {
				n, next = n+1, (floorDiv(b.atMS, minuteMS)+1)*minuteMS
			}
		}
		return n
	}
	seen := map[int64]bool{}
	for _, h := range hours {
		for k := range h.Values {
			seen[h.Place(k, minuteMS)] = true
		}
	}
	return int64(len(seen))
}

// histogram adds up the samples by rate.
func (d *holder) histogram() []rate {
	d.rates = d.rates[:0]
	clear(d.places)
	for i, b := range d.samples {
		before, after := int64(-1), int64(-1) // -1 = there is none
		if i > 0 {
			before = b.atMS - d.samples[i-1].atMS
		}
		if i+1 < len(d.samples) {
			after = d.samples[i+1].atMS - b.atMS
		}
		held, weight := d.lengths(int64(b.periodMS), before, after)
		r := d.rate(b.bpm)
		r.count++
		r.heldMS += held
		r.weightMS += weight
	}
	slices.SortFunc(d.rates, func(a, b rate) int { return cmp.Compare(a.bpm, b.bpm) })
	return d.rates
}

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
