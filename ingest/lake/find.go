package lake

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

// RecordsAt returns the rows of bronze that came from one message, in order of item_index; none when the message is not
// in the snapshot. It reads one row group or two, however large the lake is.
func (l *Lake) RecordsAt(ctx context.Context, bronze *Snapshot, partition int32, offset int64) ([]schemas.SyncRecord, error) {
	var found []schemas.SyncRecord
	for _, f := range bronze.Files {
		if !within(f, "partition", int64(partition)) || !within(f, "offset", offset) {
			continue
		}
		if err := recordsIn(ctx, l, f.Path, partition, offset, func(row *schemas.SyncRecord) { found = append(found, *row) }); err != nil {
			return nil, fmt.Errorf("find message in bronze: %w", err)
		}
	}
	return sorted(found, func(a, b *schemas.SyncRecord) int { return int(a.ItemIndex) - int(b.ItemIndex) }), nil
}

func within(f File, column string, v int64) bool {
	lower, ok := f.Lower[column]
	upper, okUpper := f.Upper[column]
	return !ok || !okUpper || (lower.Int <= v && v <= upper.Int)
}

func recordsIn(ctx context.Context, l *Lake, path string, partition int32, offset int64, found func(*schemas.SyncRecord)) error {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return err
	}
	defer f.Close()
	file, err := openParquet(ctx, f)
	if err != nil {
		return err
	}
	column, ok := file.Schema().Lookup("offset")
	if !ok {
		return errors.New("the file has no column offset")
	}
	buf := make([]schemas.SyncRecord, 256)
	for _, group := range file.RowGroups() {
		if !mayHold(group.ColumnChunks()[column.ColumnIndex], offset) {
			continue
		}
		if err := eachRecord(group, buf, func(row *schemas.SyncRecord) {
			if row.Offset == offset && row.Partition == partition {
				found(row)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// mayHold reports whether the bounds of a column leave room for v.
func mayHold(chunk parquet.ColumnChunk, v int64) bool {
	c, ok := chunk.(*parquet.FileColumnChunk)
	if !ok {
		return true // nothing is known
	}
	lowest, highest, ok := c.Bounds()
	return !ok || (lowest.Int64() <= v && v <= highest.Int64())
}

func eachRecord(group parquet.RowGroup, buf []schemas.SyncRecord, each func(*schemas.SyncRecord)) error {
	r := parquet.NewGenericRowGroupReader[schemas.SyncRecord](group)
	defer r.Close() //nolint:errcheck // only read from
	for {
		clear(buf) // the reader appends to slices it finds
		n, err := r.Read(buf)
		for i := range n {
			each(&buf[i])
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// ScanRows calls each with every row of a file, at most atOnce at a time: for columns whose values may be so large that
// many of them do not fit into memory. T has the columns that are wanted. The slice is reused; what rows point to is not.
func ScanRows[T any](ctx context.Context, l *Lake, path string, atOnce int, each func(rows []T) error) error {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	r, err := openRows[T](ctx, f)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read from
	buf := make([]T, atOnce)
	for {
		clear(buf) // the reader appends to slices it finds
		n, err := r.Read(buf)
		if n > 0 {
			if err := each(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read data file: %w", err)
		}
	}
}
