package checker

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// A fact is the smallest thing that was said: one value at one instant, or one item. What does not apply is zero.
type fact struct {
	kind         string
	metric, name string
	at, end      int64 // ms
	period       int32
	offsetMin    int32
	endOffsetMin int32
	date         int32
	value        int64
	text         string
}

// Kinds of rows in bronze, as they are written there.
const (
	kindBatch        = "batch"
	kindSeries       = "series"
	kindSegment      = "sleep_segment"
	kindRRRun        = "rr_run"
	kindWorkout      = "workout"
	kindWorkoutTotal = "workout_total"
	kindWorkoutTrack = "workout_track"
	kindReading      = "reading"
	kindSummary      = "daily_summary"
	kindEvent        = "event"
	kindDeletion     = "deletion"
	kindReject       = "reject"
	kindDeadLetter   = "dead_letter"
)

const noValue = int64(-1) << 62

func valueOf(v *int32) int64 {
	if v == nil {
		return noValue
	}
	return int64(*v)
}

// facts returns how often a batch says each fact.
func (b *Batch) facts() map[fact]int {
	said := map[fact]int{{kind: kindBatch}: 1}
	for i := range b.Series {
		seriesFacts(said, &b.Series[i], kindSeries, "")
	}
	for i := range b.Workouts {
		for j := range b.Workouts[i].Track {
			seriesFacts(said, &b.Workouts[i].Track[j], kindWorkoutTrack, b.Workouts[i].ID)
		}
	}
	b.items(func(f fact) { said[f]++ })
	return said
}

// items calls do with every item of the batch, those of one kind in their order.
func (b *Batch) items(do func(fact)) {
	for _, s := range b.Segments {
		do(fact{kind: kindSegment, at: s.StartMS, end: s.EndMS, offsetMin: s.StartOffsetMin, endOffsetMin: s.EndOffsetMin,
			date: dateOf(s.EndMS, s.EndOffsetMin), text: s.Stage})
	}
	for _, r := range b.RRRuns {
		f := fact{kind: kindRRRun, at: r.StartMS, end: r.StartMS, offsetMin: r.OffsetMin, date: dateOf(r.StartMS, r.OffsetMin)}
		for _, ms := range r.IntervalsMS {
			f.end += int64(ms)
		}
		f.text = sumOf(r.IntervalsMS)
		do(f)
	}
	for _, w := range b.Workouts {
		whole := fact{kind: kindWorkout, name: w.ID, at: w.StartMS, end: w.EndMS, offsetMin: w.StartOffsetMin,
			endOffsetMin: w.EndOffsetMin, date: dateOf(w.StartMS, w.StartOffsetMin), text: w.Sport, value: noValue}
		do(whole)
		for metric, value := range w.Totals {
			total := whole
			total.kind, total.metric, total.text, total.value = kindWorkoutTotal, metric, "", int64(value)
			do(total)
		}
	}
	for _, r := range b.Readings {
		do(fact{kind: kindReading, metric: r.Metric, at: r.TimeMS, offsetMin: r.OffsetMin,
			date: dateOf(r.TimeMS, r.OffsetMin), value: int64(r.Value)})
	}
	for _, s := range b.Summaries {
		do(fact{kind: kindSummary, metric: s.Metric, date: s.Date, value: int64(s.Value)})
	}
	for _, e := range b.Events {
		do(fact{kind: kindEvent, metric: e.Kind, name: e.Name, at: e.StartMS, end: e.EndMS, offsetMin: e.OffsetMin,
			date: dateOf(e.StartMS, e.OffsetMin), value: valueOf(e.Value), text: e.Text})
	}
	for _, d := range b.Deletions {
		f := fact{kind: kindDeletion, metric: d.Metric, at: d.FromMS, end: d.ToMS}
		if d.AllDevices {
			f.name = "all"
		}
		do(f)
	}
}

func seriesFacts(said map[fact]int, s *Series, kind, name string) {
	s.each(func(at int64, value int32) {
		said[fact{kind: kind, metric: s.Metric, name: name, at: at, period: s.PeriodMS, offsetMin: s.OffsetMin,
			date: dateOf(at, s.OffsetMin), value: int64(value)}]++
	})
}

// sumOf is a fingerprint of a list.
func sumOf(values []int32) string {
	h := sha256.New()
	for _, v := range values {
		h.Write(append(strconv.AppendInt(nil, int64(v), 10), ','))
	}
	return hex.EncodeToString(h.Sum(nil))
}
