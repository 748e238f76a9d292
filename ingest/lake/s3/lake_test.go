package s3_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// openLake opens the lake of a ledger in a bucket, as one of several processes would.
func openLake(t *testing.T, ledgerPath string, store lake.Store) *lake.Lake {
	t.Helper()
	db, err := ledger.Open(t.Context(), ledgerPath)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(t.Context(), lake.Config{
		Store: store, Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
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

// minutes is a message with some minutes of heart rate.
func minutes(offset int64, values ...int32) schemas.SyncRecord {
	at, date := int64(1_460_851_200_000_000), int32(16_908)
	return schemas.SyncRecord{
		Offset: offset, Kind: schemas.KindSeries, BrokerAt: 1_700_000_000_000_000 + offset, BatchID: fmt.Sprint("b", offset),
		UserID: "a", DeviceID: "watch", Seq: offset, Source: "native", IngestDate: 20_000, Metric: schemas.HeartRate,
		HourAt: &at, StartAt: &at, LocalDate: &date, PeriodMS: 60_000, OffsetsMS: []int32{int32(offset%30) * 60_000}, Values: values,
	}
}

// write publishes one message as ingest would.
func write(t *testing.T, l *lake.Lake, r schemas.SyncRecord) string {
	t.Helper()
	footer := map[string]string{
		"diurna.partition": "0", "diurna.start": strconv.FormatInt(r.Offset, 10), "diurna.end": strconv.FormatInt(r.Offset+1, 10),
	}
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords,
		lake.BronzeName{Start: r.Offset, End: r.Offset + 1}.String(), map[string]int64{"ingest_date": 20_000}, footer, []schemas.SyncRecord{r})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func commit(t *testing.T, l *lake.Lake, base *lake.Snapshot, id string, end int64, add ...string) error {
	t.Helper()
	_, err := l.Commit(t.Context(), lake.Commit{Base: base, ID: id, Add: add,
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: end})})
	return err
}

func receive(t *testing.T, l *lake.Lake, offset int64, values ...int32) {
	t.Helper()
	base := load(t, l, schemas.TableSyncRecords)
	if err := commit(t, l, base, fmt.Sprint("c", offset), offset+1, write(t, l, minutes(offset, values...))); err != nil {
		t.Fatal(err)
	}
}

func rowsOf[T any](t *testing.T, l *lake.Lake, table string) []T {
	t.Helper()
	var all []T
	for _, f := range load(t, l, table).Files {
		if err := lake.ReadRows(t.Context(), l, f.Path, func(rows []T) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func merge(t *testing.T, l *lake.Lake) {
	t.Helper()
	if _, err := lake.NewMerger(l).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestALakeInABucketReceivesMergesCompactsAndSweeps(t *testing.T) {
	t.Parallel()
	srv, path := startServer(t), filepath.Join(t.TempDir(), "ledger.db")
	l := openLake(t, path, srv.open(t, nil))
	for offset := range int64(4) {
		receive(t, l, offset, 60+int32(offset))
		merge(t, l)
	}
	for _, f := range load(t, l, schemas.TableSeriesHours).Files {
		if !strings.HasPrefix(f.Path, srv.root()+"/silver/series_hours/data/") {
			t.Errorf("a file of the table is %s", f.Path)
		}
	}
	if _, err := l.Compact(t.Context(), schemas.TableSyncRecords, lake.Compaction{Full: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Expire(t.Context(), schemas.TableSyncRecords, lake.Expiry{KeepLast: 1}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // S3 counts in seconds
	if n, err := l.Sweep(t.Context(), schemas.TableSyncRecords, 0); n == 0 || err != nil {
		t.Errorf("the sweep took %d files, error %v; want those that were compacted", n, err)
	}
	// Another machine, with no local copies.
	other := openLake(t, path, srv.open(t, nil))
	if got := rowsOf[schemas.SyncRecord](t, other, schemas.TableSyncRecords); len(got) != 4 {
		t.Errorf("bronze has %d rows, want 4", len(got))
	}
	hours := rowsOf[schemas.SeriesHour](t, other, schemas.TableSeriesHours)
	if len(hours) != 1 || !slices.Equal(hours[0].Values, []int32{60, 61, 62, 63}) {
		t.Errorf("silver is %v, want one hour of 60, 61, 62, 63", hours)
	}
}

func TestOfTwoWritersThatRaceForABucketOneWins(t *testing.T) {
	t.Parallel()
	srv, path := startServer(t), filepath.Join(t.TempDir(), "ledger.db")
	lakes := []*lake.Lake{openLake(t, path, srv.open(t, nil)), openLake(t, path, srv.open(t, nil))}
	for offset := range int64(10) {
		bases := []*lake.Snapshot{load(t, lakes[0], schemas.TableSyncRecords), load(t, lakes[1], schemas.TableSyncRecords)}
		errs := make([]error, len(lakes))
		var wg sync.WaitGroup
		for i, l := range lakes {
			// Both received the same message, and make the same file of it.
			wg.Go(func() {
				errs[i] = commit(t, l, bases[i], fmt.Sprint(offset, "-", i), offset+1, write(t, l, minutes(offset, 60)))
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, lake.ErrConflict) {
				t.Fatalf("the loser got %v, want ErrConflict", err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of 2 writers won offset %d", won, offset)
		}
	}
	var got []int64
	for _, r := range rowsOf[schemas.SyncRecord](t, lakes[0], schemas.TableSyncRecords) {
		got = append(got, r.Offset)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, got); diff != "" {
		t.Errorf("offsets in bronze (-want +got):\n%s", diff)
	}
}

func TestABucketThatLosesRepliesAndRequestsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	srv, path := startServer(t), filepath.Join(t.TempDir(), "ledger.db")
	broken := &faultyTransport{}
	store := srv.open(t, broken)
	l := openLake(t, path, store)
	rng := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	lost := 0
	broken.set(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		lot := rng.IntN(30)
		if lot < 2 {
			lost++
		}
		mu.Unlock()
		if lot == 0 {
			return nil, errBroken
		}
		res, err := send()
		if lot == 1 && err == nil {
			_ = res.Body.Close()
			return nil, errBroken
		}
		return res, err
	})
	done := int64(0)
	for attempt := 0; done < 8; attempt++ {
		if attempt > 200 {
			t.Fatal("life does not go on")
		}
		base, err := l.Load(t.Context(), schemas.TableSyncRecords)
		if err != nil {
			continue
		}
		marks, err := base.Watermarks(lake.IngestWatermark)
		if err != nil {
			t.Fatal(err)
		}
		if marks[0] < done {
			t.Fatalf("the watermark fell from %d to %d", done, marks[0])
		}
		done = marks[0]
		file, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, lake.BronzeName{Start: done, End: done + 1}.String(),
			map[string]int64{"ingest_date": 20_000}, nil, []schemas.SyncRecord{minutes(done, 60+int32(done))})
		if err == nil {
			err = commit(t, l, base, fmt.Sprint("attempt ", attempt), done+1, file)
		}
		if err == nil {
			done++
		}
		_, _ = lake.NewMerger(l).Run(t.Context()) // what fails is done by a later one
	}
	broken.set(nil)
	if lost < 5 {
		t.Errorf("%d requests were lost: this shows little", lost)
	}
	merge(t, l)
	other := openLake(t, path, srv.open(t, nil))
	if got := rowsOf[schemas.SyncRecord](t, other, schemas.TableSyncRecords); len(got) != 8 {
		t.Errorf("bronze has %d rows, want 8", len(got))
	}
	hours := rowsOf[schemas.SeriesHour](t, other, schemas.TableSeriesHours)
	if len(hours) != 1 || len(hours[0].Values) != 8 {
		t.Errorf("silver is %v, want one hour with 8 minutes", hours)
	}
}
