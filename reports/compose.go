package reports

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// chunkSize bounds how many people's rows are in memory at once.
const chunkSize = 500

// Compose reads what the gold tables know of one person in the period and freezes it. asOf is the time of asking: it
// decides, in its own location, which day is still running; the zero time says that the whole period is over.
//
// The period may be a week, a month or a year; the longer ones have sections of their own. A person of whom nothing is
// known is a *schemas.Error with code not_found, the zero Period one with code invalid. The database is only read.
func Compose(ctx context.Context, db *sql.DB, user string, p schemas.Period, asOf time.Time) (*Snapshot, error) {
	for s, err := range ComposeAll(ctx, db, []string{user}, p, asOf) {
		return s, err
	}
	return nil, &schemas.Error{Code: schemas.CodeNotFound,
		Message: "nobody with that id is known here: check the id, or bring in that person's data first"}
}

// ComposeAll yields the snapshots of all these people of whom anything is known, sorted by id; the others are left
// out. It asks for many people at once, so its cost per person is far below Compose's. After an error it ends.
func ComposeAll(ctx context.Context, db *sql.DB, users []string, p schemas.Period, asOf time.Time) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		f, err := newFrame(p, asOf)
		if err != nil {
			yield(nil, err)
			return
		}
		users := slices.Compact(slices.Sorted(slices.Values(users)))
		for chunk := range slices.Chunk(users, chunkSize) {
			people, err := readEvidence(ctx, db, chunk, f)
			if err != nil {
				yield(nil, fmt.Errorf("read %s %s: %w", f.period.Kind, f.period.ID, err))
				return
			}
			for _, e := range people {
				if !yield(f.snapshot(e), nil) {
					return
				}
			}
		}
	}
}

// A frame is what a report is set in before a person is looked at: the period, the rules, and how much of the period
// is over.
type frame struct {
	rules  *Rules
	period Period
	asOf   *string
	// closedDay and closedNight are the last dates whose day and whose night are over, both within the period or just
	// before it.
	closedDay, closedNight schemas.Date
	// historyFirst and historyLast are the dates before the period that it is compared with; yearFirst and yearLast the
	// same month a year earlier, with yearFirst after yearLast when there is no such comparison.
	historyFirst, historyLast, yearFirst, yearLast schemas.Date
	// hasBegun says that the first date of the period is today or past.
	hasBegun bool
}

func newFrame(p schemas.Period, at time.Time) (*frame, error) {
	rules, err := rulesOf(p.Kind())
	if err != nil {
		return nil, err
	}
	first, last := p.Dates()
	f := &frame{
		rules: rules,
		period: Period{
			Kind: string(p.Kind()), ID: p.String(), First: first, Last: last,
			Nights: NightRange{FirstEvening: first - 1, LastMorning: last},
		},
		asOf: asOf(at), closedDay: last, closedNight: last, hasBegun: true,
		yearFirst: 1,
	}
	f.period.Year, _, _ = first.Civil()
	f.historyFirst, f.historyLast = p.Previous().Dates()
	switch p.Kind() {
	case schemas.PeriodWeek:
		f.period.Year, f.period.Week = time.Date(1970, time.January, 1+int(first), 0, 0, 0, 0, time.UTC).ISOWeek()
		f.historyFirst = first - schemas.Date(7*rules.Comparison.HistoryWeeks)
	case schemas.PeriodMonth:
		_, month, _ := first.Civil()
		f.period.Month = int(month)
		f.yearFirst, f.yearLast = schemas.MonthOf(schemas.NewDate(f.period.Year-1, month, 1)).Dates()
	case schemas.PeriodYear:
	}
	if !at.IsZero() {
		today := dateOf(at)
		// The night that ended this morning is over, the day is not.
		f.closedDay = min(last, max(today-1, first-1))
		f.closedNight = min(last, max(today, first-1))
		f.hasBegun = today >= first
	}
	f.period.Closed = f.closedDay == last
	return f, nil
}

// dates returns every date of the period in order.
func (f *frame) dates() []schemas.Date {
	var dates []schemas.Date
	for d := f.period.First; d <= f.period.Last; d++ {
		dates = append(dates, d)
	}
	return dates
}

func (f *frame) daysOver() int   { return int(f.closedDay - f.period.First + 1) }
func (f *frame) nightsOver() int { return int(f.closedNight - f.period.First + 1) }

// snapshot shapes one person's evidence. It reads nothing.
func (f *frame) snapshot(e *evidence) *Snapshot {
	s := &Snapshot{
		Format: formatPrefix + f.period.Kind + formatVersion,
		Rules: RulesUsed{
			Version:         f.rules.Version,
			DayWornAwakeMin: f.rules.Valid.DayWornAwakeMin,
			NightInBedMin:   f.rules.Valid.NightInBedMin,
			HistoryWeeks:    f.rules.Comparison.HistoryWeeks,
		},
		UserID:  e.userID,
		Period:  f.period,
		AsOf:    f.asOf,
		Records: Records{First: e.first, Last: e.last},
	}
	s.Coverage = f.coverage(e)
	s.Sleep = f.sleep(e, s.Coverage)
	s.Heart = f.heart(e, s.Coverage)
	s.Movement = f.movement(e, s.Coverage)
	s.Headline = f.headline(e, s)
	if f.isLong() {
		f.addLongSections(e, s)
	}
	if e.bestDay != nil && e.bestDay.Of >= f.rules.Minimum.BestDayDays {
		s.BestDay = e.bestDay
	}
	s.Status, s.Cause = f.status(e, s.Coverage)
	s.Thin = f.thin(e, s)
	s.Basis = f.basis(e, s)
	return s
}

// status says how much the report can tell and, when that is nothing, why. Samples of a watch that nobody wore tell
// nothing.
func (f *frame) status(e *evidence, c Coverage) (Status, Reason) {
	recorded, worn := false, false
	for _, d := range e.days {
		recorded = recorded || d.hasSteps || d.hasHeartRate || d.hasSleep
		worn = worn || d.hasHeartRate || d.hasSleep || d.wornMin == nil || *d.wornMin > 0
	}
	switch {
	case recorded && !worn:
		return StatusEmpty, ReasonNotWorn
	case recorded && !f.isBelowGate(c):
		return StatusFull, ""
	case recorded:
		return StatusThin, ""
	case !f.hasBegun:
		return StatusEmpty, ReasonToCome
	case f.period.Last < e.first:
		return StatusEmpty, ReasonBeforeRecords
	case f.period.First > e.last:
		return StatusEmpty, ReasonAfterRecords
	default:
		return StatusEmpty, ReasonWithinGap
	}
}

// isBelowGate says that there is too little for a full report.
func (f *frame) isBelowGate(c Coverage) bool {
	enoughNights := f.rules.Minimum.ReportNights > 0 && c.ValidNights >= f.rules.Minimum.ReportNights
	return c.ValidDays < f.rules.Minimum.ReportDays && !enoughNights
}

// dateOf returns the calendar day that t shows in its own location.
func dateOf(t time.Time) schemas.Date { return schemas.NewDate(t.Date()) }
