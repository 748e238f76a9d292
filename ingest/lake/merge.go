package lake

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// roundBytes is how much of bronze, as it lies in memory, fills a round of merging. A round reads whole files, so it may
// take one file more.
const roundBytes = 128 << 20

// A Merger brings silver up to date with bronze. One runs per lake; a second one does no harm, for every commit is
// checked against what it was computed from.
type Merger struct {
	lake       *Lake
	log        *slog.Logger
	roundBytes int
}

// NewMerger returns the merger of a lake.
func NewMerger(l *Lake) *Merger { return &Merger{lake: l, log: l.cfg.Logger, roundBytes: roundBytes} }

// Run merges until silver holds all that bronze held when Run last looked. It reports whether anything was merged.
func (m *Merger) Run(ctx context.Context) (merged bool, err error) {
	for {
		more, err := m.round(ctx)
		if errors.Is(err, ErrConflict) {
			continue // somebody else merged or compacted: look again
		}
		if err != nil || !more {
			return merged, err
		}
		merged = true
	}
}

// round merges one helping of bronze into every silver table. The order of the commits matters: deletions first, for
// every other table asks them what to hide; within a table the list of dirty days before the table's own rows, so that
// a crash between the two leaves days dirty that need not be, and never the other way round.
func (m *Merger) round(ctx context.Context) (bool, error) {
	start := m.lake.cfg.Now()
	r, err := m.open(ctx)
	if err != nil || r == nil {
		return false, err
	}
	if err := mergeTable(ctx, r, deletionRows()); err != nil {
		return false, err
	}
	if r.deletions, err = r.readDeletions(ctx); err != nil {
		return false, err
	}
	for _, merge := range []func() error{
		func() error { return mergeSeries(ctx, r) },
		func() error { return mergeTable(ctx, r, sleepSegments()) },
		func() error { return mergeTable(ctx, r, readings()) },
		func() error { return mergeTable(ctx, r, dailySummaries()) },
		func() error { return mergeTable(ctx, r, events()) },
		func() error { return mergeTable(ctx, r, rrRuns()) },
		func() error { return mergeTable(ctx, r, workoutPoints()) }, // asks workouts where an earlier version lies
		func() error { return mergeTable(ctx, r, workouts()) },
	} {
		if err := merge(); err != nil {
			return false, err
		}
	}
	m.log.InfoContext(ctx, "merged", schemas.LogKeyRows, r.received.rows, schemas.LogKeyDays, r.dirtyDays,
		schemas.LogKeyTook, m.lake.cfg.Now().Sub(start).Round(time.Millisecond))
	return true, nil
}

// A round is one helping of bronze: the records of every partition from where the slowest silver table stands.
type round struct {
	lake      *Lake
	bases     map[string]*Snapshot // of the silver tables
	received  *received
	upto      map[int32]int64 // by partition: where the round ends
	deletions *deletions
	dirtyDays int
}

// open reads the next helping; it returns nil when silver is up to date.
func (m *Merger) open(ctx context.Context) (*round, error) {
	bronze, err := m.lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	received, err := bronze.Watermarks(IngestWatermark)
	if err != nil {
		return nil, err
	}
	r := &round{lake: m.lake, bases: map[string]*Snapshot{}, received: newReceived(), upto: received}
	from := map[int32]int64{} // a partition not yet merged starts at 0
	first := true
	for _, table := range SilverTables() {
		base, err := m.lake.Load(ctx, table)
		if err != nil {
			return nil, err
		}
		r.bases[table] = base
		merged, err := base.Watermarks(MergeWatermark)
		if err != nil {
			return nil, err
		}
		for p := range received {
			if first || merged[p] < from[p] {
				from[p] = merged[p]
			}
		}
		first = false
	}
	pending := false
	for p, offset := range received {
		pending = pending || from[p] < offset
	}
	if !pending {
		return nil, nil
	}
	return r, r.read(ctx, bronze, from, m.roundBytes)
}

// SilverTables are the tables that are merged from bronze; a build may read what all of them hold.
func SilverTables() []string {
	return []string{
		schemas.TableDeletions, schemas.TableSeriesHours, schemas.TableSleepSegments,
		schemas.TableReadings, schemas.TableDailySummaries, schemas.TableEvents,
		schemas.TableRRRuns, schemas.TableWorkoutPoints, schemas.TableWorkouts,
	}
}

// read reads bronze from the given offsets on, whole files at a time, until the round is full. The files of a partition
// cover disjoint ranges of offsets, so a round may end where a file begins.
func (r *round) read(ctx context.Context, bronze *Snapshot, from map[int32]int64, enough int) error {
	files := slices.Clone(bronze.Files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Lower["offset"].Int, b.Lower["offset"].Int) })
	full := map[int32]bool{}
	for _, f := range files {
		p := int32(f.Lower["partition"].Int)
		if f.Upper["offset"].Int < from[p] || full[p] {
			continue
		}
		if r.received.bytes() >= enough {
			full[p] = true
			r.upto[p] = f.Lower["offset"].Int
			continue
		}
		if err := r.lake.Check(ctx, f); err != nil {
			return err
		}
		if err := r.received.read(ctx, r.lake, f.Path, from[p]); err != nil {
			return err
		}
	}
	r.received.sortItems()
	return failpoint.Hit("merge.read")
}

// commit makes the merged files of a table and its watermark true at once.
func (r *round) commit(ctx context.Context, table string, add, remove []string) error {
	if err := failpoint.Hit("merge.before_commit"); err != nil {
		return err
	}
	_, err := r.lake.Commit(ctx, Commit{
		Base: r.bases[table], ID: rand.Text(), Add: add, Remove: remove,
		Properties: WatermarkProperties(MergeWatermark, r.upto),
	})
	return err
}

// behind reports whether the table has not yet merged all of this round.
func (r *round) behind(table string) (from map[int32]int64, behind bool, err error) {
	from, err = r.bases[table].Watermarks(MergeWatermark)
	if err != nil {
		return nil, false, err
	}
	for p, offset := range r.upto {
		behind = behind || from[p] < offset
	}
	return from, behind, nil
}

// recordDirty appends to the list of dirty days. It is not part of the table's own commit and need not be: a day that
// is dirty without reason is built again and comes out the same.
func (r *round) recordDirty(ctx context.Context, days []schemas.DirtyDay) error {
	if len(days) == 0 {
		return nil
	}
	r.dirtyDays += len(days)
	path, err := WriteRows(ctx, r.lake, schemas.TableDirtyDays, "dirty", nil, nil, days)
	if err != nil {
		return err
	}
	for {
		base, err := r.lake.Load(ctx, schemas.TableDirtyDays)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(base.Files, func(f File) bool { return f.Path == path }) {
			return nil // the same list, written by a round that was cut off after this step
		}
		_, err = r.lake.Commit(ctx, Commit{Base: base, ID: rand.Text(), Add: []string{path}})
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("record dirty days: %w", err)
		}
		return nil
	}
}
