package population

import (
	"fmt"

	"github.com/diurna-health/diurna/schemas"
)

// A stage is what a person does in bed in one minute; 0 = not in bed.
type stage uint8

const (
	notInBed stage = iota
	awakeInBed
	lightSleep
	deepSleep
	remSleep
	asleepSomehow // from a watch that tells no stages
	outOfBed
)

func (s stage) asleep() bool { return s >= lightSleep && s <= asleepSomehow }

func (s stage) awake() bool { return s == awakeInBed || s == outOfBed }

func (s stage) wire() schemas.SleepStage {
	return [...]schemas.SleepStage{
		awakeInBed: schemas.StageAwake, lightSleep: schemas.StageLight, deepSleep: schemas.StageDeep,
		remSleep: schemas.StageREM, asleepSomehow: schemas.StageAsleep, outOfBed: schemas.StageOutOfBed,
	}[s]
}

// What is true of a minute, one bit each.
const (
	markWorn      uint8 = 1 << iota
	markStep            // the watch has a step sample, its own zero included
	markHeart           // the watch has a heart rate
	markHeartZero       // the watch has a heart rate of 0, which nobody has
	markPhone           // the phone has a step sample
	markShaken          // a machine made the steps
	markPowered         // the watch is on
)

// A life is a person minute by minute.
type life struct {
	person  Person
	traits  traits
	seed    uint64
	clock   *clock
	flights []airborne
	first   schemas.Date
	last    schemas.Date

	wakings []waking
	beds    []bed

	steps  []uint16 // as the watch counts them
	phone  []uint16 // as the phone counts them; nil without a phone
	levels []uint8  // the watch's activity class
	hearts []uint8
	stages []stage
	marks  []uint8
	seen   []episode // of sleep, by the watch

	errors  []clockError
	resetAt int // the minute at which the watch was reset; 0 = never
	gadgets []*gadget
}

// A clockError is a time in which the watch's clock is wrong.
type clockError struct {
	from, to int
	shiftMS  int64
	reason   schemas.RejectReason
}

func newLife(config Config, number int) (*life, error) {
	person, traits, err := characterOf(config, number)
	if err != nil {
		return nil, err
	}
	c, flights, stays, err := newClock(traits.home, config.From, config.To, traits.flights)
	if err != nil {
		return nil, err
	}
	person.Stays = stays
	l := &life{
		person: person, traits: traits, seed: config.Seed + uint64(number), clock: c, flights: flights,
		first: config.From, last: config.To,
		steps: make([]uint16, c.end), levels: make([]uint8, c.end), hearts: make([]uint8, c.end),
		stages: make([]stage, c.end), marks: make([]uint8, c.end),
	}
	// The order matters: each step reads what the ones before have written.
	l.planDays(newDice(config.Seed, number, forDays))
	l.sleep(newDice(config.Seed, number, forSleep))
	l.move(newDice(config.Seed, number, forSteps))
	l.beat(newDice(config.Seed, number, forHeart))
	l.carryPhone(newDice(config.Seed, number, forPhone))
	l.wear(newDice(config.Seed, number, forWear))
	l.breakClock()
	l.seen = l.episodes()
	l.planSyncs(newDice(config.Seed, number, forSyncs), newDice(config.Seed, number, forReadings))
	return l, nil
}

func (l *life) marked(i int, mark uint8) bool { return l.marks[i]&mark != 0 }

// shift returns by how much the watch's clock is wrong, and why its samples are refused; 0 = it is right.
func (l *life) shift(i int) (int64, schemas.RejectReason) {
	for _, e := range l.errors {
		if i >= e.from && i < e.to {
			return e.shiftMS, e.reason
		}
	}
	return 0, ""
}

// told returns the stage that the watch tells of a minute.
func (l *life) told(i int) stage {
	if l.traits.sleep == sleepUntold || !l.marked(i, markWorn) {
		return notInBed
	}
	s := l.stages[i]
	if l.traits.sleep != sleepStaged && s.asleep() {
		return asleepSomehow
	}
	return s
}

// flying reports whether the minute, or one so close to it, is spent in the air.
func (l *life) flying(i, margin int) bool {
	for _, f := range l.flights {
		if i >= f.from-margin && i < f.to+margin {
			return true
		}
	}
	return false
}

// heartAt returns the k-th heart rate of a minute, in beats/min.
func (l *life) heartAt(i, k int) int32 {
	if l.marked(i, markHeartZero) {
		return 0
	}
	if l.traits.heartPeriodMS == minuteMS {
		return int32(l.hearts[i])
	}
	// No heart leaps: within the minute it goes from where it was to where it will be.
	before, now, n := int(l.hearts[max(i-1, 0)]), int(l.hearts[i]), l.heartsPerMinute()
	return int32(before + (now-before)*(k+1)/n + wobble(l.seed, i, k))
}

// breakClock makes the watch's clock wrong, if that is the person's lot.
func (l *life) breakClock() {
	if l.traits.wrongClock {
		const daysAhead = 7305 // twenty years: wrong whenever the batches are read
		from := l.minuteOf(dayOf(l.first, l.last, 45), wall(12, 0))
		l.errors = append(l.errors, clockError{
			from: from, to: from + 3*minutesPerDay, shiftMS: daysAhead * schemas.MillisPerDay, reason: schemas.RejectFutureTime,
		})
	}
	if l.traits.reset {
		const (
			newYear2000MS = 946_684_800_000
			untilSetMin   = 47
		)
		l.resetAt = l.minuteOf(dayOf(l.first, l.last, 55), wall(19, 10))
		l.errors = append(l.errors, clockError{
			from: l.resetAt, to: l.resetAt + untilSetMin, shiftMS: newYear2000MS - l.clock.ms(l.resetAt),
			reason: schemas.RejectAncientTime,
		})
	}
}

// minuteOf returns when the wall shows that time so many days into the life, for who stays in one zone.
func (l *life) minuteOf(day, wall int) int {
	return l.clock.next(day*minutesPerDay-6*60, wall)
}

// matchWeeklySteps changes the steps of a life, a step a minute at a time, so that every ISO week that lies whole in the
// span has as many as the other's. It fails when a week has too few minutes of walking to take them.
func (l *life) matchWeeklySteps(other *life) error {
	const (
		pottering = 10 // a minute that somebody spent on their feet
		brisk     = 130
	)
	missing := other.weeklySteps()
	for week, n := range l.weeklySteps() {
		missing[week] -= n
	}
	for week := range missing {
		if week < l.first || week.AddDays(6) > l.last {
			delete(missing, week)
		}
	}
	weeks := make([]schemas.Date, len(l.steps))
	for i := range l.steps {
		weeks[i] = mondayOf(l.clock.date(i))
	}
	for changed := true; changed; {
		changed = false
		for i, n := range l.steps {
			m := missing[weeks[i]]
			switch {
			case m == 0 || n < pottering || !l.marked(i, markStep):
			case m > 0 && n < brisk:
				l.steps[i]++
				missing[weeks[i]]--
				changed = true
			case m < 0 && n > pottering:
				l.steps[i]--
				missing[weeks[i]]++
				changed = true
			}
		}
	}
	for week, n := range missing {
		if n != 0 {
			return fmt.Errorf("match weekly steps: the week of %s is %d steps off", week, n)
		}
	}
	return nil
}

func (l *life) weeklySteps() map[schemas.Date]int {
	weeks := map[schemas.Date]int{}
	for i, n := range l.steps {
		if l.marked(i, markStep) {
			weeks[mondayOf(l.clock.date(i))] += int(n)
		}
	}
	return weeks
}
