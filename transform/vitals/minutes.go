package vitals

import (
	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// minuteColumns are the columns of stg_day_samples that tell of a metric.
type minuteColumns struct{ minutes, sums, counts, covered rows.Lists }

// columns returns those that every metric has by name, to be bound.
func (c *minuteColumns) columns(metric, unit string) map[string]any {
	return map[string]any{
		metric + "_minutes": &c.minutes, metric + "_sums_" + unit: &c.sums,
		metric + "_sample_counts": &c.counts, metric + "_covered_mins": &c.covered,
	}
}

func (c *minuteColumns) at(row int) minutes {
	return minutes{
		minutes: samples.Minutes(c.minutes.At(row)), sums: c.sums.At(row), counts: c.counts.At(row), covered: c.covered.At(row),
	}
}

// minutes are those of a metric on a date. What they hold goes with the batch it came from.
type minutes struct {
	minutes []int32 // since 1970-01-01 UTC, in order
	sums    []int32 // of the samples of each
	counts  []int32 // of samples; none: always one
	covered []int32 // min that the longest sample speaks for; none: always one
}

func (m *minutes) count(i int) int32      { return at(m.counts, i, 1) }
func (m *minutes) coveredMin(i int) int32 { return at(m.covered, i, 1) }

// at returns the value at a place of a list, or what is usual where there is no list.
func at(list []int32, i int, usual int32) int32 {
	if len(list) == 0 {
		return usual
	}
	return list[i]
}
