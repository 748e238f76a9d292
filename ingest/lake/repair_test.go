package lake_test

import (
	"errors"
	"fmt"
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

// repair repairs the lake in dir, of which nothing but the files is believed.
func repair(t *testing.T, dir string, how lake.Repair) (*lake.RepairReport, error) {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return lake.RepairFromFiles(t.Context(), lake.Config{
		Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}, how)
}

// loseLedger removes the ledger, catalog and all.
func loseLedger(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// contents returns what a lake holds: received rows, watermarks, and silver after a merge and a full compaction.
func contents(t *testing.T, l *lake.Lake) (received []schemas.SyncRecord, marks map[int32]int64, silver map[string][]string) {
	t.Helper()
	received = rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords)
	marks, err := load(t, l, schemas.TableSyncRecords).Watermarks(lake.IngestWatermark)
	if err != nil {
		t.Fatal(err)
	}
	merge(t, l)
	compact(t, l, lake.Compaction{Full: true}, lake.SilverTables()...)
	silver = map[string][]string{}
	for _, table := range lake.SilverTables() {
		silver[table] = names(t, l, table)
	}
	return received, marks, silver
}

func TestARepairFromFilesGivesTheSameLake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, dir string) (now string)
	}{
		{"the ledger is lost", func(t *testing.T, dir string) string {
			t.Helper()
			loseLedger(t, dir)
			return dir
		}},
		{"the home was moved", func(t *testing.T, dir string) string {
			t.Helper()
			now := filepath.Join(t.TempDir(), "elsewhere")
			if err := os.Rename(dir, now); err != nil {
				t.Fatal(err)
			}
			return now
		}},
		{"the metadata is lost", func(t *testing.T, dir string) string {
			t.Helper()
			for _, path := range lakeFiles(t, filepath.Join(dir, "lake")) {
				if !strings.HasSuffix(path, ".parquet") {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				}
			}
			return dir
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "home")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			l := openLake(t, dir)
			s := aStream(5, 2, 40)
			s.feed(t, l, 1)
			compact(t, l, lake.Compaction{Full: true}, schemas.TableSyncRecords) // old files and new ones lie side by side
			received, marks, silver := contents(t, l)

			report, err := repair(t, tt.damage(t, dir), lake.Repair{})
			if err != nil {
				t.Fatal(err)
			}
			if report.Rows != int64(len(received)) || len(report.Holes) != 0 {
				t.Errorf("%d rows were found, want %d; holes %v", report.Rows, len(received), report.Holes)
			}
			now := dir
			if _, err := os.Stat(dir); err != nil {
				now = filepath.Dir(filepath.Dir(report.LeftOut[0].Path)) // somewhere below the new place
				for filepath.Base(now) != "elsewhere" {
					now = filepath.Dir(now)
				}
			}
			repaired := openLake(t, now)
			gotReceived, gotMarks, gotSilver := contents(t, repaired)
			if diff := cmp.Diff(received, gotReceived, byKey()); diff != "" {
				t.Error("received rows (-want +got):\n" + diff)
			}
			if diff := cmp.Diff(marks, gotMarks); diff != "" {
				t.Error("watermarks (-want +got):\n" + diff)
			}
			if diff := cmp.Diff(silver, gotSilver); diff != "" {
				t.Error("silver (-want +got):\n" + diff)
			}
			if got := load(t, repaired, schemas.TableSyncRecords).Properties["ingest.source"]; got != "cluster/topic" {
				t.Errorf("source is %q", got)
			}
			if r := verify(t, repaired); len(r.Problems) != 0 {
				t.Errorf("problems after the repair: %v", r.Problems)
			}
			receiveRange(t, repaired, 0, 40, 41, []schemas.SyncRecord{stampedRecord(heartRate("new", 40, 1, 1, 0, 60))}) // life goes on
			merge(t, repaired)
		})
	}
}

// pieces receives one message an offset for each of the ranges.
func receivePieces(t *testing.T, l *lake.Lake, ranges ...[2]int64) {
	t.Helper()
	for _, r := range ranges {
		var records []schemas.SyncRecord
		for o := r[0]; o < r[1]; o++ {
			records = append(records, stampedRecord(heartRate("a", o, o, o, 0, 60)))
		}
		receiveRange(t, l, 0, r[0], r[1], records)
	}
}

func TestARepairStopsOrSkipsAtAHoleAsItIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLake(t, dir)
	receivePieces(t, l, [2]int64{2, 5}, [2]int64{5, 9}, [2]int64{9, 12}, [2]int64{12, 14})
	lost := load(t, l, schemas.TableSyncRecords).Files[1].Path // 5 to 8
	content, err := os.ReadFile(lost)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(lost, content, 0o600); err != nil {
		t.Fatal(err)
	}
	before := load(t, l, schemas.TableSyncRecords)

	_, err = repair(t, dir, lake.Repair{})
	if schemas.ErrorCode(err) != schemas.CodeConflict || !contains(err, "offsets 5 to 8") || !contains(err, lost) || !contains(err, "--at-hole") {
		t.Errorf("a hole was not refused with what it is: %v", err)
	}
	if after := load(t, openLake(t, dir), schemas.TableSyncRecords); after.ID != before.ID {
		t.Error("a refused repair changed the table")
	}
	for _, tt := range []struct {
		at   lake.AtHole
		rows int64
		mark string
	}{{lake.StopAtHoles, 3, "5"}, {lake.SkipHoles, 8, "14"}} {
		report, err := repair(t, dir, lake.Repair{AtHole: tt.at})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]lake.BronzeName{{Start: 5, End: 9}}, report.Holes); diff != "" || report.Rows != tt.rows {
			t.Errorf("%s: %d rows, want %d; holes (-want +got):\n%s", tt.at, report.Rows, tt.rows, diff)
		}
		repaired := openLake(t, dir)
		if got := load(t, repaired, schemas.TableSyncRecords).Properties["ingest.wm.0"]; got != tt.mark {
			t.Errorf("%s: the watermark is %s, want %s", tt.at, got, tt.mark)
		}
		if r := verify(t, repaired); len(r.Problems) != 0 {
			t.Errorf("%s: problems after the repair: %v", tt.at, r.Problems)
		}
	}
}

func TestARepairTakesFilesThatFollowEachOtherWhateverElseLiesThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLake(t, dir)
	receivePieces(t, l, [2]int64{0, 4}, [2]int64{4, 7}, [2]int64{7, 10})
	// Another ingester sealed other cuts of the same messages and never committed them.
	for _, r := range [][2]int64{{0, 6}, {4, 8}, {3, 7}, {8, 9}} {
		var records []schemas.SyncRecord
		for o := r[0]; o < r[1]; o++ {
			records = append(records, stampedRecord(heartRate("a", o, o, o, 0, 60)))
		}
		name := lake.BronzeName{Start: r[0], End: r[1]}
		if _, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, name.String(), map[string]int64{"ingest_date": 20_000},
			map[string]string{"diurna.partition": "0", "diurna.start": fmt.Sprint(r[0]), "diurna.end": fmt.Sprint(r[1])}, records); err != nil {
			t.Fatal(err)
		}
	}
	loseLedger(t, dir)
	report, err := repair(t, dir, lake.Repair{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 10 || report.Files != 3 || len(report.LeftOut) != 4 {
		t.Errorf("the repair took %d files with %d rows and left out %d, want 3, 10 and 4", report.Files, report.Rows, len(report.LeftOut))
	}
	var offsets []int64
	for _, r := range rowsOf[schemas.SyncRecord](t, openLake(t, dir), schemas.TableSyncRecords) {
		offsets = append(offsets, r.Offset)
	}
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, offsets); diff != "" {
		t.Error("offsets (-want +got):\n" + diff)
	}
}

// TestARepairCutOffHalfwayLeavesTheLakeAsItWas is not parallel: failpoints are the process's.
func TestARepairCutOffHalfwayLeavesTheLakeAsItWas(t *testing.T) {
	dir := t.TempDir()
	l := openLake(t, dir)
	receivePieces(t, l, [2]int64{0, 4}, [2]int64{4, 7})
	merge(t, l)
	want := load(t, l, schemas.TableSeriesHours)
	if err := failpoint.Arm("repair.mid=error"); err != nil {
		t.Fatal(err)
	}
	_, err := repair(t, dir, lake.Repair{})
	if disarm := failpoint.Arm(""); disarm != nil || !errors.Is(err, failpoint.ErrInjected) {
		t.Fatalf("the repair ended with %v", errors.Join(err, disarm))
	}
	again := openLake(t, dir)
	if got := load(t, again, schemas.TableSeriesHours); got.ID != want.ID {
		t.Error("silver is not what it was")
	}
	if report, err := repair(t, dir, lake.Repair{}); err != nil || report.Rows != 7 {
		t.Errorf("the second attempt gave %v, %v", report, err)
	}
}

func TestThereIsNothingToRepairFromInAnEmptyLake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openLake(t, dir)
	if _, err := repair(t, dir, lake.Repair{}); schemas.ErrorCode(err) != schemas.CodeNotFound {
		t.Errorf("repairing an empty lake gave %v", err)
	}
}
