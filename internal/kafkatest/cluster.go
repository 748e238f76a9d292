package kafkatest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// A Cluster is what tests run against that must hold on every broker: kfake, or Apache Kafka when Wanted. Both speak TLS
// only, and want User to log in by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
type Cluster struct {
	Addr  string
	Certs Certificates
	Admin *kgo.Client // of another make than ours, for what we cannot do ourselves

	Apache *Server        // nil when it is kfake
	Fake   *kfake.Cluster // nil when it is Apache Kafka

	dir    string // of kfake's log
	topics atomic.Int64
}

// StartCluster starts a cluster for as long as the test runs.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c := &Cluster{dir: tb.TempDir()}
	if Wanted() {
		c.Apache = Start(tb)
		c.Addr, c.Certs = c.Apache.Secure, c.Apache.Certificates
	} else {
		c.Certs = MakeCertificates(tb, tb.TempDir())
		c.startFake(tb, 0)
		tb.Cleanup(func() { c.Fake.Close() })
	}
	c.Admin = c.Client(tb)
	return c
}

func (c *Cluster) startFake(tb testing.TB, port int) {
	tb.Helper()
	fake, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(c.dir), kfake.SyncWrites(),
		kfake.TLS(c.serverTLS(tb)), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", User, Password),
		kfake.Superuser("SCRAM-SHA-256", User, Password),
		kfake.Superuser("SCRAM-SHA-512", User, Password),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(16 << 20)}),
		kfake.GroupMinSessionTimeout(time.Second),
	)
	if err != nil {
		tb.Fatal(err)
	}
	c.Fake, c.Addr = fake, fake.ListenAddrs()[0]
}

func (c *Cluster) serverTLS(tb testing.TB) *tls.Config {
	tb.Helper()
	pair, err := tls.LoadX509KeyPair(c.Certs.ServerFile, c.Certs.ServerFile)
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// Client returns a client of another make.
func (c *Cluster) Client(tb testing.TB, opts ...kgo.Opt) *kgo.Client {
	tb.Helper()
	pem, err := os.ReadFile(c.Certs.CAFile)
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.Addr),
		kgo.DialTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}),
		kgo.SASL(scram.Auth{User: User, Pass: Password}.AsSha512Mechanism()))...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

// End stops the cluster, or kills it: what it has acknowledged must be there when it resumes. kfake, in our own process,
// can only be stopped.
func (c *Cluster) End(tb testing.TB, kill bool) {
	tb.Helper()
	switch {
	case c.Apache == nil:
		c.Fake.Close()
	case kill:
		c.Apache.Kill(tb)
	default:
		c.Apache.Stop(tb)
	}
}

// Resume starts a cluster that has ended, with what it had stored, at the same address.
func (c *Cluster) Resume(tb testing.TB) {
	tb.Helper()
	if c.Apache != nil {
		c.Apache.Resume(tb)
		return
	}
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	c.startFake(tb, number)
}

// NewTopic makes a topic of a new name. Settings are name=value.
func (c *Cluster) NewTopic(tb testing.TB, partitions int32, settings ...string) string {
	tb.Helper()
	name := fmt.Sprintf("diurna.sync.%d", c.topics.Add(1))
	c.MakeTopic(tb, name, partitions, settings...)
	return name
}

// MakeTopic makes a topic of one replica.
func (c *Cluster) MakeTopic(tb testing.TB, name string, partitions int32, settings ...string) {
	tb.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, &value
		topic.Configs = append(topic.Configs, config)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	c.Until(tb, "make topic", func() error {
		resp, err := req.RequestWith(tb.Context(), c.Admin)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	})
	c.Until(tb, "find the topic just made", func() error {
		req := kmsg.NewPtrMetadataRequest()
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		req.Topics = append(req.Topics, topic)
		resp, err := req.RequestWith(tb.Context(), c.Admin)
		if err != nil {
			return err
		}
		for _, p := range resp.Topics[0].Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
		return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	})
}

// MakeAnew deletes a topic and makes another of its name.
func (c *Cluster) MakeAnew(tb testing.TB, name string, partitions int32) {
	tb.Helper()
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics, req.TopicNames = append(req.Topics, topic), []string{name}
	resp, err := req.RequestWith(tb.Context(), c.Admin)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		tb.Fatal(err)
	}
	c.MakeTopic(tb, name, partitions)
}

// Trim deletes what lies before an offset, as retention does.
func (c *Cluster) Trim(tb testing.TB, topic string, partition int32, before int64) {
	tb.Helper()
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Partition, p.Offset = partition, before
	tp := kmsg.NewDeleteRecordsRequestTopic()
	tp.Topic, tp.Partitions = topic, append(tp.Partitions, p)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	req.Topics = append(req.Topics, tp)
	resp, err := req.RequestWith(tb.Context(), c.Admin)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Until tries again what fails while a cluster is starting.
func (c *Cluster) Until(tb testing.TB, what string, try func() error) {
	tb.Helper()
	var err error
	for range 600 {
		if err = try(); err == nil {
			return
		}
		select {
		case <-tb.Context().Done():
		case <-time.After(50 * time.Millisecond):
			continue
		}
		break
	}
	tb.Fatalf("%s: %v", what, err)
}
