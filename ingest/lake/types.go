package lake

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
)

// icebergSchema turns columns into a schema. Every field is optional: nulls are how this lake says "not measured", and
// a later file may lack a column of an earlier one.
func icebergSchema(columns []Column) (*iceberg.Schema, error) {
	ids := 0
	next := func() int { ids++; return ids }
	fields := make([]iceberg.NestedField, len(columns))
	for i, c := range columns {
		fields[i] = iceberg.NestedField{ID: next(), Name: c.Name}
	}
	for i, c := range columns {
		t, err := icebergType(c.Type, next)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		fields[i].Type = t
	}
	return iceberg.NewSchema(0, fields...), nil
}

// icebergType parses a type as DuckDB's DESCRIBE writes it.
func icebergType(s string, nextID func() int) (iceberg.Type, error) {
	if element, ok := strings.CutSuffix(s, "[]"); ok {
		list := &iceberg.ListType{ElementID: nextID()}
		t, err := icebergType(element, nextID)
		if err != nil {
			return nil, err
		}
		list.Element = t
		return list, nil
	}
	if inner, ok := strings.CutPrefix(s, "STRUCT("); ok {
		return icebergStruct(strings.TrimSuffix(inner, ")"), nextID)
	}
	switch s {
	case "VARCHAR":
		return iceberg.PrimitiveTypes.String, nil
	case "BOOLEAN":
		return iceberg.PrimitiveTypes.Bool, nil
	case "INTEGER":
		return iceberg.PrimitiveTypes.Int32, nil
	case "BIGINT":
		return iceberg.PrimitiveTypes.Int64, nil
	case "DOUBLE":
		return iceberg.PrimitiveTypes.Float64, nil
	case "DATE":
		return iceberg.PrimitiveTypes.Date, nil
	case "TIMESTAMP WITH TIME ZONE":
		return iceberg.PrimitiveTypes.TimestampTz, nil
	case "BLOB":
		return iceberg.PrimitiveTypes.Binary, nil
	}
	return nil, fmt.Errorf("type %q has no place in the lake; cast it to one that has", s)
}

func icebergStruct(fields string, nextID func() int) (iceberg.Type, error) {
	st := &iceberg.StructType{}
	for field := range strings.SplitSeq(fields, ", ") {
		name, typ, ok := strings.Cut(field, " ")
		if !ok {
			return nil, fmt.Errorf("field %q has no type", field)
		}
		f := iceberg.NestedField{ID: nextID(), Name: name}
		t, err := icebergType(typ, nextID)
		if err != nil {
			return nil, err
		}
		f.Type = t
		st.FieldList = append(st.FieldList, f)
	}
	return st, nil
}

// columnsOf reads a schema back into columns.
func columnsOf(s *iceberg.Schema) []Column {
	columns := make([]Column, len(s.Fields()))
	for i, f := range s.Fields() {
		columns[i] = Column{Name: f.Name, Type: duckType(f.Type)}
	}
	return columns
}

func duckType(t iceberg.Type) string {
	switch t := t.(type) {
	case *iceberg.ListType:
		return duckType(t.Element) + "[]"
	case *iceberg.StructType:
		parts := make([]string, len(t.FieldList))
		for i, f := range t.FieldList {
			parts[i] = f.Name + " " + duckType(f.Type)
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	case iceberg.StringType:
		return "VARCHAR"
	case iceberg.BooleanType:
		return "BOOLEAN"
	case iceberg.Int32Type:
		return "INTEGER"
	case iceberg.Int64Type:
		return "BIGINT"
	case iceberg.Float64Type:
		return "DOUBLE"
	case iceberg.DateType:
		return "DATE"
	case iceberg.TimestampTzType:
		return "TIMESTAMP WITH TIME ZONE"
	case iceberg.BinaryType:
		return "BLOB"
	}
	return strings.ToUpper(t.String())
}

// ColumnsOf derives a table's columns from the row struct T, by the parquet tags of its fields.
func ColumnsOf[T any]() []Column {
	return structColumns(reflect.TypeFor[T]())
}

func structColumns(t reflect.Type) []Column {
	columns := make([]Column, t.NumField())
	for i := range columns {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		columns[i] = Column{Name: name, Type: columnType(f.Type, options)}
	}
	return columns
}

func columnType(t reflect.Type, options string) string {
	switch t.Kind() {
	case reflect.Pointer:
		return columnType(t.Elem(), options)
	case reflect.String:
		return "VARCHAR"
	case reflect.Bool:
		return "BOOLEAN"
	case reflect.Int32:
		if strings.Contains(options, "date") {
			return "DATE"
		}
		return "INTEGER"
	case reflect.Int64:
		if strings.Contains(options, "timestamp") {
			return "TIMESTAMP WITH TIME ZONE"
		}
		return "BIGINT"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "BLOB"
		}
		return columnType(t.Elem(), "") + "[]"
	case reflect.Struct:
		columns := structColumns(t)
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = c.Name + " " + c.Type
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	default:
		panic("lake: no column type for a row field of kind " + t.Kind().String() + " " + strconv.Quote(options))
	}
}
