package transform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/lake"
)

const (
	// defaultFileRows is how many rows a gold file holds: small enough that a changed day rewrites little, large enough
	// that a table is not thousands of files.
	defaultFileRows = 65_536
	// rowGroupRows is in how many of them, in order of person, a reader can look for one person.
	rowGroupRows = 8192
)

// replaceRows puts the rows of build.model_output in the place of the table's rows of the dirty days, and commits them
// with the watermark. Only what differs is replaced, and only files that hold what was replaced are rewritten, with small
// ones beside them.
func (r *run) replaceRows(ctx context.Context, m *Model, base *lake.Snapshot, dirty *scope, state buildState) error {
	changed, err := r.compareRows(ctx, m, base, dirty, &state)
	if err != nil {
		return fmt.Errorf("compare rows: %w", err)
	}
	commit := lake.Commit{Base: base}
	if changed.days > 0 {
		files, rows, err := r.filesToRewrite(ctx, m, base, changed)
		if err != nil {
			return fmt.Errorf("find files to rewrite: %w", err)
		}
		commit.Remove = filePaths(files)
		if commit.Add, state.result.Rows, err = r.rewrite(ctx, m, base, files, rows, changed); err != nil {
			return fmt.Errorf("rewrite files: %w", err)
		}
	}
	// A file that came out byte for byte as it was has the same name, and stays.
	kept := func(path string) bool {
		return slices.Contains(commit.Add, path) && slices.Contains(commit.Remove, path)
	}
	add := slices.DeleteFunc(slices.Clone(commit.Add), kept)
	commit.Remove = slices.DeleteFunc(slices.Clone(commit.Remove), kept)
	commit.Add = add
	if err := r.commit(ctx, m, commit); err != nil {
		return err
	}
	state.result.FilesAdded, state.result.FilesGone = len(commit.Add), len(commit.Remove)
	r.built[m.Name] = state
	return nil
}

// compareRows lists the person-days whose rows differ from those in the table: of each row it counts how often it is
// there now less how often it was before.
func (r *run) compareRows(ctx context.Context, m *Model, base *lake.Snapshot, dirty *scope, state *buildState) (*scope, error) {
	files := base.Files
	if !state.result.Full {
		if m.Reach.Unit == SpanPerson {
			dirty = dirty.ofWholePeople()
		}
		files = dirty.choose(base.Files, m.DateColumn())
	}
	old, err := r.selectFiles(ctx, base.Columns, files)
	if err != nil {
		return nil, err
	}
	if !state.result.Full {
		old = fmt.Sprintf("select o.* from (%s) as o semi join dirty_days as d on %s", old, m.dirtyMatch("o"))
	}
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table %s as
		select distinct user_id, %[2]s as local_date
		from (
			select user_id, %[2]s
			from (
				select *, 1 as "net count" from build.model_output
				union all
				select *, -1 as "net count" from (%[3]s)
			)
			group by %[4]s
			having sum("net count") <> 0
		)`, state.changed, quoted(m.DateColumn()), old, columnNames(base.Columns))); err != nil {
		return nil, err
	}
	changed, err := r.scopeOf(ctx, state.changed)
	if err != nil {
		return nil, err
	}
	state.result.ChangedDays = changed.days
	return changed, r.noteRestated(ctx, m, base, old, state)
}

// filesToRewrite returns the files that hold rows of changed days, and beside them small ones: each that has no more rows
// than what is written anyway. New days of everybody do not touch what lies behind them, a row is written again only as
// the files it is in double, and of files smaller than they should be there are few. With the new rows of the changed
// days they have at most so many rows.
func (r *run) filesToRewrite(ctx context.Context, m *Model, base *lake.Snapshot, changed *scope) (files []lake.File, rows int64, err error) {
	rows, err = r.w.count(ctx, fmt.Sprintf("select count(*) from build.model_output as n semi join %s as c on %s",
		changed.table, changedMatch(m, "n")))
	if err != nil {
		return nil, 0, err
	}
	files, err = r.filesWith(ctx, m, changed.choose(base.Files, m.DateColumn()), changed.table)
	if err != nil {
		return nil, 0, err
	}
	others := slices.DeleteFunc(slices.Clone(base.Files), func(f lake.File) bool {
		return slices.ContainsFunc(files, func(g lake.File) bool { return g.Path == f.Path })
	})
	slices.SortFunc(others, func(a, b lake.File) int { return cmp.Or(cmp.Compare(a.Rows, b.Rows), strings.Compare(a.Path, b.Path)) })
	for _, f := range files {
		rows += f.Rows
	}
	for _, f := range others {
		if f.Rows > rows || rows+f.Rows > int64(r.fileRows()) {
			break
		}
		files = append(files, f)
		rows += f.Rows
	}
	return files, rows, nil
}

// filesWith returns those of the files that hold rows of the days of a list.
func (r *run) filesWith(ctx context.Context, m *Model, files []lake.File, days string) ([]lake.File, error) {
	if len(files) == 0 {
		return nil, nil
	}
	paths, release, err := r.store.Local(ctx, files)
	if err != nil {
		return nil, err
	}
	defer release()
	rows, err := r.w.conn.QueryContext(ctx, fmt.Sprintf(
		"select distinct o.filename from read_parquet(%s, hive_partitioning = false, filename = true) as o semi join %s as c on %s",
		literals(paths), days, changedMatch(m, "o")))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var with []lake.File
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		if i := slices.Index(paths, path); i >= 0 {
			with = append(with, files[i])
		}
	}
	return with, rows.Err()
}

// changedMatch matches rows of the model with the list of changed days, c.
func changedMatch(m *Model, alias string) string {
	return fmt.Sprintf("%[1]s.user_id = c.user_id and %[1]s.%[2]s = c.local_date", alias, m.DateColumn())
}

func (r *run) fileRows() int { return cmp.Or(r.cfg.FileRows, defaultFileRows) }

// rewrite writes the rows of files anew: the old ones that did not change, and all new ones that did. Both together are at
// most so many.
func (r *run) rewrite(ctx context.Context, m *Model, base *lake.Snapshot, files []lake.File, most int64, changed *scope) (paths []string, rows int64, err error) {
	if err := r.store.Check(ctx, files...); err != nil { // a damaged row must not be given a fresh hash
		return nil, 0, err
	}
	old, err := r.selectFiles(ctx, base.Columns, files)
	if err != nil {
		return nil, 0, err
	}
	rewritten := fmt.Sprintf(`select o.* from (%s) as o anti join %[2]s as c on %[3]s
		union all
		select n.* from build.model_output as n semi join %[2]s as c on %[4]s`,
		old, changed.table, changedMatch(m, "o"), changedMatch(m, "n"))
	selects := []string{rewritten}
	if most > int64(r.fileRows()) {
		if selects, err = r.cut(ctx, rewritten); err != nil {
			return nil, 0, err
		}
	}
	for _, rowsOfFile := range selects {
		path, n, err := r.writeFile(ctx, m, rowsOfFile)
		if err != nil {
			return nil, 0, err
		}
		if n > 0 {
			paths = append(paths, path)
		}
		rows += n
	}
	return paths, rows, nil
}

// cut cuts rows into files, between people. It returns a select for each.
func (r *run) cut(ctx context.Context, rows string) ([]string, error) {
	if err := r.w.exec(ctx, "create or replace table build.rewritten as "+rows); err != nil {
		return nil, err
	}
	numbers, err := r.groupPeople(ctx, "build.rewritten", "build.cuts", r.fileRows())
	if err != nil {
		return nil, err
	}
	selects := make([]string, len(numbers))
	for i, number := range numbers {
		selects[i] = selectGroup("build.rewritten", "build.cuts", number)
	}
	return selects, nil
}

// writeFile writes and publishes one file of the rows of a select, in order of the grain. Of no rows there is no file.
func (r *run) writeFile(ctx context.Context, m *Model, rowsOfFile string) (path string, rows int64, err error) {
	tmp, err := r.store.TempPath(ctx, goldPrefix+m.Name)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if removeErr := os.Remove(tmp); path == "" && removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errorsWith(err, removeErr)
		}
	}()
	// The name is temporary already, so DuckDB need not write beside it and rename.
	res, err := r.w.conn.ExecContext(ctx, fmt.Sprintf(`copy (select * from (%s) order by %s)
		to %s (format parquet, compression zstd, row_group_size %d, use_tmp_file false)`,
		rowsOfFile, strings.Join(m.Grain, ", "), literal(tmp), rowGroupRows))
	if err != nil {
		return "", 0, fmt.Errorf("write file: %w", err)
	}
	if rows, err = res.RowsAffected(); err != nil {
		return "", 0, fmt.Errorf("write file: %w", err)
	}
	if rows == 0 {
		return "", 0, nil
	}
	if path, err = r.store.Publish(ctx, goldPrefix+m.Name, tmp, m.Name, nil); err != nil {
		return "", 0, fmt.Errorf("publish file: %w", err)
	}
	return path, rows, nil
}
