package trend

import (
	"math"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/schemas"
)

// batchRows is about how many rows a batch of the output holds.
const batchRows = 8192

// A stream is a RecordReader whose rows are made when they are asked for, so that memory holds one person and one batch.
// It is plain calls: a coroutine could not be resumed from DuckDB's threads.
type stream struct {
	refs  atomic.Int64
	out   *writer
	write func(*writer) (more bool, err error) // writes the rows of some more input
	batch arrow.RecordBatch
	done  bool
	err   error
}

func newStream(fields []arrow.Field, write func(*writer) (bool, error)) *stream {
	s := &stream{out: &writer{rows: array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))}, write: write}
	s.refs.Store(1)
	return s
}

// Next makes the next batch.
func (s *stream) Next() bool {
	s.drop()
	for !s.done && s.err == nil && s.out.n < batchRows {
		var more bool
		more, s.err = s.write(s.out)
		s.done = !more
	}
	if s.err != nil || s.out.n == 0 {
		return false
	}
	s.batch, s.out.n = s.out.rows.NewRecordBatch(), 0
	return true
}

// Retain and Release count who holds the reader.
func (s *stream) Retain() { s.refs.Add(1) }

// Release lets go of it.
func (s *stream) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
		s.out.rows.Release()
	}
}

func (s *stream) drop() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

// Schema returns the columns that are made.
func (s *stream) Schema() *arrow.Schema { return s.out.rows.Schema() }

// RecordBatch returns the batch at hand.
func (s *stream) RecordBatch() arrow.RecordBatch { return s.batch }

// Record is RecordBatch by its older name, which the interface still asks for.
func (s *stream) Record() arrow.RecordBatch { return s.batch }

// Err returns what ended the stream before its end.
func (s *stream) Err() error { return s.err }

// A writer takes a row value by value, in the order of the columns.
type writer struct {
	rows *array.RecordBuilder
	n    int // rows in the builder
	at   int // column that is next
}

func column[B array.Builder](w *writer) B {
	b := w.rows.Field(w.at).(B) //nolint:forcetypeassert // the columns are this package's own
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
	w.n++
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
