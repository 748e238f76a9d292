package reports

import "github.com/diurna-health/diurna/schemas"

// thin lists what the report could not say and why, from the most general to the most particular. An empty report
// says its one cause and nothing else.
func (f *frame) thin(e *evidence, s *Snapshot) []Thin {
	thin := []Thin{}
	if s.Status == StatusEmpty {
		return thin
	}
	add := func(section Section, reason Reason, n, needs int, dates ...schemas.Date) {
		thin = append(thin, Thin{Section: section, Reason: reason, N: n, Needs: needs, Dates: dates})
	}
	addDates := func(section Section, reason Reason, dates []schemas.Date) {
		if len(dates) > 0 {
			add(section, reason, len(dates), 0, dates...)
		}
	}
	tooFewDays := f.isBelowGate(s.Coverage)
	// addFew leaves out a section that is thin for no reason of its own: its days are the report's few days.
	addFew := func(section Section, fig Figure) {
		isOfReport := section != SectionSleep && tooFewDays && fig.N == s.Coverage.ValidDays
		if fig.Reason == ReasonTooFew && !isOfReport {
			add(section, ReasonTooFew, fig.N, fig.Needs)
		}
	}

	if !s.Period.Closed {
		add(SectionReport, ReasonNotOver, s.Coverage.OfDays, int(s.Period.Last-s.Period.First)+1)
	}
	if e.first > s.Period.First {
		add(SectionReport, ReasonBeforeRecords, 0, 0, e.first)
	}
	if e.last < f.closedDay {
		add(SectionReport, ReasonNothingSince, 0, 0, e.last)
	}
	addDates(SectionReport, ReasonNotWorn, e.datesWhere(s, func(d CoverageDay) bool { return d.Day == CellNone }))
	addDates(SectionReport, ReasonShortWear, e.datesWhere(s, func(d CoverageDay) bool { return d.Day == CellShort }))
	if tooFewDays {
		add(SectionReport, ReasonTooFew, s.Coverage.ValidDays, f.rules.Minimum.ReportDays)
	}

	missing := e.datesWhere(s, func(d CoverageDay) bool { return d.Night == CellNone })
	short := e.datesWhere(s, func(d CoverageDay) bool { return d.Night == CellShort })
	if s.Sleep.TotalSleepTime.Reason == ReasonNotMeasured {
		add(SectionSleep, ReasonNoNights, 0, f.rules.Minimum.SleepNights)
	} else {
		addDates(SectionSleep, ReasonMissingNights, missing)
		addDates(SectionSleep, ReasonShortNights, short)
		addFew(SectionSleep, s.Sleep.TotalSleepTime)
	}

	if s.Heart.Mean.Reason == ReasonNotMeasured {
		add(SectionHeart, ReasonNoHeartRate, 0, f.rules.Minimum.HeartRateDays)
	} else {
		addDates(SectionHeart, ReasonSomeHeartRate, e.datesWhere(s, func(d CoverageDay) bool {
			_, isMeasured := e.hearts[d.Date]
			return !isMeasured && (d.Day == CellValid || d.Day == CellShort)
		}))
		addFew(SectionHeart, s.Heart.Mean)
	}

	switch {
	case s.Movement.Steps.Reason == ReasonNotMeasured:
		add(SectionMovement, ReasonNotMeasured, 0, f.rules.Minimum.MovementDays)
	case s.Movement.ActiveTotal.Reason == ReasonNotMeasured:
		add(SectionMovement, ReasonNoIntensity, 0, 0)
		addFew(SectionMovement, s.Movement.Steps)
	default:
		addFew(SectionMovement, s.Movement.Steps)
	}
	return append(thin, f.thinComparisons(s)...)
}

// thinComparisons says which figures have no comparison and why: once for all when all of them lack history. A figure
// that is itself missing has been spoken of already.
func (f *frame) thinComparisons(s *Snapshot) []Thin {
	var thin []Thin
	isShared, most := true, 0
	for _, t := range s.Headline.Tiles {
		c := t.Comparison
		if t.Figure.Value == nil {
			continue
		}
		if c.Reason == ReasonNoHistory || c.Reason == ReasonMethodChanged {
			thin = append(thin, Thin{Section: t.Section, Reason: c.Reason, N: c.N, Needs: c.Needs})
		}
		isShared = isShared && c.Reason == ReasonNoHistory
		most = max(most, c.N)
	}
	if isShared && len(thin) > 1 {
		return []Thin{{Section: SectionReport, Reason: ReasonNoHistory, N: most, Needs: f.rules.Comparison.HistoryMinimum}}
	}
	return thin
}

// datesWhere returns the dates of which keep is true, within the person's records: what lies outside is spoken of by
// its own reason.
func (e *evidence) datesWhere(s *Snapshot, keep func(CoverageDay) bool) []schemas.Date {
	var dates []schemas.Date
	for _, d := range s.Coverage.Days {
		if d.Date >= e.first && d.Date <= e.last && keep(d) {
			dates = append(dates, d.Date)
		}
	}
	return dates
}
