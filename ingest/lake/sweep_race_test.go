package lake_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// A raceStore is a store that does something else of another process at the worst moment.
type raceStore struct {
	lake.Store
	beforeMove, afterMove, beforeCreate func()
	isAway                              func(path string) bool // for the moment
}

func (s *raceStore) Open(ctx context.Context, path string) (lake.OpenFile, error) {
	if s.isAway != nil && s.isAway(path) {
		return nil, fs.ErrNotExist
	}
	return s.Store.Open(ctx, path)
}

func once(do *func()) {
	if now := *do; now != nil {
		*do = nil
		now()
	}
}

func (s *raceStore) Move(ctx context.Context, from, to string) error {
	once(&s.beforeMove)
	err := s.Store.Move(ctx, from, to)
	once(&s.afterMove)
	return err
}

func (s *raceStore) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	once(&s.beforeCreate)
	return s.Store.Create(ctx, path)
}

// process opens the lake in dir as another process would.
func process(t *testing.T, dir string) (*lake.Lake, *raceStore) {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	local, err := lake.OpenLocal(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	store := &raceStore{Store: local}
	l, err := lake.Open(t.Context(), lake.Config{Store: store, Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, store
}

// A file that lay unreferenced for hours is published and committed by one process while another sweeps it away. Whoever
// is quicker at which step, and whoever dies, it is where the table says in the end.
func TestAFileThatIsSweptAndCommittedAtTheSameMomentStays(t *testing.T) {
	type race struct {
		sweeper, committer       *lake.Lake
		sweeping, committing     *raceStore
		publish, commit          func()
		grace                    time.Duration
		sweepDies, sweptByCommit bool
	}
	for name, arrange := range map[string]func(*race){
		"published between look and move, committed later": func(r *race) {
			r.sweeping.beforeMove = r.publish
		},
		"published before the move, committed after it": func(r *race) {
			r.sweeping.beforeMove, r.sweeping.afterMove = r.publish, r.commit
		},
		"committed before the move": func(r *race) {
			r.sweeping.beforeMove = func() { r.publish(); r.commit() }
		},
		"committed before the move, and the sweep dies": func(r *race) {
			r.sweeping.beforeMove = func() { r.publish(); r.commit() }
			r.sweepDies = true
		},
		"swept whole while it is committed": func(r *race) {
			r.sweptByCommit, r.grace = true, -time.Hour // whatever its age
			r.committing.beforeCreate = func() {
				if _, err := r.sweeper.Sweep(t.Context(), schemas.TableSeriesHours, r.grace); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := &race{grace: time.Hour}
			r.sweeper, r.sweeping = process(t, dir)
			r.committer, r.committing = process(t, dir)
			path := writeHours(t, r.committer, hour("a", 16_900, 60))
			old := time.Now().Add(-3 * time.Hour)
			if err := os.Chtimes(path, time.Time{}, old); err != nil {
				t.Fatal(err)
			}
			committed := false
			r.publish = func() {
				if again := writeHours(t, r.committer, hour("a", 16_900, 60)); again != path {
					t.Fatalf("published again as %s, was %s", again, path)
				}
			}
			r.commit = func() {
				committed = true
				if _, err := r.committer.Commit(t.Context(), lake.Commit{Base: load(t, r.committer, schemas.TableSeriesHours), ID: "c", Add: []string{path}}); err != nil {
					t.Errorf("commit: %v", err)
				}
			}
			arrange(r)
			if !r.sweptByCommit {
				if r.sweepDies {
					armFailpoint(t, "gc.after_move=error")
				}
				_, err := r.sweeper.Sweep(t.Context(), schemas.TableSeriesHours, r.grace)
				if r.sweepDies != errors.Is(err, failpoint.ErrInjected) || !r.sweepDies && err != nil {
					t.Errorf("sweep: %v", err)
				}
				armFailpoint(t, "")
			}
			if !committed {
				r.commit()
			}
			if r.sweepDies {
				if exists(t, path) {
					t.Fatal("the sweep that dies has not taken the file")
				}
				if _, err := r.sweeper.Sweep(t.Context(), schemas.TableSeriesHours, r.grace); err != nil {
					t.Errorf("next sweep: %v", err)
				}
			}
			if report := verify(t, r.committer); len(report.Problems) > 0 {
				t.Errorf("problems: %v", report.Problems)
			}
			if rows := readHours(t, r.committer, load(t, r.committer, schemas.TableSeriesHours)); len(rows) != 1 {
				t.Errorf("%d rows, want 1", len(rows))
			}
			for _, file := range lakeFiles(t, filepath.Join(dir, "lake")) {
				if strings.Contains(file, "_trash") && filepath.Base(file) == filepath.Base(path) {
					t.Errorf("%s is left", file)
				}
			}
		})
	}
}

func armFailpoint(t *testing.T, list string) {
	t.Helper()
	if err := failpoint.Arm(list); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = failpoint.Arm("") })
}

// What a compaction that died has left is made again under the same name, and a sweep may just be taking it.
func TestACompactionWhoseFileIsBeingSweptIsSupersededAndTriedAgain(t *testing.T) {
	t.Parallel()
	l, store := process(t, t.TempDir())
	s := aStream(2, 1, 60)
	for i := int64(0); i < 60; i += 3 {
		receiveRange(t, l, 0, i, i+3, s.between(0, i, i+3))
	}
	before := rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords)
	opened := 0 // the new file: to look at its rows, and to commit it
	store.isAway = func(path string) bool {
		if name, ok := lake.ParseBronzeName(path); ok && name.Start == 0 && name.End == 60 {
			opened++
		}
		return opened > 1
	}
	if r := compact(t, l, lake.Compaction{}, schemas.TableSyncRecords); r.Superseded != 1 || r.FilesAfter != 0 {
		t.Errorf("%d jobs were superseded and %d files made, want 1 and none", r.Superseded, r.FilesAfter)
	}
	store.isAway = nil
	if r := compact(t, l, lake.Compaction{}, schemas.TableSyncRecords); r.FilesBefore != 20 || r.FilesAfter != 1 {
		t.Errorf("%d files became %d, want 20 and 1", r.FilesBefore, r.FilesAfter)
	}
	if diff := cmp.Diff(before, rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords), byKey()); diff != "" {
		t.Error("rows differ (-want +got):\n" + diff)
	}
}
