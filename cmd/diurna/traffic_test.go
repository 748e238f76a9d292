//go:build !race

package main_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/internal/checker"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

const (
	trafficTopic      = "diurna.sync"
	trafficPartitions = 4
)

// startKafka starts a broker in this process, which outlives every process that the test kills.
func startKafka(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	if len(opts) == 0 {
		opts = []kfake.Opt{kfake.SeedTopics(trafficPartitions, trafficTopic)}
	}
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// A producer sends traffic and keeps the journal. It may be used by several goroutines.
type producer struct {
	mu      sync.Mutex
	client  *kgo.Client
	traffic *traffic
	journal *checker.Journal
	made    map[[sha256.Size]byte]checker.Message // by their bytes

	patience atomic.Int64 // by how much keepSending waits longer than it was told
}

func newProducer(t *testing.T, brokers []string, traffic *traffic, journal *checker.Journal) *producer {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(trafficTopic), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &producer{client: client, traffic: traffic, journal: journal, made: map[[sha256.Size]byte]checker.Message{}}
}

// send sends the next n messages and writes down where they lie once the broker has said so.
func (p *producer) send(ctx context.Context, n int) error { return p.sendEach(ctx, n, p.traffic.next) }

// flood sends messages that take a hundred times more memory than room on the wire.
func (p *producer) flood(ctx context.Context, n int) error { return p.sendEach(ctx, n, p.traffic.wide) }

func (p *producer) sendEach(ctx context.Context, n int, next func() sending) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := make([]sending, n)
	records := make([]*kgo.Record, n)
	for i := range sent {
		sent[i] = next()
		records[i] = sent[i].record()
		p.made[sha256.Sum256(sent[i].value)] = sent[i].says
	}
	for _, result := range p.client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			return fmt.Errorf("produce: %w", result.Err)
		}
	}
	messages := make([]checker.Message, n)
	for i := range sent {
		messages[i] = sent[i].says
		messages[i].Partition, messages[i].Offset = records[i].Partition, records[i].Offset
	}
	return p.journal.Add(messages...)
}

// A sending is a message on the wire and what it says.
type sending struct {
	key         string
	value       []byte
	contentType string
	says        checker.Message
}

func (s *sending) record() *kgo.Record {
	r := &kgo.Record{Key: []byte(s.key), Value: s.value, Timestamp: time.UnixMilli(s.says.AtMS)}
	if s.contentType != "" {
		r.Headers = []kgo.RecordHeader{{Key: "content-type", Value: []byte(s.contentType)}}
	}
	return r
}

// trafficStartMS is when the first message of all traffic is sent: what the messages say lies in the days before.
var trafficStartMS = time.Date(2026, 10, 20, 6, 0, 0, 0, time.UTC).UnixMilli()

const (
	minuteMS = 60_000
	hourMS   = 60 * minuteMS
)

// traffic makes up what a few difficult devices send: windows that overlap, prefixes that grow, batches that come twice
// or late, offsets that change, values that cannot be, deletions, and bytes that nobody can read. The same seed makes
// the same messages.
type traffic struct {
	dice    *rand.Rand
	devices []*wearable
	sent    int64
	samples int // of a batch, about
}

type wearable struct {
	user, id  string
	seq       int64
	epoch     int32
	atMS      int64 // up to where it has told
	offsetMin int32
	last      *sending
	held      []sending // made before what was sent since
	nightMS   int64     // when the night began that it is telling of
}

func newTraffic(seed uint64, people, samples int) *traffic {
	t := &traffic{dice: rand.New(rand.NewPCG(seed, 1)), samples: samples}
	for i := range people {
		for d := range 1 + i%2 {
			t.devices = append(t.devices, &wearable{user: fmt.Sprintf("person-%02d", i), id: fmt.Sprintf("watch-%d", d),
				atMS: trafficStartMS - 40*24*hourMS + int64(i)*7*minuteMS, offsetMin: []int32{60, 330, -300, 0}[i%4]})
		}
	}
	return t
}

// next makes the next message.
func (t *traffic) next() sending {
	w := t.devices[t.dice.IntN(len(t.devices))]
	var s sending
	switch dice := t.dice.IntN(100); {
	case dice < 3:
		s = t.noise(w)
	case dice < 8 && w.last != nil:
		s = *w.last // sent again because the answer was lost
	case dice < 14 && len(w.held) > 0:
		s = w.held[0]
		w.held = w.held[1:]
	case dice < 20:
		w.held = append(w.held, t.batch(w))
		s = t.batch(w)
		w.last = &s
	default:
		s = t.batch(w)
		w.last = &s
	}
	t.sent++
	s.says.AtMS = trafficStartMS + t.sent*minuteMS/2 // 2,880 messages a day: many a file ends at a midnight
	return s
}

// wide makes a message that says something of every hour of the same twenty days: a row for each of its values. As rows
// it takes more than a quarter of the memory that ingest has at the least.
func (t *traffic) wide() sending {
	w := t.devices[t.dice.IntN(len(t.devices))]
	w.seq++
	b := &checker.Batch{ID: fmt.Sprintf("%s:%s:%d:%d", w.user, w.id, w.epoch, w.seq), User: w.user, Device: w.id, Epoch: w.epoch, Seq: w.seq}
	for _, metric := range []string{schemas.Steps, schemas.StepCounter, schemas.Intensity, schemas.MotionCount, "cadence", "floors", "distance",
		"active_energy", "altitude", "speed", "power", "stroke_count", "stress", "noise_level", "hrv_rmssd"} {
		b.Series = append(b.Series, t.series(metric, trafficStartMS-60*24*hourMS, hourMS, w.offsetMin, 480, 1, 4))
	}
	value, err := syncv1.EncodeProto(wireOf(b))
	if err != nil {
		panic(err) // the traffic itself is wrong
	}
	t.sent++
	return sending{key: w.user, value: value, contentType: "application/x-protobuf", says: checker.Message{Batch: b, AtMS: trafficStartMS + t.sent*minuteMS/2}}
}

// noise is bytes that are no batch.
func (t *traffic) noise(w *wearable) sending {
	bytes := [][]byte{
		[]byte(`{"batch_id": "torn`), {}, {0xff, 0xff, 0xff, 0xff, 0xff}, []byte("null"), []byte(`[]`), []byte(`{"batch_id": 7}`),
	}[t.dice.IntN(6)]
	sum := sha256.Sum256(bytes)
	return sending{key: w.user, value: bytes, says: checker.Message{SHA256: hex.EncodeToString(sum[:])}}
}

// batch makes the device's next batch.
func (t *traffic) batch(w *wearable) sending {
	w.seq++
	switch t.dice.IntN(60) {
	case 0:
		w.offsetMin = []int32{60, 120, 330, 345, -210, 0}[t.dice.IntN(6)] // a journey
	case 1:
		w.epoch, w.seq = w.epoch+1, 1 // a reset
	}
	b := &checker.Batch{ID: fmt.Sprintf("%s:%s:%d:%d", w.user, w.id, w.epoch, w.seq), User: w.user, Device: w.id, Epoch: w.epoch, Seq: w.seq}
	n := t.samples/2 + t.dice.IntN(t.samples)
	if now := trafficStartMS + t.sent*minuteMS/2; w.atMS+int64(n)*minuteMS > now-24*hourMS {
		w.atMS -= 30 * 24 * hourMS // it has told everything, and tells it once more
	}
	from := w.atMS - int64(t.dice.IntN(n/2+1))*minuteMS // a part is told again, and may be told otherwise
	if t.dice.IntN(20) == 0 {
		from -= 36 * hourMS // late days
	}
	b.Series = append(b.Series, t.series(schemas.HeartRate, from, minuteMS, w.offsetMin, n, 50, 150))
	if t.dice.IntN(3) == 0 {
		b.Series = append(b.Series, t.series(schemas.Steps, from, minuteMS, w.offsetMin, n, 0, 120))
	}
	if t.dice.IntN(4) == 0 {
		b.Series = append(b.Series, t.spots("oxygen_saturation", from, w.offsetMin, 1+n/10, 900, 1000))
	}
	t.items(w, b, from)
	w.atMS = max(w.atMS, from+int64(n)*minuteMS)

	wire, aside := wireOf(b), map[string]int{}
	if t.dice.IntN(20) == 0 {
		aside["value_range"] = 2
		wire.Series = append(wire.Series, syncv1.Series{Metric: schemas.MotionCount, StartMS: from, OffsetMin: w.offsetMin, PeriodMS: 30_000, Values: []int32{-1, 10_001}})
	}
	if t.dice.IntN(30) == 0 {
		aside["future_ts"] = 1
		wire.Readings = append(wire.Readings, syncv1.Reading{Metric: schemas.BodyWeight, AtMS: trafficStartMS + 900*24*hourMS, Value: 70_000})
	}
	if t.dice.IntN(30) == 0 {
		aside["schema_unknown"] = 3
		wire.Series = append(wire.Series, syncv1.Series{Metric: "no_such_metric", StartMS: from, PeriodMS: minuteMS, Values: []int32{1, 2, 3}})
	}
	s := sending{key: w.user, says: checker.Message{Batch: b, Aside: aside}}
	var err error
	if t.dice.IntN(2) == 0 {
		s.value, err = syncv1.EncodeProto(wire)
		s.contentType = "application/x-protobuf"
	} else {
		s.value, err = syncv1.EncodeJSON(wire)
		s.contentType = []string{"application/json", ""}[t.dice.IntN(2)]
	}
	if err != nil {
		panic(err) // the traffic itself is wrong
	}
	return s
}

func (t *traffic) items(w *wearable, b *checker.Batch, from int64) {
	value := func() *int32 { v := int32(t.dice.IntN(1000)); return &v }
	if t.dice.IntN(5) == 0 {
		b.Readings = append(b.Readings, checker.Reading{Metric: schemas.BodyWeight, TimeMS: from - from%hourMS, OffsetMin: w.offsetMin, Value: 60_000 + *value()})
	}
	if t.dice.IntN(6) == 0 { // a night that grows from sync to sync, staged better each time
		if w.nightMS == 0 || from > w.nightMS+9*hourMS {
			w.nightMS = from
		}
		for i := range 1 + t.dice.IntN(4) {
			start := w.nightMS + int64(i)*hourMS
			b.Segments = append(b.Segments, checker.Segment{StartMS: start, EndMS: start + hourMS/2 + int64(t.dice.IntN(30))*minuteMS,
				StartOffsetMin: w.offsetMin, EndOffsetMin: w.offsetMin, Stage: []string{"light", "deep", "rem", "awake"}[t.dice.IntN(4)]})
		}
	}
	if t.dice.IntN(8) == 0 {
		b.Summaries = append(b.Summaries, checker.Summary{Metric: "sleep_score", Date: int32(from / (24 * hourMS)), Value: int32(t.dice.IntN(100))})
	}
	if t.dice.IntN(8) == 0 {
		e := checker.Event{Kind: "tag", Name: []string{"illness", "travel"}[t.dice.IntN(2)], StartMS: from - from%hourMS, OffsetMin: w.offsetMin}
		if t.dice.IntN(2) == 0 {
			e.EndMS, e.Value, e.Text = e.StartMS+hourMS, value(), "told"
		}
		b.Events = append(b.Events, e)
	}
	if t.dice.IntN(12) == 0 {
		run := checker.RRRun{StartMS: from, OffsetMin: w.offsetMin}
		for range 20 {
			run.IntervalsMS = append(run.IntervalsMS, 600+*value())
		}
		b.RRRuns = append(b.RRRuns, run)
	}
	if t.dice.IntN(16) == 0 { // few names, so that later versions replace earlier ones, also of another month
		b.Workouts = append(b.Workouts, checker.Workout{ID: fmt.Sprintf("run-%d", w.seq%5), Sport: "running", StartMS: from, EndMS: from + hourMS,
			StartOffsetMin: w.offsetMin, EndOffsetMin: w.offsetMin, Totals: map[string]int32{"distance": *value()},
			Track: []checker.Series{t.series("cadence", from, 1000, w.offsetMin, 40, 100, 200)}})
	}
	if t.dice.IntN(16) == 0 {
		start := from - int64(t.dice.IntN(48))*hourMS/2
		b.Deletions = append(b.Deletions, checker.Deletion{AllDevices: t.dice.IntN(3) == 0, FromMS: start, ToMS: start + int64(10+t.dice.IntN(60))*minuteMS,
			Metric: []string{schemas.HeartRate, schemas.Steps, "sleep_segments", "events", schemas.BodyWeight, "sleep_score",
				"rr_runs", "workouts", "cadence"}[t.dice.IntN(9)]})
	}
}

// series is n values at a period, some of them missing; the first and the last are there.
func (t *traffic) series(metric string, from, periodMS int64, offsetMin int32, n, low, high int) checker.Series {
	s := checker.Series{Metric: metric, StartMS: from, OffsetMin: offsetMin, PeriodMS: int32(periodMS), Values: make([]*int32, n)}
	for i := range s.Values {
		if v := int32(low + t.dice.IntN(high-low)); i == 0 || i == n-1 || t.dice.IntN(12) > 0 {
			s.Values[i] = &v
		}
	}
	return s
}

// spots is n values at times of their own.
func (t *traffic) spots(metric string, from int64, offsetMin int32, n, low, high int) checker.Series {
	s := checker.Series{Metric: metric, StartMS: from, OffsetMin: offsetMin}
	at := int32(0)
	for range n {
		v := int32(low + t.dice.IntN(high-low))
		s.AtMS, s.Values = append(s.AtMS, at), append(s.Values, &v)
		at += 1 + int32(t.dice.IntN(10*minuteMS))
	}
	return s
}

// wireOf is the batch as a watch would send it.
func wireOf(b *checker.Batch) *syncv1.Batch {
	w := &syncv1.Batch{BatchID: b.ID, UserID: b.User, Device: syncv1.Device{ID: b.Device, Kind: "watch", Epoch: uint32(b.Epoch)},
		Seq: uint64(b.Seq), SentAtMS: trafficStartMS, Source: syncv1.SourceNative}
	for i := range b.Series {
		w.Series = append(w.Series, wireSeries(&b.Series[i]))
	}
	for _, s := range b.Segments {
		w.SleepSegments = append(w.SleepSegments, syncv1.SleepSegment{StartMS: s.StartMS, EndMS: s.EndMS,
			StartOffsetMin: s.StartOffsetMin, EndOffsetMin: s.EndOffsetMin, Stage: schemas.SleepStage(s.Stage)})
	}
	for _, r := range b.RRRuns {
		w.RRRuns = append(w.RRRuns, syncv1.RRRun{StartMS: r.StartMS, OffsetMin: r.OffsetMin, IntervalsMS: slices.Clone(r.IntervalsMS)})
	}
	for _, one := range b.Workouts {
		workout := syncv1.Workout{ID: one.ID, Sport: one.Sport, StartMS: one.StartMS, EndMS: one.EndMS,
			StartOffsetMin: one.StartOffsetMin, EndOffsetMin: one.EndOffsetMin}
		for metric, value := range one.Totals {
			workout.Totals = append(workout.Totals, syncv1.Quantity{Metric: metric, Value: value})
		}
		for i := range one.Track {
			workout.Track = append(workout.Track, wireSeries(&one.Track[i]))
		}
		w.Workouts = append(w.Workouts, workout)
	}
	for _, r := range b.Readings {
		w.Readings = append(w.Readings, syncv1.Reading{Metric: r.Metric, AtMS: r.TimeMS, OffsetMin: r.OffsetMin, Value: r.Value})
	}
	for _, s := range b.Summaries {
		w.DailySummaries = append(w.DailySummaries, syncv1.DailySummary{Metric: s.Metric, LocalDate: s.Date, Value: s.Value})
	}
	for _, e := range b.Events {
		w.Events = append(w.Events, syncv1.Event{Kind: e.Kind, Name: e.Name, StartMS: e.StartMS, EndMS: e.EndMS, OffsetMin: e.OffsetMin, Value: e.Value, Text: e.Text})
	}
	for _, d := range b.Deletions {
		w.Deletions = append(w.Deletions, syncv1.Deletion{AllDevices: d.AllDevices, Metric: d.Metric, FromMS: d.FromMS, ToMS: d.ToMS})
	}
	return w
}

func wireSeries(s *checker.Series) syncv1.Series {
	w := syncv1.Series{Metric: s.Metric, StartMS: s.StartMS, OffsetMin: s.OffsetMin, PeriodMS: s.PeriodMS}
	for i, v := range s.Values {
		if v == nil {
			continue
		}
		at := int32(i) * s.PeriodMS
		if s.AtMS != nil {
			at = s.AtMS[i]
		}
		w.AtMS, w.Values = append(w.AtMS, at), append(w.Values, *v)
	}
	return w
}
