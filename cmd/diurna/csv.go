package main

import (
	"bufio"
	"bytes"
)

// A csvWriter writes RFC 4180 with LF. It does not use encoding/csv, which writes a null and an empty text alike and
// turns a row of one null into an empty line, which readers skip.
type csvWriter struct {
	w       *bufio.Writer
	columns []column
	line    []byte
	field   []byte
}

func newCSVWriter(w *bufio.Writer, columns []column) (*csvWriter, error) {
	c := &csvWriter{w: w, columns: columns}
	for i, col := range columns {
		c.separate(i)
		c.appendField([]byte(col.name))
	}
	return c, c.endLine()
}

func (c *csvWriter) writeRow(values []any) (err error) {
	for i, v := range values {
		c.separate(i)
		if v == nil {
			if len(values) == 1 {
				c.line = append(c.line, `""`...) // an empty line would be no row
			}
			continue
		}
		if c.field, err = appendText(c.field[:0], c.columns[i].typ, v); err != nil {
			return err
		}
		c.appendField(c.field)
	}
	return c.endLine()
}

func (c *csvWriter) close() error { return nil }

func (c *csvWriter) separate(i int) {
	if i > 0 {
		c.line = append(c.line, ',')
	}
}

func (c *csvWriter) appendField(field []byte) {
	if !needsQuotes(field) {
		c.line = append(c.line, field...)
		return
	}
	c.line = append(c.line, '"')
	c.line = append(c.line, bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...)
	c.line = append(c.line, '"')
}

func (c *csvWriter) endLine() error {
	_, err := c.w.Write(append(c.line, '\n'))
	c.line = c.line[:0]
	return err
}

// needsQuotes also quotes what RFC 4180 would not ask for: an empty text, to tell it from a null, and blanks at the ends,
// which some readers strip.
func needsQuotes(field []byte) bool {
	return len(field) == 0 || bytes.ContainsAny(field, "\",\r\n") || field[0] == ' ' || field[len(field)-1] == ' '
}
