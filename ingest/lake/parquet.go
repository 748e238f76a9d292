package lake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroupRows keeps row groups small enough that a reader of one person skips most of a file by statistics alone.
const rowGroupRows = 16_384

// A writer writes rows of one table into a temporary file.
type writer[T any] struct {
	file Temp
	buf  *bufio.Writer
	rows *parquet.GenericWriter[T]
	n    int
	mark int // n when the last group was taken over

	values int // of rows with long lists
	nulls  nullGuard
}

func newWriter[T any](f Temp, metadata map[string]string) *writer[T] {
	buf := bufio.NewWriterSize(f, 1<<20)
	return &writer[T]{file: f, buf: buf, rows: parquet.NewGenericWriter[T](buf, fileOptions(metadata)...), nulls: guardNulls[T]()}
}

// fileOptions says how files are written.
func fileOptions(metadata map[string]string) []parquet.WriterOption {
	options := []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.MaxRowsPerRowGroup(rowGroupRows),
		parquet.CreatedBy("diurna", "1", ""), // the same bytes whoever builds it
		// Integers are deltas of their neighbours: three to four times smaller than plain, and written faster.
		parquet.DefaultEncodingFor(parquet.Int32, &parquet.DeltaBinaryPacked),
		parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked),
	}
	for _, key := range sortedKeys(metadata) {
		options = append(options, parquet.KeyValueMetadata(key, metadata[key]))
	}
	return options
}

func (w *writer[T]) write(rows []T) error {
	for len(rows) > 0 {
		n := min(len(rows), rowGroupRows-w.pending()) // the library begins its words of rows anew with each group
		n = w.nulls.safe(unsafe.Pointer(&rows[0]), n) //nolint:gosec // the rows are looked at where they are
		if _, err := w.rows.Write(rows[:n]); err != nil {
			return err
		}
		w.n += n
		rows = rows[n:]
	}
	return nil
}

// writeGroup appends a group of rows of another file: as its bytes are, when that was written as this one is.
func (w *writer[T]) writeGroup(group parquet.RowGroup) error {
	n, err := w.rows.WriteRowGroup(group)
	w.n += int(n)
	w.mark = w.n
	return err
}

// pending returns how many rows stand in the group that is being written.
func (w *writer[T]) pending() int { return (w.n - w.mark) % rowGroupRows }

// close finishes the file and closes it. It is not synced: Publish does that.
func (w *writer[T]) close() error { return errors.Join(w.finish(), w.file.Close()) }

// finish writes what is still to be written.
func (w *writer[T]) finish() error {
	if err := w.rows.Close(); err != nil {
		return err
	}
	return w.buf.Flush()
}

// WriteRows writes rows as one immutable file of the table and returns its path; a Commit makes it visible. The rows
// must be in the order in which they are to be stored; they may lie in several pieces.
func WriteRows[T any](ctx context.Context, l *Lake, table, stem string, partition map[string]int64, metadata map[string]string, rows ...[]T) (string, error) {
	return l.writeFile(ctx, table, stem, partition, func(f Temp) error {
		w := newWriter[T](f, metadata)
		for _, piece := range rows {
			if err := w.write(piece); err != nil {
				return err
			}
		}
		return w.finish()
	})
}

// writeFile makes what write writes an immutable file of the table.
func (l *Lake) writeFile(ctx context.Context, table, stem string, partition map[string]int64, write func(f Temp) error) (string, error) {
	tmp, err := l.createTemp(ctx, table)
	if err != nil {
		return "", err
	}
	if err := errors.Join(write(tmp), tmp.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write file of %s: %w", table, err), l.store.Remove(ctx, tmp.Path()))
	}
	return l.Publish(ctx, table, tmp.Path(), stem, partition)
}

// ReadRows calls each with every row of a file, some at a time. The slice is reused; the rows' own slices are not.
func ReadRows[T any](ctx context.Context, l *Lake, path string, each func(rows []T) error) error {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	r, err := openRows[T](ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()                         //nolint:errcheck // only read from
	buf := make([]T, rowsAtOnce(r, 1024)+1) // one more, to meet the end at once
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

// openRows opens the rows of a file. The library would open it by itself, but it panics when the footer cannot be read.
func openRows[T any](ctx context.Context, f OpenFile) (*parquet.GenericReader[T], error) {
	file, err := openParquet(ctx, f)
	if err != nil {
		return nil, err
	}
	return parquet.NewGenericReader[T](file), nil
}

// rowsAtOnce returns how many rows of a file to read at a time: as many as asked for, fewer when they have long lists.
func rowsAtOnce[T any](r *parquet.GenericReader[T], most int64) int64 {
	const values = 1 << 18
	var longest int64 = 1
	for _, group := range r.File().RowGroups() {
		for _, column := range group.ColumnChunks() {
			longest = max(longest, column.NumValues()/max(group.NumRows(), 1))
		}
	}
	return min(r.NumRows(), most, max(values/longest, 1))
}

// A cursor walks the rows of a file one by one.
type cursor[T any] struct {
	row *T // nil at the end; valid until next

	file OpenFile
	rows *parquet.GenericReader[T]
	buf  []T
	i, n int
	last bool
}

func openCursor[T any](ctx context.Context, l *Lake, path string) (*cursor[T], error) {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	rows, err := openRows[T](ctx, f)
	if err != nil {
		_ = f.Close() // only read from
		return nil, err
	}
	c := &cursor[T]{file: f, rows: rows, buf: make([]T, rowsAtOnce(rows, 511)+1), i: -1}
	if err := c.next(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *cursor[T]) next() error {
	c.i++
	for c.i >= c.n {
		if c.last {
			c.row = nil
			return nil
		}
		clear(c.buf) // the reader appends to slices it finds
		n, err := c.rows.Read(c.buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read data file: %w", err)
		}
		c.i, c.n, c.last = 0, n, errors.Is(err, io.EOF)
	}
	c.row = &c.buf[c.i]
	return nil
}

func (c *cursor[T]) close() {
	_ = c.rows.Close() // only read from
	_ = c.file.Close()
}
