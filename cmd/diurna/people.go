package main

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/diurna-health/diurna/reports/schedule"
)

// people tells the schedule who is to get reports, and where each is, from the lake.
type people struct{ open schedule.OpenGold }

// peopleQuery gives everybody with a day: the zone and language they told, the offset their devices recorded last.
const peopleQuery = `
	with told as (
		select user_id, name, arg_max(text, start_at) as text
		from events
		where kind = 'profile' and name in ('time_zone', 'language')
		group by user_id, name
	),
	recorded as (
		select user_id, arg_max(utc_offset_min, hour_at) as utc_offset_min
		from silver.series_hours
		group by user_id
	)
	select
		everybody.user_id,
		coalesce(max(case when told.name = 'time_zone' then told.text end), '') as zone,
		coalesce(max(recorded.utc_offset_min), 0) as utc_offset_min,
		coalesce(max(case when told.name = 'language' then told.text end), '') as language
	from (select distinct user_id from user_days) as everybody
	left join told on everybody.user_id = told.user_id
	left join recorded on everybody.user_id = recorded.user_id
	where $1 or list_contains($2, everybody.user_id)
	group by everybody.user_id
	order by everybody.user_id`

// All implements schedule.People.
func (p people) All(ctx context.Context) iter.Seq2[schedule.Person, error] {
	return p.each(ctx, true, []string{})
}

// Find implements schedule.People.
func (p people) Find(ctx context.Context, userIDs []string) (map[string]schedule.Person, error) {
	found := map[string]schedule.Person{}
	for person, err := range p.each(ctx, false, userIDs) {
		if err != nil {
			return nil, err
		}
		found[person.UserID] = person
	}
	return found, nil
}

func (p people) each(ctx context.Context, everybody bool, userIDs []string) iter.Seq2[schedule.Person, error] {
	return func(yield func(schedule.Person, error) bool) {
		all, err := p.read(ctx, everybody, userIDs)
		if err != nil {
			yield(schedule.Person{}, err)
			return
		}
		for _, person := range all {
			if !yield(person, nil) {
				return
			}
		}
	}
}

func (p people) read(ctx context.Context, everybody bool, userIDs []string) (_ []schedule.Person, err error) {
	db, closeDB, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := closeDB(); err == nil {
			err = closeErr
		}
	}()
	rows, err := db.QueryContext(ctx, peopleQuery, everybody, userIDs)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	return scanPeople(rows)
}

func scanPeople(rows *sql.Rows) ([]schedule.Person, error) {
	defer rows.Close()
	var all []schedule.Person
	for rows.Next() {
		var p schedule.Person
		if err := rows.Scan(&p.UserID, &p.Zone, &p.OffsetMin, &p.Language); err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}
