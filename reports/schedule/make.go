package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/schemas"
)

const (
	batchSize     = 500              // periods looked at together
	claimTime     = 10 * time.Minute // how long a process may take to make a batch
	lookAgain     = 5 * time.Minute  // until a period that is not settled is looked at again
	firstPause    = time.Minute      // after a report could not be composed; it doubles
	lastPause     = 6 * time.Hour
	stateMade     = "made"
	stateWithheld = "withheld"
)

// A reason is why no report was made.
type reason string

const (
	reasonTooLate   reason = "too_late"   // the system came back when the report was no news any more
	reasonTooNew    reason = "too_new"    // the person's records are too short for a first one
	reasonTooFew    reason = "too_few"    // too few valid days, and that has been told often enough
	reasonNoRecords reason = "no_records" // nothing is known of the person, or nothing of that time
	reasonGone      reason = "gone"       // nobody there to get one
)

// A task is one period of one person that is to be looked at.
type task struct {
	deliver.Key
	attempts  int
	changedAt *int64 // of a correction; nil for what waits
	state     string // of the period
	isAsked   bool   // somebody asked for it, however long ago it was
	person    Person
}

// A group is what can be composed together: one period, asked at one offset.
type group struct {
	period    schemas.Period
	offsetMin int
}

// makeAll looks at every period that waits or changed, and makes what is due. The gold tables are opened only when
// there is something to look at.
func (s *Scheduler) makeAll(ctx context.Context, now time.Time, totals *Totals) error {
	var gold *sql.DB
	for {
		tasks, err := s.tasks(ctx, now)
		if err != nil || len(tasks) == 0 {
			return err
		}
		if gold == nil {
			var closeGold func() error
			if gold, closeGold, err = s.gold(ctx); err != nil {
				return fmt.Errorf("open gold tables: %w", err)
			}
			defer func() {
				if err := closeGold(); err != nil {
					s.log.WarnContext(ctx, "gold tables not closed", slog.Any(schemas.LogKeyError, err))
				}
			}()
		}
		ready, err := s.look(ctx, now, gold, tasks, totals)
		if err != nil {
			return err
		}
		groups := map[group][]task{}
		for _, t := range ready {
			_, seconds := local(now, t.person.location()).Zone()
			g := group{t.Period, seconds / 60}
			groups[g] = append(groups[g], t)
		}
		for g, tasks := range groups {
			if err := s.makeGroup(ctx, now, gold, g, tasks, totals); err != nil {
				return err
			}
		}
	}
}

// tasksQuery asks twice, each time by an index: with "or" the ledger reads every period there ever was.
const tasksQuery = `
	select user_id, period, attempts, changed_at, state, is_asked from (
		select * from report_periods where state = 'waiting' and look_at <= ?1 and claimed_until <= ?1
		union all
		select * from report_periods where changed_at is not null and state <> 'waiting' and look_at <= ?1 and claimed_until <= ?1
	) order by look_at, user_id, kind, period limit ?2`

// tasks returns periods to look at: those that wait, and those that changed.
func (s *Scheduler) tasks(ctx context.Context, now time.Time) ([]task, error) {
	rows, err := s.ledger.QueryContext(ctx, tasksQuery, now.Unix(), batchSize)
	if err != nil {
		return nil, fmt.Errorf("read due reports: %w", err)
	}
	defer rows.Close()
	var tasks []task
	for rows.Next() {
		var t task
		var period string
		if err := rows.Scan(&t.UserID, &period, &t.attempts, &t.changedAt, &t.state, &t.isAsked); err != nil {
			return nil, fmt.Errorf("read due reports: %w", err)
		}
		if t.Period, err = schemas.ParsePeriod(period); err != nil {
			return nil, fmt.Errorf("read due reports: %w", err)
		}
		tasks = append(tasks, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read due reports: %w", err)
	}
	return tasks, nil
}

// look returns the tasks that are to be done now and claims them; of the others it says when to look again.
func (s *Scheduler) look(ctx context.Context, now time.Time, gold *sql.DB, tasks []task, totals *Totals) ([]task, error) {
	users := make([]string, len(tasks))
	byLast := map[schemas.Date][]string{}
	for i, t := range tasks {
		_, last := t.Period.Dates()
		users[i] = t.UserID
		byLast[last] = append(byLast[last], t.UserID)
	}
	there, err := s.people.Find(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	evidenceOf := map[schemas.Date]map[string]evidence{}
	for last, users := range byLast {
		if evidenceOf[last], err = settled(ctx, gold, users, last); err != nil {
			return nil, err
		}
	}
	var ready []task
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, t := range tasks {
			person, isThere := there[t.UserID]
			if !isThere {
				totals.Withheld++
				if err := s.withhold(ctx, tx, t, reasonGone); err != nil {
					return err
				}
				continue
			}
			t.person = person
			_, last := t.Period.Dates()
			lookAt, why := s.next(now, t, evidenceOf[last][t.UserID])
			switch {
			case why != "":
				totals.Withheld++
				err = s.withhold(ctx, tx, t, why)
			case lookAt.After(now):
				err = s.lookAt(ctx, tx, t, lookAt)
			default:
				var isOurs bool
				if isOurs, err = s.claim(ctx, tx, t, now); isOurs {
					ready = append(ready, t)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ready, s.reached("claim")
}

// next says when a task is to be done, or why it is not.
func (s *Scheduler) next(now time.Time, t task, e evidence) (time.Time, reason) {
	loc := t.person.location()
	if t.state != stateMade {
		if due := s.due(t.person, t.Period, e); due.After(now) {
			if !e.isSynced && due.After(now.Add(lookAgain)) {
				// The night may be synced any moment. Before the period is over it cannot be.
				_, last := t.Period.Dates()
				return later(endOf(loc, last), now.Add(lookAgain)), ""
			}
			return due, ""
		}
		// A report that could not be composed, or was asked for, does not lapse.
		if t.attempts == 0 && !t.isAsked && now.After(s.lapse(loc, t.Period)) {
			return now, reasonTooLate
		}
	}
	return s.awake(loc, now), ""
}

// lapse is when a report that was not made is no news any more.
func (s *Scheduler) lapse(loc *time.Location, p schemas.Period) time.Time {
	r := s.rules.Kinds[p.Kind()]
	_, last := p.Dates()
	return wallTime(loc, last.AddDays(r.DeadlineDay+r.LapseDays), r.DeadlineHour)
}

const keyIs = " where user_id = ? and kind = ? and period = ?"

func (t task) key() []any { return []any{t.UserID, string(t.Period.Kind()), t.Period.String()} }

func (s *Scheduler) lookAt(ctx context.Context, tx *sql.Tx, t task, at time.Time) error {
	// Rounded up, so that it is not looked at a moment too early.
	_, err := tx.ExecContext(ctx, "update report_periods set look_at = ?"+keyIs,
		append([]any{at.Add(time.Second - time.Nanosecond).Unix()}, t.key()...)...)
	if err != nil {
		return fmt.Errorf("put report off: %w", err)
	}
	return nil
}

func (s *Scheduler) claim(ctx context.Context, tx *sql.Tx, t task, now time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, "update report_periods set claimed_until = ?"+keyIs+" and claimed_until <= ? and state = ?",
		append(append([]any{now.Add(claimTime).Unix()}, t.key()...), now.Unix(), t.state)...)
	if err != nil {
		return false, fmt.Errorf("claim report: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func (s *Scheduler) withhold(ctx context.Context, tx *sql.Tx, t task, why reason) error {
	// What was made stays made; only the wish to correct it ends.
	_, err := tx.ExecContext(ctx, `update report_periods set
		state = case when state = 'made' then state else 'withheld' end,
		reason = case when state = 'made' then reason else ? end,
		changed_at = null, claimed_until = 0`+keyIs, append([]any{string(why)}, t.key()...)...)
	if err != nil {
		return fmt.Errorf("withhold report: %w", err)
	}
	return nil
}

// makeGroup composes the reports of a group and stores them, each in a transaction of its own.
func (s *Scheduler) makeGroup(ctx context.Context, now time.Time, gold *sql.DB, g group, tasks []task, totals *Totals) error {
	byUser := make(map[string]task, len(tasks))
	users := make([]string, len(tasks))
	for i, t := range tasks {
		byUser[t.UserID], users[i] = t, t.UserID
	}
	asOf := local(now, time.FixedZone("", g.offsetMin*60))
	for snapshot, err := range reports.ComposeAll(ctx, gold, users, g.period, asOf) {
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.log.ErrorContext(ctx, "reports not composed", slog.Any(schemas.LogKeyError, err))
			return s.putOff(ctx, now, byUser)
		}
		if err := s.reached("compose"); err != nil {
			return err
		}
		t := byUser[snapshot.UserID]
		delete(byUser, snapshot.UserID)
		if err := s.store(ctx, now, t, snapshot, totals); err != nil {
			return err
		}
		if err := s.reached("store"); err != nil {
			return err
		}
	}
	// Of those left over nothing is known.
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, t := range byUser {
			totals.Withheld++
			if err := s.withhold(ctx, tx, t, reasonNoRecords); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Scheduler) putOff(ctx context.Context, now time.Time, tasks map[string]task) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, t := range tasks {
			pause := min(firstPause<<min(t.attempts, 20), lastPause)
			if _, err := tx.ExecContext(ctx,
				"update report_periods set attempts = attempts + 1, look_at = ?, claimed_until = 0"+keyIs,
				append([]any{now.Add(pause).Unix()}, t.key()...)...); err != nil {
				return fmt.Errorf("put report off: %w", err)
			}
		}
		return nil
	})
}

// errTaken says that somebody else finished a report in the meantime.
var errTaken = errors.New("report was made by somebody else")

// store decides what becomes of a snapshot and makes it so, whole or not at all.
func (s *Scheduler) store(ctx context.Context, now time.Time, t task, snapshot *reports.Snapshot, totals *Totals) error {
	before, err := s.outbox.Latest(ctx, t.Key)
	if err != nil {
		return err
	}
	revision := deliver.Revision{Key: t.Key, Number: 1, Language: t.person.Language, MadeAt: now, Snapshot: snapshot}
	isAnnounced, why := true, reason("")
	if before != nil {
		hash, err := deliver.ContentHash(snapshot)
		if err != nil {
			return err
		}
		if hash == before.ContentHash {
			return s.inTx(ctx, func(tx *sql.Tx) error { return s.finish(ctx, tx, now, t, snapshot, stateMade, "") })
		}
		revision.Number = before.Number + 1
		isAnnounced = headlineMoved(before.Snapshot, snapshot, s.rules.HeadlineChangePct)
	} else if why, err = s.gate(ctx, t, snapshot); err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if why != "" {
			return s.finish(ctx, tx, now, t, snapshot, stateWithheld, why)
		}
		if err := s.outbox.Put(ctx, tx, revision, isAnnounced); err != nil {
			return err
		}
		return s.finish(ctx, tx, now, t, snapshot, stateMade, "")
	})
	switch {
	case errors.Is(err, errTaken):
		return nil
	case err != nil:
		return err
	case why != "":
		totals.Withheld++
	case before != nil:
		totals.Corrected++
	default:
		totals.Made++
	}
	return nil
}

// gate says why a first revision is not to be made; nothing when it is.
func (s *Scheduler) gate(ctx context.Context, t task, snapshot *reports.Snapshot) (reason, error) {
	r := s.rules.Kinds[t.Period.Kind()]
	first, last := t.Period.Dates()
	switch {
	case snapshot.Status == reports.StatusEmpty && snapshot.Cause == reports.ReasonBeforeRecords:
		return reasonNoRecords, nil
	case int(last-snapshot.Records.First)+1 < r.HistoryDays:
		return reasonTooNew, nil
	case snapshot.Status == reports.StatusFull:
		return "", nil
	case t.state == stateWithheld: // what was not told then is told later only when it can be told whole
		return reasonTooFew, nil
	}
	thin, err := s.thinInARow(ctx, t, first, r.ThinInARow)
	if err != nil {
		return "", err
	}
	if thin >= r.ThinInARow {
		return reasonTooFew, nil
	}
	return "", nil
}

// thinInARow counts the periods right before this one that had too little to tell, up to a limit.
func (s *Scheduler) thinInARow(ctx context.Context, t task, first schemas.Date, limit int) (int, error) {
	rows, err := s.ledger.QueryContext(ctx, `select state, reason, is_full from report_periods
		where user_id = ? and kind = ? and first_date < ? and state <> 'waiting' order by first_date desc limit ?`,
		t.UserID, string(t.Period.Kind()), first.String(), limit)
	if err != nil {
		return 0, fmt.Errorf("read earlier reports: %w", err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var state string
		var why reason
		var isFull bool
		if err := rows.Scan(&state, &why, &isFull); err != nil {
			return 0, fmt.Errorf("read earlier reports: %w", err)
		}
		if isFull || (state == stateWithheld && why != reasonTooFew) {
			break
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("read earlier reports: %w", err)
	}
	return n, nil
}

// finish ends a task. A change that came while it was done keeps its mark.
func (s *Scheduler) finish(ctx context.Context, tx *sql.Tx, now time.Time, t task, snapshot *reports.Snapshot, state string, why reason) error {
	pause := time.Duration(s.rules.CorrectionPauseH) * time.Hour
	result, err := tx.ExecContext(ctx, `update report_periods set state = ?, reason = ?, is_full = ?, look_at = ?,
		claimed_until = 0, attempts = 0, changed_at = case when changed_at is ? then null else changed_at end`+
		keyIs+" and state = ?",
		append(append([]any{state, string(why), snapshot.Status == reports.StatusFull, now.Add(pause).Unix(), t.changedAt},
			t.key()...), t.state)...)
	if err != nil {
		return fmt.Errorf("finish report: %w", err)
	}
	switch n, err := result.RowsAffected(); {
	case err != nil:
		return fmt.Errorf("finish report: %w", err)
	case n == 0:
		return errTaken
	}
	return nil
}

// headlineMoved reports whether a figure of the headline came, went, or changed by more than pct percent.
func headlineMoved(before, after *reports.Snapshot, pct float64) bool {
	values := map[string]*reports.Number{}
	for _, t := range before.Headline.Tiles {
		values[t.Name] = t.Figure.Value
	}
	for _, t := range after.Headline.Tiles {
		was, is := values[t.Name], t.Figure.Value
		switch {
		case was == nil && is == nil:
		case was == nil || is == nil:
			return true
		default:
			change := float64(*is - *was)
			if max(change, -change) > pct/100*float64(*was) {
				return true
			}
		}
	}
	return false
}
