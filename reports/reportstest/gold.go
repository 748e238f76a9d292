// Package reportstest makes gold tables with made-up people for the tests of the reports. Tests alone import it.
package reportstest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the engine the reports read

	"github.com/diurna-health/diurna/schemas"
)

// Gold is the content of the gold tables. A nil pointer is a null.
type Gold struct {
	Days    []UserDay
	Steps   []ActivityDay
	Hearts  []HeartRateDay
	Nights  []SleepNight
	Version string // of every method; "1" when empty
}

// A UserDay is a row of user_days.
type UserDay struct {
	User                      string
	Date                      schemas.Date
	HasSteps, HasHeart, Sleep bool
	WornMin                   *int
	WearSource                string
	IsValidDay, IsValidNight  bool
}

// An ActivityDay is a row of activity_days.
type ActivityDay struct {
	User               string
	Date               schemas.Date
	Steps              int64
	ActiveHours        int
	Moderate, Vigorous *int
	Method             string
}

// A HeartRateDay is a row of heart_rate_days.
type HeartRateDay struct {
	User          string
	Date          schemas.Date
	Min, Max      int
	Mean          float64
	Measured      int
	MethodVersion string
}

// A SleepNight is a row of sleep_nights.
type SleepNight struct {
	User             string
	Date             schemas.Date
	Source           string
	Asleep, InBed    float64
	Light, Deep, REM *float64
	Awake            *float64
	Onset, Offset    *time.Time
	OffsetMin        int
	Method           string
}

const tables = `
create table activity_days (user_id varchar, local_date date, step_count bigint, sample_count bigint,
	observed_min integer, active_hour_count integer, intensity_sample_count bigint, sedentary_min integer,
	light_activity_min integer, moderate_activity_min integer, vigorous_activity_min integer,
	moderate_equivalent_min integer, method_version varchar);
create table heart_rate_days (user_id varchar, local_date date, heart_rate_min_bpm integer, heart_rate_mean_bpm double,
	heart_rate_max_bpm integer, sample_count bigint, measured_min integer, method_version varchar);
create table sleep_nights (user_id varchar, night_date date, source varchar, sleep_onset_at timestamptz,
	sleep_offset_at timestamptz, onset_utc_offset_min integer, offset_utc_offset_min integer, time_in_bed_min double,
	total_sleep_time_min double, sleep_onset_latency_min double, wake_after_sleep_onset_min double,
	sleep_efficiency_pct double, light_min double, deep_min double, rem_min double, awakening_count integer,
	record_count integer, method_version varchar);
create table user_days (user_id varchar, local_date date, has_steps boolean, has_heart_rate boolean, has_sleep boolean,
	worn_min integer, wear_source varchar, is_valid_day boolean, is_valid_night boolean, method_version varchar);
`

// Open returns an in-memory database with these rows, closed with the test.
func (g *Gold) Open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(tb.Context(), tables); err != nil {
		tb.Fatal(err)
	}
	var activity, hearts, nights, days []string
	for _, a := range g.Steps {
		var equivalent *int
		if a.Moderate != nil && a.Vigorous != nil {
			v := *a.Moderate + 2**a.Vigorous
			equivalent = &v
		}
		activity = append(activity, row(a.User, a.Date, a.Steps, 1440, 1440, a.ActiveHours, nil, nil, nil, a.Moderate,
			a.Vigorous, equivalent, g.method("activity_days", a.Method)))
	}
	for _, h := range g.Hearts {
		hearts = append(hearts, row(h.User, h.Date, h.Min, h.Mean, h.Max, h.Measured, h.Measured,
			g.method("heart_rate_days", h.MethodVersion)))
	}
	for _, n := range g.Nights {
		var onsetOffset, offsetOffset, awakenings *int
		if n.Onset != nil {
			onsetOffset, offsetOffset, awakenings = &n.OffsetMin, &n.OffsetMin, new(int)
		}
		nights = append(nights, row(n.User, n.Date, n.Source, n.Onset, n.Offset, onsetOffset, offsetOffset, n.InBed,
			n.Asleep, nil, n.Awake, 100*n.Asleep/n.InBed, n.Light, n.Deep, n.REM, awakenings, 1,
			g.method("sleep_nights", n.Method)))
	}
	for _, d := range g.Days {
		days = append(days, row(d.User, d.Date, d.HasSteps, d.HasHeart, d.Sleep, d.WornMin, source(d.WearSource),
			d.IsValidDay, d.IsValidNight, g.method("user_days", "")))
	}
	for table, rows := range map[string][]string{
		"activity_days": activity, "heart_rate_days": hearts, "sleep_nights": nights, "user_days": days,
	} {
		if len(rows) == 0 {
			continue
		}
		//nolint:gosec // literals of this file, in a database of the test's own
		if _, err := db.ExecContext(tb.Context(), "insert into "+table+" values "+strings.Join(rows, ",")); err != nil {
			tb.Fatalf("insert into %s: %v", table, err)
		}
	}
	return db
}

func (g *Gold) method(table, own string) string {
	switch {
	case own != "":
		return table + "/" + own
	case g.Version != "":
		return table + "/" + g.Version
	default:
		return table + "/1"
	}
}

func source(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// row writes a tuple of SQL literals.
func row(values ...any) string {
	literals := make([]string, len(values))
	for i, v := range values {
		literals[i] = literal(v)
	}
	return "(" + strings.Join(literals, ",") + ")"
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case schemas.Date:
		return "date '" + v.String() + "'"
	case float64:
		return fmt.Sprintf("%.17g::double", v)
	case *int:
		if v == nil {
			return "null"
		}
		return fmt.Sprint(*v)
	case *float64:
		if v == nil {
			return "null"
		}
		return fmt.Sprintf("%.17g::double", *v)
	case *time.Time:
		if v == nil {
			return "null"
		}
		return "timestamptz '" + v.UTC().Format("2006-01-02 15:04:05+00") + "'"
	default:
		return fmt.Sprint(v)
	}
}

// Append adds a copy of one person's rows under another id.
func (g *Gold) Append(from *Gold, user, as string) {
	for _, d := range from.Days {
		if d.User == user {
			d.User = as
			g.Days = append(g.Days, d)
		}
	}
	for _, a := range from.Steps {
		if a.User == user {
			a.User = as
			g.Steps = append(g.Steps, a)
		}
	}
	for _, h := range from.Hearts {
		if h.User == user {
			h.User = as
			g.Hearts = append(g.Hearts, h)
		}
	}
	for _, n := range from.Nights {
		if n.User == user {
			n.User = as
			g.Nights = append(g.Nights, n)
		}
	}
}
