package heart

import "math"

// A rate is a heart rate in millionths of a millionth of a beat/min: sums of them are exact.
type rate int64

const perBeat = 1e12

func rateOf(bpm float64) rate { return rate(math.Round(bpm * perBeat)) }

func (r rate) bpm() float64 { return float64(r) / perBeat }

// mean returns the mean of n rates that come to r.
func (r rate) mean(n int) float64 { return r.bpm() / float64(n) }
