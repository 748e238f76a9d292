package schedule

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

// A world is a ledger, gold tables, people and a clock that stands where a test puts it.
type world struct {
	*Scheduler
	gold   *sql.DB
	people people
	out    *recorder
	clock  time.Time
	path   string
	closed int // how often the gold tables were closed
}

type people []Person

func (p people) All(context.Context) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		for _, person := range p {
			if !yield(person, nil) {
				return
			}
		}
	}
}

func (p people) Find(_ context.Context, ids []string) (map[string]Person, error) {
	found := map[string]Person{}
	for _, person := range p {
		if slices.Contains(ids, person.UserID) {
			found[person.UserID] = person
		}
	}
	return found, nil
}

// A recorder is a channel that remembers what it was handed and when.
type recorder struct {
	now    func() time.Time
	got    []handed
	broken bool
}

type handed struct {
	deliver.Delivery
	at time.Time
}

func (*recorder) Name() string { return "recorder" }

func (r *recorder) Deliver(_ context.Context, d deliver.Delivery) error {
	if r.broken {
		return errors.New("out of order")
	}
	r.got = append(r.got, handed{d, r.now()})
	return nil
}

func (*recorder) Withdraw(context.Context, string) error { return nil }

// newWorld opens a world at that instant. gold may hold any rows.
func newWorld(t *testing.T, gold *sql.DB, at time.Time, everybody ...Person) *world {
	t.Helper()
	w := &world{gold: gold, people: everybody, clock: at, path: filepath.Join(t.TempDir(), "ledger.db")}
	w.out = &recorder{now: func() time.Time { return w.clock }}
	w.restart(t)
	return w
}

// restart ends the process, as it were, and starts another on the same ledger.
func (w *world) restart(t *testing.T) {
	t.Helper()
	db, err := ledger.Open(t.Context(), w.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	open := func(context.Context) (*sql.DB, func() error, error) {
		return w.gold, func() error { w.closed++; return nil }, nil
	}
	w.Scheduler, err = New(db, open, w, deliver.New(db, w.out), func() time.Time { return w.clock },
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) All(ctx context.Context) iter.Seq2[Person, error] { return w.people.All(ctx) }

func (w *world) Find(ctx context.Context, ids []string) (map[string]Person, error) {
	return w.people.Find(ctx, ids)
}

func (w *world) tick(t *testing.T) Totals {
	t.Helper()
	totals, err := w.Tick(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

// run ticks from the clock's time to another, every so often.
func (w *world) run(t *testing.T, to time.Time, every time.Duration) {
	t.Helper()
	for ; w.clock.Before(to); w.clock = w.clock.Add(every) {
		w.tick(t)
	}
}

// state returns what the ledger has of a period.
func (w *world) state(t *testing.T, user, period string) (state, why string) {
	t.Helper()
	err := w.ledger.QueryRowContext(t.Context(), "select state, reason from report_periods where user_id = ? and period = ?",
		user, period).Scan(&state, &why)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return state, why
}

// A life is how somebody's gold rows are made.
type life struct {
	person      Person
	first, last schemas.Date
	wakes       int // local hour; -1: no nights
	zoneOf      func(schemas.Date) string
}

// tables makes the gold tables of these lives: every day valid, every night ending at the hour of waking.
func tables(t *testing.T, lives ...life) *sql.DB {
	t.Helper()
	g := new(reportstest.Gold)
	for _, l := range lives {
		for d := l.first; d <= l.last && l.wakes >= 0; d++ {
			loc := l.person.location()
			if l.zoneOf != nil {
				loc = Person{Zone: l.zoneOf(d)}.location()
			}
			woke := wallTime(loc, d, l.wakes)
			slept := woke.Add(-7 * time.Hour)
			g.Nights = append(g.Nights, reportstest.SleepNight{User: l.person.UserID, Date: d, Source: "segments", Asleep: 420,
				InBed: 450, Onset: &slept, Offset: &woke, OffsetMin: int(offsetAt(loc, woke) / time.Minute)})
		}
	}
	db := g.Open(t)
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "set threads = 1"); err != nil { // small tables: threads only get in each other's way
		t.Fatal(err)
	}
	for _, l := range lives {
		for _, statement := range []string{
			`insert into user_days select $1, cast(d as date), true, false, $4, 900, 'motion', true, $4, 'user_days/1'
				from range(cast($2 as timestamp), cast($3 as timestamp) + interval 1 day, interval 1 day) as r(d)`,
			`insert into activity_days by name select $1 as user_id, cast(d as date) as local_date, 8000 as step_count,
				9 as active_hour_count, case when $4 then 'activity_days/1' else 'activity_days/2' end as method_version
				from range(cast($2 as timestamp), cast($3 as timestamp) + interval 1 day, interval 1 day) as r(d)`,
		} {
			if _, err := db.ExecContext(t.Context(), statement, l.person.UserID, l.first.String(), l.last.String(), l.wakes >= 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

func period(t *testing.T, s string) schemas.Period {
	t.Helper()
	p, err := schemas.ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func utc(year int, month time.Month, day, hour int) time.Time {
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
}
