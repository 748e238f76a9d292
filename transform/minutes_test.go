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

// TestMinutesAreThoseOfTheSQLTheyReplaced holds stg_minutes against the SQL that made steps, heart rate and classes of
// activity before, on days that are as mixed as they come.
func TestMinutesAreThoseOfTheSQLTheyReplaced(t *testing.T) {
	t.Parallel()
	pairs := [][3]string{
		{"stg_steps", "naive_steps", "user_id, local_date, minute_number, local_hour, step_count, sample_count"},
		{"stg_heart_rate", "naive_heart_rate", "user_id, local_date, minute_number, heart_rate_min_bpm, heart_rate_sum_bpm, heart_rate_max_bpm, sample_count"},
		{"stg_intensity", "naive_intensity", "user_id, local_date, minute_number, intensity_level, sample_count"},
	}
	models := map[string]string{}
	for _, p := range pairs {
		text, err := os.ReadFile("testdata/oracle/" + p[0] + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		models["models/staging/"+p[1]+".sql"] = strings.Replace(string(text), "-- "+p[0], "-- "+p[1], 1)
	}
	project := withModels(t, models)
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
	exec(`insert into silver.series_hours by name select * from (` + randomHours(rand.New(rand.NewPCG(5, 8)), 3000) + `)`)
	if err := project.Fill(t.Context(), db, conn, project.Model("stg_minutes"), "stg_minutes"); err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		var n, missing, more int
		if err := conn.QueryRowContext(t.Context(), fmt.Sprintf(`select (select count(*) from %[1]s),
			(select count(*) from (select %[3]s from %[2]s except all select %[3]s from %[1]s)),
			(select count(*) from (select %[3]s from %[1]s except all select %[3]s from %[2]s))`, p[0], p[1], p[2])).Scan(&n, &missing, &more); err != nil {
			t.Fatal(err)
		}
		if n < 10_000 || missing > 0 || more > 0 {
			t.Errorf("%s has %d rows, of which %d are wrong, and lacks %d", p[0], n, more, missing)
		}
	}
}

// randomHours selects hours of a few people and devices with every form that silver has: regular and irregular, with one
// sample a minute and with many, of devices that overlap, around midnight at several offsets.
func randomHours(r *rand.Rand, n int) string {
	rows := make([]string, n)
	for i := range rows {
		metric := []string{"steps", "heart_rate", "intensity", "motion_count", "stress"}[r.IntN(5)]
		period := []int{0, 1000, 5000, 15_000, 30_000, 60_000, 60_000, 60_000, 300_000}[r.IntN(9)]
		first := []int{0, 0, 0, 30_000, 61_000}[r.IntN(5)]
		var offsets, values []string
		for at := first; at < 3_600_000 && len(values) < 100; at += max(period, 1+r.IntN(90_000)) {
			if period == 0 || r.IntN(3) > 0 {
				offsets = append(offsets, fmt.Sprint(at))
			}
			value := r.IntN(4) * r.IntN(40)
			if metric == "heart_rate" && r.IntN(20) > 0 {
				value = 60 + r.IntN(30)
			}
			values = append(values, fmt.Sprint(value))
		}
		if len(offsets) != len(values) {
			offsets = []string{fmt.Sprint(first)}
		}
		user := r.IntN(4)
		rows[i] = fmt.Sprintf(`('u%d', '%s', '%s%d', timestamptz '2026-03-01 00:00:00Z' + interval %d hour, date '2026-03-01' + %d, %d, %d, '%s', [%s], [%s])`,
			user, metric, []string{"band", "watch"}[r.IntN(2)], r.IntN(2), r.IntN(96), r.IntN(4), []int{-300, 0, 60, 90}[user], period,
			[]string{"native", "import", "manual"}[r.IntN(3)], strings.Join(offsets, ","), strings.Join(values, ","))
	}
	return `select * from (values ` + strings.Join(rows, ",\n") + `) as t(user_id, metric, device_id, hour_at, local_date,
		utc_offset_min, period_ms, source, offsets_ms, "values")`
}
