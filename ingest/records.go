package ingest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// An intake is the memory that turning a message into rows takes. It is used again, for the garbage of decoding is most
// of what there would be.
type intake struct {
	decoder syncv1.Decoder
	mapping mapping
}

// intakes are those that nobody uses. A reader takes one, and whoever takes its rows in gives it back.
var intakes = sync.Pool{New: func() any { return new(intake) }}

// What an intake may keep of a message: those that are larger are few.
const (
	keptRows  = 4096
	keptBytes = 1 << 20
)

// giveBack ends the life of the rows; nil is none.
func (t *intake) giveBack() {
	if t != nil && cap(t.mapping.rows) <= keptRows && t.decoder.Bytes() <= keptBytes {
		intakes.Put(t)
	}
}

// rows turns a message into the rows of bronze it becomes, and counts its samples. It never fails: a message that cannot
// be decoded becomes a dead letter with its bytes, and one that is larger than a batch may be is not even looked at.
func (t *intake) rows(m kafka.Message, buckets int) (rows []schemas.SyncRecord, samples int) {
	at := Position{Partition: m.Partition, Offset: m.Offset, BrokerAtMS: m.TimeMS}
	if len(m.Value) > syncv1.MaxMessageBytes {
		return []schemas.SyncRecord{DeadLetter(m.Value, schemas.RejectOversize, at)}, 0
	}
	batch, err := t.decode(m)
	if err != nil {
		reason := schemas.RejectDecode
		if undecodable, ok := errors.AsType[*syncv1.DecodeError](err); ok {
			reason = undecodable.Reason
		}
		return []schemas.SyncRecord{DeadLetter(m.Value, reason, at)}, 0
	}
	rows = t.mapping.of(batch, at, buckets)
	for i := range rows {
		samples += len(rows[i].Values)
	}
	return rows, samples
}

// decode guards the partition against a message that breaks the decoder: it would come again after every restart.
func (t *intake) decode(m kafka.Message) (batch *syncv1.Batch, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("decoder broke: %T", broken)
		}
	}()
	if err := failpoint.Hit("decode.panic"); err != nil {
		return nil, err
	}
	return t.decoder.Decode(m.ContentType, m.Value)
}
