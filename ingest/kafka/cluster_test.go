package kafka

import (
	"fmt"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/kafkatest"
)

// A cluster is what the suite runs against.
type cluster struct{ *kafkatest.Cluster }

func startCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{kafkatest.StartCluster(t)}
}

// config is how a program of ours gets at the cluster.
func (c *cluster) config(topic string) Config {
	return Config{
		Brokers: []string{c.Addr}, Topic: topic, MaxWait: 20 * time.Millisecond, RequestTimeout: 3 * time.Second,
		Security: Security{TLS: true, CAFile: c.Certs.CAFile,
			Mechanism: MechanismScramSHA512, User: kafkatest.User, Password: kafkatest.Password},
	}
}

func (c *cluster) open(t *testing.T, topic string) *Topic {
	t.Helper()
	return openWith(t, c.config(topic))
}

func openWith(t *testing.T, cfg Config) *Topic {
	t.Helper()
	topic, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topic.Close)
	return topic
}

func sourceOf(t *testing.T, topic *Topic, partition int32, from int64) Source {
	t.Helper()
	s, err := topic.Source(t.Context(), partition, from)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t *testing.T, topic *Topic, values ...string) {
	t.Helper()
	var records []Record
	for _, v := range values {
		records = append(records, Record{Key: "k", Value: []byte(v)})
	}
	p := topic.Producer()
	defer p.Close()
	if _, err := p.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// fetchN returns the next n messages as offset:value.
func fetchN(t *testing.T, s Source, n int) []string {
	t.Helper()
	var got []string
	for range n {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d:%s", m.Offset, m.Value))
	}
	return got
}

// fetchAll returns the messages up to the present end.
func fetchAll(t *testing.T, s Source) []Message {
	t.Helper()
	latest, err := s.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []Message
	for s.Next() < latest {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	return got
}

func values(msgs []Message) []string {
	var all []string
	for _, m := range msgs {
		all = append(all, string(m.Value))
	}
	return all
}
