package samples

import (
	"cmp"
	"slices"
)

// A liner finds stretches in which a device that measures often told one and the same heart rate for long.
type liner struct {
	flatLineMin, samplesPerMin float64

	samples []beat
	lines   []line
}

// A line is such a stretch.
type line struct {
	startedMS, lengthMS int64
}

// flat returns the stretches of a date's hours. A stretch ends with its hour.
func (l *liner) flat(hours []Hour) []line {
	l.lines = l.lines[:0]
	for i := range hours {
		h := &hours[i]
		// Fewer samples than this in an hour cannot make a stretch.
		if float64(h.PeriodMS)*l.samplesPerMin < minuteMS && float64(len(h.Values)) > l.flatLineMin*l.samplesPerMin {
			l.flatIn(h)
		}
	}
	return l.lines
}

func (l *liner) flatIn(h *Hour) {
	l.samples = l.samples[:0]
	for k, bpm := range h.Values {
		l.samples = append(l.samples, beat{h.startMS(k), h.PeriodMS, bpm})
	}
	byTime := func(a, b beat) int { return cmp.Compare(a.atMS, b.atMS) }
	if !slices.IsSortedFunc(l.samples, byTime) {
		slices.SortStableFunc(l.samples, byTime)
	}
	for from := 0; from < len(l.samples); {
		end := from + 1
		for end < len(l.samples) && l.samples[end].bpm == l.samples[from].bpm {
			end++
		}
		length := l.samples[end-1].atMS + int64(h.PeriodMS) - l.samples[from].atMS
		if float64(length) > l.flatLineMin*minuteMS && float64(end-from)*minuteMS > float64(length)*l.samplesPerMin {
			l.lines = append(l.lines, line{l.samples[from].atMS, length})
		}
		from = end
	}
}
