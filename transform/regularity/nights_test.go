package regularity

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestAMedianOnTheClock(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		minutes []int
		want    float64
	}{
		"of one":                       {[]int{1439}, 1439},
		"of an odd number":             {[]int{600, 640, 700}, 640},
		"of an even number":            {[]int{600, 641, 700, 610}, 625.5},
		"about midnight":               {[]int{1410, 30, 1425, 15, 0, 1380}, 1432.5},
		"a little after midnight":      {[]int{1439, 2, 5}, 2},
		"half a day off":               {[]int{0, 720, 0}, 0},
		"of two that are as near":      {[]int{700, 100}, 400},
		"of two across midnight":       {[]int{1400, 100}, 30},
		"of times all round the clock": {[]int{0, 360, 720, 1080}, 1260}, // though no habit
	} {
		near(t, "the median "+what, clockMedian(c.minutes), c.want, 0)
	}
}

func TestASpreadOnTheClock(t *testing.T) {
	t.Parallel()
	// With every two of a pair x away from its middle, R is cos x.
	x := 60 * math.Pi / 720
	near(t, "the SD about midnight", clockSD([]int{1380, 60, 1380, 60}), math.Sqrt(-2*math.Log(math.Cos(x)))*720/math.Pi, 1e-9)
	near(t, "the SD of one time", clockSD([]int{77, 77, 77, 77, 77}), 0, 0)
	near(t, "the SD of times all round the clock", clockSD([]int{0, 480, 960}), math.NaN(), 0)
}

func TestE029TheMeanOfMidpointsRoundMidnight(t *testing.T) {
	t.Parallel()
	var sum direction
	for _, minute := range []float64{1410, 30, 90} {
		sum.add(directionOf(minute))
	}
	near(t, "the mean", sum.minute(), 30, 1e-9)
}

func TestE023TheRegularityIndexOfTwoPairs(t *testing.T) {
	t.Parallel()
	p := past{pairs: []datePair{{2, 86_400_000, 79_200_000}, {3, 79_200_000, 61_200_000}}}
	rules := &nightRules{pairDayCount: 14, pairCountMin: 2}
	near(t, "the index", p.on(rules, 3).sri, 69.56521739130434, 1e-12)
	rules.pairCountMin = 3
	near(t, "the index of too few pairs", p.on(rules, 3).sri, math.NaN(), 0)
}

// Days are counted back from the night that is told, whatever lies between.
func TestWhatIsTooLongAgoDoesNotCount(t *testing.T) {
	t.Parallel()
	rules := &nightRules{nightCount: 14, nightCountMin: 5, pairDayCount: 7, pairCountMin: 5, chronotypeDayCount: 90}
	var p past
	for date := int32(1); date <= 200; date++ {
		p.pairs = append(p.pairs, datePair{date, 2, 1})
		if date%2 == 0 {
			p.nights = append(p.nights, night{date: date})
			p.declared = append(p.declared, declaredNight{date: date, isFree: date%4 == 0})
		}
		if date != 100 && date != 101 && date != 200 {
			continue
		}
		r := p.on(rules, date)
		if r.timedCount != 7 || r.pairCount != 7 || r.freeCount+r.workCount != 45 {
			t.Errorf("on day %d there are %d nights, %d pairs, %d and %d declared nights; want 7, 7 and 45 together",
				date, r.timedCount, r.pairCount, r.freeCount, r.workCount)
		}
	}
	habits := &habitRules{nightCount: 14, nightCountMin: 5}
	h, kept := habitOn(habits, []night{{date: 5}, {date: 6}, {date: 19}}, 20)
	if h.nightCount != 2 || len(kept) != 2 {
		t.Errorf("of the 14 dates before day 20, %d have a night, want those of 6 and 19", h.nightCount)
	}
}

func TestTheLongestSleepOfADateCounts(t *testing.T) {
	t.Parallel()
	order := []sleep{
		{lengthMin: 400, device: "watch", onsetMin: 9}, {lengthMin: 300, device: "", onsetMin: 9},
		{lengthMin: 300, device: "ring", onsetMin: 1}, {lengthMin: 300, device: "ring", onsetMin: 2},
	}
	for i := range order {
		for j := range order {
			if got := order[i].precedes(&order[j]); got != (i < j) {
				t.Errorf("whether sleep %d counts rather than %d: %v", i, j, got)
			}
		}
	}
}
