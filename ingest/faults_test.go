package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// These tests arm failpoints, which are the whole process's: none of them is parallel.

func arm(t *testing.T, points string) {
	t.Helper()
	if err := failpoint.Arm(points); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = failpoint.Arm("") })
}

func patient(cfg *ingest.Config) { cfg.Patient = true }

func TestACommitWhoseAnswerIsAlwaysLostIsMadeOnce(t *testing.T) {
	s := newStage(t)
	arm(t, "commit.lost_reply=error")
	sent := kafka.Positions{}
	for i := range 10 {
		sent.Add(s.publish(t, batch(t, "a", i), batch(t, "b", i)))
		s.ingestUpTo(t, sent, patient)
	}
	if n := count(s.bronze(t), schemas.KindBatch); n != 20 {
		t.Errorf("%d batches are in bronze, want 20", n)
	}
}

func TestACommitIsKnownAgainAfterOthersHaveLanded(t *testing.T) {
	s := newStage(t)
	commit := func(id string, offset int64) {
		base, err := s.lake.Load(t.Context(), schemas.TableSyncRecords)
		if err != nil {
			t.Fatal(err)
		}
		path, err := lake.WriteRows(t.Context(), s.lake, schemas.TableSyncRecords, id, map[string]int64{"ingest_date": 0}, nil,
			[]schemas.SyncRecord{{Offset: offset}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.lake.Commit(t.Context(), lake.Commit{Base: base, ID: id, Add: []string{path}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range []string{"first", "second", "third"} {
		commit(id, int64(i))
	}
	after, err := s.lake.Load(t.Context(), schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"first", "second", "third"} {
		if !after.Has(id) {
			t.Errorf("the %s commit is not known any more", id)
		}
	}
	if after.Has("fourth") {
		t.Error("a commit that never was is known")
	}
}

// TestAFullDiskIsWaitedOut fills the disk where data, metadata and catalog are written, each for a while.
func TestAFullDiskIsWaitedOut(t *testing.T) {
	for _, point := range []string{"seal.before_fsync", "commit.after_manifest", "commit.after_metadata", "commit.before_cas"} {
		t.Run(point, func(t *testing.T) {
			s := newStage(t)
			s.ingestUpTo(t, s.publish(t, batch(t, "a", 0)))
			var told atomic.Bool
			in := s.ingester(patient, func(cfg *ingest.Config) { cfg.DiskFull = told.Store })
			stop := s.run(t, in)
			eventually(t, func() bool { return states(in)[ingest.StateFilling] == 2 })

			arm(t, point+"=enospc")
			sent := s.publish(t, batch(t, "a", 1), batch(t, "b", 1))
			eventually(t, func() bool { return states(in)[ingest.StatePaused] == 2 })
			problem := in.Status().Problem()
			if problem == nil || !strings.Contains(problem.Error(), string(ingest.ReasonDiskFull)) || !told.Load() {
				t.Errorf("its status is %v and it told %v, want the full disk", problem, told.Load())
			}
			if s.reached(t, sent) {
				t.Error("the watermark moved on a full disk")
			}
			arm(t, "")
			s.waitFor(t, sent)
			eventually(t, func() bool { return in.Status().Problem() == nil && !told.Load() })
			s.waitFor(t, s.publish(t, batch(t, "a", 2)))
			if err := stop(); err != nil {
				t.Error(err)
			}
			if n := count(s.bronze(t), schemas.KindBatch); n != 4 {
				t.Errorf("%d batches are in bronze, want 4", n)
			}
		})
	}
}

func TestAFullDiskEndsAnIngestThatSomebodyWaitsFor(t *testing.T) {
	s := newStage(t)
	s.publish(t, batch(t, "a", 0))
	arm(t, "seal.before_fsync=enospc")
	if err := s.ingester().Run(t.Context()); !ingest.IsDiskFull(err) {
		t.Errorf("it ended with %v, want a full disk", err)
	}
}

func TestADecoderThatBreaksCostsOneMessage(t *testing.T) {
	s := newStage(t)
	arm(t, "decode.panic=panic")
	sent := s.publish(t, batch(t, "a", 0))
	s.ingestUpTo(t, sent)
	arm(t, "")
	sent.Add(s.publish(t, batch(t, "a", 1)))
	s.ingestUpTo(t, sent)
	rows := s.bronze(t)
	if dead, whole := count(rows, schemas.KindDeadLetter), count(rows, schemas.KindBatch); dead != 1 || whole != 1 {
		t.Errorf("%d dead letters and %d batches are in bronze, want one of each", dead, whole)
	}
}

// TestMemoryIsBoundedWhateverTheBacklog reads a backlog from many partitions whose values alone are twelve times the budget.
func TestMemoryIsBoundedWhateverTheBacklog(t *testing.T) {
	const budget, partitions, messages = 24 << 20, 64, 72
	s := &stage{lake: openLake(t, t.TempDir())}
	s.startBroker(t, t.TempDir(), partitions)
	sent := kafka.Positions{}
	bytes := 0
	for i := range messages {
		r := largeBatch(t, fmt.Sprint("u", i), i)
		bytes += len(r.Value)
		sent.Add(s.publish(t, r))
	}

	runtime.GC()
	before := liveHeap(t)
	in := s.ingester(patient, func(cfg *ingest.Config) {
		cfg.MemoryBytes, cfg.FlushAge = budget, time.Hour // only memory, never age, has anything written
	})
	stop := s.run(t, in)
	var most, held int64
	for deadline := time.Now().Add(2 * time.Minute); !s.nearly(t, sent, messages/3) && time.Now().Before(deadline); {
		most = max(most, liveHeap(t)-before)
		held = max(held, in.Status().MemoryBytes)
		time.Sleep(20 * time.Millisecond)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s.ingestUpTo(t, sent)
	if n := count(s.bronze(t), schemas.KindBatch); n != messages {
		t.Errorf("%d batches are in bronze, want %d", n, messages)
	}
	t.Logf("backlog of %d MiB, budget %d MiB: %d MiB in the budget, %d MiB of heap at most", bytes>>20, budget>>20, held>>20, most>>20)
	// Beside the budget: one fetch and one message under way for each partition, the broker's own part in them, for it runs
	// in this process, and what sealing needs.
	if limit := int64(budget + 160<<20); most > limit {
		t.Errorf("the heap grew by %d MiB, want %d at most", most>>20, limit>>20)
	}
	if held > budget*5/4 {
		t.Errorf("%d MiB were held of a budget of %d MiB", held>>20, budget>>20)
	}
}

// nearly reports whether all but some messages are in bronze.
func (s *stage) nearly(t *testing.T, sent kafka.Positions, but int64) bool {
	t.Helper()
	marks := s.watermarks(t)
	var missing int64
	for p, end := range sent {
		missing += end - marks[p]
	}
	return missing <= but
}

func liveHeap(t *testing.T) int64 {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// largeBatch is about a MiB on the wire, and nearly as much in a page.
func largeBatch(t *testing.T, user string, n int) kafka.Record {
	t.Helper()
	b := &syncv1.Batch{BatchID: fmt.Sprint(user, "-", n), UserID: user, Device: syncv1.Device{ID: "watch", Kind: "watch"},
		Seq: uint64(n + 1), SentAtMS: 1_700_000_000_000, Source: syncv1.SourceNative}
	dice := rand.New(rand.NewPCG(uint64(n), 0))
	for day := range 60 {
		values := make([]int32, 17_280) // every five seconds
		for i := range values {
			values[i] = 90 + dice.Int32N(60)
		}
		b.Series = append(b.Series, syncv1.Series{Metric: schemas.HeartRate, StartMS: 1_690_000_000_000 + int64(day)*86_400_000,
			PeriodMS: 5000, Values: values})
	}
	value, err := syncv1.EncodeProto(b)
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Record{Key: user, Value: value, ContentType: syncv1.ContentTypeProto}
}

func TestTooLittleRoomIsNoticedBeforeTheDiskIsFull(t *testing.T) {
	s := newStage(t)
	var free atomic.Int64
	free.Store(100)
	room := func(cfg *ingest.Config) {
		cfg.Room = func() (int64, int64, bool) { return free.Load(), 1000, true }
	}
	sent := s.publish(t, batch(t, "a", 0))
	if err := s.ingester(room).Run(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it ended with %v, want a disk without room", err)
	}
	in := s.ingester(patient, room)
	stop := s.run(t, in)
	eventually(t, func() bool { return states(in)[ingest.StatePaused] == 2 })
	free.Store(1 << 30)
	s.waitFor(t, sent)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAStormOfRejectedMessagesIsStoppedAndAFewAreNot(t *testing.T) {
	s := newStage(t)
	send := func(n, poisonEvery int) kafka.Positions {
		records := make([]kafka.Record, n)
		for i := range records {
			records[i] = batch(t, fmt.Sprint("u", i), i)
			if i%poisonEvery == 0 {
				records[i].Value = []byte("\xff\xfe no batch")
			}
		}
		return s.publish(t, records...)
	}
	s.ingestUpTo(t, send(2000, 20), patient)

	sent := send(6000, 3)
	in := s.ingester(patient)
	stop := s.run(t, in)
	eventually(t, func() bool { return states(in)[ingest.StatePaused] == 2 })
	if problem := in.Status().Problem(); !strings.Contains(problem.Error(), "--on-storm go-on") {
		t.Errorf("its status is %v, want the way out", problem)
	}
	time.Sleep(300 * time.Millisecond) // it goes on as little later as now
	if err := stop(); err != nil {
		t.Error(err)
	}
	if s.reached(t, sent) {
		t.Error("everything was taken in")
	}
	s.ingestUpTo(t, sent, patient, func(cfg *ingest.Config) { cfg.OnStorm = ingest.StormGoOn })
	rows := s.bronze(t)
	if dead, whole := count(rows, schemas.KindDeadLetter), count(rows, schemas.KindBatch); dead != 2100 || whole != 5900 {
		t.Errorf("%d dead letters and %d batches are in bronze, want 2100 and 5900", dead, whole)
	}
}
