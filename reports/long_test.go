package reports_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

// What a month and a year tell is worked out again here from the same rows, with loops and nothing of the package under
// test.
func TestMonthsAndYearsTellTheirRows(t *testing.T) {
	g := reportstest.Long()
	db := g.Open(t)
	for _, c := range []struct {
		user, period string
		partDays     int
	}{
		{reportstest.Steady, "2025-07", 3}, {reportstest.Steady, "2025-02", 3}, {reportstest.Steady, "2024-12", 3},
		{reportstest.Gaps, "2025-03", 3}, {reportstest.Gaps, "2025-07", 3},
		{reportstest.Steady, "2025", 7}, {reportstest.Gaps, "2025", 7}, {reportstest.Gaps, "2024", 7},
	} {
		t.Run(c.user+" "+c.period, func(t *testing.T) {
			p, err := schemas.ParsePeriod(c.period)
			if err != nil {
				t.Fatal(err)
			}
			s, err := reports.Compose(t.Context(), db, c.user, p, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			first, last := p.Dates()
			rows := rowsOf(g, c.user)

			steps := rows.mean(first, last, rows.steps, rows.validDay)
			checkFigure(t, "steps", steps, s.Movement.Steps)
			checkFigure(t, "sleep", rows.mean(first, last, rows.sleep, rows.validNight), s.Sleep.TotalSleepTime)
			for _, part := range s.Long.Parts {
				of := part.First.String()
				needs := min(c.partDays, int(part.Last-part.First)+1)
				checkPart(t, of+" steps", rows.mean(part.First, part.Last, rows.steps, rows.validDay), part.Steps, needs)
				checkPart(t, of+" sleep", rows.mean(part.First, part.Last, rows.sleep, rows.validNight), part.TotalSleepTime, needs)
				checkPart(t, of+" heart", rows.mean(part.First, part.Last, rows.heart, rows.validDay), part.HeartMean, needs)
			}
			if a, b := s.Long.Parts[0].First, s.Long.Parts[len(s.Long.Parts)-1].Last; a != first || b != last {
				t.Errorf("parts run from %s to %s", a, b)
			}
			checkGoalWeeks(t, rows, first, last, s.Long.GoalWeeks)
			checkWeekdays(t, rows, first, last, s.Long.Weekdays)
			checkHighlights(t, rows, first, last, s.Long.Highlights)

			previous, previousLast := p.Previous().Dates()
			before := rows.mean(previous, previousLast, rows.steps, rows.validDay)
			checkComparison(t, "previous", steps, before, tile(s, "step_count").Comparison)
			if p.Kind() == schemas.PeriodMonth {
				year, month, _ := first.Civil()
				from, to := schemas.MonthOf(schemas.NewDate(year-1, month, 1)).Dates()
				checkComparison(t, "year before", steps, rows.mean(from, to, rows.steps, rows.validDay), *tile(s, "step_count").YearBefore)
			} else if tile(s, "step_count").YearBefore != nil {
				t.Error("a year has a comparison with the same month")
			}
		})
	}
}

func TestAMonthUnderTheGateIsThinAndAMonthOfNothingIsEmpty(t *testing.T) {
	db := reportstest.Long().Open(t)
	for period, want := range map[string]reports.Status{
		"2025-03": reports.StatusFull, "2025-05": reports.StatusEmpty, "2025-07": reports.StatusFull, "2026-01": reports.StatusEmpty,
		"2023-12": reports.StatusEmpty,
	} {
		p, err := schemas.ParsePeriod(period)
		if err != nil {
			t.Fatal(err)
		}
		s, err := reports.Compose(t.Context(), db, reportstest.Gaps, p, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != want {
			t.Errorf("%s is %s, want %s", period, s.Status, want)
		}
		for _, part := range s.Long.Parts {
			if want == reports.StatusEmpty && (part.Steps.Value != nil || part.TotalSleepTime.Value != nil || part.HeartMean.Value != nil) {
				t.Errorf("%s: nothing was measured and a part has a figure", period)
			}
		}
	}
}

func TestARunningMonthCountsOnlyWhatIsOver(t *testing.T) {
	db := reportstest.Long().Open(t)
	p, err := schemas.ParsePeriod("2025-07")
	if err != nil {
		t.Fatal(err)
	}
	s, err := reports.Compose(t.Context(), db, reportstest.Steady, p, time.Date(2025, time.July, 10, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	days, nights := 0, 0
	for _, part := range s.Long.Parts {
		days, nights = days+part.OfDays, nights+part.OfNights
	}
	if days != 9 || nights != 10 || s.Movement.StepsTotal.N != 9 || len(s.Long.GoalWeeks.Weeks) != 1 {
		t.Errorf("%d days, %d nights, steps of %d days, %d weeks; want 9, 10, 9, 1", days, nights, s.Movement.StepsTotal.N,
			len(s.Long.GoalWeeks.Weeks))
	}
	if got := tile(s, "step_count").Comparison.Status; got != reports.ComparisonNotComparable {
		t.Errorf("a part of a month is compared: %s", got)
	}
}

// personRows are one person's gold rows by date.
type personRows struct {
	steps, sleep, heart, active map[schemas.Date]float64
	validDay, validNight        map[schemas.Date]bool
}

func rowsOf(g *reportstest.Gold, user string) personRows {
	r := personRows{map[schemas.Date]float64{}, map[schemas.Date]float64{}, map[schemas.Date]float64{}, map[schemas.Date]float64{},
		map[schemas.Date]bool{}, map[schemas.Date]bool{}}
	for _, d := range g.Days {
		if d.User == user {
			r.validDay[d.Date], r.validNight[d.Date] = d.IsValidDay, d.IsValidNight
		}
	}
	for _, a := range g.Steps {
		if a.User == user {
			r.steps[a.Date] = float64(a.Steps)
			if a.Moderate != nil {
				r.active[a.Date] = float64(*a.Moderate + 2**a.Vigorous)
			}
		}
	}
	for _, n := range g.Nights {
		if n.User == user {
			r.sleep[n.Date] = n.Asleep
		}
	}
	for _, h := range g.Hearts {
		if h.User == user {
			r.heart[h.Date] = h.Mean
		}
	}
	return r
}

type naiveMean struct {
	sum float64
	n   int
}

func (m naiveMean) value() float64 { return m.sum / float64(m.n) }

func (personRows) mean(first, last schemas.Date, of map[schemas.Date]float64, valid map[schemas.Date]bool) naiveMean {
	var m naiveMean
	for d := first; d <= last; d++ {
		if v, ok := of[d]; ok && valid[d] {
			m.sum += v
			m.n++
		}
	}
	return m
}

func checkFigure(t *testing.T, name string, want naiveMean, got reports.Figure) {
	t.Helper()
	checkPart(t, name, want, got, got.Needs)
}

func checkPart(t *testing.T, name string, want naiveMean, got reports.Figure, needs int) {
	t.Helper()
	if got.N != want.n || (got.Value != nil) != (want.n >= needs && want.n > 0) {
		t.Errorf("%s: n %d, given %t; want n %d of the %d it takes", name, got.N, got.Value != nil, want.n, needs)
		return
	}
	if got.Value != nil && math.Abs(float64(*got.Value)-want.value()) > 1e-6 {
		t.Errorf("%s: %v, want %v", name, *got.Value, want.value())
	}
}

func checkComparison(t *testing.T, name string, now, before naiveMean, got reports.Comparison) {
	t.Helper()
	if got.N != before.n || (got.Change != nil) != (before.n >= got.Needs && now.n >= got.Needs) {
		t.Errorf("%s: compared with %d, given %t; there are %d and %d", name, got.N, got.Change != nil, now.n, before.n)
		return
	}
	if got.Change != nil && math.Abs(float64(*got.Change)-(now.value()-before.value())) > 1e-6 {
		t.Errorf("%s: change %v, want %v", name, *got.Change, now.value()-before.value())
	}
}

func checkGoalWeeks(t *testing.T, rows personRows, first, last schemas.Date, got reports.GoalWeeks) {
	t.Helper()
	var want []reports.GoalWeek
	reached, judged := 0, 0
	for sunday := first; sunday <= last; sunday++ {
		if sunday.Weekday() != time.Sunday {
			continue
		}
		week := reports.GoalWeek{First: sunday - 6, State: reports.GoalUnknown}
		sum := 0
		for d := sunday - 6; d <= sunday; d++ {
			if v, ok := rows.active[d]; ok {
				sum += int(v)
				week.N++
			}
		}
		if week.N > 0 {
			week.Active = &sum
		}
		switch {
		case sum >= 150:
			week.State = reports.GoalReached
			reached, judged = reached+1, judged+1
		case week.N >= 5:
			week.State = reports.GoalShort
			judged++
		}
		want = append(want, week)
	}
	if diff := cmp.Diff(want, got.Weeks); diff != "" {
		t.Errorf("weeks (-want +got):\n%s", diff)
	}
	if got.Reached != reached || got.Judged != judged {
		t.Errorf("goal reached in %d of %d weeks, want %d of %d", got.Reached, got.Judged, reached, judged)
	}
}

func checkWeekdays(t *testing.T, rows personRows, first, last schemas.Date, got []reports.Weekday) {
	t.Helper()
	for i, d := range got {
		var m naiveMean
		of := 0
		for date := first; date <= last; date++ {
			if (int(date.Weekday())+6)%7 != i {
				continue
			}
			of++
			if v, ok := rows.steps[date]; ok && rows.validDay[date] {
				m.sum += v
				m.n++
			}
		}
		if d.ISO != i+1 || d.Steps.Of != of {
			t.Errorf("weekday %d is %d, of %d dates; want %d", i+1, d.ISO, d.Steps.Of, of)
		}
		checkFigure(t, "weekday", m, d.Steps)
	}
}

func checkHighlights(t *testing.T, rows personRows, first, last schemas.Date, got []reports.Highlight) {
	t.Helper()
	best := func(of map[schemas.Date]float64, valid map[schemas.Date]bool) (schemas.Date, float64) {
		var date schemas.Date
		most := 0.0
		for d := first; d <= last; d++ {
			if valid[d] && of[d] > most {
				date, most = d, of[d]
			}
		}
		return date, most
	}
	run, longest, end := 0, 0, schemas.Date(0)
	for d := first; d <= last; d++ {
		run++
		if !rows.validDay[d] {
			run = 0
		}
		if run > longest {
			longest, end = run, d
		}
	}
	want := map[reports.HighlightKind][3]float64{}
	add := func(kind reports.HighlightKind, from, to schemas.Date, value float64) {
		if value > 0 {
			want[kind] = [3]float64{float64(from), float64(to), value}
		}
	}
	d, v := best(rows.steps, rows.validDay)
	add(reports.HighlightMostSteps, d, d, v)
	d, v = best(rows.active, rows.validDay)
	add(reports.HighlightMostActive, d, d, v)
	d, v = best(rows.sleep, rows.validNight)
	add(reports.HighlightLongestSleep, d, d, v)
	add(reports.HighlightLongestRun, end-schemas.Date(longest)+1, end, float64(longest))
	found := map[reports.HighlightKind][3]float64{}
	for _, h := range got {
		found[h.Kind] = [3]float64{float64(h.First), float64(h.Last), float64(h.Value)}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("highlights (-want +got):\n%s", diff)
	}
}

func tile(s *reports.Snapshot, name string) reports.Tile {
	for _, t := range s.Headline.Tiles {
		if t.Name == name {
			return t
		}
	}
	return reports.Tile{}
}
