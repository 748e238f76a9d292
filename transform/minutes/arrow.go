package minutes

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
)

// batchRows is about how many rows a batch of minutes has.
const batchRows = 32_768

// schema is that of the rows that come out.
var schema = arrow.NewSchema([]arrow.Field{
	{Name: "user_id", Type: arrow.BinaryTypes.String},
	{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
	{Name: "minute_number", Type: arrow.PrimitiveTypes.Int32},
	{Name: "local_minute", Type: arrow.PrimitiveTypes.Int32},
	{Name: "heart_rate_min_bpm", Type: arrow.PrimitiveTypes.Int32},
	{Name: "heart_rate_sum_bpm", Type: arrow.PrimitiveTypes.Int32},
	{Name: "heart_rate_max_bpm", Type: arrow.PrimitiveTypes.Int32},
	{Name: "heart_rate_sample_count", Type: arrow.PrimitiveTypes.Int32},
	{Name: "step_count", Type: arrow.PrimitiveTypes.Int32},
	{Name: "step_sample_count", Type: arrow.PrimitiveTypes.Int32},
	{Name: "intensity_level", Type: arrow.PrimitiveTypes.Int32},
	{Name: "intensity_sample_count", Type: arrow.PrimitiveTypes.Int32},
	{Name: "motion_count", Type: arrow.PrimitiveTypes.Int32},
	{Name: "motion_sample_count", Type: arrow.PrimitiveTypes.Int32},
}, nil)

// Places of columns in the schema.
const (
	columnUser = iota
	columnDate
	columnNumber
	columnLocal
	columnHeartRate
	columnSteps     = columnHeartRate + 4
	columnIntensity = columnSteps + 2
	columnMotion    = columnIntensity + 2
)

// Run turns rows of silver.series_hours, in order of user_id and local_date, into minutes.
func Run(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	return &reader{hours: &hours{rows: rows}, out: newBuilder(), refs: 1}, nil
}

// A reader makes batches of minutes as they are asked for.
type reader struct {
	hours *hours
	out   *builder
	day   day
	batch arrow.RecordBatch
	refs  int
}

func (r *reader) Schema() *arrow.Schema          { return schema }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *reader) Record() arrow.RecordBatch      { return r.batch }
func (r *reader) Err() error                     { return r.hours.err() }
func (r *reader) Retain()                        { r.refs++ }

func (r *reader) Release() {
	if r.refs--; r.refs == 0 {
		r.drop()
		r.out.Release()
	}
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

func (r *reader) Next() bool {
	r.drop()
	for r.out.rows < batchRows && r.hours.nextDay() {
		r.day.fill(r.hours.of)
		r.out.reserve(minutesOfDay)
		r.day.each(func(m *Minute) { r.out.add(r.hours.user, r.hours.date, m) })
	}
	if r.out.rows == 0 || r.Err() != nil {
		return false
	}
	r.batch = r.out.batch()
	return true
}

// A builder builds batches of minutes.
type builder struct {
	*array.RecordBuilder

	users *array.StringBuilder
	dates *array.Date32Builder
	ints  []*array.Int32Builder // by column
	rows  int
}

func newBuilder() *builder {
	b := &builder{RecordBuilder: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
	for i, f := range b.Fields() {
		switch f := f.(type) {
		case *array.StringBuilder:
			b.users = f
		case *array.Date32Builder:
			b.dates = f
		}
		ints, _ := b.Field(i).(*array.Int32Builder)
		b.ints = append(b.ints, ints)
	}
	return b
}

func (b *builder) reserve(n int) {
	for _, f := range b.Fields() {
		f.Reserve(n)
	}
}

func (b *builder) add(user string, date arrow.Date32, m *Minute) {
	b.users.Append(user)
	b.dates.Append(date)
	b.ints[columnNumber].Append(int32(m.Number))
	b.ints[columnLocal].Append(m.LocalMinute)
	if t := m.of[HeartRate]; t != nil {
		b.put(columnHeartRate, t.min, t.sum, t.max, t.count)
	} else {
		b.leave(columnHeartRate, 4)
	}
	for _, c := range []struct {
		metric Metric
		column int
	}{{Steps, columnSteps}, {Intensity, columnIntensity}, {Motion, columnMotion}} {
		switch t := m.of[c.metric]; {
		case t == nil:
			b.leave(c.column, 2)
		case c.metric == Intensity:
			b.put(c.column, t.max, t.count) // a class is no quantity: the highest counts
		default:
			b.put(c.column, t.sum, t.count)
		}
	}
	b.rows++
}

func (b *builder) put(column int, values ...int32) {
	for i, v := range values {
		b.ints[column+i].Append(v)
	}
}

func (b *builder) leave(column, n int) {
	for i := range n {
		b.ints[column+i].AppendNull()
	}
}

func (b *builder) batch() arrow.RecordBatch {
	b.rows = 0
	return b.NewRecordBatch()
}

// hours reads the hours of one person's date after the other.
type hours struct {
	rows array.RecordReader
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		hour                         *array.Timestamp
		offset, period               *array.Int32
		offsets, values              *array.List
		offsetsOf, valuesOf          []int32
	}
	at, n int // row and number of rows of the batch
	seen  error

	user string
	date arrow.Date32
	of   []Hour
}

func (h *hours) err() error {
	if h.seen != nil {
		return h.seen
	}
	return h.rows.Err()
}

// nextDay fills user, date and of with the next person's date. Lists may lie in a batch that goes when the next comes,
// so they are copied.
func (h *hours) nextDay() bool {
	h.of = h.of[:0]
	for h.fetch() {
		user, date := h.cols.user.Value(h.at), h.cols.date.Value(h.at)
		switch {
		case len(h.of) == 0:
			h.user, h.date = strings.Clone(user), date
		case user != h.user || date != h.date:
			return true
		}
		h.addHour()
		h.at++
	}
	return len(h.of) > 0 && h.err() == nil
}

// addHour adds the row to the hours of the date, in the memory of an hour of a date before.
func (h *hours) addHour() {
	metric, ok := metricOf(h.cols.metric.Value(h.at))
	offsets, values := listOf(h.cols.offsets, h.cols.offsetsOf, h.at), listOf(h.cols.values, h.cols.valuesOf, h.at)
	if !ok || len(values) == 0 || len(offsets) == 0 {
		return
	}
	n := len(h.of)
	if n < cap(h.of) {
		h.of = h.of[:n+1]
	} else {
		h.of = append(h.of, Hour{})
	}
	hour := &h.of[n]
	if device := h.cols.device.Value(h.at); hour.Device != device {
		hour.Device = strings.Clone(device)
	}
	hour.Metric, hour.SourceRank = metric, rankOf(h.cols.source.Value(h.at))
	hour.HourUS, hour.UTCOffsetMin = int64(h.cols.hour.Value(h.at)), h.cols.offset.Value(h.at)
	hour.PeriodMS = h.cols.period.Value(h.at)
	hour.OffsetsMS = append(hour.OffsetsMS[:0], offsets...)
	hour.Values = append(hour.Values[:0], values...)
}

func listOf(list *array.List, values []int32, i int) []int32 {
	from, to := list.ValueOffsets(i)
	return values[from:to]
}

func metricOf(name string) (Metric, bool) {
	switch name {
	case schemas.HeartRate:
		return HeartRate, true
	case schemas.Steps:
		return Steps, true
	case schemas.Intensity:
		return Intensity, true
	case schemas.MotionCount:
		return Motion, true
	default:
		return 0, false
	}
}

func rankOf(source string) int32 {
	switch source {
	case "native":
		return 1
	case "import":
		return 2
	default:
		return 3
	}
}

// fetch makes sure that at is a row, and reads the next batch when it must.
func (h *hours) fetch() bool {
	for h.at >= h.n {
		if h.seen != nil || !h.rows.Next() {
			return false
		}
		h.at, h.n = 0, int(h.rows.RecordBatch().NumRows())
		if h.seen = h.open(h.rows.RecordBatch()); h.seen != nil {
			return false
		}
	}
	return true
}

func (h *hours) open(batch arrow.RecordBatch) error {
	c := &h.cols
	var offsets, values *array.Int32
	for name, bind := range map[string]func(arrow.Array) bool{
		"user_id":        func(a arrow.Array) (ok bool) { c.user, ok = a.(*array.String); return },
		"local_date":     func(a arrow.Array) (ok bool) { c.date, ok = a.(*array.Date32); return },
		"device_id":      func(a arrow.Array) (ok bool) { c.device, ok = a.(*array.String); return },
		"metric":         func(a arrow.Array) (ok bool) { c.metric, ok = a.(*array.String); return },
		"source":         func(a arrow.Array) (ok bool) { c.source, ok = a.(*array.String); return },
		"hour_at":        func(a arrow.Array) (ok bool) { c.hour, ok = a.(*array.Timestamp); return },
		"utc_offset_min": func(a arrow.Array) (ok bool) { c.offset, ok = a.(*array.Int32); return },
		"period_ms":      func(a arrow.Array) (ok bool) { c.period, ok = a.(*array.Int32); return },
		"offsets_ms": func(a arrow.Array) (ok bool) {
			if c.offsets, ok = a.(*array.List); ok {
				offsets, ok = c.offsets.ListValues().(*array.Int32)
			}
			return
		},
		"values": func(a arrow.Array) (ok bool) {
			if c.values, ok = a.(*array.List); ok {
				values, ok = c.values.ListValues().(*array.Int32)
			}
			return
		},
	} {
		at := batch.Schema().FieldIndices(name)
		if len(at) != 1 {
			return fmt.Errorf("minutes: there is no column %s", name)
		}
		if column := batch.Column(at[0]); !bind(column) {
			return fmt.Errorf("minutes: column %s is of type %s", name, column.DataType())
		}
	}
	c.offsetsOf, c.valuesOf = offsets.Int32Values(), values.Int32Values()
	return nil
}
