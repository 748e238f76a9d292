package hrv_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/diurna-health/diurna/transform/hrv"
)

// mmash is the folder of the recordings of Rossi et al. 2020: chest belt and wrist, 24 h each.
func mmash(t *testing.T) string {
	t.Helper()
	root := os.Getenv("DIURNA_TESTDATA")
	if root == "" {
		t.Skip("DIURNA_TESTDATA is not set: intervals are not compared with real recordings")
	}
	return filepath.Join(root, "mmash-rr-actigraph")
}

// table returns the rows of a compressed CSV file, without its header.
func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(plain).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func millis(t *testing.T, layout, text string) int64 {
	t.Helper()
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// A recording is one person's day on a belt and a wrist.
type recording struct {
	runs  []hrv.Run       // parted where the belt lost the heart
	wrist map[int64]int32 // beats per minute, by second
}

func record(t *testing.T, subject int) recording {
	t.Helper()
	dir := filepath.Join(mmash(t), fmt.Sprintf("subject_%d", subject))
	rec := recording{wrist: map[int64]int32{}}
	rows := table(t, filepath.Join(dir, "heartbeats.csv.gz"))
	at := int64(0)
	for _, row := range rows {
		ms := int32(math.Round(1000 * number(t, row[2])))
		beat := millis(t, time.DateTime, row[1])
		if gap := beat - at - int64(ms); gap > 1500 || gap < -1500 || at == 0 {
			at = beat - int64(ms)
			rec.runs = append(rec.runs, hrv.Run{StartMS: at})
		}
		at += int64(ms)
		last := &rec.runs[len(rec.runs)-1]
		last.IntervalsMS = append(last.IntervalsMS, ms)
	}
	for _, row := range table(t, filepath.Join(dir, "actigraph.csv.gz")) {
		rec.wrist[millis(t, time.DateTime, row[1])/1000] = int32(number(t, row[2]))
	}
	return rec
}

// TestMMASHRecordings holds the belt's intervals against the wrist, which counted for itself.
func TestMMASHRecordings(t *testing.T) {
	t.Parallel()
	beats := map[int]int{1: 71_646, 2: 77_782, 3: 92_357, 4: 83_507, 5: 71_498}
	for subject := 1; subject <= 5; subject++ {
		t.Run(fmt.Sprintf("subject=%d", subject), func(t *testing.T) {
			t.Parallel()
			rec := record(t, subject)
			total, impossible, artefacts := 0, 0, 0
			belt := map[int64][]float64{}
			for i := range rec.runs {
				run := &rec.runs[i]
				marked, at := hrv.Mark(run.IntervalsMS), run.StartMS
				for k, ms := range run.IntervalsMS {
					total++
					at += int64(ms)
					if ms < hrv.ShortestMS || ms > hrv.LongestMS {
						impossible++
					}
					if marked[k] {
						artefacts++
						continue
					}
					belt[at/60_000] = append(belt[at/60_000], rate(ms))
				}
			}
			if total != beats[subject] {
				t.Errorf("there are %d beats, want %d", total, beats[subject])
			}
			share := func(n int) float64 { return 100 * float64(n) / float64(total) }
			if share(impossible) < 0.005 || share(impossible) > 1.4 || share(artefacts) < 0.3 || share(artefacts) > 3.3 {
				t.Errorf("%.3f %% are impossible, %.3f %% artefacts", share(impossible), share(artefacts))
			}
			compareMinutes(t, belt, rec.wrist)
			checkNight(t, hrv.Windows(rec.runs))
		})
	}
}

// compareMinutes compares the medians of the minutes that both saw well.
func compareMinutes(t *testing.T, belt map[int64][]float64, seconds map[int64]int32) {
	t.Helper()
	wrist := map[int64][]float64{}
	for second, bpm := range seconds {
		if bpm >= 25 && bpm <= 230 {
			wrist[second/60] = append(wrist[second/60], float64(bpm))
		}
	}
	var differences, sizes []float64
	for minute, b := range belt {
		if w := wrist[minute]; len(w) >= 30 && len(b) >= 20 {
			d := median(b) - median(w)
			differences, sizes = append(differences, d), append(sizes, math.Abs(d))
		}
	}
	slices.Sort(sizes)
	if len(sizes) < 1200 {
		t.Fatalf("%d minutes are in both", len(sizes))
	}
	bias, usual, nineOfTen := median(differences), median(sizes), sizes[len(sizes)*9/10]
	if math.Abs(bias) > 0.5 || usual > 1 || nineOfTen > 3 {
		t.Errorf("belt and wrist differ by %.2f/min in the middle, %.2f usually, %.2f at most in nine of ten", bias, usual, nineOfTen)
	}
}

// checkNight looks at the hours in which all five slept.
func checkNight(t *testing.T, windows []hrv.Window) {
	t.Helper()
	var rmssd []float64
	for _, w := range windows {
		hour := time.UnixMilli(w.StartMS).UTC().Hour() // the recordings' wall clock
		if hour < 2 || hour >= 5 || w.SumMS < hrv.WindowMS/2 || 5*w.Artefacts > w.Beats {
			continue
		}
		if ms, ok := w.RMSSD(); ok {
			rmssd = append(rmssd, ms)
		}
	}
	if len(rmssd) < 6 || median(rmssd) < 15 || median(rmssd) > 120 {
		t.Errorf("RMSSD of the night is %.0f ms in %d windows", median(rmssd), len(rmssd))
	}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Clone(v)
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
