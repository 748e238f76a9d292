package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

// otherFile writes rows with the options of a writer of another kind than ours, and returns a lake that can open them.
func otherFile[T any](t *testing.T, rows []T, options ...parquet.WriterOption) (*Lake, string) {
	t.Helper()
	var file bytes.Buffer
	w := parquet.NewGenericWriter[T](&file, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(store.Root(), "file.parquet")
	f, err := store.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(file.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return &Lake{store: store}, path
}

func readHours(ctx context.Context, l *Lake, path string) ([]schemas.SeriesHour, error) {
	f, known := &hourFile{}, newSymbols()
	opened, err := openColumns(ctx, l, path, func(s *parquet.Schema) []column { return f.columns(s, known) })
	if err != nil {
		return nil, err
	}
	f.columnFile = opened
	defer f.close()
	var hours []schemas.SeriesHour
	for {
		chunk := &pieces{symbols: known}
		if err := f.readPieces(chunk); err != nil || len(chunk.rows) == 0 {
			return hours, err
		}
		for i := range chunk.rows {
			hours = append(hours, chunk.hour(&chunk.rows[i]))
		}
	}
}

// randomHours makes rows whose lists are of all lengths, none and more than a page included.
func randomHours(rng *rand.Rand, n int) []schemas.SeriesHour {
	hours := make([]schemas.SeriesHour, n)
	for i := range hours {
		h := &hours[i]
		*h = schemas.SeriesHour{
			UserID: fmt.Sprint("u", rng.IntN(9)), UserBucket: rng.Int32N(3), Metric: fmt.Sprint("m", rng.IntN(3)), DeviceID: "w",
			HourAt: rng.Int64N(1e15), LocalMonth: 197001, LocalDate: rng.Int32N(30), UTCOffsetMin: rng.Int32N(100) - 50,
			PeriodMS: rng.Int32N(2) * 60_000, Source: []string{"", "native"}[rng.IntN(2)],
		}
		for range []int{0, 1, 1, 60, 3000}[rng.IntN(5)] {
			h.Values = append(h.Values, rng.Int32N(1000)-500)
		}
		for range []int{0, 1, 1, 7}[rng.IntN(4)] {
			h.OffsetsMS = append(h.OffsetsMS, rng.Int32())
			h.Revisions = append(h.Revisions, schemas.RevisionRun{Count: rng.Int32(), DeviceEpoch: rng.Int32N(3), Seq: rng.Int64(),
				BrokerAt: rng.Int64(), Partition: rng.Int32N(9), Offset: rng.Int64()})
		}
	}
	return hours
}

// wantHours compares row by row, for comparing millions of samples at once would take minutes.
func wantHours(t *testing.T, want, got []schemas.SeriesHour) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		w, g := want[i], got[i]
		same := slices.Equal(w.OffsetsMS, g.OffsetsMS) && slices.Equal(w.Values, g.Values) && slices.Equal(w.Revisions, g.Revisions)
		w.OffsetsMS, w.Values, w.Revisions, g.OffsetsMS, g.Values, g.Revisions = nil, nil, nil, nil, nil, nil
		if !same || !reflect.DeepEqual(w, g) {
			t.Fatalf("row %d (-want +got):\n%.2000s", i, gocmp.Diff(want[i], got[i], cmpopts.EquateEmpty()))
		}
	}
}

func TestColumnsHoldWhatRowsHoldHoweverTheFileIsCut(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]parquet.WriterOption{
		"small pages":          {parquet.PageBufferSize(512)},
		"large pages":          {parquet.PageBufferSize(4 << 20)},
		"small groups":         {parquet.MaxRowsPerRowGroup(100)},
		"pages of version one": {parquet.DataPageVersion(1), parquet.PageBufferSize(2048)},
		"as we write them": {parquet.MaxRowsPerRowGroup(1500), parquet.DefaultEncodingFor(parquet.Int32, &parquet.DeltaBinaryPacked),
			parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked), parquet.Compression(&parquet.Zstd)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := randomHours(rand.New(rand.NewPCG(1, 1)), 4000)
			l, path := otherFile(t, want, options...)
			got, err := readHours(t.Context(), l, path)
			if err != nil {
				t.Fatal(err)
			}
			wantHours(t, want, got)
		})
	}
}

// anotherHour is a row as other engines write it: all columns optional, texts without a dictionary, one column missing.
type anotherHour struct {
	UserID   *string               `parquet:"user_id,plain"`
	Metric   *string               `parquet:"metric,plain"`
	DeviceID *string               `parquet:"device_id,plain"`
	HourAt   *int64                `parquet:"hour_at"`
	Date     *int32                `parquet:"local_date"`
	Period   *int32                `parquet:"period_ms"`
	Offset   *int32                `parquet:"utc_offset_min"`
	Offsets  []int32               `parquet:"offsets_ms,list,optional"`
	Values   []int32               `parquet:"values,list,optional"`
	Runs     []schemas.RevisionRun `parquet:"revisions,list,optional"`
	Other    map[string]int64      `parquet:"other,optional"`
}

func TestColumnsAreReadFromFilesOfOtherEngines(t *testing.T) {
	t.Parallel()
	var rows []anotherHour
	var want []schemas.SeriesHour
	rng := rand.New(rand.NewPCG(2, 2))
	for i, h := range randomHours(rng, 3000) {
		h.UserBucket, h.Source = 0, "" // the file has no such columns
		row := anotherHour{&h.UserID, &h.Metric, &h.DeviceID, &h.HourAt, &h.LocalDate, &h.PeriodMS, &h.UTCOffsetMin, h.OffsetsMS,
			h.Values, h.Revisions, nil}
		if i%7 == 0 {
			h.Metric, h.HourAt, h.UTCOffsetMin = "", 0, 0
			row.Metric, row.HourAt, row.Offset = nil, nil, nil
		}
		rows, want = append(rows, row), append(want, h)
	}
	l, path := otherFile(t, rows, parquet.PageBufferSize(1024))
	got, err := readHours(t.Context(), l, path)
	if err != nil {
		t.Fatal(err)
	}
	wantHours(t, want, got)
}

func TestAColumnOfAnotherTypeIsAnError(t *testing.T) {
	t.Parallel()
	type wrong struct {
		UserID int64 `parquet:"user_id"`
	}
	l, path := otherFile(t, []wrong{{1}})
	if _, err := readHours(t.Context(), l, path); err == nil {
		t.Error("a number is read as a person")
	}
	type short struct {
		HourAt int32 `parquet:"hour_at"`
	}
	l, path = otherFile(t, []short{{1}})
	if _, err := readHours(t.Context(), l, path); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("four bytes are read as eight: %v", err)
	}
}

func TestAFileOutOfOrderIsNotMerged(t *testing.T) {
	t.Parallel()
	hour := func(user string) schemas.SeriesHour {
		return schemas.SeriesHour{UserID: user, OffsetsMS: []int32{0}, Values: []int32{1}, Revisions: []schemas.RevisionRun{{Count: 1}}}
	}
	l, path := otherFile(t, []schemas.SeriesHour{hour("b"), hour("a")})
	run, err := openHourRun(t.Context(), l, path, newSymbols())
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	if err := run.next(); err == nil {
		t.Error("the second row comes before the first, and nobody minds")
	}
}

func TestBronzeIsReadByColumnsAsItWasWritten(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	kinds := append(mergedKinds(), schemas.KindBatch, schemas.KindReject)
	var rows, items []schemas.SyncRecord
	var series []schemas.SeriesHour
	maybe := func() *int64 {
		if v := rng.Int64(); v%3 > 0 {
			return &v
		}
		return nil
	}
	for i := range 5000 {
		r := schemas.SyncRecord{Partition: 3, Offset: int64(i / 3), ItemIndex: int32(i % 3), Kind: kinds[rng.IntN(len(kinds))],
			BrokerAt: rng.Int64(), UserID: fmt.Sprint("u", rng.IntN(5)), UserBucket: 2, DeviceID: "w", DeviceEpoch: 1, Seq: rng.Int64(),
			Source: "native", Metric: fmt.Sprint("m", rng.IntN(3)), StartAt: maybe(), EndAt: maybe(), UTCOffsetMin: 60,
			EndUTCOffsetMin: 120, Name: fmt.Sprint("n", rng.IntN(3)), Text: []string{"", "text"}[rng.IntN(2)]}
		if v := rng.Int32(); v%2 == 0 {
			r.Value, r.LocalDate = &v, &v
		}
		if r.Kind == schemas.KindSeries {
			hour, date := rng.Int64N(1e9)*hourUS, rng.Int32N(20_000)
			r.HourAt, r.LocalDate, r.PeriodMS = &hour, &date, 60_000
			r.OffsetsMS, r.Values = []int32{0}, []int32{1, 2, 3}
			series = append(series, schemas.SeriesHour{UserID: r.UserID, UserBucket: 2, Metric: r.Metric, DeviceID: "w", HourAt: hour,
				LocalMonth: monthOf(date), LocalDate: date, UTCOffsetMin: 60, PeriodMS: 60_000, Source: "native",
				OffsetsMS: r.OffsetsMS, Values: r.Values, Revisions: []schemas.RevisionRun{run(revisionOf(&r), 3)}})
		}
		if r.Kind == schemas.KindWorkoutTrack {
			hour := rng.Int64N(1e9) * hourUS
			r.HourAt, r.PeriodMS, r.OffsetsMS, r.Values = &hour, 1000, []int32{5, 1005, 3005}, []int32{1, 2, int32(i)}
		}
		rows = append(rows, r)
		switch r.Kind {
		case schemas.KindSeries, schemas.KindBatch, schemas.KindReject:
		default:
			items = append(items, r)
		}
	}
	l, path := otherFile(t, rows, parquet.PageBufferSize(4096))
	got := newReceived()
	const from = 100
	if err := got.read(t.Context(), l, path, from); err != nil {
		t.Fatal(err)
	}
	below := func(r schemas.SyncRecord) bool { return r.Offset < from }
	if diff := gocmp.Diff(slices.DeleteFunc(items, below), got.items); diff != "" {
		t.Errorf("items (-want +got):\n%.2000s", diff)
	}
	var hours []schemas.SeriesHour
	for i := range got.series.rows {
		hours = append(hours, got.series.hour(&got.series.rows[i]))
	}
	wanted := slices.DeleteFunc(series, func(h schemas.SeriesHour) bool { return h.Revisions[0].Offset < from })
	if diff := gocmp.Diff(wanted, hours); diff != "" {
		t.Errorf("series (-want +got):\n%.2000s", diff)
	}
	if got.rows != len(rows)-3*from {
		t.Errorf("%d rows are counted, want %d", got.rows, len(rows)-3*from)
	}
}
