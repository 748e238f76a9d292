package kafka

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestPublishSaysWhereTheMessagesEnd(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 4})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()

	sent := Positions{}
	for round := range 3 {
		var records []Record
		for i := range 50 {
			records = append(records, Record{Key: fmt.Sprintf("user-%d", i), Value: fmt.Appendf(nil, "%d", round)})
		}
		ends, err := p.Publish(t.Context(), records)
		if err != nil {
			t.Fatal(err)
		}
		sent.Add(ends)
		for _, partition := range topic.Partitions() {
			_, latest, err := topic.bounds(t.Context(), partition)
			if err != nil {
				t.Fatal(err)
			}
			if ends[partition] != latest {
				t.Errorf("round %d: partition %d ends at %d, Publish said %d", round, partition, latest, ends[partition])
			}
		}
	}
	if len(sent) != 4 {
		t.Errorf("50 people lie in %d of 4 partitions", len(sent))
	}
}

func TestMessagesOfOnePersonKeepTheirOrder(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 3})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()

	// Large enough for several groups; several people at once, each from a goroutine of its own.
	pad := strings.Repeat(".", 40<<10)
	const people, messages = 4, 60
	var wg sync.WaitGroup
	for person := range people {
		wg.Go(func() {
			var records []Record
			for i := range messages {
				records = append(records, Record{Key: fmt.Sprint("user-", person), Value: fmt.Appendf(nil, "%d %s", i, pad)})
			}
			if _, err := p.Publish(t.Context(), records); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	got := map[string][]string{}
	where := map[string]int32{}
	for _, partition := range topic.Partitions() {
		s := sourceOf(t, topic, partition, 0)
		latest, err := s.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for s.Next() < latest {
			m, err := s.Fetch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			number, _, _ := strings.Cut(string(m.Value), " ")
			got[string(m.Key)] = append(got[string(m.Key)], number)
			where[string(m.Key)] = m.Partition
		}
	}
	var want []string
	for i := range messages {
		want = append(want, fmt.Sprint(i))
	}
	for person := range people {
		if diff := cmp.Diff(want, got[fmt.Sprint("user-", person)]); diff != "" {
			t.Errorf("person %d: %s", person, diff)
		}
	}
}

func TestPartitionsAreThoseOfKafkasOwnProducer(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 7})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic(broker.DefaultTopic),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil))) // murmur2, as the Java client has it
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 30 {
		key := fmt.Sprintf("%d-user", i*i*7919)
		ends, err := p.Publish(t.Context(), []Record{{Key: key, Value: []byte("x")}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte(key), Value: []byte("x")}).First()
		if err != nil {
			t.Fatal(err)
		}
		if _, same := ends[r.Partition]; !same {
			t.Errorf("key %d: Kafka's own producer takes partition %d, ours another: %v", i, r.Partition, ends)
		}
	}
}

func TestAMessageThatIsTooLargeIsRefusedBeforeAnythingIsSent(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()
	ends, err := p.Publish(t.Context(), []Record{{Key: "k", Value: []byte("small")}, {Key: "k", Value: make([]byte, MaxValueBytes+1)}})
	if schemas.ErrorCode(err) != schemas.CodeInvalid || len(ends) != 0 {
		t.Errorf("positions %v, error %v", ends, err)
	}
	if _, latest, err := topic.bounds(t.Context(), 0); err != nil || latest != 0 {
		t.Errorf("the partition ends at %d, %v", latest, err)
	}
}

func TestBatchesArriveAsTheyWereSent(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()
	var want []*syncv1.Batch
	for i := range 3 {
		want = append(want, &syncv1.Batch{
			BatchID: fmt.Sprint("b", i), UserID: "u", Device: syncv1.Device{ID: "d"}, Seq: uint64(i), SentAtMS: 1_700_000_000_000, OffsetMin: 60,
			Source: syncv1.SourceNative,
			Series: []syncv1.Series{{Metric: schemas.Steps, StartMS: 1_699_999_980_000, OffsetMin: 60, PeriodMS: 60_000, Values: []int32{1, 2, int32(i)}}},
		})
	}
	ends, err := p.PublishBatches(t.Context(), want)
	if err != nil || ends[0] != 3 {
		t.Fatalf("positions %v, %v", ends, err)
	}
	s := sourceOf(t, topic, 0, 0)
	var got []*syncv1.Batch
	for s.Next() < ends[0] {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Key) != "u" {
			t.Errorf("key %q, want the user's id", m.Key)
		}
		batch, err := syncv1.Decode(m.ContentType, m.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, batch)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := p.PublishBatches(t.Context(), []*syncv1.Batch{{Source: "rumour"}}); err == nil {
		t.Error("a batch that cannot be decoded again was sent")
	}
}

func TestWhatTheBrokerRefusesIsAnError(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic, err := Open(t.Context(), Config{Brokers: []string{b.Addr()}, Topic: broker.DefaultTopic, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer topic.Close()
	p := topic.Producer()
	if _, err := p.Publish(t.Context(), []Record{{Key: "k", Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if ends, err := p.Publish(t.Context(), []Record{{Key: "k", Value: []byte("x")}}); err == nil {
		t.Errorf("nobody was there to store it, and Publish says %v", ends)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
