package trend

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
)

// The windows of a baseline, in days that end with the day itself.
const (
	shortDays  = 7
	usualDays  = 28
	longDays   = 60
	beforeDays = 30 // these end with the day before
)

// baselineRules are the gates, by the names under which the select passes them on.
type baselineRules struct {
	shortMin, usualMin, longMin, beforeMin int
}

// A Baseline is what is usual for one figure of a person on a day. What has too few values is NaN.
type Baseline struct {
	Value                   float64 // of the day itself
	N7, N28, N60, NBefore   int
	Mean7, SD7              float64
	Mean28, Median28, MAD28 float64
	Mean60, SD60            float64
	MeanBefore, SDBefore    float64
}

// baselineOf looks back from a day over the figure's values, in order of date, the last of them on the day or before it.
func baselineOf(points []Point, day int, rules baselineRules) Baseline {
	since := func(days int) []float64 {
		first := len(points)
		for first > 0 && points[first-1].Day > day-days {
			first--
		}
		values := make([]float64, 0, len(points)-first)
		for _, p := range points[first:] {
			values = append(values, p.Value)
		}
		return values
	}
	nan := math.NaN()
	b := Baseline{
		Value: nan, Mean7: nan, SD7: nan, Mean28: nan, Median28: nan, MAD28: nan, Mean60: nan, SD60: nan, MeanBefore: nan, SDBefore: nan,
	}
	before := since(beforeDays + 1)
	if last := len(points) - 1; last >= 0 && points[last].Day == day {
		b.Value = points[last].Value
		before = before[:len(before)-1]
	}
	short, usual, long := since(shortDays), since(usualDays), since(longDays)
	b.N7, b.N28, b.N60, b.NBefore = len(short), len(usual), len(long), len(before)
	if b.N7 >= rules.shortMin {
		b.Mean7, b.SD7 = Mean(short), SD(short)
	}
	if b.N28 >= rules.usualMin {
		b.Mean28, b.Median28 = Mean(usual), Median(usual)
		b.MAD28 = MAD(usual, b.Median28)
	}
	if b.N60 >= rules.longMin {
		b.Mean60, b.SD60 = Mean(long), SD(long)
	}
	if b.NBefore >= rules.beforeMin {
		b.MeanBefore, b.SDBefore = Mean(before), SD(before)
	}
	return b
}

// Baselines is the Go part of the model baselines.
func Baselines(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in := readPeople(rows)
	return newStream([]arrow.Field{
		text("user_id"), date("local_date"), text("figure"), text("figure_method"), number("value"),
		count("n_7"), number("mean_7"), number("sd_7"),
		count("n_28"), number("mean_28"), number("median_28"), number("mad_28"),
		count("n_60"), number("mean_60"), number("sd_60"),
		count("n_before"), number("mean_before"), number("sd_before"),
	}, func(out *writer) (bool, error) {
		p, err := in.next()
		if p == nil || err != nil {
			return false, err
		}
		rules, err := in.baselineRules()
		if err != nil {
			return false, err
		}
		for _, g := range p.groups {
			for _, f := range g.figures {
				p.writeBaselines(out, g, f, rules)
			}
		}
		return true, nil
	}), nil
}

func (r *people) baselineRules() (rules baselineRules, err error) {
	for name, target := range map[string]*int{
		"baseline_7_valid_min": &rules.shortMin, "baseline_28_valid_min": &rules.usualMin,
		"baseline_60_valid_min": &rules.longMin, "baseline_before_valid_min": &rules.beforeMin,
	} {
		v, err := r.rule(name)
		if err != nil {
			return rules, err
		}
		*target = int(v)
	}
	return rules, nil
}

// writeBaselines writes a row for each day that is wanted and has a value in the longest window.
func (p *person) writeBaselines(out *writer, g group, f figure, rules baselineRules) {
	for i, day := range p.dates {
		if !p.isWanted[i] {
			continue
		}
		points, method := p.pointsUntil(g, f, i, day.AddDays(1-longDays))
		if len(points) == 0 {
			continue
		}
		out.text(p.user)
		out.date(day)
		out.text(f.name)
		out.text(method)
		out.baseline(baselineOf(points, int(day), rules))
		out.end()
	}
}

// pointsUntil returns the valid values since a date and until the day of an index, of those that were made as the
// latest.
func (p *person) pointsUntil(g group, f figure, last int, since schemas.Date) (points []Point, method string) {
	first := p.from(since)
	found := false
	for i := last; i >= first; i-- {
		if !g.isValid[i] || math.IsNaN(f.values[i]) {
			continue
		}
		if !found {
			method, found = g.methods[i], true
		}
		if g.methods[i] == method {
			points = append(points, Point{int(p.dates[i]), f.values[i]})
		}
	}
	slices.Reverse(points)
	return points, method
}

func (w *writer) baseline(b Baseline) {
	w.number(b.Value)
	w.count(b.N7)
	w.number(b.Mean7)
	w.number(b.SD7)
	w.count(b.N28)
	w.number(b.Mean28)
	w.number(b.Median28)
	w.number(b.MAD28)
	w.count(b.N60)
	w.number(b.Mean60)
	w.number(b.SD60)
	w.count(b.NBefore)
	w.number(b.MeanBefore)
	w.number(b.SDBefore)
}
