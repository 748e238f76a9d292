package chart

import "math"

// Ring is a value set against a goal, as a share of a circle. What goes beyond the goal is a second, inner lap.
type Ring struct {
	Head
	// Colour is the colour of the laps.
	Colour string
	// Class is the page's name for the drawing.
	Class string
	// Value and Goal are in the same unit; Goal is above 0.
	Value, Goal float64
	// Figure and Note are written in the middle.
	Figure, Note string
}

// SVG draws the ring.
func (r Ring) SVG() string {
	const size, middle, outer, inner = 150.0, 75.0, 64.0, 51.0
	var c canvas
	c.open(r.Head, "ring "+r.Class, size, size)
	c.circle("track", middle, middle, outer, `fill="none" stroke="`+ringTrack+`" stroke-width="11"`)
	share := max(r.Value, 0) / r.Goal
	c.lap(r, middle, outer, min(share, 1), `stroke-width="11"`)
	if share > 1 {
		c.lap(r, middle, inner, min(share-1, 1), `stroke-width="6" stroke-opacity="0.6"`)
	}
	c.text("figure strong", middle, middle+4, "middle", ink, `font-size="30" font-weight="600"`, r.Figure)
	c.text("note", middle, middle+22, "middle", inkSoft, `font-size="11"`, r.Note)
	return c.close()
}

// lap draws a share of a circle, clockwise from the top. A whole circle cannot be drawn as one arc.
func (c *canvas) lap(r Ring, middle, radius, share float64, attrs string) {
	attrs = `fill="none" stroke="` + r.Colour + `" stroke-linecap="round" ` + attrs
	switch {
	case share <= 0:
		return
	case share >= 1:
		c.circle("lap", middle, middle, radius, attrs)
		return
	}
	angle := 2 * math.Pi * share
	long := "0"
	if share > 0.5 {
		long = "1"
	}
	c.WriteString(`<path class="lap" d="M ` + num(middle) + ` ` + num(middle-radius) + ` A ` + num(radius) + ` ` + num(radius) +
		` 0 ` + long + ` 1 ` + num(middle+radius*math.Sin(angle)) + ` ` + num(middle-radius*math.Cos(angle)) + `" ` + attrs + `/>`)
}
