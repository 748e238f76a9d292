package trend

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// A series is the valid values of one figure of a person, in order of date.
type series struct {
	user, figure string
	wanted       []int32 // dates whose rows are to be made, as numbers of days since 1970-01-01
	values       []madeValue
}

// A madeValue is a value and the way it was made; "" = not known.
type madeValue struct {
	Point

	method string
}

// until returns the values of so many days that end with one, of those that were made as the latest.
func (s *series) until(day, days int) (points []Point, method string) {
	end, _ := slices.BinarySearchFunc(s.values, day+1, func(v madeValue, day int) int { return v.Day - day })
	first := end
	for first > 0 && s.values[first-1].Day > day-days {
		first--
	}
	if first == end {
		return nil, ""
	}
	method = s.values[end-1].method
	points = make([]Point, 0, end-first)
	for _, v := range s.values[first:end] {
		if v.method == method {
			points = append(points, v.Point)
		}
	}
	return points, method
}

// seriesReader reads rows in order of person and figure: of each person the days, under no figure, and then the values of
// each figure that were made in one way. Lists of dates are in no order.
type seriesReader struct {
	rows *rows.Cursor

	users, figures, methods, validOn       *array.String
	dates, validDays, validNights          rows.Lists
	wantedDates                            rows.Lists
	values                                 rows.ListsOf[float64]
	shortMin, usualMin, longMin, beforeMin float64

	user   string // whose days these are, in order
	days   map[string][]int32
	wanted []int32
}

func readSeries(reader array.RecordReader) *seriesReader {
	r := &seriesReader{days: map[string][]int32{}}
	r.rows = rows.NewCursor(reader, rows.Bound(map[string]*float64{
		"baseline_7_valid_min": &r.shortMin, "baseline_28_valid_min": &r.usualMin,
		"baseline_60_valid_min": &r.longMin, "baseline_before_valid_min": &r.beforeMin,
	}, map[string]any{
		"user_id": &r.users, "figure": &r.figures, "figure_method": &r.methods, "valid_on": &r.validOn, "dates": &r.dates,
		"figure_values": &r.values, "valid_days": &r.validDays, "valid_nights": &r.validNights, "wanted_dates": &r.wantedDates,
	}))
	return r
}

func (r *seriesReader) rules() baselineRules {
	return baselineRules{
		shortMin: int(r.shortMin), usualMin: int(r.usualMin), longMin: int(r.longMin), beforeMin: int(r.beforeMin),
	}
}

// next returns the next figure of a person, nil after the last.
func (r *seriesReader) next() (*series, error) {
	var s *series
	for r.rows.Next() {
		user, figure := r.users.Value(r.rows.Row), r.figures.Value(r.rows.Row)
		if s != nil && (s.user != user || s.figure != figure) {
			r.rows.Back()
			break
		}
		switch {
		case figure == "":
			r.begin(user)
			continue
		case user != r.user:
			continue // nothing is wanted of whoever has no days
		case s == nil:
			s = &series{user: r.user, figure: strings.Clone(figure), wanted: r.wanted}
		}
		r.add(s, r.rows.Row)
	}
	if s != nil {
		slices.SortFunc(s.values, func(a, b madeValue) int { return a.Day - b.Day })
	}
	return s, r.rows.Err()
}

// begin takes the days of the next person.
func (r *seriesReader) begin(user string) {
	r.user = strings.Clone(user)
	for on, dates := range map[string]*rows.Lists{"any": &r.dates, "day": &r.validDays, "night": &r.validNights} {
		r.days[on] = append(r.days[on][:0], dates.At(r.rows.Row)...)
		slices.Sort(r.days[on])
	}
	r.wanted = slices.DeleteFunc(append(r.wanted[:0], r.wantedDates.At(r.rows.Row)...), func(date int32) bool {
		_, ok := slices.BinarySearch(r.days["any"], date)
		return !ok
	})
}

// add adds those values of a row that are valid.
func (r *seriesReader) add(s *series, row int) {
	method, valid, values := "", r.days[r.validOn.Value(row)], r.values.At(row)
	if r.methods.IsValid(row) {
		method = strings.Clone(r.methods.Value(row))
	}
	for i, date := range r.dates.At(row) {
		if _, ok := slices.BinarySearch(valid, date); ok {
			s.values = append(s.values, madeValue{Point{int(date), values[i]}, method})
		}
	}
}
