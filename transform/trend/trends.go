package trend

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// Why a trend has no p-value, besides a change of method.
const (
	reasonTooFewPoints = "too_few_points"
	reasonTooShort     = "too_short"
)

// A Trend is how a figure moves over a window of points.
type Trend struct {
	N           int
	SpanDays    int // from the first point to the last
	SlopePerDay float64
	Direction   string // up, down or level; "" of too few points
	S           int
	Z, P        float64 // NaN with a Reason
	IsTrend     bool    // more than chance
	Reason      string
}

// trendRules are the gates of a trend.
type trendRules struct {
	directionMin, pointMin, spanMin int
	zMin                            float64
}

// trendOf looks at points in order of their days.
func trendOf(points []Point, methodChanged bool, rules trendRules) Trend {
	nan := math.NaN()
	t := Trend{N: len(points), SlopePerDay: nan, Z: nan, P: nan}
	if t.N > 0 {
		t.SpanDays = points[t.N-1].Day - points[0].Day
	}
	switch {
	case methodChanged:
		t.Reason = reasonMethod
	case t.N < rules.pointMin:
		t.Reason = reasonTooFewPoints
	case t.SpanDays < rules.spanMin:
		t.Reason = reasonTooShort
	}
	if methodChanged || t.N < rules.directionMin {
		return t
	}
	t.SlopePerDay, _ = TheilSen(points)
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.Value
	}
	var z, p float64
	t.S, _, z, p = MannKendall(values)
	t.Direction = [...]string{"down", "level", "up"}[1+sign(t.S)]
	if t.Reason == "" {
		t.Z, t.P = z, p
		t.IsTrend = math.Abs(z) >= rules.zMin // never of NaN
	}
	return t
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	default:
		return 0
	}
}

func trendFields() []arrow.Field {
	return []arrow.Field{
		text("user_id"), date("local_date"), text("figure"), count("window_days"), text("figure_method"),
		count("n"), count("point_count"), count("span_days"), number("mean"), number("slope_per_day"), text("direction"),
		count("kendall_s"), number("kendall_z"), number("p_value"), flag("is_trend"), text("reason"),
	}
}

// A windowTrend is a row of the trend models.
type windowTrend struct {
	user, figure, method string
	date                 schemas.Date
	days, n              int
	mean                 float64
	Trend
}

func (w *writer) trend(t windowTrend) {
	w.text(t.user)
	w.date(t.date)
	w.text(t.figure)
	w.count(t.days)
	w.text(t.method)
	w.count(t.n)
	w.count(t.N)
	w.count(t.SpanDays)
	w.number(t.mean)
	w.number(t.SlopePerDay)
	w.text(t.Direction)
	w.count(t.S)
	w.number(t.Z)
	w.number(t.P)
	w.flag(t.IsTrend)
	w.text(t.Reason)
	w.end()
}

func readTrendRules(rule func(string) (float64, error)) (rules trendRules, err error) {
	number := func(name string) float64 {
		v, missing := rule(name)
		if err == nil {
			err = missing
		}
		return v
	}
	rules = trendRules{
		directionMin: int(number("direction_point_min")), pointMin: int(number("point_min")),
		spanMin: int(number("span_min_days")), zMin: number("z_min"),
	}
	return rules, err
}

// DayTrends is the Go part of the model day_trends: 28 days that end with an ISO week, day by day.
func DayTrends(_ context.Context, rows array.RecordReader) (array.RecordReader, error) {
	in := readPeople(rows)
	return newStream(trendFields(), func(out *writer) (bool, error) {
		p, err := in.next()
		if p == nil || err != nil {
			return false, err
		}
		rules, err := readTrendRules(in.rule)
		if err != nil {
			return false, err
		}
		for i, day := range p.dates {
			if _, last := schemas.ISOWeekOf(day).Dates(); !p.isWanted[i] || day != last {
				continue
			}
			for _, g := range p.groups {
				for _, f := range g.figures {
					p.writeDayTrend(out, day, g, f, rules)
				}
			}
		}
		return true, nil
	}), nil
}

func (p *person) writeDayTrend(out *writer, last schemas.Date, g group, f figure, rules trendRules) {
	s := p.summary(g, f, last.AddDays(1-usualDays), last, 0)
	if len(s.Values) == 0 {
		return
	}
	var points []Point
	for i := p.from(last.AddDays(1 - usualDays)); i < len(p.dates) && p.dates[i] <= last; i++ {
		if g.isValid[i] && !math.IsNaN(f.values[i]) {
			points = append(points, Point{int(p.dates[i]), f.values[i]})
		}
	}
	t := windowTrend{user: p.user, figure: f.name, date: last, days: usualDays, n: len(s.Values), mean: Mean(s.Values)}
	if len(s.Methods) == 1 {
		t.method = s.Methods[0]
	}
	t.Trend = trendOf(points, len(s.Methods) > 1, rules)
	out.trend(t)
}

// A week is a row of figure_weeks.
type week struct {
	last         schemas.Date
	n            int
	mean, median float64
	method       string // "" = several
	isWanted     bool
}

// WeekTrends is the Go part of the model week_trends: windows of 13 and 52 whole weeks, week by week.
func WeekTrends(_ context.Context, reader array.RecordReader) (array.RecordReader, error) {
	in := &weekReader{rules: map[string]float64{}}
	in.rows = rows.NewCursor(reader, in.open)
	return newStream(trendFields(), func(out *writer) (bool, error) {
		user, figure, weeks, err := in.next()
		if weeks == nil || err != nil {
			return false, err
		}
		rules, err := readTrendRules(in.rule)
		if err != nil {
			return false, err
		}
		validMin, err := in.rule("valid_min")
		if err != nil {
			return false, err
		}
		for i, w := range weeks {
			if !w.isWanted {
				continue
			}
			for _, count := range []int{13, 52} {
				first := i
				for first > 0 && weeks[first-1].last > w.last.AddDays(-7*count) {
					first--
				}
				if t, ok := weekTrend(weeks[first:i+1], int(validMin), rules); ok {
					t.user, t.figure, t.days = user, figure, 7*count
					out.trend(t)
				}
			}
		}
		return true, nil
	}), nil
}

// weekTrend takes a week as a point when enough of its days are valid: its median, at its last day. The mean is over all
// valid days.
func weekTrend(weeks []week, validMin int, rules trendRules) (windowTrend, bool) {
	t := windowTrend{date: weeks[len(weeks)-1].last}
	var points []Point
	sum, changed := 0.0, false
	for _, w := range weeks {
		if w.n == 0 {
			continue
		}
		if t.n == 0 {
			t.method = w.method
		}
		changed = changed || w.method == "" || w.method != t.method
		t.n += w.n
		sum += float64(w.n) * w.mean
		if w.n >= validMin {
			points = append(points, Point{int(w.last), w.median})
		}
	}
	if t.n == 0 {
		return t, false
	}
	if changed {
		t.method = ""
	}
	t.mean = sum / float64(t.n)
	t.Trend = trendOf(points, changed, rules)
	return t, true
}

// A weekReader reads rows of figure_weeks in order of person, figure and date.
type weekReader struct {
	rows  *rows.Cursor
	rules map[string]float64
	cols  weekColumns
}

type weekColumns struct {
	users, figures, methods *array.String
	dates                   *array.Date32
	n                       *array.Int32
	means, medians          *array.Float64
	isWanted                *array.Boolean
}

func (r *weekReader) rule(name string) (float64, error) {
	v, ok := r.rules[name]
	if !ok {
		return 0, fmt.Errorf("the rows have no rule %s", name)
	}
	return v, nil
}

// next returns the weeks of the next figure of a person, nil after the last.
func (r *weekReader) next() (user, figure string, weeks []week, err error) {
	for r.rows.Next() {
		u, f := r.cols.users.Value(r.rows.Row), r.cols.figures.Value(r.rows.Row)
		if weeks == nil {
			user, figure = strings.Clone(u), strings.Clone(f)
		} else if u != user || f != figure {
			r.rows.Back()
			return user, figure, weeks, nil
		}
		weeks = append(weeks, r.week(r.rows.Row))
	}
	return user, figure, weeks, r.rows.Err()
}

func (r *weekReader) week(row int) week {
	w := week{
		last: schemas.Date(r.cols.dates.Value(row)), n: int(r.cols.n.Value(row)), isWanted: r.cols.isWanted.Value(row),
		mean: math.NaN(), median: math.NaN(),
	}
	if r.cols.means.IsValid(row) {
		w.mean, w.median = r.cols.means.Value(row), r.cols.medians.Value(row)
	}
	if r.cols.methods.IsValid(row) {
		w.method = strings.Clone(r.cols.methods.Value(row))
	}
	return w
}

func (r *weekReader) open(batch arrow.RecordBatch) error {
	r.cols = weekColumns{}
	for i, f := range batch.Schema().Fields() {
		switch c := batch.Column(i).(type) {
		case *array.String:
			switch f.Name {
			case "user_id":
				r.cols.users = c
			case "figure":
				r.cols.figures = c
			case "figure_method":
				r.cols.methods = c
			}
		case *array.Date32:
			r.cols.dates = c
		case *array.Int32:
			r.cols.n = c
		case *array.Boolean:
			r.cols.isWanted = c
		case *array.Float64:
			switch {
			case f.Name == "mean":
				r.cols.means = c
			case f.Name == "median":
				r.cols.medians = c
			case batch.NumRows() > 0:
				r.rules[f.Name] = c.Value(0)
			}
		default:
			return fmt.Errorf("column %s is %s", f.Name, f.Type)
		}
	}
	c := r.cols
	if c.users == nil || c.figures == nil || c.methods == nil || c.dates == nil || c.n == nil || c.means == nil ||
		c.medians == nil || c.isWanted == nil {
		return fmt.Errorf("a column is missing in %s", batch.Schema())
	}
	return nil
}
