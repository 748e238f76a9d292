package stager

import (
	"os"
	"path/filepath"
	"testing"
)

// scored reads the real recordings, or leaves the test out with a word when there are none.
func scored(t *testing.T) []Recording {
	t.Helper()
	data := os.Getenv("DIURNA_TESTDATA")
	if data == "" {
		t.Skip("DIURNA_TESTDATA is not set: the stager is not held to the real recordings")
	}
	f, err := os.Open(filepath.Join(data, "walch2019-sleep-accel", "epochs.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	recordings, err := ReadRecordings(f)
	if err != nil {
		t.Fatal(err)
	}
	return recordings
}

// TestTheRecordOfCrossValidationIsReproduced learns one fold anew, as the record in coefficients.json says it was, and
// compares what its people's epochs were taken for.
func TestTheRecordOfCrossValidationIsReproduced(t *testing.T) {
	t.Parallel()
	recordings := scored(t)
	c := shipped(t)
	record := c.Provenance.Trials[0].Folds[0]
	got, err := stageFold(recordings, make([][]int, len(recordings)), 0, func(others []Recording) (*Coefficients, error) {
		return Fit(t.Context(), others, c.Provenance.Trials[0].Seed)
	})
	if err != nil {
		t.Fatal(err)
	}
	// Other processors round otherwise, and learning follows: on them a few epochs may differ.
	moved, n := 0, 0
	for i := range record {
		for j := range record {
			moved += max(record[i][j]-got[i][j], got[i][j]-record[i][j])
			n += record[i][j]
		}
	}
	if moved > n/20 {
		t.Errorf("%d of %d epochs are elsewhere in the table:\ngot  %v\nwant %v", moved, n, got, record)
	}
	if k := kappaOf(got); k < 0.36 {
		t.Errorf("kappa of four stages is %.3f on the people of the fold: worse than a linear discriminant on others", k)
	}
}

// TestTheRecordMeetsItsBars adds the record's tables up and holds the means to the bars. Wake is held to what README.md
// says it reaches.
func TestTheRecordMeetsItsBars(t *testing.T) {
	t.Parallel()
	trials := shipped(t).Provenance.Trials
	if len(trials) < 5 {
		t.Fatalf("the record has %d seeds, want 5", len(trials))
	}
	classes := [...]*[stageCount]int{&fourClasses, &threeClasses, &twoClasses}
	var mean [len(classes)]float64
	for _, trial := range trials {
		for k, written := range [...]float64{trial.Kappa4, trial.Kappa3, trial.Kappa2} {
			sum := newConfusion(4 - k)
			for _, fold := range trial.Folds {
				for i := range fold {
					for j, n := range fold[i] {
						sum[classes[k][i]][classes[k][j]] += float64(n)
					}
				}
			}
			near(t, "kappa of the tables", sum.kappa(), written, 1e-5)
			mean[k] += sum.kappa() / float64(len(trials))
		}
	}
	for k, bar := range [...]float64{0.43, 0.48, 0.53} {
		if !(mean[k] >= bar) {
			t.Errorf("mean kappa of %d classes is %.4f, want %.2f or more", 4-k, mean[k], bar)
		}
	}
}

func kappaOf(table [stageCount][stageCount]int) float64 {
	c := newConfusion(stageCount)
	for i := range table {
		for j, n := range table[i] {
			c[i][j] = float64(n)
		}
	}
	return c.kappa()
}

// TestTrainingLearns fits a small stager in a few seconds: better than the commonest stage on people it has not seen, and
// the same again from the same dice.
func TestTrainingLearns(t *testing.T) {
	t.Parallel()
	recordings := scored(t)
	small := func(others []Recording) (*Coefficients, error) { return fit(t.Context(), others, 1, 1, 12) }
	table, err := stageFold(recordings, make([][]int, len(recordings)), 1, small)
	if err != nil {
		t.Fatal(err)
	}
	if k := kappaOf(table); k < 0.2 {
		t.Errorf("kappa of four stages is %.3f, want 0.2 or more", k)
	}
	again, err := stageFold(recordings, make([][]int, len(recordings)), 1, small)
	if err != nil {
		t.Fatal(err)
	}
	if table != again {
		t.Errorf("the same dice give other stages: %v and %v", table, again)
	}
}
