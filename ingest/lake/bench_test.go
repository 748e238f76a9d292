package lake_test

import (
	stdcmp "cmp"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the peer
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// BenchmarkMerge merges a day of the mix, each hour in four parts, one part in twenty sent again, from bronze into silver:
// with the merge, and with the best SQL there is for it on one thread of DuckDB. It counts the samples of series, by
// the clock and by the time of the processor, in which other programs on the machine do not show. Both must give the
// same rows.
func BenchmarkMerge(b *testing.B) {
	const people = 500
	bronze, samples := quarters(b, people)
	var byMerge, bySQL []schemas.SeriesHour
	var mergeRate, sqlRate float64
	b.Run(fmt.Sprint("engine=diurna/people=", people), func(b *testing.B) {
		cpu := time.Duration(0)
		var l *lake.Lake
		for b.Loop() {
			b.StopTimer()
			l = benchLake(b, bronze)
			start := processorTime(b)
			b.StartTimer()
			if _, err := lake.NewMerger(l).Run(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			cpu += processorTime(b) - start
			b.StartTimer()
		}
		mergeRate = reportRate(b, samples, cpu)
		byMerge = storedHours(b, l)
	})
	b.Run(fmt.Sprint("engine=duckdb/people=", people), func(b *testing.B) {
		merge, out := sqlPeer(b, bronze)
		cpu := time.Duration(0)
		for b.Loop() {
			start := processorTime(b)
			merge()
			cpu += processorTime(b) - start
		}
		sqlRate = reportRate(b, samples, cpu)
		if mergeRate > 0 {
			b.ReportMetric(mergeRate/sqlRate, "times-slower")
		}
		bySQL = fileHours(b, out)
	})
	if diff := cmp.Diff(bySQL, byMerge); byMerge != nil && bySQL != nil && diff != "" {
		b.Errorf("the merge gives other rows than SQL (-SQL +merge):\n%.4000s", diff)
	}
}

// TestMergeGivesTheRowsThatSQLGives compares the merge with a statement of another engine over the same file.
func TestMergeGivesTheRowsThatSQLGives(t *testing.T) {
	t.Parallel()
	bronze, samples := quarters(t, 20)
	l := benchLake(t, bronze)
	if _, err := lake.NewMerger(l).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	merge, out := sqlPeer(t, bronze)
	merge()
	want, got := fileHours(t, out), storedHours(t, l)
	kept := 0
	for _, h := range got {
		kept += len(h.Values)
	}
	if kept < samples*9/10 || kept >= samples {
		t.Errorf("%d samples of %d are left: none or all were sent again", kept, samples)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-SQL +merge):\n%.4000s", diff)
	}
}

// sqlPeer returns what merges the file with SQL, on one thread, and the file it writes.
func sqlPeer(tb testing.TB, bronze []byte) (merge func(), out string) {
	tb.Helper()
	dir := tb.TempDir()
	in, out := filepath.Join(dir, "bronze.parquet"), filepath.Join(dir, "silver.parquet")
	if err := os.WriteFile(in, bronze, 0o600); err != nil {
		tb.Fatal(err)
	}
	statement, err := os.ReadFile("testdata/merge_peer.sql")
	if err != nil {
		tb.Fatal(err)
	}
	query := strings.NewReplacer("{{bronze}}", "['"+in+"']", "{{out}}", out).Replace(string(statement))
	db := openDuckDB(tb)
	return func() {
		if _, err := db.ExecContext(tb.Context(), query); err != nil {
			tb.Fatal(err)
		}
	}, out
}

// BenchmarkMergeLate merges one late quarter of an hour of one person into a day of many people.
func BenchmarkMergeLate(b *testing.B) {
	for _, people := range []int{100, 500} {
		b.Run(fmt.Sprint("people=", people), func(b *testing.B) {
			bronze, _ := quarters(b, people)
			l := benchLake(b, bronze)
			if _, err := lake.NewMerger(l).Run(b.Context()); err != nil {
				b.Fatal(err)
			}
			offset, cpu := lateFrom, time.Duration(0)
			for b.Loop() {
				b.StopTimer()
				r := heartRate(fmt.Sprintf("user-%06d", offset%int64(people)), offset, offset, 3, 15, int32(offset%99), 60, 61, 62)
				r.IngestDate = 20_000
				path, err := lake.WriteRows(b.Context(), l, schemas.TableSyncRecords, "sync", map[string]int64{"ingest_date": 20_000}, nil,
					[]schemas.SyncRecord{r})
				if err != nil {
					b.Fatal(err)
				}
				offset++
				addBronze(b, l, path, offset)
				start := processorTime(b)
				b.StartTimer()
				if _, err := lake.NewMerger(l).Run(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				cpu += processorTime(b) - start
				b.StartTimer()
			}
			b.ReportMetric(cpu.Seconds()*1e3/float64(b.N), "cpu-ms/batch")
		})
	}
}

// reportRate reports samples by the clock and by the time of the processor, and returns the latter, in millions.
func reportRate(b *testing.B, samples int, cpu time.Duration) float64 {
	b.Helper()
	all := float64(samples) * float64(b.N) / 1e6
	b.ReportMetric(all/b.Elapsed().Seconds(), "Msamples/s")
	b.ReportMetric(all/cpu.Seconds(), "Msamples/cpu-s")
	return all / cpu.Seconds()
}

// quarters returns a file of bronze that holds a day of the mix, cut in quarters of an hour.
func quarters(tb testing.TB, people int) (file []byte, samples int) {
	tb.Helper()
	m := mix{people: people, partMin: 15, resendIn: 20}
	path, err := lake.WriteRows(tb.Context(), emptyLake(tb), schemas.TableSyncRecords, "sync", nil, nil, m.day())
	if err != nil {
		tb.Fatal(err)
	}
	if file, err = os.ReadFile(path); err != nil {
		tb.Fatal(err)
	}
	return file, m.samples
}

func storedHours(tb testing.TB, l *lake.Lake) []schemas.SeriesHour {
	tb.Helper()
	s, err := l.Load(tb.Context(), schemas.TableSeriesHours)
	if err != nil {
		tb.Fatal(err)
	}
	var hours []schemas.SeriesHour
	for _, f := range s.Files {
		hours = append(hours, fileHours(tb, f.Path)...)
	}
	slices.SortFunc(hours, func(a, b schemas.SeriesHour) int {
		return stdcmp.Or(stdcmp.Compare(a.UserID, b.UserID), stdcmp.Compare(a.Metric, b.Metric), stdcmp.Compare(a.HourAt, b.HourAt))
	})
	return hours
}

func fileHours(tb testing.TB, path string) []schemas.SeriesHour {
	tb.Helper()
	hours, err := parquet.ReadFile[schemas.SeriesHour](path)
	if err != nil {
		tb.Fatal(err)
	}
	return hours
}

// BenchmarkWriteBronze writes rows of the mix, in batches of two hours: as ingest does, and as parquet-go writes structs.
func BenchmarkWriteBronze(b *testing.B) {
	m := mix{people: 100, partMin: 120}
	records := m.day()
	l := emptyLake(b)
	samples := 0
	for _, r := range records {
		samples += len(r.Values)
	}
	partition := map[string]int64{"ingest_date": 20_000}
	for _, by := range []struct {
		name  string
		write func() (string, error)
	}{
		{"records", func() (string, error) {
			r := lake.NewRecords()
			for message := range slices.Chunk(records, 20) {
				r.Add(message)
			}
			return lake.WriteRecords(b.Context(), l, "sync", partition, nil, r)
		}},
		{"structs", func() (string, error) {
			return lake.WriteRows(b.Context(), l, schemas.TableSyncRecords, "sync", partition, nil, records)
		}},
	} {
		b.Run("by="+by.name, func(b *testing.B) {
			var path string
			start := processorTime(b)
			for b.Loop() {
				var err error
				if path, err = by.write(); err != nil {
					b.Fatal(err)
				}
			}
			reportRate(b, samples, processorTime(b)-start)
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(samples), "B/sample")
			b.ReportMetric(float64(samples)/float64(len(records)), "samples/row")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func emptyLake(tb testing.TB) *lake.Lake {
	tb.Helper()
	dir := tb.TempDir()
	db, err := ledger.Open(tb.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(tb.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.CreateIngestTables(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return l
}

// benchLake returns a lake whose bronze is the file.
func benchLake(tb testing.TB, bronze []byte) *lake.Lake {
	tb.Helper()
	l := emptyLake(tb)
	tmp, err := l.TempPath(tb.Context(), schemas.TableSyncRecords)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(tmp, bronze, 0o600); err != nil {
		tb.Fatal(err)
	}
	path, err := l.Publish(tb.Context(), schemas.TableSyncRecords, tmp, "sync", map[string]int64{"ingest_date": 20_000})
	if err != nil {
		tb.Fatal(err)
	}
	addBronze(tb, l, path, lateFrom)
	return l
}

// lateFrom is an offset behind all of the mix.
const lateFrom = int64(1) << 40

// addBronze makes a file of bronze visible, and what lies below the offset received.
func addBronze(tb testing.TB, l *lake.Lake, path string, end int64) {
	tb.Helper()
	base, err := l.Load(tb.Context(), schemas.TableSyncRecords)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := l.Commit(tb.Context(), lake.Commit{Base: base, ID: path, Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: end})}); err != nil {
		tb.Fatal(err)
	}
}
