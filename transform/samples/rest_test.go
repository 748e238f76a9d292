package samples

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSlotsHaveWhatTheirSamplesComeTo holds the slots of a date against what its samples come to one by one.
func TestSlotsHaveWhatTheirSamplesComeTo(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	type figures struct{ hearts, heartSum, steps, walking, epochs, median int32 }
	for round := range 500 {
		var hours []Hour
		for hour := range int64(3) {
			for _, metric := range []Metric{HeartRate, Steps, Motion, Motion} { // motion in two parts
				h := someRates(rng, hour, 0)
				h.Metric, h.SourceRank = metric, nativeRank
				if len(h.OffsetsMS) == 1 && int(h.PeriodMS)*len(h.Values) > hourMS || slices.ContainsFunc(h.OffsetsMS, func(at int32) bool { return at >= hourMS }) {
					continue // no hour holds what lies behind it
				}
				for i := range h.Values {
					h.Values[i] = max(0, h.Values[i]-61)
				}
				if len(h.Values) > 0 {
					hours = append(hours, *h)
				}
			}
		}
		want, motions := map[int64]figures{}, map[int64][]int32{}
		withHeart := map[int64]bool{}
		for i := range hours {
			h := &hours[i]
			for k, v := range h.Values {
				slot := h.Place(k, slotMS)
				f := want[slot]
				switch h.Metric { //nolint:exhaustive // the others are not made above
				case HeartRate:
					f.hearts, f.heartSum = f.hearts+1, f.heartSum+v
					withHeart[slot/hourSlots] = true
				case Steps:
					f.steps++
					if v > 0 {
						f.walking++
					}
				case Motion:
					motions[slot] = append(motions[slot], v)
					f.epochs++
				}
				want[slot] = f
			}
		}
		for slot, counts := range motions {
			f := want[slot]
			slices.Sort(counts)
			f.median = counts[(len(counts)-1)/2]
			want[slot] = f
		}
		var r rester
		r.rest(hours)
		if len(r.hours) != len(withHeart) {
			t.Fatalf("round %d: %d hours with a heart rate, want %d", round, len(r.hours), len(withHeart))
		}
		for i := range r.hours {
			h := &r.hours[i]
			for k := range h.slots {
				s := &h.slots[k]
				got := figures{s.hearts, s.heartSum, s.steps, s.walking, int32(len(s.motions)), lowerMedian(s.motions)}
				if got != want[h.slot+int64(k)] {
					t.Fatalf("round %d: slot %d of an hour is %+v, want %+v", round, k, got, want[h.slot+int64(k)])
				}
			}
		}
	}
}
