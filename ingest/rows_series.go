package ingest

import (
	"sort"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

const hourMS = 60 * 60 * 1000

// The time gate: before 2015 a watch had lost its clock, and what comes from the future has a wrong one. The tolerance
// is for phones whose clocks run fast.
const (
	earliestMS  = 1_420_070_400_000 // 2015-01-01T00:00:00Z
	toleranceMS = 10 * 60 * 1000
)

// series adds the pieces of a series, or of a workout's track (kind and name say which).
func (m *mapping) series(s *syncv1.Series, kind schemas.RecordKind, name string) {
	n := len(s.Values)
	from := firstAt(s, earliestMS)
	to := max(from, firstAt(s, m.latestMS+1))
	m.setSeriesAside(s, kind, 0, from, schemas.RejectAncientTime)
	metric, reason := lookUp(s.Metric, schemas.ShapeSeries)
	if reason != "" {
		m.setSeriesAside(s, kind, from, to, reason)
	} else {
		metric = metric.Over(s.PeriodMS)
		for i := from; i < to; {
			p := pieceAt(s, i, to)
			m.piece(s, p, metric, kind, name)
			i = p.end
		}
	}
	m.setSeriesAside(s, kind, to, n, schemas.RejectFutureTime)
}

// lookUp returns the metric, or why no value of it can be taken in that part of a batch.
func lookUp(name string, shape schemas.Shape) (schemas.Metric, schemas.RejectReason) {
	if name == "" {
		return schemas.Metric{}, schemas.RejectMissingKey
	}
	metric, known := schemas.LookupMetric(name, shape)
	if !known {
		return schemas.Metric{}, schemas.RejectUnknownSchema
	}
	return metric, ""
}

func (m *mapping) setSeriesAside(s *syncv1.Series, kind schemas.RecordKind, from, to int, reason schemas.RejectReason) {
	if from == to {
		return
	}
	m.setAside(aside{
		kind: kind, metric: s.Metric, reason: reason, count: to - from, offsetMin: s.OffsetMin,
		startMS: s.TimeMS(from), endMS: s.TimeMS(to-1) + int64(s.PeriodMS),
	})
}

// firstAt returns the index of the first value at or after the instant.
func firstAt(s *syncv1.Series, ms int64) int {
	n := len(s.Values)
	if n == 0 || s.TimeMS(0) >= ms {
		return 0
	}
	if s.TimeMS(n-1) < ms {
		return n
	}
	if s.AtMS == nil {
		return ceilDiv(ms-s.StartMS, int64(s.PeriodMS)) // a period of 0 has one value at most, which is decided above
	}
	return sort.Search(n, func(i int) bool { return s.TimeMS(i) >= ms })
}

// A piece is the values [start, end) of a series that lie in one UTC hour and on one local date.
type piece struct {
	start, end int
	hourMS     int64
	date       schemas.Date
}

// pieceAt returns the piece that starts with value i and ends before value limit.
func pieceAt(s *syncv1.Series, i, limit int) piece {
	at := s.TimeMS(i)
	p := piece{start: i, hourMS: at - mod(at, hourMS), date: schemas.DateOf(at, s.OffsetMin)}
	// At an offset of :30 or :45 local midnight falls within the hour, so the earlier of the two cuts.
	midnight := (int64(p.date)+1)*schemas.MillisPerDay - int64(s.OffsetMin)*60_000
	cut := min(p.hourMS+hourMS, midnight)
	switch {
	case s.AtMS != nil:
		for p.end = i + 1; p.end < limit && s.TimeMS(p.end) < cut; p.end++ {
		}
	case s.PeriodMS == 0:
		p.end = limit
	default:
		p.end = min(limit, ceilDiv(cut-s.StartMS, int64(s.PeriodMS)))
	}
	return p
}

// piece adds the row of a piece, and one for what is implausible in it.
func (m *mapping) piece(s *syncv1.Series, p piece, metric schemas.Metric, kind schemas.RecordKind, name string) {
	values := s.Values[p.start:p.end:p.end]
	plausible := countPlausible(values, metric)
	if plausible > 0 {
		first := p.start
		var offsets []int32
		if plausible == len(values) {
			offsets = m.offsetsOf(s, p)
		} else {
			values, offsets, first = m.keepPlausible(s, p, metric, plausible)
		}
		row := m.add(kind)
		row.Metric = metric.Name
		row.Name = name
		row.StartAt = m.time(s.TimeMS(first))
		row.HourAt = m.time(p.hourMS)
		row.LocalDate = m.date(p.date)
		row.UTCOffsetMin = s.OffsetMin
		row.PeriodMS = s.PeriodMS
		row.OffsetsMS = offsets
		row.Values = values
	}
	if plausible < p.end-p.start {
		m.setImplausibleAside(s, p, metric, kind, p.end-p.start-plausible)
	}
}

func countPlausible(values []int32, metric schemas.Metric) int {
	n := 0
	for _, v := range values {
		if v >= metric.Min && v <= metric.Max {
			n++
		}
	}
	return n
}

// offsetsOf returns one offset when the values follow each other at the period, else one each.
func (m *mapping) offsetsOf(s *syncv1.Series, p piece) []int32 {
	base := int32(s.StartMS - p.hourMS) // may be weeks before the hour, which a span of 20 days keeps within 32 bits
	if s.AtMS == nil {
		return append(m.list(1), base+int32(p.start)*s.PeriodMS)
	}
	at := s.AtMS[p.start:p.end]
	if followEachOther(at, s.PeriodMS) {
		return append(m.list(1), base+at[0])
	}
	offsets := m.list(len(at))
	for _, ms := range at {
		offsets = append(offsets, base+ms)
	}
	return offsets
}

// followEachOther reports whether the times, which rise, do so by the period; a period of 0 never fits two.
func followEachOther(at []int32, periodMS int32) bool {
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] != periodMS {
			return false
		}
	}
	return true
}

// keepPlausible copies the n plausible values of a piece with their offsets; first is the index of the first of them.
func (m *mapping) keepPlausible(
	s *syncv1.Series, p piece, metric schemas.Metric, n int,
) (values, offsets []int32, first int) {
	values = make([]int32, 0, n)
	offsets = m.list(n)
	for i := p.start; i < p.end; i++ {
		if !metric.Plausible(s.Values[i]) {
			continue
		}
		if len(values) == 0 {
			first = i
		}
		values = append(values, s.Values[i])
		offsets = append(offsets, int32(s.TimeMS(i)-p.hourMS))
	}
	if followEachOther(offsets, s.PeriodMS) {
		offsets = offsets[:1]
	}
	return values, offsets, first
}

func (m *mapping) setImplausibleAside(
	s *syncv1.Series, p piece, metric schemas.Metric, kind schemas.RecordKind, count int,
) {
	first, last := -1, -1
	for i := p.start; i < p.end; i++ {
		if metric.Plausible(s.Values[i]) {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	m.setAside(aside{
		kind: kind, metric: s.Metric, reason: schemas.RejectValueRange, count: count, offsetMin: s.OffsetMin,
		startMS: s.TimeMS(first), endMS: s.TimeMS(last) + int64(s.PeriodMS),
	})
}

// ceilDiv is only called with a positive dividend and divisor.
func ceilDiv(a, b int64) int { return int((a + b - 1) / b) }

// mod is never negative, unlike Go's own operator.
func mod(a, b int64) int64 { return ((a % b) + b) % b }
