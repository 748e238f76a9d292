package tracks_test

import (
	"math"
	"testing"

	"github.com/diurna-health/diurna/transform/tracks"
)

// BenchmarkMeasureWorkout measures an hour's run with position, height and heart rate of every second.
func BenchmarkMeasureWorkout(b *testing.B) {
	const seconds = 3600
	track := map[string][]tracks.Sample{}
	for s := range int64(seconds) {
		for metric, v := range map[string]float64{
			"latitude": 500_000_000 + 270*float64(s), "longitude": 80_000_000 + 20*math.Sin(float64(s)), "altitude": 20_000 + 1000*math.Sin(float64(s)/300),
			"heart_rate": 140 + 20*math.Sin(float64(s)/200),
		} {
			track[metric] = append(track[metric], tracks.Sample{MS: 1000 * s, PeriodMS: 1000, Value: int32(v)})
		}
	}
	w := tracks.Workout{EndMS: 1000 * seconds, Family: "run", Setting: "outdoor", Rules: running(), Track: track,
		RestBPM: 50, MaxBPM: 190, ZoneBounds: tracks.Zones{95, 114, 133, 152, 171}, Sex: "male"}
	for b.Loop() {
		if m := tracks.MeasureWorkout(&w); m.PositionsM < 10_000 || m.Steady.Minutes == 0 || !m.Loaded {
			b.Fatalf("%.0f m, %d steady minutes", m.PositionsM, m.Steady.Minutes)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "workouts/s")
}
