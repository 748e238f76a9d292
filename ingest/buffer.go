package ingest

import (
	"reflect"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// chunkRows is how many rows lie together: rows are a few hundred bytes, and a list that grows by copying itself would
// hold all of them twice.
const chunkRows = 4096

// A buffer holds the rows of a partition's offsets [start, end) that are not yet in bronze.
type buffer struct {
	start, end int64
	chunks     [][]schemas.SyncRecord // in order of (offset, item_index)
	rows       int
	messages   int
	samples    int
	bytes      int   // of the messages
	weight     int64 // of the budget
	rejects    map[schemas.RejectReason]int
	oldest     time.Time // when the first message was taken in
}

func newBuffer(start int64) *buffer { return &buffer{start: start, end: start} }

// add takes a message in.
func (b *buffer) add(a arrival, now time.Time) {
	if b.messages == 0 {
		b.oldest = now
	}
	b.append(a.rows)
	b.messages++
	b.samples += a.samples
	b.bytes += a.bytes
	b.weight += a.weight
	b.end = a.next
	for i := range a.rows {
		if reason := a.rows[i].Reason; reason != "" {
			if b.rejects == nil {
				b.rejects = map[schemas.RejectReason]int{}
			}
			b.rejects[schemas.RejectReason(reason)]++
		}
	}
}

func (b *buffer) append(rows []schemas.SyncRecord) {
	b.rows += len(rows)
	for len(rows) > 0 {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == chunkRows {
			// The first chunk grows as it needs, for most partitions of a quiet topic hold a few messages.
			var chunk []schemas.SyncRecord
			if last >= 0 {
				chunk = make([]schemas.SyncRecord, 0, chunkRows)
			}
			b.chunks = append(b.chunks, chunk)
			last++
		}
		n := min(chunkRows-len(b.chunks[last]), len(rows))
		b.chunks[last] = append(b.chunks[last], rows[:n]...)
		rows = rows[n:]
	}
}

// A run is rows of one buffer that become one file: they cover the offsets [start, end) and were received by the broker
// on one date.
type run struct {
	start, end int64
	date       int32
	chunks     [][]schemas.SyncRecord
}

// runs cuts the buffer where the date of receipt changes. The same messages make the same runs.
func (b *buffer) runs() []run {
	var all []run
	for _, chunk := range b.chunks {
		for from := 0; from < len(chunk); {
			to := from + 1
			for to < len(chunk) && chunk[to].IngestDate == chunk[from].IngestDate {
				to++
			}
			last := len(all) - 1
			if last < 0 || all[last].date != chunk[from].IngestDate {
				start := b.start
				if last >= 0 {
					start = chunk[from].Offset
					all[last].end = start
				}
				all = append(all, run{start: start, end: b.end, date: chunk[from].IngestDate})
				last++
			}
			all[last].chunks = append(all[last].chunks, chunk[from:to])
			from = to
		}
	}
	return all
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
