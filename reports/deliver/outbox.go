package deliver

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/schemas"
)

// A Key names one report of one person.
type Key struct {
	UserID string
	Period schemas.Period
}

// kind and period are the key's columns.
func (k Key) kind() string   { return string(k.Period.Kind()) }
func (k Key) period() string { return k.Period.String() }

// A Revision is one frozen state of a report.
type Revision struct {
	Key
	Number   int // 1 for the first
	Language string
	MadeAt   time.Time
	Snapshot *reports.Snapshot
	// ContentHash tells whether two revisions say the same; the time of asking is not in it.
	ContentHash string
}

// A Channel hands reports over. It is queued for by its name when a report is put, and found by it later.
type Channel interface {
	// Name is the channel's name in the ledger.
	Name() string
	// Deliver hands a report over. It may be called again with the same delivery and must then change nothing.
	Deliver(ctx context.Context, d Delivery) error
	// Withdraw takes back, as far as the channel can, all that it holds of a person.
	Withdraw(ctx context.Context, userID string) error
}

// An Outbox is the ledger's record of reports made and to be handed over. It may be used by several goroutines.
type Outbox struct {
	ledger   *sql.DB
	channels []Channel
}

// New returns the outbox of a ledger, whose migrations have been run, with its channels.
func New(ledger *sql.DB, channels ...Channel) *Outbox {
	return &Outbox{ledger: ledger, channels: channels}
}

// Put freezes a snapshot as the next revision of its report and queues it for every channel, within the caller's
// transaction. announced says that the reader is to be told of it.
func (o *Outbox) Put(ctx context.Context, tx *sql.Tx, r Revision, announced bool) error {
	data, err := json.Marshal(r.Snapshot)
	if err != nil {
		return fmt.Errorf("freeze snapshot: %w", err)
	}
	if r.ContentHash, err = ContentHash(r.Snapshot); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `insert into report_snapshots
		(user_id, kind, period, revision, language, made_at, content_hash, snapshot) values (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.UserID, r.kind(), r.period(), r.Number, r.Language, r.MadeAt.Unix(), r.ContentHash, data); err != nil {
		return fmt.Errorf("store snapshot: %w", err)
	}
	// What nobody has seen yet is not worth handing over beside its correction; that it was to be announced stays true.
	var missed int
	if err := tx.QueryRowContext(ctx, `select count(*) from report_outbox
		where user_id = ? and kind = ? and period = ? and state = 'queued' and is_announced = 1`,
		r.UserID, r.kind(), r.period()).Scan(&missed); err != nil {
		return fmt.Errorf("look for older revisions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `update report_outbox set state = 'withdrawn', done_at = ?
		where user_id = ? and kind = ? and period = ? and state = 'queued'`,
		r.MadeAt.Unix(), r.UserID, r.kind(), r.period()); err != nil {
		return fmt.Errorf("withdraw older revisions: %w", err)
	}
	for _, c := range o.channels {
		if _, err := tx.ExecContext(ctx, `insert into report_outbox
			(user_id, kind, period, revision, channel, state, is_announced, queued_at, try_at)
			values (?, ?, ?, ?, ?, 'queued', ?, ?, ?)`,
			r.UserID, r.kind(), r.period(), r.Number, c.Name(), announced || missed > 0,
			r.MadeAt.Unix(), r.MadeAt.Unix()); err != nil {
			return fmt.Errorf("queue delivery: %w", err)
		}
	}
	return nil
}

// Latest returns the last revision of a report; nil when none was made.
func (o *Outbox) Latest(ctx context.Context, k Key) (*Revision, error) {
	r := &Revision{Key: k}
	var madeAt int64
	var data []byte
	err := o.ledger.QueryRowContext(ctx, `select revision, language, made_at, content_hash, snapshot from report_snapshots
		where user_id = ? and kind = ? and period = ? order by revision desc limit 1`,
		k.UserID, k.kind(), k.period()).Scan(&r.Number, &r.Language, &madeAt, &r.ContentHash, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is an answer, and no error
	}
	if err != nil {
		return nil, fmt.Errorf("read last revision: %w", err)
	}
	r.MadeAt = time.Unix(madeAt, 0).UTC()
	r.Snapshot = new(reports.Snapshot)
	if err := json.Unmarshal(data, r.Snapshot); err != nil {
		return nil, fmt.Errorf("thaw snapshot: %w", err)
	}
	return r, nil
}

// ContentHash is a hash of what a snapshot says, without the time at which it was asked.
func ContentHash(s *reports.Snapshot) (string, error) {
	content := *s
	content.AsOf = nil
	// A later record moves the end of the records, which a reader sees only where they end within the period.
	content.Records.Last = min(content.Records.Last, content.Period.Last)
	data, err := json.Marshal(&content)
	if err != nil {
		return "", fmt.Errorf("hash snapshot: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Erase forgets all reports of a person, here and in every channel.
func (o *Outbox) Erase(ctx context.Context, userID string) error {
	for _, c := range o.channels {
		if err := c.Withdraw(ctx, userID); err != nil {
			return fmt.Errorf("withdraw from %s: %w", c.Name(), err)
		}
	}
	tx, err := o.ledger.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin erasing reports: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after the commit there is nothing to roll back
	for _, statement := range []string{
		"delete from report_outbox where user_id = ?", "delete from report_snapshots where user_id = ?",
		"delete from report_periods where user_id = ?", "delete from report_plans where user_id = ?",
	} {
		if _, err := tx.ExecContext(ctx, statement, userID); err != nil {
			return fmt.Errorf("erase reports: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit erasing reports: %w", err)
	}
	return nil
}
