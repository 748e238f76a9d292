package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
)

const (
	dateLayout        = time.DateOnly
	timestampLayout   = "2006-01-02T15:04:05.999999999"
	timestampTZLayout = "2006-01-02T15:04:05.999999999Z07:00"
	timeLayout        = "15:04:05.999999999"
	timeTZLayout      = "15:04:05.999999999Z07:00"
)

// appendText appends the text of a value that is not null, as table and csv show it.
func appendText(buf []byte, t columnType, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return append(buf, v...), nil
	case float64:
		return appendFloat(buf, v, 64), nil
	case float32:
		return appendFloat(buf, float64(v), 32), nil
	case duckdb.Union:
		return appendText(buf, t.member(v.Tag), v.Value)
	}
	if raw, ok := appendNumber(buf, v); ok {
		return raw, nil
	}
	if text, ok := scalarText(t, v); ok {
		return append(buf, text...), nil
	}
	return appendJSON(buf, t, v)
}

// appendJSON appends a value as JSON; nil is null.
func appendJSON(buf []byte, t columnType, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(buf, "null"...), nil
	case string:
		return appendJSONString(buf, v), nil
	case float64:
		return appendJSONFloat(buf, v, 64), nil
	case float32:
		return appendJSONFloat(buf, float64(v), 32), nil
	case []any:
		return appendJSONList(buf, t, v)
	case map[string]any:
		return appendJSONStruct(buf, t, v)
	case duckdb.OrderedMap:
		return appendJSONMap(buf, t, v)
	case duckdb.Union:
		return appendJSON(buf, t.member(v.Tag), v.Value)
	}
	if raw, ok := appendNumber(buf, v); ok {
		return raw, nil
	}
	if text, ok := scalarText(t, v); ok {
		return appendJSONString(buf, text), nil
	}
	return nil, fmt.Errorf("type %s has no text: cast it to varchar in the query", t.kind)
}

// appendNumber appends integers, exact decimals and booleans, which look alike in JSON and in text.
func appendNumber(buf []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(buf, v), true
	case int8:
		return strconv.AppendInt(buf, int64(v), 10), true
	case int16:
		return strconv.AppendInt(buf, int64(v), 10), true
	case int32:
		return strconv.AppendInt(buf, int64(v), 10), true
	case int64:
		return strconv.AppendInt(buf, v, 10), true
	case uint8:
		return strconv.AppendUint(buf, uint64(v), 10), true
	case uint16:
		return strconv.AppendUint(buf, uint64(v), 10), true
	case uint32:
		return strconv.AppendUint(buf, uint64(v), 10), true
	case uint64:
		return strconv.AppendUint(buf, v, 10), true
	case *big.Int:
		return v.Append(buf, 10), true
	case duckdb.Decimal:
		return appendDecimal(buf, v), true
	}
	return buf, false
}

// appendDecimal keeps the scale of the type: a DECIMAL(10,3) of twelve is 12.000.
func appendDecimal(buf []byte, d duckdb.Decimal) []byte {
	scale := int(d.Scale)
	digits := new(big.Int).Abs(d.Value).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if d.Value.Sign() < 0 {
		buf = append(buf, '-')
	}
	buf = append(buf, digits[:len(digits)-scale]...)
	if scale > 0 {
		buf = append(buf, '.')
		buf = append(buf, digits[len(digits)-scale:]...)
	}
	return buf
}

// appendFloat writes the shortest text that reads back as the same number, without exponent where people would not
// write one. NaN and the infinities have the names that DuckDB reads.
func appendFloat(buf []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(buf, "NaN"...)
	case math.IsInf(f, 1):
		return append(buf, "Infinity"...)
	case math.IsInf(f, -1):
		return append(buf, "-Infinity"...)
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(buf, f, form, -1, bits)
}

// appendJSONFloat writes null for what JSON has no number for.
func appendJSONFloat(buf []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(buf, "null"...)
	}
	return appendFloat(buf, f, bits)
}

func appendJSONList(buf []byte, t columnType, list []any) (_ []byte, err error) {
	elem := t.element()
	buf = append(buf, '[')
	for i, v := range list {
		if i > 0 {
			buf = append(buf, ',')
		}
		if buf, err = appendJSON(buf, elem, v); err != nil {
			return nil, err
		}
	}
	return append(buf, ']'), nil
}

// appendJSONStruct writes the fields in the order of the type. A value of the JSON type comes as a map too, without
// one; its keys are written sorted.
func appendJSONStruct(buf []byte, t columnType, fields map[string]any) (_ []byte, err error) {
	if t.kind != kindStruct {
		data, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("write JSON: %w", err)
		}
		return append(buf, data...), nil
	}
	buf = append(buf, '{')
	for i, f := range t.fields {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(appendJSONString(buf, f.name), ':')
		if buf, err = appendJSON(buf, f.typ, fields[f.name]); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// appendJSONMap writes a map as an object: JSON's keys are texts, whatever the map's are.
func appendJSONMap(buf []byte, t columnType, m duckdb.OrderedMap) ([]byte, error) {
	keys, values := m.Keys(), m.Values()
	buf = append(buf, '{')
	for i := range keys {
		if i > 0 {
			buf = append(buf, ',')
		}
		key, err := appendText(nil, *t.key, keys[i])
		if err != nil {
			return nil, err
		}
		buf = append(appendJSONString(buf, string(key)), ':')
		if buf, err = appendJSON(buf, *t.elem, values[i]); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

func appendJSONString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		buf = append(buf, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, `\n`...)
		case '\r':
			buf = append(buf, `\r`...)
		case '\t':
			buf = append(buf, `\t`...)
		default:
			buf = fmt.Appendf(buf, `\u%04x`, c)
		}
	}
	return append(append(buf, s[start:]...), '"')
}

// scalarText returns the text of dates, times, intervals and bytes; ok is false for every other value.
func scalarText(t columnType, v any) (text string, ok bool) {
	switch v := v.(type) {
	case time.Time:
		return timeText(t, v), true
	case duckdb.Interval:
		return intervalText(v), true
	case []byte:
		if t.kind == "UUID" && len(v) == 16 {
			u := hex.EncodeToString(v)
			return u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:], true
		}
		return blobText(v), true
	}
	return "", false
}

func timeText(t columnType, v time.Time) string {
	if name, ok := infinity(t, v); ok {
		return name
	}
	switch t.kind {
	case "DATE":
		return v.Format(dateLayout)
	case "TIME":
		return v.Format(timeLayout)
	case "TIMETZ":
		return v.Format(timeTZLayout)
	case "TIMESTAMPTZ":
		return v.UTC().Format(timestampTZLayout)
	default:
		return v.Format(timestampLayout)
	}
}

// infinity recognises the ends of DuckDB's ranges, which stand for before and after every time.
func infinity(t columnType, v time.Time) (string, bool) {
	var high, low time.Time
	switch t.kind {
	case "DATE":
		high, low = time.Unix(math.MaxInt32*86400, 0), time.Unix(-math.MaxInt32*86400, 0)
	case "TIMESTAMP", "TIMESTAMPTZ":
		high, low = time.UnixMicro(math.MaxInt64), time.UnixMicro(-math.MaxInt64)
	case "TIMESTAMP_NS":
		high, low = time.Unix(0, math.MaxInt64), time.Unix(0, -math.MaxInt64)
	default:
		return "", false
	}
	switch {
	case v.Equal(high):
		return "infinity", true
	case v.Equal(low):
		return "-infinity", true
	}
	return "", false
}

// intervalText returns an ISO 8601 duration: P1M3DT4.5S.
func intervalText(v duckdb.Interval) string {
	text := "P"
	if v.Months != 0 {
		text += strconv.Itoa(int(v.Months)) + "M"
	}
	if v.Days != 0 {
		text += strconv.Itoa(int(v.Days)) + "D"
	}
	if v.Micros != 0 || text == "P" {
		seconds := appendDecimal(nil, duckdb.Decimal{Scale: 6, Value: big.NewInt(v.Micros)})
		text += "T" + strings.TrimSuffix(strings.TrimRight(string(seconds), "0"), ".") + "S"
	}
	return text
}

// blobText returns bytes as DuckDB writes them: what is not plain ASCII as \xAB. A cast to blob reads it back.
func blobText(data []byte) string {
	var text strings.Builder
	for _, c := range data {
		if c < ' ' || c >= utf8.RuneSelf-1 || strings.IndexByte(`\'"`, c) >= 0 {
			fmt.Fprintf(&text, `\x%02X`, c)
			continue
		}
		text.WriteByte(c)
	}
	return text.String()
}

// element returns the type of a list's values; the JSON type says nothing about its lists.
func (t columnType) element() columnType {
	if t.elem == nil {
		return columnType{}
	}
	return *t.elem
}

// member returns the type of a union's member.
func (t columnType) member(name string) columnType {
	for _, f := range t.fields {
		if f.name == name {
			return f.typ
		}
	}
	return columnType{}
}
