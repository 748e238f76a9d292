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
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/samples"
)

var hourSchema = arrow.NewSchema([]arrow.Field{
	{Name: "metric", Type: arrow.BinaryTypes.String}, // in any order
	{Name: "user_id", Type: arrow.BinaryTypes.String},
	{Name: "night_date", Type: arrow.FixedWidthTypes.Date32},
	{Name: "first_epoch", Type: arrow.PrimitiveTypes.Int64},
	{Name: "end_epoch", Type: arrow.PrimitiveTypes.Int64},
	{Name: "device_id", Type: arrow.BinaryTypes.String},
	{Name: "source", Type: arrow.BinaryTypes.String},
	{Name: "hour_ms", Type: arrow.PrimitiveTypes.Int64},
	{Name: "period_ms", Type: arrow.PrimitiveTypes.Int32},
	{Name: "offsets_ms", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
	{Name: "sample_values", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
	{Name: "observed_share_min", Type: arrow.PrimitiveTypes.Float64},
}, nil)

const (
	firstEpoch = 56_666_640 // a whole hour
	hourEpochs = 3600 / epochS
)

// hourRows returns batches of a few rows with the hours of nights.
func hourRows(t *testing.T, nights ...Night) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, hourSchema)
	var batches []arrow.RecordBatch
	rows := 0
	for n, night := range nights {
		add := func(metric string, hour int, offsets, values []int32) {
			if len(values) == 0 {
				return
			}
			for i, text := range map[int]string{0: metric, 1: fmt.Sprint("person-", n), 5: "watch", 6: "native"} {
				b.Field(i).(*array.StringBuilder).Append(text)
			}
			b.Field(2).(*array.Date32Builder).Append(20000)
			b.Field(3).(*array.Int64Builder).Append(firstEpoch)
			b.Field(4).(*array.Int64Builder).Append(firstEpoch + int64(len(night.MotionCounts)))
			b.Field(7).(*array.Int64Builder).Append((firstEpoch + int64(hour)*hourEpochs) * epochMS)
			b.Field(8).(*array.Int32Builder).Append(epochMS)
			for i, list := range map[int][]int32{9: offsets, 10: values} {
				b.Field(i).(*array.ListBuilder).Append(true)
				b.Field(i).(*array.ListBuilder).ValueBuilder().(*array.Int32Builder).AppendValues(list, nil)
			}
			b.Field(11).(*array.Float64Builder).Append(50)
			if rows++; rows%7 == 0 {
				batches = append(batches, b.NewRecordBatch())
			}
		}
		for from := 0; from < len(night.MotionCounts); from += hourEpochs {
			var offsets, counts, hearts, rates []int32
			for i := from; i < min(from+hourEpochs, len(night.MotionCounts)); i++ {
				at := int32(i-from) * epochMS
				if count := night.MotionCounts[i]; !math.IsNaN(count) {
					offsets, counts = append(offsets, at), append(counts, int32(count))
				}
				hearts, rates = append(hearts, at+epochMS/2), append(rates, int32(night.HeartRate[i].BPM))
			}
			add(schemas.HeartRate, from/hourEpochs, hearts, rates)
			add(schemas.MotionCount, from/hourEpochs, offsets, counts)
		}
	}
	batches = append(batches, b.NewRecordBatch())
	r, err := array.NewRecordReader(hourSchema, batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inTheMiddle is a night with a heart rate in the middle of each epoch, as a watch tells it: whole numbers.
func inTheMiddle(seed uint64, epochs int) Night {
	night := someNight(seed, epochs, 20)
	samples := make([]HeartRateSample, epochs)
	for i := range samples {
		samples[i] = HeartRateSample{float64(i)*epochS + epochS/2, math.Round(night.HeartRate[i].BPM)}
	}
	night.HeartRate = samples
	for i, count := range night.MotionCounts {
		night.MotionCounts[i] = math.Floor(count)
	}
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
	r, err := Stretches(t.Context(), hourRows(t, nights...), shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	got := map[string][]schemas.SleepStage{}
	for r.Next() {
		batch := r.RecordBatch()
		for i := range int(batch.NumRows()) {
			user := text(batch.Column(0), i)
			begun := batch.Column(2).(*array.Timestamp).Value(i)
			from := int(batch.Column(3).(*array.Timestamp).Value(i)-begun) / 30_000_000
			to := int(batch.Column(4).(*array.Timestamp).Value(i)-begun) / 30_000_000
			for len(got[user]) < from {
				got[user] = append(got[user], "")
			}
			for range to - from {
				got[user] = append(got[user], schemas.SleepStage(text(batch.Column(5), i)))
			}
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	s := New(shipped(t))
	for n, night := range nights {
		night.HeartRate = slices.DeleteFunc(slices.Clone(night.HeartRate), func(h HeartRateSample) bool {
			return math.IsNaN(night.MotionCounts[int(h.AtS/epochS)]) // nothing says that it was the same arm
		})
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

// text returns a text of a column that holds each once, as one that stays when the batch goes.
func text(column arrow.Array, row int) string {
	texts := column.(*array.Dictionary)
	return strings.Clone(texts.Dictionary().(*array.String).Value(texts.GetValueIndex(row)))
}

func TestAnEpisodeIsThatOfOneDevice(t *testing.T) {
	t.Parallel()
	const at = firstEpoch * epochMS
	recorded := func(metric samples.Metric, device string, rank int32, startMS int64, periodMS int32, offsets, values []int32) samples.Hour {
		return samples.Hour{
			Metric: metric, Device: device, SourceRank: rank, HourUS: startMS * 1000, PeriodMS: periodMS, OffsetsMS: offsets, Values: values,
		}
	}
	motion := func(device string, rank int32, startMS int64, counts ...int32) samples.Hour {
		return recorded(samples.Motion, device, rank, startMS, epochMS, []int32{0}, counts)
	}
	heart := func(device string, offsets, rates []int32) samples.Hour {
		return recorded(samples.HeartRate, device, 1, at, 60_000, offsets, rates)
	}
	for name, c := range map[string]struct {
		hours  []samples.Hour
		counts []float64
		rates  []HeartRateSample
		share  float64 // of which so much is enough, and no more
	}{
		"the one with more counts, its own heart, the mean of an epoch": {
			hours: []samples.Hour{
				motion("ring", 1, at, 9, 9), motion("watch", 1, at, 1, 2, 3, 4, 5),
				heart("watch", []int32{0, 20_000, 60_000}, []int32{50, 53, 60}), heart("ring", []int32{30_000}, []int32{99}),
			},
			counts: []float64{1, 2, 3, 4}, rates: []HeartRateSample{{15, 51.5}, {75, 60}}, share: 100,
		},
		"native before imported": {
			hours:  []samples.Hour{motion("ring", 1, at, 9, 9, 9), motion("watch", 2, at, 1, 2, 3, 4), heart("ring", []int32{60_000}, []int32{50})},
			counts: []float64{9, 9, 9}, rates: []HeartRateSample{{75, 50}}, share: 50,
		},
		"the first by name": {
			hours:  []samples.Hour{motion("b", 1, at, 1, 2, 3, 4), motion("a", 1, at, 4, 3, 2, 1)},
			counts: []float64{4, 3, 2, 1}, share: 0,
		},
		"what was recorded before and after is left out": {
			hours:  []samples.Hour{motion("watch", 1, at-2*epochMS, 7, 7, 1, 2, 3, 4, 7), heart("watch", []int32{0}, []int32{50, 51, 52})},
			counts: []float64{1, 2, 3, 4}, rates: []HeartRateSample{{15, 50}, {75, 51}}, share: 100,
		},
		"several counts of an epoch are their mean, in whole numbers": {
			hours:  []samples.Hour{recorded(samples.Motion, "watch", 1, at, epochMS, []int32{0, 10_000, 90_000}, []int32{2, 5, 1})},
			counts: []float64{3, math.NaN(), math.NaN(), 1}, share: 0,
		},
		"without counts nothing": {hours: []samples.Hour{heart("watch", []int32{0}, []int32{50})}, share: -1},
	} {
		e := episode{firstEpoch: firstEpoch, endEpoch: firstEpoch + 4}
		for _, h := range c.hours {
			e.hours.Add(h)
		}
		isEnough, tooLittle := e.observe(c.share), !e.observe(c.share+1)
		if isEnough != (c.share >= 0) || !tooLittle {
			t.Errorf("%s: enough for %v %% is %t, too little for one more is %t", name, c.share, isEnough, tooLittle)
		}
		if diff := cmp.Diff(c.counts, e.night.MotionCounts, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: counts (-want +got)\n%s", name, diff)
		}
		if diff := cmp.Diff(c.rates, e.night.HeartRate, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: heart rates (-want +got)\n%s", name, diff)
		}
	}
	long := episode{firstEpoch: firstEpoch, endEpoch: firstEpoch + maxStagedEpochs + 1}
	long.hours.Add(motion("watch", 1, at, 1))
	if long.observe(0) {
		t.Error("what is longer than two days is a night")
	}
}

func TestAColumnThatIsMissing(t *testing.T) {
	t.Parallel()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(hourSchema.Fields()[1:], nil))
	rows, err := array.NewRecordReader(b.Schema(), []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Stretches(t.Context(), rows, shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	if r.Next() || r.Err() == nil || r.Err().Error() != "there is no column metric" {
		t.Errorf("error is %v, want one about the column metric", r.Err())
	}
}
