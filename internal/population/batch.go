package population

import (
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// batch builds the message of a delivery.
func (d delivery) batch() *syncv1.Batch {
	l := d.life
	g, s := d.of()
	b := &syncv1.Batch{
		BatchID:   d.batchID(),
		UserID:    l.person.UserID,
		Device:    g.device,
		Seq:       s.seq,
		SentAtMS:  l.clock.ms(d.sentAt),
		OffsetMin: l.clock.offset(s.at),
		TimeZone:  l.clock.stretch(s.at).zone,
		Source:    g.source,
		Events:    append([]syncv1.Event(nil), s.events...),
		Readings:  append([]syncv1.Reading(nil), s.readings...),
	}
	b.Device.Epoch = s.epoch
	switch g.device.Kind {
	case "phone":
		b.Series = l.phoneSteps(s)
	case "watch", "band":
		b.Series = append(l.watchSteps(s), l.watchHeart(s)...)
		if l.traits.sleep == sleepSummed {
			b.DailySummaries = l.summaries(s)
		} else {
			b.SleepSegments = l.segments(s)
		}
	}
	return b
}

func (l *life) phoneSteps(s *sync) []syncv1.Series {
	steps := l.newSeries(schemas.Steps, minuteMS, 0)
	for i := s.from; i < s.to; i++ {
		if l.marked(i, markPhone) {
			steps.add(i, 0, int32(l.phone[i]), 0)
		}
	}
	return steps.all()
}

func (l *life) watchSteps(s *sync) []syncv1.Series {
	steps := l.newSeries(schemas.Steps, minuteMS, l.traits.phaseMS)
	levels := l.newSeries(schemas.Intensity, minuteMS, l.traits.phaseMS)
	for i := s.from; i < s.to; i++ {
		if !l.marked(i, markStep) {
			continue
		}
		shiftMS, _ := l.shift(i)
		n := int32(l.steps[i])
		if s.provisional && i == s.to-1 {
			n /= 2 // half of the minute is still to come
		}
		steps.add(i, 0, n, shiftMS)
		levels.add(i, 0, int32(l.levels[i]), shiftMS)
	}
	return append(steps.all(), levels.all()...)
}

func (l *life) watchHeart(s *sync) []syncv1.Series {
	if l.traits.heartPeriodMS == 0 {
		return nil
	}
	hearts := l.newSeries(schemas.HeartRate, l.traits.heartPeriodMS, l.traits.phaseMS)
	for i := s.from; i < s.to; i++ {
		if !l.marked(i, markHeart|markHeartZero) {
			continue
		}
		shiftMS, _ := l.shift(i)
		for k := range l.heartsPerMinute() {
			hearts.add(i, k, l.heartAt(i, k), shiftMS)
		}
	}
	return hearts.all()
}

// heartsPerMinute is how many heart rates the watch takes in a minute.
func (l *life) heartsPerMinute() int { return minuteMS / max(l.traits.heartPeriodMS, 1) }

// A seriesWriter gathers samples into series. A change of offset or of the watch's clock starts a new one, and so does
// a long silence.
type seriesWriter struct {
	life     *life
	metric   string
	periodMS int32
	phaseMS  int64
	done     []syncv1.Series
	lastMS   int64
	shiftMS  int64
	full     bool // nothing is missing so far
}

func (l *life) newSeries(metric string, periodMS, phaseMS int) *seriesWriter {
	return &seriesWriter{life: l, metric: metric, periodMS: int32(periodMS), phaseMS: int64(phaseMS)}
}

// add adds the k-th sample of a minute.
func (w *seriesWriter) add(i, k int, value int32, shiftMS int64) {
	const silenceMS = 30 * minuteMS
	c := w.life.clock
	offsetMin := c.offset(i)
	at := c.ms(i) + int64(k)*int64(w.periodMS) + w.phaseMS + shiftMS
	n := len(w.done)
	if n == 0 || w.done[n-1].OffsetMin != offsetMin || w.shiftMS != shiftMS || at-w.lastMS > silenceMS {
		w.close()
		w.done = append(w.done, syncv1.Series{Metric: w.metric, StartMS: at, OffsetMin: offsetMin, PeriodMS: w.periodMS})
		w.lastMS, w.shiftMS, w.full = at-int64(w.periodMS), shiftMS, true
		n++
	}
	s := &w.done[n-1]
	w.full = w.full && at-w.lastMS == int64(w.periodMS)
	s.AtMS = append(s.AtMS, int32(at-s.StartMS))
	s.Values = append(s.Values, value)
	w.lastMS = at
}

// close drops the times of a series from which nothing is missing: its period says them.
func (w *seriesWriter) close() {
	if n := len(w.done); n > 0 && w.full {
		w.done[n-1].AtMS = nil
	}
}

func (w *seriesWriter) all() []syncv1.Series {
	w.close()
	return w.done
}

// An episode is minutes in bed on end, as the watch saw them.
type episode struct{ from, to int }

// episodes returns what the watch saw of sleep.
func (l *life) episodes() []episode {
	var all []episode
	for _, b := range l.beds {
		for i := b.from; i < b.to; {
			from := i
			for i < b.to && l.told(i) != notInBed {
				i++
			}
			if i > from {
				all = append(all, episode{from, i})
			} else {
				i++
			}
		}
	}
	return all
}

// segments returns the sleep that a sync tells: episodes that ended in its window. A growing device tells of an episode
// that is still going on too, as far as it has come, and of those it has told before.
func (l *life) segments(s *sync) []syncv1.SleepSegment {
	var all []syncv1.SleepSegment
	for _, e := range l.seen {
		switch {
		case e.to > s.from && e.to <= s.to:
			all = append(all, l.segmentsOf(e, l.told)...)
		case l.traits.growing && e.from < s.to && e.to > s.to:
			all = append(all, l.segmentsOf(episode{e.from, s.to}, l.toldAtFirst)...)
		}
	}
	return all
}

// toldAtFirst is what the watch tells before it has staged the night.
func (l *life) toldAtFirst(i int) stage {
	if s := l.told(i); !s.asleep() {
		return s
	}
	return asleepSomehow
}

func (l *life) segmentsOf(e episode, tell func(int) stage) []syncv1.SleepSegment {
	var all []syncv1.SleepSegment
	for i := e.from; i < e.to; {
		from, s := i, tell(i)
		for i < e.to && tell(i) == s {
			i++
		}
		shiftMS, _ := l.shift(from)
		all = append(all, syncv1.SleepSegment{
			StartMS: l.clock.ms(from) + shiftMS, EndMS: l.clock.ms(i) + shiftMS,
			StartOffsetMin: l.clock.offset(from), EndOffsetMin: l.clock.offset(i), Stage: s.wire(),
		})
	}
	return all
}

// summaries returns the figures of the dates on which an episode ended in the sync's window: all sleep of the date that
// has ended by then.
func (l *life) summaries(s *sync) []syncv1.DailySummary {
	var all []syncv1.DailySummary
	for k, e := range l.seen {
		date := l.clock.date(e.to)
		if e.to <= s.from || e.to > s.to || k+1 < len(l.seen) && l.seen[k+1].to <= s.to && l.clock.date(l.seen[k+1].to) == date {
			continue
		}
		asleep, inBed, records := l.sleepOn(date, s.to)
		for _, f := range []struct {
			metric string
			value  int
		}{{schemas.TotalSleepTime, asleep}, {schemas.TimeInBed, inBed}, {schemas.SleepRecordCount, records}} {
			all = append(all, syncv1.DailySummary{Metric: f.metric, LocalDate: int32(date), Value: int32(f.value)})
		}
	}
	return all
}

// sleepOn adds up the episodes that ended on the date, and not after the minute.
func (l *life) sleepOn(date schemas.Date, until int) (asleepMin, inBedMin, records int) {
	for _, e := range l.seen {
		if e.to > until || l.clock.date(e.to) != date {
			continue
		}
		records++
		inBedMin += e.to - e.from
		for i := e.from; i < e.to; i++ {
			if l.told(i).asleep() {
				asleepMin++
			}
		}
	}
	return asleepMin, inBedMin, records
}
