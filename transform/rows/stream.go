package rows

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// batchSize is about how many values the largest column of a batch has: rows, or what is in their lists.
const batchSize = 65_536

// A Batch gathers the rows of the batch under way.
type Batch interface {
	Schema() *arrow.Schema
	Rows() int
	// Size tells how large it is, in values of its largest column.
	Size() int
	// Take returns what was gathered, and begins anew.
	Take() arrow.RecordBatch
	Release()
}

// A Stream is a record reader whose rows are made when they are asked for. It is plain calls: a coroutine could not be
// resumed from DuckDB's threads.
type Stream struct {
	refs  atomic.Int64
	out   Batch
	fill  func() (more bool, err error)
	batch arrow.RecordBatch
	done  bool
	err   error
}

// NewStream returns a reader of what fill makes. Each call of it adds some rows to the batch, or none, and says whether
// there may be more.
func NewStream(out Batch, fill func() (more bool, err error)) *Stream {
	s := &Stream{out: out, fill: fill}
	s.refs.Store(1)
	return s
}

// Next makes the next batch.
func (s *Stream) Next() bool {
	s.drop()
	for !s.done && s.err == nil && s.out.Size() < batchSize {
		var more bool
		more, s.err = s.fill()
		s.done = !more
	}
	if s.err != nil || s.out.Rows() == 0 {
		return false
	}
	s.batch = s.out.Take()
	return true
}

// Retain and Release count who holds the reader.
func (s *Stream) Retain() { s.refs.Add(1) }

// Release lets go of it.
func (s *Stream) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
		s.out.Release()
	}
}

func (s *Stream) drop() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

// Schema returns the columns that are made.
func (s *Stream) Schema() *arrow.Schema { return s.out.Schema() }

// RecordBatch returns the batch at hand.
func (s *Stream) RecordBatch() arrow.RecordBatch { return s.batch }

// Record is RecordBatch by its older name, which the interface still asks for.
func (s *Stream) Record() arrow.RecordBatch { return s.batch }

// Err returns what ended the stream before its end.
func (s *Stream) Err() error { return s.err }

var _ array.RecordReader = (*Stream)(nil)
