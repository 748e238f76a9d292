package lake

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// A filePartition is the partition of series_hours a row is stored in. The zero value is that of tables without.
type filePartition struct {
	month, bucket int32
	known         bool
}

func partitionOf(columns map[string]int64) filePartition {
	return filePartition{int32(columns["local_month"]), int32(columns["user_bucket"]), columns != nil}
}

func (p filePartition) columns() map[string]int64 {
	if !p.known {
		return nil
	}
	return map[string]int64{"local_month": int64(p.month), "user_bucket": int64(p.bucket)}
}

// outputs writes the merged rows of a table, one file per partition at a time.
type outputs[T any] struct {
	lake      *Lake
	table     string
	partition func(*T) filePartition // nil for tables without
	values    func(*T) int           // of a row's lists, when they may be long

	open  map[filePartition]*writer[T]
	paths []string
}

// write takes rows on, those that follow each other in one partition at once.
func (o *outputs[T]) write(ctx context.Context, rows []T) error {
	for len(rows) > 0 {
		partition, n := o.together(rows)
		w, err := o.to(ctx, partition)
		if err != nil {
			return err
		}
		n, full := fitting(w, rows[:n], o.values)
		if err := w.write(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
		if full {
			if err := o.publish(ctx, partition); err != nil {
				return err
			}
		}
	}
	return nil
}

// fitting returns how many of the rows go into the file, and whether it is full then. It counts their values in.
func fitting[T any](w *writer[T], rows []T, values func(*T) int) (n int, full bool) {
	if values == nil {
		n = min(len(rows), fileRows-w.n)
		return n, w.n+n == fileRows
	}
	for n < len(rows) && w.n+n < fileRows && w.values < fileValues {
		w.values += values(&rows[n])
		n++
	}
	return n, w.n+n == fileRows || w.values >= fileValues
}

// writeGroup takes over a group of rows of a file as its bytes are. It reports false, and does nothing, where that would
// leave small groups or small files behind, or when the file is of another make.
func (o *outputs[T]) writeGroup(ctx context.Context, columns map[string]int64, group parquet.RowGroup) (bool, error) {
	partition, rows := partitionOf(columns), int(group.NumRows())
	w, err := o.to(ctx, partition)
	if err != nil {
		return false, err
	}
	if pending := w.pending(); pending > 0 && pending < smallGroup || !parquet.EqualNodes(w.rows.Schema(), group.Schema()) {
		return false, nil
	}
	if w.n+rows > fileRows {
		if w.n < fileRows/2 {
			return false, nil
		}
		if err := o.publish(ctx, partition); err != nil {
			return false, err
		}
		if w, err = o.to(ctx, partition); err != nil {
			return false, err
		}
	}
	return true, w.writeGroup(group)
}

// together returns how many of the first rows share a partition, and which.
func (o *outputs[T]) together(rows []T) (p filePartition, n int) {
	if o.partition == nil {
		return p, len(rows)
	}
	p = o.partition(&rows[0])
	for n = 1; n < len(rows) && o.partition(&rows[n]) == p; n++ {
	}
	return p, n
}

func (o *outputs[T]) to(ctx context.Context, partition filePartition) (*writer[T], error) {
	if w, ok := o.open[partition]; ok {
		return w, nil
	}
	tmp, err := o.lake.createTemp(ctx, o.table)
	if err != nil {
		return nil, err
	}
	if o.open == nil {
		o.open = map[filePartition]*writer[T]{}
	}
	o.open[partition] = newWriter[T](tmp, nil)
	return o.open[partition], nil
}

func (o *outputs[T]) publish(ctx context.Context, partition filePartition) error {
	w := o.open[partition]
	delete(o.open, partition)
	if err := w.close(); err != nil {
		return errors.Join(err, o.lake.store.Remove(ctx, w.file.Path()))
	}
	path, err := o.lake.Publish(ctx, o.table, w.file.Path(), "merged", partition.columns())
	if err != nil {
		return err
	}
	o.paths = append(o.paths, path)
	return nil
}

func (o *outputs[T]) close(ctx context.Context) error {
	partitions := slices.SortedFunc(maps.Keys(o.open), func(a, b filePartition) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.bucket, b.bucket))
	})
	for _, p := range partitions {
		if err := o.publish(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was not published. What was stays invisible and is swept later.
func (o *outputs[T]) discard(ctx context.Context) error {
	var errs []error
	for _, w := range o.open {
		errs = append(errs, w.file.Close(), o.lake.store.Remove(ctx, w.file.Path()))
	}
	return errors.Join(errs...)
}
