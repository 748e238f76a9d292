package render_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

// The months and the years of real people, with all their gaps: 46 people of LifeSnaps, hourly steps and daily figures.
func TestMonthsAndYearsOfRealPeopleWithGapsRenderAndTellTheirRows(t *testing.T) {
	db := lifeSnaps(t)
	r := renderer(t)
	users, periods := column(t, db, "select distinct user_id from user_days order by 1"), []string{"2021-03", "2021-04", "2021-05",
		"2021-06", "2021-07", "2021-08", "2021-09", "2021-10", "2021-11", "2021-12", "2022-01", "2021", "2022"}
	if len(users) < 40 {
		t.Fatalf("%d people: these are not the ones", len(users))
	}
	asOf := time.Date(2023, time.January, 10, 9, 0, 0, 0, time.UTC)
	told, empty, withGaps := 0, 0, 0
	for _, name := range periods {
		p, err := schemas.ParsePeriod(name)
		if err != nil {
			t.Fatal(err)
		}
		totals := stepTotals(t, db, p)
		n := 0
		for s, err := range reports.ComposeAll(t.Context(), db, users, p, asOf) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			checkTotal(t, s, totals[s.UserID])
			if s.Status == reports.StatusEmpty {
				empty++
			} else {
				told++
			}
			if p.Kind() == schemas.PeriodYear && hasEmptyMonthBetweenOthers(s) {
				withGaps++
			}
			checkRendering(t, r.HTML, r.Text, s)
		}
		if n != len(users) {
			t.Errorf("%s has reports of %d people, want %d", name, n, len(users))
		}
	}
	if told < 100 || empty < 20 || withGaps == 0 {
		t.Errorf("%d reports tell something, %d nothing, %d years have empty months inside: the data is not what it is taken for",
			told, empty, withGaps)
	}
}

// checkTotal holds a snapshot against a sum over the file's own rows.
func checkTotal(t *testing.T, s *reports.Snapshot, want stepTotal) {
	t.Helper()
	got := s.Movement.StepsTotal
	switch {
	case want.days == 0 && (got.Value != nil || got.N != 0):
		t.Errorf("%s: %v steps over %d days where none was measured", s.Period.ID, *got.Value, got.N)
	case want.days > 0 && (got.Value == nil || float64(*got.Value) != want.steps || got.N != want.days):
		t.Errorf("%s: steps %v over %d days, want %v over %d", s.Period.ID, got.Value, got.N, want.steps, want.days)
	}
	valid, nights, days := 0, 0, 0
	for _, part := range s.Long.Parts {
		valid, nights, days = valid+part.ValidDays, nights+part.ValidNights, days+part.OfDays
		if part.ValidDays == 0 && part.Steps.Value != nil {
			t.Errorf("%s: a part without a day that counts has a mean", s.Period.ID)
		}
	}
	if valid != s.Coverage.ValidDays || nights != s.Coverage.ValidNights || days != s.Coverage.OfDays {
		t.Errorf("%s: the parts have %d days, %d nights of %d; the whole %d, %d of %d", s.Period.ID, valid, nights, days,
			s.Coverage.ValidDays, s.Coverage.ValidNights, s.Coverage.OfDays)
	}
}

func checkRendering(t *testing.T, html, text func(*reports.Snapshot) ([]byte, error), s *reports.Snapshot) {
	t.Helper()
	page, err := html(s)
	if err != nil {
		t.Fatalf("%s: %v", s.Period.ID, err)
	}
	plain, err := text(s)
	if err != nil {
		t.Fatalf("%s: %v", s.Period.ID, err)
	}
	if strings.Contains(string(page), "NaN") || strings.Contains(string(page), s.UserID) {
		t.Errorf("%s: the page holds NaN or an id", s.Period.ID)
	}
	if s.Status != reports.StatusEmpty && s.Coverage.ValidDays < s.Coverage.OfDays/2 && !strings.Contains(string(page), "not measured") {
		t.Errorf("%s: half of it is missing and the page does not say so", s.Period.ID)
	}
	for line := range strings.Lines(string(plain)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 78 {
			t.Errorf("%s: a line of %d columns: %s", s.Period.ID, n, line)
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	stored := new(reports.Snapshot)
	if err := json.Unmarshal(data, stored); err != nil {
		t.Fatal(err)
	}
	if again, err := html(stored); err != nil || string(again) != string(page) {
		t.Errorf("%s: the stored snapshot renders another page, %v", s.Period.ID, err)
	}
}

// hasEmptyMonthBetweenOthers says that a month without any measured day lies between months that have some.
func hasEmptyMonthBetweenOthers(s *reports.Snapshot) bool {
	seen, gap := false, false
	for _, part := range s.Long.Parts {
		measured := part.Steps.N > 0 || part.Steps.Reason != reports.ReasonNotMeasured
		if measured && gap {
			return true
		}
		gap = seen && !measured
		seen = seen || measured
	}
	return false
}

type stepTotal struct {
	steps float64
	days  int
}

func stepTotals(t *testing.T, db *sql.DB, p schemas.Period) map[string]stepTotal {
	t.Helper()
	first, last := p.Dates()
	rows, err := db.QueryContext(t.Context(), `select id, cast(sum(steps) as double), count(distinct date)
		from (select id, date, sum(steps) as steps from hourly group by id, date having sum(steps) > 0)
		where date >= cast($1 as date) and date <= cast($2 as date) group by id`, first.String(), last.String())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	totals := map[string]stepTotal{}
	for rows.Next() {
		var user string
		var total stepTotal
		if err := rows.Scan(&user, &total.steps, &total.days); err != nil {
			t.Fatal(err)
		}
		totals[user] = total
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return totals
}

// lifeSnaps makes gold-like tables from the files: a day is worn for as many hours as have a step. Of the heart rate the
// file has the mean of a day alone; its extremes are made up around it.
func lifeSnaps(t *testing.T) *sql.DB {
	t.Helper()
	root := os.Getenv("DIURNA_TESTDATA")
	if root == "" {
		t.Skip("DIURNA_TESTDATA is not set: the reports of real people are not looked at")
	}
	folder := filepath.Join(root, "lifesnaps-fitbit")
	db := new(reportstest.Gold).Open(t)
	for _, statement := range []string{
		"create table hourly as select id, cast(date as date) as date, hour, steps from read_csv('" + folder + "/steps_hourly.csv.gz') where steps is not null",
		`create table daily as select id, cast(date as date) as date, max(bpm) as bpm, max(minutesAsleep) as asleep,
			max(sleep_duration) / 60000 as in_bed, max(moderately_active_minutes) as moderate, max(very_active_minutes) as vigorous
			from read_csv('` + folder + `/daily_fitbit_sema_df_unprocessed.csv.gz') group by all`,
		`insert into activity_days by name select h.id as user_id, h.date as local_date, sum(h.steps) as step_count,
			count(*) as sample_count, 60 * count(*) as observed_min, count(*) filter (where h.steps >= 250) as active_hour_count,
			any_value(d.moderate) as moderate_activity_min, any_value(d.vigorous) as vigorous_activity_min,
			any_value(d.moderate + 2 * d.vigorous) as moderate_equivalent_min, 'activity_days/1' as method_version
			from hourly as h left join daily as d on h.id = d.id and h.date = d.date group by h.id, h.date`,
		`insert into heart_rate_days select id, date, cast(bpm as integer) - 20, bpm, cast(bpm as integer) + 60, 1200, 1200, 'heart_rate_days/1'
			from daily where bpm is not null`,
		`insert into sleep_nights by name select id as user_id, date as night_date, 'summary' as source,
			in_bed as time_in_bed_min, asleep as total_sleep_time_min, 100 * asleep / in_bed as sleep_efficiency_pct,
			1 as record_count, 'sleep_nights/1' as method_version
			from daily where asleep is not null and in_bed > 0`,
		`insert into user_days
			with worn as (select id, date, 60 * count(*) filter (where steps > 0) as worn from hourly group by id, date),
			seen as (select id, date from hourly union select id, date from daily where asleep is not null or bpm is not null),
			spine as (select id, cast(unnest(generate_series(min(date), max(date), interval 1 day)) as date) as date from seen group by id)
			select spine.id, spine.date, worn.worn is not null, daily.bpm is not null, daily.asleep is not null, worn.worn,
				case when worn.worn is not null then 'motion' end, coalesce(worn.worn >= 600, false),
				coalesce(daily.in_bed >= 240 and daily.asleep is not null, false), 'user_days/1'
			from spine left join worn on spine.id = worn.id and spine.date = worn.date
				left join daily on spine.id = daily.id and spine.date = daily.date`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
