package imports

import (
	"errors"
	"math"
	"time"
)

// ErrNeverWas is returned by Clock.Instant for a wall time that the clocks jumped over.
var ErrNeverWas = errors.New("this time never was: the clocks went forward over it")

// marginS is further than any clock on Earth was ever moved at once, and further than any is from UTC.
const marginS = 26 * 3600

// A Zone knows which instants a wall time can mean. Wall times are given as the seconds since 1970-01-01 00:00 on that
// wall. It is for one goroutine.
type Zone struct {
	loc *time.Location

	// The stretch of one offset that was asked for last: exports ask for one moment after the other.
	from, to int64
	offsetS  int64
}

// NewZone returns the zone of loc.
func NewZone(loc *time.Location) *Zone { return &Zone{loc: loc, from: 1, to: 0} }

// Name returns the IANA name, "" when it has none.
func (z *Zone) Name() string {
	if name := z.loc.String(); name != "Local" {
		return name
	}
	return ""
}

// OffsetMin returns the minutes east of UTC at an instant, given in seconds since 1970-01-01 UTC.
func (z *Zone) OffsetMin(unix int64) int32 {
	z.move(unix)
	return int32(z.offsetS / 60)
}

// Instants returns the instants, in seconds since 1970-01-01 UTC, at which the wall showed that time: none, one, or two
// of which the earlier is first. With one, first and second are equal.
func (z *Zone) Instants(wall int64) (first, second int64, n int) {
	if t := wall - z.offsetS; z.from <= z.to && t-marginS >= z.from && t+marginS < z.to {
		return t, t, 1 // no change of the clocks anywhere near
	}
	for probe := wall - marginS; probe <= wall+marginS; {
		z.move(probe)
		t := wall - z.offsetS
		if t >= z.from && t < z.to {
			if n == 0 {
				first = t
			}
			second = t
			n++
		}
		if z.to == math.MaxInt64 {
			break
		}
		probe = z.to
	}
	return first, second, n
}

// move makes the stretch that holds the instant the current one.
func (z *Zone) move(unix int64) {
	if z.from <= unix && unix < z.to {
		return
	}
	at := time.Unix(unix, 0).In(z.loc) //nolint:forbidigo // the zone becomes an offset here, once, on the way in
	_, offsetS := at.Zone()
	start, end := at.ZoneBounds()
	z.from, z.to, z.offsetS = math.MinInt64+marginS, math.MaxInt64, int64(offsetS)
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
}

// A Clock turns the wall times of one person's rows of one file, in the order in which they stand there, into instants.
type Clock struct {
	Zone *Zone
	// Repeats says that a row may repeat the time of the row before it, as a value measured at irregular moments may.
	// Where rows stand for stretches of time, the same time again is the hour that comes again.
	Repeats bool

	last  int64
	began bool
}

// Instant returns the instant, in seconds since 1970-01-01 UTC, that a wall time means, or ErrNeverWas.
func (c *Clock) Instant(wall int64) (int64, error) {
	first, second, n := c.Zone.Instants(wall)
	if n == 0 {
		return 0, ErrNeverWas
	}
	at := first
	if first != second && c.began && c.isPast(first, second) {
		at = second
	}
	c.last, c.began = at, true
	return at, nil
}

// isPast reports whether the row before shows that the first occurrence is over. A row before that lies beyond the
// second shows only that the file is not in order.
func (c *Clock) isPast(first, second int64) bool {
	if c.Repeats {
		return c.last > first && c.last <= second
	}
	return c.last >= first && c.last < second
}
