package chart

// Bars is one bar per day, each of one or more parts stacked from zero upward.
type Bars struct {
	Head
	// Colours are the parts' colours from the bottom up, each with the class part-1, part-2, ...
	Colours []string
	// Class is the page's name for the drawing.
	Class string
	// Top is the least value at the upper edge; higher bars raise it.
	Top float64
	// Ticks are the grid lines.
	Ticks []Tick
	// Mean is a dashed line across the bars; nil for none.
	Mean *Tick
	// Columns are the days in order.
	Columns []Bar
}

// A Bar is one day of Bars.
type Bar struct {
	// Label and Note stand below: the weekday and the date.
	Label, Note string
	// Missing holds the words for a day about which nothing is known. When it is set nothing else is drawn.
	Missing string
	// Parts are the values from the bottom up, in the order of Bars.Colours.
	Parts []float64
	// Frame is an outline around the parts, such as the time in bed around the time asleep; 0 for none.
	Frame float64
	// Figure is written above the bar.
	Figure string
	// Faint says that the day rests on too little wear: it is hatched.
	Faint bool
}

// SVG draws the bars.
func (b Bars) SVG() string {
	p := newPlot(len(b.Columns), 0, b.highest())
	width := min(p.pitch()*0.56, 28)
	var c canvas
	c.open(b.Head, "bars "+b.Class, plotWidth, plotHeight)
	c.hatch(b.ID, "hatch", b.Colours[0])
	p.grid(&c, b.Ticks)
	for i, bar := range b.Columns {
		p.foot(&c, i, bar.Label, bar.Note)
		if bar.Missing != "" {
			p.slot(&c, i, width)
			continue
		}
		b.bar(&c, p, i, width, bar)
	}
	if b.Mean != nil {
		y := p.y(b.Mean.Value)
		c.line("mean-halo", p.left, y, p.right, y, `stroke="`+paper+`" stroke-width="3.5" stroke-opacity="0.7"`)
		c.line("mean", p.left, y, p.right, y, `stroke="`+ink+`" stroke-width="1.4" stroke-dasharray="5 3"`)
	}
	// Words and figures come last, so that no line crosses them.
	for i, bar := range b.Columns {
		if bar.Missing != "" {
			p.slotWords(&c, i, bar.Missing)
			continue
		}
		y := p.y(max(sum(bar.Parts), bar.Frame)) - 5
		c.text("figure halo", p.x(i), y, "middle", ink, `font-size="10.5" font-weight="600" `+halo, bar.Figure)
	}
	return c.close()
}

func (b Bars) bar(c *canvas, p plot, i int, width float64, bar Bar) {
	x := p.x(i) - width/2
	if bar.Frame > 0 {
		y := p.y(bar.Frame)
		c.rect("frame", x-2.5, y, width+5, p.bottom-y, 5,
			`fill="`+b.Colours[0]+`" fill-opacity="0.16" stroke="`+b.Colours[0]+`" stroke-opacity="0.5"`)
	}
	total := sum(bar.Parts)
	if total == 0 {
		c.line("zero", x, p.bottom-1, x+width, p.bottom-1, `stroke="`+b.Colours[0]+`" stroke-width="2"`)
		return
	}
	below := 0.0
	for k, v := range bar.Parts {
		if v <= 0 {
			continue
		}
		top, foot := p.y(below+v), p.y(below)
		class, fill := "part part-"+num(float64(k+1)), `fill="`+b.Colours[k%len(b.Colours)]+`"`
		if bar.Faint {
			class += " faint"
			fill = `fill="url(#` + esc(b.ID) + `-hatch)" stroke="` + b.Colours[k%len(b.Colours)] + `"`
		}
		c.rect(class, x, top, width, max(foot-top, 0.8), 3, fill)
		below += v
	}
}

func (b Bars) highest() float64 {
	top := b.Top
	for _, bar := range b.Columns {
		top = max(top, bar.Frame, sum(bar.Parts))
	}
	return top
}

func sum(vs []float64) float64 {
	var s float64
	for _, v := range vs {
		s += v
	}
	return s
}
