package trend

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// newStream returns a reader of the rows that write makes, those of some more input at each call.
func newStream(fields []arrow.Field, write func(*writer) (more bool, err error)) array.RecordReader {
	out := &writer{Builder: rows.NewBuilder(fields...)}
	return rows.NewStream(out, func() (bool, error) { return write(out) })
}

// A writer takes a row value by value, in the order of the columns.
type writer struct {
	*rows.Builder

	at int // column that is next
}

func column[B array.Builder](w *writer) B {
	b := w.Field(w.at).(B) //nolint:forcetypeassert // the columns are this package's own
	w.at++
	return b
}

func (w *writer) text(s string) {
	b := column[*array.StringBuilder](w)
	if s == "" {
		b.AppendNull()
		return
	}
	b.Append(s)
}

func (w *writer) date(d schemas.Date) { column[*array.Date32Builder](w).Append(arrow.Date32(d)) }

func (w *writer) count(n int) { column[*array.Int32Builder](w).Append(int32(n)) }

func (w *writer) flag(is bool) { column[*array.BooleanBuilder](w).Append(is) }

// number writes NaN as null.
func (w *writer) number(v float64) {
	b := column[*array.Float64Builder](w)
	if math.IsNaN(v) {
		b.AppendNull()
		return
	}
	b.Append(v)
}

func (w *writer) end() {
	w.N++
	w.at = 0
}

func text(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.BinaryTypes.String} }
func date(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Date32}
}
func count(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int32} }
func number(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64}
}
func flag(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Boolean}
}
