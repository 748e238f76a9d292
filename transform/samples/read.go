package samples

import (
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// HeartColumns are the columns of stg_day_samples that tell of heart rates, as functions of other models read them.
type HeartColumns struct{ minutes, sums, counts rows.Lists }

// Columns returns them by name, to be bound.
func (h *HeartColumns) Columns() map[string]any {
	return map[string]any{
		"heart_rate_minutes": &h.minutes, "heart_rate_sums_bpm": &h.sums, "heart_rate_sample_counts": &h.counts,
	}
}

// At returns the heart rates of a row.
func (h *HeartColumns) At(row int) Heart {
	return Heart{Minutes: Minutes(h.minutes.At(row)), sums: h.sums.At(row), counts: h.counts.At(row)}
}

// From returns the heart rates of a row whose lists hold, but for the minutes, the part of the date that begins at a place.
func (h *HeartColumns) From(place, row int) Heart {
	heart := h.At(row)
	heart.Minutes = heart.Minutes[place:][:len(heart.sums)]
	return heart
}

// A Heart is a person's heart rate on a date, minute by minute. What it holds goes with the batch it came from.
type Heart struct {
	Minutes      []int32 // since 1970-01-01 UTC, in order
	sums, counts []int32 // no counts: one sample in each minute
}

// Sum returns the sum of the samples of the minute at a place.
func (h Heart) Sum(i int) int32 { return h.sums[i] }

// Count returns how many samples the minute at a place has.
func (h Heart) Count(i int) int32 {
	if len(h.counts) == 0 {
		return 1
	}
	return h.counts[i]
}

// Mean returns the mean of the minute at a place.
func (h Heart) Mean(i int) float64 {
	if len(h.counts) == 0 { // most devices: a date of minutes need not be divided
		return float64(h.sums[i])
	}
	return float64(h.sums[i]) / float64(h.counts[i])
}

// Within returns the places of the minutes of a span.
func (h Heart) Within(span Span) (first, end int) { return span.In(h.Minutes) }

// StepColumns are the columns of stg_day_samples that tell of steps.
type StepColumns struct{ minutes, counts rows.Lists }

// Columns returns them by name, to be bound.
func (s *StepColumns) Columns() map[string]any {
	return map[string]any{"step_minutes": &s.minutes, "step_counts": &s.counts}
}

// At returns the steps of a row.
func (s *StepColumns) At(row int) Walked {
	return Walked{Minutes: Minutes(s.minutes.At(row)), Counts: s.counts.At(row)}
}

// Walked are a person's steps on a date, minute by minute. What it holds goes with the batch it came from.
type Walked struct {
	Minutes []int32 // since 1970-01-01 UTC, in order
	Counts  []int32 // steps; the device's own zeros are zeros
}

// Minutes returns the minutes of a list of stg_day_samples one by one: a negative number stands for so many more, each a
// minute later. What most people's watches measure all day long takes two numbers instead of 1440.
func Minutes(list []int32) []int32 {
	if !slices.ContainsFunc(list, func(v int32) bool { return v < 0 }) {
		return list
	}
	n := 0
	for _, v := range list {
		n += int(max(1, -v))
	}
	minutes := make([]int32, 0, n)
	for _, v := range list {
		if v >= 0 {
			minutes = append(minutes, v)
			continue
		}
		last := minutes[len(minutes)-1]
		for more := int32(1); more <= -v; more++ {
			minutes = append(minutes, last+more)
		}
	}
	return minutes
}

// Seek returns the place of a minute among minutes in order, where it is looked for from a place on, and whether it is there.
func Seek(minutes []int32, from int, minute int32) (at int, found bool) {
	for from < len(minutes) && minutes[from] < minute {
		from++
	}
	return from, from < len(minutes) && minutes[from] == minute
}

// A Span is minutes from the first to before the second.
type Span struct{ From, Until int32 }

// In returns which of minutes in order are the span's: from the first place to before the second.
func (s Span) In(minutes []int32) (first, end int) {
	first, _ = slices.BinarySearch(minutes, s.From)
	end, _ = slices.BinarySearch(minutes, s.Until)
	return first, end
}

// Spans are some of these.
type Spans []Span

// Contain reports whether a minute is in one of them.
func (s Spans) Contain(minute int32) bool {
	for _, span := range s {
		if span.From <= minute && minute < span.Until {
			return true
		}
	}
	return false
}

// SpanColumns are two columns of lists that tell of spans on a date.
type SpanColumns struct {
	froms, untils rows.Lists
	spans         Spans
}

// Columns returns them by name, to be bound: <of>_from_minutes and <of>_until_minutes.
func (s *SpanColumns) Columns(of string) map[string]any {
	return map[string]any{of + "_from_minutes": &s.froms, of + "_until_minutes": &s.untils}
}

// At returns the spans of a row, in the memory of those of the row before.
func (s *SpanColumns) At(row int) Spans {
	s.spans = s.spans[:0]
	untils := s.untils.At(row)
	for i, from := range s.froms.At(row) {
		s.spans = append(s.spans, Span{from, untils[i]})
	}
	return s.spans
}
