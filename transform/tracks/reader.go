package tracks

import (
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A reader gathers the rows of each workout, which come together, and has them measured.
type reader struct {
	rows    array.RecordReader
	at      row // the next row that nobody looked at
	key     workoutKey
	workout *Workout // which is being gathered; nil = none
	measure func(*Workout, workoutKey, *builder)
	out     *builder
}

// fill looks at the rows of one more batch.
func (r *reader) fill() (more bool, err error) {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return false, err
		}
		r.settle()
		return false, nil
	}
	r.at.batch = r.rows.RecordBatch()
	for r.at.i = range int(r.at.batch.NumRows()) {
		if key := r.at.key(); r.workout == nil || key != r.key {
			r.settle()
			r.key, r.workout = key.clone(), r.at.workout()
		}
		r.at.addTo(r.workout)
	}
	return true, nil
}

func (r *reader) settle() {
	if r.workout != nil {
		r.measure(r.workout, r.key, r.out)
	}
	r.workout = nil
}
