package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/diurna-health/diurna/schemas"
)

// MaxValueBytes is the largest value a Producer sends.
const MaxValueBytes = 16<<20 - 64<<10 // the broker's limit is of the batch, and the rest of it needs room

// groupBytes is about how much is under way at a time, and less where the topic allows no more in one batch.
const groupBytes = 512 << 10

// batchRoomBytes is what the limit of a topic must leave for all of a batch with one message but its value: its header,
// the key, the content type.
const batchRoomBytes = 512

// A Record is a message to send.
type Record struct {
	Key         string // the user's id: it decides the partition
	Value       []byte
	ContentType string // "" = none is given, and the receiver looks at the bytes
	Headers     []Header
}

// A Header is something said about a message beside it. Ingest reads none but the content type.
type Header struct{ Key, Value string }

// Positions tells, by partition, the offset after the last message sent there.
type Positions map[int32]int64

// Add takes over the positions of p that lie further on.
func (ps Positions) Add(p Positions) {
	for partition, end := range p {
		if end > ps[partition] {
			ps[partition] = end
		}
	}
}

// A Producer sends messages to the topic. Its methods may be called from any goroutine; order is kept within a call and
// between calls that follow each other.
type Producer struct {
	topic    *Topic
	writer   *kafkago.Writer
	maxValue int // bytes of one value
	maxGroup int // bytes under way at a time
}

// Producer returns a producer for the topic.
func (t *Topic) Producer() *Producer {
	p := &Producer{topic: t, maxValue: MaxValueBytes, maxGroup: groupBytes}
	if most := t.settings.maxMessageBytes; most > 0 {
		p.maxValue = min(p.maxValue, max(0, most-batchRoomBytes))
		p.maxGroup = min(p.maxGroup, p.maxValue)
	}
	p.writer = &kafkago.Writer{
		Addr:         t.client.Addr,
		Topic:        t.cfg.Topic,
		Balancer:     kafkago.Murmur2Balancer{},
		MaxAttempts:  t.cfg.Attempts,
		BatchSize:    10_000, // groups are cut by bytes, in Publish
		BatchBytes:   MaxValueBytes + 64<<10,
		BatchTimeout: time.Millisecond,
		WriteTimeout: t.cfg.RequestTimeout,
		RequiredAcks: kafkago.RequireAll, // the library's own default is none at all
		Completion:   complete,
		Transport:    t.transport,
	}
	return p
}

// Publish sends the records and returns, once all are acknowledged, how far they reach. A record that is too large is a
// *schemas.Error with CodeInvalid, and nothing is sent. After any other error some may have been stored, also some that
// follow one that was not: send all of them again, in the same order; what comes twice changes nothing.
func (p *Producer) Publish(ctx context.Context, records []Record) (Positions, error) {
	for i := range records {
		if size := len(records[i].Value); size > p.maxValue {
			return nil, p.tooLarge(i+1, len(records), size)
		}
	}

	c := &call{ends: Positions{}}
	var group []kafkago.Message
	var bytes int
	for i := range records {
		m := c.message(&records[i])
		size := len(m.Key) + len(m.Value) + recordOverheadBytes
		if len(group) > 0 && bytes+size > p.maxGroup {
			if err := p.send(ctx, group); err != nil {
				return c.positions(), err
			}
			group, bytes = group[:0], 0
		}
		group, bytes = append(group, m), bytes+size
	}
	if len(group) > 0 {
		if err := p.send(ctx, group); err != nil {
			return c.positions(), err
		}
	}
	return c.positions(), nil
}

func (p *Producer) tooLarge(number, of, size int) error {
	remedy := "cut the batch in two"
	if p.maxValue < MaxValueBytes {
		remedy += ", or raise the topic's max.message.bytes"
	}
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(
		"message %d of %d has %d bytes, more than the %d that one message may have: %s", number, of, size, p.maxValue, remedy)}
}

func hasNoLeader(err error) bool {
	each, ok := errors.AsType[kafkago.WriteErrors](err)
	if !ok {
		return errors.Is(err, protocol.ErrNoLeader)
	}
	return slices.ContainsFunc(each, func(one error) bool { return errors.Is(one, protocol.ErrNoLeader) })
}

// Close waits for what is under way.
func (p *Producer) Close() error {
	if err := p.writer.Close(); err != nil {
		return fmt.Errorf("close producer: %w", err)
	}
	return nil
}

// recordOverheadBytes is a generous guess of what a record takes beside its key and value.
const recordOverheadBytes = 64

func (p *Producer) send(ctx context.Context, group []kafkago.Message) error {
	// The writer tries again by itself, but not while a partition has no leader, as in the seconds after brokers start.
	// The whole group is sent again: what comes twice keeps its order.
	err := p.topic.retryWhile(ctx, hasNoLeader, func(ctx context.Context) error { return p.writer.WriteMessages(ctx, group...) })
	if each, ok := errors.AsType[kafkago.WriteErrors](err); ok {
		for _, one := range each {
			if one != nil {
				return fmt.Errorf("publish: %d of %d messages were not stored: %w", each.Count(), len(each), one)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("publish %d messages: %w", len(group), err)
	}
	return nil
}

// A call is what one Publish learns of its messages. It travels with each of them.
type call struct {
	mu   sync.Mutex
	ends Positions
}

func (c *call) message(r *Record) kafkago.Message {
	m := kafkago.Message{Key: []byte(r.Key), Value: r.Value, WriterData: c}
	if r.ContentType != "" {
		m.Headers = []kafkago.Header{{Key: contentTypeHeader, Value: []byte(r.ContentType)}}
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, kafkago.Header{Key: h.Key, Value: []byte(h.Value)})
	}
	return m
}

// positions returns a copy: a message that was given up may still be acknowledged later.
func (c *call) positions() Positions {
	c.mu.Lock()
	defer c.mu.Unlock()
	ends := Positions{}
	ends.Add(c.ends)
	return ends
}

// complete is called by the writer with every batch that was acknowledged or given up.
func complete(msgs []kafkago.Message, err error) {
	if err != nil {
		return
	}
	for i := range msgs {
		c, ok := msgs[i].WriterData.(*call)
		if !ok {
			continue
		}
		c.mu.Lock()
		c.ends.Add(Positions{int32(msgs[i].Partition): msgs[i].Offset + 1})
		c.mu.Unlock()
	}
}
