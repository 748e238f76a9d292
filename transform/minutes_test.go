package transform_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/transform/transformtest"
)

// TestMinutesAreThoseOfPlainSQL holds what Go makes of hours against SQL that says the same without any thought of speed, on days
// that are as mixed as they come.
func TestMinutesAreThoseOfPlainSQL(t *testing.T) {
	t.Parallel()
	type pair struct {
		is, was, columns, where string // the columns and rows of both
		wasColumns, wasWhere    string // when they are called otherwise there
		rows                    int    // at least
	}
	pairs := []pair{
		{is: "stg_steps", was: "series_minutes", columns: "local_hour, step_count, sample_count, minute_number",
			wasColumns: "local_hour, value_sum, sample_count, minute_number", where: "user_id <> 'u3'", wasWhere: "metric = 'steps' and user_id <> 'u3'", rows: 10_000},
		{is: "stg_steps", was: "series_minutes", columns: "local_hour, step_count, sample_count, minute_number", // of running counters
			wasColumns: "local_hour, value_sum, sample_count, minute_number", where: "user_id = 'u3'", wasWhere: "metric = 'steps' and user_id = 'u3'", rows: 1000},
		{is: `(select user_id, local_date, unnest(flatten(list_transform(range(1, len(heart_rate_minutes) + 1), lambda i: case
			when heart_rate_minutes[i] >= 0 then [heart_rate_minutes[i]]
			else range(heart_rate_minutes[i - 1] + 1, heart_rate_minutes[i - 1] + 1 - heart_rate_minutes[i]) end))) as minute_number,
			unnest(heart_rate_sums_bpm) as sum_bpm, unnest(heart_rate_mins_bpm) as min_bpm, unnest(heart_rate_maxs_bpm) as max_bpm,
			unnest(heart_rate_sample_counts) as sample_count from stg_day_samples)`, was: "stg_heart_rate",
			columns:    "coalesce(min_bpm, sum_bpm), sum_bpm, coalesce(max_bpm, sum_bpm), coalesce(sample_count, 1), minute_number",
			wasColumns: "heart_rate_min_bpm, heart_rate_sum_bpm, heart_rate_max_bpm, sample_count, minute_number", where: "true", rows: 10_000},
		{is: "stg_heart_rate", was: "stg_heart_rate", columns: "heart_rate_min_bpm, heart_rate_sum_bpm, heart_rate_max_bpm, sample_count, minute_number", where: "true", rows: 10_000},
		{is: `(select user_id, local_date, unnest(flatten(list_transform(range(1, len(intensity_minutes) + 1), lambda i: case
			when intensity_minutes[i] >= 0 then [intensity_minutes[i]]
			else range(intensity_minutes[i - 1] + 1, intensity_minutes[i - 1] + 1 - intensity_minutes[i]) end))) as minute_number, unnest(intensity_levels) as intensity_level,
			unnest(intensity_sample_counts) as sample_count from stg_day_samples)`, was: "series_minutes", columns: "intensity_level, sample_count, minute_number",
			wasColumns: "value_max, sample_count, minute_number", where: "true", wasWhere: "metric = 'intensity'", rows: 10_000},
		{is: "stg_heart_rate_held", was: "stg_heart_rate_held", columns: "heart_rate_bpm, sample_count, held_ms, weight_ms, measured_min, refused_count, date_length_min, span_ms", where: "true", rows: 400},
		{is: `(select user_id, local_date, unnest(flat_line_minutes) as minute_number, unnest(flat_line_lengths_ms) as length_ms
			from stg_day_samples)`, was: "stg_heart_rate_flat", columns: "minute_number, length_ms", wasColumns: "started_ms // 60000, length_ms", where: "true", rows: 20},
		{is: `(select user_id, local_date, unnest(worn_hour_minutes) as minute_number, unnest(worn_utc_offsets_min) as utc_offset_min,
			unnest(worn_measured_mins) as measured_min from stg_day_samples)`, was: "stg_worn_hours", columns: "minute_number, utc_offset_min, measured_min",
			wasColumns: "hour_ms // 60000, utc_offset_min, measured_min", where: "true", rows: 400},
		{is: "stg_oxygen_seconds", was: "stg_oxygen_seconds", columns: "second_number, value, covered_s", where: "true", rows: 500},
	}
	for metric, columns := range map[string]string{
		"stress":            "value_sum, covered_min, sample_count",
		"oxygen_saturation": "value_sum, covered_min, sample_count, value_min",
		"noise_level":       "value_sum, covered_min, sample_count, value_max",
	} {
		where := "metric = '" + metric + "'"
		pairs = append(pairs, pair{
			is: "stg_vital_minutes", was: "series_minutes", columns: columns + ", minute_number", where: where, rows: 5000,
		})
	}
	pairs = append(pairs, pair{
		is: "stg_day_samples", columns: "distance_cm", where: "distance_cm is not null",
		was: "series_minutes", wasColumns: "sum(value_sum)", wasWhere: "metric = 'distance' group by user_id, local_date",
		rows: 10,
	})
	models := map[string]string{}
	oracles, err := filepath.Glob("testdata/oracle/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range oracles {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".sql")
		models["models/staging/naive_"+name+".sql"] = strings.Replace(string(text), "-- "+name, "-- naive_"+name, 1)
	}
	project, err := loadModels(t, models)
	if err != nil {
		t.Fatal(err)
	}
	db, conn := transformtest.OpenDuckDB(t)
	exec := func(query string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%v\n%s", err, query)
		}
	}
	if err := project.Define(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	exec(`insert into silver.series_hours by name select * from (` + randomHours(rand.New(rand.NewPCG(5, 8)), 4000) + `)`)
	for _, view := range []string{"stg_day_samples"} {
		if err := project.Fill(t.Context(), db, conn, project.Model(view), view); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pairs {
		query := "select user_id, local_date, %s from %s where %s"
		is := fmt.Sprintf(query, p.columns, p.is, p.where)
		was := fmt.Sprintf(query, cmp.Or(p.wasColumns, p.columns), "naive_"+p.was, cmp.Or(p.wasWhere, p.where))
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
