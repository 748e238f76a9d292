package lake_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/ingest/lake/laketest"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

func TestALocalStoreKeepsTheContractOfStores(t *testing.T) {
	t.Parallel()
	laketest.Exercise(t, func(t *testing.T) lake.Store {
		t.Helper()
		s, err := lake.OpenLocal(filepath.Join(t.TempDir(), "lake"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestADiskInMemoryKeepsTheContractOfStores(t *testing.T) {
	t.Parallel()
	laketest.Exercise(t, func(*testing.T) lake.Store { return lake.NewLocalStore("/lake", laketest.NewDisk()) })
}

func TestACommitThatAnotherOvertakesOnItsWayConflicts(t *testing.T) {
	t.Parallel()
	disk, dir := laketest.NewDisk(), t.TempDir()
	slow, fast := openLakeOn(t, dir, disk), openLakeOn(t, dir, disk)
	base := load(t, slow, schemas.TableSeriesHours)
	add := []string{writeHours(t, slow, hour("a", 16_900, 60))}
	overtaken := false
	disk.Fault = func(op laketest.Op, path string) error {
		if op != laketest.OpCreate || !strings.Contains(path, "/metadata/") || overtaken {
			return nil
		}
		overtaken = true // the slow one has looked at the table and writes its metadata now
		_, err := fast.Commit(t.Context(), lake.Commit{Base: load(t, fast, schemas.TableSeriesHours), ID: "fast",
			Add: []string{writeHours(t, fast, hour("b", 16_900, 60))}})
		return err
	}
	if _, err := slow.Commit(t.Context(), lake.Commit{Base: base, ID: "slow", Add: add}); !errors.Is(err, lake.ErrConflict) || !overtaken {
		t.Errorf("the commit that was overtaken (%t) gave %v, want ErrConflict", overtaken, err)
	}
	if s := load(t, slow, schemas.TableSeriesHours); !s.Has("fast") || len(s.Files) != 1 {
		t.Errorf("the table has %d files, want the one of the commit that won", len(s.Files))
	}
}

func openLakeOn(t *testing.T, dir string, disk *laketest.Disk) *lake.Lake {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(t.Context(), lake.Config{
		Store: lake.NewLocalStore("/lake", disk), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAFolderThatAKilledProcessMadeIsDurableBeforeItsFilesAre(t *testing.T) {
	t.Parallel()
	disk := laketest.NewDisk()
	disk.Fault = func(op laketest.Op, path string) error {
		if op == laketest.OpSyncDir && path == "/lake" {
			return errPowerCut // the process is killed between making a folder and syncing it
		}
		return nil
	}
	if _, err := lake.NewLocalStore("/lake", disk).CreateTemp(t.Context(), "/lake/bronze/sync_records"); !errors.Is(err, errPowerCut) {
		t.Fatalf("the folder was made with %v, want the failure", err)
	}
	disk.Fault = nil
	object := laketest.Put(t, lake.NewLocalStore("/lake", disk), "/lake/bronze/sync_records", "rows")
	left := lake.NewLocalStore("/lake", disk.CutPower(1, 0))
	if _, err := left.Stat(t.Context(), object.Path); err != nil {
		t.Errorf("after a power cut the file is lost: %v", err)
	}
}

func TestAFileThatCouldNotBePublishedIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	disk := laketest.NewDisk()
	l := openLakeOn(t, t.TempDir(), disk)
	disk.Fault = func(op laketest.Op, path string) error {
		if op == laketest.OpRename {
			return syscall.ENOSPC
		}
		return nil
	}
	if _, err := lake.WriteRows(t.Context(), l, schemas.TableSeriesHours, "test", nil, nil, []schemas.SeriesHour{hour("a", 16_900, 60)}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("writing gave %v, want ENOSPC", err)
	}
	disk.Fault = nil
	for object, err := range l.Store().List(t.Context(), "/lake/silver/series_hours/data") {
		t.Errorf("left behind is %s, error %v", object.Path, err)
	}
}

func TestAFileWhoseSyncFailedIsNotPublished(t *testing.T) {
	t.Parallel()
	disk := laketest.NewDisk()
	s := lake.NewLocalStore("/lake", disk)
	tmp, err := s.CreateTemp(t.Context(), "/lake/t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmp.Write([]byte("rows")); err != nil {
		t.Fatal(err)
	}
	disk.Fault = func(op laketest.Op, _ string) error {
		if op == laketest.OpSync {
			return syscall.EIO
		}
		return nil
	}
	if _, err := s.Publish(t.Context(), tmp.Path(), func(lake.Digest) string { return "/lake/t/rows" }); !errors.Is(err, syscall.EIO) {
		t.Errorf("publishing gave %v, want EIO", err)
	}
	if _, err := s.Stat(t.Context(), "/lake/t/rows"); err == nil {
		t.Error("the file has its name although it is not durable")
	}
}
