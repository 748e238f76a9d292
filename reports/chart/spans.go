package chart

// Spans is one span per day, from the least to the greatest value, with the mean marked on it.
type Spans struct {
	Head
	// Colour is the colour of the spans.
	Colour string
	// Class is the page's name for the drawing.
	Class string
	// Low and High are the scale's edges.
	Low, High float64
	// Ticks are the grid lines.
	Ticks []Tick
	// Columns are the days in order.
	Columns []Span
}

// A Span is one day of Spans.
type Span struct {
	// Label and Note stand below: the weekday and the date.
	Label, Note string
	// Missing holds the words for a day about which nothing is known. When it is set nothing else is drawn.
	Missing string
	// Min, Mean and Max are the day's values.
	Min, Mean, Max float64
	// MinFigure, MeanFigure and MaxFigure are the same, as written beside them.
	MinFigure, MeanFigure, MaxFigure string
	// Faint says that the day rests on too little wear: it is hatched.
	Faint bool
}

// SVG draws the spans.
func (s Spans) SVG() string {
	p := newPlot(len(s.Columns), s.Low, s.High)
	const width = 13.0
	var c canvas
	c.open(s.Head, "spans "+s.Class, plotWidth, plotHeight)
	c.hatch(s.ID, "hatch", s.Colour)
	p.grid(&c, s.Ticks)
	for i, span := range s.Columns {
		p.foot(&c, i, span.Label, span.Note)
		if span.Missing != "" {
			p.slot(&c, i, 2*width)
			p.slotWords(&c, i, span.Missing)
			continue
		}
		high, low, mean := p.y(span.Max), p.y(span.Min), p.y(span.Mean)
		class, fill := "span", `fill="`+s.Colour+`" fill-opacity="0.32"`
		if span.Faint {
			class, fill = "span faint", `fill="url(#`+esc(s.ID)+`-hatch)" stroke="`+s.Colour+`" fill-opacity="0.5"`
		}
		c.rect(class, p.x(i)-width/2, high, width, max(low-high, 2), width/2, fill)
		c.circle("dot", p.x(i), mean, 4.2, `fill="`+s.Colour+`" stroke="`+paper+`" stroke-width="1.5"`)
		c.text("figure", p.x(i), high-5, "middle", inkSoft, `font-size="10"`, span.MaxFigure)
		c.text("figure", p.x(i), low+11.5, "middle", inkSoft, `font-size="10"`, span.MinFigure)
		c.text("figure strong", p.x(i)+width/2+3, mean+3.5, "start", ink, `font-size="10.5" font-weight="600"`, span.MeanFigure)
	}
	return c.close()
}
