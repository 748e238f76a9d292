package samples

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRatesTakenByTheHourAreThoseTakenOneByOne: steady hours are counted as a whole.
func TestRatesTakenByTheHourAreThoseTakenOneByOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	rules := holder{holdMS: 60_000, holdDenseMS: 45_000, denseGapMS: 120_000, spotHoldMS: 900_000, spotOwnMS: 600_000}
	steady := 0
	for round := range 3000 {
		var hours []*Hour
		for hour := range int64(rng.IntN(4) + 1) {
			for _, from := range []int64{0, 1_800_000}[:1+rng.IntN(2)] {
				hours = append(hours, someRates(rng, hour, from))
			}
		}
		byHour, oneByOne := rules, rules
		got, summary := byHour.hold(hours)
		oneByOne.begin()
		oneByOne.addSorted(hours, func(*Hour, int64) bool { return true })
		want := oneByOne.end()
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: by the hour %v, one by one %v", round, got, want)
		}
		if minutes := minutesOfAny(hours); summary.measuredMin != minutes || oneByOne.minutes != minutes {
			t.Fatalf("round %d: %d and %d minutes, want %d", round, summary.measuredMin, oneByOne.minutes, minutes)
		}
		if inTime(hours) {
			steady++
		}
	}
	if steady < 300 || steady > 2700 {
		t.Errorf("%d of 3000 rounds were in time: the others are to be there too", steady)
	}
}

// someRates returns some samples of an hour from some ms on: steady ones, or some that lie anywhere.
func someRates(rng *rand.Rand, hour, fromMS int64) *Hour {
	h := &Hour{Metric: HeartRate, Device: "watch", HourUS: (500_000 + hour) * hourMS * 1000}
	h.PeriodMS = []int32{0, 1000, 5000, 7000, 60_000, 70_000, 300_000}[rng.IntN(7)]
	n := rng.IntN(30)
	if rng.IntN(20) > 0 {
		n = min(n, 1+1_700_000/int(max(h.PeriodMS, 1))) // the half hour ends before the next begins
	}
	for range n {
		h.Values = append(h.Values, 60+rng.Int32N(4))
	}
	if h.PeriodMS > 0 && rng.IntN(3) > 0 {
		h.OffsetsMS = []int32{int32(fromMS) + rng.Int32N(2)*30_000}
		return h
	}
	for at := int32(fromMS); len(h.OffsetsMS) < n; at += 1 + rng.Int32N(90_000) {
		h.OffsetsMS = append(h.OffsetsMS, at)
	}
	if rng.IntN(6) == 0 {
		rng.Shuffle(n, func(i, k int) { h.OffsetsMS[i], h.OffsetsMS[k] = h.OffsetsMS[k], h.OffsetsMS[i] })
	}
	return h
}
