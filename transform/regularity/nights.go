package regularity

import (
	"math"
	"slices"
)

// A night is one whose onset is known, on the person's clock.
type night struct {
	date                      int32 // of waking, as days since 1970
	onsetMinute, offsetMinute int
	midpoint                  direction
}

// clockTimes returns when the nights began and ended.
func clockTimes(nights []night) (onsets, offsets []int) {
	onsets, offsets = make([]int, len(nights)), make([]int, len(nights))
	for i, n := range nights {
		onsets[i], offsets[i] = n.onsetMinute, n.offsetMinute
	}
	return onsets, offsets
}

// forgetNights drops the nights up to a date, and keeps those after it.
func forgetNights(nights []night, until int32) []night {
	return slices.DeleteFunc(nights, func(n night) bool { return n.date <= until })
}

// periodUnit is how many units of a night's length a minute has.
const periodUnit = 1e6

// A declaredNight is one that ended on a date of which the person said whether it is a work day.
type declaredNight struct {
	date     int32
	midpoint direction
	period   int64 // from onset to offset, in units: a sum of doubles depends on the order of its terms
	isFree   bool
	isAlarm  bool // it ended with an alarm
}

// A datePair is what a date and the one before came to.
type datePair struct {
	date                 int32
	observedMS, agreedMS int64
}

// nightRules say how far back is looked, in days, and how much has to be there.
type nightRules struct {
	nightCount, nightCountMin             float64
	pairDayCount, pairCountMin            float64
	chronotypeDayCount, chronotypeSpanMin float64
	chronotypeFreeMin, chronotypeWorkMin  float64
	jetlagFreeMin, jetlagWorkMin          float64
}

// A past is what is known of a person up to a date. It is added to in order of date.
type past struct {
	user     string
	nights   []night
	declared []declaredNight
	pairs    []datePair
}

// A regularNight is what a person's past comes to on a date; NaN is none.
type regularNight struct {
	timedCount, pairCount, freeCount, workCount int

	bedtimeMedianMinute, bedtimeSDMin float64
	wakeMedianMinute, wakeSDMin       float64
	midpointMeanMinute                float64
	sri                               float64
	msfMinute, mswMinute              float64
	socialJetlagMin, msfSCMinute      float64
}

// begin forgets a person, for the next.
func (p *past) begin(user string) {
	p.user, p.nights, p.declared, p.pairs = user, p.nights[:0], p.declared[:0], p.pairs[:0]
}

// on returns what the days up to a date come to, and forgets what is too long ago for any later one.
func (p *past) on(rules *nightRules, date int32) *regularNight {
	p.nights = forgetNights(p.nights, date-int32(rules.nightCount))
	p.pairs = slices.DeleteFunc(p.pairs, func(d datePair) bool { return d.date <= date-int32(rules.pairDayCount) })
	p.declared = slices.DeleteFunc(p.declared, func(n declaredNight) bool {
		return n.date <= date-int32(rules.chronotypeDayCount)
	})
	none := math.NaN()
	r := &regularNight{
		bedtimeMedianMinute: none, bedtimeSDMin: none, wakeMedianMinute: none, wakeSDMin: none, midpointMeanMinute: none,
		sri: none, msfMinute: none, mswMinute: none, socialJetlagMin: none, msfSCMinute: none,
	}
	p.tellClock(rules, r)
	p.tellIndex(rules, r)
	p.tellKinds(rules, date, r)
	return r
}

// tellClock tells when the nights began and ended.
func (p *past) tellClock(rules *nightRules, r *regularNight) {
	r.timedCount = len(p.nights)
	if r.timedCount == 0 || float64(r.timedCount) < rules.nightCountMin {
		return
	}
	onsets, offsets := clockTimes(p.nights)
	r.bedtimeMedianMinute, r.bedtimeSDMin = clockMedian(onsets), clockSD(onsets)
	r.wakeMedianMinute, r.wakeSDMin = clockMedian(offsets), clockSD(offsets)
	var sum direction
	for _, n := range p.nights {
		sum.add(n.midpoint)
	}
	r.midpointMeanMinute = sum.minute()
}

// tellIndex tells the sleep regularity index.
func (p *past) tellIndex(rules *nightRules, r *regularNight) {
	r.pairCount = len(p.pairs)
	if r.pairCount == 0 || float64(r.pairCount) < rules.pairCountMin {
		return
	}
	var observedMS, agreedMS int64
	for _, d := range p.pairs {
		observedMS += d.observedMS
		agreedMS += d.agreedMS
	}
	r.sri = -100 + 200*float64(agreedMS)/float64(observedMS)
}

// tellKinds tells how work days and free days differ.
func (p *past) tellKinds(rules *nightRules, date int32, r *regularNight) {
	var free, work nightSum
	alarms := 0
	for _, n := range p.declared {
		if !n.isFree {
			work.add(n)
			continue
		}
		free.add(n)
		if n.isAlarm {
			alarms++
		}
	}
	r.freeCount, r.workCount = free.count, work.count
	if free.count == 0 || work.count == 0 ||
		float64(free.count) < rules.jetlagFreeMin || float64(work.count) < rules.jetlagWorkMin {
		return
	}
	r.msfMinute, r.mswMinute = free.midpoint.minute(), work.midpoint.minute()
	// The shorter way round the clock from mid-sleep on work days to that on free days.
	r.socialJetlagMin = floatOnClock(r.msfMinute-r.mswMinute+clockMin/2) - clockMin/2

	if float64(free.count) < rules.chronotypeFreeMin || float64(work.count) < rules.chronotypeWorkMin || alarms > 0 ||
		p.declared[0].date > date-int32(rules.chronotypeSpanMin) {
		return
	}
	madeUpMin := 0.0 // for sleep lost on work days
	if free.meanPeriodMin() > work.meanPeriodMin() {
		// The mean over a week with as many work days as there were among the declared ones.
		weekMin := (free.periodMin() + work.periodMin()) / float64(free.count+work.count)
		madeUpMin = (free.meanPeriodMin() - weekMin) / 2
	}
	r.msfSCMinute = floatOnClock(r.msfMinute - madeUpMin)
}

// A nightSum is what nights of one kind of day add up to.
type nightSum struct {
	count    int
	midpoint direction
	period   int64
}

func (s *nightSum) add(n declaredNight) {
	s.count++
	s.midpoint.add(n.midpoint)
	s.period += n.period
}

func (s *nightSum) periodMin() float64     { return float64(s.period) / periodUnit }
func (s *nightSum) meanPeriodMin() float64 { return s.periodMin() / float64(s.count) }
