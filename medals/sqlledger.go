package medals

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// SQLLedger keeps the medals in the SQL ledger, whose tables ledger.Migrate makes.
type SQLLedger struct{ db *sql.DB }

var _ Ledger = (*SQLLedger)(nil)

// NewSQLLedger returns the medals' part of a migrated ledger. The caller closes db.
func NewSQLLedger(db *sql.DB) *SQLLedger { return &SQLLedger{db} }

// People implements Ledger.
func (l *SQLLedger) People(ctx context.Context) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, "select distinct user_id from medal_entries order by user_id")
	if err != nil {
		return nil, fmt.Errorf("list people with medals: %w", err)
	}
	defer rows.Close()
	var people []string
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			return nil, fmt.Errorf("list people with medals: %w", err)
		}
		people = append(people, user)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list people with medals: %w", err)
	}
	return people, nil
}

const standingsQuery = `
select entries.award_id, entries.seq, entries.user_id, entries.medal, entries.level, entries.period, entries.rule_version,
       entries.action, entries.reason, entries.earned_on, entries.evidence, entries.recorded_at, firsts.recorded_at
from medal_entries as entries
join medal_entries as firsts on firsts.award_id = entries.award_id and firsts.seq = 1
where entries.user_id in (select value from json_each(?))
  and not exists (
      select 1 from medal_entries as later where later.award_id = entries.award_id and later.seq > entries.seq
  )
order by entries.user_id, entries.award_id`

// Standings implements Ledger.
func (l *SQLLedger) Standings(ctx context.Context, users []string) (map[string][]Standing, error) {
	people, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("read medals: %w", err)
	}
	rows, err := l.db.QueryContext(ctx, standingsQuery, string(people))
	if err != nil {
		return nil, fmt.Errorf("read medals: %w", err)
	}
	defer rows.Close()
	standings := map[string][]Standing{}
	for rows.Next() {
		s, err := scanStanding(rows)
		if err != nil {
			return nil, fmt.Errorf("read medals: %w", err)
		}
		standings[s.UserID] = append(standings[s.UserID], *s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read medals: %w", err)
	}
	return standings, nil
}

func scanStanding(rows *sql.Rows) (*Standing, error) {
	s := new(Standing)
	var earnedOn, evidence, recordedAt, awardedAt string
	err := rows.Scan(&s.AwardID, &s.Seq, &s.UserID, &s.Medal, &s.Level, &s.Period, &s.RuleVersion, &s.Action, &s.Reason,
		&earnedOn, &evidence, &recordedAt, &awardedAt)
	if err != nil {
		return nil, err
	}
	if s.EarnedOn, err = schemas.ParseDate(earnedOn); err != nil {
		return nil, fmt.Errorf("entry of award %s: earned_on: %w", s.AwardID, err)
	}
	if err := json.Unmarshal([]byte(evidence), &s.Evidence); err != nil {
		return nil, fmt.Errorf("entry of award %s: evidence is not JSON of a known form", s.AwardID)
	}
	if s.RecordedAt, err = time.Parse(time.RFC3339Nano, recordedAt); err != nil {
		return nil, fmt.Errorf("entry of award %s: recorded_at: %w", s.AwardID, err)
	}
	if s.AwardedAt, err = time.Parse(time.RFC3339Nano, awardedAt); err != nil {
		return nil, fmt.Errorf("entry of award %s: awarded_at: %w", s.AwardID, err)
	}
	return s, nil
}

const appendStatement = `
insert into medal_entries
    (award_id, seq, user_id, medal, level, period, rule_version, action, reason, earned_on, evidence, recorded_at)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
where ?2 = coalesce((select max(seq) from medal_entries where award_id = ?1), 0) + 1`

// Append implements Ledger.
func (l *SQLLedger) Append(ctx context.Context, entries []Entry) (erased []string, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("append medals: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	insert, err := tx.PrepareContext(ctx, appendStatement)
	if err != nil {
		return nil, fmt.Errorf("append medals: %w", err)
	}
	defer insert.Close() //nolint:errcheck // the transaction closes it, whatever comes of this

	// Whether a person was erased is asked within the transaction, so that nobody is erased between answer and insert.
	known := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		gone, asked := known[e.UserID]
		if !asked {
			if gone, err = isErased(ctx, tx, e.UserID); err != nil {
				return nil, fmt.Errorf("append medals: %w", err)
			}
			known[e.UserID] = gone
			if gone {
				erased = append(erased, e.UserID)
			}
		}
		if gone {
			continue
		}
		if err := appendEntry(ctx, insert, e); err != nil {
			return nil, fmt.Errorf("append medals: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("append medals: %w", err)
	}
	return erased, nil
}

func appendEntry(ctx context.Context, insert *sql.Stmt, e *Entry) error {
	evidence, err := json.Marshal(e.Evidence)
	if err != nil {
		return err
	}
	done, err := insert.ExecContext(ctx, e.AwardID, e.Seq, e.UserID, e.Medal, e.Level, e.Period, e.RuleVersion,
		string(e.Action), string(e.Reason), e.EarnedOn.String(), string(evidence), e.RecordedAt.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return ErrConflict
	}
	return nil
}

func isErased(ctx context.Context, tx *sql.Tx, user string) (bool, error) {
	var found int
	err := tx.QueryRowContext(ctx, "select 1 from medal_erasures where user_sha256 = ?", userSHA256(user)).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Erase implements Ledger.
func (l *SQLLedger) Erase(ctx context.Context, user string) error {
	return l.inOneTransaction(ctx, "erase a person's medals", []statement{
		{"insert into medal_erasing (user_id) values (?)", user},
		{"delete from medal_entries where user_id = ?", user},
		{"delete from medal_erasing where user_id = ?", user},
		{"insert into medal_erasures (user_sha256) values (?) on conflict do nothing", userSHA256(user)},
	})
}

// Readmit implements Ledger.
func (l *SQLLedger) Readmit(ctx context.Context, user string) error {
	return l.inOneTransaction(ctx, "readmit a person", []statement{
		{"delete from medal_erasures where user_sha256 = ?", userSHA256(user)},
	})
}

type statement struct {
	query string
	arg   any
}

func (l *SQLLedger) inOneTransaction(ctx context.Context, doing string, statements []statement) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s.query, s.arg); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func userSHA256(user string) []byte {
	sum := sha256.Sum256([]byte(user))
	return sum[:]
}
