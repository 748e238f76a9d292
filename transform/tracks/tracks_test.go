package tracks_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/diurna-health/diurna/transform/tracks"
)

// TestBestEffortIsTheBestOfAllWindows compares with windows that begin at every tenth of a second.
func TestBestEffortIsTheBestOfAllWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		c := &tracks.Course{MS: []int64{0}, M: []float64{0}}
		for i := range 60 {
			step := float64(rng.IntN(8))
			if rng.IntN(5) == 0 {
				step = 0 // rest
			}
			c.MS, c.M = append(c.MS, c.MS[i]+1000*int64(1+rng.IntN(3))), append(c.M, c.M[i]+step)
		}
		const length = 40.0
		distance := func(ms float64) float64 { // how far at a time
			for i := 1; i < len(c.MS); i++ {
				if ms <= float64(c.MS[i]) {
					return c.M[i-1] + (c.M[i]-c.M[i-1])*(ms-float64(c.MS[i-1]))/float64(c.MS[i]-c.MS[i-1])
				}
			}
			return c.TotalM()
		}
		want := math.Inf(1)
		for start := 0.0; start < float64(c.MS[len(c.MS)-1]); start += 100 {
			for end := start + 100; end-start < want && end <= float64(c.MS[len(c.MS)-1]); end += 100 {
				if distance(end)-distance(start) >= length {
					want = end - start
				}
			}
		}
		got, ok := tracks.BestEffort(c, length, running())
		if ok != !math.IsInf(want, 1) || ok && (got.DurationMS > want+1e-6 || got.DurationMS < want-200) {
			t.Errorf("round %d: %.0f ms (%v), tried windows give %.0f", round, got.DurationMS, ok, want)
		}
		if ok {
			near(t, "length of the effort", distance(got.StartMS+got.DurationMS)-distance(got.StartMS), length, 1e-6)
		}
	}
}

func TestWhatCannotBeIsLeftOut(t *testing.T) {
	at := func(s int64, m float64) tracks.Fix { return tracks.Fix{MS: s * 1000, Lat: 50 + m/111_195.08, Lon: 8} }
	straight := []tracks.Fix{at(0, 0), at(1, 3), at(2, 6), at(3, 9), at(4, 12), at(5, 15)}
	for name, tt := range map[string]struct {
		fixes   []tracks.Fix
		want    float64
		leftOut int
	}{
		"a straight line":     {straight, 15, 0},
		"a jump and back":     {[]tracks.Fix{at(0, 0), at(1, 3), at(2, 400), at(3, 9), at(4, 12)}, 12, 1},
		"a wobble":            {[]tracks.Fix{at(0, 0), at(1, 3), at(2, 11), at(3, 9), at(4, 12)}, 12, 0},
		"the same time":       {[]tracks.Fix{at(0, 0), at(1, 3), at(1, 8), at(2, 6)}, 6, 1},
		"an inaccurate fix":   {[]tracks.Fix{at(0, 0), {MS: 1000, Lat: 50, Lon: 8, AccuracyM: 31}, at(2, 6)}, 6, 1},
		"a wrong first fix":   {append([]tracks.Fix{at(-1, -5000)}, append(straight, at(6, 18), at(7, 21))...), 6, 5},
		"across the dateline": {[]tracks.Fix{{MS: 0, Lat: 0, Lon: 179.99999}, {MS: 1000, Lat: 0, Lon: -179.99999}}, 2.2239, 0},
		"one fix":             {straight[:1], 0, 0},
		"none":                {nil, 0, 0},
	} {
		clean, leftOut := tracks.Clean(tt.fixes, running())
		c := tracks.Follow(clean, running())
		near(t, name, c.TotalM(), tt.want, 0.01)
		if leftOut != tt.leftOut {
			t.Errorf("%s: %d fixes are left out, want %d", name, leftOut, tt.leftOut)
		}
	}
}

// TestCentimetresAddUpToWholeKilometres: 1500 steps of 3.33 or 3.34 m, none of which a binary fraction can tell.
func TestCentimetresAddUpToWholeKilometres(t *testing.T) {
	w := &tracks.Workout{EndMS: 1_500_000, Family: "run", Rules: running(), Track: map[string][]tracks.Sample{}}
	for s := range int64(1500) {
		cm := 500_000*(s+1)/1500 - 500_000*s/1500
		w.Track["distance"] = append(w.Track["distance"], tracks.Sample{MS: s * 1000, PeriodMS: 1000, Value: int32(cm)})
	}
	c := w.Course()
	if splits := tracks.Splits(&c, 1000); c.TotalM() != 5000 || len(splits) != 5 {
		t.Errorf("%v m in %d splits, want 5000 in 5", c.TotalM(), len(splits))
	}
}

func TestNoiseAtRestIsNoWay(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var fixes []tracks.Fix
	for s := range int64(600) {
		fixes = append(fixes, tracks.Fix{MS: s * 1000, Lat: 50 + rng.NormFloat64()*1e-6, Lon: 8 + rng.NormFloat64()*1e-6})
	}
	clean, _ := tracks.Clean(fixes, running())
	if c := tracks.Follow(clean, running()); c.TotalM() > 5 || c.PausedMS < 590_000 {
		t.Errorf("ten minutes of rest are %.0f m and a pause of %d ms", c.TotalM(), c.PausedMS)
	}
}

func TestIntervalsWeighMoreThanTheirMean(t *testing.T) {
	var even, intervals []tracks.Beat
	for m := range int64(60) {
		even = append(even, tracks.Beat{MS: m * 60_000, BPM: 150})
		intervals = append(intervals, tracks.Beat{MS: m * 60_000, BPM: []int32{120, 180}[m%2]})
	}
	trimp := func(beats []tracks.Beat, w tracks.Weighting) float64 {
		return tracks.TRIMP(tracks.Hold(beats, 3_600_000, 120_000), 0, 50, 200, w)
	}
	x := 100.0 / 150
	near(t, "TRIMP of an even hour", trimp(even, tracks.OfMen), 60*x*0.64*math.Exp(1.92*x), 1e-9)
	near(t, "TRIMP of an even hour of a woman", trimp(even, tracks.OfWomen), 60*x*0.86*math.Exp(1.67*x), 1e-9)
	if trimp(intervals, tracks.OfMen) <= trimp(even, tracks.OfMen) {
		t.Error("intervals weigh no more than their mean")
	}
	if got := trimp([]tracks.Beat{{0, 40}, {60_000, 45}}, tracks.OfMen); got != 0 {
		t.Errorf("below rest the load is %v", got)
	}
}
