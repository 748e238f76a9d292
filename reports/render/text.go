package render

import (
	"strings"
	"unicode/utf8"
)

const textWidth = 78

// wrap breaks a paragraph into lines of the text's width.
func wrap(paragraph string) string { return fill(paragraph, "", textWidth) }

// indent breaks a list entry into lines that hang behind its dash.
func indent(entry string) string { return "- " + fill(entry, "  ", textWidth-2) }

func fill(paragraph, margin string, width int) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(paragraph) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+n > width:
			b.WriteString("\n" + margin)
			length = 0
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}

// underline sets a heading's line beneath it.
func underline(heading, mark string) string {
	return heading + "\n" + strings.Repeat(mark, utf8.RuneCountInString(heading))
}

// grid sets a table in columns: the first to the left, the others to the right.
func grid(t table) string {
	rows := append([][]string{t.Head}, t.Rows...)
	widths := make([]int, len(t.Head))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		for k, cell := range row {
			padding := strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell))
			if k == 0 {
				b.WriteString("  " + cell + padding)
			} else {
				b.WriteString("  " + padding + cell)
			}
		}
		lines[i] = strings.TrimRight(b.String(), " ")
	}
	return strings.Join(lines, "\n")
}
