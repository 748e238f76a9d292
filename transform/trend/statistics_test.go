package trend

import (
	"math"
	"slices"
	"testing"
)

// near holds a figure to a worked example, given to so many digits after the point.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestE075OneDefinitionOfAQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	for p, want := range map[float64]float64{0.25: 1.75, 0.5: 3.5, 0.9: 6.9} {
		near(t, "quantile", Quantile(values, p), want, 1e-9)
	}
	if !slices.Equal(values, []float64{3, 1, 4, 1, 5, 9, 2, 6}) {
		t.Error("the values were sorted in place: they are in order of date")
	}
}

func TestE077AnOutlierByTheMedian(t *testing.T) {
	t.Parallel()
	values := []float64{52, 54, 53, 55, 51, 53, 90}
	median := Median(values)
	mad := MAD(values, median)
	near(t, "median", median, 53, 0)
	near(t, "MAD", mad, 1, 0)
}

func TestE068TheSlopeOfDaysWithHoles(t *testing.T) {
	t.Parallel()
	days, values := []int{0, 1, 3, 4, 6, 9, 13}, []float64{60, 61, 59, 58, 59, 57, 30}
	var points []Point
	for i, d := range days {
		points = append(points, Point{d, values[i]})
	}
	slope, intercept := TheilSen(points)
	near(t, "slope", slope, -0.5, 1e-8)
	near(t, "intercept", intercept, 60.5, 1e-8)
	slope, _ = TheilSen(points[:1])
	near(t, "slope of one point", slope, math.NaN(), 0)
}

func TestE069MannKendallWithTies(t *testing.T) {
	t.Parallel()
	s, variance, z, p := MannKendall([]float64{60, 61, 59, 58, 59, 57, 30})
	if s != -16 {
		t.Errorf("S is %d, want -16", s)
	}
	near(t, "variance", variance, 43.333333333, 1e-7)
	near(t, "Z", z, -2.278663576, 1e-7)
	near(t, "p", p, 0.022687072, 1e-7)
	_, _, z, p = MannKendall([]float64{5, 5, 5})
	near(t, "Z of equal values", z, math.NaN(), 0)
	near(t, "p of equal values", p, math.NaN(), 0)
}

func TestE044TheBandOfSixtyDays(t *testing.T) {
	t.Parallel()
	var points []Point
	for i := range 60 {
		x := float64(i)
		points = append(points, Point{i, 3.9 + 0.15*math.Sin(1.7*x) + 0.1*math.Cos(0.9*x)})
	}
	b := baselineOf(points, 59, baselineRules{shortMin: 4, usualMin: 14, longMin: 21, beforeMin: 5})
	near(t, "mean of 60", b.Mean60, 3.900303453, 1e-8)
	near(t, "SD of 60", b.SD60, 0.130836836, 1e-8)
	near(t, "mean of 7", b.Mean7, 3.892126398, 1e-8)
}

func TestE087ANightAgainstTheNightsBefore(t *testing.T) {
	t.Parallel()
	var points []Point
	for i, v := range []float64{33.1, 33.3, 33.0, 33.2, 33.4, 33.1, 33.2, 33.9} {
		points = append(points, Point{i, v})
	}
	rules := baselineRules{shortMin: 4, usualMin: 14, longMin: 21, beforeMin: 5}
	b := baselineOf(points, 7, rules)
	near(t, "mean before", b.MeanBefore, 33.185714, 1e-6)
	near(t, "deviation", b.Value-b.MeanBefore, 0.714286, 1e-6)
	near(t, "z", (b.Value-b.MeanBefore)/b.SDBefore, 5.309942, 1e-6)
	few := baselineOf(points[3:], 7, rules)
	if few.NBefore != 4 || !math.IsNaN(few.MeanBefore) {
		t.Errorf("four nights before are %d, and their mean %v", few.NBefore, few.MeanBefore)
	}
}

func TestE074AWeekOfThreeDaysIsNotCompared(t *testing.T) {
	t.Parallel()
	days := func(n int, value float64) Summary {
		return Summary{Measured: n, Values: slices.Repeat([]float64{value}, n), Methods: []string{"steps/1"}}
	}
	rules := periodRules{validMin: 4, noiseMADs: 1, noisePct: 5}
	c := compare(days(3, 9600), days(6, 8000), true, 4, rules)
	if !math.IsNaN(c.ChangePct) || !math.IsNaN(c.Change) || c.Reason != reasonTooFew {
		t.Errorf("the change is %v %%, because %q", c.ChangePct, c.Reason)
	}
	c = compare(days(4, 9600), days(6, 8000), true, 4, rules)
	near(t, "change", c.ChangePct, 20, 0)
	if c = compare(days(6, 9600), days(3, 8000), true, 4, rules); c.Reason != reasonTooFewBefore {
		t.Errorf("three days before: the reason is %q", c.Reason)
	}
	other := days(6, 8000)
	other.Methods = []string{"steps/2"}
	if c = compare(days(6, 9600), other, true, 4, rules); c.Reason != reasonMethod || c.BeyondNoise {
		t.Errorf("another method before: the reason is %q", c.Reason)
	}
}

func TestAChangeIsBeyondNoiseByItsSizeAndItsShare(t *testing.T) {
	t.Parallel()
	before := Summary{Values: []float64{80, 90, 100, 110, 120}, Methods: []string{"a/1"}} // mean 100, MAD 10
	now := func(mean float64) Summary {
		return Summary{Values: []float64{mean, mean, mean, mean}, Methods: []string{"a/1"}}
	}
	rules := periodRules{validMin: 4, noiseMADs: 1, noisePct: 5}
	for mean, want := range map[float64]bool{110: false, 110.5: true, 90: false, 89.5: true} {
		if c := compare(now(mean), before, true, 4, rules); c.BeyondNoise != want {
			t.Errorf("from 100 to %v, single days %v apart, is beyond noise: %v", mean, c.MAD, c.BeyondNoise)
		}
	}
	steady := Summary{Values: []float64{100, 100, 100, 100}, Methods: []string{"a/1"}}
	for mean, want := range map[float64]bool{104.9: false, 105: true} {
		if c := compare(now(mean), steady, true, 4, rules); c.BeyondNoise != want {
			t.Errorf("from 100 to %v is beyond noise: %v", mean, c.BeyondNoise)
		}
	}
	// A time of day has no share: minutes alone decide.
	if c := compare(now(104.9), steady, false, 4, rules); !c.BeyondNoise || !math.IsNaN(c.ChangePct) {
		t.Errorf("a bedtime moved by 4.9 min in a life without any noise: %+v", c)
	}
	nothing := Summary{Values: []float64{0, 0, 0, 0}, Methods: []string{"a/1"}}
	if c := compare(now(10), nothing, true, 4, rules); c.BeyondNoise || !math.IsNaN(c.ChangePct) || c.Change != 10 {
		t.Errorf("more than nothing by no share: %+v", c)
	}
}
