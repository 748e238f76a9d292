package ingest

import (
	"errors"
	"fmt"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// records turns a message into the rows of bronze it becomes, and counts its samples. It never fails: a message that
// cannot be decoded becomes a dead letter with its bytes.
func records(m kafka.Message, buckets int) (rows []schemas.SyncRecord, samples int) {
	at := Position{Partition: m.Partition, Offset: m.Offset, BrokerAtMS: m.TimeMS}
	batch, err := decode(m)
	if err != nil {
		reason := schemas.RejectDecode
		if undecodable, ok := errors.AsType[*syncv1.DecodeError](err); ok {
			reason = undecodable.Reason
		}
		return []schemas.SyncRecord{DeadLetter(m.Value, reason, at)}, 0
	}
	rows = Rows(batch, at, buckets)
	for i := range rows {
		samples += len(rows[i].Values)
	}
	return rows, samples
}

// decode guards the partition against a message that breaks the decoder: it would come again after every restart.
func decode(m kafka.Message) (batch *syncv1.Batch, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("decoder broke: %T", broken)
		}
	}()
	if err := failpoint.Hit("decode.panic"); err != nil {
		return nil, err
	}
	return syncv1.Decode(m.ContentType, m.Value)
}
