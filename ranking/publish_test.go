package ranking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
)

var (
	during  = time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	settles = time.Date(2026, 3, 12, 11, 0, 0, 0, time.UTC) // 72 h after 2026-W10 is over at UTC-11
)

func publish(t *testing.T, g *rankingtest.Gold, now time.Time) ranking.Published {
	t.Helper()
	done, err := ranking.Publish(t.Context(), g.DB, g.Ledger, now)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// publishedWeek returns a board that was frozen when it was due.
func publishedWeek(t *testing.T, people int) *rankingtest.Gold {
	t.Helper()
	g := rankingtest.Open(t)
	g.Crowd("p", people, monday, map[string]string{"country": "GR"})
	g.AddDay(rankingtest.Day{User: "p003", Date: monday + 1, Counted: 1, FastMin: 3})
	publish(t, g, during)
	if done := publish(t, g, settles); done.Frozen != 1 {
		t.Fatalf("%d boards were frozen, want 1", done.Frozen)
	}
	return g
}

func TestABoardIsFrozenWhenItsGraceIsOverAndNotBefore(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 60, monday, nil)
	for _, c := range []struct {
		now    time.Time
		frozen int
		want   ranking.Status
	}{
		{during, 0, ranking.StatusOpen}, {settles.Add(-time.Second), 0, ranking.StatusSettling},
		{settles, 1, ranking.StatusFinal}, {settles.Add(time.Hour), 0, ranking.StatusFinal},
	} {
		if done := publish(t, g, c.now); done.Frozen != c.frozen {
			t.Errorf("at %s %d boards were frozen, want %d", c.now, done.Frozen, c.frozen)
		}
		if v := week(t, g, c.now, ranking.Question{}); v.Status != c.want {
			t.Errorf("at %s the board is %s, want %s", c.now, v.Status, c.want)
		}
	}
}

func TestAFrozenBoardSaysWhatTheOpenOneSaid(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 60, monday, map[string]string{"country": "GR"})
	g.AddDay(rankingtest.Day{User: "p003", Date: monday + 1, Counted: 1, FastMin: 3})
	publish(t, g, during)
	q := ranking.Question{User: "p003", Cohort: "country:GR"}
	want := week(t, g, settles, q)
	publish(t, g, settles)
	got := week(t, g, settles.Add(1000*time.Hour), q)
	if *got.Revision != 1 || len(*got.SHA256) != 64 {
		t.Errorf("revision %d with hash %q", *got.Revision, *got.SHA256)
	}
	want.Status, want.Revision, want.SHA256 = ranking.StatusFinal, got.Revision, got.SHA256
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the frozen board differs from the open one (-open +frozen):\n%s", diff)
	}
}

func TestLateDataChangesNoFrozenBoard(t *testing.T) {
	t.Parallel()
	g := publishedWeek(t, 60)
	before := week(t, g, settles, ranking.Question{User: "p003"})
	g.AddDay(rankingtest.Day{User: "p003", Date: monday + 2, Counted: 30000})
	publish(t, g, settles.Add(time.Hour))
	if diff := cmp.Diff(before, week(t, g, settles.Add(time.Hour), ranking.Question{User: "p003"})); diff != "" {
		t.Errorf("late data changed the frozen board:\n%s", diff)
	}
}

func TestHistoryThatIsBroughtInHasItsGraceFromThen(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 6, schemas.NewDate(2016, time.April, 20), nil)
	seen := after
	for _, c := range []struct {
		now    time.Time
		frozen int
	}{{seen, 0}, {seen.Add(72*time.Hour - time.Second), 0}, {seen.Add(72 * time.Hour), 2}} { // the week and the month
		if done := publish(t, g, c.now); done.Frozen != c.frozen {
			t.Errorf("%s after it was seen %d boards were frozen, want %d", c.now.Sub(seen), done.Frozen, c.frozen)
		}
	}
}

func TestWhoLeavesIsOnNoOpenBoardAtOnceAndOnNoFrozenOneAfterTheNextPublish(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*rankingtest.Gold){
		"opted out": func(g *rankingtest.Gold) { g.OptOut("p003", settles) },
		"erased": func(g *rankingtest.Gold) {
			for _, table := range []string{"silver.events", "ranking_days", "user_days"} {
				g.Exec("delete from " + table + " where user_id = 'p003'")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := publishedWeek(t, 8)
			g.AddDay(rankingtest.Day{User: "p003", Date: monday + 14, Counted: 5}) // a day of an open board
			before := week(t, g, settles, ranking.Question{User: "p003"})
			leave(g)
			now := settles.Add(10 * 24 * time.Hour)
			open := view(t, load(t, g, "steps-week", "2026-W12", now), ranking.Question{User: "p003"})
			if open.Me.Value != nil {
				t.Error("who left has a value on the open board")
			}
			if done := publish(t, g, now); done.Revised != 1 {
				t.Errorf("%d boards were revised, want 1", done.Revised)
			}
			v := week(t, g, now, ranking.Question{User: "p003"})
			if *v.Revision != 2 || *v.SHA256 == *before.SHA256 || *v.Cohort.PeopleCount != 7 || v.Me.Value != nil {
				t.Errorf("revision %d with %d people", *v.Revision, *v.Cohort.PeopleCount)
			}
			for _, r := range v.Top {
				if r.PublicID == before.Me.PublicID {
					t.Error("who left is still listed")
				}
			}
			if v.Top[3].Rank != 4 || v.Top[3].Value != before.Top[4].Value {
				t.Error("those behind did not move up")
			}
			var kept int
			if err := g.Ledger.QueryRowContext(t.Context(), "select count(*) from ranking_publications where revision = 1 and entries is not null").Scan(&kept); err != nil || kept != 0 {
				t.Errorf("%d replaced revisions keep their entries (%v)", kept, err)
			}
			g.OptIn("p003", now)
			publish(t, g, now.Add(time.Hour))
			if again := week(t, g, now.Add(time.Hour), ranking.Question{User: "p003"}); again.Me.Value != nil || *again.Revision != 2 {
				t.Error("who came back is on the closed board again")
			}
		})
	}
}

func TestAFrozenBoardThatSomebodyChangedIsNotShown(t *testing.T) {
	t.Parallel()
	g, other := publishedWeek(t, 8), publishedWeek(t, 9)
	var entries []byte
	if err := other.Ledger.QueryRowContext(t.Context(), "select entries from ranking_publications").Scan(&entries); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.ExecContext(t.Context(), "update ranking_publications set entries = ?", entries); err != nil {
		t.Fatal(err)
	}
	p, err := schemas.ParsePeriod("2026-W10")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ranking.Load(t.Context(), g.DB, g.Ledger, "steps-week", p, settles); err == nil {
		t.Error("entries that do not match their hash were shown")
	}
}
