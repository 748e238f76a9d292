package ranking_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
)

var (
	monday = schemas.NewDate(2026, time.March, 2) // of 2026-W10
	long   = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	after  = time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
)

func load(t *testing.T, g *rankingtest.Gold, board, period string, now time.Time) *ranking.Standings {
	t.Helper()
	p, err := schemas.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ranking.Load(t.Context(), g.DB, g.Ledger, board, p, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func view(t *testing.T, s *ranking.Standings, q ranking.Question) *ranking.View {
	t.Helper()
	v, err := s.View(q)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func week(t *testing.T, g *rankingtest.Gold, now time.Time, q ranking.Question) *ranking.View {
	t.Helper()
	return view(t, load(t, g, "steps-week", "2026-W10", now), q)
}

// idOf returns the public id that a person has on every board.
func idOf(t *testing.T, g *rankingtest.Gold, user string) string {
	t.Helper()
	return week(t, g, after, ranking.Question{User: user}).Me.PublicID
}

func TestTiesShareTheRankAndAreListedByWhoWasFirst(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	for user, d := range map[string]rankingtest.Day{
		"a": {Counted: 500, Reached: noon},
		"b": {Counted: 700, Reached: noon.Add(time.Hour)},
		"c": {Counted: 700, Reached: noon},
		"d": {Counted: 900, Reached: noon},
		"e": {Counted: 700, Reached: noon},
		"f": {Counted: 100, Reached: noon},
	} {
		d.User, d.Date = user, monday+1
		g.OptIn(user, long)
		g.AddDay(d)
	}
	v := week(t, g, after, ranking.Question{User: "b"})
	first, second := idOf(t, g, "c"), idOf(t, g, "e")
	if first > second {
		first, second = second, first
	}
	type place struct {
		Rank  int
		ID    string
		Value int64
		IsMe  bool
	}
	var got []place
	for _, r := range v.Top {
		got = append(got, place{r.Rank, r.PublicID, r.Value, r.IsMe})
	}
	want := []place{
		{1, idOf(t, g, "d"), 900, false}, {2, first, 700, false}, {2, second, 700, false}, {2, idOf(t, g, "b"), 700, true},
		{5, idOf(t, g, "a"), 500, false}, {6, idOf(t, g, "f"), 100, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the board differs (-want +got):\n%s", diff)
	}
	if *v.Me.Rank != 2 || *v.Me.Of != 6 || *v.Me.GapUp != 200 || *v.Me.GapDown != 200 {
		t.Errorf("me: rank %d of %d, gaps %d and %d; want 2 of 6, 200 and 200", *v.Me.Rank, *v.Me.Of, *v.Me.GapUp, *v.Me.GapDown)
	}
	if v.Me.Percentile != nil || v.Me.TopPct != nil {
		t.Error("a percentile was given among fewer than 50 people")
	}
	d := week(t, g, after, ranking.Question{User: "d"}).Me
	f := week(t, g, after, ranking.Question{User: "f"}).Me
	if d.GapUp != nil || f.GapDown != nil {
		t.Error("the first has somebody above, or the last somebody below")
	}
}

func TestNeighboursAreThreeOnEachSideAndFewerAtTheEnds(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 40, monday, nil)
	s := load(t, g, "steps-week", "2026-W10", after)
	for user, want := range map[string][2]int{"p000": {1, 4}, "p001": {1, 5}, "p020": {18, 24}, "p039": {37, 40}} {
		v := view(t, s, ranking.Question{User: user, Top: 2})
		first, last := v.Neighbours[0].Rank, v.Neighbours[len(v.Neighbours)-1].Rank
		if got := [2]int{first, last}; got != want {
			t.Errorf("%s: neighbours have the ranks %v, want %v", user, got, want)
		}
		if len(v.Top) != 2 {
			t.Errorf("%s: the top has %d people, want 2", user, len(v.Top))
		}
	}
}

func TestPercentileIsTheMidRankAndTopRoundsUpButNeverBelowOne(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 199, monday, nil)
	g.OptIn("twin", long)
	g.AddDay(rankingtest.Day{User: "twin", Date: monday, Counted: 1000*199 - 100}) // as many as p100
	s := load(t, g, "steps-week", "2026-W10", after)
	for _, c := range []struct {
		user       string
		percentile float64
		top        int
	}{
		{"p000", 99.75, 1},  // nobody above: 0.25 % is rounded up to 1
		{"p001", 99.25, 1},  // 0.75 %
		{"p010", 94.75, 6},  // 5.25 %
		{"p100", 49.5, 51},  // 98 below, two tied: (98 + 1) / 200
		{"twin", 49.5, 51},  // the same
		{"p198", 0.25, 100}, // last
	} {
		m := view(t, s, ranking.Question{User: c.user}).Me
		if *m.Percentile != c.percentile || *m.TopPct != c.top || *m.PercentileCohort != "all" {
			t.Errorf("%s: percentile %v, top %d %% of %s; want %v, %d, all", c.user, *m.Percentile, *m.TopPct, *m.PercentileCohort, c.percentile, c.top)
		}
	}
}

func TestOnlyClosedDaysCountAndTheRunningOneStandsBeside(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 6, monday, nil)
	// The same instants, on two clocks: in Auckland Wednesday has begun, in Honolulu it is still Tuesday morning.
	now := time.Date(2026, 3, 3, 20, 0, 0, 0, time.UTC)
	for user, offset := range map[string]int{"auckland": 780, "honolulu": -600} {
		g.OptIn(user, long)
		for i, steps := range []int64{10, 200, 3000, 40000} {
			g.AddDay(rankingtest.Day{User: user, Date: monday + schemas.Date(i), Counted: steps, OffsetMin: offset})
		}
	}
	for user, want := range map[string][3]int64{"auckland": {210, 3000, 2}, "honolulu": {10, 200, 1}} {
		m := week(t, g, now, ranking.Question{User: user}).Me
		if got := [3]int64{*m.Value, *m.RunningValue, int64(*m.DayCount)}; got != want {
			t.Errorf("%s: value, running value and days are %v, want %v", user, got, want)
		}
	}
	if m := week(t, g, now, ranking.Question{User: "p000"}).Me; m.RunningValue != nil {
		t.Error("somebody without steps today has a running value")
	}
}

func TestABoardClosesWhereADayEndsLast(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 6, monday, nil)
	closes := time.Date(2026, 3, 9, 11, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want ranking.Status
	}{{closes.Add(-time.Second), ranking.StatusOpen}, {closes, ranking.StatusSettling}} {
		v := week(t, g, c.now, ranking.Question{})
		if v.Status != c.want || !v.ClosesAt.Equal(closes) || !v.SettlesAt.Equal(closes.Add(72*time.Hour)) {
			t.Errorf("at %s: %s, closes %s, settles %s", c.now, v.Status, v.ClosesAt, v.SettlesAt)
		}
	}
}

func TestOnlyTheLatestConsentDecidesAndARefusalWinsATie(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 6, monday, nil)
	for _, user := range []string{"left", "back", "torn", "never", "later"} {
		g.AddDay(rankingtest.Day{User: user, Date: monday, Counted: 5})
	}
	g.OptIn("left", long)
	g.OptOut("left", long.Add(time.Hour))
	g.OptOut("back", long)
	g.OptIn("back", long.Add(time.Hour))
	g.OptIn("torn", long)
	g.Exec("update silver.events set device_id = 'other' where user_id = 'torn'")
	g.OptOut("torn", long)
	g.OptIn("later", after.Add(time.Hour))
	for user, taking := range map[string]bool{"left": false, "back": true, "torn": false, "never": false, "later": false, "nobody": false} {
		m := week(t, g, after, ranking.Question{User: user}).Me
		if got := m.Rank != nil; got != taking {
			t.Errorf("%s: ranked is %t, want %t", user, got, taking)
		}
		if !taking && (m.Absence == nil || *m.Absence != ranking.AbsenceNotTakingPart || m.Value != nil) {
			t.Errorf("%s: does not take part and is told something else, or a value", user)
		}
	}
}

func TestWhoIsNotRankedIsToldWhy(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 25, schemas.NewDate(2026, 2, 1), nil)
	for i := range schemas.Date(10) {
		g.AddDay(rankingtest.Day{User: "steady", Date: schemas.NewDate(2026, 2, 1) + i, Counted: 100, Valid: true})
		g.AddDay(rankingtest.Day{User: "seldom", Date: schemas.NewDate(2026, 2, 1) + i, Counted: 100, Valid: i > 0})
	}
	for i := range 10 {
		g.Exec("insert into ranking_days by name select user_id, local_date + cast(? as integer) as local_date, * exclude (user_id, local_date) from ranking_days where user_id like 'p0%' and local_date = date '2026-02-01'", i+1)
		g.Exec("insert into user_days by name select user_id, local_date + cast(? as integer) as local_date, * exclude (user_id, local_date) from user_days where user_id like 'p0%' and local_date = date '2026-02-01'", i+1)
	}
	g.AddDay(rankingtest.Day{User: "shaker", Date: schemas.NewDate(2026, 2, 3), Over: 120000, Reason: "day_steps", Valid: true})
	g.AddDay(rankingtest.Day{User: "still", Date: schemas.NewDate(2026, 2, 3), FastMin: 2, Valid: true})
	for _, user := range []string{"steady", "seldom", "shaker", "still"} {
		g.OptIn(user, long)
	}
	s := load(t, g, "steps-month", "2026-02", after)
	for user, want := range map[string]ranking.Absence{
		"steady": "", "seldom": ranking.AbsenceFewValidDays, "shaker": ranking.AbsenceQuarantine, "still": ranking.AbsenceNoSteps,
	} {
		var got ranking.Absence
		if m := view(t, s, ranking.Question{User: user}).Me; m.Absence != nil {
			got = *m.Absence
		}
		if got != want {
			t.Errorf("%s: absence is %q, want %q", user, got, want)
		}
	}
	want := []ranking.Exclusion{{Reason: ranking.ReasonDaySteps, Days: 1, Steps: 120000}}
	if diff := cmp.Diff(want, view(t, s, ranking.Question{User: "shaker"}).MineExcluded); diff != "" {
		t.Errorf("what is left out differs (-want +got):\n%s", diff)
	}
	want = []ranking.Exclusion{{Reason: ranking.ReasonFast, Minutes: 2, Steps: 500}}
	if diff := cmp.Diff(want, view(t, s, ranking.Question{User: "still"}).MineExcluded); diff != "" {
		t.Errorf("what is left out differs (-want +got):\n%s", diff)
	}
}

func TestStepsAboveTheMaximumOfADayAreNamedAsNotCounted(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.OptIn("far", long)
	g.AddDay(rankingtest.Day{User: "far", Date: monday, Counted: 40000, Over: 5000, FastMin: 1})
	g.AddDay(rankingtest.Day{User: "far", Date: monday + 1, Counted: 40000, Over: 1})
	v := week(t, g, after, ranking.Question{User: "far"})
	want := []ranking.Exclusion{
		{Reason: ranking.ReasonFast, Minutes: 1, Steps: 250}, {Reason: ranking.ReasonOverMaximum, Days: 2, Steps: 5001},
	}
	if diff := cmp.Diff(want, v.MineExcluded); diff != "" {
		t.Errorf("what is left out differs (-want +got):\n%s", diff)
	}
	if *v.Me.Value != 80000 || v.Me.Rank != nil || len(v.Top) != 0 || v.Cohort.PeopleCount != nil {
		t.Error("somebody alone is ranked, listed, or does not know the own value")
	}
	limit := ranking.Limit{Name: "ranking_day_counted_step_max", Value: 40000, Unit: "steps", Version: 1}
	if v.Rules.Limits[0] != limit {
		t.Errorf("the first limit is %+v, want %+v", v.Rules.Limits[0], limit)
	}
}

func TestNoUserIDIsSeenByAnybody(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("canary-person-", 60, monday, map[string]string{"country": "GR"})
	text, err := json.Marshal(week(t, g, after, ranking.Question{User: "canary-person-010", Cohort: "country"}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "canary") {
		t.Error("a user id is in the view")
	}
	other := rankingtest.Open(t)
	other.Crowd("canary-person-", 1, monday, nil)
	if idOf(t, g, "canary-person-000") == idOf(t, other, "canary-person-000") {
		t.Error("two installations give a person the same public id")
	}
}

func TestTheSameTablesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 60, monday, map[string]string{"country": "GR"})
	var first string
	for range 3 {
		text, err := json.Marshal(week(t, g, after, ranking.Question{User: "p007", Cohort: "country:GR"}))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if diff := cmp.Diff(first, string(text)); diff != "" {
			t.Fatalf("two views of the same tables differ:\n%s", diff)
		}
	}
}

func TestWrongBoardsAndPeriodsAreRefusedInWords(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	for _, c := range []struct {
		board, period string
		code          schemas.Code
		says          string
	}{
		{"steps-day", "2026-W10", schemas.CodeNotFound, "steps-week, steps-month"},
		{"steps-week", "2026-03", schemas.CodeInvalid, "by the week"},
		{"steps-month", "2026", schemas.CodeInvalid, "by the month"},
	} {
		p, err := schemas.ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ranking.Load(t.Context(), g.DB, g.Ledger, c.board, p, after)
		if schemas.ErrorCode(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s %s: error is %v, want %s and %q", c.board, c.period, err, c.code, c.says)
		}
	}
}
