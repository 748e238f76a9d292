package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// An outputFormat is a form in which the rows of a query are written. It is a pflag.Value.
type outputFormat string

// The output formats.
const (
	formatTable outputFormat = "table"
	formatCSV   outputFormat = "csv"
	formatJSON  outputFormat = "json"
	formatArrow outputFormat = "arrow"
)

// outputHelp is what a command that writes rows says about them.
const outputHelp = `Output formats:
  table  aligned, for people
  csv    RFC 4180 with a header row, in UTF-8; lines end with LF alone, so that shell tools see no CR in the last
         column; a null is an empty field, an empty text is ""
  json   an array of objects, keys in the order of the columns; NaN and infinite numbers are null
  arrow  an Arrow IPC stream
Dates are YYYY-MM-DD and timestamps RFC 3339: with a zone in UTC (Z), without one as 2006-01-02T15:04:05. Decimals and
integers of any width keep every digit. Lists, structs and maps are JSON text in table and csv.`

func outputFormats() []outputFormat {
	return []outputFormat{formatTable, formatCSV, formatJSON, formatArrow}
}

// addOutputFlag adds --format to a command that writes rows.
func addOutputFlag(flags *pflag.FlagSet, format *outputFormat) {
	*format = formatTable
	flags.Var(format, "format", "`FORMAT` of the result: table, csv, json or arrow")
}

// String returns the format's name.
func (f *outputFormat) String() string { return string(*f) }

// Type is the flag's placeholder where its usage has none.
func (*outputFormat) Type() string { return "FORMAT" }

// Set takes the value of the flag.
func (f *outputFormat) Set(s string) error {
	if !slices.Contains(outputFormats(), outputFormat(s)) {
		return fmt.Errorf("it must be table, csv, json or arrow")
	}
	*f = outputFormat(s)
	return nil
}

// A column is one of a result: its name and what its values are.
type column struct {
	name string
	typ  columnType
}

// A rowWriter writes rows in one format. The values are those of the DuckDB driver, nil for null; they are only valid
// during the call.
type rowWriter interface {
	writeRow(values []any) error
	// close writes what is left to write. It is called once, after the last row, and not after an error.
	close() error
}

// writeRows writes all rows of a query to w, as they come, and closes rows. What was written before an error stays
// written: it is the exit code that says whether a result is whole.
func writeRows(ctx context.Context, w io.Writer, format outputFormat, rows *sql.Rows) error {
	defer rows.Close()

	columns, err := columnsOf(rows)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	out, err := newRowWriter(buffered, format, columns)
	if err != nil {
		return err
	}
	if err := copyRows(ctx, out, rows, len(columns)); err != nil {
		return err
	}
	if err := out.close(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

func newRowWriter(w *bufio.Writer, format outputFormat, columns []column) (rowWriter, error) {
	switch format {
	case formatTable:
		return newTableWriter(w, columns), nil
	case formatCSV:
		return newCSVWriter(w, columns)
	case formatJSON:
		return newJSONWriter(w, columns)
	case formatArrow:
		return newArrowWriter(w, columns), nil
	default:
		return nil, fmt.Errorf("output format %q is unknown", string(format))
	}
}

func copyRows(ctx context.Context, out rowWriter, rows *sql.Rows, n int) error {
	values, targets := make([]any, n), make([]any, n)
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read row: %w", err)
		}
		if err := out.writeRow(values); err != nil {
			return fmt.Errorf("write row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	return nil
}

func columnsOf(rows *sql.Rows) ([]column, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read columns: %w", err)
	}
	columns := make([]column, len(types))
	for i, t := range types {
		typ, err := parseColumnType(t.DatabaseTypeName())
		if err != nil {
			return nil, fmt.Errorf("read type of column %d: %w", i+1, err)
		}
		columns[i] = column{name: strings.ToValidUTF8(t.Name(), "\uFFFD"), typ: typ}
	}
	return columns, nil
}
