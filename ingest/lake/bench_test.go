package lake_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// BenchmarkMerge merges a day of minutes of some people, each hour in four parts, one in twenty sent again, from bronze
// into silver.
func BenchmarkMerge(b *testing.B) {
	for _, people := range []int{100, 1000} {
		b.Run(fmt.Sprint("people=", people), func(b *testing.B) {
			records, samples := quarters(people)
			for b.Loop() {
				b.StopTimer()
				l := benchLake(b, records)
				b.StartTimer()
				if _, err := lake.NewMerger(l).Run(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(samples)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
		})
	}
}

func quarters(people int) (records []schemas.SyncRecord, samples int) {
	offset := int64(0)
	for hour := range int64(24) {
		for part := range int32(4) {
			for p := range people {
				values := make([]int32, 15)
				for i := range values {
					values[i] = 60 + (int32(p)+part*15+int32(i))%50
				}
				r := heartRate(fmt.Sprintf("user-%06d", p), offset, offset, hour, part*15, values...)
				records = append(records, r)
				samples += len(values)
				offset++
				if offset%20 == 0 {
					r.Offset, r.Seq = offset, offset
					records = append(records, r)
					samples += len(values)
					offset++
				}
			}
		}
	}
	return records, samples
}

func benchLake(b *testing.B, records []schemas.SyncRecord) *lake.Lake {
	b.Helper()
	dir := b.TempDir()
	db, err := ledger.Open(b.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(b.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.CreateIngestTables(b.Context()); err != nil {
		b.Fatal(err)
	}
	path, err := lake.WriteRows(l, schemas.TableSyncRecords, "sync", map[string]int64{"ingest_date": 20_000}, nil, stamped(records))
	if err != nil {
		b.Fatal(err)
	}
	base, err := l.Load(b.Context(), schemas.TableSyncRecords)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.Commit(b.Context(), lake.Commit{Base: base, ID: "1", Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: records[len(records)-1].Offset + 1})}); err != nil {
		b.Fatal(err)
	}
	return l
}

func stamped(records []schemas.SyncRecord) []schemas.SyncRecord {
	for i := range records {
		records[i].IngestDate = 20_000
	}
	return records
}
