package population

// The watch's activity classes.
const (
	sedentary uint8 = iota
	lightActivity
	moderateActivity
	vigorousActivity
)

// An outing is minutes on end of one kind of moving.
type outing struct {
	from, length int
	level        uint8
	cadence      int // steps/min
	spread       int // either way
	shaken       bool
}

// move fills steps and activity classes of every waking: pottering about everywhere, and outings.
func (l *life) move(d dice) {
	for _, w := range l.wakings {
		ill := l.ill(w)
		l.potter(w, ill, d)
		outings := l.outings(w, d)
		if ill {
			continue // the outings were thrown nevertheless: being ill moves no other day's dice
		}
		for _, o := range outings {
			l.goOut(w, o, d)
		}
	}
}

// ill reports whether the waking falls into the days of the person's illness.
func (l *life) ill(w waking) bool {
	from, to := l.illness()
	return l.traits.illness && w.from >= from && w.from < to
}

func (l *life) illness() (from, to int) {
	from = dayOf(l.first, l.last, 60) * minutesPerDay
	return from, from + 3*minutesPerDay
}

// potter adds the few steps that come by themselves.
func (l *life) potter(w waking, ill bool, d dice) {
	workFrom, workTo := l.work(w)
	left, pace := 0, 0
	for i := w.from; i < w.to; i++ {
		if left == 0 && d.IntN(100_000) < l.restlessness(w, i, ill, i >= workFrom && i < workTo)*l.person.Habits.LivelinessPct {
			left, pace = d.between(1, 6), d.between(12, 60)
		}
		if left == 0 {
			continue
		}
		left--
		if l.stages[i] == notInBed {
			l.steps[i] = uint16(pace + d.between(-8, 8))
			l.levels[i] = lightActivity
		}
	}
}

// restlessness is how often in a thousand minutes somebody gets up and potters about.
func (l *life) restlessness(w waking, i int, ill, atWork bool) int {
	switch {
	case ill:
		return 12
	case l.flying(i, 0):
		return 6
	case !atWork:
		return 45
	case w.shift.onTheFloor:
		return 90
	default:
		return 26
	}
}

// work returns the minutes of a waking that are spent at work, none on a free day.
func (l *life) work(w waking) (from, to int) {
	if w.shift.free() {
		return 0, 0
	}
	from = l.clock.next(w.from, w.shift.from)
	return from, from + (w.shift.to-w.shift.from+minutesPerDay)%minutesPerDay
}

// outings returns what the person sets out to do in a waking.
func (l *life) outings(w waking, d dice) []outing {
	h := l.person.Habits
	var all []outing
	walk := func(at, length int) {
		all = append(all, outing{from: l.clock.next(w.from, at%minutesPerDay), length: length,
			level: moderateActivity, cadence: h.CadencePerMin, spread: 9})
	}
	switch {
	case l.person.Job == JobRetired:
		walk(wall(10, 0)+d.between(0, 30), d.between(25, 60))
		if d.chance(70) {
			walk(wall(16, 30)+d.between(0, 40), d.between(15, 40))
		}
	case w.shift.free():
		if d.chance(55) {
			walk(wall(10, 45)+d.between(0, 90), d.between(45, 130))
		}
		walk(wall(18, 0)+d.between(0, 60), d.between(10, 30))
	default:
		walk(w.shift.from-h.CommuteMin-3+minutesPerDay, h.CommuteMin)
		walk(w.shift.to, h.CommuteMin)
		if d.chance(50) {
			walk(w.shift.from+4*60, d.between(8, 20))
		}
	}
	if run, at := d.chance(60), d.between(0, 30); l.person.Job == JobRunner && run {
		if w.shift.free() {
			at += wall(9, 30)
		} else {
			at += wall(18, 30)
		}
		all = append(all, outing{from: l.clock.next(w.from, at), length: d.between(28, 75),
			level: vigorousActivity, cadence: 162, spread: 10})
	}
	if shake, length := d.chance(40), d.between(25, 60); l.traits.shakes && shake {
		all = append(all, outing{from: l.clock.next(w.from, wall(20, 15)), length: length,
			level: moderateActivity, cadence: 285, spread: 40, shaken: true})
	}
	return all
}

// goOut writes an outing over whatever was there, unless it would reach into bed or into the air.
func (l *life) goOut(w waking, o outing, d dice) {
	to := o.from + o.length
	if o.from < w.from || to > w.to || l.flying(o.from, 90) || l.flying(to, 90) {
		return
	}
	for i := o.from; i < to; i++ {
		if l.stages[i] != notInBed {
			continue
		}
		l.steps[i] = uint16(o.cadence + d.between(-o.spread, o.spread))
		l.levels[i] = o.level
		if o.shaken {
			l.marks[i] |= markShaken
		}
	}
}

// beat fills the heart rate: it follows what the person does, a third of the way each minute.
func (l *life) beat(d dice) {
	const (
		scale   = 8 // eighths of a beat
		slowest = 38
		fastest = 198
	)
	rest := l.person.Habits.RestingHeartRateBPM
	at := (rest + 12) * scale
	for i := range l.hearts {
		at += (l.effort(i, rest)*scale-at)/3 + d.between(-scale, scale)
		l.hearts[i] = uint8(min(max(at/scale+d.between(-1, 1), slowest+2), fastest-2))
	}
}

// effort is the heart rate that the minute asks for in the long run.
func (l *life) effort(i, rest int) int {
	switch l.stages[i] {
	case deepSleep:
		return rest - 1
	case lightSleep, asleepSomehow:
		return rest + 3
	case remSleep:
		return rest + 7
	case awakeInBed:
		return rest + 9
	case outOfBed:
		return rest + 20
	case notInBed:
	}
	if l.marked(i, markShaken) {
		return rest + 13
	}
	return rest + [...]int{sedentary: 13, lightActivity: 28, moderateActivity: 48, vigorousActivity: 98}[l.levels[i]]
}

// carryPhone fills what the phone counts: in half hours in which it is carried, nearly what the person walked.
func (l *life) carryPhone(d dice) {
	if !l.traits.carriesPhone {
		return
	}
	carriedPct := 70
	if !l.traits.wearsWatch {
		carriedPct = 95
	}
	l.phone = make([]uint16, len(l.steps))
	for _, w := range l.wakings {
		carried := false
		for i := w.from; i < w.to; i++ {
			if (i-w.from)%30 == 0 {
				carried = d.chance(carriedPct)
			}
			if !carried || l.stages[i] != notInBed {
				continue
			}
			l.marks[i] |= markPhone
			if n := int(l.steps[i]); n > 0 {
				l.phone[i] = uint16(max(0, n+d.between(-4, 3)))
			}
		}
	}
}

// wear marks the minutes in which the watch measures, and takes away what it did not see.
func (l *life) wear(d dice) {
	if !l.traits.wearsWatch {
		return
	}
	l.putOn(d)
	l.unplug(d)
	l.measure(d)
}

// putOn marks the watch worn from the first waking on, but for chargings and for days on which it is left at home, the
// night after included.
func (l *life) putOn(d dice) {
	const longWeekend = 20 // two days on end without the watch give a date of nothing but zeros
	put := l.wakings[0].from
	for i := put; i < l.clock.end; i++ {
		l.marks[i] |= markPowered | markWorn
	}
	for k, w := range l.wakings {
		leave, charge, length := d.chance(l.person.Habits.UnwornPct), d.between(15, 40), d.between(25, 70)
		if k%2 == 1 {
			l.clear(w.from+charge, min(w.from+charge+length, w.to), markWorn)
		}
		if k == 0 || !leave && (!l.traits.zerosWhenOff || k%longWeekend < longWeekend-2) {
			continue
		}
		off, until := w.from+10, l.clock.end
		if !l.marked(w.from-1, markWorn) {
			off = w.from // it still lies where it was left
		}
		if k+1 < len(l.wakings) {
			until = l.wakings[k+1].from
		}
		l.clear(off, until, markWorn)
	}
}

// unplug takes the power from the watch: nothing is measured then, not even zeros.
func (l *life) unplug(d dice) {
	if l.traits.drawer {
		from := l.minuteOf(dayOf(l.first, l.last, 40), wall(11, 0))
		l.clear(from, from+dayOf(l.first, l.last, 34)*minutesPerDay, markWorn|markPowered)
	}
	if l.traits.flatEvery == 0 {
		return
	}
	for day := l.traits.flatEvery; day < int(l.last-l.first); day += l.traits.flatEvery + d.between(-2, 2) {
		from := day*minutesPerDay + d.between(0, minutesPerDay-1)
		l.clear(from, from+d.between(9*60, 34*60), markWorn|markPowered)
	}
}

func (l *life) clear(from, to int, marks uint8) {
	for i := max(from, 0); i < min(to, l.clock.end); i++ {
		l.marks[i] &^= marks
	}
}

// measure marks the samples.
func (l *life) measure(d dice) {
	loose := 0
	for i := range l.marks {
		missed, slips, length := d.chance(1), d.IntN(1000) < 8, d.between(2, 9)
		worn := l.marked(i, markWorn)
		if !worn {
			l.steps[i], l.levels[i] = 0, sedentary
		}
		if worn || l.traits.zerosWhenOff && l.marked(i, markPowered) {
			l.marks[i] |= markStep
		}
		if !worn || l.traits.heartPeriodMS == 0 {
			continue
		}
		if loose == 0 && l.traits.looseStrap && slips {
			loose = length
		}
		switch {
		case loose > 0:
			loose--
			l.marks[i] |= markHeartZero
		case !missed:
			l.marks[i] |= markHeart
		}
	}
}
