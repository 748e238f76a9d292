package lake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// compactOther folds together the small files of a table whose rows this package does not know: those of a model. Each is
// sorted by person; neighbours by their first person are joined end to end.
func (l *Lake) compactOther(ctx context.Context, table string, c Compaction) (CompactResult, error) {
	return eachJob(ctx, l, c, table, neighboursByPerson, func(ctx context.Context, j job) (rewritten, error) {
		return l.joinFiles(ctx, table, j)
	})
}

func neighboursByPerson(files []File, full bool) []job {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Lower["user_id"].Text, b.Lower["user_id"].Text) })
	var jobs []job
	for _, run := range runsOf(files, enoughFiles(full), func(a, b File) bool {
		return a.Rows < smallFile || b.Rows < smallFile
	}) {
		jobs = append(jobs, job{files: run, partition: run[0].Partition, stem: "compacted"})
	}
	return jobs
}

// joinFiles writes the rows of files with the same columns into one, in the order of the files.
func (l *Lake) joinFiles(ctx context.Context, table string, j job) (_ rewritten, err error) {
	tmp, err := l.createTemp(ctx, table)
	if err != nil {
		return rewritten{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.store.Remove(ctx, tmp.Path()))
		}
	}()
	before, after := &multiset{}, &multiset{}
	if err := l.copyRows(ctx, tmp, j.files, before); err != nil {
		return rewritten{}, errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return rewritten{}, err
	}
	path, err := l.Publish(ctx, table, tmp.Path(), j.stem, j.partition)
	if err != nil {
		return rewritten{}, err
	}
	if err := l.eachRow(ctx, path, func(_ *parquet.Schema, rows []parquet.Row) error {
		for _, row := range rows {
			after.add(row)
		}
		return nil
	}); err != nil {
		return rewritten{}, err
	}
	if !before.equal(after) {
		return rewritten{}, errRowsDiffer(before, after)
	}
	return rewritten{paths: []string{path}, rows: after.rows}, nil
}

func (l *Lake) copyRows(ctx context.Context, out io.Writer, files []File, seen *multiset) error {
	buf := bufio.NewWriterSize(out, 1<<20)
	var w *parquet.GenericWriter[any]
	var columns *parquet.Schema
	for _, f := range files {
		if err := l.eachRow(ctx, f.Path, func(schema *parquet.Schema, rows []parquet.Row) error {
			if w == nil {
				columns = schema
				w = parquet.NewGenericWriter[any](buf, schema, parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
					parquet.MaxRowsPerRowGroup(rowGroupRows), parquet.CreatedBy("diurna", "1", ""))
			}
			if !parquet.EqualNodes(schema, columns) {
				return fmt.Errorf("file %s has other columns than its neighbours", f.Path)
			}
			for _, row := range rows {
				seen.add(row)
			}
			_, err := w.WriteRows(rows)
			return err
		}); err != nil {
			return err
		}
	}
	if w == nil {
		return errors.New("no rows to join")
	}
	if err := w.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

// eachRow calls do with all rows of a file, some at a time, valid until it returns.
func (l *Lake) eachRow(ctx context.Context, path string, do func(*parquet.Schema, []parquet.Row) error) error {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	file, err := openParquet(ctx, f)
	if err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		if err := eachRowOf(group, func(rows []parquet.Row) error { return do(file.Schema(), rows) }); err != nil {
			return fmt.Errorf("read data file: %w", err)
		}
	}
	return nil
}

func eachRowOf(group parquet.RowGroup, do func([]parquet.Row) error) error {
	rows := group.Rows()
	defer rows.Close()
	buf := make([]parquet.Row, 256)
	for {
		n, err := rows.ReadRows(buf)
		if n > 0 {
			if err := do(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
