package samples

import "github.com/diurna-health/diurna/transform/rows"

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
	return Heart{Minutes: h.minutes.At(row), sums: h.sums.At(row), counts: h.counts.At(row)}
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
func (h Heart) Mean(i int) float64 { return float64(h.Sum(i)) / float64(h.Count(i)) }

// StepColumns are the columns of stg_day_samples that tell of steps.
type StepColumns struct{ minutes, counts rows.Lists }

// Columns returns them by name, to be bound.
func (s *StepColumns) Columns() map[string]any {
	return map[string]any{"step_minutes": &s.minutes, "step_counts": &s.counts}
}

// At returns the steps of a row.
func (s *StepColumns) At(row int) Walked {
	return Walked{Minutes: s.minutes.At(row), Counts: s.counts.At(row)}
}

// Walked are a person's steps on a date, minute by minute. What it holds goes with the batch it came from.
type Walked struct {
	Minutes []int32 // since 1970-01-01 UTC, in order
	Counts  []int32 // steps; the device's own zeros are zeros
}
