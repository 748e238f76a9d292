package ingest

import (
	"slices"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// The longest an item may be. A longer one is two events whose end and start got lost.
const (
	longestSleepMS   = 36 * hourMS // a segment, or an unbroken run of heart beats
	longestWorkoutMS = syncv1.MaxSpanMS
)

// What a deletion may name besides a metric.
const (
	deletesSleepSegments = "sleep_segments"
	deletesRRRuns        = "rr_runs"
	deletesWorkouts      = "workouts"
	deletesEvents        = "events"
)

// deletesAllDevices in a deletion's name column says that it is not limited to the device that sent it.
const deletesAllDevices = "all"

// furthestEastMin is the offset at which a new date begins first on Earth.
const furthestEastMin = 14 * 60

func (m *mapping) items(b *syncv1.Batch) {
	for i := range b.SleepSegments {
		m.sleepSegment(&b.SleepSegments[i])
	}
	for i := range b.RRRuns {
		m.rrRun(&b.RRRuns[i])
	}
	for i := range b.Workouts {
		m.workout(&b.Workouts[i])
	}
	for i := range b.Readings {
		m.reading(&b.Readings[i])
	}
	for i := range b.DailySummaries {
		m.dailySummary(&b.DailySummaries[i])
	}
	for i := range b.Events {
		m.event(&b.Events[i])
	}
	for i := range b.Deletions {
		m.deletion(&b.Deletions[i])
	}
}

// gate returns why the span [start, end) cannot be, for its time or its length; longest 0 = any length.
func (m *mapping) gate(startMS, endMS, longest int64) schemas.RejectReason {
	switch {
	case startMS < earliestMS:
		return schemas.RejectAncientTime
	case startMS > m.latestMS || endMS > m.latestMS:
		return schemas.RejectFutureTime
	case endMS <= startMS || endMS-startMS > longest:
		return schemas.RejectInterval
	default:
		return ""
	}
}

// gateInstant is gate for what has no length.
func (m *mapping) gateInstant(ms int64) schemas.RejectReason {
	switch {
	case ms < earliestMS:
		return schemas.RejectAncientTime
	case ms > m.latestMS:
		return schemas.RejectFutureTime
	default:
		return ""
	}
}

func (m *mapping) sleepSegment(s *syncv1.SleepSegment) {
	reason := m.gate(s.StartMS, s.EndMS, longestSleepMS)
	if reason == "" && s.Stage == "" {
		reason = schemas.RejectUnknownSchema
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindSleepSegment, reason: reason, count: 1,
			startMS: s.StartMS, endMS: s.EndMS, offsetMin: s.StartOffsetMin})
		return
	}
	row := m.add(schemas.KindSleepSegment)
	row.StartAt = m.time(s.StartMS)
	row.EndAt = m.time(s.EndMS)
	row.UTCOffsetMin = s.StartOffsetMin
	row.EndUTCOffsetMin = s.EndOffsetMin
	row.LocalDate = m.date(schemas.DateOf(s.EndMS, s.EndOffsetMin))
	row.Text = string(s.Stage)
}

// rrRun takes a run whole or not at all: an interval taken out would move all that follow it.
func (m *mapping) rrRun(r *syncv1.RRRun) {
	if len(r.IntervalsMS) == 0 {
		return
	}
	endMS, possible := r.StartMS, true
	for _, ms := range r.IntervalsMS {
		endMS += int64(ms)
		possible = possible && ms > 0
	}
	reason := m.gateInstant(r.StartMS)
	switch {
	case reason != "":
	case !possible:
		reason = schemas.RejectValueRange
	default:
		reason = m.gate(r.StartMS, endMS, longestSleepMS)
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindRRRun, reason: reason, count: len(r.IntervalsMS),
			startMS: r.StartMS, endMS: max(r.StartMS, endMS), offsetMin: r.OffsetMin})
		return
	}
	row := m.add(schemas.KindRRRun)
	row.StartAt = m.time(r.StartMS)
	row.EndAt = m.time(endMS)
	row.UTCOffsetMin = r.OffsetMin
	row.LocalDate = m.date(schemas.DateOf(r.StartMS, r.OffsetMin))
	row.Values = r.IntervalsMS
}

func (m *mapping) workout(w *syncv1.Workout) {
	reason := m.gate(w.StartMS, w.EndMS, longestWorkoutMS)
	if reason == "" && w.ID == "" {
		reason = schemas.RejectMissingKey
	}
	if reason != "" {
		count := 1 + len(w.Totals)
		for i := range w.Track {
			count += len(w.Track[i].Values)
		}
		m.setAside(aside{kind: schemas.KindWorkout, reason: reason, count: count,
			startMS: w.StartMS, endMS: w.EndMS, offsetMin: w.StartOffsetMin})
		return
	}
	row := m.add(schemas.KindWorkout)
	m.placeWorkout(row, w)
	row.Text = w.Sport
	for i := range w.Totals {
		m.workoutTotal(w, &w.Totals[i])
	}
	for i := range w.Track {
		m.series(&w.Track[i], schemas.KindWorkoutTrack, w.ID)
	}
}

func (m *mapping) placeWorkout(row *schemas.SyncRecord, w *syncv1.Workout) {
	row.Name = w.ID
	row.StartAt = m.time(w.StartMS)
	row.EndAt = m.time(w.EndMS)
	row.UTCOffsetMin = w.StartOffsetMin
	row.EndUTCOffsetMin = w.EndOffsetMin
	row.LocalDate = m.date(schemas.DateOf(w.StartMS, w.StartOffsetMin))
}

func (m *mapping) workoutTotal(w *syncv1.Workout, q *syncv1.Quantity) {
	if reason := judge(q.Metric, schemas.ShapeTotal, q.Value); reason != "" {
		m.setAside(aside{kind: schemas.KindWorkoutTotal, metric: q.Metric, reason: reason, count: 1,
			startMS: w.StartMS, endMS: w.EndMS, offsetMin: w.StartOffsetMin})
		return
	}
	row := m.add(schemas.KindWorkoutTotal)
	m.placeWorkout(row, w)
	row.Metric = q.Metric
	row.Value = &q.Value
}

// judge returns why the value cannot be one of the metric.
func judge(name string, shape schemas.Shape, v int32) schemas.RejectReason {
	metric, reason := lookUp(name, shape)
	if reason == "" && !metric.Plausible(v) {
		reason = schemas.RejectValueRange
	}
	return reason
}

func (m *mapping) reading(r *syncv1.Reading) {
	reason := m.gateInstant(r.AtMS)
	if reason == "" {
		reason = judge(r.Metric, schemas.ShapeReading, r.Value)
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindReading, metric: r.Metric, reason: reason, count: 1,
			startMS: r.AtMS, endMS: r.AtMS, offsetMin: r.OffsetMin})
		return
	}
	row := m.add(schemas.KindReading)
	row.Metric = r.Metric
	row.StartAt = m.time(r.AtMS)
	row.UTCOffsetMin = r.OffsetMin
	row.LocalDate = m.date(schemas.DateOf(r.AtMS, r.OffsetMin))
	row.Value = &r.Value
}

// dailySummary has no instant: it passes the gate when its date has begun somewhere on Earth, for the person may have
// flown west since.
func (m *mapping) dailySummary(d *syncv1.DailySummary) {
	date := schemas.Date(d.LocalDate)
	var reason schemas.RejectReason
	switch {
	case date < schemas.DateOf(earliestMS, 0):
		reason = schemas.RejectAncientTime
	case date > schemas.DateOf(m.latestMS, furthestEastMin):
		reason = schemas.RejectFutureTime
	default:
		reason = judge(d.Metric, schemas.ShapeDaily, d.Value)
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindDailySummary, metric: d.Metric, reason: reason, count: 1, date: m.date(date)})
		return
	}
	row := m.add(schemas.KindDailySummary)
	row.Metric = d.Metric
	row.LocalDate = m.date(date)
	row.Value = &d.Value
}

// event passes the gate by its start: a goal or a consent may well end in the future.
func (m *mapping) event(e *syncv1.Event) {
	reason := m.gateInstant(e.StartMS)
	switch {
	case reason != "":
	case e.Kind == "":
		reason = schemas.RejectMissingKey
	case !slices.Contains(schemas.EventKinds(), e.Kind):
		reason = schemas.RejectUnknownSchema
	case e.EndMS != 0 && e.EndMS <= e.StartMS:
		reason = schemas.RejectInterval
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindEvent, metric: e.Kind, reason: reason, count: 1,
			startMS: e.StartMS, endMS: max(e.StartMS, e.EndMS), offsetMin: e.OffsetMin})
		return
	}
	row := m.add(schemas.KindEvent)
	row.Metric = e.Kind
	row.Name = e.Name
	row.StartAt = m.time(e.StartMS)
	if e.EndMS != 0 {
		row.EndAt = m.time(e.EndMS)
	}
	row.UTCOffsetMin = e.OffsetMin
	row.LocalDate = m.date(schemas.DateOf(e.StartMS, e.OffsetMin))
	row.Value = e.Value
	row.Text = e.Text
}

// deletion passes no time gate: "everything until the end of time" is a wish like any other.
func (m *mapping) deletion(d *syncv1.Deletion) {
	var reason schemas.RejectReason
	switch {
	case d.Metric == "":
		reason = schemas.RejectMissingKey
	case !deletable(d.Metric):
		reason = schemas.RejectUnknownSchema
	case d.ToMS <= d.FromMS:
		reason = schemas.RejectInterval
	}
	if reason != "" {
		m.setAside(aside{kind: schemas.KindDeletion, metric: d.Metric, reason: reason, count: 1,
			startMS: d.FromMS, endMS: d.ToMS})
		return
	}
	row := m.add(schemas.KindDeletion)
	row.Metric = d.Metric
	row.StartAt = m.time(d.FromMS)
	row.EndAt = m.time(d.ToMS)
	if d.AllDevices {
		row.Name = deletesAllDevices
	}
}

func deletable(name string) bool {
	switch name {
	case deletesSleepSegments, deletesRRRuns, deletesWorkouts, deletesEvents:
		return true
	default:
		return schemas.IsMetric(name)
	}
}
