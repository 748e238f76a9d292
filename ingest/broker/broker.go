package broker

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/diurna-health/diurna/schemas"
)

// Defaults of Config.
const (
	DefaultAddr       = "127.0.0.1:9092"
	DefaultTopic      = "diurna.sync"
	DefaultPartitions = 4
)

// MaxMessageBytes is the largest record batch the broker takes.
const MaxMessageBytes = 16 << 20

// segmentBytes is how much of a partition lies in one file. Trim frees whole files, so this is also about how much
// stays on disk behind the watermark.
const segmentBytes = 32 << 20

// Config says where the broker listens and what it keeps where.
type Config struct {
	Dir        string           // the folder of its log; made when absent; one process at a time
	Addr       string           // host:port on the loopback; port 0 takes a free one; "" = DefaultAddr
	Topic      string           // made when absent; "" = DefaultTopic
	Partitions int              // of a topic that is made; 0 = DefaultPartitions; an existing topic keeps its own
	Now        func() time.Time // the time written into every record; must be set
	Logger     *slog.Logger     // nil = nothing is logged
}

// A Broker is a running broker. Its methods may be called from any goroutine.
type Broker struct {
	cluster    *kfake.Cluster
	addr       string
	topic      string
	partitions int
	log        *logger
}

// Start opens the log in cfg.Dir, makes the topic when it is absent, and listens. The error is a *schemas.Error when
// the address is not on the loopback (CodeInvalid), the port is taken (CodeConflict) or the log is damaged
// (CodeInternal).
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	cfg = cfg.withDefaults()
	port, err := loopbackPort(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if err := checkLog(cfg.Dir); err != nil {
		return nil, err
	}
	id, err := newClusterID()
	if err != nil {
		return nil, err
	}

	log := &logger{warn: func(reason string) {
		cfg.Logger.WarnContext(ctx, "broker warns", schemas.LogKeyReason, reason)
	}}
	cluster, err := kfake.NewCluster(
		kfake.DataDir(cfg.Dir),
		kfake.SyncWrites(),
		kfake.ClusterID(id), // of a new log; an old one keeps the id it was given
		kfake.Ports(port),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			var lc net.ListenConfig
			return lc.Listen(ctx, network, cfg.Addr)
		}),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(MaxMessageBytes)}),
		kfake.WithLogger(log),
	)
	if err != nil {
		return nil, startError(cfg, err)
	}
	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0], topic: cfg.Topic, log: log}
	stampProduced(cluster, cfg.Now)

	if b.partitions, err = b.ensureTopic(ctx, cfg.Partitions); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Addr returns the host:port on which clients reach the broker.
func (b *Broker) Addr() string { return b.addr }

// Topic returns the name of the topic.
func (b *Broker) Topic() string { return b.topic }

// Partitions returns how many partitions the topic has.
func (b *Broker) Partitions() int { return b.partitions }

// Close stops listening, writes what speeds up the next start, and closes the log. Without it nothing is lost.
func (b *Broker) Close() error {
	b.cluster.Close()
	return b.log.takeErr()
}

// ensureTopic makes the topic when it is absent and returns its number of partitions.
func (b *Broker) ensureTopic(ctx context.Context, partitions int) (int, error) {
	client := &kafka.Client{Addr: kafka.TCP(b.addr), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()

	made, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic:             b.topic,
		NumPartitions:     partitions,
		ReplicationFactor: 1,
		ConfigEntries: []kafka.ConfigEntry{
			{ConfigName: "retention.ms", ConfigValue: "-1"},
			{ConfigName: "retention.bytes", ConfigValue: "-1"},
			{ConfigName: "cleanup.policy", ConfigValue: "delete"},
			{ConfigName: "message.timestamp.type", ConfigValue: "LogAppendTime"},
			{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(MaxMessageBytes)},
			{ConfigName: "segment.bytes", ConfigValue: strconv.Itoa(segmentBytes)},
		},
	}}})
	if err == nil {
		err = made.Errors[b.topic]
	}
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		return 0, fmt.Errorf("create topic %s: %w", b.topic, err)
	}

	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{b.topic}})
	if err != nil {
		return 0, fmt.Errorf("describe topic %s: %w", b.topic, err)
	}
	if len(meta.Topics) != 1 || len(meta.Topics[0].Partitions) == 0 {
		return 0, fmt.Errorf("describe topic %s: the broker does not list it", b.topic)
	}
	return len(meta.Topics[0].Partitions), nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Addr == "" {
		cfg.Addr = DefaultAddr
	}
	if cfg.Topic == "" {
		cfg.Topic = DefaultTopic
	}
	if cfg.Partitions == 0 {
		cfg.Partitions = DefaultPartitions
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// loopbackPort refuses every address that another machine could reach: the broker knows no passwords.
func loopbackPort(addr string) (int, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("the broker's address %q is not of the form host:port, such as %s", addr, DefaultAddr)}
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return 0, &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("the port of the broker's address %q is not a number from 0 to 65535", addr)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return 0, &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("the embedded broker listens on this machine only, not on %q: use 127.0.0.1, or a Kafka cluster of your own", host)}
	}
	return port, nil
}

func startError(cfg Config, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return &schemas.Error{Code: schemas.CodeConflict,
			Message: fmt.Sprintf("the address %s, on which the broker is to listen, is taken by another program: stop that program, or give the broker another port (0 takes a free one)", cfg.Addr)}
	}
	return fmt.Errorf("start broker on %s: %w", cfg.Addr, err)
}

// newClusterID names a new log as Kafka names clusters: 16 random bytes in 22 letters. Ingest tells sources apart by it,
// so a log that was thrown away and begun again is not mistaken for the old one.
func newClusterID() (string, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("draw a cluster id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(id[:]), nil
}
