package population_test

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A resolved is what a patient reader makes of all batches, with a map and no cleverness.
type resolved struct {
	series    map[seriesKey]*grid
	segments  map[string]map[int64]segment // by device
	summaries map[summaryKey]told
	readings  map[readingKey]told
	events    map[string]int
	rejected  map[rejectKey]int
	batches   map[string][]byte
}

type (
	seriesKey  struct{ user, device, metric string }
	summaryKey struct {
		user   string
		date   schemas.Date
		metric string
	}
	readingKey struct {
		user, metric string
		atMS         int64
	}
	rejectKey struct {
		user   string
		kind   schemas.RecordKind
		metric string
		reason schemas.RejectReason
	}
	told struct {
		value    int32
		revision uint64
	}
	sample struct {
		told
		atMS      int64
		offsetMin int32
	}
	// A grid holds the samples of a device and metric, one place a period.
	grid struct {
		periodMS int64
		first    int64 // in periods since 1970
		samples  []sample
	}
	segment struct {
		syncv1.SleepSegment
		revision uint64
	}
)

// resolve reads batches one by one, at gateEndMS: nothing can have been measured later.
func resolve(t *testing.T, batches []*syncv1.Batch, gateEndMS int64) *resolved {
	t.Helper()
	r := &resolved{
		series: map[seriesKey]*grid{}, segments: map[string]map[int64]segment{},
		summaries: map[summaryKey]told{}, readings: map[readingKey]told{},
		events: map[string]int{}, rejected: map[rejectKey]int{}, batches: map[string][]byte{},
	}
	gate := func(ms int64) schemas.RejectReason {
		switch {
		case ms > gateEndMS:
			return schemas.RejectFutureTime
		case schemas.DateOf(ms, 0) < schemas.NewDate(2015, 1, 1):
			return schemas.RejectAncientTime
		}
		return ""
	}
	for _, b := range batches {
		revision := uint64(b.Device.Epoch)<<32 | b.Seq
		r.checkCopies(t, b)
		for _, s := range b.Series {
			key := seriesKey{b.UserID, b.Device.ID, s.Metric}
			if r.series[key] == nil {
				r.series[key] = &grid{periodMS: int64(s.PeriodMS), first: s.StartMS / int64(s.PeriodMS)}
			}
			metric, known := schemas.LookupMetric(s.Metric, schemas.ShapeSeries)
			if !known {
				t.Fatalf("%s holds the metric %s, which nobody knows", b.BatchID, s.Metric)
			}
			for i, v := range s.Values {
				reason := gate(s.TimeMS(i))
				if reason == "" && !metric.Plausible(v) {
					reason = schemas.RejectValueRange
				}
				if reason != "" {
					r.rejected[rejectKey{b.UserID, schemas.KindSeries, s.Metric, reason}]++
					continue
				}
				r.series[key].put(sample{told{v, revision}, s.TimeMS(i), s.OffsetMin})
			}
		}
		for _, s := range b.SleepSegments {
			if reason := gate(s.EndMS); reason != "" {
				r.rejected[rejectKey{b.UserID, schemas.KindSleepSegment, "", reason}]++
				continue
			}
			if r.segments[b.Device.ID] == nil {
				r.segments[b.Device.ID] = map[int64]segment{}
			}
			if old, ok := r.segments[b.Device.ID][s.StartMS]; !ok || old.revision <= revision {
				r.segments[b.Device.ID][s.StartMS] = segment{s, revision}
			}
		}
		for _, s := range b.DailySummaries {
			key := summaryKey{b.UserID, schemas.Date(s.LocalDate), s.Metric}
			if old, ok := r.summaries[key]; !ok || old.revision <= revision {
				r.summaries[key] = told{s.Value, revision}
			}
		}
		for _, x := range b.Readings {
			r.readings[readingKey{b.UserID, x.Metric, x.AtMS}] = told{x.Value, revision}
		}
		for _, e := range b.Events {
			r.events[strings.Join([]string{b.UserID, e.Kind, e.Name}, " ")]++
		}
	}
	return r
}

func (g *grid) put(s sample) {
	i := s.atMS/g.periodMS - g.first
	if i < 0 { // came before what has been there first
		g.samples = append(make([]sample, -i), g.samples...)
		g.first += i
		i = 0
	}
	if missing := int(i) + 1 - len(g.samples); missing > 0 {
		g.samples = append(g.samples, make([]sample, missing)...)
	}
	if g.samples[i].revision <= s.revision {
		g.samples[i] = s
	}
}

func (g *grid) all() iter.Seq[sample] {
	return func(yield func(sample) bool) {
		for _, s := range g.samples {
			if s.revision > 0 && !yield(s) {
				return
			}
		}
	}
}

// checkCopies holds batches of one name to be one message.
func (r *resolved) checkCopies(t *testing.T, b *syncv1.Batch) {
	t.Helper()
	data, err := syncv1.EncodeProto(b)
	if err != nil {
		t.Fatalf("EncodeProto(%s): %v", b.BatchID, err)
	}
	if before, ok := r.batches[b.BatchID]; ok && string(before) != string(data) {
		t.Fatalf("two messages are called %s", b.BatchID)
	}
	r.batches[b.BatchID] = data
}

// A minute is what counts of a person's minute.
type minute struct {
	at    int64 // since 1970
	steps *int32
	date  schemas.Date
	hour  int
	level *int32
	heart []int32
}

// minutesOf brings the devices of a person together: the one that shows that it is carried, then the lower id.
func (r *resolved) minutesOf(user string) map[schemas.Date][]*minute {
	type claim struct {
		steps     int32
		offsetMin int32
		device    string
		carried   bool
	}
	all := map[int64]*minute{}
	claims := map[int64][]claim{}
	beats := map[string]map[int64]bool{}
	at := func(ms int64, offsetMin int32) *minute {
		n := ms / 60_000
		if all[n] == nil {
			local := n + int64(offsetMin)
			all[n] = &minute{at: n, date: schemas.DateOf(ms, offsetMin), hour: int(local / 60 % 24)}
		}
		return all[n]
	}
	for key, samples := range r.series {
		if key.user != user || key.metric != schemas.HeartRate {
			continue
		}
		beats[key.device] = map[int64]bool{}
		for s := range samples.all() {
			m := at(s.atMS, s.offsetMin)
			m.heart = append(m.heart, s.value)
			beats[key.device][s.atMS/60_000] = true
		}
	}
	for key, samples := range r.series {
		if key.user != user || key.metric == schemas.HeartRate {
			continue
		}
		for s := range samples.all() {
			m := at(s.atMS, s.offsetMin)
			if key.metric == schemas.Intensity {
				m.level = &s.value
				continue
			}
			claims[m.at] = append(claims[m.at], claim{s.value, s.offsetMin, key.device, s.value > 0 || beats[key.device][m.at]})
		}
	}
	days := map[schemas.Date][]*minute{}
	for n, m := range all {
		if c := claims[n]; len(c) > 0 {
			best := slices.MinFunc(c, func(a, b claim) int {
				if a.carried != b.carried {
					if a.carried {
						return -1
					}
					return 1
				}
				return strings.Compare(a.device, b.device)
			})
			m.steps = &best.steps
		}
		days[m.date] = append(days[m.date], m)
	}
	for _, day := range days {
		slices.SortFunc(day, func(a, b *minute) int { return cmp.Compare(a.at, b.at) })
	}
	return days
}
