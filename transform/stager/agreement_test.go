package stager

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestE016SoftmaxArgmax(t *testing.T) {
	t.Parallel()
	p := softmax([stageCount]float64{0.4, 1.1, -0.7, 0.2})
	for k, want := range []float64{0.240075602, 0.483452894, 0.079914226, 0.196557278} {
		near(t, "p", p[k], want, 1e-9)
	}
	if got := decide(p); got != light {
		t.Errorf("the stage is %d, want light", got)
	}
}

func TestE018CohenKappa2x2(t *testing.T) {
	t.Parallel()
	c := confusion{{20, 5}, {10, 15}}
	near(t, "accuracy", c.accuracy(), 0.7, 1e-9)
	near(t, "kappa", c.kappa(), 0.4, 1e-9)
}

func TestE019CohenKappa4Stage(t *testing.T) {
	t.Parallel()
	c := confusion{{50, 30, 2, 8}, {20, 400, 40, 40}, {2, 60, 90, 3}, {10, 70, 3, 120}}
	near(t, "accuracy", c.accuracy(), 0.696202532, 1e-9)
	near(t, "kappa", c.kappa(), 0.508672164, 1e-9)
}

// TestE015WalchCosineClockIsNotRead gives files that differ in the clocks of the laboratory alone.
func TestE015WalchCosineClockIsNotRead(t *testing.T) {
	t.Parallel()
	file := func(clocks ...string) []Recording {
		var text strings.Builder
		text.WriteString("subject_id,t_seconds_from_first_epoch,stage_code,cosine_clock,activity_count_feature,hr_std_feature\n")
		for i, c := range clocks {
			fmt.Fprintf(&text, "1,%s,2,%s,0.5,0.25\n", []string{"0", "30", "90", "120"}[i], c)
		}
		recordings, err := ReadRecordings(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		return recordings
	}
	want := file("-0.258819045", "-1.0", "-0.707106781", "1.0")
	if diff := cmp.Diff(want, file("", "x", "7", "-7"), cmp.AllowUnexported(Recording{})); diff != "" {
		t.Errorf("the clock is read (-with +without):\n%s", diff)
	}
	if got := want[0].labels; !slices.Equal(got, []int{light, light, noStage, light, light}) {
		t.Errorf("labels are %v, want a gap at the third epoch", got)
	}
}

func TestSumsOfANight(t *testing.T) {
	t.Parallel()
	of := func(text string) []int {
		stages := make([]int, len(text))
		for i, c := range text {
			stages[i] = strings.IndexRune("WLDR", c)
		}
		return stages
	}
	value := func(v float64) *float64 { return &v }
	for text, want := range map[string]Sums{
		"WLWLLLWWDDRRWW": {TST: 4, WASO: value(1), Deep: 1, REM: 1}, // wake before onset and after the last sleep is no WASO
		"WWWW":           {},
		"LLWLL":          {TST: 2}, // never three in a row: no onset
		"LL-LLL":         {TST: 2.5, WASO: value(0)},
	} {
		stages := of(text)
		if diff := cmp.Diff(want, sumsOf(stages, stages)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestBiasAndItsLimits(t *testing.T) {
	t.Parallel()
	b := newBias([]float64{-2, 0, 2})
	near(t, "mean", b.Mean, 0, 1e-12)
	near(t, "upper", *b.Upper, 1.96*2, 1e-12)
	if one := newBias([]float64{3}); one.Mean != 3 || one.Lower != nil {
		t.Errorf("of one person: %+v, want a mean of 3 without limits", one)
	}
}

func TestTheBaselineIsTheCommonestClass(t *testing.T) {
	t.Parallel()
	f := baseline([]int{wake, light, light, light, deep, rem, rem, rem, rem, noStage})
	near(t, "accuracy of 4 classes", f.Accuracy4, 4.0/9, 1e-12) // REM
	near(t, "accuracy of 3 classes", f.Accuracy3, 4.0/9, 1e-12) // light and deep, or REM: as many
	near(t, "accuracy of 2 classes", f.Accuracy2, 8.0/9, 1e-12)
	near(t, "kappa", f.Kappa4, 0, 1e-12)
}

func TestAFileThatIsNoneIsRefusedByLineAndColumn(t *testing.T) {
	t.Parallel()
	const header = "subject_id,t_seconds_from_first_epoch,stage_code,activity_count_feature,hr_std_feature\n"
	for text, want := range map[string]string{
		"":                                "the file is empty",
		header:                            "the file has no epochs",
		"subject_id,stage_code\n":         "line 1: column t_seconds_from_first_epoch is missing",
		header + "1,31,2,0,0\n":           "line 2, column t_seconds_from_first_epoch: must be a multiple of 30, from 0 to a day",
		header + "1,0,secret,0,0\n":       "line 2, column stage_code: must be a stage from 0 to 5",
		header + "1,0,6,0,0\n":            "line 2, column stage_code: must be a stage from 0 to 5",
		header + "1,0,2,-1,0\n":           "line 2, column activity_count_feature: must be a number, 0 or more",
		header + "1,0,2,0,NaN\n":          "line 2, column hr_std_feature: must be a number, 0 or more",
		header + ",0,2,0,0\n":             "line 2, column subject_id: must be a name",
		header + "1,0,2,0,0\n1,0,2,0,0\n": "line 3, column t_seconds_from_first_epoch: the person has this epoch already",
		header + "1,0,2,0\n":              "line 2, character 1: wrong number of fields",
	} {
		_, err := ReadRecordings(strings.NewReader(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: error is %v, want %q", text, err, want)
		}
	}
}

func TestPeopleComeInTheOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	ids := []string{"b", "10", "9", "a", "07"}
	slices.SortFunc(ids, comparePersons)
	if want := []string{"07", "9", "10", "a", "b"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}
