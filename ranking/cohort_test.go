package ranking_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
)

// shown returns the cohort that is shown when one is asked for, and how many people are in it.
func shown(t *testing.T, s *ranking.Standings, user, cohort string) (string, int) {
	t.Helper()
	v := view(t, s, ranking.Question{User: user, Cohort: cohort})
	if v.Cohort.PeopleCount == nil {
		return v.Cohort.Shown, 0
	}
	return v.Cohort.Shown, *v.Cohort.PeopleCount
}

func TestACohortThatIsTooSmallWidensStepByStep(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("greek", 5, monday, map[string]string{"country": "GR", "sex": "female"})
	g.Crowd("swede", 4, monday, map[string]string{"country": "se", "sex": "male"})
	g.Crowd("chilean", 4, monday, map[string]string{"country": "CL"})
	g.Crowd("unsaid", 6, monday, map[string]string{"country": "Atlantis"})
	born := func(prefix string, n, year int) {
		for i := range n {
			g.Tell(prefix+"00"+string(rune('0'+i)), "profile", "birth_year", long, &year, "")
		}
	}
	born("greek", 5, 1996)   // 30
	born("swede", 4, 1988)   // 38: within five years of 25-34
	born("chilean", 4, 1980) // 46
	s := load(t, g, "steps-week", "2026-W10", after)
	for _, c := range []struct {
		user, asked, shown string
		n                  int
	}{
		{"", "", "all", 19},
		{"", "all", "all", 19},
		{"", "country:GR", "region:150", 9},            // five are enough, but Europe has only four more: who they are would show
		{"", "country:gr,sex:female", "sex:female", 5}, // set beside Europe it would tell who the four are
		{"", "country:SE", "region:150", 9},
		{"", "country:CL", "all", 19}, // nor are the Americas enough
		{"", "region:150", "region:150", 9},
		{"", "age:25-34", "age:20-39", 9}, // the wider band holds four more
		{"", "age:35-44", "age:30-49", 13},
		{"", "age:45-54", "all", 19}, // ten years wider it still holds four
		{"", "age:65-plus", "all", 19},
		{"", "sex:female", "sex:female", 5},
		{"", "sex:male", "all", 19},
		{"", "newcomer", "newcomer", 19}, // everybody is
		{"greek001", "country", "region:150", 9},
		{"greek001", "region", "region:150", 9},
		{"swede001", "sex", "all", 19},
		{"chilean001", "age", "all", 19},
	} {
		name, n := shown(t, s, c.user, c.asked)
		if name != c.shown || n != c.n {
			t.Errorf("%q asked by %q: %s with %d people is shown, want %s with %d", c.asked, c.user, name, n, c.shown, c.n)
		}
	}
	for _, c := range []struct{ user, cohort string }{
		{"", "country"}, {"unsaid001", "country"}, {"unsaid001", "age"}, {"", "country:Atlantis"}, {"", "country:EU"}, {"", "country:ZZ"},
		{"", "region:039"}, {"", "age:20-39"}, {"", "sex:"}, {"", "newcomer:1"}, {"", "friends"}, {"", "sex:male,sex:female"},
		{"", "country:GR,region:150"}, {"", ","}, {"chilean001", "sex"}, {"nobody", "country"},
	} {
		if _, err := s.View(ranking.Question{User: c.user, Cohort: c.cohort}); schemas.ErrorCode(err) != schemas.CodeInvalid {
			t.Errorf("%q asked by %q: error is %v, want an invalid one", c.cohort, c.user, err)
		}
	}
}

func TestACohortIsToldInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, shown, words, text string }{
		{"all", "all", "everybody who takes part", "60 people take part."},
		{"country:GR", "country:GR", "people in Greece", "60 people in Greece take part."},
		// A country of before has a code, and no name in the table of names.
		{"country:AN", "country:AN", "people in AN", "60 people in AN take part."},
		{"region:150,age:25-34,sex:female", "region:150", "people in Europe, aged 25 to 34, whose profile says female",
			"60 people in Europe take part. You asked for people in Europe, aged 25 to 34, whose profile says female: too few to be shown alone."},
		{"age:65-plus,newcomer", "age:65-plus,newcomer", "people aged 65 and over, new here", "60 people aged 65 and over, new here take part."},
	} {
		if got := ranking.CohortWords(c.asked); got != c.words {
			t.Errorf("%s is called %q, want %q", c.asked, got, c.words)
		}
		n := 60
		var text strings.Builder
		v := &ranking.View{Metric: "steps", Unit: "steps", Cohort: ranking.CohortShown{Asked: c.asked, Shown: c.shown, PeopleCount: &n}}
		if err := ranking.WriteText(&text, v); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "\n"+c.text+"\n") {
			t.Errorf("of %s the text says %q, want %q in it", c.asked, text.String(), c.text)
		}
	}
}

func TestAPercentileIsAmongTheFirstCohortThatIsLargeEnough(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("greek", 10, monday, map[string]string{"country": "GR"})
	g.Crowd("swede", 45, monday, map[string]string{"country": "SE"})
	g.Crowd("chilean", 10, monday, map[string]string{"country": "CL"})
	v := week(t, g, after, ranking.Question{User: "greek000", Cohort: "country"})
	// The best Greek has 10,000 steps, fewer than 36 Swedes and as many as none: 10 Chileans and Greeks are level or below.
	type figures struct {
		Shown, Among string
		Rank, Of     int
		Percentile   float64
	}
	got := figures{v.Cohort.Shown, *v.Me.PercentileCohort, *v.Me.Rank, *v.Me.Of, *v.Me.Percentile}
	// 45 Swedes with 45,000 to 44,956 steps are above; nine Greeks are below: (9 + 0.5) / 55.
	if diff := cmp.Diff(figures{"country:GR", "region:150", 1, 10, 17.27}, got); diff != "" {
		t.Errorf("figures differ (-want +got):\n%s", diff)
	}
}

func TestWhatAProfileSaysCountsFromTheNextMonthAndTheFirstStatementAtOnce(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("greek", 12, monday, map[string]string{"country": "GR"})
	g.Crowd("swede", 12, monday, map[string]string{"country": "SE"})
	g.Tell("greek000", "profile", "country", time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), nil, "SE")  // this month: not yet
	g.Tell("greek001", "profile", "country", time.Date(2026, 2, 28, 9, 0, 0, 0, time.UTC), nil, "SE") // last month: counts
	for i := range 3 {
		g.OptIn("new00"+string(rune('0'+i)), long)
		g.AddDay(rankingtest.Day{User: "new00" + string(rune('0'+i)), Date: monday, Counted: 7})
		g.Tell("new00"+string(rune('0'+i)), "profile", "country", time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC), nil, "SE") // the first ever
	}
	s := load(t, g, "steps-week", "2026-W10", after)
	for cohort, want := range map[string]int{"country:GR": 11, "country:SE": 16} {
		if name, n := shown(t, s, "", cohort); name != cohort || n != want {
			t.Errorf("%s: %s with %d people is shown, want %d", cohort, name, n, want)
		}
	}
}

func TestANewcomerHasFewerThanNinetyDaysBehindTheStartOfThePeriod(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("old", 6, monday, nil)
	g.Crowd("new", 6, monday, nil)
	for i := range 6 {
		n := string(rune('0' + i))
		g.AddDay(rankingtest.Day{User: "old00" + n, Date: monday - 90, Counted: 1})
		g.AddDay(rankingtest.Day{User: "new00" + n, Date: monday - 89, Counted: 1})
	}
	v := week(t, g, after, ranking.Question{User: "new003", Cohort: "newcomer"})
	if v.Cohort.Shown != "newcomer" || *v.Cohort.PeopleCount != 6 || *v.Me.Rank != 4 {
		t.Errorf("%s with %d people is shown", v.Cohort.Shown, *v.Cohort.PeopleCount)
	}
}

func TestWhoMayBeYoungerThanSixteenIsOnNoBoard(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	g.Crowd("p", 8, monday, nil)
	for i, year := range []int{2010, 2009, 1990, 2030} { // at most 16 in 2026, at least 16, grown up, nonsense
		user := "p00" + string(rune('0'+i))
		g.Tell(user, "profile", "birth_year", long, &year, "")
	}
	s := load(t, g, "steps-week", "2026-W10", after)
	for user, ranked := range map[string]bool{"p000": false, "p001": true, "p002": true, "p003": false, "p004": true} {
		m := view(t, s, ranking.Question{User: user}).Me
		if (m.Rank != nil) != ranked || !ranked && *m.Absence != ranking.AbsenceAge {
			t.Errorf("%s: ranked is %t, want %t", user, m.Rank != nil, ranked)
		}
	}
}
