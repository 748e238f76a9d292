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

// defaultFileRows is how many rows a gold file holds: small enough that a changed day rewrites little, large enough that
// a table is not thousands of files.
const defaultFileRows = 65_536

// replaceRows puts the rows of build.model_output in the place of the table's rows of the dirty days, and commits them
// with the watermark. Only what differs is replaced, and only files of people with a difference are rewritten.
func (r *run) replaceRows(ctx context.Context, m *Model, base *lake.Snapshot, state buildState) error {
	changed, err := r.compareRows(ctx, m, base, &state)
	if err != nil {
		return fmt.Errorf("compare rows: %w", err)
	}
	commit := lake.Commit{Base: base}
	if len(changed.people) > 0 {
		for _, g := range groupFiles(base.Files, changed) {
			added, rows, err := r.rewrite(ctx, m, base, g, state)
			if err != nil {
				return fmt.Errorf("rewrite files: %w", err)
			}
			commit.Add = append(commit.Add, added...)
			commit.Remove = append(commit.Remove, filePaths(g.files)...)
			state.result.Rows += rows
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

// compareRows lists the person-days whose rows differ from those in the table.
func (r *run) compareRows(ctx context.Context, m *Model, base *lake.Snapshot, state *buildState) (*scope, error) {
	files := base.Files
	if !state.result.Full {
		dirty, err := r.scopeOf(ctx, tableDirtyDays, true)
		if err != nil {
			return nil, err
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
	if err := r.w.exec(ctx, "create or replace table build.old_rows as "+old); err != nil {
		return nil, err
	}
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table %s as
		select distinct user_id, %s as local_date
		from (
			(select * from build.model_output except all select * from build.old_rows)
			union all
			(select * from build.old_rows except all select * from build.model_output)
		)`, state.changed, m.DateColumn())); err != nil {
		return nil, err
	}
	n, err := r.w.count(ctx, "select count(*) from "+state.changed)
	if err != nil {
		return nil, err
	}
	state.result.ChangedDays = n
	if err := r.noteRestated(ctx, m, base, state); err != nil {
		return nil, err
	}
	return r.scopeOf(ctx, state.changed, true)
}

// A fileGroup is a run of neighbouring files that are rewritten together, and the range of people whose new rows they
// take: from first, included, to end, left out.
type fileGroup struct {
	files          []lake.File
	first, end     string
	isFirst, isEnd bool // no limit downwards, upwards
}

// groupFiles finds the files that people with changed rows are in, or would be in. Files are cut by person, so in order
// of their first person each takes the people up to the next file's first.
func groupFiles(files []lake.File, changed *scope) []fileGroup {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b lake.File) int {
		return strings.Compare(a.Lower["user_id"].Text, b.Lower["user_id"].Text)
	})
	affected := make([]bool, len(files))
	for i, f := range files {
		affected[i] = len(changed.peopleWithin(f)) > 0
	}
	// Someone new goes to the file before them, or the first.
	for _, p := range changed.people {
		i, _ := slices.BinarySearchFunc(files, p.user, func(f lake.File, user string) int {
			if f.Lower["user_id"].Text <= user {
				return -1
			}
			return 1
		})
		if len(files) > 0 {
			affected[max(i-1, 0)] = true
		}
	}
	var groups []fileGroup
	for i, f := range files {
		switch {
		case !affected[i]:
		case i > 0 && affected[i-1]:
			g := &groups[len(groups)-1]
			g.files = append(g.files, f)
		default:
			groups = append(groups, fileGroup{files: []lake.File{f}, first: f.Lower["user_id"].Text})
		}
	}
	if len(groups) == 0 {
		groups = []fileGroup{{}}
	}
	for i := range groups {
		groups[i].isFirst = i == 0
		groups[i].isEnd = i == len(groups)-1
		if !groups[i].isEnd {
			groups[i].end = groups[i+1].first
		}
	}
	return groups
}

// rewrite writes the rows of a group of files anew: the old ones that did not change and the new ones that did.
func (r *run) rewrite(ctx context.Context, m *Model, base *lake.Snapshot, g fileGroup, state buildState) (paths []string, rows int64, err error) {
	match := func(alias string) string {
		return fmt.Sprintf("%[1]s.user_id = c.user_id and %[1]s.%[2]s = c.local_date", alias, m.DateColumn())
	}
	if err := r.store.Check(ctx, g.files...); err != nil { // a damaged row must not be given a fresh hash
		return nil, 0, err
	}
	old, err := r.selectFiles(ctx, base.Columns, g.files)
	if err != nil {
		return nil, 0, err
	}
	if err := r.w.exec(ctx, fmt.Sprintf("create or replace table build.rewritten as select o.* from (%s) as o anti join %s as c on %s",
		old, state.changed, match("o"))); err != nil {
		return nil, 0, err
	}
	if _, err := r.w.conn.ExecContext(ctx, fmt.Sprintf(`insert into build.rewritten
		select n.* from build.model_output as n semi join %s as c on %s
		where (? or n.user_id >= ?) and (? or n.user_id < ?)`, state.changed, match("n")),
		g.isFirst, g.first, g.isEnd, g.end); err != nil {
		return nil, 0, err
	}
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table build.cuts as
		select user_id, cast((rows_upto - n) // %d as integer) as file_number
		from (
			select user_id, count(*) as n, sum(count(*)) over (order by user_id) as rows_upto
			from build.rewritten
			group by user_id
		)`, cmp.Or(r.cfg.FileRows, defaultFileRows))); err != nil {
		return nil, 0, err
	}
	numbers, err := r.fileNumbers(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, number := range numbers {
		path, n, err := r.writeFile(ctx, m, number)
		if err != nil {
			return nil, 0, err
		}
		paths = append(paths, path)
		rows += n
	}
	return paths, rows, nil
}

func (r *run) fileNumbers(ctx context.Context) ([]int64, error) {
	rows, err := r.w.conn.QueryContext(ctx, "select distinct file_number from build.cuts order by file_number")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// writeFile writes and publishes one file, its rows in order of the grain.
func (r *run) writeFile(ctx context.Context, m *Model, number int64) (path string, rows int64, err error) {
	tmp, err := r.store.TempPath(ctx, goldPrefix+m.Name)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if removeErr := os.Remove(tmp); err != nil && removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errorsWith(err, removeErr)
		}
	}()
	// The name is temporary already, so DuckDB need not write beside it and rename.
	res, err := r.w.conn.ExecContext(ctx, fmt.Sprintf(`copy (
			select o.* from build.rewritten as o
			semi join (select user_id from build.cuts where file_number = %d) as c on o.user_id = c.user_id
			order by %s
		) to %s (format parquet, compression zstd, use_tmp_file false)`, number, strings.Join(m.Grain, ", "), literal(tmp)))
	if err != nil {
		return "", 0, fmt.Errorf("write file: %w", err)
	}
	if rows, err = res.RowsAffected(); err != nil {
		return "", 0, fmt.Errorf("write file: %w", err)
	}
	if path, err = r.store.Publish(ctx, goldPrefix+m.Name, tmp, m.Name, nil); err != nil {
		return "", 0, fmt.Errorf("publish file: %w", err)
	}
	return path, rows, nil
}
