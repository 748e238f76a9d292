package chart

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// The default colours. They keep their order of lightness in grey and for every common form of colour blindness.
const (
	ink       = "#23262f"
	inkSoft   = "#5d6270"
	grid      = "#e3ddd2"
	slot      = "#a9a59b"
	paper     = "#fffdf9"
	ringTrack = "#e8e2d7"
)

// halo keeps words legible where a line runs behind them.
const halo = `paint-order="stroke" stroke="` + paper + `" stroke-width="3" stroke-linejoin="round"`

// Head is what every drawing says of itself.
type Head struct {
	// ID is unique within the page; it names the title and the description.
	ID string
	// Title is the drawing's name in a few words.
	Title string
	// Desc tells what the drawing shows, figures included, for people who cannot see it.
	Desc string
}

// A Tick is a labelled line across the plot.
type Tick struct {
	Value float64
	Label string
}

// canvas collects the parts of one drawing.
type canvas struct{ strings.Builder }

func (c *canvas) open(h Head, class string, width, height float64) {
	c.WriteString(`<svg class="chart ` + class + `" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + num(width) + ` ` +
		num(height) + `" role="img" aria-labelledby="` + esc(h.ID) + `-t ` + esc(h.ID) + `-d" font-family="` +
		`system-ui,sans-serif" font-size="11">`)
	c.WriteString(`<title id="` + esc(h.ID) + `-t">` + esc(h.Title) + `</title>`)
	c.WriteString(`<desc id="` + esc(h.ID) + `-d">` + esc(h.Desc) + `</desc>`)
}

func (c *canvas) close() string {
	c.WriteString(`</svg>`)
	return c.String()
}

// rect draws a rectangle with rounded corners. attrs are written as they are.
func (c *canvas) rect(class string, x, y, w, h, radius float64, attrs string) {
	c.WriteString(`<rect class="` + class + `" x="` + num(x) + `" y="` + num(y) + `" width="` + num(w) + `" height="` +
		num(h) + `" rx="` + num(math.Min(radius, math.Min(w, h)/2)) + `" ` + attrs + `/>`)
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64, attrs string) {
	c.WriteString(`<line class="` + class + `" x1="` + num(x1) + `" y1="` + num(y1) + `" x2="` + num(x2) + `" y2="` +
		num(y2) + `" ` + attrs + `/>`)
}

func (c *canvas) circle(class string, x, y, r float64, attrs string) {
	c.WriteString(`<circle class="` + class + `" cx="` + num(x) + `" cy="` + num(y) + `" r="` + num(r) + `" ` + attrs + `/>`)
}

func (c *canvas) text(class string, x, y float64, anchor, fill, attrs, words string) {
	c.WriteString(`<text class="` + class + `" x="` + num(x) + `" y="` + num(y) + `" text-anchor="` + anchor +
		`" fill="` + fill + `" ` + attrs + `>` + esc(words) + `</text>`)
}

// hatch declares the pattern of what rests on too little wear. It is stroked in the colour of the bars themselves.
func (c *canvas) hatch(id, class, colour string) {
	c.WriteString(`<defs><pattern id="` + esc(id) + `-hatch" width="5" height="5" patternUnits="userSpaceOnUse" ` +
		`patternTransform="rotate(45)"><line class="` + class + `" x1="1" y1="0" x2="1" y2="5" stroke="` + colour +
		`" stroke-width="2"/></pattern></defs>`)
}

// num writes a coordinate: two decimals at most, so that bytes do not hang on the last bit of a float.
func num(v float64) string {
	r := math.Round(v*100) / 100
	if r == 0 { // never "-0"
		r = 0
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

func esc(s string) string { return html.EscapeString(s) }
