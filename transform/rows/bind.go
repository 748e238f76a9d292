package rows

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Bind lets each target be the column of that name of a batch: the address of a pointer to an Arrow array, or of
// lists.
func Bind(batch arrow.RecordBatch, targets ...map[string]any) error {
	for _, group := range targets {
		for name, target := range group {
			at := batch.Schema().FieldIndices(name)
			if len(at) != 1 {
				return fmt.Errorf("there is no column %s", name)
			}
			if column := batch.Column(at[0]); !bind(column, target) {
				return fmt.Errorf("column %s is of type %s", name, column.DataType())
			}
		}
	}
	return nil
}

// Bound returns what a Cursor does with each batch: it binds the columns and reads the constants.
func Bound(constants map[string]*float64, targets ...map[string]any) func(arrow.RecordBatch) error {
	return func(batch arrow.RecordBatch) error {
		if err := Bind(batch, targets...); err != nil {
			return err
		}
		return BindConstants(batch, constants)
	}
}

func bind(column arrow.Array, target any) (ok bool) {
	switch t := target.(type) {
	case **array.String:
		*t, ok = column.(*array.String)
	case **array.Date32:
		*t, ok = column.(*array.Date32)
	case **array.Timestamp:
		*t, ok = column.(*array.Timestamp)
	case **array.Int32:
		*t, ok = column.(*array.Int32)
	case **array.Int64:
		*t, ok = column.(*array.Int64)
	case **array.Float64:
		*t, ok = column.(*array.Float64)
	case **array.Boolean:
		*t, ok = column.(*array.Boolean)
	case *Lists:
		ok = t.bind(column)
	case *ListsOf[float64]:
		ok = t.bind(column)
	}
	return ok
}

// Lists is a column of lists of 32-bit integers, none of which is null.
type Lists = ListsOf[int32]

// ListsOf is a column of lists of numbers, none of which is null.
type ListsOf[V int32 | float64] struct {
	lists *array.List
	all   []V
}

func (l *ListsOf[V]) bind(column arrow.Array) (ok bool) {
	if l.lists, ok = column.(*array.List); !ok {
		return false
	}
	switch values := l.lists.ListValues().(type) {
	case *array.Int32:
		l.all, ok = any(values.Int32Values()).([]V)
	case *array.Float64:
		l.all, ok = any(values.Float64Values()).([]V)
	default:
		ok = false
	}
	return ok
}

// At returns the list of a row. No list is an empty one.
func (l *ListsOf[V]) At(row int) []V {
	if l.lists.IsNull(row) {
		return nil
	}
	from, to := l.lists.ValueOffsets(row)
	return l.all[from:to]
}

// BindConstants reads columns of doubles that hold one value in all rows of a batch. A batch without rows leaves the
// values as they are.
func BindConstants(batch arrow.RecordBatch, targets map[string]*float64) error {
	for name, target := range targets {
		var column *array.Float64
		if err := Bind(batch, map[string]any{name: &column}); err != nil {
			return err
		}
		if column.Len() == 0 {
			continue
		}
		if column.IsNull(0) {
			return fmt.Errorf("column %s is null", name)
		}
		*target = column.Value(0)
	}
	return nil
}

// Float returns a double of a column; NaN is none.
func Float(column *array.Float64, row int) float64 {
	if column.IsNull(row) {
		return math.NaN()
	}
	return column.Value(row)
}
