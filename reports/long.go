package reports

import (
	"context"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Long holds what only a month or a year has: it is long enough to be looked at in parts.
type Long struct {
	Parts      []Part      `json:"parts"`       // of a month its weeks, of a year its months, in order
	GoalWeeks  GoalWeeks   `json:"goal_weeks"`  // the ISO weeks that end in the period
	Weekdays   []Weekday   `json:"weekdays"`    // Monday first; every one of them
	Highlights []Highlight `json:"highlights"`  // what stands out, in the order of HighlightKinds
	WornDays   int         `json:"worn_days"`   // days with any wear
	WornNights int         `json:"worn_nights"` // nights with any record
}

// A Part is a stretch of the period: an ISO week cut at the month's edges, or a month.
type Part struct {
	First schemas.Date `json:"first_date"`
	Last  schemas.Date `json:"last_date"`
	// ValidDays of OfDays and ValidNights of OfNights count; the dates that are not over are in neither.
	ValidDays   int `json:"valid_days"`
	OfDays      int `json:"of_days"`
	ValidNights int `json:"valid_nights"`
	OfNights    int `json:"of_nights"`

	TotalSleepTime Figure `json:"total_sleep_time"`
	HeartMean      Figure `json:"heart_rate_mean"`
	HeartLowest    Figure `json:"heart_rate_min"`
	HeartHighest   Figure `json:"heart_rate_max"`
	Steps          Figure `json:"step_count_mean"`
}

// GoalWeeks says in how many weeks the recommended active minutes were reached.
type GoalWeeks struct {
	GoalMin int `json:"moderate_equivalent_goal_min"`
	// Reached of Judged weeks reached the goal; a week with too few days measured that is short of it is not judged.
	Reached int        `json:"reached"`
	Judged  int        `json:"judged"`
	Weeks   []GoalWeek `json:"weeks"`
}

// A GoalWeekState says what became of a week's goal.
type GoalWeekState string

// The states of a week's goal.
const (
	GoalReached GoalWeekState = "reached" // also when days are missing: a sum can only grow
	GoalShort   GoalWeekState = "short"   // enough days, fewer minutes
	GoalUnknown GoalWeekState = "unknown" // too few days measured to judge
)

// A GoalWeek is an ISO week that ends in the period.
type GoalWeek struct {
	First schemas.Date `json:"first_date"`
	// Active is the sum over the days measured; null when none was.
	Active *int          `json:"moderate_equivalent_min"`
	N      int           `json:"n"`
	State  GoalWeekState `json:"state"`
}

// A Weekday is a day of the week with its mean steps over the valid days.
type Weekday struct {
	ISO   int    `json:"iso_weekday"` // 1 is Monday
	Steps Figure `json:"step_count_mean"`
}

// A HighlightKind names what makes dates stand out.
type HighlightKind string

// The kinds of highlight, in the order they are told.
const (
	HighlightMostSteps    HighlightKind = "most_steps"
	HighlightMostActive   HighlightKind = "most_active"
	HighlightLongestSleep HighlightKind = "longest_sleep"
	HighlightLongestRun   HighlightKind = "longest_run" // of days that count
)

// A Highlight is a day, a night or a run of days that stands out among those that count.
type Highlight struct {
	Kind  HighlightKind `json:"kind"`
	First schemas.Date  `json:"first_date"`
	Last  schemas.Date  `json:"last_date"`
	Value Number        `json:"value"`
	Unit  Unit          `json:"unit"`
	Of    int           `json:"of"` // valid days or nights it was chosen from
}

// The rows of the long sections' queries.
type (
	partRow struct {
		n, measuredN          int
		mean, lowest, highest *float64
	}
	goalWeekRow struct{ active, n int }
	weekdayRow  struct {
		n    int
		mean *float64
	}
)

// isLong says that the period is looked at in parts.
func (f *frame) isLong() bool { return f.period.Kind != string(schemas.PeriodWeek) }

// partUnit is what the parts of the period are called in SQL.
func (f *frame) partUnit() string {
	if f.period.Kind == string(schemas.PeriodYear) {
		return "month"
	}
	return "week"
}

// readLongSections reads the rows that only a month or a year has. user and date are where the row's key is scanned
// to, of returns the person it belongs to.
func (r *reader) readLongSections(ctx context.Context, user *string, date *time.Time, of func() *evidence) {
	r.read(ctx, "parts", func(scan scanFunc) error {
		var figure string
		var row partRow
		err := scan(user, date, &figure, &row.n, &row.mean, &row.measuredN, &row.lowest, &row.highest)
		e, first := of(), dateOf(*date)
		if e.parts[first] == nil {
			e.parts[first] = map[string]partRow{}
		}
		e.parts[first][figure] = row
		return err
	})
	r.read(ctx, "goal_weeks", func(scan scanFunc) error {
		var row goalWeekRow
		err := scan(user, date, &row.active, &row.n)
		of().goalWeeks[dateOf(*date)] = row
		return err
	})
	r.read(ctx, "weekdays", func(scan scanFunc) error {
		var iso int
		var row weekdayRow
		err := scan(user, &iso, &row.n, &row.mean)
		of().weekdays[iso] = row
		return err
	})
	r.read(ctx, "highlights", func(scan scanFunc) error {
		var h Highlight
		var last time.Time
		var value float64
		err := scan(user, &h.Kind, date, &last, &value, &h.Of)
		h.First, h.Last, h.Value, h.Unit = dateOf(*date), dateOf(last), Number(value), h.Kind.unit()
		e := of()
		e.highlights = append(e.highlights, h)
		return err
	})
}

// unit is the unit of a highlight's value.
func (k HighlightKind) unit() Unit {
	switch k {
	case HighlightMostSteps:
		return UnitSteps
	case HighlightLongestRun:
		return UnitCount
	default:
		return UnitMinutes
	}
}

func (f *frame) addLongSections(e *evidence, s *Snapshot) {
	long := &Long{GoalWeeks: f.goalWeeks(e), Highlights: []Highlight{}}
	for _, d := range s.Coverage.Days {
		if d.Day == CellValid || d.Day == CellShort {
			long.WornDays++
		}
		if d.Night == CellValid || d.Night == CellShort {
			long.WornNights++
		}
	}
	for first := f.period.First; first <= f.period.Last; {
		part := f.part(e, first)
		long.Parts = append(long.Parts, part)
		first = part.Last + 1
	}
	for iso := 1; iso <= 7; iso++ {
		row := e.weekdays[iso]
		long.Weekdays = append(long.Weekdays, Weekday{ISO: iso,
			Steps: figure(row.mean, UnitSteps, row.n, f.weekdaysOver(iso), f.rules.Minimum.WeekdayDays, row.n)})
	}
	for _, kind := range []HighlightKind{HighlightMostSteps, HighlightMostActive, HighlightLongestSleep, HighlightLongestRun} {
		for _, h := range e.highlights {
			if h.Kind == kind && h.Of >= f.rules.Minimum.PartDays {
				long.Highlights = append(long.Highlights, h)
			}
		}
	}
	s.Long = long
}

// part shapes the part that begins on the date.
func (f *frame) part(e *evidence, first schemas.Date) Part {
	of := schemas.ISOWeekOf(first)
	if f.partUnit() == "month" {
		of = schemas.MonthOf(first)
	}
	_, last := of.Dates()
	last = min(last, f.period.Last)
	days, nights := max(int(min(last, f.closedDay)-first)+1, 0), max(int(min(last, f.closedNight)-first)+1, 0)
	rows, needs := e.parts[first], min(f.rules.Minimum.PartDays, int(last-first)+1)
	mean := func(name string, unit Unit, of int) Figure {
		row := rows[name]
		return figure(row.mean, unit, row.n, of, needs, row.measuredN)
	}
	lowest, highest := rows["heart_rate_min_bpm"], rows["heart_rate_max_bpm"]
	return Part{
		First: first, Last: last,
		ValidDays: rows["valid_day"].n, OfDays: days, ValidNights: rows["valid_night"].n, OfNights: nights,
		TotalSleepTime: mean("total_sleep_time_min", UnitMinutes, nights),
		HeartMean:      mean("heart_rate_mean_bpm", UnitBeatsPerMinute, days),
		HeartLowest:    figure(lowest.lowest, UnitBeatsPerMinute, lowest.measuredN, days, 1, lowest.measuredN),
		HeartHighest:   figure(highest.highest, UnitBeatsPerMinute, highest.measuredN, days, 1, highest.measuredN),
		Steps:          mean("step_count", UnitSteps, days),
	}
}

// goalWeeks judges the weeks that end in the period and are over.
func (f *frame) goalWeeks(e *evidence) GoalWeeks {
	g := GoalWeeks{GoalMin: f.rules.Goal.ModerateEquivalentMin, Weeks: []GoalWeek{}}
	monday, _ := schemas.ISOWeekOf(f.period.First).Dates()
	for ; monday+6 <= f.closedDay; monday += 7 {
		week := GoalWeek{First: monday, State: GoalUnknown}
		if row, isMeasured := e.goalWeeks[monday]; isMeasured {
			week.Active, week.N = &row.active, row.n
			switch {
			case row.active >= g.GoalMin:
				week.State = GoalReached
				g.Reached++
				g.Judged++
			case row.n >= f.rules.Minimum.GoalWeekDays:
				week.State = GoalShort
				g.Judged++
			}
		}
		g.Weeks = append(g.Weeks, week)
	}
	return g
}

// weekdaysOver counts the dates of the period that are over and fall on that day of the week.
func (f *frame) weekdaysOver(iso int) int {
	n := 0
	for d := f.period.First; d <= f.closedDay; d++ {
		if (int(d.Weekday())+6)%7+1 == iso {
			n++
		}
	}
	return n
}
