package transform_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
)

// TestMinutesAreThoseOfTheSQLTheyReplaced holds what Go makes of hours against the SQL that made it before, on days that
// are as mixed as they come.
func TestMinutesAreThoseOfTheSQLTheyReplaced(t *testing.T) {
	t.Parallel()
	pairs := []struct {
		is, was, columns, where string
		rows                    int // at least
	}{
		{"stg_steps", "stg_steps", "local_hour, step_count, sample_count", "user_id <> 'u3'", 10_000},
		{"stg_steps", "stg_counter_minutes", "step_count, sample_count", "user_id = 'u3'", 1000},
		{"stg_heart_rate", "stg_heart_rate", "heart_rate_min_bpm, heart_rate_sum_bpm, heart_rate_max_bpm, sample_count", "true", 10_000},
		{"stg_intensity", "stg_intensity", "intensity_level, sample_count", "user_id <> 'u3'", 10_000},
		{"stg_series_minutes", "stg_series_minutes", "metric, value_sum", "user_id <> 'u3'", 20_000},
		{"stg_series_minutes", "stg_series_minutes", "metric, covered_min, sample_count", "user_id <> 'u3' and metric <> 'distance'", 10_000},
		{"stg_series_minutes", "stg_series_minutes", "value_min", "user_id <> 'u3' and metric = 'oxygen_saturation'", 5000},
		{"stg_series_minutes", "stg_series_minutes", "value_max", "user_id <> 'u3' and metric = 'noise_level'", 5000},
		{"stg_heart_rate_held", "stg_heart_rate_held", "heart_rate_bpm, sample_count, held_ms, weight_ms, measured_min, refused_count, date_length_min, span_ms", "true", 400},
		{"stg_heart_rate_flat", "stg_heart_rate_flat", "device_id, started_ms, length_ms", "true", 20},
	}
	models := map[string]string{}
	for _, p := range pairs {
		text, err := os.ReadFile("testdata/oracle/" + p.was + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		models["models/staging/naive_"+p.was+".sql"] = strings.Replace(string(text), "-- "+p.was, "-- naive_"+p.was, 1)
	}
	project, err := loadModels(t, models)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := duckdb.NewConnector("?threads=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(query string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%v\n%s", err, query)
		}
	}
	exec("set global TimeZone = 'UTC'")
	if err := project.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	exec(`insert into silver.series_hours by name select * from (` + randomHours(rand.New(rand.NewPCG(5, 8)), 4000) + `)`)
	for _, view := range []string{"stg_minutes", "stg_heart_rate_held", "stg_heart_rate_flat"} {
		if err := project.Fill(t.Context(), db, conn, project.Model(view), view); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pairs {
		columns := "user_id, local_date, " + p.columns
		if strings.Contains(p.is, "minutes") || p.is == "stg_steps" || p.is == "stg_heart_rate" || p.is == "stg_intensity" {
			columns += ", minute_number"
		}
		is, was := fmt.Sprintf("select %s from %s where %s", columns, p.is, p.where), fmt.Sprintf("select %s from naive_%s where %s", columns, p.was, p.where)
		var n, missing, more int
		if err := conn.QueryRowContext(t.Context(), fmt.Sprintf(`select (select count(*) from (%[1]s)),
			(select count(*) from (%[2]s except all %[1]s)), (select count(*) from (%[1]s except all %[2]s))`, is, was)).Scan(&n, &missing, &more); err != nil {
			t.Fatal(err)
		}
		if n < p.rows || missing > 0 || more > 0 {
			t.Errorf("%s has %d rows of %s, of which %d are wrong, and lacks %d", p.is, n, p.columns, more, missing)
		}
	}
}

// step is how far the next sample lies.
func step(r *rand.Rand, period int, flat bool) int {
	if flat {
		return max(period, 1000)
	}
	return max(period, 1+r.IntN(90_000))
}

// randomHours selects hours of a few people and devices with every form that silver has: regular and irregular, with one
// sample a minute and with many, of devices that overlap, around midnight at several offsets.
func randomHours(r *rand.Rand, n int) string {
	rows := make([]string, n)
	for i := range rows {
		metric := []string{"steps", "heart_rate", "intensity", "motion_count", "stress", "oxygen_saturation", "noise_level", "distance"}[r.IntN(8)]
		period := []int{0, 1000, 5000, 15_000, 30_000, 60_000, 60_000, 60_000, 300_000}[r.IntN(9)]
		flat, longest := metric == "heart_rate" && r.IntN(8) == 0, 400
		if flat {
			period, longest = 1000*r.IntN(4), 900
		}
		first := []int{0, 0, 0, 30_000, 61_000}[r.IntN(5)]
		var offsets, values []string
		for at := first; at < 3_600_000 && len(values) < longest; at += step(r, period, flat) {
			if period == 0 || r.IntN(3) > 0 {
				offsets = append(offsets, fmt.Sprint(at))
			}
			value := r.IntN(4) * r.IntN(40)
			switch {
			case flat && r.IntN(2000) > 0:
				value = 70
			case metric == "heart_rate" && r.IntN(20) > 0:
				value = 60 + r.IntN(30)
			}
			values = append(values, fmt.Sprint(value))
		}
		if len(offsets) != len(values) {
			offsets = []string{fmt.Sprint(first)}
		}
		user := r.IntN(4)
		if user == 3 && metric == "steps" {
			metric = "step_counter"
		}
		rows[i] = fmt.Sprintf(`('u%d', '%s', '%s%d', timestamptz '2026-03-01 00:00:00Z' + interval %d hour, date '2026-03-01' + %d, %d, %d, '%s', [%s], [%s])`,
			user, metric, []string{"band", "watch"}[r.IntN(2)], r.IntN(2), r.IntN(96), r.IntN(4), []int{-300, 0, 60, 90}[user], period,
			[]string{"native", "import", "manual"}[r.IntN(3)], strings.Join(offsets, ","), strings.Join(values, ","))
	}
	return `select * from (values ` + strings.Join(rows, ",\n") + `) as t(user_id, metric, device_id, hour_at, local_date,
		utc_offset_min, period_ms, source, offsets_ms, "values")`
}
