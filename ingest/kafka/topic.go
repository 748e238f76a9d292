package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/diurna-health/diurna/schemas"
)

// Config says where the topic is.
type Config struct {
	Brokers  []string // host:port of any brokers of the cluster
	Topic    string
	ClientID string // how the brokers' operators see us; "" = "diurna"

	// MaxBytes is how much one fetch asks for; a larger message still comes, alone. 0 = 1 MiB.
	MaxBytes int
	// MaxWait is how long a broker holds a fetch when it has nothing. 0 = 500 ms.
	MaxWait time.Duration
	// RequestTimeout is how long any answer may take, MaxWait not counted. 0 = 10 s.
	RequestTimeout time.Duration
	// Attempts is how often a request is tried while the cluster is unreachable or choosing a leader, with growing
	// pauses, before the error is returned. 0 = 8, whose pauses add up to 11 s.
	Attempts int
}

// An Identity tells sources apart: offsets mean something only within one.
type Identity struct {
	ClusterID string
	Topic     string
}

// String returns cluster/topic.
func (id Identity) String() string { return id.ClusterID + "/" + id.Topic }

// A Topic is a connection to the cluster that holds the topic. Its methods may be called from any goroutine.
type Topic struct {
	cfg        Config
	transport  *kafkago.Transport
	client     *kafkago.Client
	identity   Identity
	partitions []int32
}

// Open connects to the cluster and looks the topic up. The error is a *schemas.Error with CodeNotFound when the cluster
// has no such topic.
func Open(ctx context.Context, cfg Config) (*Topic, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Brokers) == 0 || cfg.Topic == "" {
		return nil, &schemas.Error{Code: schemas.CodeInvalid, Message: "no Kafka broker, or no topic, was given"}
	}
	transport := &kafkago.Transport{ClientID: cfg.ClientID, DialTimeout: cfg.RequestTimeout, MetadataTopics: []string{cfg.Topic}}
	t := &Topic{
		cfg:       cfg,
		transport: transport,
		client:    &kafkago.Client{Addr: kafkago.TCP(cfg.Brokers...), Timeout: cfg.RequestTimeout, Transport: transport},
	}
	if err := t.lookUp(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Identity returns what tells this topic apart from others of its name.
func (t *Topic) Identity() Identity { return t.identity }

// Partitions returns the numbers of the topic's partitions, rising.
func (t *Topic) Partitions() []int32 { return slices.Clone(t.partitions) }

// Close ends the connections. Sources and producers of the topic must be closed before.
func (t *Topic) Close() { t.transport.CloseIdleConnections() }

func (t *Topic) lookUp(ctx context.Context) error {
	var meta *kafkago.MetadataResponse
	err := t.retry(ctx, func(ctx context.Context) (err error) {
		if meta, err = t.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{t.cfg.Topic}}); err != nil {
			return err
		}
		if len(meta.Topics) != 1 {
			return fmt.Errorf("the cluster's answer speaks of %d topics", len(meta.Topics))
		}
		return meta.Topics[0].Error
	})
	if errors.Is(err, kafkago.UnknownTopicOrPartition) {
		return &schemas.Error{Code: schemas.CodeNotFound,
			Message: fmt.Sprintf("the Kafka cluster at %s has no topic %q: make it, or name another", t.where(), t.cfg.Topic)}
	}
	if err != nil {
		return fmt.Errorf("look up topic %s at %s: %w", t.cfg.Topic, t.where(), err)
	}
	t.identity = Identity{ClusterID: meta.ClusterID, Topic: t.cfg.Topic}
	for _, p := range meta.Topics[0].Partitions {
		t.partitions = append(t.partitions, int32(p.ID))
	}
	slices.Sort(t.partitions)
	return nil
}

// bounds returns the first offset of a partition and the one after the last that can be read.
func (t *Topic) bounds(ctx context.Context, partition int32) (earliest, latest int64, err error) {
	err = t.retry(ctx, func(ctx context.Context) error {
		resp, err := t.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{
			Topics:         map[string][]kafkago.OffsetRequest{t.cfg.Topic: {kafkago.FirstOffsetOf(int(partition)), kafkago.LastOffsetOf(int(partition))}},
			IsolationLevel: kafkago.ReadCommitted,
		})
		if err != nil {
			return err
		}
		for _, p := range resp.Topics[t.cfg.Topic] {
			if p.Partition == int(partition) {
				earliest, latest = p.FirstOffset, p.LastOffset
				return p.Error
			}
		}
		return fmt.Errorf("the cluster's answer does not speak of partition %d", partition)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets of partition %d: %w", partition, err)
	}
	return earliest, latest, nil
}

// retry calls do, each time with a deadline, until it succeeds, fails for good, or has been tried often enough.
func (t *Topic) retry(ctx context.Context, do func(context.Context) error) error {
	pause := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := t.once(ctx, do)
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // the connection's deadline is the context's, and may be told first
		}
		if err == nil || !isTemporary(err) || attempt >= t.cfg.Attempts {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func (t *Topic) once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.RequestTimeout+t.cfg.MaxWait)
	defer cancel()
	return do(ctx)
}

func (t *Topic) where() string { return strings.Join(t.cfg.Brokers, ", ") }

func (cfg Config) withDefaults() Config {
	if cfg.ClientID == "" {
		cfg.ClientID = "diurna"
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = 500 * time.Millisecond
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = 10 * time.Second
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 8
	}
	return cfg
}
