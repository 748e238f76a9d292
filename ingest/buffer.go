package ingest

import (
	"fmt"
	"strconv"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A buffer holds the rows of a partition's offsets [start, end) that are not yet in bronze.
type buffer struct {
	partition  int32
	start, end int64
	rows       []schemas.SyncRecord // in order of (offset, item_index)
	messages   int
	samples    int
	bytes      int
}

// write writes the rows as files, one for each run of messages that the broker received on the same date, named for the
// offsets they hold: the same messages make the same files, and a lake can be rebuilt from names and footers alone.
func (b *buffer) write(l *lake.Lake, topic string) ([]string, error) {
	var paths []string
	start := b.start
	for from := 0; from < len(b.rows); {
		to := b.sameDate(from)
		end := b.end
		if to < len(b.rows) {
			end = b.rows[to].Offset
		}
		path, err := lake.WriteRows(l, schemas.TableSyncRecords,
			fmt.Sprintf("sync-%05d-%020d-%020d", b.partition, start, end),
			map[string]int64{"ingest_date": int64(b.rows[from].IngestDate)},
			map[string]string{
				"diurna.topic":     topic,
				"diurna.partition": strconv.Itoa(int(b.partition)),
				"diurna.start":     strconv.FormatInt(start, 10),
				"diurna.end":       strconv.FormatInt(end, 10),
			}, b.rows[from:to])
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
		from, start = to, end
	}
	return paths, nil
}

// sameDate returns the end of the run of rows that share the ingest date of the row at from.
func (b *buffer) sameDate(from int) int {
	to := from
	for to < len(b.rows) && b.rows[to].IngestDate == b.rows[from].IngestDate {
		to++
	}
	return to
}

// clear lets go of what was committed.
func (b *buffer) clear() {
	*b = buffer{partition: b.partition, start: b.end, end: b.end}
}
