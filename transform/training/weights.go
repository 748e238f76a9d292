package training

import "math"

// nano is how many of the units in which weights are summed are one.
const nano = 1e9

// Weights are what a load weighs, by its age in days, in the exponential means.
type Weights struct {
	rules                           Rules
	fitness, fatigue, recent, usual decay
}

// NewWeights returns the weights by the rules.
func NewWeights(rules Rules) *Weights {
	continuous := func(days float64) decay {
		return newDecay(rules, 1-math.Exp(-1/days), func(age float64) float64 { return math.Exp(-age / days) })
	}
	daily := func(days int32) decay {
		share := 2 / float64(days+1)
		return newDecay(rules, share, func(age float64) float64 { return math.Pow(1-share, age) })
	}
	return &Weights{
		rules: rules, fitness: continuous(rules.FitnessDays), fatigue: continuous(rules.FatigueDays),
		recent: daily(rules.RecentDays), usual: daily(rules.UsualDays),
	}
}

// A decay is the weights of one mean.
type decay struct {
	share float64   // of a load in the mean of its own day
	left  []float64 // of it, by age
}

func newDecay(rules Rules, share float64, left func(age float64) float64) decay {
	d := decay{share: share, left: make([]float64, rules.WindowDays)}
	for age := range d.left {
		d.left[age] = left(float64(age))
	}
	return d
}

// of is the part of a load that is left at an age, in whole units of 1e-9: sums of such do not depend on their order.
func (d *decay) of(load float64, age int32) float64 {
	return math.Round(load * d.share * d.left[age] * nano)
}
