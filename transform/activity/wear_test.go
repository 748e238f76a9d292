package activity

import (
	"testing"

	"github.com/diurna-health/diurna/transform/samples"
)

// every returns minutes from one to before another, some apart.
func every(apart, from, until int32) (minutes []int32) {
	for minute := from; minute < until; minute += apart {
		minutes = append(minutes, minute)
	}
	return minutes
}

func TestWearIsToldFromHowOftenAHeartIsMeasured(t *testing.T) {
	t.Parallel()
	rules := WearRules{StretchMin: 5, StretchMaxMin: 30, SpacingPct: 75}
	join := func(parts ...[]int32) (all []int32) {
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	for _, c := range []struct {
		name          string
		measured      []int32
		spacing, long int32
		worn          int32 // none: each minute speaks for itself
	}{
		{"never", nil, 0, 5, none},
		{"once", []int32{100}, 0, 5, none},
		{"every minute", every(1, 0, 1440), 1, 5, none},
		{"every minute with holes", join(every(1, 0, 600), every(7, 600, 700), every(1, 700, 900)), 1, 5, none},
		{"every two minutes", every(2, 0, 1440), 2, 5, 1440},
		{"every five minutes", every(5, 0, 1440), 5, 10, 1440},
		{"every ten minutes", every(10, 0, 1440), 10, 15, 1440},
		{"not punctual", []int32{0, 9, 20, 31, 40, 50, 61, 70, 79}, 11, 15, 90},
		{"every ten minutes and all the time in two exercises", join(every(10, 0, 600), every(1, 600, 690), every(10, 690, 1200),
			every(1, 1200, 1290), every(10, 1290, 1440)), 10, 15, 1440},
		{"off the wrist at night", join(every(10, 0, 60), every(10, 480, 1440)), 10, 15, 1020},
		{"less often than it tells of wear", every(31, 0, 1440), 0, 5, none},
	} {
		if got := rules.spacing(c.measured); got != c.spacing {
			t.Errorf("%s: hearts are %d min apart, want %d", c.name, got, c.spacing)
		}
		if got := rules.stretch(c.spacing); got != c.long {
			t.Errorf("%s: a stretch is %d min, want %d", c.name, got, c.long)
		}
		worn, ok := rules.WornMin(c.measured, samples.Span{From: 0, Until: 1440})
		if !ok {
			worn = none
		}
		if worn != c.worn {
			t.Errorf("%s: %d min are worn, want %d", c.name, worn, c.worn)
		}
	}
}

const none = -1
