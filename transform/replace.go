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
	// groupsInFile is in how many groups of rows a file lies, in order of person: of a file that is read for one person, or
	// written again for one, the others' groups are left alone.
	groupsInFile = 16
	// filesCompared is of how many files' rows are compared at once: of a table of 15 million, all of
	// them did not fit into 2 GB.
	filesCompared = 16
	// leastGroupRows is by how many rows DuckDB counts when it makes groups.
	leastGroupRows = 2048
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
		if err := r.replaceDays(ctx, m, &commit, changed, &state); err != nil {
			return err
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
	fresh := "select n.* from build.model_output as n"
	rows, err := r.w.count(ctx, "select count(*) from ("+fresh+")")
	if err != nil {
		return nil, err
	}
	if err := r.w.exec(ctx, "create or replace table "+state.changed+"(user_id varchar, local_date date)"); err != nil {
		return nil, err
	}
	if rows > r.mostGroupRows() && (!state.result.Full || len(files) == 0) {
		if err := r.listNewDays(ctx, m, old, state.changed); err != nil {
			return nil, err
		}
		fresh += " semi join build.days_before as c on " + changedMatch(m, "n")
	}
	for _, f := range files {
		rows += f.Rows
	}
	for _, people := range dirty.ranges(1 + int(rows)/(r.fileRows()*filesCompared)) {
		if err := r.w.exec(ctx, fmt.Sprintf(`insert into %s
			select distinct user_id, %[2]s
			from (
				select user_id, %[2]s
				from (
					select *, 1 as "net count" from (%[6]s) where %[5]s
					union all
					select *, -1 as "net count" from (%[3]s) where %[5]s
				)
				group by %[4]s
				having sum("net count") <> 0
			)`, state.changed, quoted(m.DateColumn()), old, columnNames(base.Columns), people, fresh)); err != nil {
			return nil, err
		}
	}
	changed, err := r.scopeOf(ctx, state.changed)
	if err != nil {
		return nil, err
	}
	state.result.ChangedDays = changed.days
	return changed, r.noteRestated(ctx, m, base, old, state)
}

// listNewDays adds the days that had no rows before to a list of changed days, and lists those that had in build.days_before:
// their rows alone need comparing. Of a day of everybody, that was half a second for the hours of 10,000 people.
func (r *run) listNewDays(ctx context.Context, m *Model, old, changed string) error {
	return r.w.exec(ctx, fmt.Sprintf(`create or replace table build.days_before as select distinct user_id, %[1]s as local_date from (%[2]s);
		insert into %[3]s select distinct n.user_id, n.%[1]s from build.model_output as n anti join build.days_before as c on %[4]s`,
		quoted(m.DateColumn()), old, changed, changedMatch(m, "n")))
}

// replaceDays writes the files that go in the place of those with rows of changed days.
func (r *run) replaceDays(ctx context.Context, m *Model, commit *lake.Commit, changed *scope, state *buildState) error {
	base := commit.Base
	holders, err := r.filesWith(ctx, m, changed.choose(base.Files, m.DateColumn()), changed.table)
	if err != nil {
		return fmt.Errorf("find files to rewrite: %w", err)
	}
	spliced, others, err := r.spliceFiles(ctx, m, base, holders)
	if err != nil {
		return fmt.Errorf("splice files: %w", err)
	}
	for _, s := range spliced {
		commit.Add, commit.Remove = append(commit.Add, s.path), append(commit.Remove, s.of.file.Path)
		state.result.Rows += s.rows
	}
	rest, err := r.daysNotIn(ctx, changed, spliced)
	if err != nil || rest.days == 0 {
		return err
	}
	files, most, err := r.filesToRewrite(ctx, m, base, rest, others, holders)
	if err != nil {
		return fmt.Errorf("find files to rewrite: %w", err)
	}
	added, rows, err := r.rewrite(ctx, m, base, files, most, rest)
	if err != nil {
		return fmt.Errorf("rewrite files: %w", err)
	}
	commit.Add, commit.Remove = append(commit.Add, added...), append(commit.Remove, filePaths(files)...)
	state.result.Rows += rows
	return nil
}

// A holder is a file that holds rows of changed days. Which they are stands in build.places.
type holder struct {
	file        lake.File
	path        string // by which DuckDB reads it, until release
	first, last string // of the people of those days
	isAlone     bool   // no other file holds rows of the same days
}

// filesWith returns those of the files that hold rows of the days of a list.
func (r *run) filesWith(ctx context.Context, m *Model, files []lake.File, days string) ([]holder, error) {
	if len(files) == 0 {
		return nil, nil
	}
	paths, release, err := r.store.Local(ctx, files)
	if err != nil {
		return nil, err
	}
	r.held = append(r.held, release)
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table build.places as
		select distinct o.filename, c.user_id, c.local_date
		from read_parquet(%s, hive_partitioning = false, filename = true) as o inner join %s as c on %s`,
		literals(paths), days, changedMatch(m, "o"))); err != nil {
		return nil, err
	}
	rows, err := r.w.conn.QueryContext(ctx, `
		select filename, min(user_id), max(user_id), max(files) = 1
		from (select *, count(*) over (partition by user_id, local_date) as files from build.places)
		group by filename
		order by filename`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var holders []holder
	for rows.Next() {
		var h holder
		if err := rows.Scan(&h.path, &h.first, &h.last, &h.isAlone); err != nil {
			return nil, err
		}
		i := slices.Index(paths, h.path)
		if i < 0 {
			return nil, errors.New("DuckDB names a file that it was not given")
		}
		h.file = files[i]
		holders = append(holders, h)
	}
	return holders, rows.Err()
}

// filesToRewrite returns those of the holders that are to be rewritten, and beside them small files: each that has no more
// rows than what is written anyway, and holds no changed day. New days of everybody do not touch what lies behind them, a row is
// written again only as the files it is in double, and of files smaller than they should be there are few. With the new rows
// of the changed days they have at most so many rows.
func (r *run) filesToRewrite(ctx context.Context, m *Model, base *lake.Snapshot, changed *scope, rewritten, holders []holder) (files []lake.File, rows int64, err error) {
	rows, err = r.w.count(ctx, fmt.Sprintf("select count(*) from build.model_output as n semi join %s as c on %s",
		changed.table, changedMatch(m, "n")))
	if err != nil {
		return nil, 0, err
	}
	for _, h := range rewritten {
		files = append(files, h.file)
		rows += h.file.Rows
	}
	others := slices.DeleteFunc(slices.Clone(base.Files), func(f lake.File) bool {
		return slices.ContainsFunc(holders, func(h holder) bool { return h.file.Path == f.Path })
	})
	slices.SortFunc(others, func(a, b lake.File) int { return cmp.Or(cmp.Compare(a.Rows, b.Rows), strings.Compare(a.Path, b.Path)) })
	for _, f := range others {
		if f.Rows > rows || rows+f.Rows > int64(r.fileRows()) {
			break
		}
		files = append(files, f)
		rows += f.Rows
	}
	return files, rows, nil
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
		path, n, err := r.writeFile(ctx, m, rowsOfFile, r.groupRows(min(most, int64(r.fileRows()))))
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

func (r *run) mostGroupRows() int64 { return max(int64(r.fileRows())/groupsInFile, leastGroupRows) }

// groupRows returns how many rows groups have so that they are all as long, and not longer than they should be.
func (r *run) groupRows(rows int64) int64 {
	groups := max(1, (rows+r.mostGroupRows()-1)/r.mostGroupRows())
	return max(1, (rows+groups-1)/groups)
}

// writeFile writes and publishes one file of the rows of a select, in order of the grain. Of no rows there is no file.
func (r *run) writeFile(ctx context.Context, m *Model, rowsOfFile string, inGroup int64) (path string, rows int64, err error) {
	err = r.withTemp(ctx, m, func(tmp string) error {
		if rows, err = r.writeRows(ctx, m, tmp, rowsOfFile, inGroup); err != nil || rows == 0 {
			return err
		}
		path, err = r.publish(ctx, m, tmp)
		return err
	})
	return path, rows, err
}

// withTemp calls do with the path of a temporary file, and removes that when it is still there.
func (r *run) withTemp(ctx context.Context, m *Model, do func(tmp string) error) error {
	tmp, err := r.store.TempPath(ctx, goldPrefix+m.Name)
	if err != nil {
		return err
	}
	err = do(tmp)
	if removeErr := os.Remove(tmp); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		if err == nil {
			return removeErr
		}
		return errorsWith(err, removeErr)
	}
	return err
}

// writeRows writes the rows of a select into a temporary file, in order of the grain.
func (r *run) writeRows(ctx context.Context, m *Model, tmp, selected string, inGroup int64) (rows int64, err error) {
	// The name is temporary already, so DuckDB need not write beside it and rename.
	res, err := r.w.conn.ExecContext(ctx, fmt.Sprintf(`copy (select * from (%s) order by %s)
		to %s (format parquet, compression zstd, row_group_size %d, use_tmp_file false)`,
		selected, strings.Join(m.Grain, ", "), literal(tmp), inGroup))
	if err == nil {
		rows, err = res.RowsAffected()
	}
	if err != nil {
		return 0, fmt.Errorf("write file: %w", err)
	}
	return rows, nil
}

// publish makes a finished temporary file one of the table's.
func (r *run) publish(ctx context.Context, m *Model, tmp string) (path string, err error) {
	if path, err = r.store.Publish(ctx, goldPrefix+m.Name, tmp, m.Name, nil); err != nil {
		return "", fmt.Errorf("publish file: %w", err)
	}
	return path, nil
}
