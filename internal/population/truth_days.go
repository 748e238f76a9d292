package population

import (
	"slices"
	"sort"

	"github.com/diurna-health/diurna/schemas"
)

// Product rules, written down a second time.
const (
	activeHourSteps    = 250
	stillMin           = 90  // without a step, and the watch counts as not worn
	validDayWornMin    = 600 // awake
	validNightInBedMin = 240
	onsetRunMin        = 2 // the shortest run of whole minutes that holds three epochs of 30 s
)

// days returns the truth about every date of the life.
func (l *life) days() []Day {
	minutes := map[schemas.Date][]int{}
	for i := range l.clock.end {
		date := l.clock.date(i)
		minutes[date] = append(minutes[date], i)
	}
	nights := l.nights()
	inBed := l.inBed(nights)
	var all []Day
	for date := l.first; date <= l.last; date++ {
		of := minutes[date]
		d := Day{
			UserID: l.person.UserID, LocalDate: date,
			Steps: l.stepsIn(of), Activity: l.activityIn(of), HeartRate: l.heartRateIn(of), Wear: l.wearIn(of),
			Naps: []Sleep{}, Readings: l.readingsOn(date),
		}
		for _, sleep := range nights[date] {
			if d.Night == nil && !sleep.nap {
				d.Night = &sleep.Sleep
			} else {
				d.Naps = append(d.Naps, sleep.Sleep)
			}
		}
		d.IsValidNight = d.Night != nil && d.Night.TimeInBedMin >= validNightInBedMin
		d.IsValidDay = isValidDay(d.Wear, inBed[date])
		all = append(all, d)
	}
	return all
}

// isValidDay reports whether the watch was worn awake for long enough: by heart rate, less the date's time in bed, or by
// motion, which sleep does not have.
func isValidDay(w *Wear, inBedMin int) bool {
	if w == nil {
		return false
	}
	byHeart := w.WearSource == "heart_rate" && w.WornMin-inBedMin >= validDayWornMin
	return byHeart || w.MotionMin != nil && *w.MotionMin >= validDayWornMin
}

// inBed counts the minutes of each date in bed, naps included. A night that is known by its sum has no minutes and stands
// whole on its date.
func (l *life) inBed(nights map[schemas.Date][]daySleep) map[schemas.Date]int {
	minutes := map[schemas.Date]int{}
	for date, sleeps := range nights {
		for _, s := range sleeps {
			if s.Source == "summary" {
				minutes[date] += s.TimeInBedMin
				continue
			}
			for i := s.from; i < s.to; i++ {
				minutes[l.clock.date(i)]++
			}
		}
	}
	return minutes
}

// seesHeart reports whether the pipeline gets a true heart rate of the minute.
func (l *life) seesHeart(i int) bool {
	shiftMS, _ := l.shift(i)
	return l.marked(i, markHeart) && shiftMS == 0
}

// seesLevel reports whether the pipeline gets the watch's steps and activity class of the minute.
func (l *life) seesLevel(i int) bool {
	shiftMS, _ := l.shift(i)
	return l.marked(i, markStep) && shiftMS == 0
}

// stepsAt returns the steps that count in a minute: those of the device that shows that it is carried, be it by a step
// or by a heart; of two, those of the phone, for both are native and its id comes first.
func (l *life) stepsAt(i int) (steps int64, seen bool) {
	watch, phone := l.seesLevel(i), l.marked(i, markPhone)
	switch {
	case !watch && !phone:
		return 0, false
	case !phone:
		return int64(l.steps[i]), true
	case !watch:
		return int64(l.phone[i]), true
	}
	watchCarried := l.steps[i] > 0 || l.seesHeart(i)
	phoneCarried := l.phone[i] > 0
	if watchCarried && !phoneCarried {
		return int64(l.steps[i]), true
	}
	return int64(l.phone[i]), true
}

func (l *life) stepsIn(minutes []int) *Steps {
	var s Steps
	var hours [24]int64
	for _, i := range minutes {
		n, seen := l.stepsAt(i)
		if !seen {
			continue
		}
		s.ObservedMin++
		s.StepCount += n
		_, wall := l.clock.local(i)
		hours[wall/60] += n
		if l.marked(i, markShaken) && n > 0 {
			s.ShakenMin++
			s.ShakenStepCount += n
		}
	}
	if s.ObservedMin == 0 {
		return nil
	}
	for _, n := range hours {
		if n >= activeHourSteps {
			s.ActiveHourCount++
		}
	}
	return &s
}

func (l *life) activityIn(minutes []int) *Activity {
	var classes [4]int
	for _, i := range minutes {
		if l.seesLevel(i) {
			classes[l.levels[i]]++
		}
	}
	if classes == [4]int{} {
		return nil
	}
	return &Activity{
		SedentaryMin: classes[sedentary], LightActivityMin: classes[lightActivity],
		ModerateActivityMin: classes[moderateActivity], VigorousActivityMin: classes[vigorousActivity],
		ModerateEquivalentMin: classes[moderateActivity] + 2*classes[vigorousActivity],
	}
}

func (l *life) heartRateIn(minutes []int) *HeartRate {
	h := HeartRate{MinBPM: 1 << 30}
	sum := 0
	for _, i := range minutes {
		if !l.seesHeart(i) {
			continue
		}
		h.MeasuredMin++
		for k := range l.heartsPerMinute() {
			bpm := int(l.heartAt(i, k))
			h.SampleCount++
			sum += bpm
			h.MinBPM, h.MaxBPM = min(h.MinBPM, bpm), max(h.MaxBPM, bpm)
		}
	}
	if h.MeasuredMin == 0 {
		return nil
	}
	h.MeanBPM = float64(sum) / float64(h.SampleCount) // every minute has as many samples as any other
	return &h
}

func (l *life) wearIn(minutes []int) *Wear {
	var w Wear
	for _, i := range minutes {
		if l.seesHeart(i) {
			w.WornMin++
		}
		if l.marked(i, markWorn) && l.seesLevel(i) {
			w.TrulyWornMin++
		}
	}
	motion, moved := l.wornByMotion(minutes)
	if moved {
		w.MotionMin = &motion
	}
	switch {
	case w.WornMin > 0:
		w.WearSource = "heart_rate"
	case moved:
		w.WornMin, w.WearSource = motion, "motion"
	default:
		return nil
	}
	return &w
}

// wornByMotion counts the minutes with a step sample, less every stretch without a step that is too long for somebody
// awake. Stretches begin with the day's first sample and end with its last.
func (l *life) wornByMotion(minutes []int) (worn int, seen bool) {
	pending, begin, last := 0, -1, 0
	settle := func(until int) {
		if until-begin < stillMin {
			worn += pending
		}
		pending = 0
	}
	for _, i := range minutes {
		n, sampled := l.stepsAt(i)
		if !sampled {
			continue
		}
		if begin < 0 {
			begin = i
		}
		seen, last = true, i
		if n == 0 {
			pending++
			continue
		}
		settle(i)
		worn++
		begin = i + 1
	}
	if seen {
		settle(last + 1)
	}
	return worn, seen
}

func (l *life) readingsOn(date schemas.Date) []Reading {
	all := []Reading{} // none is an empty list: nothing is missing
	for _, g := range l.gadgets {
		for _, s := range g.syncs {
			for _, r := range s.readings {
				if schemas.DateOf(r.AtMS, r.OffsetMin) == date {
					all = append(all, Reading{Metric: r.Metric, MeasuredAt: instant(r.AtMS), Value: r.Value})
				}
			}
		}
	}
	return all
}

// A daySleep is a sleep of a date, the minutes in bed if they are known, and whether the person lay down for a nap: that is
// no night, however alone it is.
type daySleep struct {
	Sleep
	episode
	nap bool
}

// nights returns the sleeps by the date of waking, the longest of each date first.
func (l *life) nights() map[schemas.Date][]daySleep {
	nights := map[schemas.Date][]daySleep{}
	for _, e := range l.seen {
		if shiftMS, _ := l.shift(e.from); shiftMS != 0 {
			continue
		}
		if l.traits.sleep == sleepSummed {
			date := l.clock.date(e.to)
			asleep, inBed, records := l.sleepOn(date, l.clock.end)
			nights[date] = []daySleep{{Sleep: Sleep{
				Source: "summary", TotalSleepTimeMin: asleep, TimeInBedMin: inBed, RecordCount: records,
			}}}
			continue
		}
		if s, date, ok := l.sleepIn(e); ok {
			inBed := episode{e.from, e.from + s.TimeInBedMin}
			nights[date] = append(nights[date], daySleep{Sleep: s, episode: inBed, nap: l.isNap(e)})
		}
	}
	for _, sleeps := range nights {
		sort.SliceStable(sleeps, func(i, j int) bool { return sleeps[i].TotalSleepTimeMin > sleeps[j].TotalSleepTimeMin })
	}
	return nights
}

// isNap reports whether the person lay down for a nap then.
func (l *life) isNap(e episode) bool {
	return slices.ContainsFunc(l.beds, func(b bed) bool { return b.nap && b.from < e.to && e.from < b.to })
}

// sleepIn measures an episode: onset is where a minute and a half of sleep begins, offset where the last sleep ends. Who
// gets up and does not come back was in bed until getting up.
func (l *life) sleepIn(e episode) (Sleep, schemas.Date, bool) {
	for e.to > e.from && l.told(e.to-1) == outOfBed {
		e.to--
	}
	onset, offset := l.onset(e), e.to
	if onset < 0 {
		return Sleep{}, 0, false
	}
	for !l.told(offset - 1).asleep() {
		offset--
	}
	var minutes [outOfBed + 1]int
	for i := onset; i < offset; i++ {
		minutes[l.told(i)]++
	}
	c, between := l.clock, episode{onset, offset}
	s := Sleep{
		Source:                 "segments",
		StartedAt:              new(instant(c.ms(e.from))),
		EndedAt:                new(instant(c.ms(e.to))),
		OnsetAt:                new(instant(c.ms(onset))),
		OffsetAt:               new(instant(c.ms(offset))),
		OnsetUTCOffsetMin:      new(c.offset(onset)),
		OffsetUTCOffsetMin:     new(c.offset(offset)),
		TimeInBedMin:           e.to - e.from,
		TotalSleepTimeMin:      minutes[lightSleep] + minutes[deepSleep] + minutes[remSleep] + minutes[asleepSomehow],
		WakeAfterSleepOnsetMin: new(minutes[awakeInBed] + minutes[outOfBed]),
		AwakeningCount:         new(l.awakenings(between)),
		RecordCount:            l.runs(e, func(int) bool { return true }),
	}
	if l.told(e.from).awake() {
		s.SleepOnsetLatencyMin = new(onset - e.from)
	}
	if l.traits.sleep == sleepStaged {
		s.LightMin = new(minutes[lightSleep])
		s.DeepMin = new(minutes[deepSleep])
		s.REMMin = new(minutes[remSleep])
	}
	return s, c.date(offset), true
}

// onset returns where the first sleep begins that lasts; -1 when none does.
func (l *life) onset(e episode) int {
	run := 0
	for i := e.from; i < e.to; i++ {
		if !l.told(i).asleep() {
			run = 0
			continue
		}
		if run++; run == onsetRunMin {
			return i - onsetRunMin + 1
		}
	}
	return -1
}

// runs counts the runs of one stage that begin where the condition holds.
func (l *life) runs(e episode, counts func(i int) bool) int {
	n := 0
	for i := e.from; i < e.to; i++ {
		if (i == e.from || l.told(i) != l.told(i-1)) && counts(i) {
			n++
		}
	}
	return n
}

// awakenings counts the times somebody woke: wake in bed and out of it that touch are one.
func (l *life) awakenings(e episode) int {
	return l.runs(e, func(i int) bool { return l.told(i).awake() && !l.told(i-1).awake() })
}
