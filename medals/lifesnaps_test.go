package medals_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/schemas"
)

func TestMedalsOfRealPeopleEqualWhatSQLAndAReplaySay(t *testing.T) {
	dir := os.Getenv("DIURNA_TESTDATA")
	if dir == "" {
		t.Skip("DIURNA_TESTDATA is not set: the recordings of real people are not part of the repository")
	}
	w := newWorld(t)
	people := readLifeSnaps(t, w, filepath.Join(dir, "lifesnaps-fitbit", "daily_fitbit_sema_df_unprocessed.csv.gz"))
	if len(people) != 46 {
		t.Fatalf("%d people were read, the recordings are of 46", len(people))
	}
	w.evaluate()

	got, gotStreaks, wantStreaks := []string{}, []string{}, []string{}
	for user, golds := range people {
		for _, a := range w.wall(user).Awards {
			if a.Kind != medals.Streak {
				got = append(got, fmt.Sprintf("%s %s %d %s %s", user, a.Medal, a.Level, a.Period, a.EarnedOn))
			}
		}
		for _, line := range w.earned(user, "step_streak") {
			gotStreaks = append(gotStreaks, user+" "+line)
		}
		for _, level := range []int{3, 7, 14, 30, 60, 100} {
			if end := firstRun(golds.days, level); end >= 0 {
				wantStreaks = append(wantStreaks, fmt.Sprintf("%s %d %s", user, level, golds.first.AddDays(end)))
			}
		}
	}
	for _, lines := range [][]string{got, gotStreaks, wantStreaks} {
		slices.Sort(lines)
	}
	if len(got) < 1_000 || len(wantStreaks) < 50 {
		t.Fatalf("%d sums and counts, %d streaks: the recordings were not understood", len(got), len(wantStreaks))
	}
	// Differences are counted and not shown: the figures are people's own.
	if diff := cmp.Diff(w.oracle(), got); diff != "" {
		t.Error("sums and counts differ from what SQL says")
	}
	if diff := cmp.Diff(wantStreaks, gotStreaks); diff != "" {
		t.Error("streaks differ from what playing each run forward says")
	}
}

// A person is somebody's dates from the first on, holes included.
type person struct {
	first schemas.Date
	days  []gold
}

func readLifeSnaps(t *testing.T, w *world, path string) map[string]*person {
	t.Helper()
	rows, err := w.conn.QueryContext(t.Context(), `
		select id, cast(date as date) as d, max(try_cast(steps as double)), max(try_cast(minutesAsleep as double)),
			max(try_cast(moderately_active_minutes as double) + 2 * try_cast(very_active_minutes as double))
		from read_csv('`+path+`', header = true, all_varchar = true)
		group by all order by id, d`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	people := map[string]*person{}
	for rows.Next() {
		var user string
		var at time.Time
		var steps, asleep, active sql.NullFloat64
		if err := rows.Scan(&user, &at, &steps, &asleep, &active); err != nil {
			t.Fatal(err)
		}
		g := gold{steps: int64(steps.Float64), asleep: asleep.Float64, worn: 1}
		if active.Valid {
			g.active = int(active.Float64) + 1
		}
		d := schemas.NewDate(at.Date())
		w.put(fact{user, d, g})
		p := people[user]
		if p == nil {
			p = &person{first: d}
			people[user] = p
		}
		for len(p.days) < int(d-p.first) {
			p.days = append(p.days, gold{invalid: true})
		}
		g.invalid = g.steps == 0
		p.days = append(p.days, g)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return people
}
