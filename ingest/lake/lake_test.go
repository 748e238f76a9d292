package lake_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

func openLake(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := lake.Open(t.Context(), lake.Config{
		Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func load(t *testing.T, l *lake.Lake, table string) *lake.Snapshot {
	t.Helper()
	s, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func hour(user string, day int32, value int32) schemas.SeriesHour {
	return schemas.SeriesHour{
		UserID: user, Metric: schemas.HeartRate, DeviceID: "watch", HourAt: int64(day) * 86_400_000_000,
		LocalMonth: 201604, LocalDate: day, UTCOffsetMin: 120, PeriodMS: 60_000, Source: "native",
		OffsetsMS: []int32{0}, Values: []int32{value, value + 1},
		Revisions: []schemas.RevisionRun{{Count: 2, Seq: 1, BrokerAt: 5, Offset: 9}},
	}
}

func writeHours(t *testing.T, l *lake.Lake, rows ...schemas.SeriesHour) string {
	t.Helper()
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSeriesHours, "test",
		map[string]int64{"local_month": 201604, "user_bucket": 0}, map[string]string{"rows": "some"}, rows)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func readHours(t *testing.T, l *lake.Lake, s *lake.Snapshot) []schemas.SeriesHour {
	t.Helper()
	var all []schemas.SeriesHour
	for _, f := range s.Files {
		if err := lake.ReadRows(t.Context(), l, f.Path, func(rows []schemas.SeriesHour) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestCommittedFilesAreListedWithTheirBounds(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	rows := []schemas.SeriesHour{hour("a-person-with-a-rather-long-id-1", 16_900, 60), hour("b", 16_905, 70)}
	path := writeHours(t, l, rows...)

	base := load(t, l, schemas.TableSeriesHours)
	if base.ID != 0 || len(base.Files) != 0 {
		t.Fatalf("a new table has snapshot %d and %d files, want none", base.ID, len(base.Files))
	}
	got, err := l.Commit(t.Context(), lake.Commit{Base: base, ID: "c1", Add: []string{path},
		Properties: map[string]string{"merge.wm.0": "17"}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Properties["merge.wm.0"] != "17" {
		t.Errorf("watermark is %q, want 17", got.Properties["merge.wm.0"])
	}
	if diff := cmp.Diff(rows, readHours(t, l, got)); diff != "" {
		t.Error("rows read back differ (-want +got):\n" + diff)
	}
	f := got.Files[0]
	if f.Path != path || f.Rows != 2 {
		t.Errorf("file is %s with %d rows, want %s with 2", f.Path, f.Rows, path)
	}
	if f.Lower["user_id"].Text != "a-person-with-a-rather-long-id-1" || f.Upper["user_id"].Text != "b" {
		t.Errorf("bounds of user_id are %q and %q", f.Lower["user_id"].Text, f.Upper["user_id"].Text)
	}
	if f.Lower["local_date"].Int != 16_900 || f.Upper["local_date"].Int != 16_905 {
		t.Errorf("bounds of local_date are %d and %d", f.Lower["local_date"].Int, f.Upper["local_date"].Int)
	}
	if f.Partition["local_month"] != 201604 {
		t.Errorf("partition is %v", f.Partition)
	}
}

func TestACommitOnAnOldBaseConflictsAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	base := load(t, l, schemas.TableSeriesHours)
	commit := func(base *lake.Snapshot, id string, properties map[string]string, add ...string) (*lake.Snapshot, error) {
		return l.Commit(context.Background(), lake.Commit{Base: base, ID: id, Add: add, Properties: properties})
	}
	// Properties alone move no snapshot, and must conflict all the same.
	if _, err := commit(base, "first", map[string]string{"merge.wm.0": "10"}); err != nil {
		t.Fatal(err)
	}
	if _, err := commit(base, "second", map[string]string{"merge.wm.0": "5"}); !errors.Is(err, lake.ErrConflict) {
		t.Fatalf("second commit on the same base gave %v, want ErrConflict", err)
	}
	if _, err := commit(base, "third", nil, writeHours(t, l, hour("a", 16_900, 60))); !errors.Is(err, lake.ErrConflict) {
		t.Fatalf("third commit on the same base gave %v, want ErrConflict", err)
	}
	now := load(t, l, schemas.TableSeriesHours)
	if now.Properties["merge.wm.0"] != "10" || len(now.Files) != 0 {
		t.Errorf("after refused commits the watermark is %s with %d files", now.Properties["merge.wm.0"], len(now.Files))
	}
}

func TestReplacedFilesLeaveTheNextSnapshotAndStayInTheLast(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	first, err := l.Commit(t.Context(), lake.Commit{Base: load(t, l, schemas.TableSeriesHours), ID: "1",
		Add: []string{writeHours(t, l, hour("a", 16_900, 60)), writeHours(t, l, hour("b", 16_900, 60))}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Commit(t.Context(), lake.Commit{Base: first, ID: "2",
		Add: []string{writeHours(t, l, hour("a", 16_900, 90))}, Remove: []string{first.Files[0].Path}})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Files) != 2 || len(readHours(t, l, first)) != 2 {
		t.Fatalf("second snapshot has %d files, want 2; the first reads %d rows, want 2", len(second.Files), len(readHours(t, l, first)))
	}
	third, err := l.Commit(t.Context(), lake.Commit{Base: second, ID: "3",
		Remove: []string{second.Files[0].Path, second.Files[1].Path}})
	if err != nil {
		t.Fatal(err)
	}
	if len(third.Files) != 0 {
		t.Errorf("after removing all, %d files are left", len(third.Files))
	}
}

func TestASweepKeepsWhatSnapshotsNeedAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLake(t, dir)
	s := load(t, l, schemas.TableSeriesHours)
	for i := range int32(70) {
		var err error
		s, err = l.Commit(t.Context(), lake.Commit{Base: s, ID: fmt.Sprint("commit ", i),
			Add: []string{writeHours(t, l, hour("a", 16_900+i, i))}})
		if err != nil {
			t.Fatal(err)
		}
	}
	left, err := lake.WriteRows(t.Context(), l, schemas.TableSeriesHours, "left", nil, nil, []schemas.SeriesHour{hour("z", 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Sweep(t.Context(), schemas.TableSeriesHours, time.Hour); n != 0 || err != nil {
		t.Fatalf("a sweep of young files removed %d, error %v", n, err)
	}
	if _, err := l.Sweep(t.Context(), schemas.TableSeriesHours, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file nobody committed survived: %v", err)
	}
	if n := len(readHours(t, l, load(t, openLake(t, dir), schemas.TableSeriesHours))); n != 70 {
		t.Errorf("after the sweep %d rows can be read, want 70", n)
	}
	if len(s.Files) != 70 {
		t.Errorf("%d files are live, want 70", len(s.Files))
	}
	versions, err := filepath.Glob(filepath.Join(dir, "lake", "silver", "series_hours", "metadata", "*.metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) > 40 {
		t.Errorf("%d metadata files are kept, want at most 40", len(versions))
	}
}

func TestTablesListsWhatWasMade(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	got, err := l.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"bronze.ingest_gaps", "bronze.sync_records", "silver.daily_summaries", "silver.deletions", "silver.dirty_days",
		"silver.events", "silver.readings", "silver.rr_runs", "silver.series_hours", "silver.sleep_segments", "silver.workout_points",
		"silver.workouts"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("tables (-want +got):\n" + diff)
	}
}

func TestALoadOfNothingSaysSo(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	if _, err := l.Load(t.Context(), "gold.nothing"); !errors.Is(err, lake.ErrNoTable) || !strings.Contains(err.Error(), "gold.nothing") {
		t.Errorf("load of a missing table gave %v, want ErrNoTable with its name", err)
	}
}

func TestALakeThatWasMovedIsRefusedWithItsOldPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, moved := filepath.Join(dir, "old"), filepath.Join(dir, "moved")
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	openLake(t, old)
	if err := os.CopyFS(moved, os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	db, err := ledger.Open(t.Context(), filepath.Join(moved, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = lake.Open(t.Context(), lake.Config{Dir: filepath.Join(moved, "lake"), Catalog: db, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), old) {
		t.Errorf("opening a moved lake gave %v, want a conflict that names %s", err, old)
	}
}

func contains(err error, part string) bool { return err != nil && strings.Contains(err.Error(), part) }
