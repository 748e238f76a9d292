package stager

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
)

func shipped(tb testing.TB) *Coefficients {
	tb.Helper()
	c, err := Shipped()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// someNight is a night in which a person lies awake, sleeps and moves at times.
func someNight(seed uint64, epochs int, everyS float64) Night {
	dice := rand.New(rand.NewPCG(seed, 8))
	night := Night{MotionCounts: make([]float64, epochs), HeartRate: randomHeartRate(dice, epochs*epochS, everyS)}
	for i := range night.MotionCounts {
		if i < 30 || dice.Float64() < 0.05 {
			night.MotionCounts[i] = math.Floor(dice.ExpFloat64() * 60)
		}
	}
	return night
}

func TestANightIsStagedOnceAndForAll(t *testing.T) {
	t.Parallel()
	s := New(shipped(t))
	night := someNight(1, 960, 5)
	h, ok := s.Stage(night)
	if !ok {
		t.Fatal("the night counts as unobserved")
	}
	first := slices.Clone(h.Stages)
	for i, p := range h.Probabilities {
		near(t, "sum of probabilities", p[0]+p[1]+p[2]+p[3], 1, 1e-9)
		if h.Stages[i] == "" {
			t.Fatalf("epoch %d has no stage", i)
		}
	}
	if h.Stages[0] != schemas.StageAwake {
		t.Errorf("somebody who moves all the time is %s", h.Stages[0])
	}
	s.Stage(someNight(2, 500, 60)) // the memory of another night must not show
	if h, _ = s.Stage(night); !slices.Equal(first, h.Stages) {
		t.Error("the same night has other stages the second time")
	}
	for i := range night.MotionCounts {
		night.MotionCounts[i] *= 8
	}
	again, _ := s.Stage(night)
	if !slices.Equal(first, again.Stages) {
		t.Error("a device with other units sees other stages")
	}
}

func TestAnEpochThatWasNotObservedHasNoStage(t *testing.T) {
	t.Parallel()
	night := someNight(3, 960, 5)
	for i := 200; i < 220; i++ {
		night.MotionCounts[i] = math.NaN()
	}
	h, ok := New(shipped(t)).Stage(night)
	if !ok {
		t.Fatal("the night counts as unobserved")
	}
	for i, stage := range h.Stages {
		if missing := i >= 200 && i < 220; (stage == "") != missing || (h.Probabilities[i] == Probabilities{}) != missing {
			t.Fatalf("epoch %d: stage %q", i, stage)
		}
	}
	night.HeartRate = nil
	if _, ok := New(shipped(t)).Stage(night); ok {
		t.Error("a night without heart rate is staged")
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	of := func(text string) (stages []int, p []Probabilities) {
		for _, c := range text {
			k := slices.Index([]rune("WLDR"), c)
			stages = append(stages, k)
			q := Probabilities{0.1, 0.3, 0.1, 0.1}
			if k >= 0 {
				q[k] += 0.4
			}
			p = append(p, q)
		}
		return stages, p
	}
	for name, c := range map[string]struct {
		rules    Rules
		in, want string
	}{
		"no REM within two minutes of falling asleep": {Rules{EarlyREMMin: 2}, "WRRRRRRW", "WLLLLRRW"},
		"an epoch alone":                   {Rules{SingleEpochs: true}, "LLDLLWLDDR", "LLLLLWLDDR"},
		"wake may be short, gaps are kept": {Rules{SingleEpochs: true}, "LLWLL-D-LL", "LLWLL-D-LL"},
		"no rule":                          {Rules{}, "RDLWRDL", "RDLWRDL"},
	} {
		stages, p := of(c.in)
		want, _ := of(c.want)
		c.rules.apply(stages, p)
		if diff := cmp.Diff(want, stages); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	h, _ := New(shipped(t)).Stage(someNight(4, 300, 5))
	for _, s := range h.Stages {
		if s != schemas.StageAwake && s != schemas.StageAsleep {
			t.Fatalf("a nap of 2.5 h has %q", s)
		}
	}
}

func TestCoefficientsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	want := shipped(t)
	var text bytes.Buffer
	if err := want.Write(&text); err != nil {
		t.Fatal(err)
	}
	if text.String() != shippedCoefficients {
		t.Error("the shipped table is not what would be written")
	}
	got, err := ReadCoefficients(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	changed := bytes.Replace(text.Bytes(), []byte(`"guess": -`), []byte(`"guess": -1`), 1)
	if _, err := ReadCoefficients(bytes.NewReader(changed)); err == nil {
		t.Error("a table changed by hand is taken")
	}
}

// TestSharpenedCountsAreThoseThatWereSpread spreads counts and looks for them again.
func TestSharpenedCountsAreThoseThatWereSpread(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(9, 9))
	counts, padded := make([]float64, 300), make([]float64, 300+2*sharpenReach)
	for i := range counts {
		if dice.Float64() < 0.05 {
			counts[i] = 100 * dice.Float64()
		}
	}
	copy(padded[sharpenReach:], counts)
	feature, got := make([]float64, 300), make([]float64, 300)
	spreadOut(feature, padded)
	var s sharpener
	s.sharpen(got, feature)
	for i, v := range got {
		if v < 0 {
			t.Errorf("epoch %d: %g counts", i, v)
		}
	}
	if spread, sharp := correlation(feature, counts), correlation(got, counts); sharp < spread+0.05 {
		t.Errorf("sharpened counts correlate with the true ones by %.2f, the feature does by %.2f", sharp, spread)
	}
	copy(padded[sharpenReach:], got)
	again := make([]float64, len(feature))
	spreadOut(again, padded)
	if c := correlation(again, feature); c < 0.97 {
		t.Errorf("sharpened counts, spread again, correlate with the feature by %.3f", c)
	}
}

func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		sx, sy = sx+x[i]/n, sy+y[i]/n
		sxx, syy, sxy = sxx+x[i]*x[i]/n, syy+y[i]*y[i]/n, sxy+x[i]*y[i]/n
	}
	return (sxy - sx*sy) / math.Sqrt((sxx-sx*sx)*(syy-sy*sy))
}

func BenchmarkStage(b *testing.B) {
	for _, c := range []struct {
		name   string
		everyS float64
	}{{"heart_rate=5s", 5}, {"heart_rate=60s", 60}} {
		b.Run(c.name, func(b *testing.B) {
			s, night := New(shipped(b)), someNight(5, 960, c.everyS)
			for b.Loop() {
				if _, ok := s.Stage(night); !ok {
					b.Fatal("not enough")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "nights/s")
		})
	}
}
