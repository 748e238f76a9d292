package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

const (
	fileRows     = 65_536  // rows of a silver file: what one late batch costs to rewrite
	fileValues   = 4 << 20 // values in the lists of rows that may be long, which is then what it costs
	smallFile    = fileRows / 4
	smallBytes   = 1 << 20          // a file of few long rows is not small
	smallFilesOK = 8                // more small files than these in a partition are folded together
	smallGroup   = rowGroupRows / 4 // smaller groups of rows are not worth keeping
)

// A merging says how the rows of one silver table of items come together.
type merging[T any] struct {
	table string
	// fresh makes rows of bronze records, which come in the order in which they were received.
	fresh func(iter.Seq[*schemas.SyncRecord]) []T
	// partition is where a row is stored, values how long its lists are; nil for tables without.
	partition func(*T) filePartition
	values    func(*T) int
	// timeColumns tell files apart, beside the person: fresh rows speak of the first, and what a deletion hides may lie
	// by any of them. A table without has a key without time.
	timeColumns []string
	// places returns where else rows lie that fresh ones may replace; nil = where they themselves do.
	places func(ctx context.Context, r *round, fresh []T) ([]reach, error)
	// compare orders rows by key; rows that compare equal are resolved together.
	compare func(a, b *T) int
	// resolve returns what is left of rows with one key, in their stored order. Fresh rows come after the old ones, in
	// the order in which they were received.
	resolve func(old, fresh []T, hide *deletions) []T
	// same reports whether two resolved groups say the same, whatever revision said it.
	same func(a, b []T) bool
	// about says whose row it is and what a deletion would have to name.
	about func(*T) about
}

// about is what tells a row's place: person, device, what it measures and when (µs, both ends included).
type about struct {
	user     string
	bucket   int32
	device   string
	metric   string
	from, to int64
	date     int32
}

// mergeTable merges the round into one table: it rewrites the files that may hold a key of the round, and no other.
func mergeTable[T any](ctx context.Context, r *round, m merging[T]) error {
	from, behind, err := r.behind(m.table)
	if err != nil || !behind {
		return err
	}
	fresh, origin := freshRows(r, m, from)
	erasing := r.freshDeletions(from)
	speaking, err := reachesOf(ctx, r, m, fresh)
	if err != nil {
		return fmt.Errorf("merge %s: %w", m.table, err)
	}
	old := affectedFiles(r.bases[m.table].Files, m.timeColumns, speaking, erasing)
	if err := r.lake.Check(ctx, old...); err != nil {
		return err
	}
	g := &groupMerge[T]{merging: m, origin: origin, hide: r.deletions, erasing: erasing,
		out: &outputs[T]{lake: r.lake, table: m.table, partition: m.partition, values: m.values}}
	err = eachGroup(ctx, r.lake, m, old, fresh, g.settle)
	if err := errors.Join(err, g.out.close(ctx)); err != nil {
		return errors.Join(fmt.Errorf("merge %s: %w", m.table, err), g.out.discard(ctx))
	}
	if m.table != schemas.TableDeletions { // what a deletion hides is dirty where it was hidden
		if err := r.recordDirty(ctx, g.dirty.days(m.table, r.upto)); err != nil {
			return err
		}
	}
	add, remove := exchange(old, g.out.paths)
	return r.commit(ctx, m.table, add, remove)
}

// A groupMerge settles rows key by key.
type groupMerge[T any] struct {
	merging[T]

	origin  func(*T) int32 // the partition a fresh row came by
	hide    *deletions
	erasing []deletion
	dirty   dirtySet
	out     *outputs[T]
}

// settle resolves the rows of one key and writes what is left. Most rows come once and pass untouched.
func (g *groupMerge[T]) settle(ctx context.Context, was, now []T) error {
	var reasons []deletion
	for i := range was {
		reasons = append(reasons, touching(g.erasing, g.about(&was[i]))...)
	}
	if len(now) == 0 && len(reasons) == 0 {
		return g.out.write(ctx, was)
	}
	left := g.resolve(was, now, g.hide)
	if !g.same(was, left) {
		for _, rows := range [][]T{was, left} {
			for i := range rows {
				about := g.about(&rows[i])
				place := dirtyPlace{about.user, about.bucket, about.date}
				for j := range now {
					g.dirty.add(g.origin(&now[j]), place, dirtyByData)
				}
				for _, d := range reasons {
					g.dirty.add(d.row.Revision.Partition, place, dirtyByDeletion)
				}
			}
		}
	}
	return g.out.write(ctx, left)
}

// freshRows makes rows of the round's records, sorted by key; origin tells the partition a row came by.
func freshRows[T any](r *round, m merging[T], from map[int32]int64) (rows []T, origin func(*T) int32) {
	partitions := map[string]int32{}
	rows = m.fresh(func(yield func(*schemas.SyncRecord) bool) {
		for i := range r.received.items {
			rec := &r.received.items[i]
			if rec.Offset < from[rec.Partition] || rec.Offset >= r.upto[rec.Partition] {
				continue
			}
			partitions[rec.UserID] = rec.Partition // a person's messages share a key, and so a partition
			if !yield(rec) {
				return
			}
		}
	})
	return sorted(rows, m.compare), func(row *T) int32 { return partitions[m.about(row).user] }
}

// eachOf makes a row of each record of a kind.
func eachOf[T any](kind schemas.RecordKind, convert func(*schemas.SyncRecord) T) func(iter.Seq[*schemas.SyncRecord]) []T {
	return func(records iter.Seq[*schemas.SyncRecord]) (rows []T) {
		for rec := range records {
			if rec.Kind == kind {
				rows = append(rows, convert(rec))
			}
		}
		return rows
	}
}

// sorted returns the rows in order, equal ones as they came. Their places are sorted, not they themselves: a row is a
// few hundred bytes.
func sorted[T any](rows []T, compare func(a, b *T) int) []T {
	places := make([]int, len(rows))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(i, j int) int { return cmp.Or(compare(&rows[i], &rows[j]), cmp.Compare(i, j)) })
	out := make([]T, len(rows))
	for i, place := range places {
		out[i] = rows[place]
	}
	return out
}

// A reach is a stretch of time of which fresh rows of a person speak.
type reach struct {
	user     string
	from, to int64 // µs, both ends included
}

// reaches are what fresh rows speak of, in order of person, and the partitions they are for.
type reaches struct {
	list       []reach
	partitions map[string]bool // by folder
}

func reachesOf[T any](ctx context.Context, r *round, m merging[T], fresh []T) (reaches, error) {
	all := reaches{partitions: map[string]bool{}}
	for i := range fresh {
		place := m.about(&fresh[i])
		all.list = append(all.list, reach{place.user, place.from, place.to})
		var stored filePartition
		if m.partition != nil {
			stored = m.partition(&fresh[i])
		}
		all.partitions[partitionDir(stored.columns())] = true
	}
	if m.places == nil {
		return all, nil
	}
	others, err := m.places(ctx, r, fresh)
	all.list = append(all.list, others...)
	slices.SortStableFunc(all.list, func(a, b reach) int { return cmp.Compare(a.user, b.user) })
	return all, err
}

// affectedFiles chooses the files that may hold a key of the fresh rows or of what the deletions hide, and folds in the
// small files of the partitions it touches when there are many. Files are told apart by person, and by time when the
// table has columns of it.
func affectedFiles(files []File, timeColumns []string, fresh reaches, erasing []deletion) []File {
	var chosen []File
	small := map[string][]File{}
	touched := maps.Clone(fresh.partitions)
	for _, f := range files {
		dir := partitionDir(f.Partition)
		switch {
		case fileMayHold(f, timeColumns, fresh, erasing):
			chosen = append(chosen, f)
			touched[dir] = true
		case isSmall(f):
			small[dir] = append(small[dir], f)
		}
	}
	for _, dir := range sortedKeys(small) {
		if touched[dir] && len(small[dir]) > smallFilesOK {
			chosen = append(chosen, small[dir]...)
		}
	}
	return chosen
}

// isSmall reports whether a file is better folded together with others.
func isSmall(f File) bool { return f.Rows < smallFile && f.Bytes < smallBytes }

func fileMayHold(f File, timeColumns []string, fresh reaches, erasing []deletion) bool {
	lower, upper := f.Lower["user_id"].Text, f.Upper["user_id"].Text
	within := func(user string, from, to int64, columns []string) bool {
		return user >= lower && user <= upper && (len(timeColumns) == 0 || slices.ContainsFunc(columns, func(c string) bool {
			return from <= f.Upper[c].Int && to >= f.Lower[c].Int
		}))
	}
	// Only those within the file's range of people are looked at.
	start, _ := slices.BinarySearchFunc(fresh.list, lower, func(r reach, user string) int { return cmp.Compare(r.user, user) })
	for _, r := range fresh.list[start:] {
		if r.user > upper {
			break
		}
		if within(r.user, r.from, r.to, timeColumns[:min(1, len(timeColumns))]) {
			return true
		}
	}
	return slices.ContainsFunc(erasing, func(d deletion) bool {
		return within(d.row.UserID, d.row.FromAt-hourUS, d.row.ToAt, timeColumns)
	})
}

// eachGroup walks old files and fresh rows side by side in order of key and calls do once per key.
func eachGroup[T any](ctx context.Context, l *Lake, m merging[T], old []File, fresh []T,
	do func(ctx context.Context, was, now []T) error) error {
	cursors := make([]*cursor[T], 0, len(old))
	defer func() {
		for _, c := range cursors {
			c.close()
		}
	}()
	for _, f := range old {
		c, err := openCursor[T](ctx, l, f.Path)
		if err != nil {
			return err
		}
		cursors = append(cursors, c)
	}
	var was, now []T
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		key := smallest(m, cursors, fresh)
		if key == nil {
			return nil
		}
		was, now = was[:0], now[:0]
		for _, c := range cursors {
			for c.row != nil && m.compare(c.row, key) == 0 {
				was = append(was, *c.row)
				if err := c.next(); err != nil {
					return err
				}
			}
		}
		for len(fresh) > 0 && m.compare(&fresh[0], key) == 0 {
			now = append(now, fresh[0])
			fresh = fresh[1:]
		}
		if err := do(ctx, was, now); err != nil {
			return err
		}
	}
}

// smallest returns a copy of the row with the smallest key, nil at the end. The files are few, so they are just looked
// at one by one.
func smallest[T any](m merging[T], cursors []*cursor[T], fresh []T) *T {
	var least *T
	for _, c := range cursors {
		if c.row != nil && (least == nil || m.compare(c.row, least) < 0) {
			least = c.row
		}
	}
	if len(fresh) > 0 && (least == nil || m.compare(&fresh[0], least) < 0) {
		least = &fresh[0]
	}
	if least == nil {
		return nil
	}
	key := *least
	return &key
}

// exchange lists what a commit adds and removes. A file that came out as it went in is neither.
func exchange(old []File, paths []string) (add, remove []string) {
	for _, f := range old {
		if !slices.Contains(paths, f.Path) {
			remove = append(remove, f.Path)
		}
	}
	for _, p := range paths {
		if !slices.ContainsFunc(old, func(f File) bool { return f.Path == p }) {
			add = append(add, p)
		}
	}
	return add, remove
}
