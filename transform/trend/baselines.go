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

// baselineRules are the gates: how many valid values a window needs.
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
func Baselines(_ context.Context, reader array.RecordReader) (array.RecordReader, error) {
	in := readSeries(reader)
	return newStream([]arrow.Field{
		text("user_id"), date("local_date"), text("figure"), text("figure_method"), number("value"),
		count("n_7"), number("mean_7"), number("sd_7"),
		count("n_28"), number("mean_28"), number("median_28"), number("mad_28"),
		count("n_60"), number("mean_60"), number("sd_60"),
		count("n_before"), number("mean_before"), number("sd_before"),
	}, func(out *writer) (bool, error) {
		s, err := in.next()
		if s == nil || err != nil {
			return false, err
		}
		rules := in.rules()
		for _, day := range s.wanted {
			points, method := s.until(int(day), longDays)
			if len(points) == 0 {
				continue
			}
			out.text(s.user)
			out.date(schemas.Date(day))
			out.text(s.figure)
			out.text(method)
			out.baseline(baselineOf(points, int(day), rules))
			out.end()
		}
		return true, nil
	}), nil
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
