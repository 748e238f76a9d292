package mix_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/bench/mix"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

const day = schemas.Date(20_500)

func TestADayOfAPersonHasAboutNineThousandSamples(t *testing.T) {
	const people = 200
	total, heart := 0, 0
	for b := range (mix.Config{Seed: 1, People: people, Date: day}).Batches() {
		total += mix.Samples(b)
		for i := range b.Series {
			if b.Series[i].Metric == schemas.HeartRate {
				heart += len(b.Series[i].Values)
			}
		}
	}
	if mean := total / people; mean < 8800 || mean > 9800 {
		t.Errorf("%d samples per person and day", mean)
	}
	if share := float64(heart) / float64(total); share < 0.45 || share > 0.55 {
		t.Errorf("%.2f of the samples are heart rate", share)
	}
}

func TestBothFormsCarryEveryBatch(t *testing.T) {
	for _, cut := range []mix.Cut{mix.ByHours, mix.ByQuarters} {
		for b := range (mix.Config{Seed: 1, People: 20, Date: day, Cut: cut}).Batches() {
			for contentType, encode := range map[string]func(*syncv1.Batch) ([]byte, error){
				syncv1.ContentTypeProto: syncv1.EncodeProto, syncv1.ContentTypeJSON: syncv1.EncodeJSON,
			} {
				data, err := encode(b)
				if err != nil {
					t.Fatal(err)
				}
				got, err := syncv1.Decode(contentType, data)
				if err != nil {
					t.Fatal(err)
				}
				if mix.Samples(got) != mix.Samples(b) {
					t.Fatalf("%s: %d samples of %d", contentType, mix.Samples(got), mix.Samples(b))
				}
			}
		}
	}
}

func TestTheSameHourHasTheSameValuesHoweverTheDayIsCut(t *testing.T) {
	byHours := values(mix.Config{Seed: 3, People: 30, Date: day})
	byQuarters := values(mix.Config{Seed: 3, People: 30, Date: day, Cut: mix.ByQuarters})
	if diff := cmp.Diff(byHours, byQuarters); diff != "" {
		t.Error(diff)
	}
}

// values are all samples of all series, each under its person, metric and time; one that is sent again falls together
// with the first.
func values(c mix.Config) map[string]map[int64]int32 {
	all := map[string]map[int64]int32{}
	for b := range c.Batches() {
		for i := range b.Series {
			s := &b.Series[i]
			key := b.UserID + " " + s.Metric
			if all[key] == nil {
				all[key] = map[int64]int32{}
			}
			for j, v := range s.Values {
				all[key][s.TimeMS(j)] = v
			}
		}
	}
	return all
}

func TestOneQuarterInTwentyIsSentAgainUnderANewNumber(t *testing.T) {
	c := mix.Config{Seed: 1, People: 10, Date: day, Cut: mix.ByQuarters}
	type span struct{ person, from, to int }
	times := map[span]int{}
	numbers := map[[2]int]bool{}
	for _, s := range c.Spans() {
		times[span{s.Person, s.From, s.To}]++
		if number := [2]int{s.Person, s.Seq}; numbers[number] {
			t.Fatalf("number %d of person %d comes twice", s.Seq, s.Person)
		} else {
			numbers[number] = true
		}
	}
	again := 0
	for _, n := range times {
		again += n - 1
	}
	if want := 10 * 96 / 20; again != want {
		t.Errorf("%d spans are sent again, want %d", again, want)
	}
}

func TestTheSameConfigGivesTheSameBatches(t *testing.T) {
	c := mix.Config{Seed: 5, People: 10, Date: day}
	var first, second []*syncv1.Batch
	for b := range c.Batches() {
		first = append(first, b)
	}
	for b := range c.Batches() {
		second = append(second, b)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}
