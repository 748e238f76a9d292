package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// An Expiry says which old snapshots of a table stay. Whatever it says, the current one stays, and those that were
// current since the oldest lease was taken.
type Expiry struct {
	KeepLast int           // at the least, whatever their age
	KeepFor  time.Duration // since they were replaced
}

// DefaultExpiry is how commits expire snapshots on their way. Whoever reads has a lease; the time is for those who
// cannot take one and read a list of files.
func DefaultExpiry() Expiry { return Expiry{KeepLast: 20, KeepFor: 30 * time.Minute} }

// expireAbove is the number of snapshots above which a commit expires old ones: some dozens at a time, because the
// metadata is written anew with each commit and grows with their number.
const expireAbove = 60

// summaryCommittedAt is the property of a snapshot that says by our own clock when it was made, in ms. Iceberg's
// timestamp is by the clock of the machine, which a test cannot set.
const summaryCommittedAt = "diurna.committed-at-ms"

// Expire removes the snapshots of a table that the policy does not keep and returns how many there were. Their files
// stay until they are swept.
func (l *Lake) Expire(ctx context.Context, name string, keep Expiry) (int, error) {
	for {
		base, err := l.Load(ctx, name)
		if err != nil {
			return 0, err
		}
		n, err := l.expireOnce(ctx, base, keep)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if n > 0 {
			l.cfg.Logger.InfoContext(ctx, "expired", schemas.LogKeyTable, name, "snapshots", n)
		}
		return n, nil
	}
}

func (l *Lake) expireOnce(ctx context.Context, base *Snapshot, keep Expiry) (n int, err error) {
	t, err := l.loadTable(ctx, base.Table)
	if err != nil {
		return 0, err
	}
	old, err := l.expired(ctx, t.Metadata(), keep)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	if err := failpoint.Hit("expire.mid"); err != nil {
		return 0, err
	}
	_, err = l.commit(ctx, Commit{Base: base, ID: rand.Text()}, keep, 0)
	if err != nil {
		return 0, fmt.Errorf("expire snapshots of %s: %w", base.Table, err)
	}
	return len(old), nil
}

// expired returns the snapshots that the policy and the leases let go. Snapshots follow each other in one line: there is
// one branch.
func (l *Lake) expired(ctx context.Context, m table.Metadata, keep Expiry) (ids []int64, err error) {
	since := l.cfg.Now().Add(-keep.KeepFor)
	taken, leased, err := l.oldestLease(ctx)
	if err != nil {
		return nil, err
	}
	if leased && taken.Before(since) {
		since = taken
	}
	snapshots := m.Snapshots()
	for i := range snapshots {
		if i+max(keep.KeepLast, 1) >= len(snapshots) {
			break
		}
		if replaced := committedAt(snapshots[i+1]); replaced.Before(since) {
			ids = append(ids, snapshots[i].SnapshotID)
		}
	}
	return ids, nil
}

func committedAt(s table.Snapshot) time.Time {
	if s.Summary != nil {
		if ms, err := strconv.ParseInt(s.Summary.Properties[summaryCommittedAt], 10, 64); err == nil {
			return time.UnixMilli(ms)
		}
	}
	return time.UnixMilli(s.TimestampMs)
}
