package kafka

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/diurna-health/diurna/internal/kafkatest"
)

// brokerThatAnswers starts a broker that answers fetches with the given batches instead of what it has, where instead
// says so.
func brokerThatAnswers(t *testing.T, instead func(*kmsg.FetchRequest) (batches []byte, ok bool)) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "diurna.sync"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetch, ok := req.(*kmsg.FetchRequest)
		if !ok {
			return nil, nil, false
		}
		batches, ok := instead(fetch)
		if !ok {
			return nil, nil, false
		}
		resp, ok := fetch.ResponseKind().(*kmsg.FetchResponse)
		if !ok {
			return nil, nil, false
		}
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = fetch.Topics[0].Topic, fetch.Topics[0].TopicID
		partition := kmsg.NewFetchResponseTopicPartition()
		partition.RecordBatches = batches
		topic.Partitions = append(topic.Partitions, partition)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	return fake
}

func TestASourceThatGetsNothingThoughThereIsSomethingConnectsAnew(t *testing.T) {
	var conns atomic.Int64
	var until atomic.Int64
	until.Store(1 << 62)
	fake := brokerThatAnswers(t, func(*kmsg.FetchRequest) ([]byte, bool) { return nil, conns.Load() < until.Load() })
	topic := openWith(t, Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync", MaxWait: time.Millisecond, StallAfter: 50 * time.Millisecond,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conns.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}})
	publish(t, topic, "a")
	s := sourceOf(t, topic, 0, 0)
	before := conns.Load()
	if m, err := s.Fetch(t.Context()); !errors.Is(err, ErrStalled) {
		t.Fatalf("%q, %v", m.Value, err)
	}
	if made := conns.Load() - before; made < stallsAllowed {
		t.Errorf("%d new connections were made before it gave up", made)
	}
	until.Store(conns.Load() + 3) // the second new connections help
	if got := fetchN(t, s, 1); got[0] != "0:a" {
		t.Errorf("came %s", got[0])
	}
}

func TestASourceThatWaitsAtTheEndIsNotStalled(t *testing.T) {
	fake := brokerThatAnswers(t, func(*kmsg.FetchRequest) ([]byte, bool) { return nil, false })
	topic := openWith(t, Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync", MaxWait: time.Millisecond, StallAfter: 5 * time.Millisecond})
	s := sourceOf(t, topic, 0, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting ended with %v", err)
	}
}

// The deletion may fall between the broker's look at where its log starts and its reading.
func TestAHoleBeforeAMarkerIsAGapWhenItWasDeleted(t *testing.T) {
	for _, test := range []struct {
		name  string
		batch []byte
	}{
		{"messages", encodeBatch(6, 7, 0, -1, 0, 0, record("6"), record("7"))},
		{"a marker", encodeBatch(6, 6, attributeControl|attributeTransactional, 1, 0, 0, record("marker"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			var trimmed atomic.Bool
			fake := brokerThatAnswers(t, func(*kmsg.FetchRequest) ([]byte, bool) { return test.batch, trimmed.Load() })
			topic := openWith(t, Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync", MaxWait: time.Millisecond})
			publish(t, topic, "0", "1", "2", "3", "4", "5", "6", "7")
			s := &source{topic: topic, next: 3}
			admin, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
			if err != nil {
				t.Fatal(err)
			}
			defer admin.Close()
			(&kafkatest.Cluster{Admin: admin}).Trim(t, "diurna.sync", 0, 6)
			trimmed.Store(true)
			var gap *GapError
			if m, err := s.Fetch(t.Context()); !errors.As(err, &gap) || gap.From != 3 || gap.To != 6 {
				t.Errorf("%q, %v; want the gap from 3 to 6", m.Value, err)
			}
		})
	}
}

// Kafka before 3.1 takes fetches by the topic's name only, before 2.8 topics have no id.
func TestClustersOfTheTimeBeforeTopicIDsAreRead(t *testing.T) {
	for _, test := range []struct {
		name     string
		versions *kversion.Versions
		id       bool
	}{
		{"2.4", kversion.V2_4_0(), false},
		{"3.0", kversion.V3_0_0(), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "diurna.sync"), kfake.MaxVersions(test.versions))
			if err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			topic := openWith(t, Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync", MaxWait: time.Millisecond})
			if id := topic.Identity().TopicID; (id != "") != test.id {
				t.Errorf("the topic's id is %q", id)
			}
			publish(t, topic, "a", "b")
			if _, err := topic.Source(t.Context(), 0, 3); !errors.Is(err, ErrRewound) {
				t.Errorf("opened beyond the end: %v", err)
			}
			if got := fetchN(t, sourceOf(t, topic, 0, 1), 1); got[0] != "1:b" {
				t.Errorf("came %s", got[0])
			}
		})
	}
}

func TestAnIdentityMatchesWhatEarlierReleasesStored(t *testing.T) {
	id := Identity{ClusterID: "c", Topic: "t", TopicID: "x"}
	unknown := Identity{ClusterID: "c", Topic: "t"}
	for _, test := range []struct {
		id     Identity
		stored string
		want   bool
	}{
		{id, "c/t@x", true},
		{id, "c/t", true}, // stored before ids were
		{id, "c/t@y", false},
		{id, "d/t@x", false},
		{id, "c/u@x", false},
		{id, "", false},
		{unknown, "c/t", true},
		{unknown, "c/t@x", true}, // the cluster no longer tells
		{unknown, "c/tt", false},
	} {
		if got := test.id.Matches(test.stored); got != test.want {
			t.Errorf("%v matches %q: %t", test.id, test.stored, got)
		}
	}
}
