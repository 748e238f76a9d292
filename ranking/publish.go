package ranking

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Published says what Publish did.
type Published struct {
	Frozen  int // boards that were frozen
	Revised int // frozen boards from which people who left were taken out
}

// Publish takes people who left out of frozen boards, then freezes the boards that are due. db has the gold tables under
// plain names, ledgerDB is migrated. It is to be called after builds and from time to time; calling it again does
// nothing. Two at once do no harm.
func Publish(ctx context.Context, db, ledgerDB *sql.DB, now time.Time) (Published, error) {
	var done Published
	people, err := openPseudonyms(ctx, ledgerDB)
	if err != nil {
		return done, err
	}
	members, err := readMembers(ctx, db, people, now)
	if err != nil {
		return done, err
	}
	if done.Revised, err = withdraw(ctx, ledgerDB, members, now); err != nil {
		return done, err
	}
	due, err := dueWindows(ctx, db, ledgerDB, now)
	if err != nil {
		return done, err
	}
	for _, w := range due {
		frozen, err := freeze(ctx, db, ledgerDB, w, now)
		if err != nil {
			return done, fmt.Errorf("freeze %s %s: %w", w.board.ID, w.period, err)
		}
		if frozen {
			done.Frozen++
		}
	}
	return done, nil
}

// readMembers returns the public ids of all who take part.
func readMembers(ctx context.Context, db *sql.DB, people pseudonyms, now time.Time) (members map[string]bool, err error) {
	query, err := queryFiles.ReadFile("queries/members.sql")
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	rows, err := db.QueryContext(ctx, string(query), sql.Named("as_of_us", now.UnixMicro()))
	if err != nil {
		return nil, fmt.Errorf("query members: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	members = map[string]bool{}
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		members[people.publicID(user)] = true
	}
	return members, rows.Err()
}

// withdraw compares who takes part with who did, revises the boards of those who left, and remembers who is here now: all
// in one transaction, so that nobody is forgotten half way.
func withdraw(ctx context.Context, ledgerDB *sql.DB, members map[string]bool, now time.Time) (revised int, err error) {
	tx, err := ledgerDB.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("begin publishing: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	known, err := texts(ctx, tx, "select public_id from ranking_members")
	if err != nil {
		return 0, fmt.Errorf("read earlier members: %w", err)
	}
	gone := map[string]bool{}
	here := map[string]bool{}
	for _, id := range known {
		here[id] = true
		if !members[id] {
			gone[id] = true
		}
	}
	for id := range gone {
		if _, err = tx.ExecContext(ctx, "delete from ranking_members where public_id = ?", id); err != nil {
			return 0, fmt.Errorf("forget member: %w", err)
		}
	}
	for id := range members {
		if here[id] {
			continue
		}
		if _, err = tx.ExecContext(ctx, "insert into ranking_members (public_id) values (?)", id); err != nil {
			return 0, fmt.Errorf("remember member: %w", err)
		}
	}
	if len(gone) > 0 {
		if revised, err = revise(ctx, tx, gone, now); err != nil {
			return 0, err
		}
	}
	if err = tx.Commit(); err != nil {
		return 0, fmt.Errorf("commit members: %w", err)
	}
	return revised, nil
}

// revise takes these people out of every frozen board they are on.
func revise(ctx context.Context, tx *sql.Tx, gone map[string]bool, now time.Time) (int, error) {
	frozen, err := texts(ctx, tx, `select board || ' ' || period from ranking_publications
		where entries is not null order by board, period`)
	if err != nil {
		return 0, fmt.Errorf("list publications: %w", err)
	}
	revised := 0
	for _, key := range frozen {
		var p publication
		var compressed []byte
		var publishedMS int64
		err := tx.QueryRowContext(ctx, `select revision, sha256, published_at_ms, entries from ranking_publications
			where board || ' ' || period = ? and entries is not null`, key).
			Scan(&p.revision, &p.sha256, &publishedMS, &compressed)
		if err != nil {
			return 0, fmt.Errorf("read publication: %w", err)
		}
		if err := p.decode(compressed); err != nil {
			return 0, err
		}
		next, changed := p.without(gone)
		if !changed {
			continue
		}
		if err := next.insert(ctx, tx, "withdrawn", now); err != nil {
			return 0, err
		}
		revised++
	}
	return revised, nil
}

// A window is a board in one period.
type window struct {
	board  Board
	period schemas.Period
}

// dueWindows notes the periods that are seen for the first time and returns those whose boards are to be frozen now,
// earliest first.
func dueWindows(ctx context.Context, db, ledgerDB *sql.DB, now time.Time) ([]window, error) {
	boards, err := Boards()
	if err != nil {
		return nil, err
	}
	dates, err := evidenceDates(ctx, db)
	if err != nil {
		return nil, err
	}
	var due []window
	for _, b := range boards {
		for _, p := range periodsOf(b, dates) {
			if _, err := ledgerDB.ExecContext(ctx, `insert into ranking_windows (board, period, seen_at_ms) values (?, ?, ?)
				on conflict do nothing`, b.ID, p.String(), now.UnixMilli()); err != nil {
				return nil, fmt.Errorf("note window: %w", err)
			}
			seenAt, err := windowSeenAt(ctx, ledgerDB, b.ID, p)
			if err != nil {
				return nil, err
			}
			var frozen bool
			if err := ledgerDB.QueryRowContext(ctx, "select exists (select 1 from ranking_publications where board = ? and period = ?)",
				b.ID, p.String()).Scan(&frozen); err != nil {
				return nil, fmt.Errorf("look for publication: %w", err)
			}
			if !frozen && !now.Before(b.settlesAt(p, seenAt)) {
				due = append(due, window{b, p})
			}
		}
	}
	return due, nil
}

func evidenceDates(ctx context.Context, db *sql.DB) (dates []schemas.Date, err error) {
	query, err := queryFiles.ReadFile("queries/dates.sql")
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	rows, err := db.QueryContext(ctx, string(query))
	if err != nil {
		return nil, fmt.Errorf("query dates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t time.Time
		if err := rows.Scan(&t); err != nil {
			return nil, fmt.Errorf("read dates: %w", err)
		}
		dates = append(dates, schemas.NewDate(t.Date()))
	}
	slices.Sort(dates)
	return dates, rows.Err()
}

// periodsOf returns the board's periods that the dates lie in, in order.
func periodsOf(b Board, dates []schemas.Date) []schemas.Period {
	var periods []schemas.Period
	for _, d := range dates {
		p := schemas.ISOWeekOf(d)
		if b.Period == schemas.PeriodMonth {
			p = schemas.MonthOf(d)
		}
		if len(periods) == 0 || periods[len(periods)-1] != p {
			periods = append(periods, p)
		}
	}
	return periods
}

// freeze publishes a board whose grace is over; false when somebody else did meanwhile.
func freeze(ctx context.Context, db, ledgerDB *sql.DB, w window, now time.Time) (frozen bool, err error) {
	s, err := Load(ctx, db, ledgerDB, w.board.ID, w.period, now)
	if err != nil || s.status == StatusFinal {
		return false, err
	}
	tx, err := ledgerDB.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("begin publishing: %w", err)
	}
	if err := s.freeze().insert(ctx, tx, "frozen", now); err != nil {
		return false, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("commit publication: %w", err)
	}
	return true, nil
}

func texts(ctx context.Context, tx *sql.Tx, query string) (all []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
