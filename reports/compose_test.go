package reports_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

var update = flag.Bool("update", false, "write the golden files")

func TestASnapshotOfEachPersonIsItsGolden(t *testing.T) {
	db := reportstest.People().Open(t)
	for _, user := range everybody() {
		t.Run(user, func(t *testing.T) {
			s, err := reports.Compose(t.Context(), db, user, week(t), reportstest.AsOf())
			if err != nil {
				t.Fatal(err)
			}
			matchGolden(t, "week_"+user+".golden.json", marshal(t, s))
		})
	}
}

func TestManyPeopleAtOnceAreTheSameAsOneByOneAndSorted(t *testing.T) {
	db := reportstest.People().Open(t)
	asked := append([]string{"nobody", reportstest.Unworn}, everybody()...) // one twice, one unknown
	var got []string
	for s, err := range reports.ComposeAll(t.Context(), db, asked, week(t), reportstest.AsOf()) {
		if err != nil {
			t.Fatal(err)
		}
		one, err := reports.Compose(t.Context(), db, s.UserID, week(t), reportstest.AsOf())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(marshal(t, one)), string(marshal(t, s))); diff != "" {
			t.Errorf("%s differs when asked for with others (-alone +together):\n%s", s.UserID, diff)
		}
		got = append(got, s.UserID)
	}
	want := everybody()
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
}

func TestTheOrderOfRowsChangesNothing(t *testing.T) {
	g := reportstest.People()
	want := composed(t, g, reportstest.Full)
	slices.Reverse(g.Days)
	slices.Reverse(g.Steps)
	slices.Reverse(g.Hearts)
	slices.Reverse(g.Nights)
	if diff := cmp.Diff(string(marshal(t, want)), string(marshal(t, composed(t, g, reportstest.Full)))); diff != "" {
		t.Errorf("reversed rows (-want +got):\n%s", diff)
	}
}

func TestComposingWritesNothing(t *testing.T) {
	g := reportstest.People()
	db := g.Open(t)
	if _, err := reports.Compose(t.Context(), db, reportstest.Full, week(t), time.Time{}); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "select count(*) from duckdb_tables()").Scan(&n); err != nil || n != 4 {
		t.Errorf("tables after composing: %d, %v; want the 4 there were", n, err)
	}
}

func TestOneConnectionIsEnough(t *testing.T) {
	db := reportstest.People().Open(t)
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, err := range reports.ComposeAll(ctx, db, everybody(), week(t), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnUnknownPersonIsNotFoundAndNotNamed(t *testing.T) {
	db := reportstest.People().Open(t)
	_, err := reports.Compose(t.Context(), db, "someone-else", week(t), time.Time{})
	if got := schemas.ErrorCode(err); got != schemas.CodeNotFound {
		t.Errorf("code %q, want not_found", got)
	}
	if err == nil || strings.Contains(err.Error(), "someone-else") {
		t.Errorf("error %v must be there and not repeat the id", err)
	}
}

func TestAPersonWithoutEvidenceIsUnknown(t *testing.T) {
	g := reportstest.Gold{Days: []reportstest.UserDay{{User: "hollow", Date: reportstest.Monday()}}}
	_, err := reports.Compose(t.Context(), g.Open(t), "hollow", week(t), time.Time{})
	if got := schemas.ErrorCode(err); got != schemas.CodeNotFound {
		t.Errorf("code %q, want not_found", got)
	}
}

func TestNoPeriodIsRefused(t *testing.T) {
	_, err := reports.Compose(t.Context(), reportstest.People().Open(t), reportstest.Full, schemas.Period{}, time.Time{})
	if got := schemas.ErrorCode(err); got != schemas.CodeInvalid {
		t.Errorf("code %q, want invalid", got)
	}
}

func TestAMissingTableIsAnErrorThatNamesTheQuery(t *testing.T) {
	db := reportstest.People().Open(t)
	if _, err := db.ExecContext(t.Context(), "drop table heart_rate_days"); err != nil {
		t.Fatal(err)
	}
	_, err := reports.Compose(t.Context(), db, reportstest.Full, week(t), time.Time{})
	if err == nil || !strings.Contains(err.Error(), "query heart") {
		t.Errorf("error %v, want one that names the query", err)
	}
}

func TestACancelledReportStops(t *testing.T) {
	db := reportstest.People().Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reports.Compose(ctx, db, reportstest.Full, week(t), time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestARunningWeekCountsOnlyWhatIsOver(t *testing.T) {
	db := reportstest.People().Open(t)
	thursday := time.Date(2026, time.March, 5, 13, 0, 0, 0, time.UTC)
	s, err := reports.Compose(t.Context(), db, reportstest.Full, week(t), thursday)
	if err != nil {
		t.Fatal(err)
	}
	if s.Period.Closed || s.Coverage.OfDays != 3 || s.Coverage.OfNights != 4 {
		t.Errorf("closed %v, %d days and %d nights over; want false, 3 and 4", s.Period.Closed, s.Coverage.OfDays, s.Coverage.OfNights)
	}
	if n := s.Movement.StepsTotal.N; n != 3 {
		t.Errorf("steps summed over %d days, want the 3 that are over", n)
	}
	if n := s.Sleep.TotalSleepTime.N; n != 4 {
		t.Errorf("sleep averaged over %d nights, want this morning's too: 4", n)
	}
	if d := s.Movement.Days[3]; d.State != reports.CellToCome || d.StepCount != nil {
		t.Errorf("today is %q with steps %v, want to_come without", d.State, d.StepCount)
	}
	if c := s.Headline.Tiles[0].Comparison; c.Reason != reports.ReasonNotOver || c.Change != nil {
		t.Errorf("a part of a week is compared: %q, change %v", c.Reason, c.Change)
	}
	if !hasThin(s, reports.SectionReport, reports.ReasonNotOver) {
		t.Error("nothing says that the week is still running")
	}
}

func TestAnEmptyWeekSaysWhy(t *testing.T) {
	db := reportstest.People().Open(t)
	for period, want := range map[string]reports.Reason{
		"2026-W05":       reports.ReasonBeforeRecords,
		reportstest.Week: reports.ReasonWithinGap,
		"2026-W20":       reports.ReasonAfterRecords,
		"2026-W40":       reports.ReasonToCome,
	} {
		p, err := schemas.ParsePeriod(period)
		if err != nil {
			t.Fatal(err)
		}
		asOf := time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
		s, err := reports.Compose(t.Context(), db, reportstest.Empty, p, asOf)
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != reports.StatusEmpty || s.Cause != want {
			t.Errorf("%s is %s because %q, want empty because %q", period, s.Status, s.Cause, want)
		}
	}
}

func TestAMeasuredZeroIsZeroAndAMissingDayIsNull(t *testing.T) {
	g := reportstest.People()
	for i := range g.Steps {
		if g.Steps[i].User == reportstest.Full && g.Steps[i].Date == reportstest.Monday() {
			g.Steps[i].Steps = 0
		}
	}
	g.Steps = slices.DeleteFunc(g.Steps, func(a reportstest.ActivityDay) bool {
		return a.User == reportstest.Full && a.Date == reportstest.Monday()+1
	})
	s := composed(t, g, reportstest.Full)
	if got := s.Movement.Days[0].StepCount; got == nil || *got != 0 {
		t.Errorf("steps of a measured zero: %v, want 0", got)
	}
	if got := s.Movement.Days[1].StepCount; got != nil {
		t.Errorf("steps of a missing day: %d, want null", *got)
	}
	if got := s.Movement.Steps.N; got != 6 {
		t.Errorf("mean over %d days, want 6: the zero counts, the missing day does not", got)
	}
}

func TestAChangeOfMethodSuppressesTheComparison(t *testing.T) {
	g := reportstest.People()
	for i := range g.Nights {
		if g.Nights[i].User == reportstest.Full && g.Nights[i].Date >= reportstest.Monday() {
			g.Nights[i].Method = "2"
		}
	}
	s := composed(t, g, reportstest.Full)
	c := s.Headline.Tiles[0].Comparison
	if c.Status != reports.ComparisonNotComparable || c.Reason != reports.ReasonMethodChanged || c.Change != nil {
		t.Errorf("comparison over a change of method: %s, %q, change %v", c.Status, c.Reason, c.Change)
	}
	if !hasThin(s, reports.SectionSleep, reports.ReasonMethodChanged) {
		t.Error("nothing says that the method changed")
	}
}

func TestAChangeWithinTheNoiseIsSteady(t *testing.T) {
	// Nights of 300, 400 and 500 min in turn: half an hour is more than 5 %, yet less than the usual spread of 100 min.
	build := func(more float64) *reportstest.Gold {
		g := new(reportstest.Gold)
		for d := reportstest.Monday() - 21; d <= reportstest.Monday()+6; d++ {
			asleep := 300 + 100*float64(int(d)%3)
			if d >= reportstest.Monday() {
				asleep = 400 + more
			}
			g.Days = append(g.Days, reportstest.UserDay{User: "u", Date: d, Sleep: true, IsValidNight: true})
			g.Nights = append(g.Nights, reportstest.SleepNight{User: "u", Date: d, Source: "summary", Asleep: asleep, InBed: 700})
		}
		return g
	}
	for more, want := range map[float64]reports.ComparisonStatus{
		30: reports.ComparisonSteady, -30: reports.ComparisonSteady,
		150: reports.ComparisonUp, -150: reports.ComparisonDown,
	} {
		if got := composed(t, build(more), "u").Headline.Tiles[0].Comparison.Status; got != want {
			t.Errorf("%+.0f min is %s, want %s", more, got, want)
		}
	}
}

func TestNumbersInJSONHaveSixDecimalsAtMostAndNoExponent(t *testing.T) {
	for v, want := range map[reports.Number]string{
		1.0 / 3: "0.333333", 7: "7", -0.0000001: "0", 12345678.9: "12345678.9", 1e-5: "0.00001", -2.5: "-2.5",
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%v is written %s (%v), want %s", float64(v), got, err, want)
		}
	}
}

func BenchmarkComposeAll(b *testing.B) {
	var g reportstest.Gold
	people := reportstest.People()
	var users []string
	for i := range 500 {
		user := "p" + string(rune('a'+i/100)) + string(rune('a'+i/10%10)) + string(rune('a'+i%10))
		users = append(users, user)
		g.Append(people, reportstest.Full, user)
	}
	db := g.Open(b)
	p, err := schemas.ParsePeriod(reportstest.Week)
	if err != nil {
		b.Fatal(err)
	}
	composed := 0
	for b.Loop() {
		for _, err := range reports.ComposeAll(b.Context(), db, users, p, reportstest.AsOf()) {
			if err != nil {
				b.Fatal(err)
			}
			composed++
		}
	}
	b.ReportMetric(float64(composed)/b.Elapsed().Seconds(), "reports/s")
}

func everybody() []string {
	return []string{reportstest.Full, reportstest.Partial, reportstest.Thin, reportstest.Empty, reportstest.Unworn}
}

func composed(t *testing.T, g *reportstest.Gold, user string) *reports.Snapshot {
	t.Helper()
	s, err := reports.Compose(t.Context(), g.Open(t), user, week(t), reportstest.AsOf())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func week(t *testing.T) schemas.Period {
	t.Helper()
	p, err := schemas.ParsePeriod(reportstest.Week)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func hasThin(s *reports.Snapshot, section reports.Section, reason reports.Reason) bool {
	return slices.ContainsFunc(s.Thin, func(r reports.Thin) bool { return r.Section == section && r.Reason == reason })
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func matchGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
