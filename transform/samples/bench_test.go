package samples

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// BenchmarkDates measures dates as most devices record them, with a heart rate by the minute, and as some do, every five
// seconds.
func BenchmarkDates(b *testing.B) {
	for name, periodMS := range map[string]int{"minutes": minuteMS, "seconds": 5000} {
		b.Run(name, func(b *testing.B) {
			hours, samples := someHours(periodMS)
			defer hours.Release()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				in, err := array.NewRecordReader(hours.Schema(), []arrow.RecordBatch{hours})
				if err != nil {
					b.Fatal(err)
				}
				dates, err := Dates(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				for dates.Next() {
					n += int(dates.RecordBatch().NumRows())
				}
				if err := dates.Err(); err != nil {
					b.Fatal(err)
				}
				dates.Release()
				in.Release()
			}
			if n < benchmarkDays*b.N {
				b.Fatalf("%d dates in %d rounds", n, b.N)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(samples*b.N), "ns/sample")
		})
	}
}

const benchmarkDays = 64

// someHours returns dates of people who wear one device, as silver holds them.
func someHours(heartPeriodMS int) (hours arrow.RecordBatch, samples int) {
	type metric struct {
		name             string
		periodMS, values int
	}
	metrics := []metric{
		{"heart_rate", heartPeriodMS, hourMS / heartPeriodMS},
		{"motion_count", 30_000, 120},
		{"oxygen_saturation", 300_000, 12},
		{"steps", minuteMS, 60},
		{"stress", 180_000, 20},
	}
	rules := map[string]float64{
		"lowest_bpm": 25, "highest_bpm": 240, "jump_bpm_per_s": 60, "counter_steps_per_min_max": 300, "hold_ms": 60_000,
		"hold_dense_ms": 60_000, "dense_gap_ms": 120_000, "spot_hold_ms": 900_000, "spot_own_ms": 900_000, "flat_line_min": 20,
		"flat_line_samples_per_min": 4,
	}
	lists := arrow.ListOf(arrow.PrimitiveTypes.Int32)
	fields := []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "device_id", Type: arrow.BinaryTypes.String},
		{Name: "metric", Type: arrow.BinaryTypes.String}, {Name: "source", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32}, {Name: "hour_at", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "utc_offset_min", Type: arrow.PrimitiveTypes.Int32}, {Name: "period_ms", Type: arrow.PrimitiveTypes.Int32},
		{Name: "offsets_ms", Type: lists}, {Name: "values", Type: lists}, {Name: "sentinel_values", Type: lists},
	}
	for name := range rules {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64})
	}
	out := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer out.Release()
	ints := func(column int, values ...int32) {
		list := out.Field(column).(*array.ListBuilder)
		list.Append(true)
		list.ValueBuilder().(*array.Int32Builder).AppendValues(values, nil)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for day := range benchmarkDays {
		for _, m := range metrics {
			for hour := range 24 {
				for i, text := range []string{fmt.Sprintf("person-%03d", day), "watch", m.name, "native"} {
					out.Field(i).(*array.StringBuilder).Append(text)
				}
				out.Field(4).(*array.Date32Builder).Append(20_000)
				out.Field(5).(*array.TimestampBuilder).Append(arrow.Timestamp(20_000*24+hour) * hourMS * 1000)
				out.Field(6).(*array.Int32Builder).Append(0)
				out.Field(7).(*array.Int32Builder).Append(int32(m.periodMS))
				ints(8, 0)
				ints(9, someValues(rng, m.name, m.values)...)
				out.Field(10).AppendNull()
				for i := 11; i < len(fields); i++ {
					out.Field(i).(*array.Float64Builder).Append(rules[fields[i].Name])
				}
				samples += m.values
			}
		}
	}
	return out.NewRecordBatch(), samples
}

// someValues returns a heart rate that goes up and down, or zeros with something between them.
func someValues(rng *rand.Rand, metric string, n int) []int32 {
	values, rate := make([]int32, n), 60+rng.Int32N(40)
	for i := range values {
		if metric == "heart_rate" {
			rate += rng.Int32N(3) - 1
			values[i] = rate
		} else {
			values[i] = max(0, rng.Int32N(100)-60)
		}
	}
	return values
}
