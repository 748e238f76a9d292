package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/reports/schedule"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// A settler does what follows a build: medals, frozen boards, and marks on reports whose days changed. All of it
// compares what the tables say with what the ledger says, so doing it twice does nothing the second time.
type settler struct {
	p         *pipeline
	scheduler *schedule.Scheduler // nil where no reports are scheduled

	mu      sync.Mutex      // one at a time
	settled map[int32]int64 // by partition: builds below it are settled; nil before the first time
}

// settle brings the ledger up to date with the tables. Only the people whose days changed since the last time are looked
// at; the first time it is everybody, for a process that died may have left something. Reports are marked for the days
// that changed since the ledger says that they were.
func (s *settler) settle(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	built, err := builtUpTo(ctx, s.p.lake, s.p.project)
	if err != nil {
		return err
	}
	since := s.settled
	if since == nil {
		if since, err = readSettled(ctx, s.p.db, s.p.lake, s.p.project); err != nil {
			return err
		}
	}
	dirty, err := s.dirtySince(ctx, since, built)
	if err != nil {
		return err
	}
	people := peopleOf(dirty)
	if s.settled != nil && len(people) == 0 {
		return nil
	}
	r, err := transform.OpenReader(ctx, s.p.lake, s.p.project, duckDB(s.p.cfg, s.p.log))
	if err != nil {
		return err
	}
	changes := changesOf(dirty)
	if since == nil { // nobody knows since when: any day of anybody may have changed
		if changes, err = everything(ctx, r, people); err != nil {
			return errors.Join(err, r.Close())
		}
	}
	if err := errors.Join(s.settleFrom(ctx, r, people, changes), r.Close()); err != nil {
		return err
	}
	s.settled = built
	if s.scheduler == nil {
		return nil // its marks on reports are still to be made, by a process that has one
	}
	return writeSettled(ctx, s.p.db, s.p.lake, s.p.project, built)
}

func (s *settler) settleFrom(ctx context.Context, r *transform.Reader, people []string, changes []schedule.Change) error {
	opts := medals.Options{}
	if s.settled != nil {
		opts.Users = people
	}
	result, err := medals.Evaluate(ctx, r.DB, medals.NewSQLLedger(s.p.db), time.Now, opts)
	if err != nil {
		return fmt.Errorf("evaluate medals: %w", err)
	}
	published, err := ranking.Publish(ctx, r.DB, s.p.db, time.Now())
	if err != nil {
		return fmt.Errorf("publish rankings: %w", err)
	}
	if s.scheduler != nil {
		if err := s.scheduler.Changed(ctx, changes); err != nil {
			return err
		}
	}
	s.p.log.DebugContext(ctx, "settled", "awarded", result.Awarded, "revoked", result.Revoked, "frozen", published.Frozen)
	return nil
}

// everything returns a change of all dates of everybody who has a day in the tables, and of the given people.
func everything(ctx context.Context, r *transform.Reader, people []string) (changes []schedule.Change, err error) {
	rows, err := r.DB.QueryContext(ctx, "select distinct user_id from user_days")
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			return nil, fmt.Errorf("list people: %w", err)
		}
		people = append(people, user)
	}
	slices.Sort(people)
	for _, user := range slices.Compact(people) {
		changes = append(changes, schedule.Change{UserID: user, First: 0, Last: lastDate})
	}
	return changes, rows.Err()
}

// lastDate is later than any report's.
const lastDate schemas.Date = 100_000 // in the year 2243

// dirtySince returns the days that changed by messages from one watermark to another.
func (s *settler) dirtySince(ctx context.Context, from, to map[int32]int64) ([]schemas.DirtyDay, error) {
	list, err := s.p.lake.Load(ctx, schemas.TableDirtyDays)
	if err != nil {
		return nil, err
	}
	var days []schemas.DirtyDay
	for _, f := range list.Files {
		if from != nil && f.Upper["offset"].Int <= least(from) {
			continue
		}
		if err := lake.ReadRows(ctx, s.p.lake, f.Path, func(rows []schemas.DirtyDay) error {
			for _, d := range rows {
				if d.Offset > from[d.Partition] && d.Offset <= to[d.Partition] {
					days = append(days, d)
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return days, nil
}

func least(marks map[int32]int64) int64 {
	if len(marks) == 0 {
		return 0
	}
	return slices.Min(slices.Collect(maps.Values(marks)))
}

func peopleOf(dirty []schemas.DirtyDay) []string {
	seen := map[string]bool{}
	for _, d := range dirty {
		seen[d.UserID] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// changesOf sums the dirty days of each person up into one stretch.
func changesOf(dirty []schemas.DirtyDay) []schedule.Change {
	byPerson := map[string]*schedule.Change{}
	for _, d := range dirty {
		date := schemas.Date(d.LocalDate)
		c, ok := byPerson[d.UserID]
		if !ok {
			c = &schedule.Change{UserID: d.UserID, First: date, Last: date}
			byPerson[d.UserID] = c
		}
		c.First, c.Last = min(c.First, date), max(c.Last, date)
	}
	changes := make([]schedule.Change, 0, len(byPerson))
	for _, user := range slices.Sorted(maps.Keys(byPerson)) {
		changes = append(changes, *byPerson[user])
	}
	return changes
}
