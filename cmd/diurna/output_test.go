package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
)

// write returns what a query's rows look like in a format.
func write(t *testing.T, format outputFormat, query string) (string, error) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = writeRows(t.Context(), &out, format, rows)
	return out.String(), err
}

func mustWrite(t *testing.T, format outputFormat, query string) string {
	t.Helper()
	out, err := write(t, format, query)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// typeCases say how a value of each type looks as text (table and csv), in JSON, and read back from Arrow.
var typeCases = []struct {
	name, sql         string
	text, json, arrow string
}{
	{"boolean", `true`, `true`, `true`, `true`},
	{"tinyint", `(-128)::tinyint`, `-128`, `-128`, `-128`},
	{"smallint", `32767::smallint`, `32767`, `32767`, `32767`},
	{"integer", `(-2147483648)::integer`, `-2147483648`, `-2147483648`, `-2147483648`},
	{"bigint", `9223372036854775807`, `9223372036854775807`, `9223372036854775807`, `9223372036854775807`},
	{"utinyint", `255::utinyint`, `255`, `255`, `255`},
	{"usmallint", `65535::usmallint`, `65535`, `65535`, `65535`},
	{"uinteger", `4294967295::uinteger`, `4294967295`, `4294967295`, `4294967295`},
	{"ubigint", `18446744073709551615::ubigint`, `18446744073709551615`, `18446744073709551615`, `18446744073709551615`},
	{"hugeint", `12345678901234567890123456789012345678::hugeint`, `12345678901234567890123456789012345678`,
		`12345678901234567890123456789012345678`, `12345678901234567890123456789012345678`},
	{"a sum of integers is a hugeint", `(select sum(i) from range(4) t(i))`, `6`, `6`, `6`},
	{"uhugeint", `340282366920938463463374607431768211455::uhugeint`, `340282366920938463463374607431768211455`,
		`340282366920938463463374607431768211455`, `340282366920938463463374607431768211455`},
	{"float", `0.1::float`, `0.1`, `0.1`, `0.1`},
	{"double", `1/3`, `0.3333333333333333`, `0.3333333333333333`, `0.3333333333333333`},
	{"large double", `1e15::double`, `1000000000000000`, `1000000000000000`, `1000000000000000`},
	{"tiny double", `1e-9::double`, `1e-09`, `1e-09`, `1e-9`},
	{"nan", `'nan'::double`, `NaN`, `null`, `NaN`},
	{"infinite double", `'-inf'::double`, `-Infinity`, `null`, `-Inf`},
	{"decimal keeps its scale", `12.34::decimal(10,3)`, `12.340`, `12.340`, `12.34`},
	{"small negative decimal", `(-0.05)::decimal(4,2)`, `-0.05`, `-0.05`, `-0.05`},
	{"zero decimal", `0::decimal(4,2)`, `0.00`, `0.00`, `0`},
	{"wide decimal", `1234567890123456789012345678.0123456789::decimal(38,10)`,
		`1234567890123456789012345678.0123456789`, `1234567890123456789012345678.0123456789`,
		`1234567890123456789012345678.0123456789`},
	{"varchar", `'Zoë, "M"'`, `Zoë, "M"`, `"Zoë, \"M\""`, `"Zoë, \"M\""`},
	{"blob", `'\x00a\xFF'::blob`, `\x00a\xFF`, `"\\x00a\\xFF"`, `"AGH/"`},
	{"date", `date '2026-03-01'`, `2026-03-01`, `"2026-03-01"`, `"2026-03-01"`},
	{"infinite date", `'infinity'::date`, `infinity`, `"infinity"`, ``},
	{"timestamp", `timestamp '2026-03-01 01:02:03'`, `2026-03-01T01:02:03`, `"2026-03-01T01:02:03"`,
		`"2026-03-01T01:02:03"`},
	{"timestamp with fraction", `timestamp '2026-03-01 01:02:03.250'`, `2026-03-01T01:02:03.25`,
		`"2026-03-01T01:02:03.25"`, `"2026-03-01T01:02:03.25"`},
	{"timestamptz is in UTC", `timestamptz '2026-03-01 01:02:03+01'`, `2026-03-01T00:02:03Z`, `"2026-03-01T00:02:03Z"`,
		`"2026-03-01T00:02:03Z"`},
	{"infinite timestamptz", `'-infinity'::timestamptz`, `-infinity`, `"-infinity"`, ``},
	{"timestamp_s", `timestamp_s '2026-03-01 01:02:03'`, `2026-03-01T01:02:03`, `"2026-03-01T01:02:03"`,
		`"2026-03-01T01:02:03"`},
	{"timestamp_ms", `timestamp_ms '2026-03-01 01:02:03.004'`, `2026-03-01T01:02:03.004`, `"2026-03-01T01:02:03.004"`,
		`"2026-03-01T01:02:03.004"`},
	{"timestamp_ns", `timestamp_ns '2026-03-01 01:02:03.000000001'`, `2026-03-01T01:02:03.000000001`,
		`"2026-03-01T01:02:03.000000001"`, `"2026-03-01T01:02:03.000000001"`},
	{"time", `time '01:02:03.5'`, `01:02:03.5`, `"01:02:03.5"`, `"01:02:03.5"`},
	{"timetz", `'01:02:03+01'::timetz`, `01:02:03+01:00`, `"01:02:03+01:00"`, `"01:02:03+01:00"`},
	{"interval", `interval '1 month 3 days 4.5 seconds'`, `P1M3DT4.5S`, `"P1M3DT4.5S"`,
		`{"months":1,"days":3,"nanoseconds":4500000000}`},
	{"no interval at all", `interval '0 days'`, `PT0S`, `"PT0S"`, `{"months":0,"days":0,"nanoseconds":0}`},
	{"negative interval", `interval '-1.5 seconds'`, `PT-1.5S`, `"PT-1.5S"`, `{"months":0,"days":0,"nanoseconds":-1500000000}`},
	{"uuid", `'4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'::uuid`, `4ac7a9e9-607c-4c8a-84f3-843f0191e3fd`,
		`"4ac7a9e9-607c-4c8a-84f3-843f0191e3fd"`, `"4ac7a9e9-607c-4c8a-84f3-843f0191e3fd"`},
	{"enum", `'a'::enum('a','b')`, `a`, `"a"`, `"a"`},
	{"bit", `'101'::bit`, `101`, `"101"`, `"101"`},
	{"json", `'{"b":[1,null],"a":"x"}'::json`, `{"a":"x","b":[1,null]}`, `{"a":"x","b":[1,null]}`,
		`"{\"a\":\"x\",\"b\":[1,null]}"`},
	{"list", `[1,null,3]`, `[1,null,3]`, `[1,null,3]`, `[1,null,3]`},
	{"empty list", `[]::integer[]`, `[]`, `[]`, `[]`},
	{"list of dates", `[date '2026-03-01']`, `["2026-03-01"]`, `["2026-03-01"]`, `["2026-03-01"]`},
	{"list of lists of decimals", `[[1.5::decimal(4,2)],null]`, `[[1.50],null]`, `[[1.50],null]`, `[["1.5"],null]`},
	{"array", `[1,2]::integer[2]`, `[1,2]`, `[1,2]`, `[1,2]`},
	{"struct keeps its order", `{'z':1,'a "b"':date '2026-03-01'}`, `{"z":1,"a \"b\"":"2026-03-01"}`,
		`{"z":1,"a \"b\"":"2026-03-01"}`, `{"a \"b\"":"2026-03-01","z":1}`},
	{"list of structs with a list", `[{'at':[timestamptz '2026-03-01 01:02:03Z']}]`, `[{"at":["2026-03-01T01:02:03Z"]}]`,
		`[{"at":["2026-03-01T01:02:03Z"]}]`, `[{"at":["2026-03-01T01:02:03Z"]}]`},
	{"map", `map{7:'x',8:null}`, `{"7":"x","8":null}`, `{"7":"x","8":null}`, `[{"key":7,"value":"x"},{"key":8,"value":null}]`},
	{"union", `union_value(n:=date '2026-03-01')`, `2026-03-01`, `"2026-03-01"`, `"2026-03-01"`},
	{"null", `null::date`, ``, `null`, `null`},
	{"null list", `null::integer[]`, ``, `null`, `null`},
	{"null array", `null::integer[2]`, ``, `null`, `null`},
	{"null struct", `null::struct(a integer)`, ``, `null`, `null`},
	{"null map", `null::map(integer, integer)`, ``, `null`, `null`},
}

func TestEveryTypeIsWrittenAsCSV(t *testing.T) {
	t.Parallel()
	for _, tt := range typeCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := mustWrite(t, formatCSV, `select `+tt.sql+` as v, 1 as n`)
			got, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]string{{"v", "n"}, {tt.text, "1"}}, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryTypeIsWrittenAsJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range typeCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := mustWrite(t, formatJSON, `select `+tt.sql+` as v, 1 as n`)
			if want := "[\n" + `{"v":` + tt.json + `,"n":1}` + "\n]\n"; got != want {
				t.Errorf("got  %swant %s", got, want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
}

func TestEveryTypeIsWrittenAsArrow(t *testing.T) {
	t.Parallel()
	for _, tt := range typeCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := mustWrite(t, formatArrow, `select `+tt.sql+` as v, 1 as n`)
			reader, err := ipc.NewReader(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Release()
			if !reader.Next() || reader.RecordBatch().NumRows() != 1 {
				t.Fatalf("want one row: %v", reader.Err())
			}
			if tt.arrow == "" {
				return // a date or time that Arrow holds and Go has no text for
			}
			// Arrow's own rendering, which quotes numbers that a float64 cannot hold.
			got, err := json.Marshal(reader.RecordBatch().Column(0).GetOneForMarshal(0))
			if err != nil || string(got) != tt.arrow && string(got) != `"`+tt.arrow+`"` {
				t.Errorf("got %s of type %s, want %s (%v)", got, reader.Schema().Field(0).Type, tt.arrow, err)
			}
		})
	}
}

func TestDuckDBReadsTheCSVBack(t *testing.T) {
	t.Parallel()
	query := `select i, case when i % 3 = 0 then null when i % 3 = 1 then '' else 'a"b,' || chr(10) || 'c' end as s,
		timestamptz '2026-03-01 00:00:00Z' + interval (i) hours as at, date '2026-03-01' + i::integer as d,
		(i / 8)::decimal(9,3) as x from range(2500) t(i)`
	path := t.TempDir() + "/rows.csv"
	writeFile(t, path, mustWrite(t, formatCSV, query))
	diff := `with a as (` + query + `), b as (select * from read_csv('` + path + `', header = true, nullstr = '', allow_quoted_nulls = false,
		columns = {'i': 'bigint', 's': 'varchar', 'at': 'timestamptz', 'd': 'date', 'x': 'decimal(9,3)'}))
		select (select count(*) from b) as n, (select count(*) from (from a except all from b)) as missing`
	if got, want := mustWrite(t, formatCSV, diff), "n,missing\n2500,0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCSVTellsNullFromEmptyAndKeepsLonelyNulls(t *testing.T) {
	t.Parallel()
	got := mustWrite(t, formatCSV, `select * from (values (null, ''), ('', null), (' x', 'y')) t("a,b", c)`)
	if want := "\"a,b\",c\n,\"\"\n\"\",\n\" x\",y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := mustWrite(t, formatCSV, `select null as a`), "a\n\"\"\n"; got != want {
		t.Errorf("a row of one null: got %q, want %q", got, want)
	}
	if got, want := mustWrite(t, formatCSV, `select 1 as a where false`), "a\n"; got != want {
		t.Errorf("no rows: got %q, want %q", got, want)
	}
}

func TestJSONIsOneArrayHoweverManyRows(t *testing.T) {
	t.Parallel()
	if got, want := mustWrite(t, formatJSON, `select 1 as a where false`), "[]\n"; got != want {
		t.Errorf("no rows: got %q, want %q", got, want)
	}
	got := mustWrite(t, formatJSON, `select i as b, null as a from range(2) t(i)`)
	if want := "[\n{\"b\":0,\"a\":null},\n{\"b\":1,\"a\":null}\n]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONRefusesTwoColumnsOfOneName(t *testing.T) {
	t.Parallel()
	out, err := write(t, formatJSON, `select 1 as a, 2 as a`)
	if schemas.ErrorCode(err) != schemas.CodeInvalid || out != "" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestJSONStringsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "\x00\x1f\x7f\"\\\n\r\t/<>&", "Zoë 日本 \u2028 🏃", "ends with \\"} {
		var got string
		if err := json.Unmarshal(appendJSONString(nil, s), &got); err != nil || got != s {
			t.Errorf("wrote %q, read %q, %v", s, got, err)
		}
	}
}

func TestTableIsAlignedForPeople(t *testing.T) {
	t.Parallel()
	got := mustWrite(t, formatTable, `select * from (values
		('ann', date '2026-03-01', 12345, 0.5::decimal(4,2)),
		('日本', null, 7, null),
		('esc' || chr(27) || '[2J' || chr(10), date '2026-03-02', null, 10)) t(user_id, local_date, step_count, x)`)
	want := `user_id       local_date  step_count      x
------------  ----------  ----------  -----
ann           2026-03-01       12345   0.50
日本          null                 7   null
esc\x1b[2J\n  2026-03-02        null  10.00
(3 rows)
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	if got, want := mustWrite(t, formatTable, `select 1 as a`), "a\n-\n1\n(1 row)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := mustWrite(t, formatTable, `select 1 as a where false`), "a\n-\n(0 rows)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATableOfManyRowsShowsThemAll(t *testing.T) {
	t.Parallel()
	got := mustWrite(t, formatTable, `select i, repeat('x', (i // 1500)::integer) as s from range(3000) t(i)`)
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != 3000+3 || lines[len(lines)-1] != "(3000 rows)" || lines[len(lines)-2] != "2999  x" {
		t.Errorf("got %d lines, the last ones %q", len(lines), lines[len(lines)-2:])
	}
}

func TestArrowStreamsManyBatchesAndEmptyResults(t *testing.T) {
	t.Parallel()
	for rows, query := range map[int64]string{
		0:                    `select 1 as a where false`,
		arrowBatchRows:       `select i from range(8192) t(i)`,
		2*arrowBatchRows + 1: `select i from range(16385) t(i)`,
	} {
		reader, err := ipc.NewReader(strings.NewReader(mustWrite(t, formatArrow, query)))
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		for reader.Next() {
			n += reader.RecordBatch().NumRows()
		}
		if reader.Err() != nil || n != rows {
			t.Errorf("got %d rows, want %d (%v)", n, rows, reader.Err())
		}
		reader.Release()
	}
}

func TestArrowTypesAreThoseReadersKnow(t *testing.T) {
	t.Parallel()
	reader, err := ipc.NewReader(strings.NewReader(mustWrite(t, formatArrow, `select date '2026-03-01' as local_date,
		now() as at, localtimestamp as local_at, sum(1) as n, 1.5::decimal(9,2) as d, [1] as l, {'a': 'x'} as s`)))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	var got []string
	for _, f := range reader.Schema().Fields() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	want := []string{
		"local_date date32", "at timestamp[us, tz=UTC]", "local_at timestamp[us]", "n decimal(38, 0)", "d decimal(9, 2)",
		"l list<item: int32, nullable>", "s struct<a: utf8 nullable>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

func TestArrowRefusesWhatItWouldCut(t *testing.T) {
	t.Parallel()
	_, err := write(t, formatArrow, `select 170141183460469231731687303715884105727::hugeint`)
	if schemas.ErrorCode(err) != schemas.CodeInvalid {
		t.Errorf("a hugeint of 39 digits: got %v", err)
	}
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, format := range outputFormats() {
		rows, err := db.QueryContext(t.Context(), `select i from range(100000) t(i)`)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeRows(t.Context(), brokenWriter{}, format, rows); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v", format, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		rows, err = db.QueryContext(t.Context(), `select i from range(10) t(i)`)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeRows(ctx, &bytes.Buffer{}, format, rows); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v from a cancelled context", format, err)
		}
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestNamesThatAreNoTypesAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "DECIMAL(10", "INTEGER[", "INTEGER[x]", "STRUCT(a INTEGER)", `STRUCT("a INTEGER)`,
		"MAP(INTEGER)", "VARCHAR(3)", "INTEGER]", "integer"} {
		if got, err := parseColumnType(name); err == nil {
			t.Errorf("%q was read as %+v", name, got)
		}
	}
}

func BenchmarkWriteRows(b *testing.B) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const rows = 100_000
	for _, format := range outputFormats() {
		b.Run("format="+string(format), func(b *testing.B) {
			for b.Loop() {
				result, err := db.QueryContext(b.Context(), `select 'user' || i % 100 as user_id, date '2026-01-01' + (i % 365)::integer as local_date,
					i as step_count, i / 7 as mean from range(100000) t(i)`)
				if err != nil {
					b.Fatal(err)
				}
				if err := writeRows(b.Context(), discard{}, format, result); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
