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
	numbers.AppendNull()
	numbers.Append(4)
	batch := b.NewRecordBatch()
	defer batch.Release()

	var limit float64
	var minutes rows.Lists
	if err := errors.Join(rows.Bind(batch, map[string]any{"minutes": &minutes}),
		rows.BindConstants(batch, map[string]*float64{"limit": &limit})); err != nil {
		t.Fatal(err)
	}
	if limit != 0.5 || !slices.Equal(minutes.At(0), []int32{1, 2}) || len(minutes.At(1)) > 0 || minutes.At(2)[1] != 4 ||
		!minutes.Null(2, 0) || minutes.Null(2, 1) {
		t.Errorf("limit %v, lists %v, %v, %v", limit, minutes.At(0), minutes.At(1), minutes.At(2))
	}
	var dates *array.Date32
	for name, want := range map[string]string{"limit": "is of type float64", "nobody": "there is no column nobody"} {
		if err := rows.Bind(batch, map[string]any{name: &dates}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("column %s as dates: %v, want %q", name, err, want)
		}
	}
}
