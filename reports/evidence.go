package reports

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// evidence is all that the gold tables say of one person in the period and the weeks before it.
type evidence struct {
	userID      string
	first, last schemas.Date
	days        map[schemas.Date]dayRow
	nights      map[schemas.Date]nightRow
	hearts      map[schemas.Date]heartRow
	movements   map[schemas.Date]movementRow
	figures     map[string]figureRow
	yearBefore  map[string]figureRow // with the same month a year earlier as history
	bestDay     *BestDay
	parts       map[schemas.Date]map[string]partRow
	goalWeeks   map[schemas.Date]goalWeekRow
	weekdays    map[int]weekdayRow
	highlights  []Highlight
}

// The rows of queries/*.sql, without their user_id. A nil pointer is a null.
type (
	dayRow struct {
		hasSteps, hasHeartRate, hasSleep bool
		wornMin                          *int
		wearSource                       string
		isValidDay, isValidNight         bool
		method                           string
	}
	nightRow struct {
		source                                   string
		onsetMS, offsetMS                        *int64
		onsetOffsetMin, offsetOffsetMin          *int
		timeInBed, totalSleep, efficiency, awake *float64
		light, deep, rem                         *float64
		awakenings                               *int
		method                                   string
	}
	heartRow struct {
		minBPM   *int
		meanBPM  *float64
		maxBPM   *int
		measured *int
		method   string
	}
	movementRow struct {
		steps                                               *int64
		activeHours, moderate, vigorous, moderateEquivalent *int
		method                                              string
	}
	figureRow struct {
		n         int
		mean      *float64
		measuredN int
		total     *float64
		lowest    *float64
		highest   *float64
		historyN  int
		history   *float64
		mad       *float64
		methods   int
	}
)

// readEvidence reads the rows of these people, sorted by id. People of whom nothing is known are left out.
func readEvidence(ctx context.Context, db *sql.DB, users []string, f *frame) ([]*evidence, error) {
	// One transaction, so that every section speaks of the same state of the tables.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin reading: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written

	r := newReader(tx, users, f)
	var people []*evidence
	byID := make(map[string]*evidence, len(users))
	r.read(ctx, "people", func(scan scanFunc) error {
		var first, last time.Time
		e := newEvidence(f)
		if err := scan(&e.userID, &first, &last); err != nil {
			return err
		}
		e.first, e.last = dateOf(first), dateOf(last)
		people = append(people, e)
		byID[e.userID] = e
		return nil
	})
	if len(people) == 0 {
		return nil, r.err
	}

	var user string
	var date time.Time
	// of returns the person of the row just scanned; a row of somebody without evidence goes nowhere.
	of := func() *evidence {
		if e := byID[user]; e != nil {
			return e
		}
		return newEvidence(f)
	}
	r.read(ctx, "coverage", func(scan scanFunc) error {
		var d dayRow
		var source, method sql.NullString
		err := scan(&user, &date, &d.hasSteps, &d.hasHeartRate, &d.hasSleep, &d.wornMin, &source,
			&d.isValidDay, &d.isValidNight, &method)
		d.wearSource, d.method = source.String, method.String
		of().days[dateOf(date)] = d
		return err
	})
	r.read(ctx, "sleep", func(scan scanFunc) error {
		var n nightRow
		err := scan(&user, &date, &n.source, &n.onsetMS, &n.offsetMS, &n.onsetOffsetMin, &n.offsetOffsetMin,
			&n.timeInBed, &n.totalSleep, &n.efficiency, &n.awake, &n.light, &n.deep, &n.rem, &n.awakenings, &n.method)
		of().nights[dateOf(date)] = n
		return err
	})
	r.read(ctx, "heart", func(scan scanFunc) error {
		var h heartRow
		err := scan(&user, &date, &h.minBPM, &h.meanBPM, &h.maxBPM, &h.measured, &h.method)
		of().hearts[dateOf(date)] = h
		return err
	})
	r.read(ctx, "movement", func(scan scanFunc) error {
		var m movementRow
		err := scan(&user, &date, &m.steps, &m.activeHours, &m.moderate, &m.vigorous, &m.moderateEquivalent, &m.method)
		of().movements[dateOf(date)] = m
		return err
	})
	readFigures := func(keep func(figure string, row figureRow)) {
		r.read(ctx, "figures", func(scan scanFunc) error {
			var figure string
			var row figureRow
			err := scan(&user, &figure, &row.n, &row.mean, &row.measuredN, &row.total, &row.lowest, &row.highest,
				&row.historyN, &row.history, &row.mad, &row.methods)
			keep(figure, row)
			return err
		})
	}
	readFigures(func(figure string, row figureRow) { of().figures[figure] = row })
	r.read(ctx, "best_day", func(scan scanFunc) error {
		b := new(BestDay)
		var sleep *float64
		err := scan(&user, &date, &b.JudgedBy, &b.StepCount, &b.ModerateEquivalentMin, &sleep, &b.Of)
		b.Date, b.TotalSleepTimeMin = dateOf(date), number(sleep)
		of().bestDay = b
		return err
	})
	if f.yearFirst <= f.yearLast {
		r.args["history_first"], r.args["history_last"] = f.yearFirst.String(), f.yearLast.String()
		readFigures(func(figure string, row figureRow) { of().yearBefore[figure] = row })
	}
	if f.isLong() {
		r.readLongSections(ctx, &user, &date, of)
	}
	return people, r.err
}

func newEvidence(f *frame) *evidence {
	dates := int(f.period.Last-f.period.First) + 1
	e := &evidence{
		days:      make(map[schemas.Date]dayRow, dates),
		nights:    make(map[schemas.Date]nightRow, dates),
		hearts:    make(map[schemas.Date]heartRow, dates),
		movements: make(map[schemas.Date]movementRow, dates),
		figures:   make(map[string]figureRow, 16),
	}
	if f.isLong() {
		e.yearBefore = map[string]figureRow{}
		e.parts = map[schemas.Date]map[string]partRow{}
		e.goalWeeks = map[schemas.Date]goalWeekRow{}
		e.weekdays = map[int]weekdayRow{}
	}
	return e
}

type scanFunc func(dest ...any) error

// A reader runs queries one after the other until one goes wrong.
type reader struct {
	tx   *sql.Tx
	args map[string]any
	err  error
}

func newReader(tx *sql.Tx, users []string, f *frame) *reader {
	people := make([]any, len(users))
	for i, u := range users {
		people[i] = u
	}
	return &reader{tx: tx, args: map[string]any{
		"people":        people,
		"first_date":    f.period.First.String(),
		"last_date":     f.period.Last.String(),
		"closed_date":   f.closedDay.String(),
		"closed_night":  f.closedNight.String(),
		"history_first": f.historyFirst.String(),
		"history_last":  f.historyLast.String(),
		"part_unit":     f.partUnit(),
	}}
}

// parameters names what each query takes: the driver wants neither more nor less.
func parameters(query string) []string {
	switch query {
	case "people":
		return []string{"people"}
	case "best_day", "goal_weeks", "weekdays":
		return []string{"people", "first_date", "closed_date"}
	case "highlights":
		return []string{"people", "first_date", "closed_date", "closed_night"}
	case "parts":
		return []string{"people", "first_date", "closed_date", "closed_night", "part_unit"}
	case "figures":
		return []string{"people", "first_date", "closed_date", "closed_night", "history_first", "history_last"}
	default:
		return []string{"people", "first_date", "last_date"}
	}
}

func (r *reader) read(ctx context.Context, query string, row func(scanFunc) error) {
	if r.err != nil {
		return
	}
	if err := r.rows(ctx, query, row); err != nil {
		r.err = fmt.Errorf("query %s: %w", query, err)
	}
}

func (r *reader) rows(ctx context.Context, query string, row func(scanFunc) error) error {
	text, err := queryFiles.ReadFile("queries/" + query + ".sql")
	if err != nil {
		return err
	}
	var args []any
	for _, name := range parameters(query) {
		args = append(args, sql.Named(name, r.args[name]))
	}
	rows, err := r.tx.QueryContext(ctx, string(text), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func number(v *float64) *Number {
	if v == nil {
		return nil
	}
	n := Number(*v)
	return &n
}
