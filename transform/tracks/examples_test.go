package tracks_test

import (
	"math"
	"slices"
	"testing"

	"github.com/diurna-health/diurna/transform/tracks"
)

// The worked examples of the methods are named by their ids.

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

func running() tracks.Rules {
	return tracks.Rules{SpeedCapMS: 12, MovingFromMS: 0.5, PauseFromMS: 5000, GapFromMS: 10_000, AccuracyCapM: 30, ClimbFromM: 3, LostAfterFixs: 5}
}

func TestE059Haversine(t *testing.T) {
	near(t, "distance in km", tracks.DistanceM(tracks.Fix{Lat: 36.12, Lon: -86.67}, tracks.Fix{Lat: 33.94, Lon: -118.4})/1000, 2886.448429765, 1e-6)
}

func TestE060DistancePauseAndPace(t *testing.T) {
	fixes := []tracks.Fix{
		{MS: 0, Lat: 52, Lon: 13}, {MS: 10_000, Lat: 52.00027, Lon: 13}, {MS: 20_000, Lat: 52.00054, Lon: 13},
		{MS: 80_000, Lat: 52.00054, Lon: 13}, {MS: 90_000, Lat: 52.00081, Lon: 13},
	}
	clean, leftOut := tracks.Clean(fixes, running())
	c := tracks.Follow(clean, running())
	near(t, "distance", c.TotalM(), 90.068015, 1e-4)
	near(t, "moving time", float64(c.MovingMS)/1000, 30, 0)
	near(t, "pace", float64(c.MovingMS)/c.TotalM(), 333.081616, 1e-4)
	if leftOut != 0 || c.PauseCount != 1 || c.PausedMS != 60_000 || c.GapCount != 1 || c.LongestMS != 60_000 {
		t.Errorf("%d left out, %d pauses of %d ms, %d gaps up to %d ms", leftOut, c.PauseCount, c.PausedMS, c.GapCount, c.LongestMS)
	}
}

func TestE061ClimbWithHysteresis(t *testing.T) {
	heights := []float64{100, 101, 102.5, 104, 103, 101.5, 100.5, 106, 107, 106, 103.5, 110}
	gain, loss := tracks.Climb(heights, 3)
	near(t, "gain", gain, 13.5, 1e-9)
	near(t, "loss", loss, 3.5, 1e-9)
	if naive, _ := tracks.Climb(heights, 0); naive != 17 {
		t.Errorf("without a threshold the gain is %v, want 17", naive)
	}
}

func TestE062SWOLF(t *testing.T) {
	lengths := []tracks.Length{{48, 22}, {50, 23}, {52, 23}, {51, 24}}
	var each []float64
	for _, l := range lengths {
		each = append(each, l.SWOLF())
	}
	if mean, ok := tracks.MeanSWOLF(lengths); !ok || mean != 73.25 || !slices.Equal(each, []float64{70, 73, 75, 75}) {
		t.Errorf("mean %v of %v", mean, each)
	}
	if _, ok := tracks.MeanSWOLF(nil); ok {
		t.Error("no lengths have a mean")
	}
}

func TestE063TimeInZonesWithAGap(t *testing.T) {
	beats := []tracks.Beat{{0, 95}, {60_000, 120}, {120_000, 150}, {180_000, 150}, {1_000_000, 170}, {1_060_000, 165}}
	held := tracks.Hold(beats, 1_060_000, 120_000)
	got := tracks.TimeInZones(held, tracks.Zones{90, 108, 126, 144, 162})
	if want := [5]int64{60_000, 60_000, 0, 180_000, 60_000}; got != want {
		t.Errorf("ms in zones %v, want %v", got, want)
	}
	covered := int64(0)
	for _, h := range held {
		covered += h.ForMS
	}
	if covered != 1_060_000-700_000 {
		t.Errorf("%d ms are covered", covered)
	}
}

func TestE052Edwards(t *testing.T) {
	if got := tracks.EdwardsTRIMP([5]float64{10, 20, 15, 8, 2}); got != 137 {
		t.Errorf("TRIMP is %v, want 137", got)
	}
}

func TestE086SplitsAndBestKilometre(t *testing.T) {
	c := &tracks.Course{MS: []int64{0, 70_000, 150_000, 225_000, 300_000, 371_000, 440_000, 512_000, 590_000},
		M: []float64{0, 240, 500, 760, 1000, 1260, 1500, 1740, 2010}}
	splits := tracks.Splits(c, 1000)
	if len(splits) != 3 || splits[2].IsWhole {
		t.Fatalf("%d splits, want two and a rest", len(splits))
	}
	near(t, "split 1", (splits[0].EndMS-splits[0].StartMS)/1000, 300, 1e-6)
	near(t, "split 2", (splits[1].EndMS-splits[1].StartMS)/1000, 287.111111, 1e-6)
	near(t, "rest", splits[2].DistanceM, 10, 1e-9)
	rules := running()
	rules.GapFromMS = 100_000
	best, ok := tracks.BestEffort(c, 1000, rules)
	near(t, "best kilometre", best.DurationMS/1000, 287.111111, 1e-6)
	if _, tooLong := tracks.BestEffort(c, 3000, rules); !ok || tooLong {
		t.Error("there is a best kilometre, and no best three")
	}
	if _, ok := tracks.BestEffort(c, 1000, running()); ok {
		t.Error("an effort reaches across gaps")
	}
}
