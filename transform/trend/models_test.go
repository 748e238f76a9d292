package trend

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// A testDay is a row of stg_figure_days with one group of two figures.
type testDay struct {
	user     string
	date     schemas.Date
	isWanted bool
	isValid  bool
	method   string
	a, b     float64 // NaN = not measured
}

var testRules = map[string]float64{
	"baseline_7_valid_min": 3, "baseline_28_valid_min": 6, "baseline_60_valid_min": 9, "baseline_before_valid_min": 5,
	"sufficient_min": 5, "valid_min": 4, "comparison_valid_min": 8, "noise_mad": 1, "noise_pct": 5,
	"direction_point_min": 4, "point_min": 10, "span_min_days": 14, "z_min": 2.58,
}

// arrowOf puts days into batches that are cut anywhere.
func arrowOf(t *testing.T, days []testDay, cut func() int) array.RecordReader {
	t.Helper()
	names := []string{"user_id", "local_date", "is_wanted", "group"}
	fields := []arrow.Field{
		{Name: names[0], Type: arrow.BinaryTypes.String}, {Name: names[1], Type: arrow.FixedWidthTypes.Date32},
		{Name: names[2], Type: arrow.FixedWidthTypes.Boolean},
		{Name: names[3], Type: arrow.StructOf(
			arrow.Field{Name: "is_valid", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
			arrow.Field{Name: "has_zero", Type: arrow.FixedWidthTypes.Boolean},
			arrow.Field{Name: "method", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
			arrow.Field{Name: "b", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		)},
	}
	for rule := range testRules {
		fields = append(fields, arrow.Field{Name: rule, Type: arrow.PrimitiveTypes.Float64})
	}
	schema := arrow.NewSchema(fields, nil)
	var batches []arrow.RecordBatch
	for len(days) > 0 || len(batches) == 0 {
		n := min(len(days), cut())
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, d := range days[:n] {
			w := &writer{Builder: &rows.Builder{RecordBuilder: b}}
			w.text(d.user)
			w.date(d.date)
			w.flag(d.isWanted)
			group := column[*array.StructBuilder](w)
			group.Append(true)
			group.FieldBuilder(0).(*array.BooleanBuilder).Append(d.isValid)
			group.FieldBuilder(1).(*array.BooleanBuilder).Append(true)
			group.FieldBuilder(2).(*array.StringBuilder).Append(d.method)
			for i, v := range []float64{d.a, d.b} {
				f := group.FieldBuilder(3 + i).(*array.Float64Builder)
				if math.IsNaN(v) {
					f.AppendNull()
				} else {
					f.Append(v)
				}
			}
			for _, f := range fields[4:] {
				w.number(testRules[f.Name])
			}
		}
		batches = append(batches, b.NewRecordBatch())
		days = days[n:]
	}
	r, err := array.NewRecordReader(schema, batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// seriesOf puts the same days into rows of a person's days and of the figures' values, with dates in any order.
func seriesOf(t *testing.T, days []testDay, cut func() int) array.RecordReader {
	t.Helper()
	type madeBy struct{ user, figure, method string }
	type lists struct {
		dates, validDays, wanted []int32
		values                   []float64
	}
	all := map[madeBy]*lists{}
	of := func(m madeBy) *lists {
		if all[m] == nil {
			all[m] = &lists{}
		}
		return all[m]
	}
	for _, d := range slices.Backward(days) {
		own := of(madeBy{user: d.user})
		own.dates = append(own.dates, int32(d.date))
		if d.isValid {
			own.validDays = append(own.validDays, int32(d.date))
		}
		if d.isWanted {
			own.wanted = append(own.wanted, int32(d.date))
		}
		for name, value := range figuresOf() {
			if v := value(d); !math.IsNaN(v) {
				made := of(madeBy{d.user, name, d.method})
				made.dates, made.values = append(made.dates, int32(d.date)), append(made.values, v)
			}
		}
	}
	texts, dates := arrow.BinaryTypes.String, arrow.ListOf(arrow.PrimitiveTypes.Int32)
	fields := []arrow.Field{
		{Name: "user_id", Type: texts}, {Name: "figure", Type: texts}, {Name: "figure_method", Type: texts}, {Name: "valid_on", Type: texts},
		{Name: "figure_values", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64)},
		{Name: "dates", Type: dates}, {Name: "valid_days", Type: dates}, {Name: "valid_nights", Type: dates}, {Name: "wanted_dates", Type: dates},
	}
	for _, rule := range []string{"baseline_7_valid_min", "baseline_28_valid_min", "baseline_60_valid_min", "baseline_before_valid_min"} {
		fields = append(fields, arrow.Field{Name: rule, Type: arrow.PrimitiveTypes.Float64})
	}
	schema := arrow.NewSchema(fields, nil)
	order := slices.SortedFunc(maps.Keys(all), func(a, b madeBy) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	var batches []arrow.RecordBatch
	for len(order) > 0 || len(batches) == 0 {
		n := min(len(order), cut())
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for _, made := range order[:n] {
			w := &writer{Builder: &rows.Builder{RecordBuilder: b}}
			w.text(made.user)
			column[*array.StringBuilder](w).Append(made.figure)
			w.text(made.method)
			w.text("day")
			list := column[*array.ListBuilder](w)
			list.Append(true)
			list.ValueBuilder().(*array.Float64Builder).AppendValues(all[made].values, nil)
			for _, numbers := range [][]int32{all[made].dates, all[made].validDays, nil, all[made].wanted} {
				list := column[*array.ListBuilder](w)
				list.Append(true)
				list.ValueBuilder().(*array.Int32Builder).AppendValues(numbers, nil)
			}
			for _, f := range fields[9:] {
				w.number(testRules[f.Name])
			}
		}
		batches = append(batches, b.NewRecordBatch())
		order = order[n:]
	}
	r, err := array.NewRecordReader(schema, batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rowsOf returns the rows of a function as lines of name=value, without nulls.
func rowsOf(t *testing.T, run func(context.Context, array.RecordReader) (array.RecordReader, error), in array.RecordReader) []string {
	t.Helper()
	out, err := run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	lines := []string{}
	for out.Next() {
		batch := out.RecordBatch()
		for i := range int(batch.NumRows()) {
			var line []string
			for c, f := range batch.Schema().Fields() {
				if batch.Column(c).IsValid(i) {
					line = append(line, f.Name+"="+batch.Column(c).ValueStr(i))
				}
			}
			lines = append(lines, strings.Join(line, " "))
		}
	}
	if err := out.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// randomDays makes people with holes, days that do not count, ties and methods that change.
func randomDays(r *rand.Rand, people, days int) []testDay {
	var all []testDay
	first, _ := schemas.ParseDate("2025-10-06")
	for u := range people {
		for d := range days {
			if _, endOfYear := schemas.YearOf(first.AddDays(d)).Dates(); r.IntN(9) == 0 && first.AddDays(d) != endOfYear {
				continue
			}
			day := testDay{
				user: fmt.Sprintf("user-%02d", u), date: first.AddDays(d), isWanted: r.IntN(4) > 0, isValid: r.IntN(5) > 0,
				method: fmt.Sprintf("a/%d", 1+d/(40+10*u)), a: float64(50 + r.IntN(12)), b: math.NaN(),
			}
			if r.IntN(3) == 0 {
				day.a = math.NaN()
			}
			if r.IntN(2) == 0 {
				day.b = r.Float64() * 1000
			}
			all = append(all, day)
		}
	}
	return all
}

// A naiveFigure is the valid values of one figure of a person, by date.
func naiveFigure(days []testDay, user string, of func(testDay) float64) map[schemas.Date]testDay {
	values := map[schemas.Date]testDay{}
	for _, d := range days {
		if v := of(d); d.user == user && d.isValid && !math.IsNaN(v) {
			d.a = v
			values[d.date] = d
		}
	}
	return values
}

func figuresOf() map[string]func(testDay) float64 {
	return map[string]func(testDay) float64{
		"a": func(d testDay) float64 { return d.a }, "b": func(d testDay) float64 { return d.b },
	}
}

// naiveWindow lists the values of n dates up to last, those of another method than the latest left out.
func naiveWindow(values map[schemas.Date]testDay, last schemas.Date, n int, method string) (list []float64) {
	for d := last.AddDays(1 - n); d <= last; d++ {
		if v, ok := values[d]; ok && (method == "" || v.method == method) {
			list = append(list, v.a)
		}
	}
	return list
}

func naiveMean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func naiveSD(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Pow(v-naiveMean(values), 2)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// naiveMedian counts instead of sorting: a value with as many below as above, or the mean of the two nearest to that.
func naiveMedian(values []float64) float64 {
	nth := func(n int) float64 {
		for _, v := range values {
			below, same := 0, 0
			for _, w := range values {
				if w < v {
					below++
				} else if w == v {
					same++
				}
			}
			if below <= n && n < below+same {
				return v
			}
		}
		return math.NaN()
	}
	low, high := nth((len(values)-1)/2), nth(len(values)/2)
	return low + (high-low)/2
}

func TestBaselinesEqualANaiveRestatement(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 5))
	days := randomDays(r, 4, 150)
	got := rowsOf(t, Baselines, seriesOf(t, days, func() int { return 1 + r.IntN(90) }))
	var want []string
	for _, d := range days {
		for name, of := range figuresOf() {
			if d.isWanted {
				if line := naiveBaseline(naiveFigure(days, d.user, of), d, name, of(d)); line != "" {
					want = append(want, line)
				}
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows differ (-naive +got):\n%s", diff)
	}
}

func naiveBaseline(values map[schemas.Date]testDay, d testDay, name string, value float64) string {
	method := ""
	for back := range 60 {
		if v, ok := values[d.date.AddDays(-back)]; ok {
			method = v.method
			break
		}
	}
	if method == "" {
		return ""
	}
	var line strings.Builder
	fmt.Fprintf(&line, "user_id=%s local_date=%s figure=%s figure_method=%s", d.user, d.date, name, method)
	add := func(column string, v float64) {
		if !math.IsNaN(v) {
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			b.Append(v)
			line.WriteString(" " + column + "=" + b.NewArray().ValueStr(0))
		}
	}
	if d.isValid && !math.IsNaN(value) {
		add("value", value)
	}
	for _, w := range []struct {
		days, needs int
	}{{7, 3}, {28, 6}, {60, 9}} {
		list := naiveWindow(values, d.date, w.days, method)
		fmt.Fprintf(&line, " n_%d=%d", w.days, len(list))
		if len(list) < w.needs {
			continue
		}
		add(fmt.Sprintf("mean_%d", w.days), naiveMean(list))
		if w.days != 28 {
			add(fmt.Sprintf("sd_%d", w.days), naiveSD(list))
		} else {
			median := naiveMedian(list)
			add("median_28", median)
			var apart []float64
			for _, v := range list {
				apart = append(apart, math.Abs(v-median))
			}
			add("mad_28", naiveMedian(apart))
		}
	}
	before := naiveWindow(values, d.date.AddDays(-1), 30, method)
	fmt.Fprintf(&line, " n_before=%d", len(before))
	if len(before) >= 5 {
		add("mean_before", naiveMean(before))
		add("sd_before", naiveSD(before))
	}
	return line.String()
}

func TestADaysBaselineNeedsNoDayBeyondItsLookback(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 5))
	ends := func(periodOf func(schemas.Date) schemas.Period) func(schemas.Date) bool {
		return func(d schemas.Date) bool { _, last := periodOf(d).Dates(); return d == last }
	}
	for _, c := range []struct {
		name     string
		run      func(context.Context, array.RecordReader) (array.RecordReader, error)
		in       func(*testing.T, []testDay, func() int) array.RecordReader
		lookback int
		hasRows  func(schemas.Date) bool
	}{
		{"baselines", Baselines, seriesOf, 59, func(d schemas.Date) bool { return d%20 == 0 }},
		{"weeks", Weeks, arrowOf, 27, ends(schemas.ISOWeekOf)},
		{"day trends", DayTrends, arrowOf, 27, ends(schemas.ISOWeekOf)},
		{"months", Months, arrowOf, 396, ends(schemas.MonthOf)},
		{"years", Years, arrowOf, 730, ends(schemas.YearOf)},
	} {
		days := randomDays(r, 1, 1200)
		for i := range days {
			days[i].isWanted = false
		}
		compared := 0
		for i := range days {
			if !c.hasRows(days[i].date) {
				continue
			}
			days[i].isWanted = true
			all := rowsOf(t, c.run, c.in(t, days, func() int { return 500 }))
			first := slices.IndexFunc(days, func(d testDay) bool { return d.date >= days[i].date.AddDays(-c.lookback) })
			cut := rowsOf(t, c.run, c.in(t, days[first:i+1], func() int { return 500 }))
			if diff := cmp.Diff(all, cut); diff != "" {
				t.Fatalf("%s: with all days and with %d days back rows differ (-all +cut):\n%s", c.name, c.lookback, diff)
			}
			if len(all) > 0 && first > 0 {
				compared++
			}
			days[i].isWanted = false
		}
		if compared == 0 {
			t.Errorf("%s: nothing was compared", c.name)
		}
	}
}

func TestWeeksEqualANaiveRestatement(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 5))
	days := randomDays(r, 4, 150)
	got := rowsOf(t, Weeks, arrowOf(t, days, func() int { return 1 + r.IntN(90) }))
	seen := map[string]bool{}
	for _, line := range got {
		f := map[string]string{}
		for part := range strings.SplitSeq(line, " ") {
			name, value, _ := strings.Cut(part, "=")
			f[name] = value
		}
		last, err := time.Parse(time.DateOnly, f["local_date"])
		if err != nil || last.Weekday() != time.Sunday {
			t.Fatalf("a week ends on %s", f["local_date"])
		}
		year, number := last.ISOWeek()
		if want := fmt.Sprintf("%d-W%02d", year, number); f["iso_week"] != want {
			t.Errorf("%s is in %s, not %s", f["local_date"], want, f["iso_week"])
		}
		sunday, _ := schemas.ParseDate(f["local_date"])
		values := naiveFigure(days, f["user_id"], figuresOf()[f["figure"]])
		week, before := naiveWindow(values, sunday, 7, ""), naiveWindow(values, sunday.AddDays(-7), 21, "")
		if f["n"] != fmt.Sprint(len(week)) || f["three_weeks_n"] != fmt.Sprint(len(before)) {
			t.Errorf("%s: n is %s and %s before, want %d and %d", line, f["n"], f["three_weeks_n"], len(week), len(before))
		}
		if len(week) > 0 && f["mean"] != fmt.Sprint(naiveMean(week)) {
			t.Errorf("%s: mean is %s, want %v", line, f["mean"], naiveMean(week))
		}
		methods := map[string]bool{}
		for d := sunday.AddDays(-27); d <= sunday; d++ {
			if v, ok := values[d]; ok {
				methods[v.method] = true
			}
		}
		want := "" // the reason
		switch {
		case len(week) < 4:
			want = reasonTooFew
		case len(before) < 8:
			want = reasonTooFewBefore
		case len(methods) > 1:
			want = reasonMethod
		}
		if f["three_weeks_reason"] != want || (want == "") != (f["three_weeks_change"] != "") {
			t.Errorf("%s: the reason is %q, want %q", line, f["three_weeks_reason"], want)
		}
		seen[want] = true
	}
	if len(seen) != 4 {
		t.Errorf("of the four ways to be compared or not only %v came up", seen)
	}
}

func TestARowThatIsNotAFigureDayIsAnError(t *testing.T) {
	t.Parallel()
	schema := arrow.NewSchema([]arrow.Field{{Name: "user_id", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.StringBuilder).Append("u")
	for _, run := range []func(context.Context, array.RecordReader) (array.RecordReader, error){Baselines, Weeks, DayTrends, WeekTrends} {
		in, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
		if err != nil {
			t.Fatal(err)
		}
		b.Field(0).(*array.StringBuilder).Append("u")
		out, err := run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if out.Next() || out.Err() == nil {
			t.Error("rows without dates went through")
		}
	}
}
