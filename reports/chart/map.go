package chart

// Map is one cell per date, in rows: of a month its weeks, of a year its months. Its cells show either how much was
// measured (Halves) or how great a value is.
type Map struct {
	Head
	// Class is the page's name for the drawing.
	Class string
	// Halves says that a cell has a mark for the day and one for the night; otherwise it has a square as large as its
	// value.
	Halves bool
	// Colour fills the squares, or the marks of the days; NightColour the marks of the nights.
	Colour, NightColour string
	// Columns stand above the columns; an empty one is left out.
	Columns []string
	// Rows are the rows from the top.
	Rows []MapRow
}

// A MapRow is one row of a Map. Its cells begin at the first column.
type MapRow struct {
	Label string
	Cells []MapCell
}

// A MapCell is one date of a Map; the zero MapCell is a place without a date.
type MapCell struct {
	// IsDate says that there is a date here.
	IsDate bool
	// Note is written in a cell that has room for it: the day of the month.
	Note string
	// Day and Night say how much was measured; without Halves, Day alone does.
	Day, Night CellState
	// Level is the share of the greatest value, 0 to 1. A measured zero is a line.
	Level float64
}

// SVG draws the map: large cells with their dates when there are few columns, small ones when there are many.
func (m Map) SVG() string {
	const width, top, roomy = 360.0, 18.0, 30.0
	left := 0.0
	for _, row := range m.Rows {
		if row.Label != "" {
			left = 32
		}
	}
	pitch := (width - left) / float64(max(len(m.Columns), 1))
	isLarge := pitch >= roomy
	height := pitch + 3
	if isLarge {
		height = 42
	}
	var c canvas
	c.open(m.Head, "map "+m.Class, width, top+height*float64(len(m.Rows))+4)
	for i, label := range m.Columns {
		if label != "" {
			c.text("axis", left+(float64(i)+0.5)*pitch, 11, "middle", inkSoft, `font-size="9.5"`, label)
		}
	}
	for r, row := range m.Rows {
		y := top + float64(r)*height
		if row.Label != "" {
			c.text("axis", 0, y+height/2+3.5, "start", inkSoft, `font-size="10"`, row.Label)
		}
		for i, cell := range row.Cells {
			if !cell.IsDate {
				continue
			}
			x := left + (float64(i)+0.5)*pitch
			switch {
			case isLarge:
				c.text("date", x, y+10, "middle", inkSoft, `font-size="9.5"`, cell.Note)
				m.large(&c, cell, x, y+26)
			default:
				m.small(&c, cell, x, y+height/2, pitch-1.6)
			}
		}
	}
	return c.close()
}

// large draws a cell of a month.
func (m Map) large(c *canvas, cell MapCell, x, y float64) {
	if m.Halves {
		c.cell(cell.Day, "day-cell", x-11, y, 19, m.Colour)
		c.cell(cell.Night, "night-cell", x+11, y, 19, m.NightColour)
		return
	}
	m.square(c, cell, x, y, 25)
}

// small draws a cell of a year: in halves the day above the night, each as a bar, half as long when it is too short to
// count.
func (m Map) small(c *canvas, cell MapCell, x, y, size float64) {
	if !m.Halves {
		m.square(c, cell, x, y, size)
		return
	}
	half := size/2 - 0.4
	m.bar(c, cell.Day, "day-cell", x-size/2, y-size/2, size, half, m.Colour)
	m.bar(c, cell.Night, "night-cell", x-size/2, y+0.4, size, half, m.NightColour)
}

func (m Map) bar(c *canvas, state CellState, class string, x, y, width, height float64, colour string) {
	switch state {
	case CellValid:
		c.rect(class, x, y, width, height, 1.5, `fill="`+colour+`"`)
	case CellShort:
		c.rect(class, x, y, width/2, height, 1.5, `fill="`+colour+`"`)
	case CellNone:
		c.circle("slot-dot", x+width/2, y+height/2, 0.7, `fill="`+slot+`"`)
	case CellToCome:
	}
}

// square draws a value as a square, and a date without one as an empty slot.
func (m Map) square(c *canvas, cell MapCell, x, y, size float64) {
	switch cell.Day {
	case CellToCome:
		return
	case CellNone:
		c.rect("slot", x-size/2+0.5, y-size/2+0.5, size-1, size-1, size/4,
			`fill="none" stroke="`+slot+`" stroke-width="0.8" stroke-dasharray="1.5 2"`)
		return
	default:
	}
	if cell.Level <= 0 {
		c.line("zero", x-size/4, y, x+size/4, y, `stroke="`+m.Colour+`" stroke-width="1.4"`)
		return
	}
	side := size * (0.3 + 0.7*min(cell.Level, 1))
	c.rect("part part-1", x-side/2, y-side/2, side, side, side/4, `fill="`+m.Colour+`"`)
}
