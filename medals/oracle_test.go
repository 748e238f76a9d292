package medals_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/medals"
)

// The catalogue's sums and counts once more, as one query that says them in another way: by window functions and joins
// with literal levels, straight from the gold tables and without medal_days.
const oracle = `
with valid as (
    select a.user_id as u, a.local_date as d, a.step_count as steps, a.moderate_equivalent_min as active
    from activity_days as a join user_days as s using (user_id, local_date)
    where s.is_valid_day
),
lifetime as (
    select u, d, sum(steps) over (partition by u order by d) as upto, sum(steps) over (partition by u order by d) - steps as before from valid
),
weeks as (
    select u, strftime(d, '%G-W%V') as w, d, active, sum(active) over (partition by u, strftime(d, '%G-W%V') order by d) as upto from valid
),
who as (select u, w, min(d) as d from weeks where upto >= 150 group by u, w),
dose as (select u, w, min(d) as d from weeks where upto >= 300 group by u, w),
nights as (
    select n.user_id as u, n.night_date as d, n.total_sleep_time_min as asleep
    from sleep_nights as n join user_days as s on s.user_id = n.user_id and s.local_date = n.night_date
    where s.is_valid_night
),
months as (select u, d, strftime(d, '%Y-%m') as m, row_number() over (partition by u, strftime(d, '%Y-%m') order by d) as n from nights),
years as (
    select u, y, max(d) as d from (
        select user_id as u, strftime(local_date, '%Y') as y, strftime(local_date, '%m') as m, list_sort(list(local_date))[15] as d
        from user_days where is_valid_day group by all having count(*) >= 15
    ) group by u, y having count(*) = 12
),
all_feats as (
    select u, 'daily_stride' as medal, l.level, cast(d as varchar) as period, d from valid join (values (5000), (10000), (15000), (20000), (25000), (30000), (40000), (50000)) as l(level) on steps >= l.level
    union all select u, 'step_million', l.level, '', d from lifetime join (values (100000), (500000), (1000000), (5000000), (10000000), (25000000)) as l(level) on before < l.level and upto >= l.level
    union all select u, 'who_week', n, '', d from (select u, d, row_number() over (partition by u order by d) as n from who) where n in (1, 4, 12, 26, 52, 104)
    union all select u, 'double_dose', n, '', d from (select u, d, row_number() over (partition by u order by d) as n from dose) where n in (1, 4, 12, 26)
    union all select u, 'full_night', n, '', d from (select u, d, row_number() over (partition by u order by d) as n from nights where asleep >= 420) where n in (1, 7, 30, 100, 365)
    union all select u, 'night_watch', n, m, d from months where n in (14, 28)
    union all select u, 'always_on', n, '', d from (select user_id as u, local_date as d, row_number() over (partition by user_id order by local_date) as n from wear_days where worn_min >= 1200) where n in (7, 30, 100)
    union all select u, 'year_round', 12, y, d from years
)
select format('{} {} {} {} {}', u, medal, level, period, d) from all_feats`

func TestSumsAndCountsEqualWhatSQLSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	w := newWorld(t)
	users := []string{"a", "b", "c", "d"}
	for i, user := range users {
		for d := range 800 {
			if rng.IntN(15) < i {
				continue
			}
			w.put(fact{user, date("2025-12-05").AddDays(d), gold{
				steps: 1 + rng.Int64N(int64(9_000+11_000*i)), active: rng.IntN(60 + 25*i), asleep: float64(rng.IntN(2) * (400 + rng.IntN(80))),
				worn: 1_100 + rng.IntN(200), invalid: rng.IntN(9) == 0,
			}})
		}
	}
	w.evaluate()
	got := []string{}
	for _, user := range users {
		for _, a := range w.wall(user).Awards {
			if a.Kind != medals.Streak {
				got = append(got, fmt.Sprintf("%s %s %d %s %s", user, a.Medal, a.Level, a.Period, a.EarnedOn))
			}
		}
	}
	want := w.oracle()
	slices.Sort(got)
	for _, medal := range []string{"year_round", "double_dose 26", "always_on 100", "night_watch 14", "step_million 10000000"} {
		if !slices.ContainsFunc(want, func(line string) bool { return strings.HasPrefix(line[2:], medal) }) {
			t.Errorf("nobody earns %s: the test does not reach it", medal)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("medals differ (-SQL +catalogue):\n%s", diff)
	}
}

// oracle returns what the query says, sorted.
func (w *world) oracle() []string {
	w.t.Helper()
	rows, err := w.conn.QueryContext(w.t.Context(), oracle)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	lines := []string{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func TestStreaksEqualWhatPlayingEachRunForwardSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 17))
	w := newWorld(t)
	people := map[string][]gold{}
	for n := range 60 {
		golds := make([]gold, 90)
		for i := range golds {
			switch k := rng.IntN(8 + n/3); {
			case k == 0:
				golds[i] = gold{steps: 500} // a miss
			case k <= 2:
				golds[i] = gold{steps: 9_000, invalid: true} // no data
			case k == 3:
				golds[i] = gold{steps: 500, shift: 300} // a miss on the way
			default:
				golds[i] = gold{steps: 8_000}
			}
		}
		user := fmt.Sprint("u", n)
		people[user] = golds
		w.put(walk(user, date("2026-03-01"), golds...)...)
	}
	w.evaluate()
	reached := map[int]int{}
	for user, golds := range people {
		want := []string{}
		for _, level := range []int{3, 7, 14, 30, 60} {
			if end := firstRun(golds, level); end >= 0 {
				want = append(want, fmt.Sprintf("%d %s", level, date("2026-03-01").AddDays(end)))
				reached[level]++
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, w.earned(user, "step_streak")); diff != "" {
			t.Errorf("%s: (-played forward +catalogue):\n%s", user, diff)
		}
	}
	if reached[30] == 0 || reached[7] == len(people) {
		t.Errorf("levels reached %v: the runs are too alike for the test to say something", reached)
	}
}

// firstRun returns the first day on which a run of so many successes ends, -1 when there is none. Runs begin with a
// success whose day before is no part of the run before.
func firstRun(golds []gold, level int) int {
	best := -1
	used := map[int]bool{} // days on which a shield for no data was used, by whichever run
	for start := 0; start < len(golds); {
		length, end := 0, start
		for end < len(golds) {
			g := golds[end]
			isSuccess, isMissing := g.steps >= 7_000 && !g.invalid, g.invalid
			recent := false
			for d := end - 13; d < end; d++ {
				recent = recent || used[d]
			}
			if !isSuccess && (length == 0 || g.shift < 180 && (!isMissing || recent)) {
				break
			}
			if isSuccess {
				length++
			} else if g.shift < 180 {
				used[end] = true
			}
			if isSuccess && length == level && best < 0 {
				best = end
			}
			end++
		}
		start = end + 1
	}
	return best
}
