package syncv1

import (
	"fmt"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// The limits of a batch. They keep a broken or hostile sender from taking more of the pipeline than its share; a watch
// that was offline for weeks stays far below.
const (
	MaxMessageBytes = 16 << 20
	MaxSamples      = 2 << 20                   // values of all series and tracks, intervals of all RR runs
	MaxItems        = 1 << 18                   // parts of all kinds, totals and tracks of workouts included
	MaxSpanMS       = 20 * schemas.MillisPerDay // of one series, so that times within it fit 32 bits
	MaxOffsetMin    = 18 * 60                   // further from UTC than any clock on Earth
)

// The instants that can be written in RFC 3339 at every offset: 0001-01-02 to 9999-12-30.
const (
	minInstantMS = (int64(schemas.MinDate) + 1) * schemas.MillisPerDay
	maxInstantMS = int64(schemas.MaxDate)*schemas.MillisPerDay - 1
)

// A DecodeError says why a message is not a sync batch. It names fields by their path and never tells what stood in
// them, so that it may be logged.
type DecodeError struct {
	Reason schemas.RejectReason
	Detail string
}

// Error returns the detail as a sentence.
func (e *DecodeError) Error() string { return "sync batch: " + e.Detail }

func refuse(reason schemas.RejectReason, format string, args ...any) *DecodeError {
	return &DecodeError{reason, fmt.Sprintf(format, args...)}
}

// check holds a batch to what both forms can carry. Both decoders and both encoders call it: that is why whatever
// decodes can be encoded, and whatever is encoded decodes.
func check(b *Batch) *DecodeError {
	if err := checkSize(b); err != nil {
		return err
	}
	if err := checkHead(b); err != nil {
		return err
	}
	for i := range b.Series {
		if err := checkSeries(&b.Series[i], "series", i); err != nil {
			return err
		}
	}
	for i := range b.SleepSegments {
		s := &b.SleepSegments[i]
		if s.Stage != "" && !slices.Contains(schemas.SleepStages(), s.Stage) {
			return refuse(schemas.RejectDecode, "sleep_segments[%d].stage is not a sleep stage", i)
		}
		if err := checkSpan(s.StartMS, s.EndMS, s.StartOffsetMin, s.EndOffsetMin, "sleep_segments", i); err != nil {
			return err
		}
	}
	for i := range b.RRRuns {
		if err := checkInstant(b.RRRuns[i].StartMS, b.RRRuns[i].OffsetMin, "rr_runs", i, "start"); err != nil {
			return err
		}
	}
	for i := range b.Workouts {
		w := &b.Workouts[i]
		if err := checkSpan(w.StartMS, w.EndMS, w.StartOffsetMin, w.EndOffsetMin, "workouts", i); err != nil {
			return err
		}
		for j := range w.Track {
			if err := checkSeries(&w.Track[j], fmt.Sprintf("workouts[%d].track", i), j); err != nil {
				return err
			}
		}
	}
	for i := range b.Readings {
		if err := checkInstant(b.Readings[i].AtMS, b.Readings[i].OffsetMin, "readings", i, "at"); err != nil {
			return err
		}
	}
	for i := range b.DailySummaries {
		if d := schemas.Date(b.DailySummaries[i].LocalDate); d < schemas.MinDate || d > schemas.MaxDate {
			return refuse(schemas.RejectDecode, "daily_summaries[%d].local_date is not a date", i)
		}
	}
	for i := range b.Events {
		e := &b.Events[i]
		if err := checkSpan(e.StartMS, e.EndMS, e.OffsetMin, e.OffsetMin, "events", i); err != nil {
			return err
		}
	}
	for i := range b.Deletions {
		d := &b.Deletions[i]
		if !isInstant(d.FromMS) || !isInstant(d.ToMS) {
			return refuse(schemas.RejectDecode, "deletions[%d] is not between two instants", i)
		}
	}
	return nil
}

func checkSize(b *Batch) *DecodeError {
	items := len(b.Series) + len(b.SleepSegments) + len(b.RRRuns) + len(b.Workouts) + len(b.Readings) +
		len(b.DailySummaries) + len(b.Events) + len(b.Deletions)
	samples := 0
	for i := range b.Series {
		samples += len(b.Series[i].Values)
	}
	for i := range b.RRRuns {
		samples += len(b.RRRuns[i].IntervalsMS)
	}
	for i := range b.Workouts {
		w := &b.Workouts[i]
		items += len(w.Totals) + len(w.Track)
		for j := range w.Track {
			samples += len(w.Track[j].Values)
		}
	}
	return checkCounts(items, samples)
}

func checkCounts(items, samples int) *DecodeError {
	if items > MaxItems {
		return refuse(schemas.RejectTooManySamples, "more than %d items", MaxItems)
	}
	if samples > MaxSamples {
		return refuse(schemas.RejectTooManySamples, "more than %d samples", MaxSamples)
	}
	return nil
}

func checkHead(b *Batch) *DecodeError {
	switch {
	case b.Source != SourceNative && b.Source != SourceManual && b.Source != SourceImport:
		return refuse(schemas.RejectUnknownSchema, "source is none of native, manual, import")
	case b.Seq > 1<<63-1:
		return refuse(schemas.RejectDecode, "seq does not fit 63 bits")
	case b.Device.Epoch > 1<<31-1:
		return refuse(schemas.RejectDecode, "device.epoch does not fit 31 bits")
	case !isInstant(b.SentAtMS):
		return refuse(schemas.RejectDecode, "sent_at is not an instant")
	case !isOffset(b.OffsetMin):
		return refuse(schemas.RejectDecode, "utc_offset is more than 18 hours")
	}
	return nil
}

func checkSeries(s *Series, path string, i int) *DecodeError {
	if err := checkInstant(s.StartMS, s.OffsetMin, path, i, "start"); err != nil {
		return err
	}
	n := len(s.Values)
	switch {
	case s.PeriodMS < 0 || s.PeriodMS > MaxSpanMS:
		return refuse(schemas.RejectDecode, "%s[%d].period_ms is negative or more than 20 days", path, i)
	case s.AtMS == nil && s.PeriodMS == 0 && n > 1:
		return refuse(schemas.RejectDecode, "%s[%d] has neither a period nor times", path, i)
	case s.AtMS == nil && int64(n)*int64(s.PeriodMS) > MaxSpanMS:
		return refuse(schemas.RejectDecode, "%s[%d] spans more than 20 days", path, i)
	case s.AtMS == nil:
		return nil
	case len(s.AtMS) != n:
		return refuse(schemas.RejectDecode, "%s[%d] has not as many times as values", path, i)
	}
	before := int32(-1)
	for _, at := range s.AtMS {
		if at <= before {
			return refuse(schemas.RejectDecode, "%s[%d] has times that do not rise", path, i)
		}
		before = at
	}
	if int64(before)+int64(s.PeriodMS) > MaxSpanMS {
		return refuse(schemas.RejectDecode, "%s[%d] spans more than 20 days", path, i)
	}
	return nil
}

func checkSpan(startMS, endMS int64, startOffset, endOffset int32, path string, i int) *DecodeError {
	if err := checkInstant(startMS, startOffset, path, i, "start"); err != nil {
		return err
	}
	return checkInstant(endMS, endOffset, path, i, "end")
}

func checkInstant(ms int64, offsetMin int32, path string, i int, field string) *DecodeError {
	if !isInstant(ms) {
		return refuse(schemas.RejectDecode, "%s[%d].%s is not an instant", path, i, field)
	}
	if !isOffset(offsetMin) {
		return refuse(schemas.RejectDecode, "%s[%d].%s has an offset of more than 18 hours", path, i, field)
	}
	return nil
}

func isInstant(ms int64) bool { return ms >= minInstantMS && ms <= maxInstantMS }

func isOffset(minutes int32) bool { return minutes >= -MaxOffsetMin && minutes <= MaxOffsetMin }

// regular reports whether the times say no more than the period does: 0, period, 2*period ...
func regular(atMS []int32, periodMS int32) bool {
	for i, at := range atMS {
		if int64(at) != int64(i)*int64(periodMS) {
			return false
		}
	}
	return true
}
