package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/medals"
)

// tiers are the metals, the least first.
var tiers = []medals.Tier{"bronze", "silver", "gold", "platinum", "diamond"}

// A drawing is a medal on its ribbon, in a box 72 wide and 92 high. Each metal has a shape of its own.
type drawing struct {
	Tier        medals.Tier
	Family      string
	Outer       string // path of the shape
	Inner       string // path of the same shape, smaller
	Numeral     string
	NumeralSize int
}

const (
	centreX, centreY = 36.0, 60.0
	radius           = 29.0
)

func newDrawing(tier medals.Tier, family string, level int64) drawing {
	d := drawing{Tier: tier, Family: family, Outer: shape(tier, radius), Inner: shape(tier, radius-4.5)}
	if level > 0 {
		d.Numeral = numeral(level)
		d.NumeralSize = []int{26, 26, 24, 18, 15}[min(len(d.Numeral), 4)]
	}
	return d
}

// shape returns the outline of a metal: a disc, a scalloped disc, a sun, a shield, a cut stone.
func shape(tier medals.Tier, r float64) string {
	switch tier {
	case "silver":
		return scallop(r)
	case "gold":
		return polygon(32, r, r*0.88)
	case "platinum":
		return crest(r)
	case "diamond":
		return polygon(8, r*1.04, r*0.86)
	default:
		return disc(r)
	}
}

func disc(r float64) string {
	return fmt.Sprintf("M%.1f %.1fa%.1f %.1f 0 1 1 0 %.1fa%.1f %.1f 0 1 1 0 %.1fz", centreX, centreY-r, r, r, 2*r, r, r, -2*r)
}

// polygon alternates between two radii, beginning at the top.
func polygon(corners int, outer, inner float64) string {
	var b strings.Builder
	for i := range corners {
		r := outer
		if i%2 == 1 {
			r = inner
		}
		command := "L"
		if i == 0 {
			command = "M"
		}
		x, y := polar(r, float64(i)/float64(corners))
		fmt.Fprintf(&b, "%s%.1f %.1f", command, x, y)
	}
	return b.String() + "z"
}

// scallop is a disc with an edge of ten arcs.
func scallop(r float64) string {
	const arcs = 10
	// The arcs reach past the corners they join.
	ring := r * 0.88
	x, y := polar(ring, 0)
	var b strings.Builder
	fmt.Fprintf(&b, "M%.1f %.1f", x, y)
	for i := 1; i <= arcs; i++ {
		x, y := polar(ring, float64(i)/arcs)
		fmt.Fprintf(&b, "A%.1f %.1f 0 0 1 %.1f %.1f", r*0.31, r*0.31, x, y)
	}
	return b.String() + "z"
}

// crest is a shield with a flat top.
func crest(r float64) string {
	w, top := r*0.86, r*0.84
	return fmt.Sprintf("M%.1f %.1fH%.1fV%.1fC%.1f %.1f %.1f %.1f %.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fz",
		centreX-w, centreY-top, centreX+w, centreY+r*0.1,
		centreX+w, centreY+r*0.6, centreX+w*0.5, centreY+r*0.86, centreX, centreY+r*1.05,
		centreX-w*0.5, centreY+r*0.86, centreX-w, centreY+r*0.6, centreX-w, centreY+r*0.1)
}

// polar returns the point at a share of a turn, clockwise from the top.
func polar(r, turn float64) (x, y float64) {
	sin, cos := math.Sincos(2 * math.Pi * turn)
	return centreX + r*sin, centreY - r*cos
}

// numeral writes a level in as few signs as a medal has room for: 5k, 2.5M, 365.
func numeral(level int64) string {
	short := func(unit int64, sign string) string {
		return strconv.FormatFloat(math.Floor(float64(level)/float64(unit)*10)/10, 'f', -1, 64) + sign
	}
	switch {
	case level >= 1_000_000:
		return short(1_000_000, "M")
	case level >= 1_000:
		return short(1_000, "k")
	default:
		return strconv.FormatInt(level, 10)
	}
}

// beadsPerRow makes a row of beads two weeks.
const (
	beadsPerRow = 14
	beadStep    = 20
)

// beads draw a streak, a bead or a shield for each day.
type beads struct {
	ID            string
	Width, Height int
	Beads         []bead
	Title, Desc   string
	HasShields    bool
}

type bead struct {
	X, Y     int
	IsShield bool
}

func newBeads(e *medals.Evidence, id string) *beads {
	b := &beads{ID: id, Width: beadsPerRow * beadStep, HasShields: len(e.Shields) > 0}
	shields := 0
	add := func(isShield bool) {
		n := len(b.Beads)
		b.Beads = append(b.Beads, bead{n%beadsPerRow*beadStep + beadStep/2, n/beadsPerRow*beadStep + beadStep/2, isShield})
	}
	for _, item := range e.Items {
		for shields < len(e.Shields) && e.Shields[shields].Date < item.Date {
			add(true)
			shields++
		}
		add(false)
	}
	for ; shields < len(e.Shields); shields++ {
		add(true)
	}
	b.Height = (len(b.Beads) + beadsPerRow - 1) / beadsPerRow * beadStep
	one := "day"
	if isOfNights(e) {
		one = "night"
	}
	b.Title = "The " + one + "s of this streak"
	b.Desc = plural(len(e.Items), one, one+"s") + " reached"
	if b.HasShields {
		b.Desc += ", " + plural(len(e.Shields), "shielded "+one, "shielded "+one+"s") + " between them"
	}
	return b
}
