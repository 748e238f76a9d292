package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
	s.startBroker(t, filepath.Join(dir, "broker"))
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

func (s *stage) startBroker(t *testing.T, dir string) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Addr: "127.0.0.1:0", Partitions: 2,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	topic, err := kafka.Open(t.Context(), kafka.Config{Brokers: []string{b.Addr()}, Topic: b.Topic()})
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

func (s *stage) ingester() *ingest.Ingester {
	return ingest.New(ingest.Config{Lake: s.lake, Topic: s.topic, UserBuckets: 1, FlushAge: 30 * time.Millisecond,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
}

// ingestUpTo runs an ingester until bronze holds everything below the positions.
func (s *stage) ingestUpTo(t *testing.T, positions kafka.Positions) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.ingester().Run(ctx) }()
	for !s.reached(t, positions) {
		select {
		case err := <-done:
			t.Fatalf("the ingester ended early: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (s *stage) reached(t *testing.T, positions kafka.Positions) bool {
	t.Helper()
	marks := s.watermarks(t)
	for p, end := range positions {
		if marks[p] < end {
			return false
		}
	}
	return true
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
		if err := lake.ReadRows(f.Path, func(rows []schemas.SyncRecord) error {
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

func TestTwoIngestersOfOnePartitionDoubleNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sent := kafka.Positions{}
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	var wg sync.WaitGroup
	refused := make(chan error, 2)
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil { // a refused one is started again, as a supervisor would
				if err := s.ingester().Run(ctx); err != nil {
					if schemas.ErrorCode(err) != schemas.CodeConflict {
						t.Errorf("an ingester ended with %v, want a conflict", err)
						return
					}
					select {
					case refused <- err:
					default:
					}
				}
			}
		})
	}
	for i := range 200 {
		sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i%5), i)))
	}
	for !s.reached(t, sent) && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond) // both go on meanwhile; the end is known by the watermark alone
	}
	stop()
	wg.Wait()
	if n := count(s.bronze(t), schemas.KindBatch); n != 200 {
		t.Errorf("%d batches are in bronze, want 200", n)
	}
	if len(refused) == 0 {
		t.Error("no ingester was ever refused: the two did not meet")
	}
}

func TestATopicThatIsNotTheLakesOwnIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 0)))
	other := newStage(t)
	other.lake = s.lake
	err := other.ingester().Run(t.Context())
	if schemas.ErrorCode(err) != schemas.CodeConflict {
		t.Errorf("ingesting another cluster's topic gave %v, want a conflict", err)
	}
}

func TestMessagesDeletedUnreadStopTheIngester(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sent := s.publish(t, batch(t, "a", 0), batch(t, "a", 1), batch(t, "a", 2))
	for p, end := range sent {
		if err := s.broker.Trim(t.Context(), p, end-1); err != nil {
			t.Fatal(err)
		}
	}
	err := s.ingester().Run(t.Context())
	var gap *kafka.GapError
	if !errors.As(err, &gap) || gap.From != 0 || gap.To != 2 {
		t.Errorf("ingesting after a loss gave %v, want a gap of offsets 0 to 2", err)
	}
}
