package kafka

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/internal/kafkatest"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// TestABrokerIsReadAsPromised is what must hold against every broker: against kfake, which a test can start in a moment,
// and against Apache Kafka, when make test-kafka runs it.
func TestABrokerIsReadAsPromised(t *testing.T) {
	c := startCluster(t)
	t.Run("a topic is known by its id and its settings", c.topicIsKnown)
	t.Run("a source hands out every message from its offset on", c.sourceHandsOutEverything)
	t.Run("a message comes with its key, content type and time", c.messageIsWhole)
	t.Run("what other clients compress is read", c.compressedIsRead)
	t.Run("what was deleted unread is a gap", c.deletedIsAGap)
	t.Run("an offset beyond the end is rewound", c.beyondTheEndIsRewound)
	t.Run("a topic made anew is told while it is shorter", c.recreatedShorter)
	t.Run("a topic made anew is told when it is longer", c.recreatedLonger)
	t.Run("compacted offsets are passed over", c.compactedIsPassedOver)
	t.Run("aborted transactions and markers are no messages", c.abortedIsNoMessage)
	t.Run("publish says where the messages end", c.publishSaysWhere)
	t.Run("messages of one person keep their order", c.personKeepsOrder)
	t.Run("partitions are those of Kafka's own producer", c.partitionsAreKafkas)
	t.Run("batches arrive as they were sent", c.batchesArrive)
	t.Run("a message as large as may be still comes", c.largestComes)
	t.Run("a message larger than the topic allows is refused before anything is sent", c.tooLargeIsRefused)
	t.Run("kcat and we understand each other", c.kcatUnderstands)
	t.Run("a hint is a hint", c.hintIsAHint)
	t.Run("side by side", func(t *testing.T) { // these wait more than they work
		t.Run("all who should not be trusted are refused with a remedy", c.refusedWithRemedy)
		t.Run("a bad connection loses and doubles nothing", c.badConnectionsLoseNothing)
		t.Run("what work returns ends the membership", c.workEndsMembership)
		t.Run("leaving a group waits for nobody", c.leavingWaitsForNobody)
		t.Run("members on one machine leave for one that is gone", c.theDeadAreLeftFor)
		t.Run("a group shares out partitions through joins, leaves and kills", c.groupSharesOut)
	})
	t.Run("source and producer outlive five restarts", c.restartsAreOutlived)
}

func (c *cluster) topicIsKnown(t *testing.T) {
	name := c.NewTopic(t, 3, "message.timestamp.type=LogAppendTime", "max.message.bytes=2000000")
	topic := c.open(t, name)
	if got := topic.Partitions(); !slices.Equal(got, []int32{0, 1, 2}) {
		t.Errorf("partitions %v", got)
	}
	if !topic.BrokerTime() || topic.MaxMessageBytes() != 2_000_000 {
		t.Errorf("broker time %t, at most %d bytes", topic.BrokerTime(), topic.MaxMessageBytes())
	}
	id := topic.Identity()
	if id.Topic != name || id.ClusterID == "" || len(id.TopicID) != 22 {
		t.Errorf("identity %+v", id)
	}
	if again := c.open(t, name).Identity(); again != id {
		t.Errorf("opened again it is %v, was %v", again, id)
	}
	if other := c.open(t, c.NewTopic(t, 1)); other.Identity().TopicID == id.TopicID || other.BrokerTime() {
		t.Errorf("another topic, by the clock of its producers, has identity %v, broker time %t", other.Identity(), other.BrokerTime())
	}
	_, err := Open(t.Context(), c.config("nowhere"))
	if schemas.ErrorCode(err) != schemas.CodeNotFound || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("a topic that is not there: %v", err)
	}
}

func (c *cluster) sourceHandsOutEverything(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
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

func (c *cluster) messageIsWhole(t *testing.T) {
	long := time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC) // what the producer's clock says
	records := []*kgo.Record{
		{Key: []byte("user-1"), Value: []byte("{}"), Timestamp: long, Headers: []kgo.RecordHeader{
			{Key: "trace", Value: nil}, {Key: contentTypeHeader, Value: []byte(syncv1.ContentTypeJSON)}}},
		{Key: []byte("user-2"), Value: []byte("raw"), Timestamp: long.Add(time.Second)},
		{Value: nil, Key: nil, Timestamp: long},
		{Value: []byte{}, Key: []byte{}, Timestamp: long},
	}
	want := []Message{
		{Offset: 0, TimeMS: long.UnixMilli(), Key: []byte("user-1"), Value: []byte("{}"), ContentType: syncv1.ContentTypeJSON},
		{Offset: 1, TimeMS: long.UnixMilli() + 1000, Key: []byte("user-2"), Value: []byte("raw")},
		{Offset: 2, TimeMS: long.UnixMilli()},
		{Offset: 3, TimeMS: long.UnixMilli(), Key: []byte{}, Value: []byte{}},
	}
	// By the producer's clock they are too old to be kept.
	byProducer, byBroker := c.NewTopic(t, 1, "retention.ms=-1"), c.NewTopic(t, 1, "retention.ms=-1", "message.timestamp.type=LogAppendTime")
	for _, name := range []string{byProducer, byBroker} {
		client := c.Client(t, kgo.DefaultProduceTopic(name))
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			r.Topic = "" // ProduceSync filled it in
		}
	}
	if diff := cmp.Diff(want, fetchAll(t, sourceOf(t, c.open(t, byProducer), 0, 0))); diff != "" {
		t.Error(diff)
	}
	if c.Fake != nil {
		return // it keeps the producer's time whatever the topic says
	}
	for _, m := range fetchAll(t, sourceOf(t, c.open(t, byBroker), 0, 0)) {
		if age := time.Since(time.UnixMilli(m.TimeMS)); age < -time.Minute || age > 10*time.Minute {
			t.Errorf("message %d was stored %v ago by the broker's clock; its producer's says 2001", m.Offset, age)
		}
	}
}

func (c *cluster) compressedIsRead(t *testing.T) {
	name := c.NewTopic(t, 1)
	var want []string
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		client := c.Client(t, kgo.DefaultProduceTopic(name), kgo.ProducerBatchCompression(codec))
		var records []*kgo.Record
		for j := range 50 {
			value := fmt.Sprint(i, " ", j, strings.Repeat(" again and again", 100))
			want = append(want, value)
			records = append(records, kgo.StringRecord(value))
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	topic := c.open(t, name)
	if diff := cmp.Diff(want, values(fetchAll(t, sourceOf(t, topic, 0, 0)))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[225:], values(fetchAll(t, sourceOf(t, topic, 0, 225)))); diff != "" {
		t.Errorf("from the middle of a batch: %s", diff)
	}
}

func (c *cluster) deletedIsAGap(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
	publish(t, topic, "0", "1", "2")
	reading := sourceOf(t, topic, 0, 0)
	fetchN(t, reading, 3)
	publish(t, topic, "3", "4", "5", "6", "7")
	c.Trim(t, topic.Identity().Topic, 0, 6)

	want := &GapError{Partition: 0, From: 3, To: 6}
	for range 2 { // the loss does not go away by asking again
		var gap *GapError
		if _, err := reading.Fetch(t.Context()); !errors.As(err, &gap) || !cmp.Equal(gap, want) {
			t.Fatalf("while reading: %v, want %v", err, want)
		}
	}
	var gap *GapError
	if _, err := topic.Source(t.Context(), 0, 3); !errors.As(err, &gap) || !cmp.Equal(gap, want) {
		t.Fatalf("when opened: %v, want %v", err, want)
	}
	if got := fetchN(t, sourceOf(t, topic, 0, gap.To), 2); !cmp.Equal(got, []string{"6:6", "7:7"}) {
		t.Errorf("beyond the gap came %v", got)
	}
}

func (c *cluster) beyondTheEndIsRewound(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
	publish(t, topic, "a", "b")
	if _, err := topic.Source(t.Context(), 0, 3); !errors.Is(err, ErrRewound) || errors.Is(err, ErrRecreated) {
		t.Errorf("opened beyond the end: %v", err)
	}
}

func (c *cluster) recreatedShorter(t *testing.T) {
	name := c.NewTopic(t, 1)
	topic := c.open(t, name)
	publish(t, topic, "a", "b", "c")
	s := sourceOf(t, topic, 0, 0)
	fetchN(t, s, 3)
	c.MakeAnew(t, name, 1)
	for range 2 {
		if _, err := s.Fetch(t.Context()); !errors.Is(err, ErrRecreated) || !errors.Is(err, ErrRewound) {
			t.Fatalf("reading on: %v", err)
		}
	}
	if _, err := topic.Source(t.Context(), 0, 3); !errors.Is(err, ErrRecreated) {
		t.Errorf("opened where it was read to: %v", err)
	}
}

func (c *cluster) recreatedLonger(t *testing.T) {
	name := c.NewTopic(t, 1)
	old := c.open(t, name)
	publish(t, old, "a", "b", "c")
	reading := sourceOf(t, old, 0, 0)
	fetchN(t, reading, 3)
	c.MakeAnew(t, name, 1)
	now := c.open(t, name)
	publish(t, now, "A", "B", "C", "D", "E")

	if m, err := reading.Fetch(t.Context()); !errors.Is(err, ErrRecreated) {
		t.Errorf("reading on in another topic: %q, %v", m.Value, err)
	}
	if _, err := old.Source(t.Context(), 0, 3); !errors.Is(err, ErrRecreated) {
		t.Errorf("opened where it was read to: %v", err)
	}
	if stored := old.Identity().String(); now.Identity().Matches(stored) {
		t.Errorf("%s is taken for %s", now.Identity(), stored)
	}
	if got := fetchN(t, sourceOf(t, now, 0, 3), 1); got[0] != "3:D" {
		t.Errorf("of the new topic came %s", got[0])
	}
}

func (c *cluster) compactedIsPassedOver(t *testing.T) {
	settings := []string{"cleanup.policy=compact", "min.cleanable.dirty.ratio=0.001", "max.compaction.lag.ms=1", "segment.ms=1"}
	if c.Fake != nil {
		settings = []string{"cleanup.policy=compact", "min.cleanable.dirty.ratio=0", "segment.bytes=100"}
	}
	topic := c.open(t, c.NewTopic(t, 1, settings...))
	p := topic.Producer()
	defer p.Close()
	pad := strings.Repeat(".", 100)
	batch := func(keys ...string) {
		var records []Record
		for _, key := range keys {
			records = append(records, Record{Key: key, Value: []byte(key + pad)})
		}
		if _, err := p.Publish(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if c.Apache != nil {
			time.Sleep(20 * time.Millisecond) // segments are cut by the milliseconds between batches
		}
	}
	batch("first", "x", "x", "x") // whose last three go
	for _, key := range []string{"x", "y", "x", "z", "y", "q"} {
		batch(key)
	}
	want := []int64{0, 6, 7, 8, 9}
	c.Until(t, "compact", func() error {
		if c.Fake != nil {
			c.Fake.Compact()
		}
		var offsets []int64
		for _, m := range fetchAll(t, sourceOf(t, topic, 0, 0)) {
			offsets = append(offsets, m.Offset)
		}
		if diff := cmp.Diff(want, offsets); diff != "" {
			return errors.New("offsets left after compaction: " + diff)
		}
		return nil
	})
	for from, want := range []int64{0, 6, 6, 6, 6, 6, 6, 7} {
		if got := fetchN(t, sourceOf(t, topic, 0, int64(from)), 1)[0]; !strings.HasPrefix(got, fmt.Sprint(want, ":")) {
			t.Errorf("from offset %d came %s, want %d", from, got, want)
		}
	}
}

func (c *cluster) abortedIsNoMessage(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
	client := c.Client(t, kgo.TransactionalID(topic.Identity().Topic), kgo.DefaultProduceTopic(topic.Identity().Topic))
	transact := func(outcome kgo.TransactionEndTry, value string) {
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
	transact(kgo.TryAbort, "aborted 1")
	transact(kgo.TryCommit, "committed 1")
	publish(t, topic, "plain")
	transact(kgo.TryAbort, "aborted 2")
	transact(kgo.TryCommit, "committed 2")
	transact(kgo.TryAbort, "aborted 3")

	s := sourceOf(t, topic, 0, 0)
	// The end of a transaction is told to its client a moment before it is in the log.
	c.Until(t, "end transactions", func() error {
		latest, err := s.Latest(t.Context())
		if err == nil && latest != 11 {
			err = fmt.Errorf("the log ends at %d", latest)
		}
		return err
	})
	var got []string
	for range 3 {
		m, err := s.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m.Value))
	}
	if s.Next() != 11 {
		t.Errorf("after the last message next is %d, want 11: nothing but markers and aborted records is left", s.Next())
	}
	publish(t, topic, "last")
	got = append(got, values(fetchAll(t, s))...)
	if diff := cmp.Diff([]string{"committed 1", "plain", "committed 2", "last"}, got); diff != "" {
		t.Error(diff)
	}
}

func (c *cluster) publishSaysWhere(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 4))
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

func (c *cluster) personKeepsOrder(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 3))
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
	for _, partition := range topic.Partitions() {
		for _, m := range fetchAll(t, sourceOf(t, topic, partition, 0)) {
			number, _, _ := strings.Cut(string(m.Value), " ")
			got[string(m.Key)] = append(got[string(m.Key)], number)
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

func (c *cluster) partitionsAreKafkas(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 7))
	p := topic.Producer()
	defer p.Close()
	client := c.Client(t, kgo.DefaultProduceTopic(topic.Identity().Topic),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil))) // murmur2, as the Java client has it
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

func (c *cluster) batchesArrive(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
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
	var got []*syncv1.Batch
	for _, m := range fetchAll(t, sourceOf(t, topic, 0, 0)) {
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

func (c *cluster) largestComes(t *testing.T) {
	cfg := c.config(c.NewTopic(t, 1, fmt.Sprint("max.message.bytes=", 16<<20)))
	cfg.RequestTimeout = time.Minute // what is sent again after a timeout comes twice
	topic := openWith(t, cfg)
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

func (c *cluster) tooLargeIsRefused(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1, "max.message.bytes=100000"))
	p := topic.Producer()
	defer p.Close()
	for _, size := range []int{100_000, MaxValueBytes + 1} {
		ends, err := p.Publish(t.Context(), []Record{{Key: "k", Value: []byte("small")}, {Key: "k", Value: make([]byte, size)}})
		if schemas.ErrorCode(err) != schemas.CodeInvalid || !strings.Contains(err.Error(), "max.message.bytes") || len(ends) != 0 {
			t.Errorf("%d bytes: positions %v, error %v", size, ends, err)
		}
	}
	if _, latest, err := topic.bounds(t.Context(), 0); err != nil || latest != 0 {
		t.Errorf("the partition ends at %d, %v", latest, err)
	}
	// Many small ones, more in all than the topic takes at once, and the largest that it takes.
	var records []Record
	for range 20 {
		records = append(records, Record{Key: strings.Repeat("k", 64), Value: make([]byte, 20_000), ContentType: syncv1.ContentTypeProto})
	}
	records = append(records, Record{Key: strings.Repeat("k", 64), Value: make([]byte, 100_000-batchRoomBytes), ContentType: syncv1.ContentTypeProto})
	if ends, err := p.Publish(t.Context(), records); err != nil || ends[0] != 21 {
		t.Errorf("positions %v, %v", ends, err)
	}
}

func (c *cluster) kcatUnderstands(t *testing.T) {
	name := c.NewTopic(t, 1)
	topic := c.open(t, name)
	// Not by SCRAM: librdkafka before 2.6.1 repeats its nonce there, and Kafka since 3.9 checks it (CVE-2024-56128).
	to := []string{"-b", c.Addr, "-t", name, "-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location=" + c.Certs.CAFile,
		"-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username=" + kafkatest.User, "-X", "sasl.password=" + kafkatest.Password}
	if c.Fake != nil { // which does not tell who is not logged in that it can be logged in to, and kcat asks that first
		b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
		topic, to = open(t, b.Addr()), []string{"-b", b.Addr(), "-t", broker.DefaultTopic}
	}
	publish(t, topic, "from us")
	kcat := func(input string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "kcat", append(slices.Clone(to), args...)...)
		cmd.Stdin = strings.NewReader(input)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("kcat %v: %v\n%s", args, err, said.String())
		}
		return string(out)
	}
	kcat("user-1;from kcat\nuser-2;from kcat too\n", "-P", "-K", ";", "-H", "content-type="+syncv1.ContentTypeJSON, "-z", "zstd")
	got := fetchAll(t, sourceOf(t, topic, 0, 1))
	for i := range got {
		got[i].TimeMS = 0
	}
	want := []Message{
		{Offset: 1, Key: []byte("user-1"), Value: []byte("from kcat"), ContentType: syncv1.ContentTypeJSON},
		{Offset: 2, Key: []byte("user-2"), Value: []byte("from kcat too"), ContentType: syncv1.ContentTypeJSON},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if out := kcat("", "-C", "-e", "-q", "-o", "beginning", "-f", "%k=%s\n"); out != "k=from us\nuser-1=from kcat\nuser-2=from kcat too\n" {
		t.Errorf("kcat reads %q", out)
	}
}

// restartsAreOutlived sends and reads while the cluster goes away five times and comes back. What was being sent is sent
// again after an error, so a message may come twice; it must come, and first in its order.
func (c *cluster) restartsAreOutlived(t *testing.T) {
	topic := c.open(t, c.NewTopic(t, 1))
	ended := make(chan struct{})
	var total, sent atomic.Int64
	total.Store(1 << 62)
	var wg sync.WaitGroup
	wg.Go(func() { // until the last restart is over, and a while longer
		p := topic.Producer()
		defer p.Close()
		for i := int64(0); ; i++ {
			select {
			case <-ended:
				total.CompareAndSwap(1<<62, i+100)
			default:
			}
			if i >= total.Load() {
				return
			}
			for {
				_, err := p.Publish(t.Context(), []Record{{Key: "k", Value: fmt.Append(nil, i)}})
				if err == nil {
					break
				}
				if t.Context().Err() != nil {
					t.Errorf("send message %d: %v", i, err)
					return
				}
			}
			sent.Store(i + 1)
		}
	})
	wg.Go(func() {
		s := sourceOf(t, topic, 0, 0)
		for next := int64(0); next < total.Load(); {
			m, err := s.Fetch(t.Context())
			if err != nil && isTemporary(err) && t.Context().Err() == nil {
				continue // the cluster was away for longer than a fetch tries
			}
			if err != nil {
				t.Errorf("read: %v", err)
				return
			}
			var i int64
			if _, err := fmt.Sscan(string(m.Value), &i); err != nil || i > next {
				t.Errorf("%q came where %d is missing", m.Value, next)
				return
			}
			next = max(next, i+1)
		}
	})
	for restart := range 5 {
		before := sent.Load()
		c.Until(t, "send some more", func() error {
			if n := sent.Load() - before; n < 20 {
				return fmt.Errorf("%d are sent since restart %d", n, restart)
			}
			return nil
		})
		start := time.Now()
		c.End(t, restart%2 == 1)
		ended := time.Now()
		c.Resume(t)
		t.Logf("restart %d: %d messages before, away for %v, of which to end %v", restart+1, sent.Load(), time.Since(start), ended.Sub(start))
	}
	close(ended)
	wg.Wait()
	t.Logf("%d messages through 5 restarts", sent.Load())
}
