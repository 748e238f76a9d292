package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/schemas"
)

// Keys of this package's log.
const (
	logKeyPlanned   = "planned"
	logKeyMade      = "made"
	logKeyWithheld  = "withheld"
	logKeyCorrected = "corrected"
	logKeyDelivered = "delivered"
	logKeyFailed    = "failed"
)

// DefaultTicks is how often Run looks, as robfig/cron reads it.
const DefaultTicks = "*/5 * * * *"

// OpenGold opens the gold tables as they are at that moment, under their plain names, and returns how to close them.
type OpenGold func(ctx context.Context) (gold *sql.DB, closeGold func() error, err error)

// A Scheduler has reports made when they are due. One process at a time is meant to run it; two do no harm.
type Scheduler struct {
	ledger *sql.DB
	gold   OpenGold
	people People
	outbox *deliver.Outbox
	now    func() time.Time
	log    *slog.Logger
	rules  *rules
	// plannedOn is the local date on which this process last planned each person's reports. Most ticks find nobody's
	// day changed, and a tick must not ask the ledger about everybody.
	plannedOn map[string]schemas.Date
	// reached is called after each durable step and before the next; an error ends the tick there, as the end of the
	// process would. Tests use it.
	reached func(step string) error
}

// New returns the scheduler of a ledger whose migrations have been run.
func New(ledger *sql.DB, gold OpenGold, people People, outbox *deliver.Outbox, now func() time.Time, log *slog.Logger) (*Scheduler, error) {
	r, err := readRules()
	if err != nil {
		return nil, err
	}
	return &Scheduler{ledger: ledger, gold: gold, people: people, outbox: outbox, now: now, log: log, rules: r,
		plannedOn: map[string]schemas.Date{}, reached: func(string) error { return nil }}, nil
}

// Totals count what a tick did.
type Totals struct {
	Planned   int // periods that ended for somebody
	Made      int // first revisions
	Withheld  int // periods without a report, and a reason
	Corrected int // later revisions
	deliver.Totals
}

// Run ticks at once and then as ticks says (minute, hour, day, month, weekday; in UTC), until the context ends. A tick
// that goes wrong is logged; the next one does what it left.
func (s *Scheduler) Run(ctx context.Context, ticks string) error {
	if strings.Contains(ticks, "TZ=") { // cron's parser can panic on it, and a zone has no business here
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "ticks are in UTC: leave the zone out"}
	}
	c := cron.New(cron.WithLocation(time.UTC), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := c.AddFunc(ticks, func() { s.tickAndLog(ctx) }); err != nil {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: "ticks are written as minute, hour, day, month, weekday, such as " + DefaultTicks, Err: err}
	}
	s.tickAndLog(ctx)
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done() // a tick under way ends by the context
	return nil
}

func (s *Scheduler) tickAndLog(ctx context.Context) {
	totals, err := s.Tick(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.ErrorContext(ctx, "schedule tick went wrong", slog.Any(schemas.LogKeyError, err))
	case totals != Totals{}:
		s.log.InfoContext(ctx, "schedule tick",
			slog.Int(logKeyPlanned, totals.Planned), slog.Int(logKeyMade, totals.Made),
			slog.Int(logKeyWithheld, totals.Withheld), slog.Int(logKeyCorrected, totals.Corrected),
			slog.Int(logKeyDelivered, totals.Delivered), slog.Int(logKeyFailed, totals.Failed))
	}
}

// Tick does everything that is to be done at this instant, one tick at a time: it enters the periods that have ended, makes the reports
// that are due, corrects those whose data changed, and hands over what is queued.
func (s *Scheduler) Tick(ctx context.Context) (Totals, error) {
	now := s.now()
	var totals Totals
	var err error
	if totals.Planned, err = s.plan(ctx, now); err != nil {
		return totals, err
	}
	if err := s.reached("plan"); err != nil {
		return totals, err
	}
	if err := s.makeAll(ctx, now, &totals); err != nil {
		return totals, err
	}
	totals.Totals, err = s.outbox.Deliver(ctx, now, deliver.Options{
		IsThere: func(ctx context.Context, user string) (bool, error) {
			found, err := s.people.Find(ctx, []string{user})
			_, isThere := found[user]
			return isThere, err
		},
		HandedOver: func(context.Context) error { return s.reached("write") },
		Log:        s.log,
	})
	if err != nil {
		return totals, err
	}
	return totals, s.reached("mark")
}

// Expect makes a period wait for its report although the schedule would not, such as the last one of somebody who just
// came. It changes nothing when the period is known.
func (s *Scheduler) Expect(ctx context.Context, userID string, p schemas.Period) error {
	if _, isKind := s.rules.Kinds[p.Kind()]; !isKind {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "a report is made of a week, a month or a year"}
	}
	return s.inTx(ctx, func(tx *sql.Tx) error { return s.enter(ctx, tx, userID, p, s.now(), true) })
}

// A Change says that what is known of a person's dates is not what it was.
type Change struct {
	UserID      string
	First, Last schemas.Date
}

// Changed marks the reports that tell of these dates; the next tick that may correct them does. Reports that are still
// to be made need no mark.
func (s *Scheduler) Changed(ctx context.Context, changes []Change) error {
	at := s.now().UnixNano()
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, c := range changes {
			if _, err := tx.ExecContext(ctx, `update report_periods set changed_at = ?
				where user_id = ? and state in ('made', 'withheld') and first_date <= ? and last_date >= ?`,
				at, c.UserID, c.Last.String(), c.First.String()); err != nil {
				return fmt.Errorf("mark changed reports: %w", err)
			}
		}
		return nil
	})
}

// inTx runs f in a transaction of the ledger.
func (s *Scheduler) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.ledger.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
