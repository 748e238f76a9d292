package schedule

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// kinds are the kinds of report, in the order they are planned.
func kinds() []schemas.PeriodKind {
	return []schemas.PeriodKind{schemas.PeriodWeek, schemas.PeriodMonth, schemas.PeriodYear}
}

// plan enters every period that has ended for somebody since it was last looked at.
func (s *Scheduler) plan(ctx context.Context, now time.Time) (int, error) {
	planned := 0
	for person, err := range s.people.All(ctx) {
		if err != nil {
			return planned, fmt.Errorf("list people: %w", err)
		}
		today := dateIn(now, person.location())
		if s.plannedOn[person.UserID] == today {
			continue // a period ends with a day, and today's end was not reached since
		}
		n, err := s.planPerson(ctx, now, person)
		if err != nil {
			return planned, err
		}
		s.plannedOn[person.UserID] = today
		planned += n
	}
	return planned, nil
}

func (s *Scheduler) planPerson(ctx context.Context, now time.Time, person Person) (int, error) {
	loc := person.location()
	today := dateIn(now, loc)
	cursors, err := s.cursors(ctx, person.UserID)
	if err != nil {
		return 0, err
	}
	var periods []schemas.Period
	moved := map[schemas.PeriodKind]schemas.Period{}
	for _, kind := range kinds() {
		ended := periodOf(kind, today).Previous()
		cursor, isKnown := cursors[kind]
		if !isKnown {
			cursor = ended
			if _, last := ended.Dates(); !now.After(s.deadline(loc, kind, last)) {
				cursor = ended.Previous()
			}
			moved[kind] = cursor
		}
		_, lastEnded := ended.Dates()
		for {
			next := cursor.Next()
			if _, last := next.Dates(); last > lastEnded {
				break
			}
			cursor = next
			periods, moved[kind] = append(periods, cursor), cursor
		}
	}
	if len(moved) == 0 {
		return 0, nil
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, p := range periods {
			if err := s.enter(ctx, tx, person.UserID, p, now, false); err != nil {
				return err
			}
		}
		for kind, cursor := range moved {
			if _, err := tx.ExecContext(ctx, `insert into report_plans (user_id, kind, period) values (?, ?, ?)
				on conflict (user_id, kind) do update set period = excluded.period`,
				person.UserID, string(kind), cursor.String()); err != nil {
				return fmt.Errorf("remember plan: %w", err)
			}
		}
		return nil
	})
	return len(periods), err
}

// enter makes a period wait for its report, unless it is known already.
func (s *Scheduler) enter(ctx context.Context, tx *sql.Tx, user string, p schemas.Period, now time.Time, isAsked bool) error {
	first, last := p.Dates()
	if _, err := tx.ExecContext(ctx, `insert into report_periods
		(user_id, kind, period, first_date, last_date, state, look_at, is_asked) values (?, ?, ?, ?, ?, 'waiting', ?, ?)
		on conflict do nothing`,
		user, string(p.Kind()), p.String(), first.String(), last.String(), now.Unix(), isAsked); err != nil {
		return fmt.Errorf("enter period: %w", err)
	}
	return nil
}

// cursors returns the last period of each kind that was planned for somebody.
func (s *Scheduler) cursors(ctx context.Context, user string) (map[schemas.PeriodKind]schemas.Period, error) {
	rows, err := s.ledger.QueryContext(ctx, "select kind, period from report_plans where user_id = ?", user)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer rows.Close()
	cursors := map[schemas.PeriodKind]schemas.Period{}
	for rows.Next() {
		var kind schemas.PeriodKind
		var period string
		if err := rows.Scan(&kind, &period); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		if cursors[kind], err = schemas.ParsePeriod(period); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return cursors, nil
}

func periodOf(kind schemas.PeriodKind, d schemas.Date) schemas.Period {
	switch kind {
	case schemas.PeriodWeek:
		return schemas.ISOWeekOf(d)
	case schemas.PeriodMonth:
		return schemas.MonthOf(d)
	default:
		return schemas.YearOf(d)
	}
}

// deadline is when a report is made with what there is.
func (s *Scheduler) deadline(loc *time.Location, kind schemas.PeriodKind, last schemas.Date) time.Time {
	r := s.rules.Kinds[kind]
	return wallTime(loc, last.AddDays(r.DeadlineDay), r.DeadlineHour)
}
