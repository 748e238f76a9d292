package trend

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// A person is the days of one person, in order of their dates.
type person struct {
	user     string
	dates    []schemas.Date
	isWanted []bool // the day's rows are to be made
	groups   []group
}

// A group is figures that rest on the same evidence: they are valid together, and made by one method.
type group struct {
	hasZero bool // the figures are amounts, of which a share can be told; times of day are not
	isValid []bool
	methods []string // "" = there is none that day
	figures []figure
}

type figure struct {
	name   string
	values []float64 // NaN = not measured
}

// Names in the structs of stg_figure_days that are not figures.
const (
	fieldIsValid = "is_valid"
	fieldMethod  = "method"
	fieldHasZero = "has_zero"
)

// people reads rows of stg_figure_days in order of person and date. Columns of numbers beside the groups are rules, the
// same in every row.
type people struct {
	rows  *rows.Cursor
	rules map[string]float64
	texts map[string]string // so that a text of many days is kept once

	users    *array.String
	dates    *array.Date32
	isWanted *array.Boolean
	groups   []groupColumn
}

type groupColumn struct {
	values  *array.Struct
	isValid *array.Boolean
	hasZero *array.Boolean
	method  *array.String
	figures []figureColumn
}

type figureColumn struct {
	name   string
	values *array.Float64
}

func readPeople(reader array.RecordReader) *people {
	r := &people{rules: map[string]float64{}, texts: map[string]string{}}
	r.rows = rows.NewCursor(reader, r.open)
	return r
}

// next returns the next person, nil after the last.
func (r *people) next() (*person, error) {
	var p *person
	for r.rows.Next() {
		switch user := r.users.Value(r.rows.Row); {
		case p == nil:
			p = r.begin(user)
		case p.user != user:
			r.rows.Back()
			return p, nil
		}
		r.add(p, r.rows.Row)
	}
	return p, r.rows.Err()
}

func (r *people) open(batch arrow.RecordBatch) error {
	r.groups = r.groups[:0]
	r.users, r.dates, r.isWanted = nil, nil, nil
	for i, f := range batch.Schema().Fields() {
		switch c := batch.Column(i).(type) {
		case *array.String:
			r.users = c
		case *array.Date32:
			r.dates = c
		case *array.Boolean:
			r.isWanted = c
		case *array.Float64:
			if batch.NumRows() > 0 {
				r.rules[f.Name] = c.Value(0)
			}
		case *array.Struct:
			g, err := openGroup(c)
			if err != nil {
				return fmt.Errorf("column %s: %w", f.Name, err)
			}
			r.groups = append(r.groups, g)
		default:
			return fmt.Errorf("column %s is %s", f.Name, f.Type)
		}
	}
	if r.users == nil || r.dates == nil || r.isWanted == nil {
		return fmt.Errorf("of person, date and what is wanted a column is missing in %s", batch.Schema())
	}
	return nil
}

func openGroup(c *array.Struct) (groupColumn, error) {
	g := groupColumn{values: c}
	for i, f := range c.DataType().(*arrow.StructType).Fields() { //nolint:forcetypeassert // a struct's type
		switch values := c.Field(i).(type) {
		case *array.Boolean:
			switch f.Name {
			case fieldIsValid:
				g.isValid = values
			case fieldHasZero:
				g.hasZero = values
			}
		case *array.String:
			g.method = values
		case *array.Float64:
			g.figures = append(g.figures, figureColumn{f.Name, values})
		default:
			return g, fmt.Errorf("field %s is %s", f.Name, f.Type)
		}
	}
	if g.isValid == nil || g.hasZero == nil || g.method == nil {
		return g, fmt.Errorf("of %s, %s and %s a field is missing", fieldIsValid, fieldHasZero, fieldMethod)
	}
	return g, nil
}

func (r *people) begin(user string) *person {
	p := &person{user: strings.Clone(user), groups: make([]group, len(r.groups))}
	for i, g := range r.groups {
		p.groups[i].hasZero = g.hasZero.Value(r.rows.Row)
		p.groups[i].figures = make([]figure, len(g.figures))
		for j, f := range g.figures {
			p.groups[i].figures[j].name = f.name
		}
	}
	return p
}

func (r *people) add(p *person, row int) {
	p.dates = append(p.dates, schemas.Date(r.dates.Value(row)))
	p.isWanted = append(p.isWanted, r.isWanted.Value(row))
	for i, c := range r.groups {
		g := &p.groups[i]
		g.isValid = append(g.isValid, c.isValid.IsValid(row) && c.isValid.Value(row))
		method := ""
		if c.method.IsValid(row) {
			method = r.text(c.method.Value(row))
		}
		g.methods = append(g.methods, method)
		for j, f := range c.figures {
			value := math.NaN()
			if f.values.IsValid(row) {
				value = f.values.Value(row)
			}
			g.figures[j].values = append(g.figures[j].values, value)
		}
	}
}

func (r *people) text(s string) string {
	if known, ok := r.texts[s]; ok {
		return known
	}
	s = strings.Clone(s)
	r.texts[s] = s
	return s
}

// rule returns a threshold that the select passes on.
func (r *people) rule(name string) (float64, error) {
	v, ok := r.rules[name]
	if !ok {
		return 0, fmt.Errorf("the rows have no rule %s", name)
	}
	return v, nil
}

// from returns the index of the first day on or after the date.
func (p *person) from(d schemas.Date) int {
	low, high := 0, len(p.dates)
	for low < high {
		if middle := (low + high) / 2; p.dates[middle] < d {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
