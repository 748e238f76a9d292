package tracks

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A row is a row of a record batch; what is null reads as the zero value.
type row struct {
	batch   arrow.RecordBatch
	columns map[string]int
	i       int
}

func columnsOf(schema *arrow.Schema, names ...string) (map[string]int, error) {
	columns := map[string]int{}
	for _, name := range names {
		at := schema.FieldIndices(name)
		if len(at) != 1 {
			return nil, fmt.Errorf("there is no column %s", name)
		}
		columns[name] = at[0]
	}
	return columns, nil
}

// value returns the value of a column of Arrow's type A; ok is false when it is null or of another type.
func value[A interface {
	arrow.Array
	Value(int) V
}, V any](r row, name string) (v V, ok bool) {
	column, isType := r.batch.Column(r.columns[name]).(A)
	if !isType || column.IsNull(r.i) {
		return v, false
	}
	return column.Value(r.i), true
}

func (r row) text(name string) string {
	v, _ := value[*array.String](r, name)
	return v
}

func (r row) whole(name string) int64 {
	v, _ := value[*array.Int64](r, name)
	return v
}

func (r row) number(name string) (float64, bool) { return value[*array.Float64](r, name) }

func (r row) list(name string) []int32 {
	lists, ok := r.batch.Column(r.columns[name]).(*array.List)
	if !ok || lists.IsNull(r.i) {
		return nil
	}
	items, ok := lists.ListValues().(*array.Int32)
	if !ok {
		return nil
	}
	from, to := lists.ValueOffsets(r.i)
	return items.Int32Values()[from:to]
}

// A workoutKey names a workout. Its texts outlive the batch.
type workoutKey struct {
	user, device, id string
	date             arrow.Date32
}

func (r row) key() workoutKey {
	date, _ := value[*array.Date32](r, "local_date")
	return workoutKey{r.text("user_id"), r.text("device_id"), r.text("workout_id"), date}
}

func (k workoutKey) clone() workoutKey {
	return workoutKey{strings.Clone(k.user), strings.Clone(k.device), strings.Clone(k.id), k.date}
}
