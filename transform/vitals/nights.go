package vitals

import (
	"cmp"
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// limits say what is valid, and how much of a night must be.
type limits struct {
	oxygenMin, oxygenLow float64 // permille
	oxygenValidMin       float64
	oxygenPercentile     float64 // %
	measuredMin          float64 // of breath and skin temperature
}

// A value is the mean of a minute in the metric's unit, rounded.
type value struct {
	of         int64
	coveredMin int32
}

// A record gathers the minutes of a metric in a main sleep.
type record struct {
	values     []value
	coveredMin int64
}

func (r *record) begin() { r.values, r.coveredMin = r.values[:0], 0 }

// add adds those minutes of a date that are of the sleep and valid.
func (r *record) add(m minutes, sleep samples.Span, isValid func(i int) bool) {
	first, end := sleep.In(m.minutes)
	for i := first; i < end; i++ {
		if isValid != nil && !isValid(i) {
			continue
		}
		v := value{int64(math.Round(float64(m.sums[i]) / float64(m.count(i)))), m.coveredMin(i)}
		r.values = append(r.values, v)
		r.coveredMin += int64(v.coveredMin)
	}
}

// isThere reports whether anything was measured.
func (r *record) isThere() bool { return len(r.values) > 0 }

// sort puts the values in order, as median and percentile need them.
func (r *record) sort() {
	slices.SortFunc(r.values, func(a, b value) int { return cmp.Compare(a.of, b.of) })
}

func (r *record) mean() float64 {
	sum := int64(0)
	for _, v := range r.values {
		sum += v.of
	}
	return float64(sum) / float64(len(r.values))
}

// median of sorted values is the middle one, or between both.
func (r *record) median() float64 {
	n := len(r.values)
	return float64(r.values[(n-1)/2].of+r.values[n/2].of) / 2
}

// percentile of sorted values is the lowest up to which there are so many %.
func (r *record) percentile(pct float64) int64 {
	place := int(math.Ceil(float64(len(r.values)) * pct / 100))
	return r.values[max(place, 1)-1].of
}

// below is how many minutes the values below a limit speak for.
func (r *record) below(limit float64) (coveredMin int64) {
	for _, v := range r.values {
		if float64(v.of) < limit {
			coveredMin += int64(v.coveredMin)
		}
	}
	return coveredMin
}

// A night is a main sleep, and what was measured in it. A night without an onset has what the source told at most.
type night struct {
	user string
	date int32 // of waking, days since 1970-01-01

	oxygen, breath, skin record
	toldBreath           int32 // thousandths of a breath/min
	isBreathTold         bool
}

func (n *night) begin(user string, date int32) {
	n.user, n.date, n.isBreathTold = user, date, false
	n.oxygen.begin()
	n.breath.begin()
	n.skin.begin()
}

// isThere reports whether there is anything to tell.
func (n *night) isThere() bool {
	return n.isBreathTold || n.oxygen.isThere() || n.breath.isThere() || n.skin.isThere()
}
