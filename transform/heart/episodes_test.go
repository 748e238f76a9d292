package heart

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// TestStillIsWhatWasCountedAsNoStep holds the minutes that are still against what is written down minute by minute.
func TestStillIsWhatWasCountedAsNoStep(t *testing.T) {
	t.Parallel()
	const first, length = 1000, 120
	rng := rand.New(rand.NewPCG(29, 7))
	limits := Limits{HighBPM: 120, LowBPM: 40, LowAsleepBPM: 35, AwakeMin: 30, StillMin: 5}
	heart := heartOf(t, first, length)
	still := 0
	for round := range 500 {
		var walked samples.Walked
		isWalked, isCounted := make([]bool, length), make([]bool, length)
		for i := range length {
			if rng.IntN(10) == 0 {
				continue
			}
			count := int32(0)
			if rng.IntN(12) == 0 {
				count = 9
			}
			walked.Minutes = append(walked.Minutes, first+int32(i))
			walked.Counts = append(walked.Counts, count)
			isCounted[i], isWalked[i] = true, count > 0
		}
		for i, s := range statesOf(&limits, heart, walked, nil) {
			want := i >= 5
			for k := max(0, i-5); k <= i; k++ {
				want = want && isCounted[k] && !isWalked[k]
			}
			if s.isStill != want {
				t.Fatalf("round %d: minute %d is still: %v, want %v", round, i, s.isStill, want)
			}
			if want {
				still++
			}
		}
	}
	if still < 1000 {
		t.Errorf("%d minutes were still: too few to compare", still)
	}
}

// heartOf returns minutes of a fast heart, one after the other.
func heartOf(t *testing.T, first int32, length int) samples.Heart {
	t.Helper()
	list := arrow.ListOf(arrow.PrimitiveTypes.Int32)
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "heart_rate_minutes", Type: list}, {Name: "heart_rate_sums_bpm", Type: list},
		{Name: "heart_rate_sample_counts", Type: list, Nullable: true},
	}, nil))
	var values [2]*array.Int32Builder
	for i := range values {
		column := b.Field(i).(*array.ListBuilder)
		column.Append(true)
		values[i] = column.ValueBuilder().(*array.Int32Builder)
	}
	b.Field(2).AppendNull()
	for i := range length {
		values[0].Append(first + int32(i))
		values[1].Append(130)
	}
	var hearts samples.HeartColumns
	if err := rows.Bind(b.NewRecordBatch(), hearts.Columns()); err != nil {
		t.Fatal(err)
	}
	return hearts.At(0)
}
