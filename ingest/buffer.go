package ingest

import (
	"reflect"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A pile is where the rows of one file are collected until it is written. They are copied.
type pile interface {
	Add(rows []schemas.SyncRecord)
	Bytes() int64 // of memory
}

// A buffer holds the rows of a partition's offsets [start, end) that are not yet in bronze.
type buffer struct {
	start, end int64
	runs       []run // that cover them, if there are rows
	rows       int
	messages   int
	samples    int
	bytes      int   // of the messages
	weight     int64 // of the budget
	rejects    map[schemas.RejectReason]int
	oldest     time.Time // when the first message was taken in

	pile func() pile // makes an empty one
}

// A run is rows of one buffer that become one file: they cover the offsets [start, end) and were received by the broker
// on one date.
type run struct {
	start, end int64
	date       int32
	rows       pile
}

func newBuffer(start int64, pile func() pile) *buffer {
	return &buffer{start: start, end: start, pile: pile}
}

// add takes a message in. What it weighs from now on is part of the buffer's weight.
func (b *buffer) add(a arrival, now time.Time) {
	if b.messages == 0 {
		b.oldest = now
	}
	b.append(a.rows)
	b.messages++
	b.samples += a.samples
	b.bytes += a.bytes
	b.end = a.next
	b.runs[len(b.runs)-1].end = b.end
	for i := range a.rows {
		if reason := a.rows[i].Reason; reason != "" {
			if b.rejects == nil {
				b.rejects = map[schemas.RejectReason]int{}
			}
			b.rejects[schemas.RejectReason(reason)]++
		}
	}
}

// append adds the rows of a message. A new run begins where the date of receipt changes: the same messages make the same
// runs.
func (b *buffer) append(rows []schemas.SyncRecord) {
	b.rows += len(rows)
	last := len(b.runs) - 1
	if last < 0 || b.runs[last].date != rows[0].IngestDate {
		start := b.start
		if last >= 0 {
			start = rows[0].Offset
			b.runs[last].end = start
		}
		b.runs = append(b.runs, run{start: start, date: rows[0].IngestDate, rows: b.pile()})
		last++
	}
	r := &b.runs[last]
	before := r.rows.Bytes()
	r.rows.Add(rows)
	b.weight += r.rows.Bytes() - before
}

// rowOverheadBytes is what a row takes beside what it points to.
const rowOverheadBytes = 64

// weigh returns about how much memory rows take.
func weigh(rows []schemas.SyncRecord) int64 {
	bytes := int64(len(rows)) * (int64(reflect.TypeFor[schemas.SyncRecord]().Size()) + rowOverheadBytes)
	for i := range rows {
		r := &rows[i]
		bytes += int64(4*(len(r.Values)+len(r.OffsetsMS)) + len(r.Payload) + len(r.Text) + len(r.Name))
	}
	return bytes
}

// sealed is a buffer that was written as files, which nobody sees before a commit names them.
type sealed struct {
	*buffer
	files []string
}
