package minutes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
)

// Fingerprint changes when the same hours would come to something else.
const Fingerprint = "3"

// batchRows is about how many rows a batch has.
const batchRows = 32_768

// A figure is a column of minutes: something of the tally that stands for a minute.
type figure struct {
	name   string
	metric Metric
	of     func(*tally) int32
}

func lowest(t *tally) int32  { return t.min }
func highest(t *tally) int32 { return t.max }
func total(t *tally) int32   { return t.sum }
func samples(t *tally) int32 { return t.count }

// covered is how many minutes the longest sample speaks for; a spot value speaks for its minute.
func covered(t *tally) int32 { return max(t.periodMS, minuteMS) / minuteMS }

func figures() []figure {
	return []figure{
		{"heart_rate_min_bpm", HeartRate, lowest},
		{"heart_rate_sum_bpm", HeartRate, total},
		{"heart_rate_max_bpm", HeartRate, highest},
		{"heart_rate_sample_count", HeartRate, samples},
		{"step_count", Steps, total},
		{"step_sample_count", Steps, samples},
		{"foreign_step_count", Steps, func(t *tally) int32 { return t.foreign }},
		{"step_covered_min", Steps, covered},
		{"step_utc_offset_min", Steps, func(t *tally) int32 { return t.offsetMin }},
		{"intensity_level", Intensity, highest}, // a class is no quantity: the highest counts
		{"intensity_sample_count", Intensity, samples},
		{"motion_count", Motion, total},
		{"motion_sample_count", Motion, samples},
		{"distance_cm", Distance, total},
		{"floor_count", Floors, total},
		{"active_energy_cal", ActiveEnergy, total},
		{"oxygen_saturation_min_permille", OxygenSaturation, lowest},
		{"oxygen_saturation_sum_permille", OxygenSaturation, total},
		{"oxygen_saturation_sample_count", OxygenSaturation, samples},
		{"oxygen_saturation_covered_min", OxygenSaturation, covered},
		{"respiratory_rate_sum_milli_per_min", RespiratoryRate, total},
		{"respiratory_rate_sample_count", RespiratoryRate, samples},
		{"respiratory_rate_covered_min", RespiratoryRate, covered},
		{"skin_temperature_sum_mcel", SkinTemperature, total},
		{"skin_temperature_sample_count", SkinTemperature, samples},
		{"skin_temperature_covered_min", SkinTemperature, covered},
		{"stress_sum_score", Stress, total},
		{"stress_sample_count", Stress, samples},
		{"stress_covered_min", Stress, covered},
		{"noise_level_sum_ddb", Noise, total},
		{"noise_level_max_ddb", Noise, highest},
		{"noise_level_sample_count", Noise, samples},
		{"noise_level_covered_min", Noise, covered},
	}
}

// Run turns rows of silver.series_hours, in order of user_id and local_date, into minutes. The rows bring the limits of
// heart rates and of counters with them.
func Run(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in, figures, of := newHours(rows), figures(), day{}
	in.constants["counter_steps_per_min_max"] = &of.stepsPerMinMax
	fields := []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "minute_number", Type: arrow.PrimitiveTypes.Int32},
		{Name: "local_minute", Type: arrow.PrimitiveTypes.Int32},
	}
	for _, f := range figures {
		fields = append(fields, arrow.Field{Name: f.name, Type: arrow.PrimitiveTypes.Int32})
	}
	return newStream(in, fields, func(out *array.RecordBuilder) int {
		of.fill(slices.DeleteFunc(in.of, func(h Hour) bool { return len(h.Values) == 0 }))
		in.putKey(out, len(of.rows))
		numbers, local := out.Field(2).(*array.Int32Builder), out.Field(3).(*array.Int32Builder)
		for _, row := range of.rows {
			numbers.Append(int32(row.number))
			local.Append(row.local)
		}
		for i, f := range figures {
			putFigure(out.Field(4+i).(*array.Int32Builder), f.of, of.chosen[f.metric], len(of.rows))
		}
		return len(of.rows)
	}), nil
}

// putFigure adds a figure of each of n rows.
func putFigure(out *array.Int32Builder, figure func(*tally) int32, of []*tally, n int) {
	if len(of) == 0 { // the date has nothing of the metric
		out.AppendNulls(n)
		return
	}
	out.Reserve(n)
	for _, t := range of {
		if t == nil {
			out.UnsafeAppendBoolToBitmap(false)
		} else {
			out.UnsafeAppend(figure(t))
		}
	}
}

// Held turns rows of silver.series_hours of heart rate, in the same order, into histograms of dates.
func Held(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in, of := newHours(rows), holder{}
	maps.Copy(in.constants, map[string]*float64{
		"hold_ms": &of.holdMS, "hold_dense_ms": &of.holdDenseMS, "dense_gap_ms": &of.denseGapMS,
		"spot_hold_ms": &of.spotHoldMS, "spot_own_ms": &of.spotOwnMS,
	})
	return newStream(in, []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "heart_rate_bpm", Type: arrow.PrimitiveTypes.Int32},
		{Name: "sample_count", Type: arrow.PrimitiveTypes.Int64},
		{Name: "held_ms", Type: arrow.PrimitiveTypes.Int64},
		{Name: "weight_ms", Type: arrow.PrimitiveTypes.Int64},
		{Name: "measured_min", Type: arrow.PrimitiveTypes.Int32},
		{Name: "refused_count", Type: arrow.PrimitiveTypes.Int64},
		{Name: "date_length_min", Type: arrow.PrimitiveTypes.Int32},
		{Name: "span_ms", Type: arrow.PrimitiveTypes.Int64},
	}, func(out *array.RecordBuilder) int {
		if len(in.of) == 0 {
			return 0
		}
		rates, s := of.hold(in.of)
		in.putKey(out, len(rates))
		for _, r := range rates {
			putInts(out, int64(r.bpm), r.count, r.heldMS, r.weightMS, s.measuredMin, s.refused, s.lengthMin, s.spanMS)
		}
		return len(rates)
	}), nil
}

// Flat turns the same rows into stretches without change.
func Flat(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in, of := newHours(rows), liner{}
	maps.Copy(in.constants, map[string]*float64{
		"flat_line_min": &of.flatLineMin, "flat_line_samples_per_min": &of.samplesPerMin,
	})
	return newStream(in, []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "started_ms", Type: arrow.PrimitiveTypes.Int64},
		{Name: "length_ms", Type: arrow.PrimitiveTypes.Int64},
		{Name: "device_id", Type: arrow.BinaryTypes.String},
	}, func(out *array.RecordBuilder) int {
		lines := of.flat(in.of)
		in.putKey(out, len(lines))
		for _, l := range lines {
			putInts(out, l.startedMS, l.lengthMS)
			out.Field(4).(*array.StringBuilder).Append(*l.device)
		}
		return len(lines)
	}), nil
}

// putInts adds a row's figures, which follow its key.
func putInts(out *array.RecordBuilder, values ...int64) {
	for i, v := range values {
		switch f := out.Field(2 + i).(type) {
		case *array.Int32Builder:
			f.Append(int32(v))
		case *array.Int64Builder:
			f.Append(v)
		}
	}
}

// A stream makes batches as they are asked for.
type stream struct {
	schema *arrow.Schema
	hours  *hours
	out    *array.RecordBuilder
	add    func(*array.RecordBuilder) int // the rows of the present date; returns how many
	batch  arrow.RecordBatch
	refs   int
}

func newStream(in *hours, fields []arrow.Field, add func(*array.RecordBuilder) int) *stream {
	schema := arrow.NewSchema(fields, nil)
	return &stream{schema: schema, hours: in, out: array.NewRecordBuilder(memory.DefaultAllocator, schema), add: add, refs: 1}
}

func (s *stream) Schema() *arrow.Schema          { return s.schema }
func (s *stream) RecordBatch() arrow.RecordBatch { return s.batch }
func (s *stream) Record() arrow.RecordBatch      { return s.batch }
func (s *stream) Err() error                     { return s.hours.err() }
func (s *stream) Retain()                        { s.refs++ }

func (s *stream) Release() {
	if s.refs--; s.refs == 0 {
		s.drop()
		s.out.Release()
	}
}

func (s *stream) drop() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

func (s *stream) Next() bool {
	s.drop()
	rows := 0
	for rows < batchRows && s.hours.nextDay() {
		rows += s.add(s.out)
	}
	if rows == 0 || s.Err() != nil {
		return false
	}
	s.batch = s.out.NewRecordBatch()
	return true
}

// hours reads the hours of one person's date after the other.
type hours struct {
	rows array.RecordReader
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		hour                         *array.Timestamp
		offset, period               *array.Int32
		offsets, values, sentinels   *array.List
		offsetsOf, valuesOf          []int32
		sentinelsOf                  []int32
	}
	at, n int // row and number of rows of the batch
	seen  error

	cleaner
	constants map[string]*float64 // columns with one value for all rows

	user string
	date arrow.Date32
	of   []Hour
}

func newHours(rows array.RecordReader) *hours {
	h := &hours{rows: rows}
	h.constants = map[string]*float64{
		"lowest_bpm": &h.lowestBPM, "highest_bpm": &h.highestBPM, "jump_bpm_per_s": &h.jumpBPMPerS,
	}
	return h
}

// putKey adds the person and the date of n rows.
func (h *hours) putKey(out *array.RecordBuilder, n int) {
	users, dates := out.Field(0).(*array.StringBuilder), out.Field(1).(*array.Date32Builder)
	for range n {
		users.Append(h.user)
		dates.Append(h.date)
	}
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
	hour.Refused = 0
	if metric == HeartRate {
		h.clean(hour, listOf(h.cols.sentinels, h.cols.sentinelsOf, h.at))
	}
}

func listOf(list *array.List, values []int32, i int) []int32 {
	from, to := list.ValueOffsets(i)
	return values[from:to]
}

func metricOf(name string) (Metric, bool) {
	i := slices.Index([]string{
		HeartRate: schemas.HeartRate, Steps: schemas.Steps, Intensity: schemas.Intensity, Motion: schemas.MotionCount,
		Distance: "distance", Floors: "floors", ActiveEnergy: "active_energy", OxygenSaturation: "oxygen_saturation",
		RespiratoryRate: "respiratory_rate", SkinTemperature: "skin_temperature", Stress: "stress", Noise: "noise_level",
		StepCounter: schemas.StepCounter,
	}, name)
	return Metric(i), i >= 0
}

func rankOf(source string) int32 {
	switch source {
	case "native":
		return nativeRank
	case "import":
		return nativeRank + 1
	default:
		return nativeRank + 2
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
	var offsets, values, sentinels *array.Int32
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
		"sentinel_values": func(a arrow.Array) (ok bool) {
			if c.sentinels, ok = a.(*array.List); ok {
				sentinels, ok = c.sentinels.ListValues().(*array.Int32)
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
		column, err := columnOf(batch, name)
		if err != nil {
			return err
		}
		if !bind(column) {
			return fmt.Errorf("minutes: column %s is of type %s", name, column.DataType())
		}
	}
	for name, value := range h.constants {
		column, err := columnOf(batch, name)
		if err != nil {
			return err
		}
		values, ok := column.(*array.Float64)
		if !ok || values.Len() > 0 && values.IsNull(0) {
			return fmt.Errorf("minutes: column %s is of type %s, or null", name, column.DataType())
		}
		if values.Len() > 0 {
			*value = values.Value(0)
		}
	}
	c.offsetsOf, c.valuesOf, c.sentinelsOf = offsets.Int32Values(), values.Int32Values(), sentinels.Int32Values()
	return nil
}

func columnOf(batch arrow.RecordBatch, name string) (arrow.Array, error) {
	at := batch.Schema().FieldIndices(name)
	if len(at) != 1 {
		return nil, fmt.Errorf("minutes: there is no column %s", name)
	}
	return batch.Column(at[0]), nil
}
