package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
)

// A batch is what producers send and brokers store: some records, together.
type batch struct {
	first, last int64 // offsets; last also when its record was compacted away
	producerID  int64
	attributes  int16
	baseTimeMS  int64
	maxTimeMS   int64
	count       int
	records     []byte // packed as attributes say

	old []protocol.RecordReader // of a message set of the time before batches, instead of records
}

// Attributes of a batch.
const (
	attributeCompression   = 0x07
	attributeAppendTime    = 0x08 // its time is the broker's
	attributeTransactional = 0x10
	attributeControl       = 0x20 // it holds a marker and no message
)

// Layout of a batch. Message sets of the time before begin alike, up to the magic byte.
const (
	batchLengthAt     = 8 // what follows the length itself
	batchMagicAt      = 16
	batchChecksumAt   = 17
	batchAttributesAt = 21
	batchHeaderBytes  = 61
)

// maxUnpackedBytes bounds what a few compressed bytes can grow to. A batch is 16 MiB at most where its sender did not
// compress it.
const maxUnpackedBytes = 512 << 20

var (
	errCutOff  = errors.New("the broker sent only part of a batch")
	errDamaged = errors.New("a batch is damaged: its checksum does not fit")

	// The checksum is no help here: it leaves out the first offset, which brokers write.
	errOffsets = errors.New("a batch is damaged: its offsets are none that a partition can have")
)

// nextBatch takes the first batch off data. It returns errCutOff when only part of it is there.
func nextBatch(data []byte) (b batch, rest []byte, err error) {
	if len(data) <= batchMagicAt {
		return batch{}, nil, errCutOff
	}
	size := int64(batchLengthAt+4) + int64(int32(binary.BigEndian.Uint32(data[batchLengthAt:])))
	if size <= batchMagicAt {
		return batch{}, nil, errDamaged
	}
	if size > int64(len(data)) {
		return batch{}, nil, errCutOff
	}
	data, rest = data[:size], data[size:]
	switch magic := data[batchMagicAt]; magic {
	case 0, 1:
		b, err = readMessageSet(data)
	case 2:
		b, err = readBatch(data)
	default:
		err = fmt.Errorf("a batch has format %d, which this program does not know", magic)
	}
	if err == nil && (b.first < 0 || b.last < b.first || b.last == math.MaxInt64) { // after the last one there is always a next
		err = errOffsets
	}
	return b, rest, err
}

func readBatch(data []byte) (batch, error) {
	if len(data) < batchHeaderBytes {
		return batch{}, errDamaged
	}
	if crc32.Checksum(data[batchAttributesAt:], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(data[batchChecksumAt:]) {
		return batch{}, errDamaged
	}
	first := int64(binary.BigEndian.Uint64(data))
	return batch{
		first:      first,
		attributes: int16(binary.BigEndian.Uint16(data[21:])),
		last:       first + int64(int32(binary.BigEndian.Uint32(data[23:]))),
		baseTimeMS: int64(binary.BigEndian.Uint64(data[27:])),
		maxTimeMS:  int64(binary.BigEndian.Uint64(data[35:])),
		producerID: int64(binary.BigEndian.Uint64(data[43:])),
		count:      int(int32(binary.BigEndian.Uint32(data[57:]))),
		records:    data[batchHeaderBytes:],
	}, nil
}

// readMessageSet has kafka-go read a message of the time before batches, or a compressed set of them.
func readMessageSet(data []byte) (batch, error) {
	sized := append(binary.BigEndian.AppendUint32(make([]byte, 0, len(data)+4), uint32(len(data))), data...)
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bufio.NewReader(bytes.NewReader(sized))); err != nil {
		return batch{}, err
	}
	last := int64(binary.BigEndian.Uint64(data))
	b := batch{first: last, last: last, producerID: -1}
	if stream, ok := set.Records.(*protocol.RecordStream); ok {
		b.old = stream.Records
	}
	return b, nil
}

func (b *batch) isControl() bool       { return b.attributes&attributeControl != 0 }
func (b *batch) isTransactional() bool { return b.attributes&attributeTransactional != 0 }

// messages calls yield with every message of the batch.
func (b *batch) messages(partition int32, yield func(Message)) error {
	if b.old != nil {
		return b.oldMessages(partition, yield)
	}
	data, err := b.unpack()
	if err != nil {
		return err
	}
	r := recordReader{data: data}
	for range b.count {
		m, err := r.next(b)
		if err != nil {
			return fmt.Errorf("batch at offset %d: %w", b.first, err)
		}
		if m.Offset < b.first || m.Offset > b.last {
			return fmt.Errorf("batch at offset %d: a record says it is %d, outside of it", b.first, m.Offset)
		}
		m.Partition = partition
		yield(m)
	}
	return nil
}

func (b *batch) unpack() ([]byte, error) {
	kind := compress.Compression(b.attributes & attributeCompression)
	if kind == compress.None {
		return b.records, nil
	}
	codec := kind.Codec()
	if codec == nil {
		return nil, fmt.Errorf("the batch at offset %d is compressed in way %d, which this program does not know", b.first, kind)
	}
	reader := codec.NewReader(bytes.NewReader(b.records))
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, maxUnpackedBytes+1))
	if err != nil {
		return nil, fmt.Errorf("unpack the batch at offset %d: %w", b.first, err)
	}
	if len(data) > maxUnpackedBytes {
		return nil, fmt.Errorf("the batch at offset %d unpacks to more than %d bytes", b.first, maxUnpackedBytes)
	}
	return data, nil
}

// A recordReader reads the records of a batch one after the other.
type recordReader struct{ data []byte }

var errRecord = errors.New("a record is longer than what is there of it")

// next reads a record. Its key and value are copies: nobody knows for how long the receiver keeps them, and the batch
// is to go.
func (r *recordReader) next(b *batch) (Message, error) {
	size, ok := r.varint()
	if !ok || size < 1 || size > int64(len(r.data)) {
		return Message{}, errRecord
	}
	one := recordReader{data: r.data[1:size]} // its first byte is a set of attributes that have no meaning yet
	r.data = r.data[size:]

	time, ok1 := one.varint()
	offset, ok2 := one.varint()
	key, ok3 := one.bytes()
	value, ok4 := one.bytes()
	count, ok5 := one.varint()
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return Message{}, errRecord
	}
	m := Message{Offset: b.first + offset, TimeMS: b.baseTimeMS + time}
	if b.attributes&attributeAppendTime != 0 {
		m.TimeMS = b.maxTimeMS // the broker's, one for the batch; the records still have their producer's
	}
	both := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	if key != nil {
		m.Key = both[:len(key):len(key)]
	}
	if value != nil {
		m.Value = both[len(key):]
	}
	for range count {
		name, ok1 := one.bytes()
		value, ok2 := one.bytes()
		if !ok1 || !ok2 {
			return Message{}, errRecord
		}
		if string(name) == contentTypeHeader {
			m.ContentType = string(value)
		}
	}
	return m, nil
}

func (r *recordReader) varint() (int64, bool) {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		return 0, false
	}
	r.data = r.data[n:]
	return v, true
}

// bytes returns the next bytes, nil when there are none: a record tells nothing from empty.
func (r *recordReader) bytes() ([]byte, bool) {
	size, ok := r.varint()
	switch {
	case !ok || size > int64(len(r.data)):
		return nil, false
	case size < 0:
		return nil, true
	}
	b := r.data[:size:size]
	r.data = r.data[size:]
	return b, true
}

func (b *batch) oldMessages(partition int32, yield func(Message)) error {
	for _, reader := range b.old {
		for {
			record, err := reader.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			m := Message{Partition: partition, Offset: record.Offset, TimeMS: unixMilli(record.Time)}
			if m.Offset > b.last { // kafka-go takes the offsets within a compressed set for relative, which the oldest are not
				return fmt.Errorf("set at offset %d: a message says it is %d, beyond the end", b.last, m.Offset)
			}
			if m.Key, err = takeBytes(record.Key); err != nil {
				return err
			}
			if m.Value, err = takeBytes(record.Value); err != nil {
				return err
			}
			yield(m)
		}
	}
	return nil
}

// unixMilli returns 0 for a message of the time before messages had times.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// takeBytes copies b and gives its pages back.
func takeBytes(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	return protocol.ReadAll(b)
}
