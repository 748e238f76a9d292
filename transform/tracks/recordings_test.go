package tracks_test

import (
	"compress/gzip"
	"encoding/xml"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/diurna-health/diurna/transform/tracks"
)

// A lap is what the recordings say of one, and what they were summed from.
type lap struct {
	Start     time.Time `xml:"StartTime,attr"`
	TotalS    float64   `xml:"TotalTimeSeconds"`
	DistanceM float64   `xml:"DistanceMeters"`
	MeanBPM   int32     `xml:"AverageHeartRateBpm>Value"`
	MaxBPM    int32     `xml:"MaximumHeartRateBpm>Value"`
	Points    []struct {
		Time      time.Time `xml:"Time"`
		DistanceM *float64  `xml:"DistanceMeters"`
		AltitudeM *float64  `xml:"AltitudeMeters"`
		BPM       *int32    `xml:"HeartRateBpm>Value"`
	} `xml:"Track>Trackpoint"`
}

func readLaps(t *testing.T, name string) []lap {
	t.Helper()
	dir := os.Getenv("DIURNA_TESTDATA")
	if dir == "" {
		t.Skip("DIURNA_TESTDATA is not set: figures are not compared with those of recorded workouts")
	}
	f, err := os.Open(filepath.Join(dir, "tcx-workouts", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Laps []lap `xml:"Activities>Activity>Lap"`
	}
	if err := xml.NewDecoder(plain).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Laps) == 0 {
		t.Fatal("the recording has no laps")
	}
	return doc.Laps
}

// workoutOf is the lap as a device would send it: distances since the last point, heights, heart rates.
func workoutOf(l lap, family string) *tracks.Workout {
	w := &tracks.Workout{StartMS: l.Start.UnixMilli(), Family: family, Rules: running(), Track: map[string][]tracks.Sample{}}
	w.EndMS = w.StartMS + int64(1000*l.TotalS)
	w.Rules.SpeedCapMS, w.Rules.MovingFromMS = 40, 0.5
	last := math.NaN()
	add := func(metric string, at time.Time, v float64) {
		w.Track[metric] = append(w.Track[metric], tracks.Sample{MS: at.UnixMilli(), Value: int32(math.Round(v))})
	}
	for _, p := range l.Points {
		w.EndMS = max(w.EndMS, p.Time.UnixMilli())
		if p.DistanceM != nil {
			if math.IsNaN(last) {
				last = *p.DistanceM
			}
			add("distance", p.Time, 100*(*p.DistanceM-last))
			last = *p.DistanceM
		}
		if p.AltitudeM != nil {
			add("altitude", p.Time, 100**p.AltitudeM)
		}
		if p.BPM != nil {
			add("heart_rate", p.Time, float64(*p.BPM))
		}
	}
	return w
}

func TestARecordedRideHasTheFiguresOfItsDevice(t *testing.T) {
	t.Parallel()
	ride := readLaps(t, "11.tcx.gz")[0]
	m := tracks.MeasureWorkout(workoutOf(ride, "ride"))
	if math.Round(m.MeanBPM) != 127 || m.MaxBPM != 178 || ride.MeanBPM != 127 || ride.MaxBPM != 178 {
		t.Errorf("heart rate is %.2f, at most %d; the device says %d and %d", m.MeanBPM, m.MaxBPM, ride.MeanBPM, ride.MaxBPM)
	}
	near(t, "distance", m.CountedM, ride.DistanceM, 0.002*ride.DistanceM)
	if moving := float64(m.Course.MovingMS+m.Course.PausedMS) / 1000; math.Abs(moving-ride.TotalS) > 5 {
		t.Errorf("moving and pauses are %.0f s of %.0f", moving, ride.TotalS)
	}
	if m.GainM <= 0 || math.Abs(m.GainM-m.LossM) > m.GainM {
		t.Errorf("%.0f m up and %.0f m down", m.GainM, m.LossM)
	}
	splits := tracks.Splits(&m.Course, 1000)
	if len(splits) != 28 {
		t.Errorf("%d splits of %.0f m", len(splits), m.CountedM)
	}
	best, ok := tracks.BestEffort(&m.Course, 5000, running())
	for i := 0; ok && i+5 < len(splits); i++ {
		if five := splits[i+4].EndMS - splits[i].StartMS; best.DurationMS > five+1e-6 {
			t.Errorf("five kilometres from split %d took %.0f ms, less than the best effort", i+1, five)
		}
	}
	if !ok {
		t.Error("there is no best effort of 5 km")
	}
}

// TestATimeWeightedMeanIsThatOfTheDevice: these devices record when something changes, so points are dense where the heart
// changes, and their plain mean is off, by two beats in the first lap on skis.
func TestATimeWeightedMeanIsThatOfTheDevice(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cross-country-skiing_activity_1.tcx.gz", "walking_activity_1.tcx.gz"} {
		for i, l := range readLaps(t, name) {
			m := tracks.MeasureWorkout(workoutOf(l, "ski"))
			if math.Abs(m.MeanBPM-float64(l.MeanBPM)) > 1 || m.MaxBPM > l.MaxBPM || m.MaxBPM < l.MaxBPM-1 {
				t.Errorf("%s, lap %d: mean %.2f, at most %d; the device says %d and %d", name, i+1, m.MeanBPM, m.MaxBPM, l.MeanBPM, l.MaxBPM)
			}
		}
	}
}
