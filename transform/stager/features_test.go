package stager

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.12g, want %.12g within %g", what, got, want, tolerance)
	}
}

func TestE012WalchActivityGaussWeights(t *testing.T) {
	t.Parallel()
	w := activityWeights()
	near(t, "weight in the middle", w[activityCentreS], 0.007978846, 1e-8)
	near(t, "w_plus50", w[activityCentreS+50], 0.004839415, 1e-8)
	near(t, "w_edge", w[0], 1.36983e-10, 1e-8)
	near(t, "feature of an impulse of 100", 100*w[activityCentreS], 0.797885, 1e-6)
	taps := newActivityTaps()
	constant := slices.Repeat([]float64{7}, 60)
	got := make([]float64, len(constant))
	smoothActivity(got, constant, &taps)
	for i, v := range got {
		near(t, "feature_for_constant_7", v, 7, 1e-8)
		if t.Failed() {
			t.Fatalf("at epoch %d", i)
		}
	}
}

// TestActivityEqualsItsDefinition weighs the counts second by second, as the method is written.
func TestActivityEqualsItsDefinition(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 1))
	counts := make([]float64, 100)
	for i := range counts {
		counts[i] = math.Floor(dice.ExpFloat64() * 40)
	}
	taps, w := newActivityTaps(), activityWeights()
	got := make([]float64, len(counts))
	smoothActivity(got, counts, &taps)
	for i := activityReach; i < len(counts)-activityReach; i++ {
		want := 0.0
		for k, w := range w {
			at := float64(i) + float64(k-activityCentreS)/epochS // in epochs, from the middle of the first
			left := int(math.Floor(at))
			right := min(left+1, len(counts)-1)
			want += w * (counts[left] + (at-float64(left))*(counts[right]-counts[left]))
		}
		near(t, "activity", got[i], want, 1e-9)
	}
}

func TestE013WalchDogKernel(t *testing.T) {
	t.Parallel()
	near(t, "kernel in the middle", dogKernel(0), 0.25, 1e-6)
	near(t, "k_first", dogKernel(-dogHalf), -0.232770885, 1e-6)
	near(t, "k_at_plus60", dogKernel(60), 0.136237543, 1e-6)
	sum := 0.0
	f := newDogFilter()
	for d := -dogHalf; d <= dogHalf; d++ {
		sum += dogKernel(d)
		cosines := 0.0
		for m := range dogTerms {
			cosines += f.cosine[m][max(d, -d)]
		}
		near(t, "sum of cosines", cosines, dogKernel(d), 1e-12)
	}
	near(t, "kernel_sum", sum, 18.342282, 1e-6)
}

// e014 is the heart rate of the worked example, a sample a second.
func e014() []HeartRateSample {
	samples := make([]HeartRateSample, 3600)
	for s := range samples {
		at := float64(s)
		bump := (at - 2000) / 40
		samples[s] = HeartRateSample{at, 58 + 6*math.Sin(2*math.Pi*at/5400) + 3*math.Sin(2*math.Pi*at/240) + 8*math.Exp(-bump*bump/2)}
	}
	return samples
}

func TestE014WalchHRFeature(t *testing.T) {
	t.Parallel()
	m := NewFeatureMaker()
	f, ok := m.Make(Night{MotionCounts: make([]float64, 120), HeartRate: e014()})
	if !ok {
		t.Fatal("the night counts as unobserved")
	}
	near(t, "filtered_norm_at_1000", m.filtered[1000]/m.size, 0.86942354, 1e-6)
	near(t, "filtered_norm_at_2000", m.filtered[2000]/m.size, 1.8155249, 1e-6)
	for start, want := range map[int]float64{600: 0.4015746, 1800: 0.64822871, 2400: 0.40483899} {
		near(t, "std_feature", f.HRVariability[start/epochS], want, 1e-6)
	}
}

// randomHeartRate returns n seconds of heart rate with a sample every few seconds, not always on the second.
func randomHeartRate(dice *rand.Rand, n int, everyS float64) []HeartRateSample {
	var samples []HeartRateSample
	bpm := 60.0
	for at := dice.Float64(); at < float64(n-1); at += everyS * (0.5 + dice.Float64()) {
		bpm += dice.NormFloat64()*3 - (bpm-60)*0.1
		samples = append(samples, HeartRateSample{at, math.Round(bpm)})
	}
	return samples
}

// TestHRVariabilityEqualsItsDefinition compares with the method written down plainly: convolve, divide, take windows.
func TestHRVariabilityEqualsItsDefinition(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(2, 2))
	m := NewFeatureMaker()
	for _, epochs := range []int{960, 20, 143, 1} {
		for _, everyS := range []float64{1, 5, 60} {
			n := epochs * epochS
			samples := randomHeartRate(dice, n, everyS)
			if epochs == 1 {
				epochs, n = 960, 960*epochS // a heart rate that stands still for most of the night
			}
			f, ok := m.Make(Night{MotionCounts: make([]float64, epochs), HeartRate: append(samples, HeartRateSample{float64(n) - 1, 61})})
			if !ok && epochs > 20 && everyS < 60 && len(samples) > epochs {
				t.Fatal("the night counts as unobserved")
			}
			if !ok {
				continue
			}
			want := plainHRVariability(append(samples, HeartRateSample{float64(n) - 1, 61}), n)
			for i := range want {
				near(t, "variability", f.HRVariability[i], want[i], 1e-9)
				if t.Failed() {
					t.Fatalf("at epoch %d of %d, a sample every %g s", i, epochs, everyS)
				}
			}
		}
	}
}

func plainHRVariability(samples []HeartRateSample, n int) []float64 {
	hr, mean := make([]float64, n), 0.0
	for s := range hr {
		at := float64(s)
		k, _ := slices.BinarySearchFunc(samples, at, func(x HeartRateSample, at float64) int {
			if x.AtS <= at {
				return -1
			}
			return 1
		})
		switch k {
		case 0:
			hr[s] = samples[0].BPM
		case len(samples):
			hr[s] = samples[k-1].BPM
		default:
			share := (at - samples[k-1].AtS) / (samples[k].AtS - samples[k-1].AtS)
			hr[s] = (1-share)*samples[k-1].BPM + share*samples[k].BPM
		}
		mean += hr[s] / float64(n)
	}
	filtered, sizes := make([]float64, n), make([]float64, n)
	for s := range filtered {
		for d := -dogHalf; d <= dogHalf; d++ {
			i := s - d
			if i < 0 {
				i = -1 - i
			}
			if i >= n {
				i = 2*n - 1 - i
			}
			filtered[s] += dogKernel(d) * (hr[i] - mean)
		}
		sizes[s] = math.Abs(filtered[s])
	}
	slices.Sort(sizes)
	rank := 0.9 * float64(n-1)
	k := int(rank)
	p90 := sizes[k] + (rank-float64(k))*(sizes[min(k+1, n-1)]-sizes[k])
	out := make([]float64, n/epochS)
	for i := range out {
		var in []float64
		for s := max(0, i*epochS-284); s <= min(n-1, i*epochS+314); s++ {
			in = append(in, filtered[s]/p90)
		}
		m, q := 0.0, 0.0
		for _, v := range in {
			m += v / float64(len(in))
		}
		for _, v := range in {
			q += (v - m) * (v - m) / float64(len(in))
		}
		out[i] = math.Sqrt(q)
	}
	return out
}

func TestWhatIsMissingIsNotGuessed(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 3))
	m := NewFeatureMaker()
	whole := func() Night { return Night{make([]float64, 400), randomHeartRate(dice, 400*epochS, 60)} }
	without := func(night Night, from, to int) Night { // no motion there
		for i := from; i < to; i++ {
			night.MotionCounts[i] = math.NaN()
		}
		return night
	}
	silent := func(night Night, from, to float64) Night { // no heart rate there
		night.HeartRate = slices.DeleteFunc(night.HeartRate, func(s HeartRateSample) bool { return s.AtS >= from && s.AtS < to })
		return night
	}
	for name, c := range map[string]struct {
		night      Night
		ok         bool
		unobserved int // at least
	}{
		"nothing is missing":               {whole(), true, 0},
		"a tenth of the motion":            {without(whole(), 100, 140), true, 40},
		"more than a tenth of the motion":  {without(whole(), 100, 141), false, 41},
		"no motion":                        {without(whole(), 0, 400), false, 400},
		"15 min of heart rate":             {silent(whole(), 3000, 3900), true, 20},
		"an hour and a half of heart rate": {silent(whole(), 3000, 8400), false, 170},
		"no heart rate":                    {silent(whole(), 0, math.Inf(1)), false, 400},
		"a night shorter than its window":  {Night{make([]float64, 19), randomHeartRate(dice, 570, 5)}, false, 0},
		"nothing":                          {Night{}, false, 0},
	} {
		f, ok := m.Make(c.night)
		unobserved := 0
		for _, o := range f.Observed {
			if !o {
				unobserved++
			}
		}
		if ok != c.ok || unobserved < c.unobserved {
			t.Errorf("%s: enough is %v, want %v; %d epochs unobserved, want %d or more", name, ok, c.ok, unobserved, c.unobserved)
		}
		if ok && slices.ContainsFunc(f.HRVariability, math.IsNaN) {
			t.Errorf("%s: the feature is not a number", name)
		}
	}
}

// A heart rate that never changes has no spread to be relative to.
func TestAHeartRateThatStandsStill(t *testing.T) {
	t.Parallel()
	f, _ := NewFeatureMaker().Make(Night{make([]float64, 100), []HeartRateSample{{0, 60}, {1500, 60}, {3000, 60}}})
	for _, v := range f.HRVariability {
		near(t, "variability", v, 0, 0)
	}
}

func BenchmarkFeatures(b *testing.B) {
	for name, everyS := range map[string]float64{"heart_rate=1s": 1, "heart_rate=5s": 5, "heart_rate=60s": 60} {
		b.Run(name, func(b *testing.B) {
			dice := rand.New(rand.NewPCG(4, 4))
			night := Night{make([]float64, 960), randomHeartRate(dice, 960*epochS, everyS)}
			m := NewFeatureMaker()
			for b.Loop() {
				if _, ok := m.Make(night); !ok {
					b.Fatal("not enough")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "nights/s")
		})
	}
}
