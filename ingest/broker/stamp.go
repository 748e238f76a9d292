package broker

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Positions within a record batch of magic 2, and what lies there.
const (
	batchLengthAt     = 8
	batchMagicAt      = 16
	batchCRCAt        = 17
	batchChecksumFrom = 21 // the checksum covers everything from here
	batchAttributesAt = 21
	batchFirstTimeAt  = 27
	batchMaxTimeAt    = 35
	batchHeaderBytes  = 61

	attributeCompression   = 0x0007
	attributeLogAppendTime = 0x0008
)

// lingerMS is how far apart the times of one batch may lie and still be told by the producer's own clock: the while in
// which it gathered the batch.
const lingerMS = 1000

// renewEvery bounds what the cluster remembers for a control function: one request for every connection seen.
const renewEvery = 64

// stampProduced writes the broker's time into every batch that arrives, before the broker stores it.
func stampProduced(cluster *kfake.Cluster, now func() time.Time) {
	var handled int
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		produce, ok := req.(*kmsg.ProduceRequest)
		if ok {
			ms := now().UnixMilli()
			for i := range produce.Topics {
				parts := produce.Topics[i].Partitions
				for j := range parts {
					parts[j].Records = stamped(parts[j].Records, ms)
				}
			}
		}
		if handled++; handled >= renewEvery {
			cluster.DropControl()
			stampProduced(cluster, now)
		}
		return nil, nil, false
	})
}

// stamped returns the batch with its times moved to ms, in place where that is possible. A batch that is not sound is
// returned as it is: the broker refuses it, and must not be handed a fitting checksum for it.
func stamped(batch []byte, ms int64) []byte {
	if !soundBatch(batch) {
		return batch
	}
	var b kmsg.RecordBatch
	if err := b.ReadFrom(batch); err != nil {
		return batch
	}
	records, err := kfake.BatchRecords(b)
	if err != nil {
		return batch
	}
	if !gatheredAtOnce(records) {
		batch = withoutDeltas(b, records)
	}
	var last int64
	for i := range records {
		last = max(last, records[i].TimestampDelta64)
	}
	attributes := binary.BigEndian.Uint16(batch[batchAttributesAt:])
	binary.BigEndian.PutUint16(batch[batchAttributesAt:], attributes&^attributeLogAppendTime)
	binary.BigEndian.PutUint64(batch[batchFirstTimeAt:], uint64(ms))
	binary.BigEndian.PutUint64(batch[batchMaxTimeAt:], uint64(ms+last))
	sealBatch(batch)
	return batch
}

// gatheredAtOnce reports whether the records' times, relative to the batch's first, are those of a producer that
// gathered them within moments. Others carry the times of what they tell about, and are not the broker's to keep.
func gatheredAtOnce(records []kmsg.Record) bool {
	for i := range records {
		if d := records[i].TimestampDelta64; d < 0 || d > lingerMS {
			return false
		}
	}
	return true
}

// withoutDeltas encodes the batch again, uncompressed, with every record at the batch's first time. It clears the
// deltas of records too.
func withoutDeltas(b kmsg.RecordBatch, records []kmsg.Record) []byte {
	b.Records = nil
	for i := range records {
		r := &records[i]
		r.TimestampDelta, r.TimestampDelta64 = 0, 0
		r.Length = 0 // one byte as a varint: what follows it is the record's length
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		b.Records = r.AppendTo(b.Records)
	}
	b.Attributes &^= attributeCompression
	return b.AppendTo(nil)
}

// sealBatch renews the length and the checksum.
func sealBatch(batch []byte) {
	binary.BigEndian.PutUint32(batch[batchLengthAt:], uint32(len(batch)-batchLengthAt-4))
	binary.BigEndian.PutUint32(batch[batchCRCAt:], batchChecksum(batch))
}

// soundBatch reports whether the bytes are one whole batch whose checksum fits.
func soundBatch(batch []byte) bool {
	return len(batch) >= batchHeaderBytes &&
		int64(binary.BigEndian.Uint32(batch[batchLengthAt:]))+batchLengthAt+4 == int64(len(batch)) &&
		batch[batchMagicAt] == 2 &&
		binary.BigEndian.Uint32(batch[batchCRCAt:]) == batchChecksum(batch)
}

func batchChecksum(batch []byte) uint32 {
	return crc32.Checksum(batch[batchChecksumFrom:], crc32.MakeTable(crc32.Castagnoli))
}
