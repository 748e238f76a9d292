package activity

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// BenchmarkHourRows measures dates of which every minute has a heart rate and steps.
func BenchmarkHourRows(b *testing.B) {
	const dates = 128
	batch := someDates(dates)
	defer batch.Release()
	b.ReportAllocs()
	for b.Loop() {
		in, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
		if err != nil {
			b.Fatal(err)
		}
		hours, err := HourRows(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for hours.Next() {
			n += int(hours.RecordBatch().NumRows())
		}
		if err := hours.Err(); err != nil || n < 24*dates {
			b.Fatalf("%d hours, %v", n, err)
		}
		hours.Release()
		in.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*dates*minutesOfDay), "ns/minute")
}

// someDates makes a batch of dates: a night in bed, then sitting with a walk now and then.
func someDates(dates int) arrow.RecordBatch {
	numbers := map[string]float64{
		"cadence_moderate": 100, "cadence_vigorous": 130, "recent_min": 10, "worn_stretch_min": 5, "worn_stretch_max_min": 30, "worn_spacing_pct": 75, "sitting_counted_pct": 80, "prolonged_min": 30,
		"long_min": 60, "motion_still_min": 90, "moderate_points": 1, "vigorous_points": 2, "met_light": 2, "met_moderate": 4,
		"met_vigorous": 7, "implausible_cadence": 250, "implausible_run_cadence": 220, "implausible_run_min": 10,
		"shaker_cadence": 60, "shaker_run_min": 10, "body_weight_g": 70_000, "resting_bpm": 60, "moderate_bpm": 120,
		"vigorous_bpm": 150, "sedentary_bpm": 85, "shaker_bpm": 70, "keytel_bpm": 110, "keytel_workout_bpm": 90, "keytel_kcal": -10, "keytel_kcal_per_beat": 0.15,
	}
	lists := []string{
		"heart_rate_minutes", "heart_rate_sums_bpm", "heart_rate_sample_counts", "step_minutes", "step_counts",
		"bed_from_minutes", "bed_until_minutes", "workout_from_minutes", "workout_until_minutes", "heart_rate_utc_offsets_min", "step_utc_offsets_min",
	}
	fields := []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "is_worn_by_motion", Type: arrow.FixedWidthTypes.Boolean}, {Name: "is_sleep_unknown", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "heart_rate_utc_offset_min", Type: arrow.PrimitiveTypes.Int32}, {Name: "step_utc_offset_min", Type: arrow.PrimitiveTypes.Int32},
	}
	for name := range numbers {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64})
	}
	for _, name := range lists {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)})
	}
	batch := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer batch.Release()
	r := rand.New(rand.NewPCG(1, 1))
	for date := range dates {
		minutes, rates, steps := make([]int32, minutesOfDay), make([]int32, minutesOfDay), make([]int32, minutesOfDay)
		for i := range minutes {
			minutes[i], rates[i] = int32(20_000+date)*minutesOfDay+int32(i), 65+r.Int32N(15)
			if i > 480 && i%60 < 8 {
				rates[i], steps[i] = 110+r.Int32N(30), 80+r.Int32N(50)
			}
		}
		of := map[string][]int32{
			"heart_rate_minutes": minutes, "heart_rate_sums_bpm": rates, "step_minutes": minutes, "step_counts": steps,
			"bed_from_minutes": minutes[:1], "bed_until_minutes": minutes[480:481],
		}
		for i, field := range fields {
			switch column := batch.Field(i).(type) {
			case *array.StringBuilder:
				column.Append("somebody")
			case *array.Date32Builder:
				column.Append(arrow.Date32(20_000 + date))
			case *array.BooleanBuilder:
				column.Append(false)
			case *array.Int32Builder:
				column.Append(0)
			case *array.Float64Builder:
				column.Append(numbers[field.Name])
			case *array.ListBuilder:
				column.Append(len(of[field.Name]) > 0)
				column.ValueBuilder().(*array.Int32Builder).AppendValues(of[field.Name], nil)
			}
		}
	}
	return batch.NewRecordBatch()
}
