package trend

import (
	"context"
	"math"

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
	bandSDs                                float64 // half the width of the band
}

// A Baseline is what is usual for one figure of a person on a day. What has too few values is NaN.
type Baseline struct {
	Value                   float64 // of the day itself
	N7, N28, N60, NBefore   int
	Mean7, Median7, SD7     float64
	Mean28, Median28, MAD28 float64
	Mean60, Median60, SD60  float64
	BandLow, BandHigh       float64
	Position                string // of the 7-day mean: below, within or above the band
	RobustZ                 float64
	BeforeMean, BeforeSD    float64
	Deviation, DeviationSDs float64
	method                  string
}

// baselineOf looks back from a day over the figure's values, in order of date, the last of them on the day or before it.
func baselineOf(points []Point, day int, rules baselineRules) Baseline {
	since := func(days int) []float64 {
		var values []float64
		for i := len(points) - 1; i >= 0 && points[i].Day > day-days; i-- {
			values = append(values, points[i].Value)
		}
		reverse(values)
		return values
	}
	nan := math.NaN()
	b := Baseline{
		Value: nan, Mean7: nan, Median7: nan, SD7: nan, Mean28: nan, Median28: nan, MAD28: nan, Mean60: nan, Median60: nan,
		SD60: nan, BandLow: nan, BandHigh: nan, RobustZ: nan, BeforeMean: nan, BeforeSD: nan, Deviation: nan, DeviationSDs: nan,
	}
	if last := len(points) - 1; last >= 0 && points[last].Day == day {
		b.Value = points[last].Value
	}
	short, usual, long := since(shortDays), since(usualDays), since(longDays)
	b.N7, b.N28, b.N60 = len(short), len(usual), len(long)
	if b.N7 >= rules.shortMin {
		b.Mean7, b.Median7, b.SD7 = Mean(short), Median(short), SD(short)
	}
	if b.N28 >= rules.usualMin {
		b.Mean28, b.Median28 = Mean(usual), Median(usual)
		b.MAD28 = MAD(usual, b.Median28)
		b.RobustZ = RobustZ(b.Value, b.Median28, b.MAD28)
	}
	if b.N60 >= rules.longMin {
		b.Mean60, b.Median60, b.SD60 = Mean(long), Median(long), SD(long)
		b.BandLow, b.BandHigh = b.Mean60-rules.bandSDs*b.SD60, b.Mean60+rules.bandSDs*b.SD60
		b.Position = position(b.Mean7, b.BandLow, b.BandHigh)
	}
	b.before(since(beforeDays+1), rules)
	return b
}

// before sets the day against the days before it; values are of both.
func (b *Baseline) before(values []float64, rules baselineRules) {
	if !math.IsNaN(b.Value) {
		values = values[:len(values)-1]
	}
	if b.NBefore = len(values); b.NBefore < rules.beforeMin {
		return
	}
	b.BeforeMean, b.BeforeSD = Mean(values), SD(values)
	b.Deviation = b.Value - b.BeforeMean
	if b.BeforeSD > 0 {
		b.DeviationSDs = b.Deviation / b.BeforeSD
	}
}

func position(mean, low, high float64) string {
	switch {
	case math.IsNaN(mean):
		return ""
	case mean < low:
		return "below"
	case mean > high:
		return "above"
	default:
		return "within"
	}
}

func reverse(values []float64) {
	for i, j := 0, len(values)-1; i < j; i, j = i+1, j-1 {
		values[i], values[j] = values[j], values[i]
	}
}

// Baselines is the Go part of the model baselines.
func Baselines(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in := readPeople(rows)
	return newStream([]arrow.Field{
		text("user_id"), date("local_date"), text("figure"), text("figure_method"), number("value"),
		count("n_7"), number("mean_7"), number("median_7"), number("sd_7"),
		count("n_28"), number("mean_28"), number("median_28"), number("mad_28"), number("robust_z_28"),
		count("n_60"), number("mean_60"), number("median_60"), number("sd_60"),
		number("band_low"), number("band_high"), text("band_position"),
		count("n_before"), number("mean_before"), number("sd_before"), number("deviation"), number("deviation_sd"),
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
	rules.bandSDs, err = r.rule("baseline_band_sd")
	return rules, err
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
		b := baselineOf(points, int(day), rules)
		b.method = method
		p.writeBaseline(out, day, f.name, b)
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
	for i, j := 0, len(points)-1; i < j; i, j = i+1, j-1 {
		points[i], points[j] = points[j], points[i]
	}
	return points, method
}

func (p *person) writeBaseline(out *writer, day schemas.Date, figure string, b Baseline) {
	out.text(p.user)
	out.date(day)
	out.text(figure)
	out.text(b.method)
	out.number(b.Value)
	out.count(b.N7)
	out.number(b.Mean7)
	out.number(b.Median7)
	out.number(b.SD7)
	out.count(b.N28)
	out.number(b.Mean28)
	out.number(b.Median28)
	out.number(b.MAD28)
	out.number(b.RobustZ)
	out.count(b.N60)
	out.number(b.Mean60)
	out.number(b.Median60)
	out.number(b.SD60)
	out.number(b.BandLow)
	out.number(b.BandHigh)
	out.text(b.Position)
	out.count(b.NBefore)
	out.number(b.BeforeMean)
	out.number(b.BeforeSD)
	out.number(b.Deviation)
	out.number(b.DeviationSDs)
	out.end()
}
