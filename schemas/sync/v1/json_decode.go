package syncv1

import (
	"math"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

func decodeJSON(data []byte, numbers *slab) (*Batch, error) {
	r := &jsonReader{data: data, numbers: numbers, path: make([]step, 0, 8)}
	b := r.batch()
	r.end()
	if r.err != nil {
		return nil, r.err
	}
	return b, nil
}

func (r *jsonReader) batch() *Batch {
	b := &Batch{Source: SourceNative}
	r.object(shape{[]string{
		"batch_id", "user_id", "device", "utc_offset", // mandatory
		"seq", "sent_at", "time_zone", "source", "series", "sleep_segments", "rr_runs", "workouts", "readings",
		"daily_summaries", "events", "deletions",
	}, 4}, func(field int) {
		switch field {
		case 0:
			b.BatchID = r.string()
		case 1:
			b.UserID = r.string()
		case 2:
			b.Device = r.device()
		case 3:
			b.OffsetMin = r.offset()
		case 4:
			b.Seq = uint64(r.integer(0, math.MaxInt64))
		case 5:
			b.SentAtMS, _ = r.instant()
		case 6:
			b.TimeZone = r.string()
		case 7:
			b.Source = Source(r.string()) // check knows which there are
		case 8:
			b.Series = r.allSeries()
		case 9:
			r.array(func() { b.SleepSegments = append(b.SleepSegments, r.sleepSegment()) })
		case 10:
			r.array(func() { b.RRRuns = append(b.RRRuns, r.rrRun()) })
		case 11:
			r.array(func() { b.Workouts = append(b.Workouts, r.workout()) })
		case 12:
			r.array(func() { b.Readings = append(b.Readings, r.reading()) })
		case 13:
			r.array(func() { b.DailySummaries = append(b.DailySummaries, r.dailySummary()) })
		case 14:
			r.array(func() { b.Events = append(b.Events, r.event()) })
		case 15:
			r.array(func() { b.Deletions = append(b.Deletions, r.deletion()) })
		}
	})
	return b
}

func (r *jsonReader) device() (d Device) {
	r.object(shape{[]string{"id", "model", "firmware", "kind", "epoch"}, 1}, func(field int) {
		switch field {
		case 0:
			d.ID = r.string()
		case 1:
			d.Model = r.string()
		case 2:
			d.Firmware = r.string()
		case 3:
			d.Kind = r.string()
		case 4:
			d.Epoch = uint32(r.integer(0, math.MaxInt32))
		}
	})
	return d
}

func (r *jsonReader) allSeries() (all []Series) {
	r.array(func() { all = append(all, r.series()) })
	return all
}

// series reads both forms: regular values with null for what is missing, or values with a time each.
func (r *jsonReader) series() (s Series) {
	var places, times []int32
	timed := false
	r.object(shape{[]string{"metric", "start", "values", "period_ms", "times_ms"}, 3}, func(field int) {
		switch field {
		case 0:
			s.Metric = r.string()
		case 1:
			s.StartMS, s.OffsetMin = r.instant()
		case 2:
			s.Values, places = r.integers(math.MinInt32, math.MaxInt32, true)
			r.countSamples(len(s.Values))
		case 3:
			s.PeriodMS = int32(r.integer(0, MaxSpanMS))
		case 4:
			times, _ = r.integers(0, MaxSpanMS, false)
			timed = true
		}
	})
	switch {
	case timed && places != nil:
		r.malformed("has both times and missing values")
	case timed:
		s.AtMS = times
		if len(times) != len(s.Values) { // a list of no times is nil, which would pass as regular
			r.malformed("has not as many times as values")
		}
	case places != nil && s.PeriodMS == 0:
		r.malformed("has neither a period nor times")
	default:
		s.AtMS = r.timesOfPlaces(places, s.PeriodMS)
	}
	if regular(s.AtMS, s.PeriodMS) {
		s.AtMS = nil
	}
	return s
}

// timesOfPlaces turns places in the array into times, in place.
func (r *jsonReader) timesOfPlaces(places []int32, periodMS int32) []int32 {
	for i, place := range places {
		at := int64(place) * int64(periodMS)
		if at+int64(periodMS) > MaxSpanMS {
			r.malformed("spans more than 20 days")
			return nil
		}
		places[i] = int32(at)
	}
	return places
}

func (r *jsonReader) countSamples(n int) {
	if r.samples += n; r.samples > MaxSamples && r.err == nil {
		r.err = checkCounts(0, r.samples)
	}
}

func (r *jsonReader) sleepSegment() (s SleepSegment) {
	r.object(shape{[]string{"start", "end", "stage"}, 3}, func(field int) {
		switch field {
		case 0:
			s.StartMS, s.StartOffsetMin = r.instant()
		case 1:
			s.EndMS, s.EndOffsetMin = r.instant()
		case 2:
			// As in protobuf, a stage this version does not know is none: ingest sets the one segment aside.
			if stage := schemas.SleepStage(r.string()); slices.Contains(schemas.SleepStages(), stage) {
				s.Stage = stage
			}
		}
	})
	return s
}

func (r *jsonReader) rrRun() (run RRRun) {
	r.object(shape{[]string{"start", "intervals_ms"}, 2}, func(field int) {
		switch field {
		case 0:
			run.StartMS, run.OffsetMin = r.instant()
		case 1:
			run.IntervalsMS, _ = r.integers(math.MinInt32, math.MaxInt32, false)
			r.countSamples(len(run.IntervalsMS))
		}
	})
	return run
}

func (r *jsonReader) workout() (w Workout) {
	r.object(shape{[]string{"id", "sport", "start", "end", "totals", "track"}, 4}, func(field int) {
		switch field {
		case 0:
			w.ID = r.string()
		case 1:
			w.Sport = r.string()
		case 2:
			w.StartMS, w.StartOffsetMin = r.instant()
		case 3:
			w.EndMS, w.EndOffsetMin = r.instant()
		case 4:
			r.array(func() { w.Totals = append(w.Totals, r.quantity()) })
		case 5:
			w.Track = r.allSeries()
		}
	})
	return w
}

func (r *jsonReader) quantity() (q Quantity) {
	r.object(shape{[]string{"metric", "value"}, 2}, func(field int) {
		switch field {
		case 0:
			q.Metric = r.string()
		case 1:
			q.Value = r.value()
		}
	})
	return q
}

func (r *jsonReader) reading() (m Reading) {
	r.object(shape{[]string{"metric", "at", "value"}, 3}, func(field int) {
		switch field {
		case 0:
			m.Metric = r.string()
		case 1:
			m.AtMS, m.OffsetMin = r.instant()
		case 2:
			m.Value = r.value()
		}
	})
	return m
}

func (r *jsonReader) dailySummary() (d DailySummary) {
	r.object(shape{[]string{"local_date", "metric", "value"}, 3}, func(field int) {
		switch field {
		case 0:
			d.LocalDate = r.date()
		case 1:
			d.Metric = r.string()
		case 2:
			d.Value = r.value()
		}
	})
	return d
}

func (r *jsonReader) event() (e Event) {
	r.object(shape{[]string{"kind", "start", "name", "end", "value", "text"}, 2}, func(field int) {
		switch field {
		case 0:
			e.Kind = r.string()
		case 1:
			e.StartMS, e.OffsetMin = r.instant()
		case 2:
			e.Name = r.string()
		case 3:
			e.EndMS, _ = r.instant()
		case 4:
			if !r.literal("null") {
				v := r.value()
				e.Value = &v
			}
		case 5:
			e.Text = r.string()
		}
	})
	return e
}

func (r *jsonReader) deletion() (d Deletion) {
	r.object(shape{[]string{"metric", "from", "to", "all_devices"}, 3}, func(field int) {
		switch field {
		case 0:
			d.Metric = r.string()
		case 1:
			d.FromMS, _ = r.instant()
		case 2:
			d.ToMS, _ = r.instant()
		case 3:
			d.AllDevices = r.boolean()
		}
	})
	return d
}

func (r *jsonReader) value() int32 { return int32(r.integer(math.MinInt32, math.MaxInt32)) }
