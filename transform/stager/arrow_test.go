package stager

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
)

var epochSchema = arrow.NewSchema([]arrow.Field{
	{Name: "motion_count", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, // in any order
	{Name: "user_id", Type: arrow.BinaryTypes.String},
	{Name: "night_date", Type: arrow.FixedWidthTypes.Date32},
	{Name: "episode_started_at", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "epoch_index", Type: arrow.PrimitiveTypes.Int64},
	{Name: "heart_rate_bpm", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

// epochRows returns batches of a few hundred rows with the nights' epochs, a heart rate in the middle of each.
func epochRows(t *testing.T, nights ...Night) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, epochSchema)
	var batches []arrow.RecordBatch
	rows := 0
	for n, night := range nights {
		for i, count := range night.MotionCounts {
			if math.IsNaN(count) {
				b.Field(0).AppendNull()
			} else {
				b.Field(0).(*array.Int32Builder).Append(int32(count))
			}
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("person-", n))
			b.Field(2).(*array.Date32Builder).Append(20000)
			b.Field(3).(*array.TimestampBuilder).Append(1_700_000_000_000_000)
			b.Field(4).(*array.Int64Builder).Append(int64(i))
			b.Field(5).(*array.Float64Builder).Append(night.HeartRate[i].BPM)
			if rows++; rows%700 == 0 {
				batches = append(batches, b.NewRecordBatch())
			}
		}
	}
	batches = append(batches, b.NewRecordBatch())
	r, err := array.NewRecordReader(epochSchema, batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inTheMiddle is a night with a heart rate in the middle of each epoch.
func inTheMiddle(seed uint64, epochs int) Night {
	night := someNight(seed, epochs, 20)
	samples := make([]HeartRateSample, epochs)
	for i := range samples {
		samples[i] = HeartRateSample{float64(i)*epochS + epochS/2, night.HeartRate[i].BPM}
	}
	night.HeartRate = samples
	return night
}

func TestStretchesAreTheStages(t *testing.T) {
	t.Parallel()
	nights := []Night{inTheMiddle(1, 900), inTheMiddle(2, 100), inTheMiddle(3, 600)}
	for i := 100; i < 110; i++ {
		nights[0].MotionCounts[i] = math.NaN()
	}
	for i := range nights[1].MotionCounts {
		nights[1].MotionCounts[i] = math.NaN() // nothing to tell from
	}
	r, err := Stretches(t.Context(), epochRows(t, nights...), shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	got := map[string][]schemas.SleepStage{}
	for r.Next() {
		batch := r.RecordBatch()
		for i := range int(batch.NumRows()) {
			user := strings.Clone(batch.Column(0).(*array.String).Value(i))
			begun := batch.Column(2).(*array.Timestamp).Value(i)
			from := int(batch.Column(3).(*array.Timestamp).Value(i)-begun) / 30_000_000
			to := int(batch.Column(4).(*array.Timestamp).Value(i)-begun) / 30_000_000
			for len(got[user]) < from {
				got[user] = append(got[user], "")
			}
			for range to - from {
				got[user] = append(got[user], schemas.SleepStage(batch.Column(5).(*array.String).Value(i)))
			}
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	s := New(shipped(t))
	for n, night := range nights {
		h, ok := s.Stage(night)
		want := h.Stages
		if !ok {
			want = nil
		}
		if user := fmt.Sprint("person-", n); !slices.Equal(got[user], want) {
			t.Errorf("%s: the stretches are not the night's stages", user)
		}
	}
	if len(got) != 2 {
		t.Errorf("%d people have stretches, want 2", len(got))
	}
}

func TestRowsThatCannotBe(t *testing.T) {
	t.Parallel()
	backwards := func(epochs ...int64) array.RecordReader {
		b := array.NewRecordBuilder(memory.DefaultAllocator, epochSchema)
		for _, e := range epochs {
			b.Field(0).AppendNull()
			b.Field(1).(*array.StringBuilder).Append("secret")
			b.Field(2).(*array.Date32Builder).Append(20000)
			b.Field(3).(*array.TimestampBuilder).Append(0)
			b.Field(4).(*array.Int64Builder).Append(e)
			b.Field(5).AppendNull()
		}
		r, err := array.NewRecordReader(epochSchema, []arrow.RecordBatch{b.NewRecordBatch()})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for want, epochs := range map[string][]int64{
		"column epoch_index: rows are not in its order": {3, 2},
		"column epoch_index: must be from 0 to 5759":    {5760},
	} {
		r, err := Stretches(t.Context(), backwards(epochs...), shipped(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Next() || r.Err() == nil || r.Err().Error() != want {
			t.Errorf("%v: error is %v, want %q", epochs, r.Err(), want)
		}
		r.Release()
	}
	other := arrow.NewSchema(epochSchema.Fields()[1:], nil)
	r, err := array.NewRecordReader(other, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Stretches(t.Context(), r, shipped(t)); err == nil || err.Error() != "column motion_count: found 0 times, want once" {
		t.Errorf("error is %v, want one about motion_count", err)
	}
}
