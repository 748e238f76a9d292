package samples

import (
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// metricLists are the columns of a date's minutes of a metric: which they are, and figures of each.
type metricLists struct {
	metric  Metric
	minutes *rows.IntLists
	figures []figure
}

// A figure is something of the samples that stand for the minutes.
type figure struct {
	column  *rows.IntLists
	of      func(*series) []int32
	isUsual func(*series) bool // it says nothing new of the date, and has no list
}

func lowest(s *series) []int32  { return s.mins }
func highest(s *series) []int32 { return s.maxs }
func total(s *series) []int32   { return s.sums }
func samples(s *series) []int32 { return s.counts }
func foreign(s *series) []int32 { return s.foreign }
func covered(s *series) []int32 { return s.coveredMin }

// What most dates are: one sample a minute, of the device's own, that speaks for that minute.
func isSingle(s *series) bool { return s.samplesMost <= 1 }
func isOwn(s *series) bool    { return !s.hasForeign }
func isShort(s *series) bool  { return s.periodMost <= minuteMS }

func newMetricLists() []metricLists {
	list := rows.Int32Lists
	return []metricLists{
		{HeartRate, list("heart_rate_minutes"), []figure{
			{list("heart_rate_sums_bpm"), total, nil},
			{list("heart_rate_mins_bpm"), lowest, isSingle},
			{list("heart_rate_maxs_bpm"), highest, isSingle},
			{list("heart_rate_sample_counts"), samples, isSingle},
		}},
		{Steps, list("step_minutes"), []figure{
			{list("step_counts"), total, nil},
			{list("step_sample_counts"), samples, isSingle},
			{list("foreign_step_counts"), foreign, isOwn},
		}},
		{Intensity, list("intensity_minutes"), []figure{
			{list("intensity_levels"), highest, nil}, // a class is no quantity: the highest counts
			{list("intensity_sample_counts"), samples, isSingle},
		}},
		{OxygenSaturation, list("oxygen_saturation_minutes"), []figure{
			{list("oxygen_saturation_sums_permille"), total, nil},
			{list("oxygen_saturation_mins_permille"), lowest, isSingle},
			{list("oxygen_saturation_sample_counts"), samples, isSingle},
			{list("oxygen_saturation_covered_mins"), covered, isShort},
		}},
		{RespiratoryRate, list("respiratory_rate_minutes"), []figure{
			{list("respiratory_rate_sums_milli_per_min"), total, nil},
			{list("respiratory_rate_sample_counts"), samples, isSingle},
			{list("respiratory_rate_covered_mins"), covered, isShort},
		}},
		{SkinTemperature, list("skin_temperature_minutes"), []figure{
			{list("skin_temperature_sums_mcel"), total, nil},
			{list("skin_temperature_sample_counts"), samples, isSingle},
			{list("skin_temperature_covered_mins"), covered, isShort},
		}},
		{Stress, list("stress_minutes"), []figure{
			{list("stress_sums_score"), total, nil},
			{list("stress_sample_counts"), samples, isSingle},
			{list("stress_covered_mins"), covered, isShort},
		}},
		{Noise, list("noise_level_minutes"), []figure{
			{list("noise_level_sums_ddb"), total, nil},
			{list("noise_level_maxs_ddb"), highest, isSingle},
			{list("noise_level_sample_counts"), samples, isSingle},
			{list("noise_level_covered_mins"), covered, isShort},
		}},
	}
}

// add adds what was measured on a date.
func (l *metricLists) add(of *series) {
	addMinutes(l.minutes, of.minutes)
	for i := range l.figures {
		l.figures[i].add(of)
	}
}

func (f *figure) add(s *series) {
	if f.isUsual != nil && f.isUsual(s) {
		f.column.Skip()
		return
	}
	f.column.AddIf(f.of(s))
}

// addMinutes adds minutes as lists hold them: a negative number stands for so many more, each a minute later.
func addMinutes(column *rows.IntLists, minutes []int32) {
	for from := 0; from < len(minutes); {
		end := from + 1
		for end < len(minutes) && minutes[end] == minutes[end-1]+1 {
			end++
		}
		column.Append(minutes[from])
		switch more := int32(end - from - 1); more {
		case 0:
		case 1:
			column.Append(minutes[from] + 1)
		default:
			column.Append(-more)
		}
		from = end
	}
	if len(minutes) == 0 {
		column.Skip()
		return
	}
	column.End()
}

// A clock is the columns that tell what the person's clock showed in the minutes of a metric: one offset where it was
// always the same, else one for each minute.
type clock struct {
	metric  Metric
	offset  *rows.Numbers[int32]
	offsets *rows.IntLists
}

func (c *clock) add(of *series) {
	offsets := of.offsetsMin
	switch {
	case len(offsets) == 0:
		c.offset.Skip(1)
		c.offsets.Skip()
	case slices.Min(offsets) == slices.Max(offsets):
		c.offset.Add(offsets[0])
		c.offsets.Skip()
	default:
		c.offset.Skip(1)
		c.offsets.AddIf(offsets)
	}
}

// A dateTotal is a column of what a metric came to on a date.
type dateTotal struct {
	metric Metric
	column *rows.Numbers[int64]
}

func (t *dateTotal) add(of *series) {
	sum := int64(0)
	for _, v := range of.sums {
		sum += int64(v)
	}
	t.column.AddIf(len(of.sums) > 0, sum)
}

// A stepTotal is a column of how many of a date's steps lie in minutes of a metric: of how much of the day it tells.
type stepTotal struct {
	metric Metric
	column *rows.Numbers[int64]
}

func (t *stepTotal) add(of, steps *series) {
	sum, k := int64(0), 0
	for _, minute := range of.minutes {
		at, found := Seek(steps.minutes, k, minute)
		if k = at; found {
			sum += int64(steps.sums[at])
		}
	}
	t.column.AddIf(len(of.minutes) > 0, sum)
}
