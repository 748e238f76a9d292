package trend

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
)

// Reasons why a comparison is null.
const (
	reasonTooFew       = "too_few_valid_days"
	reasonTooFewBefore = "too_few_valid_days_before"
	reasonMethod       = "method_changed"
)

// A calendar says which period a date closes, and what that period is compared with.
type calendar struct {
	periodOf   func(schemas.Date) schemas.Period
	comparison func(schemas.Period) (first, last schemas.Date) // besides the period before; of a year none
}

func weekCalendar() calendar {
	return calendar{schemas.ISOWeekOf, func(p schemas.Period) (first, last schemas.Date) {
		monday, _ := p.Dates()
		return monday.AddDays(-3 * 7), monday.AddDays(-1)
	}}
}

func monthCalendar() calendar {
	return calendar{schemas.MonthOf, func(p schemas.Period) (first, last schemas.Date) {
		day, _ := p.Dates()
		year, month, _ := day.Civil()
		return schemas.MonthOf(schemas.NewDate(year-1, month, 1)).Dates()
	}}
}

func yearCalendar() calendar { return calendar{periodOf: schemas.YearOf} }

// Weeks is the Go part of the model figure_weeks.
func Weeks(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	return periods(rows, weekCalendar(), "iso_week", "three_weeks")
}

// Months is the Go part of the model figure_months.
func Months(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	return periods(rows, monthCalendar(), "month", "year_before")
}

// Years is the Go part of the model figure_years.
func Years(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	return periods(rows, yearCalendar(), "year", "")
}

func periods(rows array.RecordReader, c calendar, name, comparison string) (array.RecordReader, error) {
	in := readPeople(rows)
	fields := []arrow.Field{
		text("user_id"), date("local_date"), text(name), text("figure"), text("figure_method"), count("method_count"),
		count("n"), count("measured_n"), count("day_count"), flag("is_sufficient"),
		number("mean"), number("median"), number("q1"), number("q3"), number("lowest"), number("highest"),
	}
	sides := []string{"previous"}
	if comparison != "" {
		sides = append(sides, comparison)
	}
	for _, side := range sides {
		fields = append(fields, count(side+"_n"), number(side+"_mean"), number(side+"_mad"), number(side+"_change"),
			number(side+"_change_pct"), text(side+"_reason"), flag(side+"_is_beyond_noise"))
	}
	return newStream(fields, func(out *writer) (bool, error) {
		p, err := in.next()
		if p == nil || err != nil {
			return false, err
		}
		rules, err := in.periodRules()
		if err != nil {
			return false, err
		}
		for i, day := range p.dates {
			period := c.periodOf(day)
			if _, last := period.Dates(); !p.isWanted[i] || day != last {
				continue
			}
			for _, g := range p.groups {
				for _, f := range g.figures {
					p.writePeriod(out, c, period, g, f, rules)
				}
			}
		}
		return true, nil
	}), nil
}

type periodRules struct {
	sufficientMin           int // valid days of a period that stands for itself
	validMin, comparisonMin int // valid days of a period that is compared, and of what it is compared with
	monthMin, monthValidMin int // months of a compared year with so many valid days; 0 = not asked for
	noiseMADs, noisePct     float64
}

func (r *people) periodRules() (rules periodRules, err error) {
	number := func(name string) float64 {
		v, missing := r.rule(name)
		if err == nil {
			err = missing
		}
		return v
	}
	rules = periodRules{
		sufficientMin: int(number("sufficient_min")),
		validMin:      int(number("valid_min")), comparisonMin: int(number("comparison_valid_min")),
		monthMin: int(r.rules["full_month_min"]), monthValidMin: int(r.rules["full_month_valid_min"]), // of years alone
		noiseMADs: number("noise_mad"), noisePct: number("noise_pct"),
	}
	return rules, err
}

// A Summary is what the days of a span were like.
type Summary struct {
	Measured   int       // days with a value, valid or not
	FullMonths int       // calendar months with enough valid days
	Values     []float64 // of valid days, in order of date
	Methods    []string  // of valid days, each once, sorted
}

func (p *person) summary(g group, f figure, first, last schemas.Date, monthValidMin int) Summary {
	var s Summary
	methods, months := map[string]bool{}, map[schemas.Period]int{}
	for i := p.from(first); i < len(p.dates) && p.dates[i] <= last; i++ {
		if math.IsNaN(f.values[i]) {
			continue
		}
		s.Measured++
		if !g.isValid[i] {
			continue
		}
		s.Values = append(s.Values, f.values[i])
		methods[g.methods[i]] = true
		month := schemas.MonthOf(p.dates[i])
		if months[month]++; months[month] == monthValidMin {
			s.FullMonths++
		}
	}
	s.Methods = slices.Sorted(maps.Keys(methods))
	return s
}

// A Comparison sets a span's mean beside an earlier one's. Change is NaN when there is a Reason.
type Comparison struct {
	N                 int
	Mean, MAD         float64 // of the earlier span; MAD is the noise of its single days
	Change, ChangePct float64
	Reason            string
	BeyondNoise       bool
}

// compare never compares sums: a week with a day less would have fallen by it.
func compare(now, before Summary, hasZero bool, beforeMin int, rules periodRules) Comparison {
	c := Comparison{N: len(before.Values), Mean: Mean(before.Values), Change: math.NaN(), ChangePct: math.NaN()}
	c.MAD = MAD(before.Values, Median(before.Values))
	switch {
	case len(now.Values) < rules.validMin || now.FullMonths < rules.monthMin:
		c.Reason = reasonTooFew
	case len(before.Values) < beforeMin || before.FullMonths < rules.monthMin:
		c.Reason = reasonTooFewBefore
	case len(now.Methods) > 1 || !slices.Equal(now.Methods, before.Methods):
		c.Reason = reasonMethod
	default:
		c.Change = Mean(now.Values) - c.Mean
		c.BeyondNoise = math.Abs(c.Change) > rules.noiseMADs*c.MAD
		if hasZero {
			if c.Mean != 0 {
				c.ChangePct = 100 * c.Change / c.Mean
			}
			// NaN, a share of nothing, is not beyond anything.
			c.BeyondNoise = c.BeyondNoise && math.Abs(c.ChangePct) >= rules.noisePct
		}
	}
	return c
}

func (p *person) writePeriod(out *writer, c calendar, period schemas.Period, g group, f figure, rules periodRules) {
	first, last := period.Dates()
	now := p.summary(g, f, first, last, rules.monthValidMin)
	if now.Measured == 0 {
		return
	}
	method := ""
	if len(now.Methods) == 1 {
		method = now.Methods[0]
	}
	lowest, highest := Quantile(now.Values, 0), Quantile(now.Values, 1)
	out.text(p.user)
	out.date(last)
	out.text(period.String())
	out.text(f.name)
	out.text(method)
	out.count(len(now.Methods))
	out.count(len(now.Values))
	out.count(now.Measured)
	out.count(int(last-first) + 1)
	out.flag(len(now.Values) >= rules.sufficientMin)
	out.number(Mean(now.Values))
	out.number(Median(now.Values))
	out.number(Quantile(now.Values, 0.25))
	out.number(Quantile(now.Values, 0.75))
	out.number(lowest)
	out.number(highest)

	first, last = period.Previous().Dates()
	previous := p.summary(g, f, first, last, rules.monthValidMin)
	out.comparison(compare(now, previous, g.hasZero, rules.validMin, rules))
	if c.comparison != nil {
		first, last = c.comparison(period)
		before := p.summary(g, f, first, last, rules.monthValidMin)
		out.comparison(compare(now, before, g.hasZero, rules.comparisonMin, rules))
	}
	out.end()
}

func (w *writer) comparison(c Comparison) {
	w.count(c.N)
	w.number(c.Mean)
	w.number(c.MAD)
	w.number(c.Change)
	w.number(c.ChangePct)
	w.text(c.Reason)
	w.flag(c.BeyondNoise)
}
