package lake

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// compactAttempts bounds how often a full compaction does a partition again because others rewrote its files meanwhile.
const compactAttempts = 5

// A Compaction says what Compact is to do.
type Compaction struct {
	// Full rewrites a silver table whole: sorted, in files of a fixed number of rows. The same messages then give the
	// same bytes, however they were cut on their way. Without it only partitions with many small files are touched.
	Full bool
	// DoneBelow is, by partition, the offset below which the list of dirty days is needed by nobody any more. Those of
	// its rows go.
	DoneBelow map[int32]int64
	// Progress is told how many bytes of how many have been dealt with; nil = nobody asks.
	Progress func(done, total int64)
}

// A CompactResult says what Compact did.
type CompactResult struct {
	FilesBefore, FilesAfter int
	BytesBefore             int64
	Rows                    int64 // in the new files
	Dropped                 int64 // dirty days that nobody needs
	Superseded              int   // partitions left alone because somebody else rewrote their files meanwhile
}

// Compact folds small files of a table together. New files are written without a lock; only then, inside the commit, is
// it decided whether they may take the place of the old ones: each of those must still be live. The rows are the same
// before and after, or nothing is committed.
func (l *Lake) Compact(ctx context.Context, table string, c Compaction) (CompactResult, error) {
	var r CompactResult
	var err error
	switch table {
	case schemas.TableSyncRecords:
		r, err = compactTable(ctx, l, c, receivedRecords())
	case schemas.TableSeriesHours:
		r, err = compactTable(ctx, l, c, storedSeriesHours())
	case schemas.TableSleepSegments:
		r, err = compactTable(ctx, l, c, storedSleepSegments())
	case schemas.TableReadings:
		r, err = compactTable(ctx, l, c, storedReadings())
	case schemas.TableDailySummaries:
		r, err = compactTable(ctx, l, c, storedDailySummaries())
	case schemas.TableEvents:
		r, err = compactTable(ctx, l, c, storedEvents())
	case schemas.TableRRRuns:
		r, err = compactTable(ctx, l, c, storedRRRuns())
	case schemas.TableWorkouts:
		r, err = compactTable(ctx, l, c, storedWorkouts())
	case schemas.TableWorkoutPoints:
		r, err = compactTable(ctx, l, c, storedWorkoutPoints())
	case schemas.TableDeletions:
		r, err = compactTable(ctx, l, c, storedDeletions())
	case schemas.TableDirtyDays:
		r, err = compactTable(ctx, l, c, storedDirtyDays(c.DoneBelow))
	default:
		r, err = l.compactOther(ctx, table, c)
	}
	if err != nil {
		return r, fmt.Errorf("compact %s: %w", table, err)
	}
	return r, nil
}

// A storing says how the rows of a table are stored.
type storing[T any] struct {
	table string
	// jobs chooses what is rewritten together, full or not.
	jobs func(files []File, full bool) []job
	// key orders files' rows; each file is sorted by it.
	key func(a, b *T) int
	// compare orders rows that are equal by key, so that no two are equal.
	compare func(a, b *T) int
	// values is how long a row's lists are; nil where they are short.
	values func(*T) int
	// drop tells rows that nobody needs; nil = none.
	drop func(*T) bool
	// footer returns what the footer of a job's one new file says beside its rows; nil = nothing.
	footer func(ctx context.Context, l *Lake, j job) (map[string]string, error)
}

// A job is files whose rows are written anew together.
type job struct {
	files     []File
	partition map[string]int64
	stem      string // of the names of its new files
}

func (j job) bytes() (n int64) {
	for _, f := range j.files {
		n += f.Bytes
	}
	return n
}

func compactTable[T any](ctx context.Context, l *Lake, c Compaction, s storing[T]) (CompactResult, error) {
	return eachJob(ctx, l, c, s.table, s.jobs, func(ctx context.Context, j job) (rewritten, error) {
		return rewriteRows(ctx, l, s, j)
	})
}

// rewritten is what became of a job's files.
type rewritten struct {
	paths   []string
	rows    int64
	dropped int64
}

// eachJob does the jobs of a table, one commit each.
func eachJob(ctx context.Context, l *Lake, c Compaction, table string, choose func([]File, bool) []job,
	rewrite func(context.Context, job) (rewritten, error)) (CompactResult, error) {
	var r CompactResult
	base, err := l.Load(ctx, table)
	if err != nil {
		return r, err
	}
	jobs := choose(base.Files, c.Full)
	var done, total int64
	for _, j := range jobs {
		total += j.bytes()
	}
	for attempt := 1; len(jobs) > 0; attempt++ {
		var again []job
		for _, j := range jobs {
			if ctx.Err() != nil {
				return r, context.Cause(ctx)
			}
			replaced, err := l.doJob(ctx, base, j, rewrite, &r)
			if err != nil {
				return r, err
			}
			if !replaced {
				again = append(again, j)
			}
			if done += j.bytes(); c.Progress != nil {
				c.Progress(min(done, total), total)
			}
			if base, err = l.Load(ctx, table); err != nil {
				return r, err
			}
		}
		if r.Superseded = len(again); !c.Full || attempt == compactAttempts {
			return r, nil
		}
		jobs = sameParts(choose(base.Files, c.Full), again)
	}
	return r, nil
}

// sameParts returns those of the jobs whose partition is one of the wanted.
func sameParts(jobs, wanted []job) []job {
	return slices.DeleteFunc(jobs, func(j job) bool {
		return !slices.ContainsFunc(wanted, func(w job) bool { return partitionDir(w.partition) == partitionDir(j.partition) })
	})
}

// doJob is a job from end to end: the old files are sound, their rows are written anew, and one commit replaces the
// ones by the others. It reports false when somebody else was quicker.
func (l *Lake) doJob(ctx context.Context, base *Snapshot, j job, rewrite func(context.Context, job) (rewritten, error),
	r *CompactResult) (replaced bool, err error) {
	began := l.cfg.Now()
	if err := l.Check(ctx, j.files...); err != nil {
		return false, err
	}
	out, err := rewrite(ctx, j)
	if err != nil {
		return false, err
	}
	add, remove := exchange(j.files, out.paths)
	if len(add)+len(remove) == 0 {
		return true, nil // they came out as they were
	}
	if replaced, err = l.replace(ctx, base, j.files, add, remove); err != nil || !replaced {
		return false, err
	}
	r.FilesBefore += len(j.files)
	r.FilesAfter += len(out.paths)
	r.BytesBefore += j.bytes()
	r.Rows += out.rows
	r.Dropped += out.dropped
	l.cfg.Logger.InfoContext(ctx, "compacted", schemas.LogKeyTable, base.Table, schemas.LogKeyRows, out.rows,
		schemas.LogKeyFiles, len(out.paths), "files_before", len(j.files),
		schemas.LogKeyTook, l.cfg.Now().Sub(began).Round(time.Millisecond))
	return true, nil
}

// replace commits the exchange of files. When the table changed since, only this step is done again, and only while every
// old file is still live: names hold hashes, so a file that is listed is the one that was read. What was written in vain
// is swept.
func (l *Lake) replace(ctx context.Context, base *Snapshot, old []File, add, remove []string) (bool, error) {
	for {
		live := map[string]bool{}
		for _, f := range base.Files {
			live[f.Path] = true
		}
		gone := slices.ContainsFunc(old, func(f File) bool { return !live[f.Path] })
		if gone || slices.ContainsFunc(add, func(path string) bool { return live[path] }) {
			return false, nil
		}
		if err := failpoint.Hit("compact.before_commit"); err != nil {
			return false, err
		}
		_, err := l.Commit(ctx, Commit{Base: base, ID: rand.Text(), Add: add, Remove: remove})
		if err == nil {
			return true, failpoint.Hit("compact.after_commit")
		}
		if isAway(err, add) {
			return false, nil
		}
		if !errors.Is(err, ErrConflict) {
			return false, err
		}
		if base, err = l.Load(ctx, base.Table); err != nil {
			return false, err
		}
	}
}

// isAway reports whether a commit failed for want of one of the files to be added. What a compaction that died has left is made
// again under the same name, and a sweep may just be taking it: it sees it needed, and puts it back.
func isAway(err error, add []string) bool {
	var missing *fs.PathError
	return errors.Is(err, fs.ErrNotExist) && errors.As(err, &missing) && slices.Contains(add, localPath(missing.Path))
}

// rewriteRows writes the rows of a job's files anew, in order, and compares what was written with what was read.
func rewriteRows[T any](ctx context.Context, l *Lake, s storing[T], j job) (rewritten, error) {
	var out rewritten
	var values map[string]string
	if s.footer != nil {
		var err error
		if values, err = s.footer(ctx, l, j); err != nil {
			return out, err
		}
	}
	before, after := &multiset{}, &multiset{}
	rows, listed := make([]T, 0, fileRows), 0
	flush := func() error {
		path, err := WriteRows(ctx, l, s.table, j.stem, j.partition, values, rows)
		out.paths, rows, listed = append(out.paths, path), rows[:0], 0
		return err
	}
	for row, err := range inOrder(ctx, l, s, j.files) {
		if err != nil {
			return out, err
		}
		if s.drop != nil && s.drop(row) {
			out.dropped++
			continue
		}
		addRow(before, row)
		if s.values != nil {
			listed += s.values(row)
		}
		if rows = append(rows, *row); len(rows) == fileRows || listed >= fileValues {
			if err := flush(); err != nil {
				return out, err
			}
		}
	}
	if len(rows) > 0 {
		if err := flush(); err != nil {
			return out, err
		}
	}
	for _, path := range out.paths {
		if err := ReadRows(ctx, l, path, func(rows []T) error {
			for i := range rows {
				addRow(after, &rows[i])
			}
			return nil
		}); err != nil {
			return out, err
		}
	}
	if !before.equal(after) {
		return out, errRowsDiffer(before, after)
	}
	out.rows = after.rows
	return out, nil
}

func errRowsDiffer(before, after *multiset) error {
	return fmt.Errorf("%d rows were read and %d others written: nothing was committed", before.rows, after.rows)
}

// smallFilesByPartition chooses the small files of each partition that has many, or everything.
func smallFilesByPartition(files []File, full bool) []job {
	byPartition := map[string][]File{}
	for _, f := range files {
		if full || isSmall(f) {
			dir := partitionDir(f.Partition)
			byPartition[dir] = append(byPartition[dir], f)
		}
	}
	var jobs []job
	for _, dir := range sortedKeys(byPartition) {
		if group := byPartition[dir]; full || len(group) > smallFilesOK {
			stem := "compacted"
			if full {
				stem = "full" // of the bytes alone, so that equal content has equal names
			}
			jobs = append(jobs, job{files: group, partition: group[0].Partition, stem: stem})
		}
	}
	return jobs
}

// enoughFiles is from how many files on a run of small ones is folded together.
func enoughFiles(full bool) int {
	if full {
		return 2
	}
	return smallFilesOK + 1
}

// runsOf cuts files that are in order into runs that may become one file each: neighbours in the same partition that
// follow each other, with no more rows than a file has. Runs of fewer files than enough are left out.
func runsOf(files []File, enough int, follows func(a, b File) bool) [][]File {
	var runs [][]File
	var run []File
	var rows int64
	for _, f := range files {
		if len(run) > 0 {
			last := run[len(run)-1]
			if rows+f.Rows > fileRows || partitionDir(last.Partition) != partitionDir(f.Partition) || !follows(last, f) {
				runs, run, rows = append(runs, run), nil, 0
			}
		}
		run, rows = append(run, f), rows+f.Rows
	}
	return slices.DeleteFunc(append(runs, run), func(run []File) bool { return len(run) < enough })
}

// neighboursInBronze chooses runs of files of received rows whose offsets follow each other without a gap: one name can
// then say what the new file holds.
func neighboursInBronze(files []File, full bool) []job {
	names := map[string]BronzeName{}
	var named []File
	for _, f := range files {
		if name, ok := ParseBronzeName(f.Path); ok {
			names[f.Path], named = name, append(named, f)
		}
	}
	slices.SortFunc(named, func(a, b File) int {
		x, y := names[a.Path], names[b.Path]
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Start, y.Start))
	})
	var jobs []job
	for _, run := range runsOf(named, enoughFiles(full), func(a, b File) bool {
		return names[a.Path].Partition == names[b.Path].Partition && names[a.Path].End == names[b.Path].Start
	}) {
		first, last := names[run[0].Path], names[run[len(run)-1].Path]
		jobs = append(jobs, job{files: run, partition: run[0].Partition,
			stem: BronzeName{first.Partition, first.Start, last.End}.String()})
	}
	return jobs
}
