package lake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroupRows keeps row groups small enough that a reader of one person skips most of a file by statistics alone.
const rowGroupRows = 16_384

// A writer writes rows of one table into a temporary file.
type writer[T any] struct {
	file *os.File
	buf  *bufio.Writer
	rows *parquet.GenericWriter[T]
	n    int
}

func newWriter[T any](path string, metadata map[string]string) (*writer[T], error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriterSize(f, 1<<20)
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
	return &writer[T]{file: f, buf: buf, rows: parquet.NewGenericWriter[T](buf, options...)}, nil
}

func (w *writer[T]) write(rows []T) error {
	w.n += len(rows)
	_, err := w.rows.Write(rows)
	return err
}

// close finishes the file. It is not synced: Publish does that.
func (w *writer[T]) close() error {
	err := w.rows.Close()
	if err == nil {
		err = w.buf.Flush()
	}
	return errors.Join(err, w.file.Close())
}

// WriteRows writes rows as one immutable file of the table and returns its path; a Commit makes it visible. The rows
// must be in the order in which they are to be stored.
func WriteRows[T any](l *Lake, table, stem string, partition map[string]int64, metadata map[string]string, rows []T) (string, error) {
	tmp, err := l.TempPath(table)
	if err != nil {
		return "", err
	}
	w, err := newWriter[T](tmp, metadata)
	if err == nil {
		err = errors.Join(w.write(rows), w.close())
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("write file of %s: %w", table, err), os.Remove(tmp))
	}
	return l.Publish(table, tmp, stem, partition)
}

// ReadRows calls each with every row of a file, some at a time. The slice is reused; the rows' own slices are not.
func ReadRows[T any](path string, each func(rows []T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	r := parquet.NewGenericReader[T](f)
	defer r.Close() //nolint:errcheck // only read from
	buf := make([]T, 1024)
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

// A cursor walks the rows of a file one by one.
type cursor[T any] struct {
	row *T // nil at the end; valid until next

	file *os.File
	rows *parquet.GenericReader[T]
	buf  []T
	i, n int
	last bool
}

func openCursor[T any](path string) (*cursor[T], error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	c := &cursor[T]{file: f, rows: parquet.NewGenericReader[T](f), buf: make([]T, 512), i: -1}
	return c, c.next()
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
