package medals

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A Metric is a column of the model medal_days that rules read: what a day is worth.
type Metric string

// The metrics. A sum of minutes or steps is null where the day is no evidence.
const (
	StepCount             Metric = "step_count"
	StepGoal              Metric = "step_goal"
	ModerateEquivalentMin Metric = "moderate_equivalent_min"
	MainSleepMin          Metric = "main_sleep_min"
	SleepMinimumMin       Metric = "sleep_minimum_min"
	WornMin               Metric = "worn_min"
	ValidDayCount         Metric = "valid_day_count"
	ValidNightCount       Metric = "valid_night_count"
)

// Metrics returns all metrics, in the order of the query that reads them.
func Metrics() []Metric {
	return []Metric{StepCount, StepGoal, ModerateEquivalentMin, MainSleepMin, SleepMinimumMin, WornMin, ValidDayCount, ValidNightCount}
}

// A day is a row of medal_days.
type day struct {
	date      schemas.Date
	values    map[Metric]float64 // without the nulls
	isTravel  bool
	isIllness bool
	// The formulas that the day's figures came from; empty where the date has no such figure at all.
	stepMethod, sleepMethod, wearMethod string
	method                              string // of medal_days
}

// sourceMethod returns the formula behind a metric's figure; empty when the date has none.
func (d *day) sourceMethod(m Metric) string {
	switch m {
	case MainSleepMin, ValidNightCount:
		return d.sleepMethod
	case WornMin, ValidDayCount:
		return d.wearMethod
	default:
		return d.stepMethod
	}
}

//go:embed queries/days.sql
var daysQuery string

// readDays returns the days of these people, each person's in order of date. People without days are left out.
func readDays(ctx context.Context, db *sql.DB, users []string) (map[string][]day, error) {
	rows, err := db.QueryContext(ctx, daysQuery, sql.Named("people", users))
	if err != nil {
		return nil, fmt.Errorf("read medal_days: %w", err)
	}
	defer rows.Close()
	metrics := Metrics()
	people := map[string][]day{}
	for rows.Next() {
		var user string
		var date time.Time
		var d day
		values := make([]sql.NullFloat64, len(metrics))
		targets := []any{&user, &date}
		for i := range values {
			targets = append(targets, &values[i])
		}
		var step, sleep, wear sql.NullString
		targets = append(targets, &d.isTravel, &d.isIllness, &step, &sleep, &wear, &d.method)
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read medal_days: %w", err)
		}
		d.date = schemas.NewDate(date.Date())
		d.values = make(map[Metric]float64, len(metrics))
		for i, v := range values {
			if v.Valid {
				d.values[metrics[i]] = v.Float64
			}
		}
		d.stepMethod, d.sleepMethod, d.wearMethod = step.String, sleep.String, wear.String
		people[user] = append(people[user], d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read medal_days: %w", err)
	}
	return people, nil
}

// listPeople returns everybody who has days, sorted.
func listPeople(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, "select distinct user_id from medal_days order by user_id")
	if err != nil {
		return nil, fmt.Errorf("list people of medal_days: %w", err)
	}
	defer rows.Close()
	var people []string
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			return nil, fmt.Errorf("list people of medal_days: %w", err)
		}
		people = append(people, user)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list people of medal_days: %w", err)
	}
	return people, nil
}
