package lake

import (
	"cmp"
	"context"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// deletions answers what a person asked to hide. For the device that says it a deletion is a revision like any other:
// it hides what is older than itself and leaves what is newer, whichever came first. For other devices it is final.
type deletions struct{ byUser map[string][]deletion }

type deletion struct{ row schemas.DeletionRow }

// hides reports whether a sample or item at an instant, won by rev on a device, is hidden.
func (d *deletions) hides(user, device, metric string, at int64, rev schemas.Revision) bool {
	if d == nil {
		return false
	}
	for i := range d.byUser[user] {
		if d.byUser[user][i].hides(device, metric, at, rev) {
			return true
		}
	}
	return false
}

// of returns the person's deletions; none costs nothing.
func (d *deletions) of(user string) []deletion {
	if d == nil {
		return nil
	}
	return d.byUser[user]
}

func (d deletion) hides(device, metric string, at int64, rev schemas.Revision) bool {
	if !d.covers(device, metric) || at < d.row.FromAt || at >= d.row.ToAt {
		return false
	}
	// Two devices' counters say nothing about each other, and any other order between them would let the order of
	// arrival show: what one device hides of another stays hidden.
	return d.row.DeviceID != device || d.row.Revision.Compare(rev) > 0
}

func (d deletion) covers(device, metric string) bool {
	return d.row.Metric == metric && (d.row.AllDevices || d.row.DeviceID == device)
}

// touching returns the deletions that may hide something of a key's rows.
func touching(erasing []deletion, rows about) []deletion {
	var hits []deletion
	for _, d := range erasing {
		if d.row.UserID == rows.user && d.covers(rows.device, rows.metric) && d.row.FromAt <= rows.to && d.row.ToAt > rows.from {
			hits = append(hits, d)
		}
	}
	return hits
}

// freshDeletions returns the deletions among the round's records that a table at those watermarks has not applied yet.
func (r *round) freshDeletions(from map[int32]int64) []deletion {
	var fresh []deletion
	for i := range r.received.items {
		rec := &r.received.items[i]
		if rec.Kind == schemas.KindDeletion && rec.Offset >= from[rec.Partition] && rec.Offset < r.upto[rec.Partition] {
			fresh = append(fresh, deletion{deletionRow(rec)})
		}
	}
	return fresh
}

// readDeletions reads every deletion of the people in the round.
func (r *round) readDeletions(ctx context.Context) (*deletions, error) {
	s, err := r.lake.Load(ctx, schemas.TableDeletions)
	if err != nil {
		return nil, err
	}
	people := r.received.people()
	d := &deletions{byUser: map[string][]deletion{}}
	for _, f := range s.Files {
		if err := ReadRows(ctx, r.lake, f.Path, func(rows []schemas.DeletionRow) error {
			for _, row := range rows {
				if people[row.UserID] {
					d.byUser[row.UserID] = append(d.byUser[row.UserID], deletion{row})
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func deletionRow(rec *schemas.SyncRecord) schemas.DeletionRow {
	return schemas.DeletionRow{
		UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID, AllDevices: rec.Name == "all",
		Metric: rec.Metric, FromAt: *rec.StartAt, ToAt: *rec.EndAt, Revision: revisionOf(rec),
	}
}

func deletionRows() merging[schemas.DeletionRow] {
	return merging[schemas.DeletionRow]{
		table: schemas.TableDeletions,
		fresh: eachOf(schemas.KindDeletion, deletionRow),
		compare: func(a, b *schemas.DeletionRow) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
				cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.FromAt, b.FromAt), cmp.Compare(a.ToAt, b.ToAt),
				compareBool(a.AllDevices, b.AllDevices))
		},
		resolve: func(old, fresh []schemas.DeletionRow, _ *deletions) []schemas.DeletionRow {
			rows := slices.Concat(old, fresh)
			newest := slices.MaxFunc(rows, func(a, b schemas.DeletionRow) int { return a.Revision.Compare(b.Revision) })
			return []schemas.DeletionRow{newest}
		},
		same: slices.Equal[[]schemas.DeletionRow],
		about: func(row *schemas.DeletionRow) about {
			return about{user: row.UserID, bucket: row.UserBucket, device: row.DeviceID, from: row.FromAt, to: row.ToAt}
		},
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
