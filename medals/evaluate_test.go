package medals_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/medals"
)

// full is a day that earns something of everything that is earned by the day.
func full() gold { return gold{steps: 12_000, active: 31, asleep: 440, worn: 1_300} }

func TestAnyOrderOfArrivalGivesTheSameMedals(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	// Three people over 16 months with a leap day, an ISO week 53 and two turns of the year's count.
	first := date("2027-11-20")
	var facts []fact
	for _, user := range []string{"a", "b", "c"} {
		for d := range 480 {
			if rng.IntN(12) == 0 {
				continue
			}
			g := gold{steps: 3_000 + rng.Int64N(14_000), active: rng.IntN(70), asleep: 380 + float64(rng.IntN(200))/2, worn: 1_000 + rng.IntN(400)}
			switch rng.IntN(20) {
			case 0:
				g.invalid = true
			case 1:
				g.asleep = 0
			case 2:
				g.shift = 240
			}
			facts = append(facts, fact{user, first.AddDays(d), g})
		}
	}
	wanted := newWorld(t)
	wanted.put(facts...)
	wanted.evaluate()
	if n := wanted.actions()["award"]; n < 500 {
		t.Fatalf("only %d awards: the people do too little for the test to say something", n)
	}
	for round := range 2 {
		w := newWorld(t)
		arriving := slices.Clone(facts)
		rng.Shuffle(len(arriving), func(i, j int) { arriving[i], arriving[j] = arriving[j], arriving[i] })
		for chunk := range slices.Chunk(arriving, len(arriving)/6+1) {
			// Half of what comes is at first half of what it will be, as parts of a day are.
			for i, f := range chunk {
				if i%2 == 0 {
					f.gold.steps, f.gold.active = f.gold.steps/2, f.gold.active/2
					w.put(f)
				}
			}
			w.evaluate()
			w.put(chunk...)
		}
		w.evaluate()
		for _, user := range []string{"a", "b", "c"} {
			if diff := cmp.Diff(wanted.standing(user), w.standing(user)); diff != "" {
				t.Fatalf("round %d: medals differ (-at once +as it came):\n%s", round, diff)
			}
		}
	}
}

func TestEvaluatingAgainAppendsNothing(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), times(40, full())...)...)
	if r := w.evaluate(); r.Awarded == 0 || r.People != 1 {
		t.Fatalf("result %+v: nothing was awarded", r)
	}
	before := w.actions()
	r := w.evaluate()
	if r.Awarded+r.Amended+r.Revoked+r.Restored != 0 || len(r.News) != 0 {
		t.Errorf("the second evaluation did %+v", r)
	}
	if diff := cmp.Diff(before, w.actions()); diff != "" {
		t.Errorf("the ledger grew (-before +after):\n%s", diff)
	}
}

func TestABatchFortyDaysLateRepairsAStreakAndDatesItInThePast(t *testing.T) {
	w := newWorld(t)
	facts := walk("u", date("2026-03-01"), times(60, gold{steps: 8_000, asleep: 300})...)
	// Without 9 to 11 March two streaks remain, of 8 and of 49 days.
	w.put(slices.Concat(facts[:8], facts[11:])...)
	w.evaluate()
	if diff := cmp.Diff([]string{"14 2026-03-25", "3 2026-03-03", "30 2026-04-10", "7 2026-03-07"}, w.earned("u", "step_streak")); diff != "" {
		t.Fatalf("before the late days (-want +got):\n%s", diff)
	}
	w.put(facts[8:11]...)
	r := w.evaluate()
	if diff := cmp.Diff([]string{"14 2026-03-14", "3 2026-03-03", "30 2026-03-30", "60 2026-04-29", "7 2026-03-07"}, w.earned("u", "step_streak")); diff != "" {
		t.Errorf("after the late days (-want +got):\n%s", diff)
	}
	if r.Revoked != 0 || r.Amended == 0 {
		t.Errorf("result %+v: a repair takes nothing away and corrects dates", r)
	}
	for _, a := range w.wall("u").Awards {
		if a.Medal == "step_streak" && a.Level == 60 && !a.AwardedAt.Equal(w.now) {
			t.Errorf("awarded at %v, want %v", a.AwardedAt, w.now)
		}
		if a.Medal == "step_streak" && a.Level == 30 && !a.AwardedAt.Before(w.now) {
			t.Errorf("an award that was amended is dated by its amendment")
		}
	}
}

func TestErasedDaysTakeTheirMedalsAndBringThemBackWithTheSameIDs(t *testing.T) {
	w := newWorld(t)
	facts := walk("u", date("2026-03-01"), append(times(6, gold{steps: 7_100}), gold{steps: 21_000, asleep: 430})...)
	w.put(facts...)
	w.evaluate()
	before := w.standing("u")

	w.erase("u", date("2026-03-07"))
	w.evaluate()
	want := map[string]int{"award": len(before), "revoke evidence_erased": 6}
	// Four levels of the day itself, the seventh day of the streak, the full night; the other days keep theirs.
	if diff := cmp.Diff(want, w.actions()); diff != "" {
		t.Errorf("after the erasure (-want +got):\n%s", diff)
	}
	w.put(facts[6])
	r := w.evaluate()
	if diff := cmp.Diff(before, w.standing("u")); diff != "" || r.Restored != 6 || r.Awarded != 0 {
		t.Errorf("result %+v; medals differ from before (-before +after):\n%s", r, diff)
	}
}

func TestCorrectedFiguresAreSaidToBeTheReason(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), gold{steps: 10_400})...)
	w.evaluate()
	w.put(walk("u", date("2026-03-01"), gold{steps: 9_900})...)
	w.evaluate()
	if diff := cmp.Diff([]string{"5000 2026-03-01 2026-03-01"}, w.earned("u", "daily_stride")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The lower level stands, on other evidence.
	if diff := cmp.Diff(map[string]int{"award": 2, "amend": 1, "revoke evidence_corrected": 1}, w.actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADayThatBecomesInvalidIsNoData(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), gold{steps: 10_400, invalid: true}, gold{steps: 100})...)
	w.evaluate()
	if got := w.earned("u", "daily_stride"); len(got) != 0 {
		t.Errorf("an invalid day earned %v", got)
	}
}

func TestAGoalLoweredLaterChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.goal("u", date("2026-03-01"), 10_000)
	w.put(walk("u", date("2026-03-01"), append(times(9, gold{steps: 9_000}), times(5, gold{steps: 11_000})...)...)...)
	w.evaluate()
	want := []string{"3 2026-03-12"}
	if diff := cmp.Diff(want, w.earned("u", "step_streak")); diff != "" {
		t.Fatalf("before (-want +got):\n%s", diff)
	}
	before := w.standing("u")
	w.goal("u", date("2026-03-14"), 4_000)
	if r := w.evaluate(); r.Awarded+r.Amended+r.Revoked != 0 {
		t.Errorf("lowering the goal did %+v", r)
	}
	if diff := cmp.Diff(before, w.standing("u")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestALostDateAndADoubledDateKeepAStreak(t *testing.T) {
	good, short := gold{steps: 8_000, offset: -480}, gold{steps: 500, offset: 780}
	arrived := gold{steps: 8_000, offset: 780}
	for name, golds := range map[string][]gold{
		// 4 March never was: the plane crossed the date line.
		"lost date": {good, good, good, {}, arrived, arrived, arrived, arrived},
		// 4 March was begun, flown back from, and lived again; it did not reach the goal.
		"doubled date":     {good, good, good, {steps: 500, offset: -480, shift: 1260}, good, good, good, good},
		"short after east": {good, good, good, short, arrived, arrived, arrived, arrived},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put(walk("u", date("2026-03-01"), golds...)...)
			if name == "lost date" {
				w.erase("u", date("2026-03-04"))
			}
			w.evaluate()
			if diff := cmp.Diff([]string{"3 2026-03-03", "7 2026-03-08"}, w.earned("u", "step_streak")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			found := false
			for _, a := range w.wall("u").Awards {
				if a.Medal == "step_streak" && a.Level == 7 {
					found = slices.Equal(a.Evidence.Shields, []medals.Shield{{Date: date("2026-03-04"), Reason: medals.ShieldTravel}})
				}
			}
			if !found {
				t.Error("the shield is not shown")
			}
		})
	}
}

func TestDaysOf23And25HoursAreDaysLikeOthers(t *testing.T) {
	w := newWorld(t)
	golds := times(7, gold{steps: 8_000, offset: 60})
	golds[3].shift, golds[4].offset, golds[5].offset, golds[6].offset = 60, 120, 120, 120
	golds[3].steps = 6_000 // under the goal on the day of the clock change, which shields nothing
	w.put(walk("u", date("2026-03-26"), golds...)...)
	w.evaluate()
	if diff := cmp.Diff([]string{"3 2026-03-28"}, w.earned("u", "step_streak")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWeek53AndTheTurnOfTheYearAreOneWeek(t *testing.T) {
	w := newWorld(t)
	// 2026-W53 runs from 28 December 2026 to 3 January 2027. 25 minutes a day reach 150 on its sixth day.
	w.put(walk("u", date("2026-12-28"), times(7, gold{steps: 6_000, active: 26})...)...)
	w.evaluate()
	if diff := cmp.Diff([]string{"1 2027-01-02"}, w.earned("u", "who_week")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	why := ""
	for _, a := range w.wall("u").Awards {
		if a.Medal == "who_week" {
			why = a.Why
		}
	}
	if want := "1 week, week 53 of 2026: 150 active minutes by 2 January 2027."; why != want {
		t.Errorf("why is %q, want %q", why, want)
	}
}

func TestTwentyNineFebruaryCounts(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2028-02-01"), times(29, gold{asleep: 450})...)...)
	w.evaluate()
	if diff := cmp.Diff([]string{"14 2028-02 2028-02-14", "28 2028-02 2028-02-28"}, w.earned("u", "night_watch")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := w.earned("u", "sleep_run"); !slices.Contains(got, "14 2028-02-14") {
		t.Errorf("the run of nights is %v", got)
	}
}

func TestAYearNeedsFifteenValidDaysInEachMonth(t *testing.T) {
	w := newWorld(t)
	var facts []fact
	for d := date("2026-01-01"); d <= date("2027-12-31"); d++ {
		year, month, day := d.Civil()
		isLacking := year == 2027 && month == time.July && day == 15
		if day <= 15 && !isLacking {
			facts = append(facts, fact{"u", d, gold{steps: 4_000}})
		}
	}
	w.put(facts...)
	w.evaluate()
	if diff := cmp.Diff([]string{"12 2026 2026-12-15"}, w.earned("u", "year_round")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneDayWithoutDataInFourteenKeepsAStreak(t *testing.T) {
	ok, miss := gold{steps: 8_000}, gold{steps: 100}
	for name, c := range map[string]struct {
		golds []gold
		want  []string
	}{
		"one":                 {slices.Concat(times(3, ok), times(1, gold{}), times(4, ok)), []string{"3 2026-03-03", "7 2026-03-08"}},
		"two on end":          {slices.Concat(times(3, ok), times(2, gold{}), times(4, ok)), []string{"3 2026-03-03"}},
		"13 days apart":       {slices.Concat(times(3, ok), times(1, gold{}), times(12, ok), times(1, gold{}), times(1, ok)), []string{"14 2026-03-15", "3 2026-03-03", "7 2026-03-08"}},
		"a miss":              {slices.Concat(times(3, ok), times(1, miss), times(4, ok)), []string{"3 2026-03-03"}},
		"a miss within a gap": {slices.Concat(times(6, ok), times(1, gold{}), times(1, miss), times(1, ok)), []string{"3 2026-03-03"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, f := range walk("u", date("2026-03-01"), c.golds...) {
				if f.gold.steps > 0 {
					w.put(f)
				}
			}
			w.evaluate()
			if diff := cmp.Diff(c.want, w.earned("u", "step_streak")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIllnessShieldsSevenDaysInNinety(t *testing.T) {
	for ill, wantsSeven := range map[int]bool{7: true, 8: false} {
		t.Run(fmt.Sprint(ill), func(t *testing.T) {
			w := newWorld(t)
			w.put(walk("u", date("2026-03-01"), slices.Concat(times(3, gold{steps: 8_000}), times(ill, gold{steps: 100}), times(4, gold{steps: 8_000}))...)...)
			for d := range ill {
				w.exec(fmt.Sprintf("insert into stg_illness_days values ('u', date '%s')", date("2026-03-04").AddDays(d)))
			}
			w.evaluate()
			if got := len(w.earned("u", "step_streak")) == 2; got != wantsSeven {
				t.Errorf("%d days of illness: streak medals %v", ill, w.earned("u", "step_streak"))
			}
		})
	}
}

func TestAnOpenLadderGoesOn(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2024-01-01"), times(735, gold{steps: 100_000})...)...)
	w.evaluate()
	if got := w.earned("u", "step_streak"); !slices.Contains(got, "730 2025-12-30") {
		t.Errorf("streaks %v lack the second year", got)
	}
	got := w.earned("u", "step_million")
	if !slices.Contains(got, "50000000 2025-05-14") {
		t.Errorf("sums %v lack twice 25 million", got)
	}
	for _, a := range w.wall("u").Awards {
		if a.Level >= 365 && a.Medal == "step_streak" && a.Tier != "diamond" {
			t.Errorf("level %d is %s", a.Level, a.Tier)
		}
		if n := len(a.Evidence.Items); n > 366 || n+a.Evidence.OmittedItems != a.Evidence.Count {
			t.Errorf("level %d: %d items, %d left out, of %d", a.Level, n, a.Evidence.OmittedItems, a.Evidence.Count)
		}
	}
}

func TestASecondVersionOfARuleTakesNothingAwayAndGivesNothingTwice(t *testing.T) {
	w := newWorld(t)
	facts := walk("u", date("2026-03-01"), gold{steps: 5_500}, gold{steps: 12_000}, gold{steps: 5_600})
	w.put(facts...)
	w.evaluate()
	before := w.standing("u")

	// The second version begins at 6,000 and has a level of 11,000.
	w.opts.Catalogue = withRule(t, `{"id": "daily_stride", "version": 2, "family": "activity", "kind": "rep",
		"rule": "sum", "unit": "day", "metric": "step_count", "levels": [6000, 10000, 11000]}`)
	r := w.evaluate()
	after := w.standing("u")
	if r.Revoked+r.Amended != 0 || r.Awarded != 2 {
		t.Errorf("loading version 2 did %+v, want the two new levels of one day", r)
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("lost: %s", line)
		}
	}
	// From now on the second version alone awards: 5,700 steps were a level of the first.
	w.put(fact{"u", date("2026-03-04"), gold{steps: 5_700}})
	if r := w.evaluate(); r.Awarded != 0 {
		t.Errorf("a day that only the first version rewards did %+v", r)
	}
	// What the first version gave goes with its evidence, and comes back as it was.
	w.erase("u", date("2026-03-03"))
	if r := w.evaluate(); r.Revoked != 1 || r.Awarded != 0 {
		t.Errorf("after the erasure: %+v", r)
	}
	w.put(facts[2])
	w.evaluate()
	if diff := cmp.Diff(after, w.standing("u")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestANewFormulaTakesNothingAway(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), times(7, gold{steps: 10_100, asleep: 421})...)...)
	w.evaluate()
	before := w.standing("u")
	w.put(walk("u", date("2026-03-01"), times(7, gold{steps: 9_800, asleep: 419, method: "2"})...)...)
	if r := w.evaluate(); r.Awarded+r.Amended+r.Revoked != 0 {
		t.Errorf("a new formula did %+v", r)
	}
	// But whoever erases a day erases it, by whatever formula.
	w.erase("u", date("2026-03-04"))
	if r := w.evaluate(); r.Revoked == 0 {
		t.Errorf("an erased day did %+v", r)
	}
	w.put(fact{"u", date("2026-03-04"), gold{steps: 10_100, asleep: 421}})
	w.put(walk("u", date("2026-03-01"), times(7, gold{steps: 10_100, asleep: 421})...)...)
	w.evaluate()
	if diff := cmp.Diff(before, w.standing("u")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestWhoseDaysAreAllGoneHasNoMedals(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), times(3, full())...)...)
	w.put(walk("v", date("2026-03-01"), times(3, full())...)...)
	w.evaluate()
	w.erase("u", date("2026-03-01"), date("2026-03-02"), date("2026-03-03"))
	w.evaluate()
	if got := w.standing("u"); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
	if got := w.standing("v"); len(got) == 0 {
		t.Error("somebody else's medals went too")
	}
}

func TestNobodyIsBroughtBackByAnEvaluationUnderWay(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), times(3, full())...)...)
	w.put(walk("v", date("2026-03-01"), times(3, full())...)...)
	w.build()
	// The person is erased after the evaluation has read the tables and before it writes.
	result, err := medals.Evaluate(t.Context(), w.db, erasesBeforeAppend{w.ledger, "u"}, w.clock(), medals.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if result.People != 1 || len(w.standing("u")) != 0 || len(w.standing("v")) == 0 {
		t.Errorf("result %+v, erased person has %v", result, w.standing("u"))
	}
	if r := w.evaluate(); r.Awarded != 0 {
		t.Errorf("the next evaluation did %+v", r)
	}
	if err := w.ledger.Readmit(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	w.evaluate()
	if len(w.standing("u")) == 0 {
		t.Error("a readmitted person earns nothing")
	}
}

type erasesBeforeAppend struct {
	medals.Ledger
	user string
}

func (l erasesBeforeAppend) Append(ctx context.Context, entries []medals.Entry) ([]string, error) {
	if err := l.Erase(ctx, l.user); err != nil {
		return nil, err
	}
	return l.Ledger.Append(ctx, entries)
}

func TestTwoEvaluationsAtOnceAwardOnce(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), times(10, full())...)...)
	w.build()
	// The second evaluation runs to its end between the first one's reading and writing.
	other := &runsBeforeAppend{Ledger: w.ledger, run: func() {
		if _, err := medals.Evaluate(t.Context(), w.db, w.ledger, w.clock(), medals.Options{}); err != nil {
			t.Error(err)
		}
	}}
	result, err := medals.Evaluate(t.Context(), w.db, other, w.clock(), medals.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if result.Awarded != 0 {
		t.Errorf("the first evaluation says it did %+v, after the second had done all", result)
	}
	if n := w.actions()["award"]; n != len(w.standing("u")) {
		t.Errorf("%d awards for %d medals", n, len(w.standing("u")))
	}
}

type runsBeforeAppend struct {
	medals.Ledger
	run func()
}

func (l *runsBeforeAppend) Append(ctx context.Context, entries []medals.Entry) ([]string, error) {
	if run := l.run; run != nil {
		l.run = nil
		run()
	}
	return l.Ledger.Append(ctx, entries)
}

func TestABackfillIsToldInOneSentence(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, time.June, 9, 12, 0, 0, 0, time.UTC)
	w.put(walk("u", date("2026-03-01"), times(100, full())...)...) // to 8 June
	r := w.evaluate()
	if len(r.News) != 1 || r.News[0].UserID != "u" {
		t.Fatalf("news %+v", r.News)
	}
	fresh := []string{}
	for _, s := range r.News[0].Fresh {
		fresh = append(fresh, fmt.Sprint(s.Medal, " ", s.Level, " ", s.EarnedOn))
	}
	// Evaluated on 10 June: 8 June is news; of its two levels the higher is told.
	want := []string{"always_on 100 2026-06-08", "daily_stride 10000 2026-06-08", "full_night 100 2026-06-08", "step_streak 100 2026-06-08"}
	if diff := cmp.Diff(want, fresh); diff != "" {
		t.Errorf("fresh (-want +got):\n%s", diff)
	}
	if got := r.News[0].Backfilled; got != r.Awarded-5 {
		t.Errorf("%d of %d are backfill", got, r.Awarded)
	}
}

func TestOnlyThosePeopleAreEvaluatedWhoAreAskedFor(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), full())...)
	w.put(walk("v", date("2026-03-01"), full())...)
	w.opts.Users = []string{"v", "v", "nobody"}
	if r := w.evaluate(); r.People != 2 {
		t.Errorf("result %+v", r)
	}
	if len(w.standing("u")) != 0 || len(w.standing("v")) == 0 {
		t.Errorf("u has %v, v has %v", w.standing("u"), w.standing("v"))
	}
}

func TestTheLedgerIsAppendOnly(t *testing.T) {
	w := newWorld(t)
	w.put(walk("u", date("2026-03-01"), full())...)
	w.evaluate()
	for _, query := range []string{
		"update medal_entries set earned_on = '2020-01-01'",
		"delete from medal_entries",
		"insert into medal_entries select award_id, seq + 5, user_id, medal, level, period, rule_version, 'award', '', earned_on, evidence, recorded_at from medal_entries",
	} {
		if _, err := w.ledgers.ExecContext(t.Context(), query); err == nil {
			t.Errorf("the ledger let this happen: %s", query)
		}
	}
	standings, err := w.ledger.Standings(t.Context(), []string{"u"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Append(t.Context(), []medals.Entry{standings["u"][0].Entry}); !errors.Is(err, medals.ErrConflict) {
		t.Errorf("an entry written twice gives %v", err)
	}
	if err := w.ledger.Erase(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	if people, err := w.ledger.People(t.Context()); err != nil || len(people) != 0 {
		t.Errorf("after the erasure: %v, %v", people, err)
	}
}

// withRule returns Diurna's catalogue with one more rule.
func withRule(t *testing.T, rule string) *medals.Catalogue {
	t.Helper()
	data := readFile(t, "catalogue.json")
	end := strings.LastIndex(data, "]")
	c, err := medals.ParseCatalogue([]byte(data[:end] + "," + rule + data[end:]))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
