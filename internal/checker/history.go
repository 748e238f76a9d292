package checker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// The properties that may only rise: where a table stands in a partition, and who may write it ("17:owner").
const (
	watermarkPart = ".wm."
	epochPart     = ".ep."
	movedByPart   = "ingest.by." // the epoch a watermark was moved in
	epochMark     = "ingest.ep."
)

// history is how far a table's versions were walked.
type history struct {
	path       string // the last version seen
	properties map[string]string
}

// checkHistory walks the versions of each table since it was last looked at, as far as the table remembers them, and
// looks at every step from one to the next.
func (c *Checker) checkHistory(ctx context.Context, tables map[string]*table, whole map[string]bool, found *findings) error {
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := tables[name]
		before := c.seen[name]
		paths, follows := c.unseen(t)
		for _, path := range paths {
			v := t.version
			if path != t.path {
				var err error
				if v, err = readVersion(name, path); err != nil {
					if gone(err) {
						follows = false
						continue // forgotten; the next one is compared with what was seen last
					}
					found.add(Atomic, name, filepath.Base(path), "its metadata cannot be read: %v", err)
					continue
				}
			}
			if before != nil {
				checkMarks(before, v, found)
				if follows {
					checkOwners(before, v, found)
				}
			}
			before, follows = &history{path, v.properties}, true
		}
		c.seen[name] = before
		if err := c.checkRewrites(ctx, t, whole, found); err != nil {
			return err
		}
	}
	return nil
}

// unseen returns the metadata files from the first that was not looked at to the current one, and whether the first of
// them follows what was seen last: the table remembers so many versions and no more.
func (c *Checker) unseen(t *table) (paths []string, follows bool) {
	all := append(slices.Clone(t.earlier), t.path)
	before := c.seen[t.table]
	if before == nil {
		return all, false
	}
	if i := slices.Index(all, before.path); i >= 0 {
		return all[i+1:], true
	}
	return all, false
}

// checkMarks looks at one step: watermarks and epochs do not fall, and a watermark moves only under the epoch that
// stood before or a higher one.
func checkMarks(before *history, after *version, found *findings) {
	for key, was := range before.properties {
		is, kept := after.properties[key]
		switch {
		case strings.Contains(key, watermarkPart):
			from, to, ok := numbers(was, is)
			if !kept || !ok || to < from {
				found.add(Monotonic, after.table, key, "the watermark goes from %s to %q", was, is)
			}
		case strings.Contains(key, epochPart):
			from, to, ok := numbers(epochOf(was), epochOf(is))
			switch {
			case !kept || !ok || to < from:
				found.add(Monotonic, after.table, key, "the epoch goes from %s to %q", was, is)
			case to == from && was != is:
				found.add(Fencing, after.table, key, "two owners have epoch %d", to)
			}
		}
	}
	for key, is := range after.properties {
		if strings.Contains(key, watermarkPart) {
			if n, err := strconv.ParseInt(is, 10, 64); err != nil || n < 0 {
				found.add(Monotonic, after.table, key, "the watermark %q is no offset", is)
			}
		}
	}
}

// checkOwners looks at one step of bronze, from a version to the very next: who moves a watermark says in which epoch, and
// it is the one that stood before the step and stands after it. A lake that was made anew from its files begins without
// epochs.
func checkOwners(before *history, after *version, found *findings) {
	for key, is := range after.properties {
		partition, ok := strings.CutPrefix(key, ingestMark)
		if !ok || is == before.properties[key] {
			continue
		}
		stood, stands := before.properties[epochMark+partition], after.properties[epochMark+partition]
		if by := after.properties[movedByPart+partition]; by != stood || by != stands {
			found.add(Fencing, after.table, key, "it was moved to %s in epoch %q, and %q stood", is, epochOf(by), epochOf(stood))
		}
	}
}

func epochOf(property string) string {
	epoch, _, _ := strings.Cut(property, ":")
	return epoch
}

func numbers(a, b string) (x, y int64, ok bool) {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	return x, y, errX == nil && errY == nil
}

// checkRewrites compares the snapshots of a table that follow each other: one that takes files away and moves no
// watermark only rewrote them, and the rows that went are the rows that came. Whether a step moved a watermark stands
// in the properties of the version that it made, so only steps whose two versions are still there are compared.
func (c *Checker) checkRewrites(ctx context.Context, t *table, whole map[string]bool, found *findings) error {
	if strings.HasPrefix(t.table, "gold.") || t.table == schemas.TableDirtyDays {
		return nil // a model is built anew, and the list of dirty days is worked off: their rows are their own affair
	}
	marks := c.marksBySnapshot(t)
	for i := 1; i < len(t.snapshots); i++ {
		from, to := t.snapshots[i-1], t.snapshots[i]
		step := t.table + "/" + strconv.FormatInt(to.id, 10)
		if c.verified[step] || marks[from.id] == nil || marks[to.id] == nil || !maps.Equal(marks[from.id], marks[to.id]) {
			continue
		}
		went, came := exchanged(t.listings[from.id], t.listings[to.id])
		if len(went) == 0 && (len(came) == 0 || t.table == tableGaps) {
			continue // nothing happened, or something else is on record
		}
		if !allWhole(whole, went) || !allWhole(whole, came) {
			continue // reported already
		}
		before, err := c.digest(ctx, went)
		after, errAfter := c.digest(ctx, came)
		if err := errors.Join(err, errAfter); err != nil {
			if anyGone(slices.Concat(went, came)) {
				continue // they were removed meanwhile, as old files are
			}
			return err
		}
		if before != after {
			found.add(RewriteNeutral, t.table, fmt.Sprintf("snapshot %d", to.id), "the step moves no watermark, and its rows went from %s to %s", before, after)
		}
		c.verified[step] = true
	}
	return nil
}

// marksBySnapshot returns the watermarks that stood when a snapshot was made.
func (c *Checker) marksBySnapshot(t *table) map[int64]map[string]string {
	marks := map[int64]map[string]string{}
	for _, path := range append(slices.Clone(t.earlier), t.path) {
		v := t.version
		if path != t.path {
			var err error
			if v, err = readVersion(t.table, path); err != nil {
				continue // forgotten, or reported already
			}
		}
		if _, made := marks[v.current]; made {
			continue // a step of properties alone
		}
		marks[v.current] = map[string]string{}
		for key, value := range v.properties {
			if strings.Contains(key, watermarkPart) {
				marks[v.current][key] = value
			}
		}
	}
	return marks
}

func exchanged(from, to *listing) (went, came []string) {
	if from == nil || to == nil {
		return nil, nil
	}
	before, after := map[string]bool{}, map[string]bool{}
	for _, f := range from.data {
		before[f.path] = true
	}
	for _, f := range to.data {
		after[f.path] = true
		if !before[f.path] {
			came = append(came, f.path)
		}
	}
	for path := range before {
		if !after[path] {
			went = append(went, path)
		}
	}
	return went, came
}

func allWhole(whole map[string]bool, paths []string) bool {
	return !slices.ContainsFunc(paths, func(p string) bool { return !whole[p] })
}

// marks returns a table's watermarks with a prefix, by partition.
func (v *version) marks(prefix string) map[int32]int64 {
	marks := map[int32]int64{}
	for key, value := range v.properties {
		suffix, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		p, errP := strconv.ParseInt(suffix, 10, 32)
		n, errN := strconv.ParseInt(value, 10, 64)
		if errP == nil && errN == nil {
			marks[int32(p)] = n
		}
	}
	return marks
}

// The prefixes of the watermarks.
const (
	ingestMark = "ingest.wm."
	mergeMark  = "merge.wm."
	buildMark  = "build.wm."
)

// behind reports every table that has not come as far as the journal. A partition to which nothing was sent may have
// no mark.
func behind(tables map[string]*table, ends map[int32]int64, found *findings) {
	if tables[schemas.TableSyncRecords] == nil {
		found.add(Liveness, schemas.TableSyncRecords, "catalog", "there is no such table")
	}
	for name, t := range tables {
		prefix := follows(name)
		if prefix == "" {
			continue
		}
		marks := t.marks(prefix)
		for p, end := range ends {
			if marks[p] < end {
				found.add(Liveness, name, fmt.Sprintf("partition %d", p), "it has come to offset %d of %d", marks[p], end)
			}
		}
	}
}

// follows returns the prefix of the watermarks a table must have, "" when it follows no topic.
func follows(table string) string {
	switch {
	case table == schemas.TableSyncRecords:
		return ingestMark
	case slices.Contains(mergedTables(), table):
		return mergeMark
	case strings.HasPrefix(table, "gold."):
		return buildMark
	default:
		return ""
	}
}

// mergedTables are the tables that are computed from the journal.
func mergedTables() []string {
	return []string{schemas.TableSeriesHours, schemas.TableSleepSegments, schemas.TableReadings,
		schemas.TableDailySummaries, schemas.TableEvents, schemas.TableRRRuns, schemas.TableWorkouts,
		schemas.TableWorkoutPoints, schemas.TableDeletions}
}

// Behind reports every table that has not come as far as the journal: what a pipeline with nothing in its way must
// settle in time. Those named must be there by then; of others it knows only once they are.
func (c *Checker) Behind(ctx context.Context, journal *Journal, names ...string) ([]Finding, error) {
	found := &findings{}
	locations, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, ok := locations[name]; !ok {
			found.add(Liveness, name, "catalog", "it is not there yet")
		}
	}
	tables := map[string]*table{}
	for name, path := range locations {
		v, err := readVersion(name, path)
		if gone(err) {
			found.add(Liveness, name, "catalog", "it is being written")
			continue
		}
		if err != nil {
			return nil, err
		}
		tables[name] = &table{version: v}
	}
	behind(tables, journal.Ends(), found)
	return found.list(), nil
}

// Received returns, by partition, the offset below which everything is in bronze.
func (c *Checker) Received(ctx context.Context) (map[int32]int64, error) {
	locations, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	v, err := readVersion(schemas.TableSyncRecords, locations[schemas.TableSyncRecords])
	if err != nil {
		return nil, fmt.Errorf("read watermarks: %w", err)
	}
	return v.marks(ingestMark), nil
}
