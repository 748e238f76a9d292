package chart

// A plot of one column per day: where it lies in the drawing, and how a value becomes a height.
type plot struct {
	left, right, top, bottom float64
	low, high                float64
	columns                  int
}

const (
	plotWidth  = 360.0
	plotHeight = 196.0
)

// newPlot lays out columns between low and high. A scale without extent is given one, so that a flat week still shows.
func newPlot(columns int, low, high float64) plot {
	if high <= low {
		high = low + 1
	}
	return plot{left: 38, right: plotWidth - 2, top: 20, bottom: plotHeight - 34, low: low, high: high, columns: columns}
}

// y returns the height of a value; what lies outside the scale is drawn at its edge.
func (p plot) y(v float64) float64 {
	share := (v - p.low) / (p.high - p.low)
	return p.bottom - min(max(share, 0), 1)*(p.bottom-p.top)
}

// x returns the middle of column i.
func (p plot) x(i int) float64 { return p.left + (float64(i)+0.5)*p.pitch() }

func (p plot) pitch() float64 { return (p.right - p.left) / float64(max(p.columns, 1)) }

func (p plot) grid(c *canvas, ticks []Tick) {
	for _, t := range ticks {
		y := p.y(t.Value)
		c.line("grid", p.left, y, p.right, y, `stroke="`+grid+`"`)
		c.text("axis", p.left-6, y+3.5, "end", inkSoft, `font-size="10"`, t.Label)
	}
}

// foot writes a column's day and date.
func (p plot) foot(c *canvas, i int, label, note string) {
	c.text("day", p.x(i), p.bottom+16, "middle", ink, ``, label)
	c.text("date", p.x(i), p.bottom+29, "middle", inkSoft, `font-size="10"`, note)
}

// slot draws the empty place of a column about which nothing is known.
func (p plot) slot(c *canvas, i int, width float64) {
	c.rect("slot", p.x(i)-width/2, p.top, width, p.bottom-p.top, 4,
		`fill="none" stroke="`+slot+`" stroke-dasharray="2 4"`)
}

// slotWords writes why a column is empty, upward in its slot.
func (p plot) slotWords(c *canvas, i int, words string) {
	middle := (p.top + p.bottom) / 2
	c.text("slot-words halo", p.x(i), middle, "middle", inkSoft, `font-size="10" dominant-baseline="central" `+
		`transform="rotate(-90 `+num(p.x(i))+` `+num(middle)+`)" `+halo, words)
}
