package schedule

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed queries/settled.sql
var settledQuery string

// evidence is what the gold tables know of the end of a period.
type evidence struct {
	isSynced  bool       // the night after the last day is there
	wokeAt    *time.Time // when that night ended
	offsetMin *int       // the lowest recorded offset around the period's end: where a date ends last
}

// settled asks for the evidence of these people on the night that ended on the morning after last.
func settled(ctx context.Context, gold *sql.DB, users []string, last schemas.Date) (map[string]evidence, error) {
	people := make([]any, len(users))
	for i, u := range users {
		people[i] = u
	}
	rows, err := gold.QueryContext(ctx, settledQuery,
		sql.Named("people", people), sql.Named("morning_date", last.AddDays(1).String()))
	if err != nil {
		return nil, fmt.Errorf("query settled: %w", err)
	}
	defer rows.Close()
	found := map[string]evidence{}
	for rows.Next() {
		var user string
		var e evidence
		var wokeMS *int64
		if err := rows.Scan(&user, &e.isSynced, &wokeMS, &e.offsetMin); err != nil {
			return nil, fmt.Errorf("query settled: %w", err)
		}
		if wokeMS != nil {
			at := time.UnixMilli(*wokeMS)
			e.wokeAt = &at
		}
		found[user] = e
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("query settled: %w", err)
	}
	return found, nil
}

// due returns when the report of a period is to be made, by what is known now.
func (s *Scheduler) due(person Person, p schemas.Period, e evidence) time.Time {
	loc := person.location()
	_, last := p.Dates()
	r := s.rules.Kinds[p.Kind()]

	over := endOf(loc, last)
	if e.offsetMin != nil {
		over = later(over, endOf(time.FixedZone("", *e.offsetMin*60), last))
	}
	due := s.deadline(loc, p.Kind(), last)
	if e.isSynced {
		ready := wallTime(loc, last.AddDays(1), s.rules.UnknownWakingHour)
		if e.wokeAt != nil {
			ready = e.wokeAt.Add(time.Duration(s.rules.AfterWakingMin) * time.Minute)
		}
		ready = later(ready, wallTime(loc, last.AddDays(r.EarliestDay), r.EarliestHour))
		if ready.Before(due) {
			due = ready
		}
	}
	return later(due, over)
}

// awake returns now when people in loc are awake, else when they are next.
func (s *Scheduler) awake(loc *time.Location, now time.Time) time.Time {
	today := dateIn(now, loc)
	from, to := wallTime(loc, today, s.rules.AwakeFromHour), wallTime(loc, today, s.rules.AwakeToHour)
	switch {
	case now.Before(from):
		return from
	case now.Before(to):
		return now
	default:
		return wallTime(loc, today+1, s.rules.AwakeFromHour)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
