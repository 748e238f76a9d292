package lake

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// leaseFor is how long a lease lasts after its owner was last heard of. It is renewed four times as often.
const leaseFor = 2 * time.Minute

// A Lease keeps every snapshot that is current when it is taken, or later, from being expired, and their files from
// being swept. It is renewed until Release; the lease of a process that died or stands still ends by itself.
type Lease struct {
	stop func() error // nil: nothing is held
}

// Pin takes a lease. The caller loads what it wants to read after that, and calls Release when it has read it. The owner
// is a role, for people who look who reads: "report". Where the ledger cannot be written, because its disk is mounted for
// reading or full, the lease is empty: reading goes on, and who reads for long may find a file gone.
func (l *Lake) Pin(ctx context.Context, owner string) (*Lease, error) {
	id := rand.Text()
	taken := l.cfg.Now().UnixMilli()
	renew := func(ctx context.Context) error {
		_, err := l.cfg.Catalog.ExecContext(ctx, `insert into lake_leases (lease_id, owner, taken_at_ms, expires_at_ms)
			values (?, ?, ?, ?) on conflict (lease_id) do update set expires_at_ms = excluded.expires_at_ms`,
			id, owner, taken, l.cfg.Now().Add(l.leaseFor()).UnixMilli())
		return err
	}
	if l.unwritable {
		return &Lease{}, nil
	}
	if err := renew(ctx); cannotBeWritten(err) {
		return &Lease{}, nil
	} else if err != nil {
		return nil, fmt.Errorf("take lease: %w", err)
	}
	whole := context.WithoutCancel(ctx) // it outlives the call that took it
	renewing, stop := context.WithCancel(whole)
	var wg sync.WaitGroup
	wg.Go(func() { l.renewLease(renewing, renew) })
	return &Lease{stop: sync.OnceValue(func() error {
		stop()
		wg.Wait()
		_, err := l.cfg.Catalog.ExecContext(whole, "delete from lake_leases where lease_id = ?", id)
		if err != nil && !cannotBeWritten(err) { // then it ends by itself
			return fmt.Errorf("release lease: %w", err)
		}
		return nil
	})}, nil
}

// Release gives the lease back. It may be called again.
func (l *Lease) Release() error {
	if l == nil || l.stop == nil {
		return nil
	}
	return l.stop()
}

// renewLease renews a lease until ctx ends. An attempt that fails is made up for by the next: three may fail in a row.
func (l *Lake) renewLease(ctx context.Context, renew func(context.Context) error) {
	tick := time.NewTicker(l.leaseFor() / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := renew(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Logger.WarnContext(ctx, "a lease could not be renewed", schemas.LogKeyError, err)
		}
	}
}

func (l *Lake) leaseFor() time.Duration {
	if l.cfg.LeaseFor > 0 {
		return l.cfg.LeaseFor
	}
	return leaseFor
}

// A LeaseInfo is what the ledger says of one lease.
type LeaseInfo struct {
	Owner   string
	TakenAt time.Time
}

// Leases returns the leases that hold, the oldest first.
func (l *Lake) Leases(ctx context.Context) (leases []LeaseInfo, err error) {
	rows, err := l.cfg.Catalog.QueryContext(ctx,
		"select owner, taken_at_ms from lake_leases where expires_at_ms > ? order by taken_at_ms", l.cfg.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var owner string
		var taken int64
		if err := rows.Scan(&owner, &taken); err != nil {
			return nil, fmt.Errorf("read leases: %w", err)
		}
		leases = append(leases, LeaseInfo{owner, time.UnixMilli(taken).UTC()})
	}
	return leases, rows.Err()
}

// oldestLease returns the time from which on somebody may still need what was current; ok is false when nobody does. It
// forgets the leases that ended.
func (l *Lake) oldestLease(ctx context.Context) (taken time.Time, ok bool, err error) {
	now := l.cfg.Now().UnixMilli()
	var oldest, expired sql.NullInt64
	err = l.cfg.Catalog.QueryRowContext(ctx, `select min(case when expires_at_ms > ? then taken_at_ms end),
		min(case when expires_at_ms <= ? then taken_at_ms end) from lake_leases`, now, now).Scan(&oldest, &expired)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read leases: %w", err)
	}
	if expired.Valid {
		if err := failpoint.Hit("lease.expired"); err != nil {
			return time.Time{}, false, err
		}
		if _, err := l.cfg.Catalog.ExecContext(ctx, "delete from lake_leases where expires_at_ms <= ?", now); err != nil {
			return time.Time{}, false, fmt.Errorf("forget leases that ended: %w", err)
		}
	}
	return time.UnixMilli(oldest.Int64), oldest.Valid, nil
}

// makeLedgerTables sees to it that the lake's tables are in the ledger. It reports true when they are not and cannot be
// made, because the ledger cannot be written: what is there can be read all the same.
func makeLedgerTables(ctx context.Context, db *sql.DB) (unwritable bool, err error) {
	var n int
	if err := db.QueryRowContext(ctx, "select count(*) from lake_settled").Scan(&n); err == nil {
		return false, nil
	}
	err = ledger.Migrate(ctx, db)
	if cannotBeWritten(err) {
		return true, nil
	}
	return false, err
}

// cannotBeWritten reports whether SQLite refused to write because there is no room for it or it may not.
func cannotBeWritten(err error) bool {
	const readOnly, full = 8, 13 // SQLITE_READONLY and SQLITE_FULL; further bits say why
	coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	return ok && (coded.Code()&0xff == readOnly || coded.Code()&0xff == full)
}
