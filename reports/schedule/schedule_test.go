package schedule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/schemas"
)

func berlin(user string) Person { return Person{UserID: user, Zone: "Europe/Berlin", Language: "en"} }

// settledLife wears a watch day and night from autumn 2025 on and wakes at seven.
func settledLife(p Person) life {
	return life{person: p, wakes: 7, first: schemas.NewDate(2025, time.November, 1), last: schemas.NewDate(2026, time.April, 30)}
}

var errKilled = errors.New("killed")

func TestAProcessThatDiesBetweenAnyTwoStepsMakesEveryReportOnce(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	gold := tables(t, settledLife(p))
	monday := utc(2026, time.March, 2, 8) // nine in Berlin; Sunday was 1 March, Saturday the end of a month
	steps := map[string]bool{}
	for k := 0; ; k++ {
		w := newWorld(t, gold, monday.Add(-48*time.Hour), p)
		w.tick(t) // knows the person before the month and the week end
		w.clock = monday
		n, killed := 0, ""
		w.reached = func(step string) error {
			n++
			if n > k {
				killed = step
				return errKilled
			}
			return nil
		}
		_, err := w.Tick(t.Context())
		if killed == "" {
			if err != nil {
				t.Fatal(err)
			}
			break // no step is left to die at
		}
		steps[killed] = true
		if !errors.Is(err, errKilled) {
			t.Fatalf("after step %s: error %v, want the tick to end", killed, err)
		}
		w.restart(t)
		w.clock = w.clock.Add(15 * time.Minute) // the claim of the dead is over
		w.tick(t)
		w.clock = w.clock.Add(time.Hour)
		w.tick(t)
		checkOnce(t, w, fmt.Sprintf("killed after %s (step %d)", killed, k), "2026-W09", "2026-02")
	}
	for _, step := range []string{"plan", "claim", "compose", "store", "write", "mark"} {
		if !steps[step] {
			t.Errorf("no process died after %s", step)
		}
	}
}

// checkOnce holds the ledger and the channel against one announced revision of each of these periods.
func checkOnce(t *testing.T, w *world, when string, periods ...string) {
	t.Helper()
	for _, p := range periods {
		var snapshots, delivered, others int
		err := w.ledger.QueryRowContext(t.Context(), `select
			(select count(*) from report_snapshots where period = ?1),
			(select count(*) from report_outbox where period = ?1 and state = 'delivered' and is_announced = 1),
			(select count(*) from report_outbox where period = ?1 and state <> 'delivered')`, p).Scan(&snapshots, &delivered, &others)
		if err != nil {
			t.Fatal(err)
		}
		if snapshots != 1 || delivered != 1 || others != 0 {
			t.Errorf("%s: %s has %d revisions, %d delivered, %d not; want 1, 1, 0", when, p, snapshots, delivered, others)
		}
		// The channel may see the same delivery twice when the process died before the mark: with one key, and the same bytes.
		var first *deliver.Delivery
		for _, h := range w.out.got {
			if h.Period.String() != p {
				continue
			}
			if first == nil {
				first = &h.Delivery
				continue
			}
			if h.IdempotencyKey != first.IdempotencyKey || string(h.HTML) != string(first.HTML) || string(h.JSON) != string(first.JSON) {
				t.Errorf("%s: %s was handed over again and is not the same", when, p)
			}
		}
		if first == nil {
			t.Errorf("%s: %s was never handed over", when, p)
		}
	}
}

func TestTwoProcessesMakeEveryReportOnce(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.February, 28, 8), p)
	w.tick(t)
	other := *w
	other.restart(t)
	w.clock = utc(2026, time.March, 2, 8)
	other.clock = w.clock
	// The other one works while this one is between its claim and its composing.
	w.reached = func(step string) error {
		if step == "claim" {
			if _, err := other.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return nil
	}
	w.tick(t)
	checkOnce(t, w, "two processes", "2026-W09", "2026-02")
}

func TestNothingIsMadeBeforeThePeriodEndedWhereverThePersonWas(t *testing.T) {
	t.Parallel()
	// On Sunday morning in New York, on Monday morning in Berlin: Sunday ends in New York at 06:00 of Berlin.
	p := berlin("u")
	l := settledLife(p)
	l.zoneOf = func(d schemas.Date) string {
		if d <= schemas.NewDate(2026, time.March, 1) {
			return "America/New_York"
		}
		return p.Zone
	}
	l.wakes = 3 // so that waking alone would make it too early
	w := newWorld(t, tables(t, l), utc(2026, time.March, 1, 8), p)
	w.run(t, utc(2026, time.March, 3, 0), 15*time.Minute)
	over := time.Date(2026, time.March, 2, 5, 0, 0, 0, time.UTC)
	for _, h := range w.out.got {
		if h.Period.String() == "2026-W09" && !h.at.Equal(over.Add(time.Hour)) { // seven in Berlin: people are awake then
			t.Errorf("the week came at %s; it ended at %s", h.at, over)
		}
	}
	due := w.due(p, period(t, "2026-W09"), evidence{isSynced: true, wokeAt: new(utc(2026, time.March, 2, 2)), offsetMin: new(-300)})
	if !due.Equal(over) {
		t.Errorf("due at %s, want %s", due, over)
	}
	checkOnce(t, w, "after a flight", "2026-W09")
}

func TestANightThatIsSyncedLateMakesTheReportThenAndTheDeadlineWithoutIt(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, nil, utc(2026, time.March, 1, 12), p)
	for _, c := range []struct {
		name   string
		period string
		e      evidence
		want   time.Time
	}{
		{"two hours after waking", "2026-W09", evidence{isSynced: true, wokeAt: new(utc(2026, time.March, 2, 6))}, utc(2026, time.March, 2, 8)},
		{"a night without times", "2026-W09", evidence{isSynced: true}, utc(2026, time.March, 2, 9)},
		{"no night: Monday at six", "2026-W09", evidence{}, utc(2026, time.March, 2, 17)},
		{"waking after the deadline", "2026-W09", evidence{isSynced: true, wokeAt: new(utc(2026, time.March, 2, 19))}, utc(2026, time.March, 2, 17)},
		{"no night: the third", "2026-02", evidence{}, utc(2026, time.March, 3, 17)},
		{"no night: 7 January", "2025", evidence{}, utc(2026, time.January, 7, 17)},
		{"a year not before the second", "2025", evidence{isSynced: true, wokeAt: new(utc(2026, time.January, 1, 6))}, utc(2026, time.January, 2, 8)},
		{"summer time began on the last day", "2026-W13", evidence{}, utc(2026, time.March, 30, 16)},
	} {
		if got := w.due(p, period(t, c.period), c.e); !got.Equal(c.want) {
			t.Errorf("%s: due at %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWallTimesAreTheLaterOnesAtClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone string
		date       schemas.Date
		hour       int
		want       time.Time
	}{
		{"in a gap", "Europe/Berlin", schemas.NewDate(2026, time.March, 29), 2, utc(2026, time.March, 29, 1)},
		{"in an overlap", "Europe/Berlin", schemas.NewDate(2026, time.October, 25), 2, utc(2026, time.October, 25, 1)},
		{"before it", "Europe/Berlin", schemas.NewDate(2026, time.October, 25), 1, utc(2026, time.October, 24, 23)},
		{"midnight that never was", "America/Sao_Paulo", schemas.NewDate(2018, time.November, 4), 0, utc(2018, time.November, 4, 3)},
		{"midnight that was twice", "America/Sao_Paulo", schemas.NewDate(2018, time.February, 18), 0, utc(2018, time.February, 18, 3)},
		{"eleven that was twice", "America/Sao_Paulo", schemas.NewDate(2018, time.February, 17), 23, utc(2018, time.February, 18, 2)},
		{"a date that never was", "Pacific/Apia", schemas.NewDate(2011, time.December, 30), 0, utc(2011, time.December, 30, 10)},
		{"the day after it", "Pacific/Apia", schemas.NewDate(2011, time.December, 31), 0, utc(2011, time.December, 30, 10)},
		{"half an hour", "Australia/Lord_Howe", schemas.NewDate(2026, time.October, 4), 2, time.Date(2026, time.October, 3, 15, 30, 0, 0, time.UTC)},
	} {
		if got := wallTime(Person{Zone: c.zone}.location(), c.date, c.hour); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got.UTC(), c.want)
		}
	}
}

func TestAnUnknownZoneFallsBackToTheRecordedOffset(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"", "Local", "Nowhere/Such", "../etc/passwd"} {
		loc := Person{Zone: zone, OffsetMin: 345}.location()
		if got := offsetAt(loc, utc(2026, time.March, 1, 0)); got != 345*time.Minute {
			t.Errorf("zone %q: offset %s", zone, got)
		}
	}
}

func TestSomebodyNewIsToldOfNoPeriodWhoseDeadlineHasPassed(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.March, 12, 8), p) // a Thursday
	w.run(t, utc(2026, time.March, 15, 0), time.Hour)
	if len(w.out.got) != 0 {
		t.Errorf("%d reports came of a time before the person did", len(w.out.got))
	}
	if err := w.Expect(t.Context(), "u", period(t, "2025-W50")); err != nil {
		t.Fatal(err)
	}
	w.run(t, utc(2026, time.March, 17, 0), time.Hour)
	var got []string
	for _, h := range w.out.got {
		got = append(got, h.Period.String())
	}
	if diff := cmp.Diff([]string{"2025-W50", "2026-W11"}, got); diff != "" {
		t.Errorf("reports, the one asked for and the first due (-want +got):\n%s", diff)
	}
}

func TestAfterALongTimeDownOnlyWhatIsStillNewsIsMade(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.January, 20, 8), p)
	w.tick(t)
	w.clock = utc(2026, time.March, 31, 8)
	w.tick(t)
	w.tick(t)
	want := map[string]string{
		"2026-W04": "withheld too_late", "2026-W09": "withheld too_late", "2026-W10": "withheld too_late",
		"2026-W11": "made ", "2026-W13": "made ",
		"2026-01": "made ", "2026-02": "made ", "2026-03": "",
	}
	for period, want := range want {
		state, why := w.state(t, "u", period)
		if got := strings.TrimSpace(state + " " + why); got != strings.TrimSpace(want) {
			t.Errorf("%s is %q, want %q", period, got, want)
		}
	}
	if len(w.out.got) != 5 {
		t.Errorf("%d reports came, want 3 weeks and 2 months", len(w.out.got))
	}
}

func TestTooLittleIsToldTwiceAndThenWithheldWithItsReason(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	l := settledLife(p)
	l.last = schemas.NewDate(2026, time.February, 1) // a Sunday; nothing after it
	w := newWorld(t, tables(t, l), utc(2026, time.January, 20, 8), p)
	w.run(t, utc(2026, time.March, 10, 0), 3*time.Hour)
	for _, c := range []struct{ period, want string }{
		{"2026-W05", "made "}, {"2026-W06", "made "}, {"2026-W07", "made "}, {"2026-W08", "withheld too_few"},
		{"2026-W09", "withheld too_few"}, {"2026-01", "made "}, {"2026-02", "made "},
	} {
		if state, why := w.state(t, "u", c.period); state+" "+why != c.want {
			t.Errorf("%s is %q, want %q", c.period, state+" "+why, c.want)
		}
	}
}

func TestTheFirstWeekTakesTwoWeeksOfRecords(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	l := settledLife(p)
	l.first = schemas.NewDate(2026, time.February, 18)
	w := newWorld(t, tables(t, l), utc(2026, time.February, 19, 8), p)
	w.run(t, utc(2026, time.March, 10, 0), 3*time.Hour)
	for _, c := range []struct{ period, want string }{
		{"2026-W08", "withheld too_new"}, {"2026-W09", "withheld too_new"}, {"2026-W10", "made "},
	} {
		if state, why := w.state(t, "u", c.period); state+" "+why != c.want {
			t.Errorf("%s is %q, want %q", c.period, state+" "+why, c.want)
		}
	}
}

func TestSomebodyOfWhomNothingIsKnownGetsNothing(t *testing.T) {
	t.Parallel()
	p := berlin("stranger")
	w := newWorld(t, tables(t), utc(2026, time.March, 1, 8), p)
	w.run(t, utc(2026, time.March, 4, 0), 3*time.Hour)
	if state, why := w.state(t, "stranger", "2026-W09"); state != "withheld" || why != "no_records" {
		t.Errorf("the week is %s %s", state, why)
	}
}

func TestSomebodyWhoLeftGetsNothingNotEvenWhatIsQueued(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.February, 28, 8), p)
	w.tick(t)
	w.clock = utc(2026, time.March, 2, 8)
	w.out.broken = true
	if totals := w.tick(t); totals.Made != 2 || totals.Failed != 2 {
		t.Errorf("a broken channel: %+v, want 2 made and 2 failed", totals)
	}
	w.people, w.out.broken = nil, false
	w.clock = w.clock.Add(7 * time.Hour)
	if totals := w.tick(t); totals.Withdrawn != 2 || len(w.out.got) != 0 {
		t.Errorf("after leaving: %+v and %d handed over", totals, len(w.out.got))
	}
}

func TestABrokenChannelIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.February, 28, 8), p)
	w.tick(t)
	w.out.broken = true
	w.run(t, utc(2026, time.March, 2, 12), 30*time.Minute)
	w.out.broken = false
	w.run(t, utc(2026, time.March, 3, 0), 30*time.Minute)
	checkOnce(t, w, "after a broken channel", "2026-W09", "2026-02")
}

func TestALateBatchMakesARevisionAndTellsOnlyWhenTheHeadlineMoves(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	gold := tables(t, settledLife(p))
	w := newWorld(t, gold, utc(2026, time.March, 1, 8), p)
	w.run(t, utc(2026, time.March, 2, 10), time.Hour)
	changed := func(steps int) {
		t.Helper()
		if _, err := gold.ExecContext(t.Context(),
			"update activity_days set step_count = $1 where local_date = date '2026-02-25'", steps); err != nil {
			t.Fatal(err)
		}
		day := schemas.NewDate(2026, time.February, 25)
		if err := w.Changed(t.Context(), []Change{{UserID: "u", First: day, Last: day}}); err != nil {
			t.Fatal(err)
		}
	}
	revisions := func() (numbers []int, notices []string) {
		for _, h := range w.out.got {
			if h.Period.Kind() == schemas.PeriodWeek && h.Period.String() == "2026-W09" {
				numbers, notices = append(numbers, h.Number), append(notices, h.Notice)
			}
		}
		return numbers, notices
	}

	changed(8000) // the same again
	w.run(t, utc(2026, time.March, 3, 12), time.Hour)
	changed(9400) // 2.5 % more in the week's mean
	w.run(t, utc(2026, time.March, 4, 12), time.Hour)
	changed(30000) // 40 % more
	w.run(t, utc(2026, time.March, 5, 12), time.Hour)

	numbers, notices := revisions()
	if diff := cmp.Diff([]int{1, 2, 3}, numbers); diff != "" {
		t.Errorf("revisions handed over (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Your weekly report is ready.", "", "Your weekly report has been updated."}, notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	first, last := w.out.got[0], w.out.got[len(w.out.got)-1]
	for _, h := range w.out.got {
		if strings.ContainsAny(h.Notice, "0123456789") {
			t.Errorf("notice %q holds a figure", h.Notice)
		}
	}
	if string(first.JSON) == string(last.JSON) {
		t.Error("the correction says what the first report said")
	}
	if _, err := w.ledger.ExecContext(t.Context(), "update report_snapshots set snapshot = ''"); err == nil {
		t.Error("a frozen snapshot was changed")
	}
}

func TestCorrectionsComeAtMostOnceADayAndWhilePeopleAreAwake(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	gold := tables(t, settledLife(p))
	w := newWorld(t, gold, utc(2026, time.March, 1, 8), p)
	day := schemas.NewDate(2026, time.February, 25)
	for w.clock.Before(utc(2026, time.March, 6, 0)) {
		w.tick(t)
		if _, err := gold.ExecContext(t.Context(), "update activity_days set step_count = step_count + 1 where local_date = date '2026-02-25'"); err != nil {
			t.Fatal(err)
		}
		if err := w.Changed(t.Context(), []Change{{UserID: "u", First: day, Last: day}}); err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(time.Hour)
	}
	last := map[string]time.Time{}
	n := 0
	for _, h := range w.out.got {
		key := h.Period.String()
		if at, ok := last[key]; ok && h.at.Sub(at) < 24*time.Hour {
			t.Errorf("revision %d of %s came %s after the one before", h.Number, key, h.at.Sub(at))
		}
		if hour := h.at.In(p.location()).Hour(); hour < 7 || hour >= 21 {
			t.Errorf("revision %d of %s came at %d o'clock", h.Number, key, hour)
		}
		last[key] = h.at
		n++
	}
	if n < 6 {
		t.Errorf("%d revisions came in four days, want a week and a month corrected daily", n)
	}
}

func TestGoldThatCannotBeReadPutsReportsOff(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	gold := tables(t, settledLife(p))
	w := newWorld(t, gold, utc(2026, time.February, 28, 8), p)
	w.tick(t)
	if _, err := gold.ExecContext(t.Context(), "alter table heart_rate_days rename to elsewhere"); err != nil {
		t.Fatal(err)
	}
	w.run(t, utc(2026, time.March, 2, 11), 10*time.Minute)
	if len(w.out.got) != 0 {
		t.Error("a report was made from half the tables")
	}
	if _, err := gold.ExecContext(t.Context(), "alter table elsewhere rename to heart_rate_days"); err != nil {
		t.Fatal(err)
	}
	w.run(t, utc(2026, time.March, 2, 20), 10*time.Minute)
	checkOnce(t, w, "after gold came back", "2026-W09", "2026-02")
	if w.closed == 0 {
		t.Error("the gold tables were never closed")
	}
}

func TestRunTicksAtOnceRefusesZonesAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := berlin("u")
	w := newWorld(t, tables(t, settledLife(p)), utc(2026, time.March, 2, 8), p)
	for _, ticks := range []string{"TZ=0", "CRON_TZ=Europe/Berlin 0 6 * * *", "61 * * * *", ""} {
		if got := schemas.ErrorCode(w.Run(t.Context(), ticks)); got != schemas.CodeInvalid {
			t.Errorf("ticks %q: code %q, want invalid", ticks, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ticked := make(chan struct{}, 100)
	w.reached = func(step string) error {
		if step == "mark" {
			ticked <- struct{}{}
		}
		return nil
	}
	go func() { done <- w.Run(ctx, DefaultTicks) }()
	<-ticked
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	checkOnce(t, w, "by Run", "2026-W09", "2026-02")
}

func TestATickReadsOnlyThePeriodsThatAreToBeLookedAt(t *testing.T) {
	w := newWorld(t, tables(t), utc(2026, time.March, 2, 12))
	rows, err := w.ledger.QueryContext(t.Context(), "explain query plan "+tasksQuery, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(detail, "SCAN report_periods") {
			t.Errorf("the ledger reads every period: %s", detail)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
