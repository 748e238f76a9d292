package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

const (
	fileRows     = 65_536 // rows of a silver file: what one late batch costs to rewrite
	smallFile    = fileRows / 4
	smallFilesOK = 8 // more small files than these in a partition are folded together
)

// A merging says how the rows of one silver table come together.
type merging[T any] struct {
	table string
	kind  schemas.RecordKind
	// convert makes a row of a bronze record.
	convert func(*schemas.SyncRecord) T
	// compare orders rows by key; rows that compare equal are resolved together.
	compare func(a, b *T) int
	// resolve returns what is left of rows with one key, in their stored order. Fresh rows come after the old ones, in
	// the order in which they were received.
	resolve func(old, fresh []T, hide *deletions) []T
	// same reports whether two resolved groups say the same, whatever revision said it.
	same func(a, b []T) bool
	// about says whose row it is and what a deletion would have to name.
	about func(*T) about
	// partition returns the partition a row is stored in, nil for tables without.
	partition func(*T) map[string]int64
	// timeColumn is the column by which files are told apart within a person, "" when the person is enough.
	timeColumn string
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
	old := affectedFiles(r.bases[m.table].Files, m, fresh, erasing)
	out := &outputs[T]{lake: r.lake, merging: m}
	dirty := &dirtySet{}
	err = eachGroup(ctx, m, old, fresh, func(was, now []T) error {
		return mergeGroup(m, was, now, origin, r.deletions, erasing, out, dirty)
	})
	if err := errors.Join(err, out.close()); err != nil {
		return errors.Join(fmt.Errorf("merge %s: %w", m.table, err), out.discard())
	}
	if m.table != schemas.TableDeletions { // what a deletion hides is dirty where it was hidden
		if err := r.recordDirty(ctx, dirty.days(m.table, r.upto)); err != nil {
			return err
		}
	}
	add, remove := exchange(old, out.paths)
	return r.commit(ctx, m.table, add, remove)
}

// mergeGroup resolves the rows of one key and writes what is left.
func mergeGroup[T any](m merging[T], was, now []T, origin func(*T) int32, hide *deletions, erasing []deletion,
	out *outputs[T], dirty *dirtySet) error {
	var reasons []deletion
	if len(was) > 0 {
		reasons = touching(erasing, m.about(&was[0]), m.about(&was[len(was)-1]))
	}
	if len(now) == 0 && len(reasons) == 0 {
		return out.write(was...) // most hours exist once and pass untouched
	}
	left := m.resolve(was, now, hide)
	if !m.same(was, left) {
		for _, rows := range [][]T{was, left} {
			for i := range rows {
				place := m.about(&rows[i])
				for j := range now {
					dirty.add(origin(&now[j]), place, "data")
				}
				for _, d := range reasons {
					dirty.add(d.row.Revision.Partition, place, "deletion")
				}
			}
		}
	}
	return out.write(left...)
}

// freshRows converts the round's records of the table's kind, sorted by key; origin tells the partition a row came by.
func freshRows[T any](r *round, m merging[T], from map[int32]int64) (rows []T, origin func(*T) int32) {
	partitions := map[string]int32{}
	for i := range r.records {
		rec := &r.records[i]
		if rec.Kind != m.kind || rec.Offset < from[rec.Partition] || rec.Offset >= r.upto[rec.Partition] {
			continue
		}
		rows = append(rows, m.convert(rec))
		partitions[rec.UserID] = rec.Partition // a person's messages share a key, and so a partition
	}
	return sorted(rows, m.compare), func(row *T) int32 { return partitions[m.about(row).user] }
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

// affectedFiles chooses the files that may hold a key of the fresh rows or of what the deletions hide, and folds in the
// small files of the partitions it touches when there are many.
func affectedFiles[T any](files []File, m merging[T], fresh []T, erasing []deletion) []File {
	var chosen []File
	var rest []File
	touched := map[string]bool{}
	for i := range fresh {
		if m.partition != nil {
			touched[partitionDir(m.partition(&fresh[i]))] = true
		}
	}
	for _, f := range files {
		if fileMayHold(f, m, fresh, erasing) {
			chosen = append(chosen, f)
			touched[partitionDir(f.Partition)] = true
		} else {
			rest = append(rest, f)
		}
	}
	small := map[string][]File{}
	for _, f := range rest {
		if dir := partitionDir(f.Partition); f.Rows < smallFile && touched[dir] {
			small[dir] = append(small[dir], f)
		}
	}
	for _, dir := range sortedKeys(small) {
		if len(small[dir]) > smallFilesOK {
			chosen = append(chosen, small[dir]...)
		}
	}
	return chosen
}

func fileMayHold[T any](f File, m merging[T], fresh []T, erasing []deletion) bool {
	lower, upper := f.Lower["user_id"].Text, f.Upper["user_id"].Text
	first, last := f.Lower[m.timeColumn].Int, f.Upper[m.timeColumn].Int
	within := func(user string, from, to int64) bool {
		return user >= lower && user <= upper && (m.timeColumn == "" || from <= last && to >= first)
	}
	// Fresh rows are sorted by person first: only those within the file's range of people are looked at.
	start, _ := slices.BinarySearchFunc(fresh, lower, func(row T, user string) int {
		return cmp.Compare(m.about(&row).user, user)
	})
	for i := start; i < len(fresh); i++ {
		place := m.about(&fresh[i])
		if place.user > upper {
			break
		}
		if within(place.user, place.from, place.to) {
			return true
		}
	}
	return slices.ContainsFunc(erasing, func(d deletion) bool {
		return within(d.row.UserID, d.row.FromAt-hourUS, d.row.ToAt)
	})
}

// eachGroup walks old files and fresh rows side by side in order of key and calls do once per key.
func eachGroup[T any](ctx context.Context, m merging[T], old []File, fresh []T, do func(was, now []T) error) error {
	cursors := make([]*cursor[T], 0, len(old))
	defer func() {
		for _, c := range cursors {
			c.close()
		}
	}()
	for _, f := range old {
		c, err := openCursor[T](f.Path)
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
		if err := do(was, now); err != nil {
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

// outputs writes the merged rows of a table, one file per partition at a time.
type outputs[T any] struct {
	lake    *Lake
	merging merging[T]
	open    map[string]*output[T]
	paths   []string
}

type output[T any] struct {
	tmp       string
	partition map[string]int64
	writer    *writer[T]
}

func (o *outputs[T]) write(rows ...T) error {
	for i := range rows {
		var partition map[string]int64
		if o.merging.partition != nil {
			partition = o.merging.partition(&rows[i])
		}
		w, err := o.to(partition)
		if err != nil {
			return err
		}
		if err := w.writer.write(rows[i : i+1]); err != nil {
			return err
		}
		if w.writer.n >= fileRows {
			if err := o.publish(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *outputs[T]) to(partition map[string]int64) (*output[T], error) {
	dir := partitionDir(partition)
	if w, ok := o.open[dir]; ok {
		return w, nil
	}
	tmp, err := o.lake.TempPath(o.merging.table)
	if err != nil {
		return nil, err
	}
	w, err := newWriter[T](tmp, nil)
	if err != nil {
		return nil, err
	}
	if o.open == nil {
		o.open = map[string]*output[T]{}
	}
	o.open[dir] = &output[T]{tmp: tmp, partition: partition, writer: w}
	return o.open[dir], nil
}

func (o *outputs[T]) publish(w *output[T]) error {
	delete(o.open, partitionDir(w.partition))
	if err := w.writer.close(); err != nil {
		return errors.Join(err, os.Remove(w.tmp))
	}
	path, err := o.lake.Publish(o.merging.table, w.tmp, "merged", w.partition)
	if err != nil {
		return err
	}
	o.paths = append(o.paths, path)
	return nil
}

func (o *outputs[T]) close() error {
	for _, dir := range sortedKeys(o.open) {
		if err := o.publish(o.open[dir]); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was not published. What was stays invisible and is swept later.
func (o *outputs[T]) discard() error {
	var errs []error
	for _, w := range o.open {
		errs = append(errs, w.writer.file.Close(), os.Remove(w.tmp))
	}
	return errors.Join(errs...)
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

// dirtySet collects the days that changed.
type dirtySet struct{ seen map[dirtyKey]struct{} }

type dirtyKey struct {
	partition int32
	user      string
	bucket    int32
	date      int32
	reason    string
}

func (d *dirtySet) add(partition int32, place about, reason string) {
	if d.seen == nil {
		d.seen = map[dirtyKey]struct{}{}
	}
	d.seen[dirtyKey{partition, place.user, place.bucket, place.date, reason}] = struct{}{}
}

func (d *dirtySet) days(table string, upto map[int32]int64) []schemas.DirtyDay {
	days := make([]schemas.DirtyDay, 0, len(d.seen))
	for k := range d.seen {
		days = append(days, schemas.DirtyDay{
			Partition: k.partition, Offset: upto[k.partition], UserID: k.user, UserBucket: k.bucket,
			LocalDate: k.date, Domain: table, Reason: k.reason,
		})
	}
	slices.SortFunc(days, func(a, b schemas.DirtyDay) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.UserID, b.UserID),
			cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.Reason, b.Reason))
	})
	return days
}
