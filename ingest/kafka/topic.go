package kafka

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/diurna-health/diurna/schemas"
)

// Config says where the topic is.
type Config struct {
	Brokers  []string // host:port of any brokers of the cluster
	Topic    string
	ClientID string // how the brokers' operators see us; "" = "diurna"
	Security Security

	// MaxBytes is how much one fetch asks for; a larger message still comes, alone. 0 = 1 MiB.
	MaxBytes int
	// PrefetchBytes is how much the fetches of all partitions together ask for: MaxBytes is lowered for it, though not below
	// 64 KiB. 0 = whatever it comes to.
	PrefetchBytes int
	// MaxWait is how long a broker holds a fetch when it has nothing. 0 = 500 ms.
	MaxWait time.Duration
	// RequestTimeout is how long any answer may take, MaxWait not counted. 0 = 10 s.
	RequestTimeout time.Duration
	// Attempts is how often a request is tried while the cluster is unreachable or choosing a leader, with growing
	// pauses, before the error is returned. 0 = 8, whose pauses add up to 11 s.
	Attempts int
	// StallAfter is how long a Source may get nothing while there is something before it connects anew; the third time
	// it gives up. 0 = 30 s.
	StallAfter time.Duration
	// SessionTimeout is how long a member of a consumer group that fell silent keeps its partitions. Brokers refuse
	// less than 6 s unless their operator allowed it. 0 = DefaultSessionTimeout.
	SessionTimeout time.Duration
	// MembersDir is a folder in which the members of groups on this machine stand, so that they take over at once from one
	// that was killed, and do not wait for its session to end. "" = none.
	MembersDir string
	// Dial opens connections. nil = a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultSessionTimeout is the least that brokers allow when nobody told them otherwise.
const DefaultSessionTimeout = 6 * time.Second

// An Identity tells sources apart: offsets mean something only within one.
type Identity struct {
	ClusterID string
	Topic     string
	TopicID   string // of this topic and no later one of its name, as Kafka writes it; "" = the cluster gives topics none
}

// String returns cluster/topic, and @ with the topic's id when it has one.
func (id Identity) String() string {
	if id.TopicID == "" {
		return id.ClusterID + "/" + id.Topic
	}
	return id.ClusterID + "/" + id.Topic + "@" + id.TopicID
}

// Matches reports whether stored, written by String of this or an earlier release, can be this source. What was stored
// without an id, by a release or from a cluster that knew none, matches every topic of that cluster and name.
func (id Identity) Matches(stored string) bool {
	unmarked := Identity{ClusterID: id.ClusterID, Topic: id.Topic}.String()
	return stored == id.String() || stored == unmarked || id.TopicID == "" && strings.HasPrefix(stored, unmarked+"@")
}

// A Topic is a connection to the cluster that holds the topic. Its methods may be called from any goroutine.
type Topic struct {
	cfg        Config
	tls        *tls.Config    // nil = plain
	login      sasl.Mechanism // nil = none
	transport  *kafkago.Transport
	client     *kafkago.Client
	identity   Identity
	id         [16]byte // of the topic; zero = it has none
	partitions []int32
	settings   topicSettings

	mu          sync.Mutex
	versions    map[string]map[int16]versionRange // by address of the broker
	generations map[string]*kafkago.Generation    // that Join works in, by group
}

// Open connects to the cluster and looks the topic up. The error is a *schemas.Error, whose sentence says what to do,
// with CodeNotFound when the cluster has no such topic, CodeUnauthorized when it and we do not trust each other, and
// CodeInvalid when the configuration cannot be.
func Open(ctx context.Context, cfg Config) (*Topic, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Brokers) == 0 || cfg.Topic == "" {
		return nil, &schemas.Error{Code: schemas.CodeInvalid, Message: "no Kafka broker, or no topic, was given"}
	}
	t := &Topic{cfg: cfg, versions: map[string]map[int16]versionRange{}, generations: map[string]*kafkago.Generation{}}
	var err error
	if t.tls, t.login, err = cfg.Security.load(); err != nil {
		return nil, err
	}
	t.transport = &kafkago.Transport{
		Dial: t.dial, TLS: t.tls, SASL: t.login,
		ClientID: cfg.ClientID, DialTimeout: cfg.RequestTimeout, MetadataTopics: []string{cfg.Topic},
	}
	t.client = &kafkago.Client{Addr: kafkago.TCP(cfg.Brokers...), Timeout: cfg.RequestTimeout, Transport: t.transport}
	if err := t.lookUp(ctx); err != nil {
		t.Close()
		return nil, err
	}
	t.cfg.MaxBytes = t.cfg.fetchBytes(len(t.partitions))
	if err := t.readSettings(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Identity returns what tells this topic apart from others of its name.
func (t *Topic) Identity() Identity { return t.identity }

// Partitions returns the numbers of the topic's partitions, rising.
func (t *Topic) Partitions() []int32 { return slices.Clone(t.partitions) }

// BrokerTime reports whether the times of messages are the brokers' own. Otherwise, and where the cluster does not say,
// they are what producers wrote.
func (t *Topic) BrokerTime() bool { return t.settings.brokerTime }

// MaxMessageBytes returns how large a batch of messages may be in this topic; 0 = the cluster does not say.
func (t *Topic) MaxMessageBytes() int { return t.settings.maxMessageBytes }

// Close ends the connections. Sources and producers of the topic must be closed before.
func (t *Topic) Close() { t.transport.CloseIdleConnections() }

func (t *Topic) lookUp(ctx context.Context) error {
	var found described
	err := t.retry(ctx, func(one context.Context) (err error) {
		found, err = t.describe(one)
		return t.explain(ctx, err) // which may take its time: what went wrong has perhaps used up that of this attempt
	})
	if _, told := errors.AsType[*schemas.Error](err); told {
		return err
	}
	if err != nil {
		return fmt.Errorf("look up topic %s at %s: %w", t.cfg.Topic, t.where(), err)
	}
	t.identity, t.id, t.partitions = found.identity, found.id, found.partitions
	return nil
}

// described is what the cluster says of the topic.
type described struct {
	identity   Identity
	id         [16]byte
	partitions []int32
}

// describe asks any broker what the topic is now. The error is kafkago.UnknownTopicOrPartition when it is not.
func (t *Topic) describe(ctx context.Context) (described, error) {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = new(t.cfg.Topic)
	req.Topics = append(req.Topics, topic)
	resp, err := ask[*kmsg.MetadataResponse](ctx, t, exchange{req: req, maxVersion: maxMetadataVersion, leaderOf: anyBroker})
	if err != nil {
		return described{}, err
	}
	if len(resp.Topics) != 1 {
		return described{}, fmt.Errorf("the cluster's answer speaks of %d topics", len(resp.Topics))
	}
	about := resp.Topics[0]
	if about.ErrorCode != 0 {
		return described{}, kafkago.Error(about.ErrorCode)
	}
	d := described{identity: Identity{Topic: t.cfg.Topic}, id: about.TopicID}
	if resp.ClusterID != nil {
		d.identity.ClusterID = *resp.ClusterID
	}
	if d.id != [16]byte{} {
		d.identity.TopicID = base64.RawURLEncoding.EncodeToString(d.id[:])
	}
	for _, p := range about.Partitions {
		d.partitions = append(d.partitions, p.Partition)
	}
	slices.Sort(d.partitions)
	return d, nil
}

func (t *Topic) hasID() bool { return t.id != [16]byte{} }

// checkIdentity returns ErrRecreated when the cluster now has another topic of that name, or is another cluster. When it
// cannot be told, or there is no such topic at this moment, it returns nil.
func (t *Topic) checkIdentity(ctx context.Context) error {
	now, err := t.describe(ctx)
	if err != nil || t.identity.Matches(now.identity.String()) {
		return nil //nolint:nilerr // whoever asks has an error of its own
	}
	return fmt.Errorf("topic %s is now %s, and was %s: %w", t.cfg.Topic, now.identity, t.identity, ErrRecreated)
}

// topicSettings are the settings of the topic that matter to us.
type topicSettings struct {
	brokerTime      bool
	maxMessageBytes int
}

// readSettings asks for the topic's settings. A cluster that keeps them from us is no reason to stop.
func (t *Topic) readSettings(ctx context.Context) error {
	req := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeTopic
	resource.ResourceName = t.cfg.Topic
	resource.ConfigNames = []string{"message.timestamp.type", "max.message.bytes"}
	req.Resources = append(req.Resources, resource)
	var resp *kmsg.DescribeConfigsResponse
	err := t.retry(ctx, func(ctx context.Context) (err error) {
		resp, err = ask[*kmsg.DescribeConfigsResponse](ctx, t, exchange{req: req, maxVersion: maxDescribeConfigsVersion, leaderOf: anyBroker})
		return err
	})
	if err != nil {
		return fmt.Errorf("read the settings of topic %s: %w", t.cfg.Topic, err)
	}
	for _, r := range resp.Resources {
		for _, c := range r.Configs {
			switch {
			case c.Value == nil:
			case c.Name == "message.timestamp.type":
				t.settings.brokerTime = *c.Value == "LogAppendTime"
			case c.Name == "max.message.bytes":
				if n, err := strconv.Atoi(*c.Value); err == nil {
					t.settings.maxMessageBytes = n
				}
			}
		}
	}
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
	return t.retryWhile(ctx, isTemporary, func(ctx context.Context) error { return t.once(ctx, do) })
}

// retryWhile calls do until it succeeds, fails with an error that is not temporary, or has been tried often enough.
func (t *Topic) retryWhile(ctx context.Context, temporary func(error) bool, do func(context.Context) error) error {
	pause := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := do(ctx)
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // the connection's deadline is the context's, and may be told first
		}
		if err == nil || !temporary(err) || attempt >= t.cfg.Attempts {
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

// fetchBytes returns how much the fetch of one of so many partitions asks for.
func (cfg Config) fetchBytes(partitions int) int {
	const least = 64 << 10
	if cfg.PrefetchBytes == 0 || partitions == 0 {
		return cfg.MaxBytes
	}
	return min(cfg.MaxBytes, max(cfg.PrefetchBytes/partitions, least))
}

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
	if cfg.StallAfter == 0 {
		cfg.StallAfter = 30 * time.Second
	}
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = DefaultSessionTimeout
	}
	return cfg
}
