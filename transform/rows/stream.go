package rows

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
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
		more, s.err = s.step()
		s.done = !more
	}
	if s.err != nil || s.out.Rows() == 0 {
		return false
	}
	s.batch = s.out.Take()
	return true
}

// step makes some more rows. What is odd enough to break that costs a table and not the process: nobody could be built for
// until it was gone. The error says where, and nothing of the person.
func (s *Stream) step() (more bool, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			more, err = false, fmt.Errorf("no rows can be made of these: %T at %s", problem, whereItBroke())
		}
	}()
	return s.fill()
}

// whereItBroke returns the file and line of what panicked, called while it is recovered from.
func whereItBroke() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	isPanicking := false
	for {
		frame, more := frames.Next()
		isRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if isPanicking && !isRuntime || !more {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		isPanicking = isPanicking || frame.Function == "runtime.gopanic"
	}
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
