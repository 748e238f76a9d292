package stager

import (
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A stretchReader is Arrow's reader of the stretches: it reads epochs as it is read.
type stretchReader struct {
	ctx    context.Context //nolint:containedctx // a RecordReader's methods take none; it lives as long as the call that made it
	rows   array.RecordReader
	in     epochColumns
	stager *Stager

	begun bool // there is a night in hand
	key   nightKey
	night Night

	out   *array.RecordBuilder
	made  int // rows in out
	batch arrow.RecordBatch
	ended bool
	err   error
	refs  atomic.Int64
}

// Next makes the next batch of stretches.
func (r *stretchReader) Next() bool {
	r.drop()
	for !r.ended && r.err == nil && r.made < stretchesPerBatch {
		if r.err = r.ctx.Err(); r.err != nil {
			break
		}
		if r.rows.Next() {
			r.err = r.take(r.rows.RecordBatch())
			continue
		}
		r.ended, r.err = true, r.rows.Err()
		if r.begun && r.err == nil {
			r.endNight()
		}
	}
	if r.err != nil || r.made == 0 {
		return false
	}
	r.batch, r.made = r.out.NewRecordBatch(), 0
	return true
}

// drop lets go of the batch that was read last.
func (r *stretchReader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// Retain adds a reference.
func (r *stretchReader) Retain() { r.refs.Add(1) }

// Release drops one; with the last one goes the memory.
func (r *stretchReader) Release() {
	if r.refs.Add(-1) == 0 {
		r.drop()
		r.out.Release()
		r.rows.Release()
	}
}

// Schema returns the columns that go out.
func (r *stretchReader) Schema() *arrow.Schema { return r.out.Schema() }

// RecordBatch returns the batch that Next made.
func (r *stretchReader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record returns the same.
//
// Deprecated: the interface still asks for it.
func (r *stretchReader) Record() arrow.RecordBatch { return r.batch }

// Err returns what ended the reading before its end.
func (r *stretchReader) Err() error { return r.err }
