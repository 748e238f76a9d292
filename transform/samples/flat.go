package samples

import (
	"cmp"
	"slices"
)

// A liner finds stretches in which a device that measures often told one and the same heart rate for long.
type liner struct {
	flatLineMin, samplesPerMin float64

	lines []line
}

// A line is such a stretch.
type line struct {
	startedMS, lengthMS int64
}

// flat returns the stretches of a date's hours. A stretch ends with its hour.
func (l *liner) flat(hours []*Hour) []line {
	l.lines = l.lines[:0]
	for _, h := range hours {
		// Fewer samples than this in an hour cannot make a stretch.
		if float64(h.PeriodMS)*l.samplesPerMin < minuteMS && float64(len(h.Values)) > l.flatLineMin*l.samplesPerMin {
			l.flatIn(h)
		}
	}
	return l.lines
}

func (l *liner) flatIn(h *Hour) {
	if len(h.OffsetsMS) == len(h.Values) && !slices.IsSorted(h.OffsetsMS) {
		h = inOrder(h)
	}
	for from := 0; from < len(h.Values); {
		end := from + 1
		for end < len(h.Values) && h.Values[end] == h.Values[from] {
			end++
		}
		started := h.startMS(from)
		length := h.startMS(end-1) + int64(h.PeriodMS) - started
		if float64(length) > l.flatLineMin*minuteMS && float64(end-from)*minuteMS > float64(length)*l.samplesPerMin {
			l.lines = append(l.lines, line{started, length})
		}
		from = end
	}
}

// inOrder returns the hour with its samples in the order of time.
func inOrder(h *Hour) *Hour {
	places := make([]int, len(h.Values))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(h.OffsetsMS[a], h.OffsetsMS[b]) })
	sorted := *h
	sorted.OffsetsMS, sorted.Values = make([]int32, len(places)), make([]int32, len(places))
	for i, place := range places {
		sorted.OffsetsMS[i], sorted.Values[i] = h.OffsetsMS[place], h.Values[place]
	}
	return &sorted
}
