package transform_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

func openReader(t *testing.T, w *world, show ...transform.Sensitivity) *transform.Reader {
	t.Helper()
	cfg := testConfig(t)
	cfg.Show = show
	r, err := transform.OpenReader(t.Context(), w.lake, w.project, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// smallWorld has a person's hour in silver and gold.
func smallWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{
		hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 10, 20),
		hours("u", "watch", schemas.HeartRate, firstDay, 9, 60_000, 61),
	}}})
	w.build(false)
	return w
}

// firstColumn returns the first column of all rows.
func firstColumn(rows *sql.Rows) ([]string, error) {
	values := []string{}
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = new(any)
		}
		if err := rows.Scan(row...); err != nil {
			return nil, err
		}
		values = append(values, fmt.Sprint(*row[0].(*any)))
	}
	return values, errors.Join(rows.Err(), rows.Close())
}

func TestAReaderAnswersQuestions(t *testing.T) {
	t.Parallel()
	r := openReader(t, smallWorld(t))
	for query, want := range map[string][]string{
		"select step_count from activity_days":                                {"30"},
		"select value from steps order by measured_at":                        {"10", "20"},
		"select value from heart_rate":                                        {"61"},
		"select count(*) from silver.series_hours":                            {"2"},
		"select count(*) from sleep_nights":                                   {"0"},
		"select value from definitions where name = 'valid_day_worn_min'":     {"600"},
		"with x as (select 1 as one) select one from x; ":                     {"1"},
		"from user_days select local_date::varchar":                           {"2016-04-12"},
		"describe activity_days":                                              nil,
		"show tables":                                                         nil,
		"select sum(range) from range(4)":                                     {"6"},
		"summarize heart_rate":                                                nil,
		"explain select * from activity_days":                                 nil,
		"EXPLAIN ANALYZE select * from activity_days":                         nil,
		"-- a comment; with a semicolon\nselect 'a;b' as text":                {"a;b"},
		"select cast(measured_at as varchar) from steps order by 1 limit 1":   {"2016-04-12 09:00:00+00"},
		"select count(*) from (values (1), (2)) as v union all select 1 - 1 ": {"2", "0"},
	} {
		rows, err := r.Query(t.Context(), query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		got, err := firstColumn(rows)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		if diff := cmp.Diff(want, got); want != nil && diff != "" {
			t.Errorf("%s: (-want +got)\n%s", query, diff)
		}
		if len(got) == 0 {
			t.Errorf("%s: no rows", query)
		}
	}
}

// What is not a step on the way is for people who ask, and has an answer for them.
func TestAReaderAnswersForEveryModelButTheStepsOnTheWay(t *testing.T) {
	t.Parallel()
	w := &world{t: t, lake: newMemoryStore(t), project: loadProject(t), pieces: map[string]piece{}}
	plain, all := openReader(t, w), openReader(t, w, transform.SensitivityCycle)
	for _, m := range w.project.Models() {
		if strings.HasPrefix(m.Name, "stg_") {
			continue
		}
		for r, isThere := range map[*transform.Reader]bool{plain: m.Sensitivity == "", all: true} {
			rows, err := r.Query(t.Context(), "select * from "+m.Name+" limit 1")
			if err == nil {
				_, err = firstColumn(rows)
			}
			if isThere != (err == nil) {
				t.Errorf("%s (sensitivity %q): error is %v", m.Name, m.Sensitivity, err)
			}
		}
	}
}

// Hours of heart rate are made when somebody asks, of the samples as silver has them.
func TestAReaderMakesHoursOfHeartRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "heart_rate_hours")
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{
		hours("u", "watch", schemas.HeartRate, firstDay, 9, 60_000, 60, 240, 62, 64),
		hours("u", "watch", schemas.HeartRate, firstDay, 10, 60_000, 80),
		hours("v", "band", schemas.HeartRate, firstDay, 9, 60_000, 90, 90),
		hours("v", "watch", schemas.HeartRate, firstDay, 9, 5000, 70, 72),
	}}})
	rows, err := openReader(t, w).Query(t.Context(), `select concat_ws(' ', user_id, hour_at, heart_rate_min_bpm, heart_rate_mean_bpm,
		heart_rate_max_bpm, sample_count, measured_min) from heart_rate_hours order by user_id, hour_at`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := firstColumn(rows)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"u 2016-04-12 09:00:00+00 60 62.0 64 3 3", // without the 240 that cannot be
		"u 2016-04-12 10:00:00+00 80 80.0 80 1 1",
		"v 2016-04-12 09:00:00+00 90 90.0 90 2 2", // of two devices the first by name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the hours (-want +got):\n%s", diff)
	}
}

func TestRowsOfABuildAreNotThereForReaders(t *testing.T) {
	t.Parallel()
	r := openReader(t, smallWorld(t))
	for _, view := range []string{"stg_day_samples", "stg_steps"} {
		rows, err := r.Query(t.Context(), "select count(*) from "+view)
		if err != nil {
			continue
		}
		values, err := firstColumn(rows)
		t.Errorf("%s answers %v, though it has no rows outside a build: %v", view, values, err)
	}
}

func TestABuildLeavesNothingInTheTemporaryFolder(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	cfg := testConfig(t)
	for _, build := range []func(context.Context) (*transform.Result, error){
		transform.NewBuilder(w.lake, w.project, cfg).BuildFull,
		transform.NewBuilder(w.lake, w.project, cfg).Build,
	} {
		if _, err := build(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(cfg.TempDir); err != nil || len(left) > 0 {
			t.Errorf("the folder holds %v: %v", left, err)
		}
	}
}

func TestABuildLeavesNoTemporaryFileInTheLake(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 10)}}})
	mine, err := w.lake.TempPath(t.Context(), schemas.TableSeriesHours)
	if err != nil {
		t.Fatal(err)
	}
	w.build(false)
	w.build(true)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(mine), "*.tmp"))
	if err != nil || len(left) != 1 || left[0] != mine {
		t.Errorf("beside a file of somebody else there are %v: %v", left, err)
	}
}

func TestAReaderSeesOneMoment(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	r := openReader(t, w)
	w.put(map[string]piece{"a": {}})
	w.build(false)
	for _, query := range []string{"select step_count from activity_days", "select sum(value) from steps"} {
		rows, err := r.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := firstColumn(rows); err != nil || len(got) != 1 || got[0] != "30" {
			t.Errorf("%s: %v, %v, want the 30 steps of before", query, got, err)
		}
	}
}

func TestTypedQueriesReachNothingButTheLake(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	r := openReader(t, w)
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("secret\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := w.lake.Load(t.Context(), "gold.activity_days")
	if err != nil {
		t.Fatal(err)
	}
	file := s.Files[0].Path
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "target")
	for _, query := range []string{
		"copy (select 1) to '" + target + "'",
		"copy (select 1) to '" + file + "' (format parquet, use_tmp_file false)",
		"select 1; copy (select 1) to '" + file + "' (format parquet, use_tmp_file false)",
		"explain analyze copy (select 1) to '" + file + "' (format parquet, use_tmp_file false)",
		"explain " + "explain analyze copy (select 1) to '" + file + "' (format parquet, use_tmp_file false)",
		"export database '" + target + "'",
		"select * from read_text('/etc/passwd')",
		"select * from read_csv('" + outside + "')",
		"select * from '" + outside + "'",
		"select * from glob('/*')",
		"select * from query('select * from read_text(''/etc/passwd'')')",
		"attach '" + target + "'",
		"install httpfs",
		"load httpfs",
		"set threads = 4",
		"set enable_external_access = true",
		"reset lock_configuration",
		"pragma enable_logging",
		"call enable_logging()",
		"select * from enable_logging(storage = 'file', storage_path = '" + target + "')",
		"with x as (select * from (select * from enable_logging())) select 1 where exists (select 1 from x)",
		"select (select count(*) from checkpoint())",
		"from read_parquet('" + file + "')",
		"create table t as select 1",
		"drop view activity_days",
		"insert into definitions select * from definitions",
		"delete from definitions",
		"create secret (type s3)",
		"select 1; select 2",
		"selekt 1",
		"",
		"select no_such_column from activity_days",
	} {
		rows, err := r.Query(t.Context(), query)
		if err == nil {
			got, rowsErr := firstColumn(rows)
			if rowsErr == nil {
				t.Errorf("%q was possible: %v", query, got)
			}
			continue
		}
		if schemas.ErrorCode(err) != schemas.CodeInvalid {
			t.Errorf("%q: %v is of code %s, want invalid", query, err, schemas.ErrorCode(err))
		}
	}
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written outside the lake: %v", err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("a file of the lake was overwritten: %v", err)
	}
}

func TestOurOwnQueriesReachNoFileOutsideTheLake(t *testing.T) {
	t.Parallel()
	r := openReader(t, smallWorld(t))
	for _, query := range []string{
		"copy (select 1) to '" + filepath.Join(t.TempDir(), "x") + "'",
		"select * from read_text('/etc/passwd')",
		"attach '" + filepath.Join(t.TempDir(), "x") + "'",
		"install httpfs",
		"set threads = 4",
	} {
		if _, err := r.DB.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%q was possible", query)
		}
	}
	if _, err := r.DB.ExecContext(t.Context(), "create table report_people as select 'u' as user_id"); err != nil {
		t.Errorf("a list of our own is not possible: %v", err)
	}
}

func TestALargeQuestionSpillsToTheTemporaryFolder(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.MemoryLimit = "60MB"
	w := smallWorld(t)
	r, err := transform.OpenReader(t.Context(), w.lake, w.project, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows, err := r.Query(t.Context(), `select count(*) from (
		select repeat(cast(range as varchar), 8) as wide from range(1500000) order by hash(range)) where wide <> ''`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := firstColumn(rows); err != nil || got[0] != "1500000" {
		t.Errorf("rows are %v, %v", got, err)
	}
}

func TestAReaderOpensBeforeAnythingWasBuilt(t *testing.T) {
	t.Parallel()
	r := openReader(t, newWorld(t))
	for _, table := range append(goldTables(loadProject(t).Of(spine()...)), "heart_rate", "steps", "intensity", "sleep_segments", "readings", "daily_summaries", "events") {
		rows, err := r.Query(t.Context(), "select * from "+table)
		if err != nil {
			t.Errorf("%s: %v", table, err)
			continue
		}
		if got, err := firstColumn(rows); err != nil || len(got) != 0 {
			t.Errorf("%s has %d rows, %v", table, len(got), err)
		}
	}
}

func TestAReaderRefusesWithASentence(t *testing.T) {
	t.Parallel()
	r := openReader(t, newWorld(t))
	_, err := r.Query(t.Context(), "drop table activity_days") //nolint:rowserrcheck,sqlclosecheck // there are no rows
	if err == nil || !strings.Contains(err.Error(), "only select") {
		t.Errorf("error is %v", err)
	}
}

func TestWhatConcernsTheCycleIsShownToWhoAsksForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, append(tablesAbout(t, "cycle"), "events", "stg_cycle_events")...)
	w.put(map[string]piece{"a": {events: []schemas.EventRow{
		event("u", firstDay, 8, "consent", "cycle", 1),
		event("u", firstDay, 9, "cycle", "period", 1),
		event("u", firstDay, 10, "tag", "calm", 1),
		event("refused", firstDay, 8, "consent", "cycle", 0),
		event("refused", firstDay, 9, "cycle", "period", 1),
	}}})
	w.build(false)
	counts := func(r *transform.Reader) map[string]string {
		t.Helper()
		got := map[string]string{}
		for _, table := range []string{"events", "silver.events", "silver.cycle_events", "stg_cycle_events", "cycle_periods", "cycle_predictions"} {
			rows, err := r.Query(t.Context(), "select count(*) from "+table)
			if err != nil {
				got[table] = "not there"
				continue
			}
			values, err := firstColumn(rows)
			if err != nil {
				t.Fatal(err)
			}
			got[table] = values[0]
		}
		return got
	}
	want := map[string]string{
		"events": "1", "silver.events": "1", "silver.cycle_events": "not there", "stg_cycle_events": "not there",
		"cycle_periods": "not there", "cycle_predictions": "not there",
	}
	if diff := cmp.Diff(want, counts(openReader(t, w))); diff != "" {
		t.Error("without asking (-want +got):\n" + diff)
	}
	want = map[string]string{
		"events": "1", "silver.events": "1", "silver.cycle_events": "4", "stg_cycle_events": "1",
		"cycle_periods": "1", "cycle_predictions": "0",
	}
	r := openReader(t, w, transform.SensitivityCycle)
	if diff := cmp.Diff(want, counts(r)); diff != "" {
		t.Error("when asked for (-want +got):\n" + diff)
	}
	rows, err := r.Query(t.Context(), "select user_id from cycle_periods")
	if err != nil {
		t.Fatal(err)
	}
	if people, err := firstColumn(rows); err != nil || len(people) != 1 || people[0] != "u" {
		t.Errorf("periods are of %v (%v), want those of the one who consented", people, err)
	}

	// Taking the consent back takes the rows away.
	w.put(map[string]piece{"b": {events: []schemas.EventRow{event("u", firstDay+5, 8, "consent", "cycle", 0)}}})
	w.build(false)
	w.sameAsFull()
	if got := w.gold()["cycle_periods"]; len(got) != 0 {
		t.Errorf("after the consent was taken back: %v", got)
	}
}
