package rows

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// batchRows is about how many rows a batch has.
const batchRows = 65_536

// A Stream is a record reader whose rows are made when they are asked for. It is plain calls: a coroutine could not be
// resumed from DuckDB's threads.
type Stream struct {
	refs    atomic.Int64
	schema  *arrow.Schema
	columns []Column
	fill    func() (more bool, err error)
	batch   arrow.RecordBatch
	done    bool
	err     error
}

// NewStream returns a reader of the columns. Each call of fill adds some rows to all of them, or none, and says whether
// there may be more.
func NewStream(fill func() (more bool, err error), columns ...Column) *Stream {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.field()
	}
	s := &Stream{schema: arrow.NewSchema(fields, nil), columns: columns, fill: fill}
	s.refs.Store(1)
	return s
}

// Next makes the next batch.
func (s *Stream) Next() bool {
	s.drop()
	for !s.done && s.err == nil && s.columns[0].rows() < batchRows {
		var more bool
		more, s.err = s.fill()
		s.done = !more
	}
	n := s.columns[0].rows()
	if s.err != nil || n == 0 {
		return false
	}
	arrays := make([]arrow.Array, len(s.columns))
	for i, c := range s.columns {
		arrays[i] = c.take()
		defer arrays[i].Release()
	}
	s.batch = array.NewRecordBatch(s.schema, arrays, int64(n))
	return true
}

// Retain and Release count who holds the reader.
func (s *Stream) Retain() { s.refs.Add(1) }

// Release lets go of it.
func (s *Stream) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
	}
}

func (s *Stream) drop() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

// Schema returns the columns that are made.
func (s *Stream) Schema() *arrow.Schema { return s.schema }

// RecordBatch returns the batch at hand.
func (s *Stream) RecordBatch() arrow.RecordBatch { return s.batch }

// Record is RecordBatch by its older name, which the interface still asks for.
func (s *Stream) Record() arrow.RecordBatch { return s.batch }

// Err returns what ended the stream before its end.
func (s *Stream) Err() error { return s.err }

var _ array.RecordReader = (*Stream)(nil)
