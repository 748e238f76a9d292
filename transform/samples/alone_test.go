package samples

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDatesWithNothingToChooseComeToTheSame compares the short way with the one that chooses minute by minute.
func TestDatesWithNothingToChooseComeToTheSame(t *testing.T) {
	taken := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		hours := randomDay(rng)
		var short, long day
		long.gather(hours)
		long.choose()
		if !short.take(hours) {
			continue
		}
		taken++
		if diff := cmp.Diff(long.chosen, short.chosen, cmp.AllowUnexported(series{}), cmp.Transformer("none", func(v []int32) []int32 {
			return append([]int32{}, v...) // no list is an empty one
		})); diff != "" {
			t.Fatalf("the date of seed %d (-minute by minute +short way):\n%s", seed, diff)
		}
		short.taken = true
		if diff := cmp.Diff(long.oxygenSeconds(hours), short.oxygenSeconds(hours), cmp.AllowUnexported(second{})); diff != "" {
			t.Fatalf("the seconds of seed %d (-minute by minute +short way):\n%s", seed, diff)
		}
	}
	if taken < 500 {
		t.Errorf("only %d of 3000 dates went the short way", taken)
	}
}

// randomDay returns hours of mostly one device, in order, now and then of two, twice, or out of order.
func randomDay(rng *rand.Rand) []Hour {
	devices := []string{"watch"}
	if rng.IntN(4) == 0 {
		devices = append(devices, "ring")
	}
	var hours []Hour
	for _, metric := range []Metric{HeartRate, Steps, Stress, OxygenSaturation} {
		period := []int32{0, 1000, 5000, 7000, minuteMS, 90_000, 180_000, 3_600_000}[rng.IntN(8)]
		for at := range 1 + rng.IntN(6) {
			if rng.IntN(20) == 0 {
				at = 0
			}
			h := Hour{
				Metric: metric, Device: devices[rng.IntN(len(devices))], SourceRank: 1 + rng.Int32N(2), PeriodMS: period,
				HourUS: int64(400_000+at) * 3600e6, UTCOffsetMin: []int32{0, 60}[rng.IntN(2)],
			}
			n := 1 + rng.IntN(70)
			if period == 0 || rng.IntN(3) == 0 { // a moment for each
				last := int32(0)
				for range n {
					last += rng.Int32N(90_000)
					h.OffsetsMS = append(h.OffsetsMS, min(last, 3_599_999))
				}
			} else {
				n = min(n, int(3_600_000/period))
				h.OffsetsMS = []int32{rng.Int32N(min(period, minuteMS))}
			}
			for range n {
				h.Values = append(h.Values, rng.Int32N(9))
			}
			hours = append(hours, h)
		}
	}
	return hours
}
