package lake_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// randomRecords makes rows in which everything is there, absent, alone, in runs and at its edges.
func randomRecords(rng *rand.Rand, n int) []schemas.SyncRecord {
	rows := make([]schemas.SyncRecord, n)
	text := func(of ...string) string { return of[rng.IntN(len(of))] }
	usually := 1 + rng.IntN(200) // how often something that is mostly there is not
	for i := range rows {
		r := &rows[i]
		if i > 0 && rng.IntN(20) > 0 {
			*r = rows[i-1] // of the same message
			r.ItemIndex++
		} else {
			*r = schemas.SyncRecord{
				Partition: rng.Int32N(3) - 1, Offset: int64(i) << rng.IntN(40), BrokerAt: rng.Int64() - rng.Int64(), IngestDate: rng.Int32N(2),
				BatchID: fmt.Sprint("b", i), UserID: text("", "u1", "u2", fmt.Sprint("u", i)), UserBucket: rng.Int32N(64),
				DeviceID: text("w", "a name that is longer than what an index of pages keeps of it"), DeviceEpoch: rng.Int32(),
				Seq: rng.Int64(), Source: text("native", "manual"), SentAt: rng.Int64(), TimeZone: text("", "Europe/Berlin"),
			}
		}
		r.Kind = schemas.RecordKind(text("series", "series", "batch", "reject", ""))
		r.DeviceModel, r.DeviceFirmware, r.DeviceKind = text("", "", "m"), text("", "1\x00\xff"), text("", "watch")
		r.Metric, r.Name, r.Text, r.Reason = text("heart_rate", "steps", ""), text("", "n"), text("", "ü"), text("", "", "", "r")
		r.StartAt, r.EndAt, r.LocalDate, r.HourAt, r.Value = nil, nil, nil, nil, nil
		if rng.IntN(usually) > 0 || usually == 1 {
			r.StartAt, r.HourAt, r.LocalDate = new(rng.Int64()), new(rng.Int64()-rng.Int64()), new(rng.Int32()-rng.Int32())
		}
		if rng.IntN(usually) == 0 {
			r.EndAt, r.Value = new(rng.Int64()), new(rng.Int32())
		}
		r.UTCOffsetMin, r.EndUTCOffsetMin, r.PeriodMS = rng.Int32N(3)*60-60, rng.Int32N(2), rng.Int32N(2)*60_000
		r.OffsetsMS, r.Values, r.Payload = nil, nil, nil
		for range []int{0, 1, 1, 1, 2, 7, 8, 9, 60, 60, 60, 1 + 3600*(rng.IntN(20)/19)}[rng.IntN(12)] {
			r.Values = append(r.Values, rng.Int32()>>rng.IntN(32)-50)
		}
		for range []int{0, 1, 1, 1, 1, 1, 1, 1, 40}[rng.IntN(9)] {
			r.OffsetsMS = append(r.OffsetsMS, rng.Int32())
		}
		switch rng.IntN(100) {
		case 0:
			r.Payload = []byte{}
		case 1:
			r.Payload = make([]byte, rng.IntN(20_000))
			for i := range r.Payload {
				r.Payload[i] = byte(rng.Int())
			}
		}
	}
	return rows
}

// TestRecordsAreTheFileThatTheLibraryWrites holds the writer of bronze against parquet-go's, by what the library reads of
// both files: rows, schema, statistics and indexes of pages.
func TestRecordsAreTheFileThatTheLibraryWrites(t *testing.T) {
	t.Parallel()
	for seed, n := range []int{1, 2, 7, 63, 64, 65, 1000, 16_384, 33_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(uint64(seed), 1))
			rows := randomRecords(rng, n)
			l := emptyLake(t)
			metadata, partition := map[string]string{"diurna.b": "2", "diurna.a": "1"}, map[string]int64{"ingest_date": 20_000}
			want, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, "want", partition, metadata, rows)
			if err != nil {
				t.Fatal(err)
			}
			got := writeRecords(t, rng, l, "got", metadata, rows)
			gotRows := fileRecords(t, got)
			for i := range rows {
				if !sameRecord(rows[i], gotRows[i]) {
					t.Fatalf("row %d (-want +got):\n%.2000s", i, cmp.Diff(rows[i], gotRows[i]))
				}
			}
			if diff := cmp.Diff(footerOf(t, want), footerOf(t, got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("footer (-library +records):\n%.6000s", diff)
			}
		})
	}
}

// sameRecord compares lists by hand: a comparison of all that reflection finds takes minutes for so many samples.
func sameRecord(a, b schemas.SyncRecord) bool {
	if !slices.Equal(a.Values, b.Values) || !slices.Equal(a.OffsetsMS, b.OffsetsMS) || !bytes.Equal(a.Payload, b.Payload) ||
		(a.Payload == nil) != (b.Payload == nil) {
		return false
	}
	a.Values, a.OffsetsMS, a.Payload, b.Values, b.OffsetsMS, b.Payload = nil, nil, nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// writeRecords adds rows some at a time, and writes some files on the way.
func writeRecords(tb testing.TB, rng *rand.Rand, l *lake.Lake, stem string, metadata map[string]string, rows []schemas.SyncRecord) string {
	tb.Helper()
	records := lake.NewRecords()
	write := func() string {
		path, err := lake.WriteRecords(tb.Context(), l, stem, map[string]int64{"ingest_date": 20_000}, metadata, records)
		if err != nil {
			tb.Fatal(err)
		}
		return path
	}
	for len(rows) > 0 {
		n := min(len(rows), 1+rng.IntN(3000))
		records.Add(rows[:n])
		rows = rows[n:]
		if rng.IntN(5) == 0 {
			write()
		}
	}
	return write()
}

func fileRecords(tb testing.TB, path string) []schemas.SyncRecord {
	tb.Helper()
	rows, err := parquet.ReadFile[schemas.SyncRecord](path)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

// footerOf returns what a file says of itself, without what depends on how it is cut into pages and compressed.
func footerOf(t *testing.T, path string) format.FileMetaData {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	footer := *file.Metadata()
	for i := range footer.RowGroups {
		g := &footer.RowGroups[i]
		g.FileOffset, g.TotalByteSize, g.TotalCompressedSize = 0, 0, 0
		for j := range g.Columns {
			c := &g.Columns[j]
			c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
			m := &c.MetaData
			m.DataPageOffset, m.TotalCompressedSize, m.TotalUncompressedSize = 0, 0, 0
			m.DictionaryPageOffset = min(m.DictionaryPageOffset, 1)
			m.EncodingStats[len(m.EncodingStats)-1].Count = 0
		}
	}
	return footer
}

// TestRecordsAreReadByDuckDB has another engine read both files.
func TestRecordsAreReadByDuckDB(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	rows := randomRecords(rng, 20_000)
	for i := range rows { // texts of other engines are valid
		rows[i].DeviceFirmware = "1"
	}
	l := emptyLake(t)
	want, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, "want", map[string]int64{"ingest_date": 20_000}, nil, rows)
	if err != nil {
		t.Fatal(err)
	}
	got := writeRecords(t, rng, l, "got", nil, rows)
	db := openDuckDB(t)
	for _, files := range [][2]string{{want, got}, {got, want}} {
		var n, others int
		query := fmt.Sprintf(`with a as (from read_parquet('%s', hive_partitioning = false)),
			b as (from read_parquet('%s', hive_partitioning = false))
			select (select count(*) from a), (select count(*) from (from a except all from b))`, files[0], files[1])
		if err := db.QueryRowContext(t.Context(), query).Scan(&n, &others); err != nil {
			t.Fatal(err)
		}
		if n != len(rows) || others > 0 {
			t.Errorf("%d rows, of which %d are in one file alone, want %d and none", n, others, len(rows))
		}
	}
}

func TestTheSameRecordsMakeTheSameFileHoweverTheyCome(t *testing.T) {
	t.Parallel()
	rows := randomRecords(rand.New(rand.NewPCG(3, 3)), 20_000)
	l := emptyLake(t)
	want := writeRecords(t, rand.New(rand.NewPCG(1, 1)), l, "same", nil, rows)
	for seed := range uint64(5) {
		if got := writeRecords(t, rand.New(rand.NewPCG(seed, 2)), l, "same", nil, rows); got != want {
			t.Errorf("seed %d: the file is %s, want %s", seed, got, want)
		}
	}
}

// TestRecordsSayHowMuchMemoryTheyTake compares what they say with what the collector finds.
func TestRecordsSayHowMuchMemoryTheyTake(t *testing.T) {
	rows := randomRecords(rand.New(rand.NewPCG(4, 4)), 5000)
	live := func() int64 {
		for range 3 { // the first ones leave what encoding keeps for the next page
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, n := range []int{1, 3, 4, 12} { // less than a group, and more
		before := live()
		records := lake.NewRecords()
		for range n {
			records.Add(rows)
		}
		took, says := live()-before, records.Bytes()
		if says < took*8/10 || says > took*13/10+1<<20 {
			t.Errorf("%d rows take %d KiB and say %d KiB", n*len(rows), took>>10, says>>10)
		}
		runtime.KeepAlive(records)
	}
}
