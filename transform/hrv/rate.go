package hrv

import "slices"

// A Rate is a heart rate at a moment.
type Rate struct {
	AtMS int64
	BPM  float64
}

// Rates returns the heart rate that each interval of a run amounts to, at the beat that ends it. Marked intervals are
// left out.
func Rates(run *Run, marked []bool) []Rate {
	rates := make([]Rate, 0, len(run.IntervalsMS))
	at := run.StartMS
	for i, ms := range run.IntervalsMS {
		at += int64(ms)
		if !marked[i] {
			rates = append(rates, Rate{at, 60_000 / float64(ms)})
		}
	}
	return rates
}

// Trim keeps the rates between two quantiles of all of them, both included.
func Trim(rates []Rate, low, high float64) []Rate {
	if len(rates) == 0 {
		return nil
	}
	sorted := make([]float64, len(rates))
	for i, r := range rates {
		sorted[i] = r.BPM
	}
	slices.Sort(sorted)
	least, most := quantile(sorted, low), quantile(sorted, high)
	return slices.DeleteFunc(slices.Clone(rates), func(r Rate) bool { return r.BPM < least || r.BPM > most })
}

// Resample returns the rate every stepMS from the first rate on, up to the last, which is left out. Between two rates it
// goes in a straight line; of several at one moment the last counts from then on.
func Resample(rates []Rate, stepMS int64) []float64 {
	var values []float64
	next := 0 // the first rate after the moment
	for at := int64(0); len(rates) > 0 && rates[0].AtMS+at < rates[len(rates)-1].AtMS; at += stepMS {
		moment := rates[0].AtMS + at
		for rates[next].AtMS <= moment {
			next++
		}
		before, after := rates[next-1], rates[next]
		share := float64(moment-before.AtMS) / float64(after.AtMS-before.AtMS)
		values = append(values, before.BPM+(after.BPM-before.BPM)*share)
	}
	return values
}

// Smooth returns the mean of every n neighbouring values.
func Smooth(values []float64, n int) []float64 {
	if len(values) < n {
		return nil
	}
	means := make([]float64, len(values)-n+1)
	for i := range means {
		sum := 0.0
		for _, v := range values[i : i+n] {
			sum += v
		}
		means[i] = sum / float64(n)
	}
	return means
}

// quantile interpolates between the two nearest of sorted values (Hyndman and Fan's type 7).
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return between(sorted[i], sorted[i+1], at-float64(i))
}

func between(low, high, share float64) float64 { return low + share*(high-low) }
