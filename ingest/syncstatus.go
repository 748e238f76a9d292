package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A DeviceStatus is how syncing goes for one device of one person.
type DeviceStatus struct {
	DeviceID   string // "" = what was set aside did not name a valid one
	Syncs      int    // received, each batch once
	LastSyncAt time.Time
	Clock      Clock
	Refused    []Refusal
}

// A Refusal is what of a device was set aside for one reason.
type Refusal struct {
	Reason schemas.RejectReason
	Values int // or items
	LastAt time.Time
	Remedy string
}

// statusColumns are the columns of bronze that a DeviceStatus is made from.
type statusColumns struct {
	Kind     schemas.RecordKind `parquet:"kind,dict"`
	BrokerAt int64              `parquet:"broker_at,timestamp(microsecond)"`
	BatchID  string             `parquet:"batch_id,optional,dict"`
	UserID   string             `parquet:"user_id,optional,dict"`
	DeviceID string             `parquet:"device_id,optional,dict"`
	Source   string             `parquet:"source,optional,dict"`
	SentAt   int64              `parquet:"sent_at,timestamp(microsecond)"`
	StartAt  *int64             `parquet:"start_at,optional,timestamp(microsecond)"`
	Text     string             `parquet:"text,optional,dict"`
	Reason   string             `parquet:"reason,optional,dict"`
}

// SyncStatus returns how syncing has gone for each device of a person since a time, by device id. It reads a few columns
// of the bronze files from then on.
func SyncStatus(ctx context.Context, l *lake.Lake, userID string, since time.Time) ([]DeviceStatus, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if errors.Is(err, lake.ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	devices := map[string]*deviceSyncs{}
	for _, f := range bronze.Files {
		upper, timed := f.Upper["broker_at"]
		if timed && upper.Int < since.UnixMicro() || userID < f.Lower["user_id"].Text || userID > f.Upper["user_id"].Text {
			continue
		}
		if err := lake.ReadRows(ctx, l, f.Path, func(rows []statusColumns) error {
			for i := range rows {
				if row := &rows[i]; row.UserID == userID && row.BrokerAt >= since.UnixMicro() {
					deviceOf(devices, row.DeviceID).add(row)
				}
			}
			return ctx.Err()
		}); err != nil {
			return nil, fmt.Errorf("read syncs: %w", err)
		}
	}
	list := make([]DeviceStatus, 0, len(devices))
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		list = append(list, devices[id].status(id))
	}
	return list, nil
}

// deviceSyncs gathers the rows of one device.
type deviceSyncs struct {
	all    []Sync
	native []Sync // those a device stamped itself: an import has the stamps of long ago
	asides map[schemas.RejectReason]*Refusal
	years  map[schemas.RejectReason]int
}

func deviceOf(devices map[string]*deviceSyncs, id string) *deviceSyncs {
	if devices[id] == nil {
		devices[id] = &deviceSyncs{asides: map[schemas.RejectReason]*Refusal{}, years: map[schemas.RejectReason]int{}}
	}
	return devices[id]
}

func (d *deviceSyncs) add(row *statusColumns) {
	received := time.UnixMicro(row.BrokerAt).UTC()
	switch row.Kind { //nolint:exhaustive // data says nothing about syncing
	case schemas.KindBatch:
		s := Sync{BatchID: row.BatchID, SentAt: time.UnixMicro(row.SentAt).UTC(), ReceivedAt: received}
		d.all = append(d.all, s)
		if row.Source == string(syncv1.SourceNative) {
			d.native = append(d.native, s)
		}
	case schemas.KindReject:
		reason := schemas.RejectReason(row.Reason)
		if d.asides[reason] == nil {
			d.asides[reason] = &Refusal{Reason: reason}
		}
		r := d.asides[reason]
		r.Values += countOf(row.Text)
		if !received.Before(r.LastAt) {
			r.LastAt = received
			if row.StartAt != nil {
				d.years[reason] = time.UnixMicro(*row.StartAt).UTC().Year()
			}
		}
	}
}

func (d *deviceSyncs) status(id string) DeviceStatus {
	s := DeviceStatus{DeviceID: id, Syncs: len(firstArrivals(d.all)), Clock: EstimateClock(d.native), Refused: []Refusal{}}
	for _, one := range d.all {
		if one.ReceivedAt.After(s.LastSyncAt) {
			s.LastSyncAt = one.ReceivedAt
		}
	}
	for reason, r := range d.asides {
		r.Remedy = reason.Remedy(d.years[reason])
		s.Refused = append(s.Refused, *r)
	}
	slices.SortFunc(s.Refused, func(a, b Refusal) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.Reason, b.Reason))
	})
	return s
}
