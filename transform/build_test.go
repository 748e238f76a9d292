package transform_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

func TestBuildingInAnyOrderOfArrivalEqualsOneFullBuild(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t)
			for i, sync := range randomPieces(r, 40) {
				w.put(sync)
				if r.IntN(3) == 0 || i == 39 {
					w.build(false)
				}
				if i%20 == 19 {
					w.build(false)
					w.sameAsFull()
				}
			}
		})
	}
}

func TestALateSegmentMovesItsNeighboursNight(t *testing.T) {
	t.Parallel()
	evening := segment("u", "watch", firstDay, 21*60, 23*60+50, schemas.StageAsleep)
	morning := segment("u", "watch", firstDay, 24*60+20, 30*60, schemas.StageAsleep)
	early := segment("u", "watch", firstDay, -3*60, -10, schemas.StageAsleep)
	w := newWorld(t)
	nights := func(want ...string) {
		t.Helper()
		w.build(false)
		w.sameAsFull()
		if got := w.gold()["sleep_nights"]; len(got) != len(want) {
			t.Errorf("nights are %v, want those of %v", got, want)
		} else {
			for i, date := range want {
				if !strings.Contains(got[i], date) {
					t.Errorf("night %d is %s, want one of %s", i, got[i], date)
				}
			}
		}
	}
	w.put(map[string]piece{"evening": {segments: []schemas.SleepSegmentRow{evening}}})
	nights("2016-04-12")
	w.put(map[string]piece{"morning": {segments: []schemas.SleepSegmentRow{morning}}})
	nights("2016-04-13") // the evening is the beginning of that night now
	w.put(map[string]piece{"morning": {}})
	nights("2016-04-12")

	// Sleep through two midnights ties the dates together, until its middle is cut.
	through := segment("u", "watch", firstDay, 0, 21*60, schemas.StageAsleep)
	w.put(map[string]piece{"morning": {segments: []schemas.SleepSegmentRow{morning}}, "through": {segments: []schemas.SleepSegmentRow{through}}})
	nights("2016-04-13")
	w.put(map[string]piece{"early": {segments: []schemas.SleepSegmentRow{early}}})
	nights("2016-04-11", "2016-04-13")
	w.put(map[string]piece{"through": {}})
	nights("2016-04-11", "2016-04-13")

	// A stage that changes before midnight changes the night of the next day, though not how long it was.
	evening.Stage, evening.Revision.Seq = string(schemas.StageDeep), 99_999
	w.put(map[string]piece{"evening": {segments: []schemas.SleepSegmentRow{evening}}})
	nights("2016-04-11", "2016-04-13")
}

func TestNightsInAnyOrderOfArrivalEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(31, 7))
	stages := []schemas.SleepStage{schemas.StageAwake, schemas.StageAsleep, schemas.StageLight, schemas.StageOutOfBed}
	w := newWorld(t)
	piecesOf := func(user string, slot int64) map[string]piece {
		var night []schemas.SleepSegmentRow
		if r.IntN(6) > 0 {
			from := slot*6*60 + r.Int64N(40)
			length := 5*60 + r.Int64N(60)
			half := length / 2
			night = append(night,
				segment(user, "watch", firstDay, from, from+half, stages[r.IntN(len(stages))]),
				segment(user, "watch", firstDay, from+half, from+length, stages[1+r.IntN(2)]))
		}
		return map[string]piece{fmt.Sprint(user, slot): {segments: night}}
	}
	// Everybody is in bed around the clock, with gaps of about an hour that decide what is one episode; then pieces of it
	// change, come and go.
	const slots = 24
	for slot := range int64(slots) {
		for _, user := range []string{"a", "b"} {
			w.put(piecesOf(user, slot))
		}
	}
	for i := range 40 {
		w.put(piecesOf([]string{"a", "b"}[r.IntN(2)], r.Int64N(slots)))
		w.build(false)
		if i%4 == 3 {
			w.sameAsFull()
		}
	}
}

// spanModel is a table over activity_days with the given spans.
func spanModel(name, spans, date, body string) string {
	return fmt.Sprintf(`-- %[1]s: a model of a test.
--
-- grain:    user_id, %[3]s
-- inputs:   activity_days
-- build:    table
%[2]s
-- source:   a test
-- method:   %[1]s/1

with

%[4]s

select * from days
`, name, spans, date, strings.ReplaceAll(body, "VERSION", "'"+name+"/1' as method_version"))
}

func TestEveryReachAndLookbackGivesTheRowsOfAFullBuild(t *testing.T) {
	t.Parallel()
	rolling := `
		days as (
			select dirty_days.user_id, dirty_days.local_date, sum(activity_days.step_count)::bigint as step_count, VERSION
			from dirty_days
			inner join activity_days
				on dirty_days.user_id = activity_days.user_id
				and activity_days.local_date between dirty_days.local_date - %d and dirty_days.local_date + %d
			group by dirty_days.user_id, dirty_days.local_date
		)`
	bucket := `
		days as (
			select a.user_id, cast(date_trunc('%[1]s', a.local_date) as date) as %[1]s_date, sum(a.step_count)::bigint as step_count, VERSION
			from activity_days as a
			inner join dirty_days on a.user_id = dirty_days.user_id and a.local_date = dirty_days.local_date
			group by all
		)`
	project := withModels(t, map[string]string{
		"models/test/back.sql": spanModel("back", "-- lookback: 2 days\n-- reach:    2 days", "local_date", fmt.Sprintf(rolling, 2, 0)),
		"models/test/recorded.sql": spanModel("recorded", "-- lookback: 9 days\n-- reach:    9 days recorded", "local_date",
			strings.Replace(fmt.Sprintf(rolling, 9, 0), "group by", `inner join activity_days as own
				on dirty_days.user_id = own.user_id and dirty_days.local_date = own.local_date
			group by`, 1)),
		"models/test/around.sql": spanModel("around", "-- lookback: 1 days around\n-- reach:    1 days around", "local_date", fmt.Sprintf(rolling, 1, 1)),
		"models/test/daily.sql": strings.Replace(spanModel("daily", "-- lookback: 2 days\n-- daily:    user_days\n-- reach:    2 days", "local_date",
			strings.Replace(fmt.Sprintf(rolling, 2, 0), "group by", `inner join user_days as own
				on dirty_days.user_id = own.user_id and dirty_days.local_date = own.local_date
			group by`, 1)), "activity_days\n", "activity_days, user_days\n", 1),
		"models/test/weeks.sql":  spanModel("weeks", "-- reach:    week", "week_date", fmt.Sprintf(bucket, "week")),
		"models/test/months.sql": spanModel("months", "-- reach:    month", "month_date", fmt.Sprintf(bucket, "month")),
		"models/test/since.sql": spanModel("since", "-- lookback: person\n-- reach:    forward", "local_date", `
			days as (
				select a.user_id, a.local_date, sum(b.step_count)::bigint as step_count, VERSION
				from activity_days as a
				inner join dirty_days on a.user_id = dirty_days.user_id and a.local_date = dirty_days.local_date
				inner join activity_days as b on a.user_id = b.user_id and b.local_date <= a.local_date
				group by a.user_id, a.local_date
			)`),
	})
	w := newWorld(t)
	w.project = project
	r := rand.New(rand.NewPCG(21, 7))
	steps := func() map[string]piece {
		user, day := fmt.Sprintf("user-%d", r.IntN(3)), firstDay+r.Int32N(40)
		if r.IntN(5) == 0 {
			return map[string]piece{fmt.Sprint(user, day): {}}
		}
		return map[string]piece{fmt.Sprint(user, day): {hours: []schemas.SeriesHour{
			hours(user, "watch", schemas.Steps, day, 9, 60_000, 1+r.Int32N(100)),
		}}}
	}
	for range 15 {
		w.put(steps())
		w.put(steps())
		w.build(false)
	}
	w.sameAsFull()
	for name, rows := range w.gold() {
		if slices.Contains([]string{"back", "recorded", "around", "daily", "weeks", "months", "since"}, name) && len(rows) == 0 {
			t.Errorf("%s has no rows: nothing was compared", name)
		}
	}
}

// A table grows by files of new days; what lies behind them is written again only as files double.
func TestNewDaysAreWrittenBesideOldOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "activity_days")
	const people, days = 4, 24 // and a file has 10 rows
	var written int64
	for d := range int32(days) {
		sync := map[string]piece{}
		for u := range people {
			user := fmt.Sprint("u", u)
			sync[user+fmt.Sprint(d)] = piece{hours: []schemas.SeriesHour{hours(user, "watch", schemas.Steps, firstDay+d, 9, 60_000, 10, 20)}}
		}
		w.put(sync)
		m := modelNamed(w.build(false), "activity_days")
		if d == 1 && (m.FilesGone != 1 || m.Rows != 2*people) {
			t.Errorf("a file as small as a day became %d rows, %d files are gone, want one and %d rows", m.Rows, m.FilesGone, 2*people)
		}
		if d == 2 && (m.FilesGone != 0 || m.Rows != people) {
			t.Errorf("a day beside a larger file came to %d rows and %d files gone, want %d and none", m.Rows, m.FilesGone, people)
		}
		written += m.Rows
	}
	if all := int64(people * days); written > 2*all {
		t.Errorf("%d rows were written for a table of %d", written, all)
	}
	// A late batch changes a day of one person: the file with that day is written again, and what is no larger than it.
	w.put(map[string]piece{"u03": {hours: []schemas.SeriesHour{hours("u0", "watch", schemas.Steps, firstDay+3, 10, 60_000, 30)}}})
	m := modelNamed(w.build(false), "activity_days")
	if m.ChangedDays != 1 || m.FilesGone == 0 || m.FilesGone > 2 {
		t.Errorf("a late batch changed %d days and took %d files away", m.ChangedDays, m.FilesGone)
	}
	w.sameAsFull()
}

func TestALongReachEndsWithTheLastRecordedDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "baselines")
	day := func(d int32) map[string]piece {
		return map[string]piece{fmt.Sprint(d): {summaries: []schemas.DailySummaryRow{
			{UserID: "u", DeviceID: "watch", Metric: schemas.TotalSleepTime, LocalDate: d, Value: 400, Source: "native"}}}}
	}
	w.put(day(firstDay))
	w.build(false)
	w.put(day(firstDay + 5))
	if m := modelNamed(w.build(false), "baselines"); m.DirtyDays != 5 { // the holes between are days of the spine too
		t.Errorf("%d days were looked at for a day after a gap of four, want 5", m.DirtyDays)
	}
	w.put(day(firstDay + 6))
	if m := modelNamed(w.build(false), "baselines"); m.DirtyDays != 1 {
		t.Errorf("%d days were looked at for a day of today, want 1", m.DirtyDays)
	}
	w.sameAsFull()
}

// The models of trends look back for up to two years: nights of 14 months, by summaries, come in blocks in any order,
// change and go.
func TestFiguresOverTimeInAnyOrderOfArrivalEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 7))
	const days = 430
	w := newWorld(t, tablesAbout(t, "trends")...)
	nights := func(user string, from, end int32) map[string]piece {
		sync := map[string]piece{}
		for d := from; d < min(end, days); d++ {
			night := piece{}
			if r.IntN(8) > 0 {
				night.summaries = []schemas.DailySummaryRow{
					{UserID: user, DeviceID: "watch", Metric: schemas.TotalSleepTime, LocalDate: firstDay + d, Value: 400 + r.Int32N(9) + d/10, Source: "native"},
					{UserID: user, DeviceID: "watch", Metric: schemas.TimeInBed, LocalDate: firstDay + d, Value: 200 + r.Int32N(300), Source: "native"},
				}
			}
			sync[fmt.Sprint(user, d)] = night
		}
		return sync
	}
	// The second half first, then the first, then pieces of both again or gone.
	for i, from := range []int32{215, 0, 100, 0, 380, 30, 250} {
		end := from + 215
		if i > 1 {
			end = from + 1 + r.Int32N(60)
		}
		sync := nights("a", from, end)
		maps.Copy(sync, nights("b", from+r.Int32N(20), end))
		if i == 5 {
			for key := range sync {
				sync[key] = piece{}
			}
		}
		w.put(sync)
		w.build(false)
	}
	w.sameAsFull()
	gold := w.gold()
	for _, table := range []string{"baselines", "figure_weeks", "figure_months", "figure_years", "day_trends", "week_trends"} {
		if len(gold[table]) == 0 {
			t.Errorf("%s has no rows: nothing was compared", table)
		}
	}
	if rows := strings.Join(gold["figure_months"], "\n"); !strings.Contains(rows, "'year_before_reason': NULL") {
		t.Error("no month was compared with the same month a year before")
	}
	if rows := strings.Join(gold["week_trends"], "\n"); !strings.Contains(rows, "'is_trend': true") {
		t.Error("no trend was found over weeks that rise")
	}
}

func TestBuildingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := rand.New(rand.NewPCG(11, 7))
	for _, sync := range randomPieces(r, 20) {
		w.put(sync)
	}
	if !w.build(false).Changed() {
		t.Fatal("the first build changed nothing")
	}
	before := w.snapshots()
	w.build(false)
	if diff := cmp.Diff(before, w.snapshots()); diff != "" {
		t.Error("a build with nothing to do committed (-before +after):\n" + diff)
	}
	full := w.build(true)
	if full.Changed() {
		t.Errorf("a full build changed rows: %+v", full.Models)
	}
	if diff := cmp.Diff(before, w.snapshots()); diff != "" {
		t.Error("a full build of the same rows committed (-before +after):\n" + diff)
	}

	// The same again from the watch: days are dirty, rows are the same, and only the watermark moves.
	w.put(maps.Clone(w.pieces))
	again := w.build(false)
	for _, m := range again.Models {
		// Some read tables of other models alone, and none of them changed.
		if (m.DirtyDays == 0) == readsSilver(w.project, m.Model) || m.ChangedDays != 0 || m.FilesAdded != 0 || m.FilesGone != 0 {
			t.Errorf("after the same data came again: %+v", m)
		}
	}
	if again.Watermarks[0] != w.offset {
		t.Errorf("built up to %d, want %d", again.Watermarks[0], w.offset)
	}
}

func TestLateDataRewritesOnlyThatPersonsFiles(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	sync := map[string]piece{}
	for user := range 9 {
		for day := range int32(5) {
			sync[fmt.Sprint(user, day)] = piece{hours: []schemas.SeriesHour{
				hours(fmt.Sprintf("user-%d", user), "watch", schemas.Steps, firstDay+day, 9, 60_000, 10, 20),
			}}
		}
	}
	w.put(sync)
	w.build(false)
	filesOf := func() []string {
		s, err := w.lake.Load(t.Context(), "gold.activity_days")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range s.Files {
			names = append(names, filepath.Base(f.Path))
		}
		return names
	}
	before := filesOf()
	if len(before) < 4 {
		t.Fatalf("45 rows are in %d files of 10", len(before))
	}
	w.put(map[string]piece{"late": {hours: []schemas.SeriesHour{
		hours("user-4", "watch", schemas.Steps, firstDay+1, 10, 60_000, 30),
	}}})
	result := w.build(false)
	after := filesOf()
	gone := slices.DeleteFunc(slices.Clone(before), func(f string) bool { return slices.Contains(after, f) })
	if len(gone) != 1 || len(after) != len(before) {
		t.Errorf("%d of %d files were rewritten, now there are %d", len(gone), len(before), len(after))
	}
	if m := result.Models[slices.IndexFunc(result.Models, func(m transform.ModelResult) bool { return m.Model == "activity_days" })]; m.DirtyDays != 1 || m.ChangedDays != 1 {
		t.Errorf("one late hour: %+v", m)
	}
	w.sameAsFull()
}

func TestADayWithoutRowsDisappears(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	day := func(d int32) piece {
		return piece{hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, d, 9, 60_000, 10)}}
	}
	w.put(map[string]piece{"a": day(firstDay), "b": day(firstDay + 1), "c": day(firstDay + 3)})
	w.build(false)
	if n := len(w.gold()["user_days"]); n != 4 {
		t.Fatalf("the spine has %d days, want 4", n)
	}
	w.put(map[string]piece{"c": {}})
	w.build(false)
	got := w.gold()
	if len(got["activity_days"]) != 2 || len(got["user_days"]) != 2 || len(got["wear_days"]) != 2 {
		t.Errorf("after the last day was deleted: %v", got)
	}
	w.put(map[string]piece{"a": {}, "b": {}})
	w.build(false)
	for table, rows := range w.gold() {
		if len(rows) != 0 {
			t.Errorf("%s still has %d rows when nothing is left", table, len(rows))
		}
	}
}

func TestDaysAreBuiltWhenAllOfSilverHasThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 10)}}})
	w.build(false)
	w.offset += 10
	w.commit(schemas.TableDirtyDays, w.stage(map[string]piece{
		"b": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay+1, 9, 60_000, 10)}},
	}), nil)
	w.publish(schemas.TableSeriesHours) // merge was cut off after its first table
	if w.build(false).Changed() {
		t.Error("a day was built before every table had it")
	}
	w.publish(lake.SilverTables()...)
	w.build(false)
	w.sameAsFull()
}

// A faultyStore fails or conflicts at the n-th commit.
type faultyStore struct {
	transform.Store
	at, count int
	err       error
	before    func()
}

func (s *faultyStore) Commit(ctx context.Context, c lake.Commit) (*lake.Snapshot, error) {
	s.count++
	if s.count == s.at {
		if s.before != nil {
			s.before()
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	return s.Store.Commit(ctx, c)
}

func TestABuildCutOffAnywhereIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 7))
	for n := 1; n <= 6; n++ {
		w := newWorld(t)
		syncs := randomPieces(r, 24)
		for _, sync := range syncs[:12] {
			w.put(sync)
		}
		w.build(false)
		for _, sync := range syncs[12:18] {
			w.put(sync)
		}
		broken := errors.New("the power went")
		_, err := buildOn(t, &faultyStore{Store: w.lake, at: n, err: broken}, w.project, false)
		if !errors.Is(err, broken) {
			t.Fatalf("commit %d failed and the build said %v", n, err)
		}
		for _, sync := range syncs[18:] {
			w.put(sync)
		}
		w.build(false)
		w.sameAsFull()
	}
}

func TestATableThatChangedMeanwhileIsBuiltAgain(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	for _, sync := range randomPieces(rand.New(rand.NewPCG(6, 7)), 10) {
		w.put(sync)
	}
	// Another builder does the same work just before our second commit.
	store := &faultyStore{Store: w.lake, at: 2, before: func() { w.build(false) }}
	if _, err := buildOn(t, store, w.project, false); err != nil {
		t.Fatal(err)
	}
	w.sameAsFull()
}

// withModels is the project with files added or put in the place of others.
func withModels(t *testing.T, files map[string]string) *transform.Project {
	t.Helper()
	p, err := loadModels(t, files)
	if err != nil {
		t.Fatal(err)
	}
	names := spine()
	for name := range files {
		names = append(names, strings.TrimSuffix(path.Base(name), ".sql"))
	}
	return p.Of(names...)
}

func loadModels(t *testing.T, files map[string]string) (*transform.Project, error) {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(transform.Models, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(transform.Models, path)
		all[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return transform.Load(t.Context(), all)
}

func modelText(t *testing.T, path string) string {
	t.Helper()
	data, err := fs.ReadFile(transform.Models, path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// strictHearts are models of which one promises that no heart goes beyond 200.
func strictHearts(t *testing.T) *transform.Project {
	t.Helper()
	const file = "models/heart/heart_rate_days.sql"
	return withModels(t, map[string]string{file: strings.Replace(modelText(t, file), "-- audit:", "-- audit:    heart_rate_max_bpm < 200\n-- audit:", 1)})
}

func TestADayThatBreaksAnAuditIsWithheldAndAllOthersAreBuilt(t *testing.T) {
	t.Parallel()
	day := func(user string, date, bpm int32) piece {
		return piece{hours: []schemas.SeriesHour{hours(user, "watch", schemas.HeartRate, date, 9, 60_000, bpm)}}
	}
	w := newWorld(t)
	w.project = strictHearts(t).Of(spine()...)
	w.put(map[string]piece{"a": day("someone", firstDay, 61), "b": day("someone", firstDay+1, 201), "c": day("other", firstDay+1, 62)})
	var log strings.Builder
	cfg := testConfig(t)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	result, err := buildWith(t, w.lake, w.project, cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range result.Models {
		if want := int64(1); m.Model == "heart_rate_days" && m.WithheldDays != want || m.Model != "heart_rate_days" && m.WithheldDays != 0 {
			t.Errorf("%s: %d days withheld", m.Model, m.WithheldDays)
		}
	}
	if !strings.Contains(log.String(), "heart_rate_max_bpm < 200") || strings.Contains(log.String(), "someone") || strings.Contains(log.String(), "201") {
		t.Errorf("the log should name the rule and nobody:\n%s", log.String())
	}
	wantDays := func(want ...string) {
		t.Helper()
		rows := w.gold()["heart_rate_days"]
		if len(rows) != len(want) || slices.ContainsFunc(want, func(day string) bool {
			return !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, day) })
		}) {
			t.Errorf("rows are %v, want %v", rows, want)
		}
	}
	wantDays("'user_id': other, 'local_date': 2016-04-13", "'user_id': someone, 'local_date': 2016-04-12")
	if _, err := buildOn(t, w.lake, w.project, true); err != nil {
		t.Fatal(err)
	}
	wantDays("'user_id': other, 'local_date': 2016-04-13", "'user_id': someone, 'local_date': 2016-04-12")

	// What was good before goes too when what is known of the day now is not.
	w.put(map[string]piece{"a": day("someone", firstDay, 230), "b": day("someone", firstDay+1, 90)})
	if _, err := buildOn(t, w.lake, w.project, false); err != nil {
		t.Fatal(err)
	}
	wantDays("'user_id': other, 'local_date': 2016-04-13", "'user_id': someone, 'local_date': 2016-04-13")
}

func TestAnAuditThatManyPeoplesDaysBreakLeavesTheTableAndThoseBelowIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("someone", "watch", schemas.HeartRate, firstDay, 9, 60_000, 61)}}})
	w.build(false)
	before := w.snapshots()
	pieces := map[string]piece{}
	for i := range 11 {
		user := fmt.Sprintf("someone%d", i)
		pieces[user] = piece{hours: []schemas.SeriesHour{hours(user, "watch", schemas.HeartRate, firstDay+1, 9, 60_000, 201)}}
	}
	w.put(pieces)

	strict := strictHearts(t)
	_, err := buildOn(t, w.lake, strict, false)
	var failed *transform.BuildError
	if !errors.As(err, &failed) {
		t.Fatalf("error is %v, want a BuildError", err)
	}
	for _, name := range goldTables(strict) {
		if isMadeFrom(strict, name, "heart_rate_days") != slices.Contains(failed.Failed, name) ||
			slices.Contains(failed.Failed, name) == slices.Contains(failed.Built, name) {
			t.Errorf("failed are %v and built %v, want to fail what reads the failed one", failed.Failed, failed.Built)
		}
	}
	var audit *transform.AuditError
	if !errors.As(err, &audit) || audit.Model != "heart_rate_days" || audit.Rule != "heart_rate_max_bpm < 200" || audit.Count != 11 {
		t.Errorf("audit is %+v", audit)
	}
	if strings.Contains(err.Error(), "someone") || strings.Contains(err.Error(), "201") {
		t.Error("the error tells a person's id or a value")
	}
	after := w.snapshots()
	for _, table := range failed.Failed {
		if before[table] != after[table] {
			t.Errorf("%s changed", table)
		}
	}
	w.build(false)
	w.sameAsFull()
}

func TestRowsOutsideTheDirtyDaysFailTheBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, 10)}}})
	wide := withModels(t, map[string]string{"models/activity/step_days.sql": `-- step_days: one row per person and date.
--
-- grain:    user_id, local_date
-- inputs:   stg_steps
-- build:    table
-- source:   a test
-- method:   step_days/1

with

days as (

    select
        user_id,
        local_date + 1 as local_date,
        'step_days/1' as method_version

    from stg_steps

    group by user_id, local_date

)

select * from days
`})
	_, err := buildOn(t, w.lake, wide, false)
	var audit *transform.AuditError
	if !errors.As(err, &audit) || audit.Rule != "rows are of dirty days" {
		t.Errorf("error is %v, want the rule about dirty days", err)
	}
}

// readsSilver reports whether a model reads silver itself or through views.
func readsSilver(p *transform.Project, name string) bool {
	return slices.ContainsFunc(p.Model(name).Inputs, func(in string) bool {
		m := p.Model(in)
		return strings.HasPrefix(in, "silver.") || m != nil && m.Build == transform.BuildView && readsSilver(p, in)
	})
}

// isMadeFrom reports whether a model is the other, or reads it, itself or through others.
func isMadeFrom(p *transform.Project, name, other string) bool {
	m := p.Model(name)
	return name == other || m != nil && slices.ContainsFunc(m.Inputs, func(in string) bool { return isMadeFrom(p, in, other) })
}

func TestAChangedModelRebuildsItselfAndWhatIsBelow(t *testing.T) {
	t.Parallel()
	w := newLakeWorld(t)
	w.put(map[string]piece{"a": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.Steps, firstDay, 9, 60_000, repeat(30, 10)...)}}})
	w.build(false)

	changed := withModels(t, map[string]string{"models/definitions.csv": strings.Replace(
		modelText(t, "models/definitions.csv"), "active_hour_step_count,250", "active_hour_step_count,301", 1)})
	result, err := buildOn(t, w.lake, changed, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range result.Models {
		if want := isMadeFrom(changed, m.Model, "activity_days"); m.Full != want {
			t.Errorf("%s: rebuilt is %v, want %v", m.Model, m.Full, want)
		}
	}
	if rows := w.gold()["activity_days"]; !strings.Contains(rows[0], "'active_hour_count': 0") {
		t.Errorf("300 steps still make an active hour: %v", rows)
	}

	const path = "models/activity/movement_days.sql"
	more := withModels(t, map[string]string{path: strings.Replace(modelText(t, path), "        'movement_days/1'\n",
		"        1 as one,\n        'movement_days/1'\n", 1)})
	if _, err := buildOn(t, w.lake, more, false); err != nil {
		t.Fatal(err)
	}
	s, err := w.lake.Load(t.Context(), "gold.movement_days")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(s.Columns, func(c lake.Column) bool { return c.Name == "one" }) || len(s.Files) != 1 {
		t.Errorf("the new column is missing: %v in %d files", s.Columns, len(s.Files))
	}
}

func TestAnEmptyLakeBuildsEmptyTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.build(false).Changed() {
		t.Error("something came of nothing")
	}
	for table, rows := range w.gold() {
		if len(rows) != 0 {
			t.Errorf("%s has %d rows", table, len(rows))
		}
	}
}
