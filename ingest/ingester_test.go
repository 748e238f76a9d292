package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A stage is a real broker, a topic on it and a real lake.
type stage struct {
	broker *broker.Broker
	topic  *kafka.Topic
	lake   *lake.Lake
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{lake: openLake(t, dir)}
	s.startBroker(t, filepath.Join(dir, "broker"), 2)
	return s
}

func openLake(t *testing.T, dir string) *lake.Lake {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := lake.Open(t.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *stage) startBroker(t *testing.T, dir string, partitions int) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Addr: "127.0.0.1:0", Partitions: partitions,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	topic, err := kafka.Open(t.Context(), kafka.Config{Brokers: []string{b.Addr()}, Topic: b.Topic(), PrefetchBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		topic.Close()
		_ = b.Close()
	})
	s.broker, s.topic = b, topic
}

func (s *stage) publish(t *testing.T, records ...kafka.Record) kafka.Positions {
	t.Helper()
	p := s.topic.Producer()
	defer p.Close()
	positions, err := p.Publish(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	return positions
}

// config is that of an ingester that writes at once and gives up at once.
func (s *stage) config() ingest.Config {
	return ingest.Config{Lake: s.lake, Topic: s.topic, UserBuckets: 1, FlushAge: 30 * time.Millisecond,
		Takeover: 300 * time.Millisecond, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
}

func (s *stage) ingester(change ...func(*ingest.Config)) *ingest.Ingester {
	cfg := s.config()
	for _, do := range change {
		do(&cfg)
	}
	return ingest.New(cfg)
}

// ingestUpTo runs an ingester until bronze holds everything below the positions.
func (s *stage) ingestUpTo(t *testing.T, positions kafka.Positions, change ...func(*ingest.Config)) {
	t.Helper()
	stop := s.run(t, s.ingester(change...))
	s.waitFor(t, positions)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// run starts an ingester; the function it returns ends it and returns what it returned.
func (s *stage) run(t *testing.T, in *ingest.Ingester) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	return sync.OnceValue(func() error {
		cancel()
		return <-done
	})
}

// waitFor returns once bronze stands at the positions.
func (s *stage) waitFor(t *testing.T, positions kafka.Positions) {
	t.Helper()
	eventually(t, func() bool { return s.reached(t, positions) })
}

// eventually returns once something is so: the ingester says nothing that could be waited for.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that within three minutes")
		}
	}
}

func (s *stage) reached(t *testing.T, positions kafka.Positions) bool {
	t.Helper()
	bronze, err := s.lake.Load(t.Context(), schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	wanted, ok, err := ingest.LakePositions(bronze, s.topic.Identity(), positions)
	if err != nil {
		t.Fatal(err)
	}
	marks := s.watermarks(t)
	for p, end := range wanted {
		ok = ok && marks[p] >= end
	}
	return ok
}

func (s *stage) watermarks(t *testing.T) map[int32]int64 {
	t.Helper()
	bronze, err := s.lake.Load(t.Context(), schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	marks, err := bronze.Watermarks(lake.IngestWatermark)
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

// bronze returns every row, and fails when a key is there twice.
func (s *stage) bronze(t *testing.T) []schemas.SyncRecord {
	t.Helper()
	snapshot, err := s.lake.Load(t.Context(), schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	var all []schemas.SyncRecord
	for _, f := range snapshot.Files {
		if err := lake.ReadRows(t.Context(), s.lake, f.Path, func(rows []schemas.SyncRecord) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, r := range all {
		key := fmt.Sprint(r.Partition, " ", r.Offset, " ", r.ItemIndex)
		if seen[key] {
			t.Errorf("record %s is in bronze twice", key)
		}
		seen[key] = true
	}
	return all
}

func batch(t *testing.T, user string, n int) kafka.Record {
	t.Helper()
	value, err := syncv1.EncodeProto(&syncv1.Batch{
		BatchID: fmt.Sprint(user, "-", n), UserID: user, Device: syncv1.Device{ID: "watch", Kind: "watch"}, Seq: uint64(n + 1),
		SentAtMS: 1_700_000_000_000, OffsetMin: 60, Source: syncv1.SourceNative,
		Series: []syncv1.Series{{Metric: schemas.HeartRate, StartMS: 1_700_000_000_000 + int64(n)*600_000, OffsetMin: 60,
			PeriodMS: 60_000, Values: []int32{60, 61, 62}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Record{Key: user, Value: value, ContentType: syncv1.ContentTypeProto}
}

func count(rows []schemas.SyncRecord, kind schemas.RecordKind) (n int) {
	for _, r := range rows {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

func TestEveryMessageBecomesRowsOrADeadLetterWithItsBytes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	poison := []byte("\xff\xfethis is no sync batch")
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 0), kafka.Record{Key: "a", Value: poison}, batch(t, "a", 1),
		kafka.Record{Key: "a", Value: []byte(`{"batch_id":"x"}`), ContentType: syncv1.ContentTypeJSON}, batch(t, "b", 0)))
	rows := s.bronze(t)
	if n := count(rows, schemas.KindBatch); n != 3 {
		t.Errorf("%d batches are in bronze, want 3", n)
	}
	if n := count(rows, schemas.KindSeries); n != 3 {
		t.Errorf("%d pieces of series are in bronze, want 3", n)
	}
	var reasons []string
	for _, r := range rows {
		if r.Kind == schemas.KindDeadLetter {
			reasons = append(reasons, r.Reason)
			if r.Reason == string(schemas.RejectDecode) && string(r.Payload) != string(poison) {
				t.Error("the dead letter does not hold the message's bytes")
			}
		}
	}
	if len(reasons) != 2 {
		t.Errorf("dead letters have reasons %q, want two of them", reasons)
	}
}

func TestARestartGoesOnFromTheWatermark(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sent := kafka.Positions{}
	total := 0
	for round := range 4 {
		for i := range 10 {
			sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i%3), round*10+i)))
			total++
		}
		s.ingestUpTo(t, sent)
		if n := count(s.bronze(t), schemas.KindBatch); n != total {
			t.Fatalf("after round %d there are %d batches, want %d", round, n, total)
		}
	}
}

func TestTwoIngestersThatOwnEverythingLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var fenced atomic.Int64
	count1 := func(cfg *ingest.Config) {
		cfg.Takeover = time.Millisecond // as impolite as can be: what takes over from a healthy owner is fenced again
		cfg.Patient = true
		cfg.Fenced = func(int32) { fenced.Add(1) }
	}
	stop, stop2 := s.run(t, s.ingester(count1)), s.run(t, s.ingester(count1))
	sent := kafka.Positions{}
	for i := range 200 {
		sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i%5), i)))
	}
	s.waitFor(t, sent)
	if err := errors.Join(stop(), stop2()); err != nil {
		t.Error(err)
	}
	if n := count(s.bronze(t), schemas.KindBatch); n != 200 {
		t.Errorf("%d batches are in bronze, want 200", n)
	}
	if fenced.Load() == 0 {
		t.Error("nobody was ever fenced: the two did not meet")
	}
}

func TestAFencedIngesterTakesOverWhenTheOwnerIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	standby := s.ingester(func(cfg *ingest.Config) { cfg.Patient = true })
	stop := s.run(t, standby)
	s.waitFor(t, s.publish(t, batch(t, "a", 0), batch(t, "b", 0)))
	owner := s.run(t, s.ingester())
	s.waitFor(t, s.publish(t, batch(t, "a", 1)))
	eventually(t, func() bool {
		s.publish(t, batch(t, "a", 2), batch(t, "b", 2), batch(t, "c", 2), batch(t, "d", 2))
		return states(standby)[ingest.StateFenced] > 0
	})
	if err := owner(); err != nil {
		t.Error(err)
	}
	s.waitFor(t, s.publish(t, batch(t, "a", 3), batch(t, "b", 3)))
	if err := stop(); err != nil {
		t.Error(err)
	}
	s.bronze(t)
}

func states(in *ingest.Ingester) map[ingest.State]int {
	n := map[ingest.State]int{}
	for _, p := range in.Status().Partitions {
		n[p.State]++
	}
	return n
}

func TestAFencedIngesterThatIsToStopSaysWhy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ended := make(chan error, 1)
	go func() {
		ended <- s.ingester(func(cfg *ingest.Config) { cfg.OnFenced = ingest.FencedStop }).Run(t.Context())
	}()
	s.waitFor(t, s.publish(t, batch(t, "a", 0)))
	stop := s.run(t, s.ingester())
	defer stop()
	eventually(t, func() bool {
		s.publish(t, batch(t, "a", 1), batch(t, "b", 1), batch(t, "c", 1), batch(t, "d", 1))
		select {
		case err := <-ended:
			if schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), "ingest.on_fenced") {
				t.Errorf("it ended with %v", err)
			}
			return true
		default:
			return false
		}
	})
}

func TestATopicThatIsNotTheLakesOwnIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 0)))
	other := newStage(t)
	other.lake = s.lake
	for _, patient := range []bool{false, true} {
		err := other.ingester(func(cfg *ingest.Config) { cfg.Patient = patient }).Run(t.Context())
		if schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), "--new-source") {
			t.Errorf("ingesting another cluster's topic gave %v, want a conflict that names the way out", err)
		}
	}
}

func TestANewSourceIsKeptApartFromTheOneBefore(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before := s.publish(t, batch(t, "a", 0), batch(t, "b", 0))
	s.ingestUpTo(t, before)
	other := newStage(t)
	other.lake = s.lake
	sent := other.publish(t, batch(t, "a", 1), batch(t, "b", 1), batch(t, "a", 2))
	other.ingestUpTo(t, sent, func(cfg *ingest.Config) { cfg.NewSource = true })
	// Once begun, a new source is the lake's own: nothing more has to be said.
	sent.Add(other.publish(t, batch(t, "b", 2)))
	other.ingestUpTo(t, sent)

	want := map[int32]int64(maps.Clone(before))
	for p, end := range sent {
		want[p+1_000_000] = end
	}
	if diff := cmp.Diff(want, other.watermarks(t)); diff != "" {
		t.Errorf("watermarks (-want +got):\n%s", diff)
	}
	if n := count(other.bronze(t), schemas.KindBatch); n != 6 {
		t.Errorf("%d batches are in bronze, want 6", n)
	}
	if err := s.ingester().Run(t.Context()); schemas.ErrorCode(err) != schemas.CodeConflict {
		t.Errorf("ingesting the old topic again gave %v, want a conflict", err)
	}
}

func TestMessagesDeletedUnreadHaltTheirPartition(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sent := s.publish(t, batch(t, "a", 0), batch(t, "a", 1), batch(t, "a", 2))
	s.trim(t, sent)
	err := s.ingester().Run(t.Context())
	if schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), "messages 0 to 1 of partition") ||
		!strings.Contains(err.Error(), "--on-gap record") {
		t.Errorf("ingesting after a loss gave %v, want the offsets and the way out", err)
	}
	for p := range sent {
		want := []schemas.IngestGap{{Source: s.topic.Identity().String(), Partition: p, FromOffset: 0, ToOffset: 2}}
		if diff := cmp.Diff(want, s.gaps(t), ignoreFoundAt()); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	}
}

func TestAPartitionThatHaltsDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	lost := s.publish(t, batch(t, "a", 0), batch(t, "a", 1), batch(t, "a", 2))
	s.trim(t, lost)
	in := s.ingester(func(cfg *ingest.Config) { cfg.Patient = true })
	stop := s.run(t, in)
	other := kafka.Positions{}
	for i := range 20 {
		other.Add(s.publish(t, batch(t, fmt.Sprint("u", i), 0)))
	}
	for p := range lost {
		delete(other, p)
	}
	s.waitFor(t, other)
	eventually(t, func() bool { return states(in)[ingest.StateHalted] == 1 })
	if problem := in.Status().Problem(); problem == nil || !strings.Contains(problem.Error(), "halted (gap)") {
		t.Errorf("its status is %v, want the halted partition with its reason", problem)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAGapThatIsRecordedIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 0)))
	sent := s.publish(t, batch(t, "a", 1), batch(t, "a", 2), batch(t, "a", 3))
	s.trim(t, sent)
	var passed atomic.Int64
	record := func(cfg *ingest.Config) {
		cfg.OnGap = ingest.GapRecord
		cfg.GapCrossed = func(n int64) { passed.Add(n) }
	}
	s.ingestUpTo(t, sent, record)
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 4)), record)
	for p := range sent {
		want := []schemas.IngestGap{{Source: s.topic.Identity().String(), Partition: p, FromOffset: 1, ToOffset: 3, Skipped: true}}
		if diff := cmp.Diff(want, s.gaps(t), ignoreFoundAt()); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	}
	if n := count(s.bronze(t), schemas.KindBatch); n != 3 || passed.Load() != 2 {
		t.Errorf("%d batches are in bronze and %d messages were passed over, want 3 and 2", n, passed.Load())
	}
}

// trim has Kafka delete everything but the last message of each partition.
func (s *stage) trim(t *testing.T, sent kafka.Positions) {
	t.Helper()
	for p, end := range sent {
		if err := s.broker.Trim(t.Context(), p, end-1); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *stage) gaps(t *testing.T) []schemas.IngestGap {
	t.Helper()
	snapshot, err := s.lake.Load(t.Context(), schemas.TableIngestGaps)
	if err != nil {
		t.Fatal(err)
	}
	var all []schemas.IngestGap
	for _, f := range snapshot.Files {
		if err := lake.ReadRows(t.Context(), s.lake, f.Path, func(rows []schemas.IngestGap) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func ignoreFoundAt() cmp.Option { return cmpopts.IgnoreFields(schemas.IngestGap{}, "FoundAt") }

func TestWhatIsHeldIsWrittenWhenTheProcessIsAskedToEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sent := s.publish(t, batch(t, "a", 0), batch(t, "b", 0), batch(t, "c", 0))
	in := s.ingester(func(cfg *ingest.Config) { cfg.FlushAge = time.Hour })
	stop := s.run(t, in)
	eventually(t, func() bool { return in.Status().MemoryBytes > 0 })
	time.Sleep(200 * time.Millisecond) // all three are held by then, or come with the next start
	if s.reached(t, sent) {
		t.Fatal("it was written before anybody asked")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := count(s.bronze(t), schemas.KindBatch); n == 0 {
		t.Error("nothing was written at the end")
	}
	s.ingestUpTo(t, sent)
	if n := count(s.bronze(t), schemas.KindBatch); n != 3 {
		t.Errorf("%d batches are in bronze, want 3", n)
	}
}

func TestWhatKafkaRemembersOfUsChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const group = "diurna-ingest"
	sent := kafka.Positions{}
	for round, move := range []func(end int64) int64{
		func(end int64) int64 { return end },
		func(int64) int64 { return 0 },
		func(end int64) int64 { return end + 1000 },
	} {
		sent.Add(s.publish(t, batch(t, "a", round), batch(t, "b", round)))
		s.ingestUpTo(t, sent)
		moved := map[int32]int64{}
		for p, end := range sent {
			moved[p] = move(end)
		}
		if err := s.topic.Hint(t.Context(), group, moved); err != nil {
			t.Fatal(err)
		}
	}
	s.ingestUpTo(t, sent)
	if n := count(s.bronze(t), schemas.KindBatch); n != 6 {
		t.Errorf("%d batches are in bronze, want 6", n)
	}
}

func TestMembersOfAGroupShareThePartitions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	member := func(cfg *ingest.Config) { cfg.Group, cfg.Patient = "ingest", true }
	one, two := s.ingester(member), s.ingester(member)
	stop := s.run(t, one)
	sent := kafka.Positions{}
	for i := range 20 {
		sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i), 0)))
	}
	s.waitFor(t, sent)
	stop2 := s.run(t, two)
	eventually(t, func() bool { return states(one)[ingest.StateFilling] == 1 && states(two)[ingest.StateFilling] == 1 })
	for i := range 20 {
		sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i), 1)))
	}
	s.waitFor(t, sent)
	if err := stop(); err != nil {
		t.Error(err)
	}
	for i := range 20 {
		sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i), 2)))
	}
	s.waitFor(t, sent) // the one that stayed has both
	if err := stop2(); err != nil {
		t.Error(err)
	}
	if n := count(s.bronze(t), schemas.KindBatch); n != 60 {
		t.Errorf("%d batches are in bronze, want 60", n)
	}
}
