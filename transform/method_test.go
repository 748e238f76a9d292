package transform_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// countModel counts a person's steps of a day, times a factor.
func countModel(file, version, supersedes string, factor int) string {
	return fmt.Sprintf(`-- %[1]s: a model of a test.
--
-- grain:    user_id, local_date
-- inputs:   activity_days
-- build:    table
-- source:   a test
-- method:   counts/%[2]s
%[3]s
with

days as (

    select
        activity_days.user_id,  -- person
        activity_days.local_date,   -- date
        activity_days.step_count * %[4]d
            as step_count,      -- steps
        'counts/%[2]s'
            as method_version   -- formula

    from activity_days
    inner join dirty_days
        on activity_days.user_id = dirty_days.user_id
        and activity_days.local_date = dirty_days.local_date

)

select * from days
`, file, version, supersedes, factor)
}

func TestANewMethodLeavesHistoryAsItWas(t *testing.T) {
	t.Parallel()
	first := withModels(t, map[string]string{"models/activity/counts.sql": countModel("counts", "1", "", 1)})
	second := withModels(t, map[string]string{
		"models/activity/counts_v1.sql": countModel("counts_v1", "1", "", 1),
		"models/activity/counts.sql":    countModel("counts", "2", "-- supersedes: counts_v1 before 2016-04-14\n", 100),
	})
	walk := func(day int32) map[string]piece {
		return map[string]piece{fmt.Sprint(day): {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay+day, 9, 60_000, 7+day)}}}
	}
	w := newLakeWorld(t)
	w.project = first
	w.put(walk(1))
	w.put(walk(2))
	w.build(false)

	w.project = second
	w.put(walk(3))
	w.build(false)
	w.put(walk(0)) // of a day before the change, though it came after it
	w.build(false)
	w.sameAsFull()
	for date, want := range map[string]string{
		"2016-04-12": "'step_count': 7, 'method_version': counts/1",
		"2016-04-13": "'step_count': 8, 'method_version': counts/1",
		"2016-04-14": "'step_count': 900, 'method_version': counts/2",
		"2016-04-15": "'step_count': 1000, 'method_version': counts/2",
	} {
		if rows := strings.Join(w.gold()["counts"], "\n"); !strings.Contains(rows, "'local_date': "+date+", "+want) {
			t.Errorf("%s: want %s in\n%s", date, want, rows)
		}
	}
	if rows := w.gold()["counts_v1"]; len(rows) != 4 {
		t.Errorf("beside it the older method has %d days, want all 4", len(rows))
	}
	r, err := transform.OpenReader(t.Context(), w.lake, w.project, testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var changes string
	if err := r.DB.QueryRowContext(t.Context(), "select string_agg(cast(m as varchar)) from method_changes as m where table_name = 'counts'").Scan(&changes); err != nil {
		t.Fatal(err)
	}
	if want := "{'table_name': counts, 'since_date': 2016-04-14, 'method_version': counts/2, 'method_version_before': counts/1, 'table_before': counts_v1}"; changes != want {
		t.Errorf("method_changes is %s, want %s", changes, want)
	}
}

func TestAMethodThatChangesWithoutAWordAboutHistoryIsNotBuilt(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	w.project = withModels(t, map[string]string{"models/activity/counts.sql": countModel("counts", "1", "", 1)})
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 7)}}})
	w.build(false)
	_, err := buildOn(t, w.lake, withModels(t, map[string]string{"models/activity/counts.sql": countModel("counts", "2", "", 1)}), false)
	if err == nil || !strings.Contains(err.Error(), "what becomes of history") {
		t.Errorf("error is %v, want one about history", err)
	}
	if rows := w.gold()["counts"]; len(rows) != 1 || !strings.Contains(rows[0], "counts/1") {
		t.Errorf("the table is %v", rows)
	}
}

func TestAMendedModelSaysHowManyDaysItRestated(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	w.project = withModels(t, map[string]string{"models/activity/counts.sql": countModel("counts", "1", "", 1)})
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 7)}}})
	w.build(false)
	w.put(map[string]piece{"b": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay+1, 9, 60_000, 7)}}})

	var log strings.Builder
	cfg := testConfig(t)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	mended := withModels(t, map[string]string{"models/activity/counts.sql": countModel("counts", "1", "", 2)})
	result, err := transform.NewBuilder(w.lake, mended, cfg).Build(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if m := modelNamed(result, "counts"); m.RestatedDays != 1 || m.ChangedDays != 2 {
		t.Errorf("%d days restated of %d changed, want 1 of 2: the other is new", m.RestatedDays, m.ChangedDays)
	}
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "model=counts") {
		t.Errorf("the log does not say so:\n%s", log.String())
	}
}

func TestWhatCannotBeSuperseded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ supersedes, want string }{
		"no date":      {"counts_v1", "is not \"<model> before <YYYY-MM-DD>\""},
		"no such date": {"counts_v1 before 2016-02-30", "is not a date"},
		"no model":     {"counts_v0 before 2016-04-14", "there is no table"},
		"a view":       {"steps before 2016-04-14", "there is no table"},
		"other grain":  {"sleep_nights before 2016-04-14", "its grain differs"},
		"same method":  {"counts_v1 before 2016-04-14", "its method is that of"},
	} {
		_, err := loadModels(t, map[string]string{
			"models/activity/counts_v1.sql": countModel("counts_v1", "1", "", 1),
			"models/activity/counts.sql":    countModel("counts", "1", "-- supersedes: "+c.supersedes+"\n", 1),
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one that says %q", name, err, c.want)
		}
	}
}
