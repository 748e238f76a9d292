package tracks

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A reader makes batches of figures while it is read from. It is a plain machine and no iterator turned inside out: DuckDB
// calls it from threads of its own, on which coroutines of Go cannot go on.
type reader struct {
	rows    array.RecordReader
	at      row // the next row that nobody looked at
	key     workoutKey
	workout *Workout // which is being gathered; nil = none
	measure func(*Workout, workoutKey, *builder)
	out     *builder
	batch   arrow.RecordBatch
	ended   bool
	holders atomic.Int64 // besides the one who made it
}

// Retain adds a holder.
func (r *reader) Retain() { r.holders.Add(1) }

// Release takes one away; with the last goes what the reader holds.
func (r *reader) Release() {
	if r.holders.Add(-1) < 0 {
		r.drop()
		r.out.Release()
	}
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

func (r *reader) Schema() *arrow.Schema { return r.out.Schema() }

// RecordBatch returns the batch; it is valid until Next.
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record is RecordBatch under its old name.
func (r *reader) Record() arrow.RecordBatch { return r.batch }

func (r *reader) Err() error { return r.rows.Err() }

// Next makes the next batch.
func (r *reader) Next() bool {
	r.drop()
	for !r.ended && r.out.rows < batchRows {
		if r.at.batch == nil || r.at.i >= int(r.at.batch.NumRows()) {
			if !r.rows.Next() {
				r.end()
				break
			}
			r.at.batch, r.at.i = r.rows.RecordBatch(), 0
			continue
		}
		if key := r.at.key(); r.workout == nil || key != r.key {
			r.settle()
			r.key, r.workout = key.clone(), r.at.workout()
		}
		r.at.addTo(r.workout)
		r.at.i++
	}
	if r.out.rows == 0 || r.Err() != nil {
		return false
	}
	r.batch = r.out.next()
	return true
}

func (r *reader) end() {
	r.ended, r.at.batch = true, nil
	if r.Err() == nil {
		r.settle()
	}
}

func (r *reader) settle() {
	if r.workout != nil {
		r.measure(r.workout, r.key, r.out)
	}
	r.workout = nil
}
