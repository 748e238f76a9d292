package minutes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint changes when the same hours would come to something else.
const Fingerprint = "3"

// A figure is a column of minutes: something of the tally that stands for a minute.
type figure struct {
	column *rows.Numbers[int32]
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
		{rows.Int32s("heart_rate_min_bpm"), HeartRate, lowest},
		{rows.Int32s("heart_rate_sum_bpm"), HeartRate, total},
		{rows.Int32s("heart_rate_max_bpm"), HeartRate, highest},
		{rows.Int32s("heart_rate_sample_count"), HeartRate, samples},
		{rows.Int32s("step_count"), Steps, total},
		{rows.Int32s("step_sample_count"), Steps, samples},
		{rows.Int32s("foreign_step_count"), Steps, func(t *tally) int32 { return t.foreign }},
		{rows.Int32s("step_covered_min"), Steps, covered},
		{rows.Int32s("step_utc_offset_min"), Steps, func(t *tally) int32 { return t.offsetMin }},
		{rows.Int32s("intensity_level"), Intensity, highest}, // a class is no quantity: the highest counts
		{rows.Int32s("intensity_sample_count"), Intensity, samples},
		{rows.Int32s("motion_count"), Motion, total},
		{rows.Int32s("motion_sample_count"), Motion, samples},
		{rows.Int32s("distance_cm"), Distance, total},
		{rows.Int32s("floor_count"), Floors, total},
		{rows.Int32s("active_energy_cal"), ActiveEnergy, total},
		{rows.Int32s("oxygen_saturation_min_permille"), OxygenSaturation, lowest},
		{rows.Int32s("oxygen_saturation_sum_permille"), OxygenSaturation, total},
		{rows.Int32s("oxygen_saturation_sample_count"), OxygenSaturation, samples},
		{rows.Int32s("oxygen_saturation_covered_min"), OxygenSaturation, covered},
		{rows.Int32s("respiratory_rate_sum_milli_per_min"), RespiratoryRate, total},
		{rows.Int32s("respiratory_rate_sample_count"), RespiratoryRate, samples},
		{rows.Int32s("respiratory_rate_covered_min"), RespiratoryRate, covered},
		{rows.Int32s("skin_temperature_sum_mcel"), SkinTemperature, total},
		{rows.Int32s("skin_temperature_sample_count"), SkinTemperature, samples},
		{rows.Int32s("skin_temperature_covered_min"), SkinTemperature, covered},
		{rows.Int32s("stress_sum_score"), Stress, total},
		{rows.Int32s("stress_sample_count"), Stress, samples},
		{rows.Int32s("stress_covered_min"), Stress, covered},
		{rows.Int32s("noise_level_sum_ddb"), Noise, total},
		{rows.Int32s("noise_level_max_ddb"), Noise, highest},
		{rows.Int32s("noise_level_sample_count"), Noise, samples},
		{rows.Int32s("noise_level_covered_min"), Noise, covered},
	}
}

// Run turns rows of silver.series_hours, in order of user_id and local_date, into minutes. The rows bring the limits of
// heart rates and of counters with them.
func Run(_ context.Context, hours array.RecordReader) (array.RecordReader, error) {
	in, figures, of := newHours(hours), figures(), day{}
	in.constants["counter_steps_per_min_max"] = &of.stepsPerMinMax
	number, local := rows.Int32s("minute_number"), rows.Int32s("local_minute")
	columns := []rows.Column{number, local}
	for _, f := range figures {
		columns = append(columns, f.column)
	}
	return newStream(in, func() int {
		of.fill(slices.DeleteFunc(in.of, func(h Hour) bool { return len(h.Values) == 0 }))
		for _, row := range of.rows {
			number.Add(int32(row.number))
			local.Add(row.local)
		}
		for _, f := range figures {
			f.add(of.chosen[f.metric], len(of.rows))
		}
		return len(of.rows)
	}, columns...), nil
}

// add adds the figure of each of n rows.
func (f *figure) add(tallies []*tally, n int) {
	if len(tallies) == 0 { // the date has nothing of the metric
		f.column.Skip(n)
		return
	}
	for _, t := range tallies {
		if t == nil {
			f.column.Skip(1)
		} else {
			f.column.Add(f.of(t))
		}
	}
}

// Held turns rows of silver.series_hours of heart rate, in the same order, into histograms of dates.
func Held(_ context.Context, hours array.RecordReader) (array.RecordReader, error) {
	in, of := newHours(hours), holder{}
	maps.Copy(in.constants, map[string]*float64{
		"hold_ms": &of.holdMS, "hold_dense_ms": &of.holdDenseMS, "dense_gap_ms": &of.denseGapMS,
		"spot_hold_ms": &of.spotHoldMS, "spot_own_ms": &of.spotOwnMS,
	})
	bpm, measured, length := rows.Int32s("heart_rate_bpm"), rows.Int32s("measured_min"), rows.Int32s("date_length_min")
	samples, held, weight := rows.Int64s("sample_count"), rows.Int64s("held_ms"), rows.Int64s("weight_ms")
	refused, span := rows.Int64s("refused_count"), rows.Int64s("span_ms")
	return newStream(in, func() int {
		if len(in.of) == 0 {
			return 0
		}
		rates, s := of.hold(in.of)
		for _, r := range rates {
			bpm.Add(r.bpm)
			samples.Add(r.count)
			held.Add(r.heldMS)
			weight.Add(r.weightMS)
			measured.Add(int32(s.measuredMin))
			refused.Add(s.refused)
			length.Add(int32(s.lengthMin))
			span.Add(s.spanMS)
		}
		return len(rates)
	}, bpm, samples, held, weight, measured, refused, length, span), nil
}

// Flat turns the same rows into stretches without change.
func Flat(_ context.Context, hours array.RecordReader) (array.RecordReader, error) {
	in, of := newHours(hours), liner{}
	maps.Copy(in.constants, map[string]*float64{
		"flat_line_min": &of.flatLineMin, "flat_line_samples_per_min": &of.samplesPerMin,
	})
	started, length, device := rows.Int64s("started_ms"), rows.Int64s("length_ms"), rows.Strings("device_id")
	return newStream(in, func() int {
		lines := of.flat(in.of)
		for _, l := range lines {
			started.Add(l.startedMS)
			length.Add(l.lengthMS)
			device.Add(*l.device, 1)
		}
		return len(lines)
	}, started, length, device), nil
}

// newStream returns the stream of a person's dates: who and when, and the columns to which add adds rows of the present
// date, as many as it returns.
func newStream(in *hours, add func() int, columns ...rows.Column) *rows.Stream {
	users, dates := rows.Strings("user_id"), rows.Dates("local_date")
	return rows.NewStream(rows.NewColumns(append([]rows.Column{users, dates}, columns...)...), func() (bool, error) {
		if !in.nextDay() {
			return false, in.err()
		}
		n := add()
		users.Add(in.user, n)
		for range n {
			dates.Add(int32(in.date))
		}
		return true, nil
	})
}

// hours reads the hours of one person's date after the other.
type hours struct {
	rows array.RecordReader
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		hour                         *array.Timestamp
		offset, period               *array.Int32
		offsets, values, sentinels   rows.Lists
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
	offsets, values := h.cols.offsets.At(h.at), h.cols.values.At(h.at)
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
		h.clean(hour, h.cols.sentinels.At(h.at))
	}
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
	if err := rows.Bind(batch, map[string]any{
		"user_id": &c.user, "local_date": &c.date, "device_id": &c.device, "metric": &c.metric, "source": &c.source,
		"hour_at": &c.hour, "utc_offset_min": &c.offset, "period_ms": &c.period,
		"offsets_ms": &c.offsets, "values": &c.values, "sentinel_values": &c.sentinels,
	}); err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	if err := rows.BindConstants(batch, h.constants); err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	return nil
}
