package hrv_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/transform/hrv"
)

// runRow is a row that the model's select gives.
type runRow struct {
	user   string
	date   arrow.Date32
	device string
	run    hrv.Run
}

var runSchema = arrow.NewSchema([]arrow.Field{
	{Name: "started_ms", Type: arrow.PrimitiveTypes.Int64}, // in another order than they are read in
	{Name: "user_id", Type: arrow.BinaryTypes.String},
	{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
	{Name: "device_id", Type: arrow.BinaryTypes.String},
	{Name: "intervals_ms", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
}, nil)

// batches cuts rows into record batches of at most n.
func batches(rows []runRow, n int) array.RecordReader {
	return array.ReaderFromIter(runSchema, func(yield func(arrow.RecordBatch, error) bool) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, runSchema)
		defer b.Release()
		for i, r := range rows {
			b.Field(0).(*array.Int64Builder).Append(r.run.StartMS)
			b.Field(1).(*array.StringBuilder).Append(r.user)
			b.Field(2).(*array.Date32Builder).Append(r.date)
			b.Field(3).(*array.StringBuilder).Append(r.device)
			list := b.Field(4).(*array.ListBuilder)
			list.Append(true)
			list.ValueBuilder().(*array.Int32Builder).AppendValues(r.run.IntervalsMS, nil)
			if (i+1)%n == 0 && !yield(b.NewRecordBatch(), nil) {
				return
			}
		}
		yield(b.NewRecordBatch(), nil)
	})
}

func windowTexts(t *testing.T, rows array.RecordReader) []string {
	t.Helper()
	made, err := hrv.WindowRows(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Release()
	var texts []string
	for made.Next() {
		batch := made.RecordBatch()
		for i := range int(batch.NumRows()) {
			var text strings.Builder
			for _, column := range batch.Columns() {
				text.WriteString(column.ValueStr(i) + " ")
			}
			texts = append(texts, text.String())
		}
	}
	if err := made.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestWindowRowsAreThoseOfEachDeviceAndDate(t *testing.T) {
	t.Parallel()
	var rows []runRow
	want := 0
	for user := range 40 {
		for date := range 5 {
			for device := range 2 {
				for run := range 3 {
					rows = append(rows, runRow{fmt.Sprintf("u%02d", user), arrow.Date32(17_000 + date), fmt.Sprint("d", device), hrv.Run{
						StartMS: int64(17_000+date)*86_400_000 + int64(run)*40*60_000, IntervalsMS: []int32{800, 810, 805, 790, int32(800 + user)},
					}})
					want++
				}
			}
		}
	}
	whole := windowTexts(t, batches(rows, len(rows)))
	if len(whole) != want {
		t.Fatalf("there are %d windows, want %d", len(whole), want)
	}
	if got, want := whole[0], "u00 2016-07-18 d0 2016-07-18T00:00:00Z 5 0 4 4005 801 "; got[:len(want)] != want {
		t.Errorf("the first is %q, want it to begin with %q", got, want)
	}
	for _, n := range []int{1, 7, 64} {
		cut := windowTexts(t, batches(rows, n))
		for i := range whole {
			if cut[i] != whole[i] {
				t.Fatalf("in batches of %d window %d is %q, want %q", n, i, cut[i], whole[i])
			}
		}
	}
}

func TestWindowRowsOfManyPeopleComeInBatches(t *testing.T) {
	t.Parallel()
	rows := make([]runRow, 10_000)
	for i := range rows {
		rows[i] = runRow{fmt.Sprintf("u%05d", i), 17_000, "d", hrv.Run{StartMS: 1, IntervalsMS: []int32{800, 810}}}
	}
	if got := windowTexts(t, batches(rows, 1000)); len(got) != len(rows) || got[9_999][:6] != "u09999" {
		t.Errorf("there are %d windows, the last is %q", len(got), got[len(got)-1])
	}
}

func TestWindowRowsWithoutRuns(t *testing.T) {
	t.Parallel()
	if got := windowTexts(t, batches(nil, 1)); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestWindowRowsSayWhatIsWrongWithTheirInput(t *testing.T) {
	t.Parallel()
	wrong := errors.New("the disk went")
	nothing := arrow.NewSchema(nil, nil)
	for _, c := range []struct {
		schema *arrow.Schema
		batch  arrow.RecordBatch
		err    error
		want   string
	}{
		{nothing, array.NewRecordBatch(nothing, nil, 1), nil, "there is no column"},
		{runSchema, nil, wrong, "the disk went"},
	} {
		made, err := hrv.WindowRows(t.Context(), array.ReaderFromIter(c.schema, func(yield func(arrow.RecordBatch, error) bool) { yield(c.batch, c.err) }))
		if err != nil {
			t.Fatal(err)
		}
		if made.Next() || made.Err() == nil || !strings.Contains(made.Err().Error(), c.want) {
			t.Errorf("error is %v, want %q", made.Err(), c.want)
		}
	}
}
