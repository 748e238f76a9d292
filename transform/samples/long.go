package samples

// An amount is counted over a time: what it comes to in a part of it is a part of it.
func (m Metric) isAmount() bool {
	return m == Steps || m == Distance || m == Floors || m == ActiveEnergy
}

// coveredMin returns for how many minutes what was sampled in one stands. Amounts and classes have been given to each of
// theirs, and a heart beats on unheard.
func (m Metric) coveredMin(t *tally) int {
	if m.isAmount() || m == Intensity || m == HeartRate {
		return 1
	}
	return int(max(t.periodMS, minuteMS) / minuteMS)
}

// isLong reports whether the hour has samples that are given to more minutes than those they start in.
func (h *Hour) isLong() bool {
	return h.Metric.isAmount() && h.PeriodMS > minuteMS || h.Metric == Intensity && h.PeriodMS >= 2*minuteMS
}

// addLong counts the samples of an hour for all minutes that they were taken over, but for those of the next date.
func (t *track) addLong(h *Hour, first int64) {
	for i, v := range h.Values {
		from := h.startMS(i)
		until := min(from+int64(h.PeriodMS), h.midnightMS(from))
		if t.metric.isAmount() {
			t.share(h, v, from, until, first)
		} else {
			t.repeat(h, v, from, until, first)
		}
	}
}

// share adds to each minute of a time its part of an amount. Nothing is lost in rounding: a minute has what was counted until
// its end less what was until its start.
func (t *track) share(h *Hour, amount int32, fromMS, untilMS, first int64) {
	given := int32(0)
	for minute := floorDiv(fromMS, minuteMS); minute*minuteMS < untilMS; minute++ {
		end := min((minute+1)*minuteMS, untilMS)
		counted := int32(int64(amount) * (end - fromMS) / (untilMS - fromMS))
		t.minutes[minute-first].add([]int32{counted - given}, h)
		given = counted
	}
}

// repeat adds a class to each whole minute that it was told for, from the minute on in which it starts.
func (t *track) repeat(h *Hour, class int32, fromMS, untilMS, first int64) {
	minute := floorDiv(fromMS, minuteMS)
	for range max(1, (untilMS-fromMS)/minuteMS) {
		t.minutes[minute-first].add([]int32{class}, h)
		minute++
	}
}

// midnightMS returns when the person's date of a moment ends.
func (h *Hour) midnightMS(ms int64) int64 {
	const dayMS = minutesOfDay * minuteMS
	offset := int64(h.UTCOffsetMin) * minuteMS
	return (floorDiv(ms+offset, dayMS)+1)*dayMS - offset
}
