package main

import (
	"bufio"
	"fmt"

	"github.com/diurna-health/diurna/schemas"
)

// A jsonWriter writes an array of objects, one on a line, as the rows come.
type jsonWriter struct {
	w       *bufio.Writer
	columns []column
	keys    [][]byte // with quotes and colon
	line    []byte
	rows    int
}

func newJSONWriter(w *bufio.Writer, columns []column) (*jsonWriter, error) {
	j := &jsonWriter{w: w, columns: columns}
	seen := map[string]bool{}
	for _, col := range columns {
		// Readers of an object keep one of two equal keys, without a word.
		if seen[col.name] {
			return nil, &schemas.Error{
				Code:    schemas.CodeInvalid,
				Message: fmt.Sprintf("two columns are named %q: give one another name (as ...) or choose --format csv", col.name),
			}
		}
		seen[col.name] = true
		j.keys = append(j.keys, append(appendJSONString(nil, col.name), ':'))
	}
	return j, nil
}

func (j *jsonWriter) writeRow(values []any) (err error) {
	j.line = append(j.line[:0], ",\n{"...)
	if j.rows == 0 {
		j.line[0] = '['
	}
	j.rows++
	for i, v := range values {
		if i > 0 {
			j.line = append(j.line, ',')
		}
		j.line = append(j.line, j.keys[i]...)
		if j.line, err = appendJSON(j.line, j.columns[i].typ, v); err != nil {
			return err
		}
	}
	_, err = j.w.Write(append(j.line, '}'))
	return err
}

func (j *jsonWriter) close() error {
	end := "\n]\n"
	if j.rows == 0 {
		end = "[]\n"
	}
	_, err := j.w.WriteString(end)
	return err
}
