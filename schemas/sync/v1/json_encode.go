package syncv1

import (
	"strconv"
	"unicode/utf8"

	"github.com/diurna-health/diurna/schemas"
)

// EncodeJSON writes the batch as JSON, on one line, without a newline at the end. The same batch always gives the same
// bytes. A batch that Decode would refuse is a *DecodeError here.
func EncodeJSON(b *Batch) ([]byte, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	w := &jsonWriter{}
	w.batch(b)
	if !utf8.Valid(w.out) {
		return nil, refuse(schemas.RejectDecode, "a text is not UTF-8")
	}
	if len(w.out) > MaxMessageBytes {
		return nil, refuse(schemas.RejectOversize, "more than %d bytes", MaxMessageBytes)
	}
	return w.out, nil
}

// A jsonWriter appends JSON. It puts the comma before a field or element unless a bracket stands there.
type jsonWriter struct{ out []byte }

func (w *jsonWriter) comma() {
	if n := len(w.out); n > 0 && w.out[n-1] != '{' && w.out[n-1] != '[' && w.out[n-1] != ':' {
		w.out = append(w.out, ',')
	}
}

func (w *jsonWriter) name(name string) {
	w.comma()
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *jsonWriter) text(name, s string) {
	w.name(name)
	w.out = appendText(w.out, s)
}

// optional leaves out what is empty, as every field that may be left out can be.
func (w *jsonWriter) optional(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *jsonWriter) integer(name string, v int64) {
	w.name(name)
	w.out = strconv.AppendInt(w.out, v, 10)
}

func (w *jsonWriter) instant(name string, ms int64, offsetMin int32) {
	w.name(name)
	w.out = append(w.out, '"')
	w.out = appendInstant(w.out, ms, offsetMin)
	w.out = append(w.out, '"')
}

func (w *jsonWriter) integers(name string, values []int32) {
	w.name(name)
	w.out = append(w.out, '[')
	for i, v := range values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = strconv.AppendInt(w.out, int64(v), 10)
	}
	w.out = append(w.out, ']')
}

// objects writes an array of n objects, and nothing when there are none.
func (w *jsonWriter) objects(name string, n int, each func(i int)) {
	if n == 0 {
		return
	}
	w.name(name)
	w.out = append(w.out, '[')
	for i := range n {
		w.comma()
		w.out = append(w.out, '{')
		each(i)
		w.out = append(w.out, '}')
	}
	w.out = append(w.out, ']')
}

func (w *jsonWriter) batch(b *Batch) {
	w.out = append(w.out, '{')
	w.text("batch_id", b.BatchID)
	w.text("user_id", b.UserID)
	w.device(&b.Device)
	w.name("utc_offset")
	w.out = append(w.out, '"')
	w.out = appendOffset(w.out, b.OffsetMin)
	w.out = append(w.out, '"')
	if b.Seq != 0 {
		w.integer("seq", int64(b.Seq))
	}
	if b.SentAtMS != 0 {
		w.instant("sent_at", b.SentAtMS, b.OffsetMin)
	}
	w.optional("time_zone", b.TimeZone)
	w.text("source", string(b.Source))
	w.allSeries("series", b.Series)
	w.objects("sleep_segments", len(b.SleepSegments), func(i int) {
		s := &b.SleepSegments[i]
		w.instant("start", s.StartMS, s.StartOffsetMin)
		w.instant("end", s.EndMS, s.EndOffsetMin)
		w.text("stage", string(s.Stage))
	})
	w.objects("rr_runs", len(b.RRRuns), func(i int) {
		w.instant("start", b.RRRuns[i].StartMS, b.RRRuns[i].OffsetMin)
		w.integers("intervals_ms", b.RRRuns[i].IntervalsMS)
	})
	w.objects("workouts", len(b.Workouts), func(i int) { w.workout(&b.Workouts[i]) })
	w.objects("readings", len(b.Readings), func(i int) {
		m := &b.Readings[i]
		w.text("metric", m.Metric)
		w.instant("at", m.AtMS, m.OffsetMin)
		w.integer("value", int64(m.Value))
	})
	w.objects("daily_summaries", len(b.DailySummaries), func(i int) {
		d := &b.DailySummaries[i]
		w.text("local_date", schemas.Date(d.LocalDate).String())
		w.text("metric", d.Metric)
		w.integer("value", int64(d.Value))
	})
	w.objects("events", len(b.Events), func(i int) { w.event(&b.Events[i]) })
	w.objects("deletions", len(b.Deletions), func(i int) {
		d := &b.Deletions[i]
		w.text("metric", d.Metric)
		w.instant("from", d.FromMS, b.OffsetMin)
		w.instant("to", d.ToMS, b.OffsetMin)
		if d.AllDevices {
			w.name("all_devices")
			w.out = append(w.out, "true"...)
		}
	})
	w.out = append(w.out, '}')
}

func (w *jsonWriter) device(d *Device) {
	w.name("device")
	w.out = append(w.out, '{')
	w.text("id", d.ID)
	w.optional("model", d.Model)
	w.optional("firmware", d.Firmware)
	w.optional("kind", d.Kind)
	if d.Epoch != 0 {
		w.integer("epoch", int64(d.Epoch))
	}
	w.out = append(w.out, '}')
}

func (w *jsonWriter) allSeries(name string, all []Series) {
	w.objects(name, len(all), func(i int) {
		s := &all[i]
		w.text("metric", s.Metric)
		w.instant("start", s.StartMS, s.OffsetMin)
		if s.PeriodMS != 0 {
			w.integer("period_ms", int64(s.PeriodMS))
		}
		switch {
		case len(s.AtMS) == 0:
			w.integers("values", s.Values)
		case onGrid(s) && mostlyThere(s):
			w.valuesWithHoles(s)
		default:
			w.integers("times_ms", s.AtMS)
			w.integers("values", s.Values)
		}
	})
}

// mostlyThere reports whether nulls cost less than times would: two values weeks apart are not worth a million nulls.
func mostlyThere(s *Series) bool {
	places := int(s.AtMS[len(s.AtMS)-1] / s.PeriodMS)
	return places <= 2*len(s.AtMS)
}

func (w *jsonWriter) valuesWithHoles(s *Series) {
	w.name("values")
	w.out = append(w.out, '[')
	next := int32(0)
	for i, at := range s.AtMS {
		for ; next < at/s.PeriodMS; next++ {
			w.out = append(w.out, "null,"...)
		}
		next++
		w.out = strconv.AppendInt(w.out, int64(s.Values[i]), 10)
		w.out = append(w.out, ',')
	}
	w.out[len(w.out)-1] = ']' // instead of the last comma: AtMS is never empty here
}

func (w *jsonWriter) workout(o *Workout) {
	w.text("id", o.ID)
	w.text("sport", o.Sport)
	w.instant("start", o.StartMS, o.StartOffsetMin)
	w.instant("end", o.EndMS, o.EndOffsetMin)
	w.objects("totals", len(o.Totals), func(i int) {
		w.text("metric", o.Totals[i].Metric)
		w.integer("value", int64(o.Totals[i].Value))
	})
	w.allSeries("track", o.Track)
}

func (w *jsonWriter) event(e *Event) {
	w.text("kind", e.Kind)
	w.instant("start", e.StartMS, e.OffsetMin)
	w.optional("name", e.Name)
	if e.EndMS != 0 {
		w.instant("end", e.EndMS, e.OffsetMin)
	}
	if e.Value != nil {
		w.integer("value", int64(*e.Value))
	}
	w.optional("text", e.Text)
}

// appendText quotes a text. Only what JSON demands is escaped; the text stays as people wrote it.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
