package training

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// LoadRows turns people with the dates of their spine, their rests and their workouts into the loads of the dates that are
// wanted.
func LoadRows(_ context.Context, people array.RecordReader) (array.RecordReader, error) {
	var (
		fitness, fatigue, window, recent, usual float64
		user                                    *array.String
		wanted                                  rows.Lists
		in                                      personColumns
		weights                                 *Weights
		out                                     = newLoadColumns()
	)
	cursor := rows.NewCursor(people, rows.Bound(map[string]*float64{
		"fitness_days": &fitness, "fatigue_days": &fatigue, "window_days": &window, "recent_days": &recent, "usual_days": &usual,
	}, in.columns(), map[string]any{"user_id": &user, "wanted_dates": &wanted}))
	return rows.NewStream(out.batch(), func() (bool, error) {
		if !cursor.Next() {
			return false, cursor.Err()
		}
		if weights == nil {
			weights = NewWeights(Rules{
				FitnessDays: fitness, FatigueDays: fatigue, WindowDays: int32(window), RecentDays: int32(recent), UsualDays: int32(usual),
			})
		}
		days := in.days(cursor.Row)
		for _, date := range wanted.At(cursor.Row) {
			if i, ok := slices.BinarySearchFunc(days, date, byDate); ok {
				out.add(user.Value(cursor.Row), days[i], LoadOf(days[:i+1], weights))
			}
		}
		return true, nil
	}), nil
}

func byDate(d Day, date int32) int { return int(d.Date) - int(date) }

// personColumns are what is known of a person's dates.
type personColumns struct {
	spine, valid, rests    rows.Lists
	workouts, counts       rows.Lists // dates, and how many workouts
	loaded, loadHundredths rows.Lists // dates, and their loads
	partly                 rows.Lists // those of them with a workout that told none
}

func (c *personColumns) columns() map[string]any {
	return map[string]any{
		"spine_dates": &c.spine, "valid_dates": &c.valid, "rest_dates": &c.rests,
		"workout_dates": &c.workouts, "workout_counts": &c.counts, "loaded_dates": &c.loaded, "loads_hundredths": &c.loadHundredths,
		"partly_loaded_dates": &c.partly,
	}
}

// days returns the days of the person of a row, in order. A day without a workout is of no load when it was worn or is a
// declared rest; the load of one with workouts is known when each of them told its own. What is known of a date that is
// neither in the spine nor of a workout is of no day.
func (c *personColumns) days(row int) []Day {
	dates := slices.Concat(c.spine.At(row), c.workouts.At(row))
	slices.Sort(dates)
	dates = slices.Compact(dates)
	days := make([]Day, len(dates))
	for i, date := range dates {
		days[i].Date = date
	}
	each := func(dates []int32, do func(i int, d *Day)) {
		for i, date := range dates {
			if at, ok := slices.BinarySearchFunc(days, date, byDate); ok {
				do(i, &days[at])
			}
		}
	}
	each(c.valid.At(row), func(_ int, d *Day) { d.IsKnown = true })
	each(c.rests.At(row), func(_ int, d *Day) { d.IsKnown = true })
	each(c.workouts.At(row), func(i int, d *Day) { d.WorkoutCount, d.IsKnown = c.counts.At(row)[i], false })
	each(c.loaded.At(row), func(i int, d *Day) { d.LoadHundredths, d.IsKnown = int64(c.loadHundredths.At(row)[i]), true })
	each(c.partly.At(row), func(_ int, d *Day) { d.IsKnown = false })
	return days
}

// loadColumns are the columns of loads.
type loadColumns struct {
	user                                       *rows.Texts
	date, workoutCount, historyDays, missing42 *rows.Numbers[int32]
	trimp, ctl, atl, tsb                       *rows.Numbers[float64]
	recentToUsual, recentToEarlier, recentEWMA *rows.Numbers[float64]
	weekTRIMP, monotony, strain                *rows.Numbers[float64]
}

func newLoadColumns() *loadColumns {
	return &loadColumns{
		user: rows.Strings("user_id"), date: rows.Dates("local_date"), workoutCount: rows.Int32s("workout_count"),
		historyDays: rows.Int32s("history_days"), missing42: rows.Int32s("missing_42_day_count"),
		trimp: rows.Float64s("load_trimp"), ctl: rows.Float64s("fitness_ctl"), atl: rows.Float64s("fatigue_atl"),
		tsb: rows.Float64s("form_tsb"), recentToUsual: rows.Float64s("recent_to_usual_load"),
		recentToEarlier: rows.Float64s("recent_to_earlier_load"), recentEWMA: rows.Float64s("recent_to_usual_load_ewma"),
		weekTRIMP: rows.Float64s("week_load_trimp"), monotony: rows.Float64s("monotony"), strain: rows.Float64s("strain"),
	}
}

func (c *loadColumns) batch() *rows.Columns {
	return rows.NewColumns(c.user, c.date, c.workoutCount, c.trimp, c.ctl, c.atl, c.tsb, c.historyDays, c.missing42,
		c.recentToUsual, c.recentToEarlier, c.recentEWMA, c.weekTRIMP, c.monotony, c.strain)
}

func (c *loadColumns) add(user string, d Day, l Load) {
	c.user.Add(user, 1)
	c.date.Add(d.Date)
	c.workoutCount.Add(d.WorkoutCount)
	c.historyDays.Add(l.HistoryDays)
	c.missing42.Add(l.MissingDayCount)
	for _, figure := range []struct {
		column *rows.Numbers[float64]
		value  float64
	}{
		{c.trimp, l.TRIMP},
		{c.ctl, l.CTL},
		{c.atl, l.ATL},
		{c.tsb, l.TSB},
		{c.recentToUsual, l.RecentToUsual},
		{c.recentToEarlier, l.RecentToEarlier},
		{c.recentEWMA, l.RecentToUsualEWMA},
		{c.weekTRIMP, l.WeekTRIMP},
		{c.monotony, l.Monotony},
		{c.strain, l.Strain},
	} {
		figure.column.AddIf(!math.IsNaN(figure.value), figure.value)
	}
}
