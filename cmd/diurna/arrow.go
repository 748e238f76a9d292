package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/schemas"
)

const (
	arrowBatchRows  = 8192
	hugeintDigits   = 38 // what fits in Arrow's common decimal; DuckDB's HUGEINT reaches 1.7e38
	microsPerSecond = 1_000_000
)

// An arrowWriter writes an Arrow IPC stream. Types that Arrow has no word for (UUID, ENUM, BIT, JSON, UNION, TIMETZ,
// UHUGEINT, BIGNUM) become text, as csv shows them; HUGEINT becomes a decimal of 38 digits.
type arrowWriter struct {
	columns []column
	out     *ipc.Writer
	batch   *array.RecordBuilder
	rows    int // in batch
}

func newArrowWriter(w *bufio.Writer, columns []column) *arrowWriter {
	fields := make([]arrow.Field, len(columns))
	for i, col := range columns {
		fields[i] = arrow.Field{Name: col.name, Type: arrowType(col.typ), Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	return &arrowWriter{
		columns: columns,
		out:     ipc.NewWriter(w, ipc.WithSchema(schema)),
		batch:   array.NewRecordBuilder(memory.NewGoAllocator(), schema),
	}
}

func (a *arrowWriter) writeRow(values []any) error {
	for i, v := range values {
		if err := appendArrow(a.batch.Field(i), a.columns[i].typ, v); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	a.rows++
	if a.rows == arrowBatchRows {
		return a.flush()
	}
	return nil
}

func (a *arrowWriter) close() error {
	if a.rows > 0 {
		if err := a.flush(); err != nil {
			return err
		}
	}
	a.batch.Release()
	return a.out.Close() // writes the schema too, when there was no row
}

func (a *arrowWriter) flush() error {
	record := a.batch.NewRecordBatch()
	defer record.Release()
	a.rows = 0
	return a.out.Write(record)
}

func arrowType(t columnType) arrow.DataType {
	switch t.kind {
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean
	case "TINYINT":
		return arrow.PrimitiveTypes.Int8
	case "SMALLINT":
		return arrow.PrimitiveTypes.Int16
	case "INTEGER":
		return arrow.PrimitiveTypes.Int32
	case "BIGINT":
		return arrow.PrimitiveTypes.Int64
	case "UTINYINT":
		return arrow.PrimitiveTypes.Uint8
	case "USMALLINT":
		return arrow.PrimitiveTypes.Uint16
	case "UINTEGER":
		return arrow.PrimitiveTypes.Uint32
	case "UBIGINT":
		return arrow.PrimitiveTypes.Uint64
	case "FLOAT":
		return arrow.PrimitiveTypes.Float32
	case "DOUBLE":
		return arrow.PrimitiveTypes.Float64
	case "DECIMAL":
		return &arrow.Decimal128Type{Precision: int32(t.precision), Scale: int32(t.scale)}
	case "HUGEINT":
		return &arrow.Decimal128Type{Precision: hugeintDigits}
	case "DATE":
		return arrow.FixedWidthTypes.Date32
	case "TIME":
		return arrow.FixedWidthTypes.Time64us
	case "TIMESTAMP":
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	case "TIMESTAMPTZ":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case "TIMESTAMP_S":
		return &arrow.TimestampType{Unit: arrow.Second}
	case "TIMESTAMP_MS":
		return &arrow.TimestampType{Unit: arrow.Millisecond}
	case "TIMESTAMP_NS":
		return &arrow.TimestampType{Unit: arrow.Nanosecond}
	case "INTERVAL":
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case "BLOB":
		return arrow.BinaryTypes.Binary
	default:
		return arrowNestedType(t)
	}
}

func arrowNestedType(t columnType) arrow.DataType {
	switch t.kind {
	case kindList:
		return arrow.ListOf(arrowType(*t.elem))
	case kindArray:
		return arrow.FixedSizeListOf(int32(t.size), arrowType(*t.elem))
	case kindMap:
		return arrow.MapOf(arrowType(*t.key), arrowType(*t.elem))
	case kindStruct:
		fields := make([]arrow.Field, len(t.fields))
		for i, f := range t.fields {
			fields[i] = arrow.Field{Name: f.name, Type: arrowType(f.typ), Nullable: true}
		}
		return arrow.StructOf(fields...)
	default:
		return arrow.BinaryTypes.String
	}
}

// appendArrow appends a value, or null for nil, to a builder of arrowType(t).
func appendArrow(b array.Builder, t columnType, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		text, err := appendText(nil, t, v)
		if err != nil {
			return err
		}
		b.Append(string(text))
		return nil
	case *array.ListBuilder, *array.FixedSizeListBuilder:
		return appendArrowList(b.(listBuilder), t, v)
	case *array.StructBuilder:
		return appendArrowStruct(b, t, v)
	case *array.MapBuilder:
		return appendArrowMap(b, t, v)
	}
	if v, ok := v.(time.Time); ok {
		return appendArrowTime(b, v)
	}
	return appendArrowScalar(b, v)
}

func appendArrowScalar(b array.Builder, v any) error {
	ok := false
	switch b := b.(type) {
	case *array.BooleanBuilder:
		ok = appendAs(b.Append, v)
	case *array.Int8Builder:
		ok = appendAs(b.Append, v)
	case *array.Int16Builder:
		ok = appendAs(b.Append, v)
	case *array.Int32Builder:
		ok = appendAs(b.Append, v)
	case *array.Int64Builder:
		ok = appendAs(b.Append, v)
	case *array.Uint8Builder:
		ok = appendAs(b.Append, v)
	case *array.Uint16Builder:
		ok = appendAs(b.Append, v)
	case *array.Uint32Builder:
		ok = appendAs(b.Append, v)
	case *array.Uint64Builder:
		ok = appendAs(b.Append, v)
	case *array.Float32Builder:
		ok = appendAs(b.Append, v)
	case *array.Float64Builder:
		ok = appendAs(b.Append, v)
	case *array.BinaryBuilder:
		ok = appendAs(b.Append, v)
	case *array.Decimal128Builder:
		return appendArrowDecimal(b, v)
	case *array.MonthDayNanoIntervalBuilder:
		return appendArrowInterval(b, v)
	}
	if !ok {
		return fmt.Errorf("a value does not have the type of its column %s: cast it to varchar in the query", b.Type())
	}
	return nil
}

func appendAs[T any](appendValue func(T), v any) bool {
	value, ok := v.(T)
	if ok {
		appendValue(value)
	}
	return ok
}

func appendArrowDecimal(b *array.Decimal128Builder, v any) error {
	switch v := v.(type) {
	case duckdb.Decimal:
		b.Append(decimal128.FromBigInt(v.Value))
		return nil
	case *big.Int:
		if limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(hugeintDigits), nil); v.CmpAbs(limit) < 0 {
			b.Append(decimal128.FromBigInt(v))
			return nil
		}
	}
	return &schemas.Error{
		Code:    schemas.CodeInvalid,
		Message: fmt.Sprintf("a number has more than %d digits: cast it to varchar or choose another --format", hugeintDigits),
	}
}

func appendArrowInterval(b *array.MonthDayNanoIntervalBuilder, v any) error {
	i, ok := v.(duckdb.Interval)
	if !ok || i.Micros > math.MaxInt64/1000 || i.Micros < math.MinInt64/1000 {
		return errors.New("an interval is too long for Arrow: cast it to varchar in the query")
	}
	b.Append(arrow.MonthDayNanoInterval{Months: i.Months, Days: i.Days, Nanoseconds: i.Micros * 1000})
	return nil
}

func appendArrowTime(b array.Builder, v time.Time) error {
	switch b := b.(type) {
	case *array.Date32Builder:
		b.Append(arrow.Date32(v.Unix() / 86400))
	case *array.Time64Builder:
		seconds := v.Hour()*3600 + v.Minute()*60 + v.Second()
		b.Append(arrow.Time64(seconds*microsPerSecond + v.Nanosecond()/1000))
	case *array.TimestampBuilder:
		switch b.Type().(*arrow.TimestampType).Unit { //nolint:forcetypeassert // what the builder is for
		case arrow.Second:
			b.Append(arrow.Timestamp(v.Unix()))
		case arrow.Millisecond:
			b.Append(arrow.Timestamp(v.UnixMilli()))
		case arrow.Microsecond:
			b.Append(arrow.Timestamp(v.UnixMicro()))
		case arrow.Nanosecond:
			b.Append(arrow.Timestamp(v.UnixNano()))
		}
	default:
		return fmt.Errorf("a time does not have the type of its column %s: cast it to varchar in the query", b.Type())
	}
	return nil
}

// listBuilder is what the builders of lists have in common.
type listBuilder interface {
	Append(valid bool)
	ValueBuilder() array.Builder
}

func appendArrowList(b listBuilder, t columnType, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("a value of type %s is no list", t.kind)
	}
	b.Append(true)
	for _, item := range list {
		if err := appendArrow(b.ValueBuilder(), *t.elem, item); err != nil {
			return err
		}
	}
	return nil
}

func appendArrowStruct(b *array.StructBuilder, t columnType, v any) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("a value of type %s is no struct", t.kind)
	}
	b.Append(true)
	for i, f := range t.fields {
		if err := appendArrow(b.FieldBuilder(i), f.typ, fields[f.name]); err != nil {
			return err
		}
	}
	return nil
}

func appendArrowMap(b *array.MapBuilder, t columnType, v any) error {
	m, ok := v.(duckdb.OrderedMap)
	if !ok {
		return fmt.Errorf("a value of type %s is no map", t.kind)
	}
	b.Append(true)
	keys, values := m.Keys(), m.Values()
	for i := range keys {
		if err := appendArrow(b.KeyBuilder(), *t.key, keys[i]); err != nil {
			return err
		}
		if err := appendArrow(b.ItemBuilder(), *t.elem, values[i]); err != nil {
			return err
		}
	}
	return nil
}
