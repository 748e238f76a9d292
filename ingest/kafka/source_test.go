package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestASourceHandsOutEveryMessageFromItsOffsetOn(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "a", "b", "c", "d")

	s := sourceOf(t, topic, 0, 1)
	if got, want := fetchN(t, s, 3), []string{"1:b", "2:c", "3:d"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if s.Next() != 4 {
		t.Errorf("next is %d, want 4", s.Next())
	}
	earliest, err := s.Earliest(t.Context())
	if err != nil || earliest != 0 {
		t.Errorf("earliest = %d, %v", earliest, err)
	}
	latest, err := s.Latest(t.Context())
	if err != nil || latest != 4 {
		t.Errorf("latest = %d, %v", latest, err)
	}
	// Nothing more: it waits until the context ends, and goes on afterwards.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("fetch at the end: %v", err)
	}
	publish(t, topic, "e")
	if got := fetchN(t, s, 1); got[0] != "4:e" {
		t.Errorf("after the wait came %s", got[0])
	}
}

func TestAMessageComesWithItsKeyContentTypeAndTime(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1, Now: func() time.Time { return at }})
	topic := open(t, b.Addr())
	p := topic.Producer()
	defer p.Close()
	if _, err := p.Publish(t.Context(), []Record{
		{Key: "user-1", Value: []byte("{}"), ContentType: syncv1.ContentTypeJSON},
		{Key: "user-2", Value: []byte("raw")},
	}); err != nil {
		t.Fatal(err)
	}
	s := sourceOf(t, topic, 0, 0)
	var got []Message
	for range 2 {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	want := []Message{
		{Offset: 0, TimeMS: at.UnixMilli(), Key: []byte("user-1"), Value: []byte("{}"), ContentType: syncv1.ContentTypeJSON},
		{Offset: 1, TimeMS: at.UnixMilli(), Key: []byte("user-2"), Value: []byte("raw")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasDeletedUnreadIsAGap(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "0", "1", "2")
	reading := sourceOf(t, topic, 0, 0)
	fetchN(t, reading, 3)
	publish(t, topic, "3", "4", "5", "6", "7")
	if err := b.Trim(t.Context(), 0, 6); err != nil {
		t.Fatal(err)
	}

	want := &GapError{Partition: 0, From: 3, To: 6}
	for range 2 { // the loss does not go away by asking again
		var gap *GapError
		if _, err := reading.Fetch(t.Context()); !errors.As(err, &gap) || !cmp.Equal(gap, want) {
			t.Fatalf("while reading: %v, want %v", err, want)
		}
	}
	var gap *GapError
	if _, err := topic.Source(t.Context(), 0, 3); !errors.As(err, &gap) || !cmp.Equal(gap, want) {
		t.Errorf("when opened: %v, want %v", err, want)
	}
	if got := fetchN(t, sourceOf(t, topic, 0, gap.To), 2); !cmp.Equal(got, []string{"6:6", "7:7"}) {
		t.Errorf("beyond the gap came %v", got)
	}
}

func TestAnOffsetBeyondTheEndIsRewound(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "a", "b")
	if _, err := topic.Source(t.Context(), 0, 3); !errors.Is(err, ErrRewound) {
		t.Errorf("opened beyond the end: %v", err)
	}
	s := sourceOf(t, topic, 0, 0)
	fetchN(t, s, 2)
	addr, id := b.Addr(), topic.Identity()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1, Addr: addr})
	for range 2 {
		if _, err := s.Fetch(t.Context()); !errors.Is(err, ErrRewound) {
			t.Fatalf("reading on in a topic made anew: %v", err)
		}
	}
	if other := open(t, again.Addr()).Identity(); other == id || other.Topic != id.Topic {
		t.Errorf("the new log is %v, the old one was %v", other, id)
	}
}

func TestASourceOutlivesARestartOfTheBroker(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, broker.Config{Dir: dir, Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "a", "b")
	s := sourceOf(t, topic, 0, 0)
	fetchN(t, s, 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	startBroker(t, broker.Config{Dir: dir, Addr: b.Addr()})
	if got := fetchN(t, s, 1); got[0] != "1:b" {
		t.Errorf("came %s, want 1:b", got[0])
	}
	publish(t, topic, "c")
	if got := fetchN(t, s, 1); got[0] != "2:c" {
		t.Errorf("came %s, want 2:c", got[0])
	}
}

func TestCompactedOffsetsArePassedOver(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	create(t, c.ListenAddrs()[0], map[string]string{"cleanup.policy": "compact", "segment.bytes": "100", "min.cleanable.dirty.ratio": "0"})
	topic := open(t, c.ListenAddrs()[0])
	p := topic.Producer()
	defer p.Close()
	for i, key := range []string{"first", "x", "y", "x", "x", "z", "y", "q"} {
		if _, err := p.Publish(t.Context(), []Record{{Key: key, Value: fmt.Appendf(nil, "%d%s", i, strings.Repeat(".", 100))}}); err != nil {
			t.Fatal(err)
		}
	}
	c.Compact()

	s := sourceOf(t, topic, 0, 0)
	var offsets []int64
	for s.Next() < 8 {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, m.Offset)
	}
	if diff := cmp.Diff([]int64{0, 4, 5, 6, 7}, offsets); diff != "" {
		t.Errorf("offsets left after compaction: %s", diff)
	}
}

func TestASourceGetsPastABatchWhoseLastRecordsWereCompacted(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	create(t, c.ListenAddrs()[0], map[string]string{"cleanup.policy": "compact", "segment.bytes": "100", "min.cleanable.dirty.ratio": "0"})
	topic := open(t, c.ListenAddrs()[0])
	p := topic.Producer()
	defer p.Close()
	pad := []byte(strings.Repeat(".", 100))
	for _, keys := range [][]string{{"first", "x", "x", "x"}, {"x"}, {"y"}} { // one batch each
		var records []Record
		for _, key := range keys {
			records = append(records, Record{Key: key, Value: pad})
		}
		if _, err := p.Publish(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	c.Compact()

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for from, want := range []int64{0, 4, 4, 4, 4, 5} {
		m, err := sourceOf(t, topic, 0, int64(from)).Fetch(ctx)
		if err != nil {
			t.Fatalf("from offset %d: %v", from, err)
		}
		if m.Offset != want {
			t.Errorf("from offset %d came %d, want %d", from, m.Offset, want)
		}
	}
}

// A broker may keep the end of a batch after compacting its last records away, and then answers with the whole batch
// again and again.
func TestABatchWithNothingLeftFromTheOffsetOnMovesOnByOne(t *testing.T) {
	s := &source{next: 2}
	part := &fetch.ResponsePartition{RecordSet: protocol.RecordSet{Records: &protocol.RecordStream{Records: []protocol.RecordReader{
		&protocol.RecordBatch{Records: protocol.NewRecordReader(protocol.Record{Offset: 0}, protocol.Record{Offset: 1})},
	}}}}
	msgs, end, err := s.read(part)
	if err != nil || len(msgs) != 0 || end != 3 {
		t.Errorf("%d messages, next %d, %v; want none, and 3", len(msgs), end, err)
	}
	if msgs, end, err = s.read(&fetch.ResponsePartition{}); err != nil || len(msgs) != 0 || end != 2 {
		t.Errorf("an empty answer: %d messages, next %d, %v; want none, and 2 as before", len(msgs), end, err)
	}
}

func TestAbortedTransactionsAndMarkersAreNoMessages(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID("t"), kgo.DefaultProduceTopic(broker.DefaultTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	transact(t, client, kgo.TryAbort, "aborted 1")
	transact(t, client, kgo.TryCommit, "committed 1")
	publish(t, topic, "plain")
	transact(t, client, kgo.TryAbort, "aborted 2")
	transact(t, client, kgo.TryCommit, "committed 2")
	transact(t, client, kgo.TryAbort, "aborted 3")

	s := sourceOf(t, topic, 0, 0)
	latest, err := s.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 3 {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m.Value))
	}
	if s.Next() != latest {
		t.Errorf("after the last message next is %d, want %d: nothing but markers and aborted records is left", s.Next(), latest)
	}
	publish(t, topic, "last")
	for s.Next() <= latest {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m.Value))
	}
	if diff := cmp.Diff([]string{"committed 1", "plain", "committed 2", "last"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestADamagedBatchIsAnErrorAndNotAMessage(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, broker.Config{Dir: dir, Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "sound")
	publish(t, topic, "spoilt")
	segments, err := filepath.Glob(filepath.Join(dir, "partitions", "*", "0.dat"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments: %v, %v", segments, err)
	}
	data, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-3] ^= 1 // under the broker, which reads the file for every fetch
	if err := os.WriteFile(segments[0], data, 0o600); err != nil {
		t.Fatal(err)
	}

	s := sourceOf(t, topic, 0, 0)
	if got := fetchN(t, s, 1); got[0] != "0:sound" {
		t.Errorf("before the damage came %s", got[0])
	}
	if m, err := s.Fetch(t.Context()); err == nil {
		t.Errorf("a batch with a wrong checksum was handed out: %q", m.Value)
	}
}

func TestAMessageLargerThanAFetchStillComes(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	big := strings.Repeat("x", MaxValueBytes)
	publish(t, topic, "small", big, "small again")
	s := sourceOf(t, topic, 0, 0)
	for i, want := range []int{5, len(big), 11} {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Value) != want {
			t.Errorf("message %d has %d bytes, want %d", i, len(m.Value), want)
		}
	}
}

func TestATopicThatIsNotThereIsSaidSo(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir()})
	_, err := Open(t.Context(), Config{Brokers: []string{b.Addr()}, Topic: "other"})
	if schemas.ErrorCode(err) != schemas.CodeNotFound || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("error = %v", err)
	}
	addr := b.Addr()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{Brokers: []string{addr}, Topic: "diurna.sync", Attempts: 2, RequestTimeout: time.Second})
	if err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("nobody listens at %s, and the error is %v", addr, err)
	}
}

func startBroker(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t *testing.T, addr string) *Topic {
	t.Helper()
	topic, err := Open(t.Context(), Config{Brokers: []string{addr}, Topic: broker.DefaultTopic, MaxWait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topic.Close)
	return topic
}

func create(t *testing.T, addr string, configs map[string]string) {
	t.Helper()
	var entries []kafkago.ConfigEntry
	for k, v := range configs {
		entries = append(entries, kafkago.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	transport := &kafkago.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&kafkago.Client{Addr: kafkago.TCP(addr), Transport: transport}).CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{Topic: broker.DefaultTopic, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: entries}},
	})
	if err == nil {
		err = resp.Errors[broker.DefaultTopic]
	}
	if err != nil {
		t.Fatal(err)
	}
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

func transact(t *testing.T, client *kgo.Client, outcome kgo.TransactionEndTry, value string) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
}
