package lake_test

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// A setClock is a clock that tests set.
type setClock struct{ ns atomic.Int64 }

func newSetClock() *setClock {
	c := &setClock{}
	c.ns.Store(time.Now().UnixNano())
	return c
}

func (c *setClock) now() time.Time           { return time.Unix(0, c.ns.Load()) }
func (c *setClock) advance(by time.Duration) { c.ns.Add(int64(by)) }
func (c *setClock) lake(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(t.Context(), lake.Config{
		Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: c.now, LeaseFor: 10 * time.Minute,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// rewrite replaces the table's one file by another.
func rewrite(t *testing.T, l *lake.Lake, value int32) *lake.Snapshot {
	t.Helper()
	base := load(t, l, schemas.TableSeriesHours)
	var old []string
	for _, f := range base.Files {
		old = append(old, f.Path)
	}
	s, err := l.Commit(t.Context(), lake.Commit{Base: base, ID: time.Duration(value).String(),
		Add: []string{writeHours(t, l, hour("a", 16_900, value))}, Remove: old})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tidy expires and sweeps as hard as it can.
func tidy(t *testing.T, l *lake.Lake) {
	t.Helper()
	if _, err := l.Expire(t.Context(), schemas.TableSeriesHours, lake.Expiry{}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Sweep(t.Context(), schemas.TableSeriesHours, -100*365*24*time.Hour); err != nil { // whatever the clock says
		t.Fatal(err)
	}
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	return err == nil
}

func TestWhatALeasedReaderNeedsStaysAndGoesAfterwards(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	l := clock.lake(t, t.TempDir())
	before := rewrite(t, l, 1)
	clock.advance(time.Minute)
	rewrite(t, l, 2)
	clock.advance(time.Minute)
	lease, err := l.Pin(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	pinned := load(t, l, schemas.TableSeriesHours)
	for i := range int32(5) {
		clock.advance(time.Minute)
		rewrite(t, l, 10+i)
	}
	tidy(t, l)
	if !exists(t, pinned.Files[0].Path) {
		t.Fatal("a file that a leased reader needs is gone")
	}
	if exists(t, before.Files[0].Path) {
		t.Error("a file that was replaced before the lease is still there")
	}
	leases, err := l.Leases(t.Context())
	if err != nil || len(leases) != 1 || leases[0].Owner != "test" {
		t.Errorf("leases are %v, %v", leases, err)
	}
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
	tidy(t, l)
	if exists(t, pinned.Files[0].Path) {
		t.Error("a file is still there though its reader is done")
	}
	if n := len(readHours(t, l, load(t, l, schemas.TableSeriesHours))); n != 1 {
		t.Errorf("%d rows are current, want 1", n)
	}
}

func TestALeaseThatNobodyRenewsEnds(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	l := clock.lake(t, t.TempDir())
	rewrite(t, l, 1)
	if _, err := l.Pin(t.Context(), "a reader that dies"); err != nil {
		t.Fatal(err)
	}
	pinned := load(t, l, schemas.TableSeriesHours)
	clock.advance(time.Minute)
	rewrite(t, l, 2)
	clock.advance(11 * time.Minute) // its renewals are by the real clock, and do not come so soon
	tidy(t, l)
	if exists(t, pinned.Files[0].Path) {
		t.Error("a lease that ended still holds its files")
	}
	if leases, err := l.Leases(t.Context()); err != nil || len(leases) != 0 {
		t.Errorf("leases are %v, %v", leases, err)
	}
}

func TestALeaseIsRenewedWhileItsOwnerLives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLake(t, dir)
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	short, err := lake.Open(t.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: db, Now: time.Now,
		LeaseFor: 400 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := short.Pin(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	var first, later int64
	read := func() (at int64) {
		if err := db.QueryRowContext(t.Context(), "select expires_at_ms from lake_leases").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for first = read(); later <= first; later = read() { // the test's own time limit ends it otherwise
		time.Sleep(20 * time.Millisecond)
	}
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
	if leases, err := l.Leases(t.Context()); err != nil || len(leases) != 0 {
		t.Errorf("leases after the release are %v, %v", leases, err)
	}
}

func TestATableMadeAnewKeepsItsOldFilesForWhoReadsThem(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	l := clock.lake(t, t.TempDir())
	old := rewrite(t, l, 1)
	clock.advance(time.Minute)
	lease, err := l.Pin(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Minute)
	if err := l.Drop(t.Context(), schemas.TableSeriesHours); err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	tidy(t, l)
	if !exists(t, old.Files[0].Path) {
		t.Error("a file of the dropped table is gone though somebody reads it")
	}
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
	tidy(t, l)
	if exists(t, old.Files[0].Path) {
		t.Error("a file of the dropped table is still there")
	}
}

func TestSnapshotsAreKeptForSomeTimeAfterTheyWereReplaced(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	l := clock.lake(t, t.TempDir())
	long := rewrite(t, l, 1)
	clock.advance(5 * time.Hour) // it was current for long, and until just now
	for i := range int32(70) {
		rewrite(t, l, 2+i)
	}
	if _, err := l.Sweep(t.Context(), schemas.TableSeriesHours, -time.Hour); err != nil {
		t.Fatal(err)
	}
	if !exists(t, long.Files[0].Path) {
		t.Error("what was current a moment ago is gone, because it was current for hours")
	}
	clock.advance(31 * time.Minute)
	rewrite(t, l, 100)
	if _, err := l.Sweep(t.Context(), schemas.TableSeriesHours, -time.Hour); err != nil {
		t.Fatal(err)
	}
	if exists(t, long.Files[0].Path) {
		t.Error("a commit with more than 60 snapshots expired none")
	}
}

func TestSealedFilesAboveTheWatermarkAreNeverSwept(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	l := clock.lake(t, t.TempDir())
	receivePieces(t, l, [2]int64{0, 3})
	sealed := func(start, end int64) string {
		t.Helper()
		path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, lake.BronzeName{Start: start, End: end}.String(),
			map[string]int64{"ingest_date": 20_000}, nil, []schemas.SyncRecord{stampedRecord(heartRate("a", start, 1, 1, 0, 60))})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	done, waiting := sealed(1, 3), sealed(3, 6)
	clock.advance(1000 * time.Hour)
	if _, err := l.Sweep(t.Context(), schemas.TableSyncRecords, time.Hour); err != nil {
		t.Fatal(err)
	}
	if !exists(t, waiting) {
		t.Error("a sealed file above the watermark was swept: it may be committed yet")
	}
	if exists(t, done) {
		t.Error("a sealed file below the watermark is still there")
	}
	receivePieces(t, l, [2]int64{3, 6})
	if r := verify(t, l); len(r.Problems) > 0 {
		t.Errorf("problems: %v", r.Problems)
	}
}

func TestSweptFilesLieInTheTrashUntilItIsEmptied(t *testing.T) {
	t.Parallel()
	clock := newSetClock()
	clock.ns.Store(time.Date(2026, 3, 1, 10, 57, 0, 0, time.UTC).UnixNano()) // a batch is named for the beginning of its hour
	dir := t.TempDir()
	l := clock.lake(t, dir)
	first := rewrite(t, l, 1)
	content, err := os.ReadFile(first.Files[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Minute)
	rewrite(t, l, 2)
	clock.advance(time.Minute)
	tidy(t, l)
	trash, err := l.Trash(t.Context())
	if err != nil || trash.Files != 1 || trash.Bytes != int64(len(content)) {
		t.Fatalf("the trash has %+v, %v, want the one file", trash, err)
	}
	clock.advance(23*time.Hour + 30*time.Minute)
	if n, err := l.EmptyTrash(t.Context(), 24*time.Hour, 1<<30); n != 0 || err != nil {
		t.Errorf("trash was emptied after less than a day: %d, %v", n, err)
	}
	clock.advance(30 * time.Minute)
	rewrite(t, l, 3)
	clock.advance(time.Minute)
	tidy(t, l)
	clock.advance(time.Hour)
	if n, err := l.EmptyTrash(t.Context(), 24*time.Hour, 1<<30); n != 1 || err != nil {
		t.Errorf("%d files went from the trash, %v, want the older one", n, err)
	}
	if n, err := l.EmptyTrash(t.Context(), 24*time.Hour, 0); n != 1 || err != nil {
		t.Errorf("%d files went from a trash that is too large, %v, want 1", n, err)
	}
	for _, path := range lakeFiles(t, filepath.Join(dir, "lake")) {
		if strings.Contains(path, "_trash") {
			t.Errorf("%s is left", path)
		}
	}
	if exists(t, filepath.Join(dir, "lake", "_trash")) {
		if left, err := os.ReadDir(filepath.Join(dir, "lake", "_trash")); err != nil || len(left) > 0 {
			t.Errorf("empty folders are left in the trash: %v, %v", left, err)
		}
	}
}

func TestALakeWhoseLedgerCannotBeWrittenCanBeReadWithoutALease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	receivePieces(t, openLake(t, dir), [2]int64{0, 3})
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ledger.db")+"?mode=ro&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := lake.Open(t.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: db, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := l.Pin(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords)); n != 3 {
		t.Errorf("%d rows can be read, want 3", n)
	}
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
}
