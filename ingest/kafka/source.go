package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Source hands out the messages of one partition, in order. It is for one goroutine.
type Source interface {
	// Fetch returns the next message; it waits until there is one or ctx ends. The error is a *GapError or ErrRewound
	// when the next message can never be had; both are returned again by every later call. It is ErrStalled when there
	// is one and it does not come. After that and any other error the next call goes on where this one was.
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
// deleted, ErrRewound when the partition ends before the offset, ErrRecreated when the topic is no longer the one that was
// opened.
func (t *Topic) Source(ctx context.Context, partition int32, from int64) (Source, error) {
	s := &source{topic: t, partition: partition, next: from}
	if err := t.checkIdentity(ctx); err != nil {
		return nil, fmt.Errorf("partition %d: %w", partition, err)
	}
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
	if m, ok := s.take(); ok {
		return m, nil
	}
	watch := newWatchdog(s)
	defer watch.stop()
	for {
		if s.lost != nil {
			return Message{}, s.lost
		}
		if err := s.fill(ctx); err != nil {
			return Message{}, err
		}
		if m, ok := s.take(); ok {
			return m, nil
		}
		if err := watch.check(ctx); err != nil {
			return Message{}, err
		}
	}
}

// take hands out the next message of the last answer.
func (s *source) take() (Message, bool) {
	if len(s.fetched) == 0 {
		return Message{}, false
	}
	m := s.fetched[0]
	s.fetched[0] = Message{} // its bytes are the receiver's now
	s.fetched = s.fetched[1:]
	s.next = m.Offset + 1
	if len(s.fetched) == 0 {
		s.next = s.end
	}
	return m, true
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
	var part *kmsg.FetchResponseTopicPartition
	err := s.topic.retry(ctx, func(ctx context.Context) (err error) {
		part, err = s.request(ctx)
		if mayBeAnotherTopic(err) {
			// Or a broker that has not yet heard of the topic, because one of them has just started.
			if another := s.topic.checkIdentity(ctx); another != nil {
				return another
			}
		}
		return err
	})
	switch {
	case errors.Is(err, kafkago.OffsetOutOfRange):
		// nil when more came, or less was deleted, between the two answers: ask again.
		return s.checkBounds(ctx)
	case errors.Is(err, ErrRecreated):
		s.lost = fmt.Errorf("partition %d: %w", s.partition, err)
		return s.lost
	case err != nil:
		return fmt.Errorf("fetch partition %d from offset %d: %w", s.partition, s.next, err)
	}

	got, err := s.read(part.RecordBatches, newAbortedTransactions(part.AbortedTransactions))
	if err != nil {
		return fmt.Errorf("read partition %d from offset %d: %w", s.partition, s.next, err)
	}
	if got.start > s.next {
		// Either what was there was compacted away, or it was deleted this moment: the partition's start tells.
		if err := s.checkBounds(ctx); err != nil {
			return err
		}
	}
	s.fetched, s.end = got.messages, got.end
	if len(got.messages) == 0 {
		s.next = got.end
	}
	return nil
}

// checkBounds asks for the ends of the partition and returns the loss when next does not lie between them.
func (s *source) checkBounds(ctx context.Context) error {
	earliest, latest, err := s.topic.bounds(ctx, s.partition)
	if err != nil {
		return err
	}
	if s.next >= earliest && s.next <= latest {
		return nil
	}
	// The ends of another topic say nothing about what was lost of this one.
	if err := s.topic.checkIdentity(ctx); err != nil {
		s.lost = fmt.Errorf("partition %d: %w", s.partition, err)
		return s.lost
	}
	s.lost = fmt.Errorf("partition %d, offset %d of %d: %w", s.partition, s.next, latest, ErrRewound)
	if s.next < earliest {
		s.lost = &GapError{Partition: s.partition, From: s.next, To: earliest}
	}
	return s.lost
}

// request asks the partition's leader for what follows next. It names the topic by its id, where brokers know ids: a
// topic of the same name made a moment ago is refused and not read.
func (s *source) request(ctx context.Context) (*kmsg.FetchResponseTopicPartition, error) {
	cfg := s.topic.cfg
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(cfg.MaxWait.Milliseconds())
	req.MinBytes = 1
	req.MaxBytes = int32(cfg.MaxBytes)
	req.IsolationLevel = int8(kafkago.ReadCommitted)
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = cfg.Topic, s.topic.id
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition = s.partition
	partition.FetchOffset = s.next
	partition.PartitionMaxBytes = req.MaxBytes
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)

	resp, err := ask[*kmsg.FetchResponse](ctx, s.topic, exchange{req: req, maxVersion: maxFetchVersion, leaderOf: s.partition})
	if err != nil {
		return nil, err
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

// mayBeAnotherTopic reports whether the brokers do not know the topic that was asked for.
func mayBeAnotherTopic(err error) bool {
	return errors.Is(err, kafkago.UnknownTopicID) || errors.Is(err, kafkago.InconsistentTopicID) ||
		errors.Is(err, kafkago.UnknownTopicOrPartition)
}

// An answer is what one fetch brought.
type answer struct {
	messages []Message
	start    int64 // of its first batch
	end      int64 // what to ask for next: after its last batch, whether or not the last records are there and messages
}

// read takes the messages out of the batches of an answer.
func (s *source) read(data []byte, aborted *abortedTransactions) (answer, error) {
	got := answer{start: s.next, end: s.next}
	for first := true; len(data) > 0; first = false {
		b, rest, err := nextBatch(data)
		if err == nil {
			err = s.takeBatch(&got, &b, aborted)
		}
		if err != nil && !first {
			// What comes before the fault is sound. The next request starts with the fault: a batch that was cut off
			// then comes whole, and one that is damaged comes first.
			return got, nil
		}
		if err != nil {
			return answer{}, err
		}
		if first {
			got.start = max(b.first, s.next)
		}
		data = rest
	}
	return got, nil
}

func (s *source) takeBatch(got *answer, b *batch, aborted *abortedTransactions) error {
	if b.last < got.end {
		return errors.New("the broker answers with offsets that were not asked for")
	}
	if !aborted.hides(b) {
		before := len(got.messages)
		err := b.messages(s.partition, func(m Message) {
			if m.Offset >= s.next { // a batch is sent whole, also when it starts before what was asked for
				got.messages = append(got.messages, m)
			}
		})
		if err != nil {
			got.messages = got.messages[:before]
			return err
		}
	}
	got.end = b.last + 1
	return nil
}
