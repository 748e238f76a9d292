package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// encodeBatch writes records as a broker keeps them, in offsets first, first+1 ... and says that the batch ends at last.
func encodeBatch(first, last int64, attributes int16, producerID int64, baseMS, maxMS int64, records ...kmsg.Record) []byte {
	var packed []byte
	for i, r := range records {
		r.OffsetDelta = int32(i)
		body := r.AppendTo(nil)[1:] // its length is 0 as yet, which takes one byte
		packed = append(binary.AppendVarint(packed, int64(len(body))), body...)
	}
	if kind := compress.Compression(attributes & attributeCompression); kind != 0 {
		var b bytes.Buffer
		w := kind.Codec().NewWriter(&b)
		_, _ = w.Write(packed)
		_ = w.Close()
		packed = b.Bytes()
	}
	b := kmsg.RecordBatch{
		FirstOffset: first, LastOffsetDelta: int32(last - first), Length: int32(batchHeaderBytes - 12 + len(packed)), Magic: 2,
		Attributes: attributes, ProducerID: producerID, FirstTimestamp: baseMS, MaxTimestamp: maxMS,
		NumRecords: int32(len(records)), Records: packed,
	}
	raw := b.AppendTo(nil)
	putChecksum(raw)
	return raw
}

func putChecksum(raw []byte) {
	binary.BigEndian.PutUint32(raw[batchChecksumAt:], crc32.Checksum(raw[batchAttributesAt:], crc32.MakeTable(crc32.Castagnoli)))
}

func record(value string) kmsg.Record { return kmsg.Record{Key: []byte("k"), Value: []byte(value)} }

func readFrom(next int64, data []byte) (answer, error) {
	s := &source{next: next}
	return s.read(data, newAbortedTransactions(nil))
}

func TestTheTimeOfABatchThatTheBrokerStampedIsTheBrokers(t *testing.T) {
	late := record("late")
	late.TimestampDelta64 = -5_000_000_000 // of a producer whose clock is months behind
	for _, test := range []struct {
		name       string
		attributes int16
		want       int64
	}{
		{"the producer's", 0, 1_000_000_000_000 - 5_000_000_000},
		{"the broker's", attributeAppendTime, 1_700_000_000_000},
		{"the broker's, compressed", attributeAppendTime | int16(compress.Zstd), 1_700_000_000_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readFrom(0, encodeBatch(0, 0, test.attributes, -1, 1_000_000_000_000, 1_700_000_000_000, late))
			if err != nil || len(got.messages) != 1 || got.messages[0].TimeMS != test.want {
				t.Errorf("%+v, %v; want the time %d", got, err, test.want)
			}
		})
	}
}

// Brokers keep the end of a batch whose last records they have compacted away.
func TestABatchEndsWhereItsLastRecordWas(t *testing.T) {
	got, err := readFrom(11, encodeBatch(10, 19, 0, -1, 0, 0, record("a")))
	if err != nil || len(got.messages) != 0 || got.end != 20 {
		t.Errorf("%+v, %v; want no message, and to go on at 20", got, err)
	}
	if got, err = readFrom(2, nil); err != nil || len(got.messages) != 0 || got.end != 2 {
		t.Errorf("an empty answer: %+v, %v; want to go on at 2 as before", got, err)
	}
	if got, err := readFrom(20, encodeBatch(10, 19, 0, -1, 0, 0, record("a"))); err == nil {
		t.Errorf("a batch from before what was asked for: %+v; the same would be asked for again and again", got)
	}
}

func TestAHoleBeforeABatchIsSeenAlsoWhenItHoldsNoMessage(t *testing.T) {
	marker := encodeBatch(7, 7, attributeControl|attributeTransactional, 1, 0, 0, record("marker"))
	if got, err := readFrom(3, marker); err != nil || got.start != 7 || got.end != 8 {
		t.Errorf("%+v, %v; what lies between 3 and 7 was perhaps deleted", got, err)
	}
	if got, err := readFrom(7, encodeBatch(5, 8, 0, -1, 0, 0, record("5"), record("6"), record("7"), record("8"))); err != nil || got.start != 7 || len(got.messages) != 2 {
		t.Errorf("a batch that begins earlier: %+v, %v", got, err)
	}
}

func TestWhatIsSoundBeforeAFaultIsHandedOutAndTheFaultComesNext(t *testing.T) {
	sound, spoilt := encodeBatch(0, 1, 0, -1, 0, 0, record("a"), record("b")), encodeBatch(2, 2, 0, -1, 0, 0, record("c"))
	spoilt[len(spoilt)-2] ^= 1
	got, err := readFrom(0, append(sound, spoilt...))
	if err != nil || got.end != 2 || len(got.messages) != 2 {
		t.Fatalf("%+v, %v; want what is sound", got, err)
	}
	if got, err := readFrom(got.end, spoilt); !errors.Is(err, errDamaged) {
		t.Errorf("the damaged batch: %+v, %v", got, err)
	}
	if got, err := readFrom(2, spoilt[:30]); !errors.Is(err, errCutOff) {
		t.Errorf("a part of a batch: %+v, %v", got, err)
	}
	lying := encodeBatch(0, 0, 0, -1, 0, 0, record("a"), record("beyond the end"))
	if got, err := readFrom(0, lying); err == nil {
		t.Errorf("a record beyond the end of its batch: %+v", got)
	}
}

func TestABatchWhoseOffsetsAreImpossibleIsDamaged(t *testing.T) {
	for name, data := range map[string][]byte{
		"before the first":    encodeBatch(-4, 5, 0, -1, 0, 0, record("a")),
		"backwards":           encodeBatch(9, 8, 0, -1, 0, 0, record("a")),
		"with no next":        encodeBatch(math.MaxInt64, math.MaxInt64, 0, -1, 0, 0, record("a")),
		"beyond the last":     encodeBatch(math.MaxInt64-1, math.MinInt64, 0, -1, 0, 0, record("a")),
		"a marker, as bad":    encodeBatch(math.MaxInt64, math.MaxInt64, attributeControl, 1, 0, 0, record("marker")),
		"a set without next":  oldMessage(math.MaxInt64),
		"a set of a negative": oldMessage(-1),
	} {
		if got, err := readFrom(3, data); !errors.Is(err, errOffsets) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	outside := encodeBatch(5, 6, 0, -1, 0, 0, kmsg.Record{Value: []byte("a")}, record("b"))
	at := batchHeaderBytes + 3 // of the first record's offset, which is 0
	outside[at] = 1            // -1
	putChecksum(outside)
	if got, err := readFrom(3, outside); err == nil {
		t.Errorf("a record from before its batch: %+v", got)
	}
}

// encodeSet writes messages of the time before batches.
func encodeSet(kind compress.Compression, messages ...protocol.Record) []byte {
	set := protocol.RecordSet{Version: 1, Attributes: protocol.Attributes(kind), Records: protocol.NewRecordReader(messages...)}
	var raw bytes.Buffer
	if _, err := set.WriteTo(&raw); err != nil {
		panic(err)
	}
	return raw.Bytes()[4:]
}

// oldMessage writes a message of that time as if it had an offset.
func oldMessage(offset int64) []byte {
	data := encodeSet(compress.None, protocol.Record{Time: time.UnixMilli(1_400_000_000_000), Value: protocol.NewBytes([]byte("old"))})
	binary.BigEndian.PutUint64(data, uint64(offset))
	return data
}

func TestEveryFlippedByteOfABatchIsFound(t *testing.T) {
	batch := encodeBatch(0, 2, int16(compress.Snappy), -1, 1, 2, record("a"), record("b"), record(strings.Repeat("c", 100)))
	for i := batchMagicAt; i < len(batch); i++ { // offset, length and leader epoch are the broker's, and not in the checksum
		spoilt := bytes.Clone(batch)
		spoilt[i] ^= 0x40
		if got, err := readFrom(0, spoilt); err == nil && len(got.messages) > 0 {
			t.Errorf("byte %d flipped: %d messages", i, len(got.messages))
		}
	}
}

func TestMessagesOfTheTimeBeforeBatchesAreRead(t *testing.T) {
	at := time.UnixMilli(1_400_000_000_000)
	for _, kind := range []compress.Compression{compress.None, compress.Gzip} {
		data := encodeSet(kind,
			protocol.Record{Offset: 0, Time: at, Key: protocol.NewBytes([]byte("k")), Value: protocol.NewBytes([]byte("old"))},
			protocol.Record{Offset: 1, Time: at, Value: protocol.NewBytes([]byte("older"))},
		)
		if kind != compress.None {
			data[7] = 1 // as brokers do it, a compressed set has the offset of its last message
		}
		got, err := readFrom(0, data)
		want := []Message{
			{Offset: 0, TimeMS: at.UnixMilli(), Key: []byte("k"), Value: []byte("old")},
			{Offset: 1, TimeMS: at.UnixMilli(), Value: []byte("older")},
		}
		if diff := cmp.Diff(want, got.messages); err != nil || diff != "" || got.end != 2 {
			t.Errorf("compression %v: next %d, %v: %s", kind, got.end, err, diff)
		}
	}
}

func FuzzBatches(f *testing.F) {
	f.Add(encodeBatch(0, 1, 0, -1, 1, 2, record("a"), record("b")))
	f.Add(encodeBatch(5, 9, int16(compress.Lz4)|attributeTransactional, 7, 1, 2, record("a")))
	f.Add(encodeBatch(0, 0, attributeControl, 7, 1, 2, record("a")))
	f.Add(encodeBatch(math.MaxInt64-1, math.MaxInt64-1, 0, -1, 1, 2, record("a")))
	f.Add(encodeBatch(math.MaxInt64, math.MaxInt64, 0, -1, 1, 2, record("a")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > batchHeaderBytes && data[batchMagicAt] == 2 { // or the checksum would keep all but the seeds out
			binary.BigEndian.PutUint32(data[batchLengthAt:], uint32(len(data)-batchLengthAt-4))
			putChecksum(data)
		}
		got, err := readFrom(3, data)
		if err != nil {
			return
		}
		last := int64(2)
		for _, m := range got.messages {
			if m.Offset < 3 || m.Offset >= got.end {
				t.Errorf("message %d in an answer from 3 to %d", m.Offset, got.end)
			}
			last = max(last, m.Offset)
		}
		if got.end < 3 || got.start < 3 || last >= got.end && len(got.messages) > 0 {
			t.Errorf("the answer lies from %d to %d", got.start, got.end)
		}
	})
}
