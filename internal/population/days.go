package population

import (
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A waking is the time from getting up to going to bed.
type waking struct {
	from, to int
	date     schemas.Date // when it began
	shift    shift
}

// A bed is the time from lying down to getting up.
type bed struct {
	from, to int
	nap      bool
}

// A shift is when somebody works; the zero shift is a free day. A night shift ends on the day after.
type shift struct {
	from, to   int // minutes of the day
	onTheFloor bool
}

func (s shift) free() bool { return s.from == s.to }

func (s shift) overnight() bool { return s.to < s.from }

// shiftOn returns how the person works on a date.
func (l *life) shiftOn(date schemas.Date) shift {
	weekday := date.Weekday()
	if l.person.Job == JobRetired || weekday == time.Saturday || weekday == time.Sunday {
		return shift{}
	}
	if l.person.Job != JobShifts {
		return shift{from: wall(8, 40), to: wall(17, 20)}
	}
	rota := []shift{{from: wall(6, 0), to: wall(14, 0)}, {from: wall(14, 0), to: wall(22, 0)}, {from: wall(22, 0), to: wall(6, 0)}}
	week := int(mondayOf(date)-mondayOf(l.first)) / 7
	s := rota[week%len(rota)]
	s.onTheFloor = true
	return s
}

// bedWall returns when somebody who got up for that date's shift goes to bed.
func (l *life) bedWall(s shift, tomorrow shift) int {
	h := l.person.Habits
	switch {
	case s.overnight():
		return wall(7, 40)
	case s.onTheFloor && s.to == wall(22, 0):
		return wall(24, 45)
	case tomorrow.onTheFloor && tomorrow.from == wall(6, 0):
		return wall(21, 0)
	case tomorrow.free():
		return h.BedWallMin + h.FreeDayLaterMin
	default:
		return h.BedWallMin
	}
}

// wakeWall returns when somebody gets up for that date's shift.
func (l *life) wakeWall(s shift) int {
	h := l.person.Habits
	switch {
	case s.onTheFloor && s.from == wall(6, 0):
		return wall(4, 45)
	case s.onTheFloor && s.from == wall(14, 0):
		return wall(9, 0)
	case s.free():
		return h.WakeWallMin + h.FreeDayLaterMin
	default:
		return h.WakeWallMin
	}
}

// planDays fills the life with wakings and beds, one after the other. Going from minute to minute instead of from date
// to date is what lets it pass through flights: there a date may come twice, or last three hours.
func (l *life) planDays(d dice) {
	const noise = 25
	up := l.clock.next(0, l.wakeWall(l.shiftOn(l.first))+d.between(0, noise))
	for {
		w := waking{from: up, date: l.clock.date(up)}
		w.shift = l.shiftOn(w.date)
		b := l.bedAfter(w, d.between(-noise, noise), d.between(-noise, noise))
		if b.to >= l.clock.end-1 {
			w.to = l.clock.end // the last evening is a long one
			l.wakings = append(l.wakings, w)
			return
		}
		w.to = b.from
		l.wakings = append(l.wakings, w)
		if nap, ok := l.napIn(w, d); ok {
			l.beds = append(l.beds, nap)
		}
		l.beds = append(l.beds, b)
		up = b.to
	}
}

// bedAfter returns the main sleep that ends a waking.
func (l *life) bedAfter(w waking, bedNoise, wakeNoise int) bed {
	const (
		shortestWaking = 6 * 60
		shortestBed    = 150
	)
	bedWall := l.bedWall(w.shift, l.shiftOn(w.date.AddDays(1))) + bedNoise
	from := l.clock.next(w.from+shortestWaking, bedWall%minutesPerDay)
	for _, f := range l.flights {
		if f.from < w.from || f.from >= from {
			continue
		}
		if f.sleepTo > 0 {
			return bed{from: f.sleepFrom, to: f.sleepTo}
		}
		if from < f.to+45 {
			from = l.clock.next(f.to+45, bedWall%minutesPerDay)
		}
	}
	if from >= l.clock.end {
		return bed{from: l.clock.end, to: l.clock.end}
	}
	wakeWall := wall(14, 10)
	if !w.shift.overnight() {
		const soundAsleep = 4 * 60 // by then it is the date of waking
		wakeWall = l.wakeWall(l.shiftOn(l.clock.date(min(from+soundAsleep, l.clock.end-1))))
	}
	return bed{from: from, to: l.clock.next(from+shortestBed, wakeWall+wakeNoise)}
}

// napIn returns the nap of a waking, if there is one. It keeps far enough from the sleeps before and after never to be
// taken for a part of them.
func (l *life) napIn(w waking, d dice) (bed, bool) {
	const apart = 150
	at, length, wanted := wall(13, 10)+d.between(0, 40), d.between(20, 80), d.chance(l.person.Habits.NapPct)
	if w.shift.overnight() && w.to-w.from > 20*60 {
		at, wanted = wall(17, 0), true // up since the morning, and a night of work ahead
	} else if !w.shift.free() {
		return bed{}, false
	}
	from := l.clock.next(w.from, at)
	nap := bed{from: from, to: from + length, nap: true}
	if !wanted || nap.from < w.from+apart || nap.to > w.to-apart || l.flying(nap.from, 3*60) {
		return bed{}, false
	}
	return nap, true
}

// sleep fills the stages of every bed: awake at first, then cycles of about ninety minutes, deep sleep early and REM
// late, and lying awake at the end.
func (l *life) sleep(d dice) {
	for _, b := range l.beds {
		s := sleeper{stages: l.stages[b.from:b.to], d: d}
		s.lie(awakeInBed, d.between(3, 26))
		if !b.nap && d.chance(15) {
			s.lie(lightSleep, 1) // dozed off and woke at once: not yet asleep
			s.lie(awakeInBed, d.between(3, 9))
		}
		if b.nap {
			s.lie(lightSleep, len(s.stages)-d.between(0, 5))
		}
		lieIn := d.between(0, 14)
		for cycle := 0; len(s.stages) > lieIn+20 && !b.nap; cycle++ {
			s.cycle(cycle, l.person.Job == JobRetired)
		}
		s.lie(lightSleep, len(s.stages)-lieIn)
		s.lie(awakeInBed, len(s.stages))
	}
}

// A sleeper writes stages one after the other; stages are those still to be written.
type sleeper struct {
	stages []stage
	d      dice
}

func (s *sleeper) lie(in stage, minutes int) {
	minutes = max(0, min(minutes, len(s.stages)))
	for i := range minutes {
		s.stages[i] = in
	}
	s.stages = s.stages[minutes:]
}

func (s *sleeper) cycle(number int, light bool) {
	d := s.d
	s.lie(lightSleep, d.between(12, 24))
	s.lie(deepSleep, max(0, d.between(24, 40)-9*number))
	s.lie(lightSleep, d.between(10, 20))
	s.lie(remSleep, d.between(5, 10)+6*number)
	switch {
	case light && d.chance(35):
		s.lie(awakeInBed, d.between(1, 4))
		s.lie(outOfBed, d.between(3, 8))
		s.lie(awakeInBed, d.between(1, 6))
	case d.chance(60):
		s.lie(awakeInBed, d.between(1, 5))
	}
}
