package main

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

const (
	// tableSample is how many rows set the widths. A wider value that comes later pushes its line out; it is not cut.
	tableSample = 1000

	tableGap  = "  "
	tableNull = "null"
)

// A tableWriter writes aligned columns for people. It keeps the first rows until it knows how wide they are, and no more.
type tableWriter struct {
	w       *bufio.Writer
	columns []column
	widths  []int
	held    [][]string // nil once the widths are settled
	settled bool
	rows    int
	cell    []byte
}

func newTableWriter(w *bufio.Writer, columns []column) *tableWriter {
	return &tableWriter{w: w, columns: columns, widths: make([]int, len(columns))}
}

func (t *tableWriter) writeRow(values []any) (err error) {
	row := make([]string, len(values))
	for i, v := range values {
		if v == nil {
			row[i] = tableNull
			continue
		}
		if t.cell, err = appendText(t.cell[:0], t.columns[i].typ, v); err != nil {
			return err
		}
		row[i] = printable(string(t.cell))
	}
	t.rows++
	if t.settled {
		return t.writeLine(row)
	}
	t.held = append(t.held, row)
	if len(t.held) == tableSample {
		return t.settle()
	}
	return nil
}

func (t *tableWriter) close() error {
	if err := t.settle(); err != nil {
		return err
	}
	noun := "rows"
	if t.rows == 1 {
		noun = "row"
	}
	_, err := fmt.Fprintf(t.w, "(%d %s)\n", t.rows, noun)
	return err
}

// settle fixes the widths and writes the header and what was held; it does nothing the second time.
func (t *tableWriter) settle() error {
	if t.settled {
		return nil
	}
	t.settled = true
	header, rule := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, col := range t.columns {
		header[i] = printable(col.name)
		t.widths[i] = textWidth(header[i])
		for _, row := range t.held {
			t.widths[i] = max(t.widths[i], textWidth(row[i]))
		}
		rule[i] = strings.Repeat("-", t.widths[i])
	}
	for _, line := range append([][]string{header, rule}, t.held...) {
		if err := t.writeLine(line); err != nil {
			return err
		}
	}
	t.held = nil
	return nil
}

func (t *tableWriter) writeLine(cells []string) error {
	var line strings.Builder
	for i, cell := range cells {
		if i > 0 {
			line.WriteString(tableGap)
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-textWidth(cell)))
		if t.columns[i].typ.isNumeric() {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
	}
	_, err := t.w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	return err
}

// printable shows control characters instead of letting them act: a value must not break the line or drive the
// terminal.
func printable(s string) string {
	if !strings.ContainsFunc(s, actsOnTerminal) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if actsOnTerminal(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// actsOnTerminal holds for control characters and for those that change the direction of writing.
func actsOnTerminal(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// textWidth returns how many columns of a terminal the text takes.
func textWidth(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func isWide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}
