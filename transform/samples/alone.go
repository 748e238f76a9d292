package samples

import "slices"

// take takes the samples of a date on which each metric is of one device, whose hours come one after the other: what most
// dates are. It reports whether this is one; if not, what it chose is to be chosen anew.
func (d *day) take(hours []Hour) bool {
	for m := range d.chosen {
		d.chosen[m].clear()
	}
	var devices [metricCount]string
	for i := range hours {
		h := &hours[i]
		if !h.isOfMinutes() {
			continue
		}
		if h.Metric == StepCounter || h.isLong() {
			return false
		}
		s := &d.chosen[h.Metric]
		if len(s.minutes) == 0 {
			devices[h.Metric] = h.Device
		}
		if devices[h.Metric] != h.Device || !s.follow(h) {
			return false
		}
	}
	return true
}

// follow adds the minutes of an hour, unless one of them was there already or lies before another.
func (s *series) follow(h *Hour) bool {
	first := int32(h.firstMinute())
	if n := len(s.minutes); n > 0 && s.minutes[n-1] >= first {
		return false
	}
	n := len(s.minutes)
	if h.isByMinute() {
		s.followMinutes(h, first)
	} else if !s.followSamples(h) {
		return false
	}
	n = len(s.minutes) - n
	s.foreign = extend(s.foreign, n, 0)
	if h.SourceRank > nativeRank {
		copy(s.foreign[len(s.foreign)-n:], s.sums[len(s.sums)-n:])
		s.hasForeign = s.hasForeign || slices.ContainsFunc(s.foreign, func(v int32) bool { return v != 0 })
	}
	s.coveredMin = extend(s.coveredMin, n, max(h.PeriodMS, minuteMS)/minuteMS)
	s.offsetsMin = extend(s.offsetsMin, n, h.UTCOffsetMin)
	s.periodMost = max(s.periodMost, h.PeriodMS)
	return true
}

// isByMinute reports whether the hour has one sample a minute, one minute after the other.
func (h *Hour) isByMinute() bool { return h.PeriodMS == minuteMS && len(h.OffsetsMS) != len(h.Values) }

func (s *series) followMinutes(h *Hour, first int32) {
	for i := range h.Values {
		s.minutes = append(s.minutes, first+int32(i))
	}
	s.sums, s.mins, s.maxs = append(s.sums, h.Values...), append(s.mins, h.Values...), append(s.maxs, h.Values...)
	s.counts = extend(s.counts, len(h.Values), 1)
	s.samplesMost = max(s.samplesMost, 1)
}

func (s *series) followSamples(h *Hour) bool {
	base := int32(floorDiv(h.HourUS, minuteUS))
	last := int32(-1) // minute of the hour
	if n := len(s.minutes); n > 0 {
		last = s.minutes[n-1] - base
	}
	for minute, values := range h.places(minuteMS) {
		if minute <= last {
			return false
		}
		low, high, sum := extent(values)
		count := int32(len(values))
		s.minutes, s.sums, s.counts = append(s.minutes, base+minute), append(s.sums, sum), append(s.counts, count)
		s.mins, s.maxs = append(s.mins, low), append(s.maxs, high)
		s.samplesMost = max(s.samplesMost, count)
		last = minute
	}
	return true
}

// extend appends a value n times.
func extend(values []int32, n int, v int32) []int32 {
	at := len(values)
	values = slices.Grow(values, n)[:at+n]
	for i := at; i < len(values); i++ {
		values[i] = v
	}
	return values
}
