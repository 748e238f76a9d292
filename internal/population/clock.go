package population

import (
	"fmt"
	"sort"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

const (
	minutesPerDay = 24 * 60
	minuteMS      = 60_000
)

// A stretch is a time of one UTC offset; it lasts until the next begins.
type stretch struct {
	from      int // minute of the life
	offsetMin int
	zone      string
}

// A clock tells what the wall shows in each minute of a life. Minutes are counted from the life's start.
type clock struct {
	startMS   int64
	end       int // minutes in the life
	stretches []stretch
}

// A flight takes a person from one zone to another. The wall shows the new zone from landing on.
type flight struct {
	day, wall   int // departure: days after the first date, minute of that day
	durationMin int
	to          string
	sleepFrom   int // minutes after departure; 0 with sleepTo = nobody sleeps
	sleepTo     int
}

// airborne is a flight in minutes of the life.
type airborne struct{ from, to, sleepFrom, sleepTo int }

// newClock returns the clock of a life that starts at midnight of the first date in home and ends at the midnight after
// the last, wherever the person is then.
func newClock(home string, first, last schemas.Date, flights []flight) (*clock, []airborne, []Stay, error) {
	zone, err := loadZone(home)
	if err != nil {
		return nil, nil, nil, err
	}
	start := wallMinute(zone, first, 0)
	c := &clock{startMS: start * minuteMS}
	stays := []Stay{{Zone: home, FromMS: c.startMS}}
	var flown []airborne
	at := start
	for _, f := range flights {
		departure := wallMinute(zone, first.AddDays(f.day), f.wall)
		landing := departure + int64(f.durationMin)
		c.stay(zone, start, at, landing)
		from := int(departure - start)
		a := airborne{from: from, to: int(landing - start)}
		if f.sleepTo > 0 {
			a.sleepFrom, a.sleepTo = from+f.sleepFrom, from+f.sleepTo
		}
		flown = append(flown, a)
		if zone, err = loadZone(f.to); err != nil {
			return nil, nil, nil, err
		}
		stays = append(stays, Stay{Zone: f.to, FromMS: landing * minuteMS})
		at = landing
	}
	end := wallMinute(zone, last.AddDays(1), 0)
	c.stay(zone, start, at, end)
	c.end = int(end - start)
	return c, flown, stays, nil
}

// stay adds the stretches of a zone between two instants, in minutes since 1970.
func (c *clock) stay(zone *time.Location, start, from, to int64) {
	for from < to {
		offsetMin, until := offsetAt(zone, from)
		c.stretches = append(c.stretches, stretch{from: int(from - start), offsetMin: offsetMin, zone: zone.String()})
		from = min(until, to)
	}
}

func (c *clock) stretch(i int) *stretch {
	n := sort.Search(len(c.stretches), func(k int) bool { return c.stretches[k].from > i })
	return &c.stretches[max(n-1, 0)]
}

func (c *clock) offset(i int) int32 { return int32(c.stretch(i).offsetMin) }

func (c *clock) ms(i int) int64 { return c.startMS + int64(i)*minuteMS }

// local returns the date and the minute of the day that the wall shows.
func (c *clock) local(i int) (schemas.Date, int) {
	local := c.ms(i)/minuteMS + int64(c.offset(i))
	date := schemas.DateOf(c.ms(i), c.offset(i))
	return date, int(local - int64(date)*minutesPerDay)
}

func (c *clock) date(i int) schemas.Date {
	d, _ := c.local(i)
	return d
}

// next returns the first minute from i on at which the wall shows that minute of the day; the end of the life when it
// never does again. A time that the wall jumps over is the one of the day after.
func (c *clock) next(i, wall int) int {
	for k := range c.stretches {
		until := c.end
		if k+1 < len(c.stretches) {
			until = c.stretches[k+1].from
		}
		if until <= i {
			continue
		}
		begin := max(i, c.stretches[k].from)
		_, shows := c.local(begin)
		if at := begin + (wall-shows+2*minutesPerDay)%minutesPerDay; at < until {
			return at
		}
	}
	return c.end
}

func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	return zone, nil
}

// wallMinute returns when the wall shows that minute of the date, in minutes since 1970.
func wallMinute(zone *time.Location, date schemas.Date, wall int) int64 {
	year, month, day := date.Civil()
	return time.Date(year, month, day, 0, wall, 0, 0, zone).Unix() / 60
}

// offsetAt returns the offset in force at an instant and when it ends, in minutes.
func offsetAt(zone *time.Location, minute int64) (offsetMin int, until int64) {
	t := time.Unix(minute*60, 0).In(zone) //nolint:forbidigo // people live by zones; their batches carry offsets
	_, seconds := t.Zone()
	_, end := t.ZoneBounds()
	if end.IsZero() {
		return seconds / 60, 1 << 62
	}
	return seconds / 60, end.Unix() / 60
}

// zoneThatMoves returns the first of the zones whose clock goes forward (or back) at least three days within the span;
// the first of all when none does.
func zoneThatMoves(forward bool, zones []string, first, last schemas.Date) (string, error) {
	for _, name := range zones {
		zone, err := loadZone(name)
		if err != nil {
			return "", err
		}
		from, to := wallMinute(zone, first.AddDays(3), 0), wallMinute(zone, last.AddDays(-3), 0)
		for from < to {
			before, until := offsetAt(zone, from)
			if until >= to {
				break
			}
			if after, _ := offsetAt(zone, until); (after > before) == forward {
				return name, nil
			}
			from = until
		}
	}
	return zones[0], nil
}
