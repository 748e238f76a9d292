package chart

// A CellState says how much of a day or a night was measured.
type CellState string

// The states of a cell.
const (
	CellValid  CellState = "valid"   // enough to count
	CellShort  CellState = "short"   // something, but too little to count
	CellNone   CellState = "none"    // nothing
	CellToCome CellState = "to_come" // not over yet
)

// Cells is the coverage of a period: a day cell and a night cell for each date.
type Cells struct {
	Head
	// Class is the page's name for the drawing.
	Class string
	// DayColour and NightColour fill the cells.
	DayColour, NightColour string
	// DayName and NightName stand before the rows.
	DayName, NightName string
	// Columns are the dates in order.
	Columns []Cell
}

// A Cell is one date of Cells.
type Cell struct {
	// Label and Note stand above: the weekday and the date.
	Label, Note string
	// Day and Night say how much of each was measured.
	Day, Night CellState
}

// SVG draws the cells: full, half full, a dashed outline for nothing, a faint dot for what is to come.
func (s Cells) SVG() string {
	const width, height, left, cell = 360.0, 96.0, 40.0, 24.0
	pitch := (width - left) / float64(max(len(s.Columns), 1))
	var c canvas
	c.open(s.Head, "cells "+s.Class, width, height)
	c.text("axis", 0, 50, "start", inkSoft, ``, s.DayName)
	c.text("axis", 0, 82, "start", inkSoft, ``, s.NightName)
	for i, col := range s.Columns {
		x := left + (float64(i)+0.5)*pitch
		c.text("day", x, 12, "middle", ink, ``, col.Label)
		c.text("date", x, 25, "middle", inkSoft, `font-size="10"`, col.Note)
		c.cell(col.Day, "day-cell", x, 46, cell, s.DayColour)
		c.cell(col.Night, "night-cell", x, 78, cell, s.NightColour)
	}
	return c.close()
}

func (c *canvas) cell(state CellState, class string, x, y, size float64, colour string) {
	left, top := x-size/2, y-size/2
	switch state {
	case CellValid:
		c.rect(class, left, top, size, size, 7, `fill="`+colour+`"`)
		c.WriteString(`<path class="tick" d="M ` + num(x-5) + ` ` + num(y+0.5) + ` l 3.5 3.5 l 6.5 -7.5" fill="none" stroke="` +
			paper + `" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`)
	case CellShort:
		c.rect(class+" outline", left+0.75, top+0.75, size-1.5, size-1.5, 7,
			`fill="none" stroke="`+colour+`" stroke-width="1.5"`)
		c.WriteString(`<path class="` + class + `" d="M ` + num(left+0.75) + ` ` + num(y) + ` h ` + num(size-1.5) + ` v ` +
			num(size/2-7.75) + ` a 7 7 0 0 1 -7 7 h ` + num(-(size - 15.5)) + ` a 7 7 0 0 1 -7 -7 z" fill="` + colour + `"/>`)
	case CellNone:
		c.rect("slot", left+0.75, top+0.75, size-1.5, size-1.5, 7,
			`fill="none" stroke="`+slot+`" stroke-width="1.5" stroke-dasharray="2 3.4"`)
	case CellToCome:
		c.circle("slot-dot", x, y, 2, `fill="`+slot+`"`)
	}
}
