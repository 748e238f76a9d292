package hrv_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/transform/hrv"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

// TestE039 is the worked example of the time domain.
func TestE039(t *testing.T) {
	t.Parallel()
	s := hrv.SumsOf([]int32{812, 830, 795, 840, 820, 805, 850, 790, 802, 815}, nil)
	mean, _ := s.MeanMS()
	sdnn, _ := s.SDNN()
	rmssd, _ := s.RMSSD()
	pnn50, _ := s.PNN50()
	for name, v := range map[string][2]float64{
		"mean NN": {mean, 815.9}, "SDNN": {sdnn, 19.421923466}, "RMSSD": {rmssd, 33.560889937},
		"NN50": {float64(s.DiffsOver50), 1}, "NN20": {float64(s.DiffsOver20), 4},
		"pNN50 of the differences": {pnn50, 11.111111111}, "ln RMSSD": {math.Log(rmssd), 3.513361399},
		"mean heart rate of the intervals": {meanRate([]int32{812, 830, 795, 840, 820, 805, 850, 790, 802, 815}), 73.575614685},
	} {
		if !near(v[0], v[1], 1e-8) {
			t.Errorf("%s is %v, want %v", name, v[0], v[1])
		}
	}
}

func meanRate(intervalsMS []int32) float64 {
	sum := 0.0
	for _, ms := range intervalsMS {
		sum += rate(ms)
	}
	return sum / float64(len(intervalsMS))
}

// rate returns the heart rate that an interval amounts to, in beats/min.
func rate(intervalMS int32) float64 { return 60_000 / float64(intervalMS) }

// TestE043 is the worked example of the artefacts.
func TestE043(t *testing.T) {
	t.Parallel()
	clean := make([]int32, 120)
	for i := range clean {
		x := float64(i)
		clean[i] = int32(math.RoundToEven(820 + 25*math.Sin(2*math.Pi*x/13) + 12*math.Sin(2*math.Pi*x/5.3)))
	}
	if got := hrv.Classify(clean); got.Count() != 0 {
		t.Errorf("of the clean series: %+v", got)
	}
	edited := slices.Clone(clean)
	edited[40] -= 260
	edited[41] += 260
	edited[80] += edited[81]
	edited = slices.Delete(edited, 81, 82)
	edited = slices.Insert(edited, 100, 300)
	edited[101] -= 300
	if edited[80] != 1704 || edited[101] != 499 || len(edited) != 120 {
		t.Fatalf("the series is not the example's: %v", edited)
	}
	want := &hrv.Artefacts{Ectopic: []int{41}, Missed: []int{80}, Extra: []int{100}, LongShort: []int{40, 101}}
	if diff := cmp.Diff(want, hrv.Classify(edited)); diff != "" {
		t.Error("artefacts differ (-want +got):\n" + diff)
	}
}

func TestMalik(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		intervals []int32
		want      []bool
	}{
		{[]int32{800, 960, 961}, []bool{false, false, false}}, // exactly a fifth is no more than a fifth
		{[]int32{800, 961, 800}, []bool{false, true, false}},  // the one after a marked one is accepted
		{[]int32{800, 639, 400, 800}, []bool{false, true, false, true}},
		{nil, []bool{}},
	} {
		if diff := cmp.Diff(c.want, hrv.Malik(c.intervals)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.intervals, diff)
		}
	}
}

func TestNothingIsSaidOfTooLittle(t *testing.T) {
	t.Parallel()
	var none hrv.Sums
	one := hrv.SumsOf([]int32{800}, nil)
	parted := hrv.SumsOf([]int32{800, 1200, 810}, []bool{false, true, false})
	for name, ok := range map[string]bool{
		"mean of none":         second(none.MeanMS()),
		"RMSSD of one":         second(one.RMSSD()),
		"SDNN of one":          second(one.SDNN()),
		"pNN50 of one":         second(one.PNN50()),
		"RMSSD across a beat":  second(parted.RMSSD()),
		"artefacts among two":  hrv.Classify([]int32{800, 1900}).Count() > 0,
		"a change in standing": hrv.Classify(slices.Repeat([]int32{800}, 30)).Count() > 0,
	} {
		if ok {
			t.Errorf("there is a %s", name)
		}
	}
	if sdnn, ok := parted.SDNN(); !ok || !near(sdnn, math.Sqrt(50), 1e-12) {
		t.Errorf("SDNN of 800 and 810 is %v", sdnn)
	}
}

func second(_ float64, ok bool) bool { return ok }

func TestDifferencesAreBetweenNeighboursAlone(t *testing.T) {
	t.Parallel()
	intervals := slices.Repeat([]int32{800, 820}, 30)
	intervals[20] = 2500 // impossible: 820 before and after it are no neighbours
	windows := hrv.Windows([]hrv.Run{{StartMS: 0, IntervalsMS: intervals}})
	if len(windows) != 1 {
		t.Fatalf("there are %d windows, want 1", len(windows))
	}
	w := windows[0]
	if w.Beats != 60 || w.Artefacts != 1 || w.Intervals != 59 || w.Pairs != 57 || w.SumDiffs2 != 57*400 {
		t.Errorf("window is %+v", w)
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	start := int64(7 * hrv.WindowMS)
	windows := hrv.Windows([]hrv.Run{
		{StartMS: start - 1500, IntervalsMS: []int32{1000, 1000, 1000}},
		{StartMS: start + 500, IntervalsMS: []int32{1000, 1100}},    // its first beat was told
		{StartMS: start + 60_000, IntervalsMS: []int32{1200, 1250}}, // the silence before it is no interval
	})
	want := []hrv.Window{
		{StartMS: start - hrv.WindowMS, Beats: 1, Sums: hrv.SumsOf([]int32{1000}, nil)},
		{StartMS: start, Beats: 5, Sums: hrv.Sums{
			Intervals: 5, SumMS: 1000 + 1000 + 1100 + 1200 + 1250, SumSquares: 1e6 + 1e6 + 1.21e6 + 1.44e6 + 1.5625e6,
			Pairs: 3, SumDiffs2: 50 * 50, DiffsOver20: 1, // both of the first run's in this window; the second run's first is no neighbour
		}},
	}
	if diff := cmp.Diff(want, windows); diff != "" {
		t.Error("windows differ (-want +got):\n" + diff)
	}
}

// TestAgainstANaiveRestatement marks, cuts and sums random runs as the definitions say, one figure at a time.
func TestAgainstANaiveRestatement(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 9))
	for range 200 {
		intervals := make([]int32, 1+r.IntN(900))
		for i := range intervals {
			intervals[i] = 850 + r.Int32N(80)
			switch r.IntN(40) {
			case 0:
				intervals[i] *= 2
			case 1:
				intervals[i] /= 3
			case 2:
				intervals[i] += 300
			}
		}
		startMS := r.Int64N(1 << 40)
		marked := hrv.Mark(intervals)
		var beats, artefacts, pairs int64
		var squares float64
		var normal []float64
		at := startMS
		endOf := make([]int64, len(intervals))
		for i, ms := range intervals {
			at += int64(ms)
			endOf[i] = at
		}
		windows := hrv.Windows([]hrv.Run{{StartMS: startMS, IntervalsMS: intervals}})
		for _, w := range windows {
			beats, artefacts, pairs, squares, normal = 0, 0, 0, 0, nil
			for i, ms := range intervals {
				if endOf[i]/hrv.WindowMS*hrv.WindowMS != w.StartMS {
					continue
				}
				beats++
				if ms < 300 || ms > 2000 || marked[i] {
					artefacts++
					continue
				}
				normal = append(normal, float64(ms))
				if i > 0 && !marked[i-1] {
					pairs++
					squares += math.Pow(float64(ms-intervals[i-1]), 2)
				}
			}
			rmssd, hasPairs := w.RMSSD()
			sdnn, hasSDNN := w.SDNN()
			if w.Beats != beats || w.Artefacts != artefacts || w.Intervals != int64(len(normal)) || w.Pairs != pairs {
				t.Fatalf("counts of %+v, want %d beats, %d artefacts, %d normal, %d pairs", w, beats, artefacts, len(normal), pairs)
			}
			if hasPairs && !near(rmssd, math.Sqrt(squares/float64(pairs)), 1e-9) {
				t.Fatalf("RMSSD is %v, want %v", rmssd, math.Sqrt(squares/float64(pairs)))
			}
			if hasSDNN && !near(sdnn, naiveSD(normal), 1e-6) {
				t.Fatalf("SDNN is %v, want %v", sdnn, naiveSD(normal))
			}
		}
	}
}

func naiveSD(values []float64) float64 {
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

func FuzzWindows(f *testing.F) {
	f.Add(int64(1_400_000_000_000), []byte{200, 201, 3, 199, 0, 255})
	f.Fuzz(func(t *testing.T, startMS int64, raw []byte) {
		if startMS < 0 || startMS > 1<<45 {
			return
		}
		intervals := make([]int32, len(raw))
		for i, b := range raw {
			intervals[i] = 1 + int32(b)*10
		}
		beats := int64(0)
		for _, w := range hrv.Windows([]hrv.Run{{StartMS: startMS, IntervalsMS: intervals}}) {
			beats += w.Beats
			if w.Beats != w.Artefacts+w.Intervals || w.Pairs > max(0, w.Intervals) {
				t.Errorf("counts do not add up: %+v", w)
			}
		}
		if beats != int64(len(intervals)) {
			t.Errorf("windows hold %d beats of %d", beats, len(intervals))
		}
	})
}
