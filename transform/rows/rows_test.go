package rows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/diurna-health/diurna/transform/rows"
)

// Columns of which none, some or all values are there come out as they went in, over more batches than one.
func TestWhatGoesInComesOut(t *testing.T) {
	t.Parallel()
	const calls, each = 100, 1999
	who, none, some, all := rows.Strings("who"), rows.Int32s("none"), rows.Int32s("some"), rows.Int64s("all")
	call := 0
	s := rows.NewStream(rows.NewColumns(who, none, some, all), func() (bool, error) {
		if call == calls {
			return false, nil
		}
		who.Add(fmt.Sprint("u", call/7), each)
		none.Skip(each)
		for i := range each {
			some.AddIf(isThere(call, i), int32(i))
			all.Add(int64(call*each + i))
		}
		call++
		return true, nil
	})
	defer s.Release()
	row, batches := 0, 0
	for s.Next() {
		batches++
		b := s.RecordBatch()
		texts := b.Column(0).(*array.Dictionary)
		for k := range int(b.NumRows()) {
			call, i := row/each, row%each
			got := fmt.Sprint(texts.Dictionary().(*array.String).Value(texts.GetValueIndex(k)), value(b.Column(1), k), value(b.Column(2), k), value(b.Column(3), k))
			want := fmt.Sprint("u", call/7) + "null"
			if isThere(call, i) {
				want += fmt.Sprint(i)
			} else {
				want += "null"
			}
			if want += fmt.Sprint(row); got != want {
				t.Fatalf("row %d is %s, want %s", row, got, want)
			}
			row++
		}
	}
	if err := s.Err(); err != nil || row != calls*each || batches < 2 {
		t.Errorf("%d rows in %d batches, %v; want %d rows in several", row, batches, err, calls*each)
	}
}

// isThere has whole calls without a value, and calls that begin or end without one.
func isThere(call, i int) bool { return call%5 > 1 && i > 100*(call%3) && i%(call%4+1) == 0 }

func value(column arrow.Array, row int) string {
	if column.IsNull(row) {
		return "null"
	}
	return column.ValueStr(row)
}

// What DuckDB hands over is gone with its batch, and something else lies there.
func TestATextIsThatOfWhenItWasAdded(t *testing.T) {
	t.Parallel()
	who := rows.Strings("who")
	columns := rows.NewColumns(who)
	memory := []byte("u1")
	who.Add(unsafe.String(&memory[0], 2), 1)
	copy(memory, "u2")
	who.Add(unsafe.String(&memory[0], 2), 1)
	b := columns.Take()
	defer b.Release()
	if got := b.Column(0).ValueStr(0) + b.Column(0).ValueStr(1); got != "u1u2" {
		t.Errorf("the texts are %s, want u1 and u2", got)
	}
}

func TestAStreamEndsWithTheErrorOfItsRows(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	n := rows.Int32s("n")
	s := rows.NewStream(rows.NewColumns(n), func() (bool, error) {
		n.Add(1)
		return true, broken
	})
	defer s.Release()
	if s.Next() || !errors.Is(s.Err(), broken) {
		t.Errorf("the stream goes on, and says %v", s.Err())
	}
}

func TestWhatBreaksOnARowIsAnErrorWithoutItsValues(t *testing.T) {
	t.Parallel()
	n := rows.Int32s("n")
	values := []int32{61}
	s := rows.NewStream(rows.NewColumns(n), func() (bool, error) {
		n.Add(values[len(values)+4710])
		return true, nil
	})
	defer s.Release()
	if s.Next() || s.Err() == nil {
		t.Fatalf("the stream goes on: %v", s.Err())
	}
	if text := s.Err().Error(); !strings.Contains(text, "rows_test.go:") || strings.Contains(text, "4711") {
		t.Errorf("the error is %q, want the place and no value", text)
	}
}

func TestBindFindsColumnsByNameAndType(t *testing.T) {
	t.Parallel()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "limit", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "minutes", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	lists := b.Field(1).(*array.ListBuilder)
	numbers := lists.ValueBuilder().(*array.Int32Builder)
	b.Field(0).(*array.Float64Builder).AppendValues([]float64{0.5, 0.5, 0.5}, nil)
	lists.Append(true)
	numbers.AppendValues([]int32{1, 2}, nil)
	lists.AppendNull()
	lists.Append(true)
	numbers.Append(4)
	batch := b.NewRecordBatch()
	defer batch.Release()

	var limit float64
	var minutes rows.Lists
	if err := errors.Join(rows.Bind(batch, map[string]any{"minutes": &minutes}),
		rows.BindConstants(batch, map[string]*float64{"limit": &limit})); err != nil {
		t.Fatal(err)
	}
	if limit != 0.5 || !slices.Equal(minutes.At(0), []int32{1, 2}) || len(minutes.At(1)) > 0 ||
		!slices.Equal(minutes.At(2), []int32{4}) {
		t.Errorf("limit %v, lists %v, %v, %v", limit, minutes.At(0), minutes.At(1), minutes.At(2))
	}
	var dates *array.Date32
	for name, want := range map[string]string{"limit": "is of type float64", "nobody": "there is no column nobody"} {
		if err := rows.Bind(batch, map[string]any{name: &dates}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("column %s as dates: %v, want %q", name, err, want)
		}
	}
}

// A reader of batches of one to nine rows, each with the numbers up to its own in a list, or without a list.
func countingRows(rowCount int32) array.RecordReader {
	n, lists := rows.Int32s("n"), rows.Int32Lists("up_to_n")
	at := int32(0)
	return rows.NewStream(&smallBatches{rows.NewColumns(n, lists)}, func() (bool, error) {
		if at == rowCount {
			return false, nil
		}
		n.Add(at)
		if at%3 == 0 {
			lists.Skip()
		} else {
			for i := range at {
				lists.Append(i)
			}
			lists.End()
		}
		at++
		return true, nil
	})
}

// smallBatches are full after a few rows.
type smallBatches struct{ *rows.Columns }

func (b *smallBatches) Size() int { return b.Rows() << 14 }

func TestACursorStepsOverBatchesAndBack(t *testing.T) {
	t.Parallel()
	const rowCount = 50
	reader := countingRows(rowCount)
	defer reader.Release()
	var n *array.Int32
	var upTo rows.Lists
	batches := 0
	c := rows.NewCursor(reader, func(batch arrow.RecordBatch) error {
		batches++
		return rows.Bind(batch, map[string]any{"n": &n, "up_to_n": &upTo})
	})
	var seen []int32
	for c.Next() {
		c.Back()
		if !c.Next() {
			t.Fatal("after a step back there is no next row")
		}
		at := n.Value(c.Row)
		seen = append(seen, at)
		list := upTo.At(c.Row)
		if at%3 == 0 && list != nil || at%3 > 0 && (len(list) != int(at) || list[at-1] != at-1) {
			t.Errorf("the list of row %d is %v", at, list)
		}
	}
	if c.Err() != nil || len(seen) != rowCount || !slices.IsSorted(seen) || batches < 5 {
		t.Errorf("rows %v in %d batches: %v", seen, batches, c.Err())
	}
	if c.Next() {
		t.Error("after the last row there is another")
	}
}

func TestACursorEndsWithTheErrorOfItsRows(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	reader := countingRows(10)
	defer reader.Release()
	c := rows.NewCursor(reader, func(arrow.RecordBatch) error { return broken })
	if c.Next() || !errors.Is(c.Err(), broken) {
		t.Errorf("the cursor goes on, and says %v", c.Err())
	}
}

// Lists are long and rows are few: a batch is full by what is in them.
func TestABatchIsFullByTheValuesOfItsLists(t *testing.T) {
	t.Parallel()
	lists := rows.Int32Lists("lists")
	at, most := 0, int64(0)
	s := rows.NewStream(rows.NewColumns(lists), func() (bool, error) {
		for i := range int32(10_000) {
			lists.Append(i)
		}
		lists.End()
		at++
		return at < 20, nil
	})
	defer s.Release()
	total := int64(0)
	for s.Next() {
		total += s.RecordBatch().NumRows()
		most = max(most, s.RecordBatch().NumRows())
	}
	if total != 20 || most > 7 {
		t.Errorf("%d rows, up to %d in a batch of 10,000 values each", total, most)
	}
}
