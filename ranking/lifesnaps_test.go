package ranking_test

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/transformtest"
)

// An hour is a row of the recordings.
type hour struct {
	user  string
	date  schemas.Date
	hour  int
	steps int64
}

func lifesnapsFile(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DIURNA_TESTDATA")
	if dir == "" {
		t.Skip("DIURNA_TESTDATA is not set: weekly and monthly ranks are not compared with real recordings")
	}
	return filepath.Join(dir, "lifesnaps-fitbit", "steps_hourly.csv.gz")
}

func readHours(t *testing.T, path string) []hour {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(zip).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var hours []hour
	for _, r := range records[1:] {
		date, errDate := schemas.ParseDate(r[1])
		h, errHour := strconv.Atoi(r[2])
		steps, errSteps := strconv.ParseFloat(r[3], 64)
		if err := cmp.Or(errDate, errHour, errSteps); err != nil {
			t.Fatal(err)
		}
		hours = append(hours, hour{r[0], date, h, int64(steps)})
	}
	return hours
}

// A contest is who takes part: every seventh person left after joining, and every fourth has a twin with the same steps.
type contest struct {
	members map[string]bool
	hours   []hour
}

func lifesnapsContest(hours []hour) contest {
	c := contest{members: map[string]bool{}, hours: hours}
	var users []string
	for _, h := range hours {
		if !slices.Contains(users, h.user) {
			users = append(users, h.user)
		}
	}
	slices.Sort(users)
	for i, u := range users {
		c.members[u] = i%7 != 6
		if i%4 != 0 {
			continue
		}
		twin := "twin-" + u
		c.members[twin] = true
		for _, h := range hours {
			if h.user == u {
				h.user = twin
				c.hours = append(c.hours, h)
			}
		}
	}
	return c
}

// A standing is what the independent count says of one person.
type standing struct {
	User      string
	Value     int64
	Days      int
	Rank, Of  int
	ValidDays int

	reached int64 // hours since 1970 on the wall clock
}

// count ranks a contest without the package under test: day by day, hour by hour.
func (c contest) count(p schemas.Period, validDays int) []standing {
	type day struct {
		user string
		date schemas.Date
	}
	byDay := map[day][]hour{}
	for _, h := range c.hours {
		if c.members[h.user] && p.Contains(h.date) {
			k := day{h.user, h.date}
			byDay[k] = append(byDay[k], h)
		}
	}
	people := map[string]*standing{}
	for k, hours := range byDay {
		slices.SortFunc(hours, func(a, b hour) int { return a.hour - b.hour })
		s := people[k.user]
		if s == nil {
			s = &standing{User: k.user}
			people[k.user] = s
		}
		var all, counted, reached int64
		walked := 0
		for _, h := range hours {
			all += h.steps
			if h.steps >= 40*60 {
				walked += 60
			}
			if h.steps == 0 || h.steps > 200*60 || counted >= 40_000 { // an hour above 200 a minute is more than 20 min of it
				continue
			}
			counted = min(40_000, counted+h.steps)
			reached = int64(k.date)*24 + int64(h.hour) + 1
		}
		if all == 0 {
			continue
		}
		s.Days++
		if len(hours) >= 10 {
			s.ValidDays++
		}
		if all > 100_000 || walked > 18*60 {
			continue
		}
		s.Value += counted
		s.reached = max(s.reached, reached)
	}
	var ranked []standing
	for _, s := range people {
		if s.Value > 0 && s.ValidDays >= validDays {
			ranked = append(ranked, *s)
		}
	}
	for i := range ranked {
		ranked[i].Rank, ranked[i].Of = 1, len(ranked)
		for _, o := range ranked {
			if o.Value > ranked[i].Value {
				ranked[i].Rank++
			}
		}
	}
	return ranked
}

// buildLifesnaps takes the recordings the way of every recording: hours of silver, then the models.
func buildLifesnaps(t *testing.T, path string, c contest) *rankingtest.Gold {
	t.Helper()
	g := rankingtest.Open(t)
	g.Exec(`create table recorded as select id as user_id, cast(date as date) as local_date, cast(hour as integer) as local_hour,
		cast(cast(steps as double) as integer) as steps from read_csv('` + path + `', all_varchar = true)`)
	g.Exec(`insert into recorded select 'twin-' || user_id, local_date, local_hour, steps from recorded
		where user_id in (select user_id from (select user_id, row_number() over (order by user_id) - 1 as i
		from (select distinct user_id from recorded)) where i % 4 = 0)`)
	g.Exec(`insert into silver.series_hours by name select user_id, 'steps' as metric, 'sense' as device_id,
		cast(local_date as timestamp) + to_hours(local_hour) - to_hours(2) as hour_at, 120 as utc_offset_min, local_date,
		3600000 as period_ms, 'native' as source, [0] as offsets_ms, [steps] as "values" from recorded`)
	g.Exec("insert into dirty_days select distinct user_id, local_date from recorded")
	g.Exec(`insert into user_days by name select user_id, local_date, true as has_steps, count(*) >= 10 as is_valid_day
		from recorded group by user_id, local_date`)
	project := transformtest.Load(t, ranking.Models)
	conn, err := g.DB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, model := range []string{"stg_day_samples", "ranking_days"} {
		if err := project.Fill(t.Context(), g.DB, conn, project.Model(model), model); err != nil {
			t.Fatal(err)
		}
	}
	for user, stays := range c.members {
		g.OptIn(user, long)
		if !stays {
			g.OptOut(user, long.Add(time.Hour))
		}
	}
	return g
}

func TestRanksOfLifeSnapsEqualAnIndependentCount(t *testing.T) {
	t.Parallel()
	path := lifesnapsFile(t)
	c := lifesnapsContest(readHours(t, path))
	g := buildLifesnaps(t, path, c)
	names := map[string]string{} // by public id
	var periods []schemas.Period
	for _, h := range c.hours {
		for _, p := range []schemas.Period{schemas.ISOWeekOf(h.date), schemas.MonthOf(h.date)} {
			if !slices.Contains(periods, p) {
				periods = append(periods, p)
			}
		}
	}
	compared, tied, absent := map[schemas.PeriodKind]int{}, 0, 0
	for _, p := range periods {
		board, validDays, named := "steps-week", 0, 5
		if p.Kind() == schemas.PeriodMonth {
			board, validDays, named = "steps-month", 10, 20
		}
		s, err := ranking.Load(t.Context(), g.DB, g.Ledger, board, p, after)
		if err != nil {
			t.Fatal(err)
		}
		want := c.count(p, validDays)
		ids := map[string]string{}
		for user := range c.members {
			ids[user] = view(t, s, ranking.Question{User: user}).Me.PublicID
			names[ids[user]] = user
		}
		if len(want) < named {
			if v := view(t, s, ranking.Question{}); len(v.Top) != 0 {
				t.Errorf("%s: %d people are named on a board of %d", p, len(v.Top), len(want))
			}
			continue
		}
		slices.SortFunc(want, func(a, b standing) int {
			return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.reached, b.reached), cmp.Compare(ids[a.User], ids[b.User]))
		})
		v := view(t, s, ranking.Question{Top: 100})
		var got []standing
		for _, r := range v.Top {
			got = append(got, standing{User: names[r.PublicID], Value: r.Value, Days: r.DayCount, Rank: r.Rank, Of: *v.Cohort.PeopleCount})
		}
		for i := range want {
			want[i].ValidDays, want[i].reached = 0, 0
			if i > 0 && want[i].Rank == want[i-1].Rank {
				tied++
			}
		}
		if d := diff.Diff(want, got, diff.AllowUnexported(standing{})); d != "" {
			t.Errorf("%s: ranks differ (-counted +ranked):\n%s", p, d)
		}
		for user, stays := range c.members {
			if m := view(t, s, ranking.Question{User: user}).Me; !stays {
				absent++
				if m.Value != nil || m.Rank != nil || *m.Absence != ranking.AbsenceNotTakingPart {
					t.Errorf("%s: somebody who left is ranked", p)
				}
			}
		}
		compared[p.Kind()] += len(want)
	}
	t.Logf("compared %d weekly and %d monthly ranks, %d of them tied; %d times somebody who left was not there",
		compared[schemas.PeriodWeek], compared[schemas.PeriodMonth], tied, absent)
	if compared[schemas.PeriodWeek] < 500 || compared[schemas.PeriodMonth] < 50 || tied < 50 || absent == 0 {
		t.Error("too little was compared for the test to mean something")
	}
}
