package syncv1

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkDecode decodes two hours as a watch sends them: heart rate every 5 s, steps every minute, with a hole.
func BenchmarkDecode(b *testing.B) {
	batch := twoHours()
	for _, form := range []struct {
		name, contentType string
		encode            func(*Batch) ([]byte, error)
	}{{"protobuf", ContentTypeProto, EncodeProto}, {"json", ContentTypeJSON, EncodeJSON}} {
		data, err := form.encode(batch)
		if err != nil {
			b.Fatal(err)
		}
		samples := len(batch.Series[0].Values) + len(batch.Series[1].Values)
		b.Run("form="+form.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(form.contentType, data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

func twoHours() *Batch {
	rng := rand.New(rand.NewPCG(7, 8))
	const start = 1_772_348_400_000
	heartRate := Series{Metric: "heart_rate", StartMS: start, OffsetMin: 60, PeriodMS: 5000}
	for i := range int32(1440) {
		if i == 700 {
			continue
		}
		heartRate.AtMS = append(heartRate.AtMS, i*5000)
		heartRate.Values = append(heartRate.Values, 60+rng.Int32N(20))
	}
	steps := Series{Metric: "steps", StartMS: start, OffsetMin: 60, PeriodMS: 60_000}
	for range 120 {
		steps.Values = append(steps.Values, rng.Int32N(3)*rng.Int32N(60))
	}
	return &Batch{
		BatchID: "batch-1", UserID: "person-1", Device: Device{ID: "watch-1"}, Seq: 1, SentAtMS: start + 7_200_000,
		OffsetMin: 60, Source: SourceNative, Series: []Series{heartRate, steps},
	}
}
