package hrv

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestThresholdsAreThoseOfTheSortedWindow compares to the last digit, over windows that grow, move on, jump and shrink.
func TestThresholdsAreThoseOfTheSortedWindow(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var s spread
	for range 300 {
		s.clear()
		sizes := make([]int32, 4+r.IntN(200))
		most := []int32{1, 20, 200, mostHalves + 1}[r.IntN(4)]
		for i := range sizes {
			sizes[i] = r.Int32N(most)
		}
		further := r.Float64() * float64(most) / halves
		for from, to := 0, 4; to <= len(sizes); from, to = min(from+r.IntN(3), to-4), to+r.IntN(4) {
			if r.IntN(40) == 0 {
				from, to = to, to+4
			}
			if to > len(sizes) || to-from > 255 {
				break
			}
			s.move(sizes, from, to)
			var window []float64
			for _, size := range sizes[from:to] {
				window = append(window, float64(size)/halves)
			}
			if got, want := s.threshold(), sortedThreshold(window); got != want {
				t.Fatalf("threshold of %v is %v, want %v", window, got, want)
			}
			if got, want := s.thresholdWith(further), sortedThreshold(append(window, further)); got != want {
				t.Fatalf("threshold of %v is %v, want %v", window, got, want)
			}
		}
	}
}

func sortedThreshold(sizes []float64) float64 {
	slices.Sort(sizes)
	return max(leastThreshold, quartileFactor*(quantile(sizes, 0.75)-quantile(sizes, 0.25))/2)
}

// quantile interpolates between the two nearest of sorted values (Hyndman and Fan's type 7).
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return between(sorted[i], sorted[i+1], at-float64(i))
}

// BenchmarkMark marks a minute of a night, which is what watches keep, and a day of a belt with faulty beats.
func BenchmarkMark(b *testing.B) {
	for _, series := range []struct {
		name          string
		beats, faulty int
	}{{"minute", 60, 0}, {"day", 100_000, 1000}} {
		r := rand.New(rand.NewPCG(7, 8))
		intervals := make([]int32, series.beats)
		for i := range intervals {
			intervals[i] = 900 + r.Int32N(90)
		}
		for range series.faulty {
			intervals[r.IntN(len(intervals))] /= 2
		}
		b.Run(series.name, func(b *testing.B) {
			var m marker
			for b.Loop() {
				m.mark(intervals)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(intervals)), "ns/beat")
		})
	}
}
