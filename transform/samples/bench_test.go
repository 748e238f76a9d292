package samples

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
)

// BenchmarkDates measures dates as most devices record them, with a heart rate by the minute, and as some do, every five
// seconds.
func BenchmarkDates(b *testing.B) {
	for name, periodMS := range map[string]int{"minutes": minuteMS, "seconds": 5000} {
		b.Run(name, func(b *testing.B) {
			hours, samples := someHours(periodMS)
			beside := someRules()
			defer beside.Release()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				in, err := array.NewRecordReader(beside.Schema(), []arrow.RecordBatch{beside})
				if err != nil {
					b.Fatal(err)
				}
				dates, err := Dates(b.Context(), &people{hours: hours}, in)
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

// people are a Source.
type people struct {
	hours [][]schemas.SeriesHour
	next  int
}

func (p *people) Next(context.Context) bool {
	p.next++
	return p.next <= len(p.hours)
}

func (p *people) Hours() []schemas.SeriesHour { return p.hours[p.next-1] }

func (p *people) Err() error { return nil }

// someHours returns the hours of people who wear one device, as silver holds them.
func someHours(heartPeriodMS int) (hours [][]schemas.SeriesHour, samples int) {
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
	rng := rand.New(rand.NewPCG(1, 2))
	for person := range benchmarkDays {
		var of []schemas.SeriesHour
		for _, m := range metrics {
			for hour := range 24 {
				of = append(of, schemas.SeriesHour{
					UserID: fmt.Sprintf("person-%03d", person), DeviceID: "watch", Metric: m.name, Source: "native",
					LocalDate: 20_000, HourAt: int64(20_000*24+hour) * hourMS * 1000, PeriodMS: int32(m.periodMS),
					OffsetsMS: []int32{0}, Values: someValues(rng, m.name, m.values),
				})
				samples += m.values
			}
		}
		hours = append(hours, of)
	}
	return hours, samples
}

// someRules returns what stands beside the hours: no device has sentinels.
func someRules() arrow.RecordBatch {
	rules := map[string]float64{
		"lowest_bpm": 25, "highest_bpm": 240, "jump_bpm_per_s": 60, "counter_steps_per_min_max": 300, "hold_ms": 60_000,
		"hold_dense_ms": 60_000, "dense_gap_ms": 120_000, "spot_hold_ms": 900_000, "spot_own_ms": 900_000, "flat_line_min": 20,
		"flat_line_samples_per_min": 4,
	}
	fields := []arrow.Field{
		{Name: "device_id", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "sentinel_values", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	}
	for name := range rules {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64})
	}
	out := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer out.Release()
	for i, f := range fields {
		if rule, ok := rules[f.Name]; ok {
			out.Field(i).(*array.Float64Builder).Append(rule)
		} else {
			out.Field(i).AppendNull()
		}
	}
	return out.NewRecordBatch()
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
