package lake

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
)

func FuzzBronzeName(f *testing.F) {
	const hash = "00112233445566778899aabbccddeeff"
	good := BronzeName{Partition: 3, Start: 17, End: 42}.String() + "-" + hash + ".parquet"
	for _, seed := range []string{
		good, "/lake/bronze.sync_records/data/ingest_date=2026-03-01/" + good, "s3://bucket/" + good,
		strings.Replace(good, "sync-", "sync--", 1), strings.Replace(good, "00003", "3", 1), strings.Replace(good, "00003", "+0003", 1),
		strings.Replace(good, hash, hash[:16], 1), strings.Replace(good, ".parquet", ".parquet.tmp", 1), "", "sync-----.parquet",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		n, ok := ParseBronzeName(file)
		if !ok {
			return
		}
		if n.Partition < 0 || n.Start < 0 || n.End <= n.Start {
			t.Errorf("%q is taken for a file of partition %d, offsets [%d, %d)", file, n.Partition, n.Start, n.End)
		}
		base := file[strings.LastIndexByte(file, '/')+1:]
		if !strings.HasPrefix(base, n.String()+"-") {
			t.Errorf("%q is taken for %s: the name has two readings", file, n)
		}
		again, ok := ParseBronzeName(base)
		if diff := cmp.Diff(n, again); !ok || diff != "" {
			t.Errorf("without its folders it reads otherwise (-with +without):\n%s", diff)
		}
	})
}

func FuzzWatermarks(f *testing.F) {
	f.Add("ingest.wm.3", "42", "ingest.wm.1000003", "0")
	f.Add("merge.wm.0", "9223372036854775807", "ingest.ep.0", "17:owner")
	f.Add("ingest.wm.", "1", "ingest.wm.-1", "-5")
	f.Add("ingest.wm.01", "1", "ingest.wm.1", "2")
	f.Add("ingest.wm.2147483648", "1", "ingest.wm.x", "y")
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 string) {
		s := &Snapshot{Table: "t", Properties: map[string]string{key1: value1, key2: value2}}
		for _, prefix := range []string{IngestWatermark, MergeWatermark, BuildWatermark} {
			marks, err := s.Watermarks(prefix)
			if err != nil {
				continue
			}
			written := &Snapshot{Properties: WatermarkProperties(prefix, marks)}
			again, err := written.Watermarks(prefix)
			if err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
			if diff := cmp.Diff(marks, again); diff != "" {
				t.Errorf("watermarks %s (-before +after writing and reading):\n%s", prefix, diff)
			}
		}
		for key, value := range s.Properties {
			if n, ok := markOf(key, value); ok && strings.HasPrefix(key, IngestWatermark) {
				if marks, err := (&Snapshot{Properties: map[string]string{key: value}}).Watermarks(IngestWatermark); err == nil {
					for _, offset := range marks {
						if offset != n {
							t.Errorf("%s = %q is %d to one reader and %d to another", key, value, n, offset)
						}
					}
				}
			}
		}
	})
}

// smallBronzeFile returns the bytes of a bronze file with a few rows.
func smallBronzeFile(tb testing.TB) []byte {
	tb.Helper()
	store := NewLocalStore(tb.TempDir(), osFS{})
	temp, err := store.CreateTemp(tb.Context(), store.Root())
	if err != nil {
		tb.Fatal(err)
	}
	w := newWriter[schemas.SyncRecord](temp, map[string]string{footerPartition: "3", footerStart: "17", footerEnd: "19"})
	at, value := int64(1_772_000_000_000_000), int32(61)
	rows := []schemas.SyncRecord{
		{Partition: 3, Offset: 17, Kind: schemas.KindBatch, BatchID: "b", UserID: "u", DeviceID: "d"},
		{Partition: 3, Offset: 17, ItemIndex: 1, Kind: schemas.KindSeries, Metric: schemas.HeartRate, StartAt: &at, OffsetsMS: []int32{0},
			Values: []int32{61, 62}},
		{Partition: 3, Offset: 18, Kind: schemas.KindReading, Metric: schemas.BodyWeight, StartAt: &at, Value: &value},
	}
	if err := w.write(rows); err != nil {
		tb.Fatal(err)
	}
	if err := w.close(); err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile(temp.Path())
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// FuzzFooter gives files whose footer was damaged, behind a length and a mark that are right again, to those who read
// footers of files that nobody vouches for.
func FuzzFooter(f *testing.F) {
	whole := smallBronzeFile(f)
	length := int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
	body, foot := whole[:len(whole)-8-length], whole[len(whole)-8-length:len(whole)-8]
	f.Add(foot)
	f.Add(foot[:len(foot)/2])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, foot []byte) {
		data := append(bytes.Clone(body), foot...)
		data = append(binary.LittleEndian.AppendUint32(data, uint32(len(foot))), "PAR1"...)
		l := &Lake{store: oneFile{data: data}}
		ft, err := l.footer(t.Context(), "damaged.parquet")
		if err == nil && ft.rows < 0 {
			t.Errorf("the footer says that the file has %d rows", ft.rows)
		}
	})
}

// oneFile is a store that has these bytes under every path.
type oneFile struct {
	Store
	data []byte
}

func (s oneFile) Open(context.Context, string) (OpenFile, error) {
	return openBytes{bytes.NewReader(s.data)}, nil
}

type openBytes struct{ *bytes.Reader }

func (openBytes) Close() error { return nil }
