package ingest

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// TestAnIntakeThatIsUsedAgainGivesTheSameRows takes messages of all sizes, and some that cannot be decoded, with memory
// that held others before.
func TestAnIntakeThatIsUsedAgainGivesTheSameRows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	again := new(intake)
	for i := range 200 {
		m := message(t, rng, i)
		want, wantSamples := new(intake).rows(m, 4)
		got, samples := again.rows(m, 4)
		if diff := cmp.Diff(want, got); diff != "" || samples != wantSamples {
			t.Fatalf("message %d: %d samples, want %d; rows (-want +got):\n%.3000s", i, samples, wantSamples, diff)
		}
	}
}

// TestWhatABufferHoldsIsNotWhatItWasGiven writes over the rows of a message once they are taken in.
func TestWhatABufferHoldsIsNotWhatItWasGiven(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	one, many := lake.NewRecords(), lake.NewRecords()
	again := new(intake)
	for i := range 50 {
		m := message(t, rng, i)
		rows, _ := again.rows(m, 4)
		many.Add(rows)
		rows, _ = new(intake).rows(m, 4)
		one.Add(rows)
	}
	db, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), Catalog: db, UserBuckets: 4, Now: time.Now, Logger: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	var paths [2]string
	for i, r := range []*lake.Records{one, many} {
		if paths[i], err = lake.WriteRecords(t.Context(), l, "same", map[string]int64{"ingest_date": 19_000}, nil, r); err != nil {
			t.Fatal(err)
		}
	}
	if paths[0] != paths[1] { // the name holds the hash
		t.Errorf("the files are %s and %s", paths[0], paths[1])
	}
}

func message(t *testing.T, rng *rand.Rand, n int) kafka.Message {
	t.Helper()
	const start = 1_650_000_000_000
	m := kafka.Message{Partition: 1, Offset: int64(n), TimeMS: 1_700_000_000_000, ContentType: syncv1.ContentTypeProto}
	if rng.IntN(10) == 0 {
		m.Value = []byte("no batch")
		return m
	}
	b := &syncv1.Batch{BatchID: fmt.Sprint("b", n), UserID: fmt.Sprint("u", n%7), Device: syncv1.Device{ID: "w", Model: "m"},
		Seq: uint64(n), SentAtMS: start, OffsetMin: 330, Source: syncv1.SourceNative}
	for range rng.IntN(5) {
		s := syncv1.Series{Metric: schemas.HeartRate, StartMS: start + rng.Int64N(1e7), OffsetMin: 330, PeriodMS: 60_000}
		for range rng.IntN(300) {
			s.Values = append(s.Values, rng.Int32N(260)) // some are implausible
		}
		b.Series = append(b.Series, s)
	}
	for range rng.IntN(3) {
		b.RRRuns = append(b.RRRuns, syncv1.RRRun{StartMS: start, IntervalsMS: []int32{800, 810, 820}})
		b.Readings = append(b.Readings, syncv1.Reading{Metric: "body_weight", AtMS: start, Value: 70_000})
	}
	var err error
	if rng.IntN(2) == 0 {
		m.Value, err = syncv1.EncodeProto(b)
	} else {
		m.ContentType = syncv1.ContentTypeJSON
		m.Value, err = syncv1.EncodeJSON(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
