package lake

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// errStopped ends a reading that nobody wants to go on with.
var errStopped = errors.New("stopped")

// inOrder yields the rows of sorted files in the order of the table. A row is valid until the next is asked for.
func inOrder[T any](ctx context.Context, l *Lake, s storing[T], files []File) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		runs := make([]*fileRun[T], 0, len(files))
		defer func() {
			for _, r := range runs {
				r.stop()
			}
		}()
		for _, f := range files {
			r := openRun[T](ctx, l, f.Path)
			runs = append(runs, r)
			if err := r.next(s.key); err != nil {
				yield(nil, err)
				return
			}
		}
		var group []T
		for n := 0; ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			var err error
			if group, err = nextGroup(runs, s.key, group[:0]); err != nil {
				yield(nil, err)
				return
			}
			if len(group) == 0 {
				return
			}
			slices.SortStableFunc(group, func(a, b T) int { return s.compare(&a, &b) })
			for i := range group {
				if !yield(&group[i], nil) {
					return
				}
			}
		}
	}
}

// nextGroup takes the rows with the smallest key off all runs; none are left when it is empty. The runs are few, so they
// are just looked at one by one.
func nextGroup[T any](runs []*fileRun[T], key func(a, b *T) int, group []T) ([]T, error) {
	var least *T
	for _, r := range runs {
		if r.row != nil && (least == nil || key(r.row, least) < 0) {
			least = r.row
		}
	}
	if least == nil {
		return group, nil
	}
	first := *least
	for _, r := range runs {
		for r.row != nil && key(r.row, &first) == 0 {
			group = append(group, *r.row)
			if err := r.next(key); err != nil {
				return nil, err
			}
		}
	}
	return group, nil
}

// A fileRun walks the rows of one file.
type fileRun[T any] struct {
	row  *T // nil at the end; valid until next
	path string
	pull func() ([]T, error, bool)
	stop func()
	rows []T
	i    int
}

func openRun[T any](ctx context.Context, l *Lake, path string) *fileRun[T] {
	next, stop := iter.Pull2(func(yield func([]T, error) bool) {
		err := ReadRows(ctx, l, path, func(rows []T) error {
			if !yield(rows, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	})
	return &fileRun[T]{path: path, pull: next, stop: stop}
}

// next goes on to the next row, which must not come before this one.
func (r *fileRun[T]) next(key func(a, b *T) int) error {
	var last *T
	if r.row != nil {
		copied := *r.row
		last = &copied
	}
	r.i++
	for r.i >= len(r.rows) {
		rows, err, ok := r.pull()
		if err != nil {
			return err
		}
		if !ok {
			r.row = nil
			return nil
		}
		r.rows, r.i = rows, 0
	}
	r.row = &r.rows[r.i]
	if last != nil && key(last, r.row) > 0 {
		return fmt.Errorf("rows of the file %s are not in the order of its table", r.path)
	}
	return nil
}

// multisetSeeds are two hash functions of this process: nobody can choose rows that one of them confuses.
var multisetSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// A multiset tells whether the same rows, each as often, were seen, in whatever order: by the number of rows and two
// sums of 64-bit hashes of every column of each.
type multiset struct {
	rows int64
	sums [2]uint64
	buf  []byte
	row  parquet.Row
}

// addRow counts a row in.
func addRow[T any](m *multiset, row *T) {
	m.row = parquet.SchemaOf(row).Deconstruct(m.row[:0], row)
	m.add(m.row)
}

func (m *multiset) add(row parquet.Row) {
	m.buf = m.buf[:0]
	for _, v := range row {
		m.buf = binary.LittleEndian.AppendUint16(m.buf, uint16(v.Column()))
		m.buf = append(m.buf, byte(v.RepetitionLevel()), byte(v.DefinitionLevel()))
		if v.IsNull() {
			continue
		}
		size := len(m.buf)
		m.buf = v.AppendBytes(binary.LittleEndian.AppendUint32(m.buf, 0))
		binary.LittleEndian.PutUint32(m.buf[size:], uint32(len(m.buf)-size-4)) // so that no two rows run into each other
	}
	m.rows++
	for i, seed := range multisetSeeds {
		m.sums[i] += maphash.Bytes(seed, m.buf)
	}
}

func (m *multiset) equal(o *multiset) bool { return m.rows == o.rows && m.sums == o.sums }
