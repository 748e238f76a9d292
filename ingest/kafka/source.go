package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// A Source hands out the messages of one partition, in order. It is for one goroutine.
type Source interface {
	// Fetch returns the next message; it waits until there is one or ctx ends. The error is a *GapError or ErrRewound
	// when the next message can never be had; both are returned again by every later call. After any other error the
	// next call goes on where this one was.
	Fetch(ctx context.Context) (Message, error)
	// Earliest returns the first offset that the partition still has.
	Earliest(ctx context.Context) (int64, error)
	// Latest returns the offset after the last message that can be read.
	Latest(ctx context.Context) (int64, error)
	// Next returns the offset from which Fetch goes on: everything below it was handed out, or held no message.
	Next() int64
	// Identity returns whose offsets these are.
	Identity() Identity
}

// A Message is one message of a partition. Its bytes belong to the receiver.
type Message struct {
	Partition   int32
	Offset      int64
	TimeMS      int64 // since 1970-01-01 UTC
	Key, Value  []byte
	ContentType string // of the header content-type; "" when there is none
}

// contentTypeHeader is the header that tells protobuf from JSON.
const contentTypeHeader = "content-type"

// Source returns the messages of a partition from an offset on. The error is a *GapError when some of them are already
// deleted, ErrRewound when the partition ends before the offset.
func (t *Topic) Source(ctx context.Context, partition int32, from int64) (Source, error) {
	s := &source{topic: t, partition: partition, next: from}
	if err := s.checkBounds(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

type source struct {
	topic     *Topic
	partition int32
	next      int64
	fetched   []Message // of the last answer, not yet handed out
	end       int64     // where next stands once they are
	lost      error     // GapError or ErrRewound: nothing comes after it
}

func (s *source) Fetch(ctx context.Context) (Message, error) {
	for {
		if s.lost != nil {
			return Message{}, s.lost
		}
		if len(s.fetched) > 0 {
			m := s.fetched[0]
			s.fetched[0] = Message{} // its bytes are the receiver's now
			s.fetched = s.fetched[1:]
			s.next = m.Offset + 1
			if len(s.fetched) == 0 {
				s.next = s.end
			}
			return m, nil
		}
		if err := s.fill(ctx); err != nil {
			return Message{}, err
		}
	}
}

func (s *source) Earliest(ctx context.Context) (int64, error) {
	earliest, _, err := s.topic.bounds(ctx, s.partition)
	return earliest, err
}

func (s *source) Latest(ctx context.Context) (int64, error) {
	_, latest, err := s.topic.bounds(ctx, s.partition)
	return latest, err
}

func (s *source) Next() int64 { return s.next }

func (s *source) Identity() Identity { return s.topic.identity }

// fill asks for what follows next. It returns nil with nothing fetched when there is nothing yet.
func (s *source) fill(ctx context.Context) error {
	var part *fetch.ResponsePartition
	err := s.topic.retry(ctx, func(ctx context.Context) (err error) {
		part, err = s.request(ctx)
		return err
	})
	if errors.Is(err, kafkago.OffsetOutOfRange) {
		// nil when more came, or less was deleted, between the two answers: ask again.
		return s.checkBounds(ctx)
	}
	if err != nil {
		return fmt.Errorf("fetch partition %d from offset %d: %w", s.partition, s.next, err)
	}

	msgs, end, err := s.read(part)
	if err != nil {
		return fmt.Errorf("read partition %d from offset %d: %w", s.partition, s.next, err)
	}
	if len(msgs) > 0 && msgs[0].Offset > s.next {
		// Either nothing was ever to be read there, or it was deleted this moment: the partition's start tells.
		if err := s.checkBounds(ctx); err != nil {
			return err
		}
	}
	s.fetched, s.end = msgs, end
	if len(msgs) == 0 {
		s.next = end
	}
	return nil
}

// checkBounds asks for the ends of the partition and returns the loss when next does not lie between them.
func (s *source) checkBounds(ctx context.Context) error {
	earliest, latest, err := s.topic.bounds(ctx, s.partition)
	switch {
	case err != nil:
		return err
	case s.next < earliest:
		s.lost = &GapError{Partition: s.partition, From: s.next, To: earliest}
	case s.next > latest:
		s.lost = fmt.Errorf("partition %d, offset %d of %d: %w", s.partition, s.next, latest, ErrRewound)
	}
	return s.lost
}

func (s *source) request(ctx context.Context) (*fetch.ResponsePartition, error) {
	cfg := s.topic.cfg
	answer, err := s.topic.transport.RoundTrip(ctx, s.topic.client.Addr, &fetch.Request{
		ReplicaID:      -1,
		MaxWaitTime:    int32(cfg.MaxWait.Milliseconds()),
		MinBytes:       1,
		MaxBytes:       int32(cfg.MaxBytes),
		IsolationLevel: int8(kafkago.ReadCommitted),
		SessionID:      -1, // no fetch session: every request says all it wants
		SessionEpoch:   -1,
		Topics: []fetch.RequestTopic{{
			Topic: cfg.Topic,
			Partitions: []fetch.RequestPartition{{
				Partition:          s.partition,
				CurrentLeaderEpoch: -1,
				FetchOffset:        s.next,
				LogStartOffset:     -1,
				PartitionMaxBytes:  int32(cfg.MaxBytes),
			}},
		}},
	})
	if err != nil {
		return nil, err
	}
	resp, ok := answer.(*fetch.Response)
	if !ok {
		return nil, fmt.Errorf("the answer to a fetch is a %T", answer)
	}
	if resp.ErrorCode != 0 {
		return nil, kafkago.Error(resp.ErrorCode)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errors.New("the answer to a fetch does not speak of the partition")
	}
	part := &resp.Topics[0].Partitions[0]
	if part.ErrorCode != 0 {
		return nil, kafkago.Error(part.ErrorCode)
	}
	return part, nil
}

// read takes the messages out of an answer. end is the offset to ask for next: after the last message, and after
// markers and aborted records that follow it.
func (s *source) read(part *fetch.ResponsePartition) (msgs []Message, end int64, err error) {
	end = s.next
	batches := []protocol.RecordReader{}
	switch records := part.RecordSet.Records.(type) {
	case nil:
	case *protocol.RecordStream:
		batches = records.Records
	default:
		batches = append(batches, records)
	}

	aborted := newAbortedTransactions(part.AbortedTransactions)
	for _, batch := range batches {
		hidden := aborted.hides(batch)
		for {
			record, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, 0, err
			}
			m, err := s.message(record)
			if err != nil {
				return nil, 0, err
			}
			if m.Offset < s.next {
				continue // a batch is sent whole, also when it starts before what was asked for
			}
			end = m.Offset + 1
			if !hidden {
				msgs = append(msgs, m)
			}
		}
	}
	if len(batches) > 0 && end == s.next {
		// The batch that spans next was compacted and no longer has a record there or after. The protocol library
		// does not tell where it ends, so the next offset is tried.
		end++
	}
	return msgs, end, nil
}

func (s *source) message(r *protocol.Record) (Message, error) {
	m := Message{Partition: s.partition, Offset: r.Offset, TimeMS: r.Time.UnixMilli()}
	var err error
	if m.Key, err = takeBytes(r.Key); err != nil {
		return Message{}, err
	}
	if m.Value, err = takeBytes(r.Value); err != nil {
		return Message{}, err
	}
	for _, h := range r.Headers {
		if h.Key == contentTypeHeader {
			m.ContentType = string(h.Value)
		}
	}
	return m, nil
}

// takeBytes copies b and gives its pages back.
func takeBytes(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer b.Close()
	return protocol.ReadAll(b)
}
