package heart

import (
	"math/rand/v2"
	"testing"

	"github.com/diurna-health/diurna/transform/samples"
)

// TestHalfHoursAreThoseOfTheWholeGrid holds the lowest half hour against every window of a night without holes in its minutes.
func TestHalfHoursAreThoseOfTheWholeGrid(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(23, 7))
	windows := Windows{Min: 30, MeasuredMin: 20}
	found := 0
	for round := range 500 {
		length := rng.Int32N(150)
		night := Night{}
		night.Begin("u", 1, samples.Span{From: 1000, Until: 1000 + length})
		bpm := make([]float64, length) // 0 = not measured
		for i, isHole := 0, false; i < len(bpm); i++ {
			if rng.IntN(8) == 0 {
				isHole = !isHole
			}
			if !isHole {
				bpm[i] = float64(45 + rng.IntN(30))
				night.beats = append(night.beats, beat{1000 + int32(i), rateOf(bpm[i])})
			}
		}
		got, _ := night.Summary(&windows)
		var want Summary
		for from := 0; from+30 <= len(bpm); from++ {
			sum, n := 0.0, 0
			for _, v := range bpm[from : from+30] {
				if v > 0 {
					sum, n = sum+v, n+1
				}
			}
			if n < 20 {
				continue
			}
			if mean := sum / float64(n); !want.HasHalfHour || mean < want.LowestHalfHourBPM {
				want.LowestHalfHourBPM = mean
			}
			want.HasHalfHour, want.HalfHourMeasuredMin = true, max(want.HalfHourMeasuredMin, n)
		}
		if got.HasHalfHour != want.HasHalfHour || got.HalfHourMeasuredMin != want.HalfHourMeasuredMin ||
			got.LowestHalfHourBPM != want.LowestHalfHourBPM {
			t.Fatalf("round %d: half hours are %+v, want %+v", round, got, want)
		}
		if want.HasHalfHour {
			found++
		}
	}
	if found < 100 || found > 490 {
		t.Errorf("%d of 500 nights have a half hour: some are to have one, and some none", found)
	}
}
