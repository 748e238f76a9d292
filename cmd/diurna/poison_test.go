//go:build !race

package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/internal/checker"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A poison is a message that somebody should not have sent.
type poison struct {
	name        string
	value       []byte
	contentType string
	// refused is the reason for which the whole message is a dead letter, "" when it can be read; then batch and aside
	// are what is taken and what is set aside of it.
	refused string
	batch   *checker.Batch
	aside   map[string]int
}

// poisons are fifty ways to be wrong.
func poisons(t *testing.T) []poison {
	t.Helper()
	good := func() *checker.Batch {
		v := int32(60)
		return &checker.Batch{ID: "bad", User: "person-00", Device: "watch-0", Seq: 1,
			Series: []checker.Series{{Metric: schemas.HeartRate, StartMS: trafficStartMS - hourMS, PeriodMS: minuteMS, Values: []*int32{&v}}}}
	}
	proto := func(w *syncv1.Batch) []byte {
		data, err := syncv1.EncodeProto(w)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	json := func(w *syncv1.Batch) []byte {
		data, err := syncv1.EncodeJSON(w)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	whole, document := proto(wireOf(good())), json(wireOf(good()))
	replaced := func(from, to string) []byte {
		out := bytes.Replace(document, []byte(from), []byte(to), 1)
		if bytes.Equal(out, document) {
			t.Fatalf("the document holds no %s: %s", from, document)
		}
		return out
	}
	var all []poison
	unreadable := func(name string, value []byte, contentType string) {
		all = append(all, poison{name: name, value: value, contentType: contentType, refused: string(schemas.RejectDecode)})
	}
	empty := func(name string, value []byte) { // a message of protobuf in which nothing stands, to anybody who looks at it
		all = append(all, poison{name: name, value: value, refused: string(schemas.RejectMissingKey)})
	}
	const isJSON, isProto = "application/json", "application/x-protobuf"

	empty("nothing", nil)
	empty("spaces", []byte("   \n"))
	unreadable("null", []byte("null"), "")
	unreadable("a number", []byte("17"), isJSON)
	unreadable("a text", []byte(`"batch"`), isJSON)
	unreadable("a list", []byte("[1,2]"), "")
	unreadable("a torn document", document[:len(document)/2], "")
	unreadable("a document and more", append(bytes.Clone(document), "}}"...), isJSON)
	unreadable("two documents", append(bytes.Clone(document), document...), isJSON)
	unreadable("ten thousand brackets", bytes.Repeat([]byte("["), 10_000), isJSON)
	unreadable("ten thousand nested objects", bytes.Repeat([]byte(`{"series":`), 10_000), isJSON)
	unreadable("not UTF-8", replaced("person-00", "person-\xff"), isJSON)
	unreadable("not a number", replaced(`"seq":1`, `"seq":NaN`), isJSON)
	unreadable("a fraction", replaced(`"seq":1`, `"seq":1.5`), isJSON)
	unreadable("a huge number", replaced(`"seq":1`, `"seq":1`+strings.Repeat("0", 400)), isJSON)
	unreadable("a text for a number", replaced(`"seq":1`, `"seq":"one"`), isJSON)
	unreadable("an object for a text", replaced(`"user_id":"person-00"`, `"user_id":{}`), isJSON)
	unreadable("a torn message", whole[:len(whole)-3], isProto)
	unreadable("bytes", []byte{0xff, 0xfe, 0xfd, 0xfc, 0xfb}, isProto)
	unreadable("zeros", make([]byte, 64), isProto)
	unreadable("an endless number", bytes.Repeat([]byte{0x80}, 64), isProto)
	unreadable("a length beyond the end", []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, isProto)
	unreadable("a document called a message", document, isProto)
	unreadable("a message called a document", whole, isJSON)
	unreadable("a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"), "")
	unreadable("gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "")
	unreadable("a web page", []byte("<!doctype html><title>502 Bad Gateway</title>"), "")
	unreadable("a line of a log", []byte("2026-11-21 10:00:00 ERROR cannot sync"), "")

	// What can be read and is refused as a whole, or in part.
	read := func(name string, change func(*checker.Batch, *syncv1.Batch), aside map[string]int) {
		b := good()
		w := wireOf(b)
		change(b, w)
		all = append(all, poison{name: name, value: proto(w), contentType: isProto, batch: b, aside: aside})
	}
	refusedWhole := func(name string, change func(*checker.Batch, *syncv1.Batch)) {
		read(name, func(b *checker.Batch, w *syncv1.Batch) {
			b.Series = nil
			change(b, w)
		}, map[string]int{string(schemas.RejectMissingKey): 1})
	}
	refusedWhole("nobody's", func(b *checker.Batch, w *syncv1.Batch) { b.User, w.UserID = "", "" })
	refusedWhole("an e-mail address", func(b *checker.Batch, w *syncv1.Batch) { b.User, w.UserID = "", "ann@example.org" })
	refusedWhole("a path", func(b *checker.Batch, w *syncv1.Batch) { b.User, w.UserID = "", "../../etc/passwd" })
	refusedWhole("a long name", func(b *checker.Batch, w *syncv1.Batch) { b.User, w.UserID = "", strings.Repeat("u", 65) })
	refusedWhole("no device's", func(b *checker.Batch, w *syncv1.Batch) { b.Device, w.Device.ID = "", "" })
	refusedWhole("a device with a quote", func(b *checker.Batch, w *syncv1.Batch) { b.Device, w.Device.ID = "", "w'; drop table x" })
	refusedWhole("a batch without name", func(b *checker.Batch, w *syncv1.Batch) { b.ID, w.BatchID = "", "" })
	extra := func(name string, reason schemas.RejectReason, n int, change func(*syncv1.Batch)) {
		read(name, func(_ *checker.Batch, w *syncv1.Batch) { change(w) }, map[string]int{string(reason): n})
	}
	series := func(s syncv1.Series) func(*syncv1.Batch) {
		return func(w *syncv1.Batch) { w.Series = append(w.Series, s) }
	}
	future, ancient := trafficStartMS+1000*24*hourMS, int64(0)
	extra("the watch's clock is ahead", schemas.RejectFutureTime, 2, series(syncv1.Series{Metric: schemas.Steps, StartMS: future, PeriodMS: minuteMS, Values: []int32{1, 2}}))
	extra("the watch's clock was reset", schemas.RejectAncientTime, 2, series(syncv1.Series{Metric: schemas.Steps, StartMS: ancient, PeriodMS: minuteMS, Values: []int32{1, 2}}))
	extra("a metric of tomorrow", schemas.RejectUnknownSchema, 1, series(syncv1.Series{Metric: "aura", StartMS: trafficStartMS - hourMS, PeriodMS: minuteMS, Values: []int32{1}}))
	extra("a metric without name", schemas.RejectMissingKey, 1, series(syncv1.Series{StartMS: trafficStartMS - hourMS, PeriodMS: minuteMS, Values: []int32{1}}))
	extra("a heart at 300", schemas.RejectValueRange, 1, series(syncv1.Series{Metric: schemas.HeartRate, StartMS: trafficStartMS - 9*hourMS, PeriodMS: minuteMS, Values: []int32{300}}))
	extra("the sentinel of a sensor", schemas.RejectValueRange, 1, series(syncv1.Series{Metric: schemas.HeartRate, StartMS: trafficStartMS - 9*hourMS, PeriodMS: minuteMS, Values: []int32{-1 << 31}}))
	extra("a night that ends before it starts", schemas.RejectInterval, 1, func(w *syncv1.Batch) {
		w.SleepSegments = append(w.SleepSegments, syncv1.SleepSegment{StartMS: trafficStartMS - hourMS, EndMS: trafficStartMS - 2*hourMS, Stage: "deep"})
	})
	extra("a night of a week", schemas.RejectInterval, 1, func(w *syncv1.Batch) {
		w.SleepSegments = append(w.SleepSegments, syncv1.SleepSegment{StartMS: trafficStartMS - 200*hourMS, EndMS: trafficStartMS - hourMS, Stage: "deep"})
	})
	extra("a stage nobody knows", schemas.RejectUnknownSchema, 1, func(w *syncv1.Batch) {
		w.SleepSegments = append(w.SleepSegments, syncv1.SleepSegment{StartMS: trafficStartMS - 2*hourMS, EndMS: trafficStartMS - hourMS})
	})
	extra("a workout without name", schemas.RejectMissingKey, 1, func(w *syncv1.Batch) {
		w.Workouts = append(w.Workouts, syncv1.Workout{Sport: "running", StartMS: trafficStartMS - 2*hourMS, EndMS: trafficStartMS - hourMS})
	})
	extra("beats that take no time", schemas.RejectValueRange, 2, func(w *syncv1.Batch) {
		w.RRRuns = append(w.RRRuns, syncv1.RRRun{StartMS: trafficStartMS - hourMS, IntervalsMS: []int32{0, 800}})
	})
	extra("an event nobody knows", schemas.RejectUnknownSchema, 1, func(w *syncv1.Batch) {
		w.Events = append(w.Events, syncv1.Event{Kind: "teleport", StartMS: trafficStartMS - hourMS})
	})
	extra("a deletion of nothing", schemas.RejectUnknownSchema, 1, func(w *syncv1.Batch) {
		w.Deletions = append(w.Deletions, syncv1.Deletion{Metric: "everything", FromMS: 1, ToMS: 2})
	})
	extra("a deletion that ends before it starts", schemas.RejectInterval, 1, func(w *syncv1.Batch) {
		w.Deletions = append(w.Deletions, syncv1.Deletion{Metric: schemas.Steps, FromMS: 2, ToMS: 1})
	})
	read("a hundred thousand hours", func(b *checker.Batch, w *syncv1.Batch) {
		b.Series = nil
		for i := range 600 { // 288,000 rows of an hour each
			w.Series = append(w.Series, syncv1.Series{Metric: schemas.Steps, StartMS: trafficStartMS - int64(480+i)*hourMS, PeriodMS: hourMS, Values: make([]int32, 480)})
		}
	}, map[string]int{string(schemas.RejectTooManySamples): 1})
	return all
}

// TestPoisonBlocksNobody sends fifty kinds of messages that should not have been sent, each followed by one that is
// right. Every one is in the lake with its reason, and none holds up what follows.
func TestPoisonBlocksNobody(t *testing.T) {
	t.Parallel()
	const most = time.Second
	cluster := startKafka(t, kfake.SeedTopics(1, trafficTopic), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "40000000"}))
	home := filepath.Join(t.TempDir(), "home")
	r := startRun(t, home, "--brokers", strings.Join(cluster.ListenAddrs(), ","), "--flush-age", "20ms")
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic(trafficTopic), kgo.ProducerBatchMaxBytes(30<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, journal, traffic := openChecker(t, home), checker.NewJournal(nil), newTraffic(3, 1, 20)
	send := func(s sending) {
		t.Helper()
		record := s.record()
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		m := s.says
		m.Partition, m.Offset = record.Partition, record.Offset
		if err := journal.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	received := func() bool {
		marks, err := c.Received(t.Context())
		return err == nil && marks[0] >= journal.Ends()[0]
	}
	// blocked sends a kind and returns how long it holds up what follows.
	blocked := func(p poison) time.Duration {
		bad := sending{key: "person-00", value: p.value, contentType: p.contentType,
			says: checker.Message{AtMS: trafficStartMS + traffic.sent*minuteMS/2, Refused: p.refused, Batch: p.batch, Aside: p.aside}}
		if p.batch == nil {
			sum := sha256.Sum256(p.value)
			bad.says.SHA256 = hex.EncodeToString(sum[:])
		}
		send(bad)
		send(traffic.next())
		began := time.Now()
		for !received() {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s: what follows is not in bronze after %s", p.name, time.Since(began))
			}
			time.Sleep(5 * time.Millisecond)
		}
		return time.Since(began)
	}
	var took []time.Duration
	kinds := poisons(t)
	for _, p := range kinds {
		least := blocked(p)
		for attempt := 0; least > most && attempt < 3; attempt++ {
			least = min(least, blocked(p)) // the machine may have been busy with something else
		}
		if took = append(took, least); least > most {
			t.Errorf("%s holds up what follows for %s", p.name, least)
		}
	}
	if len(kinds) < 50 {
		t.Errorf("only %d kinds", len(kinds))
	}
	slices.Sort(took)
	t.Logf("%d kinds; what follows is in bronze after %s (median), %s (most)", len(kinds), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	waitCaughtUp(t, c, journal, 30*time.Second)
	found, err := c.CheckSettled(t.Context(), journal)
	report(t, "in the end", found, err)
	if code := r.interrupt(t); code != 0 {
		t.Errorf("the pipeline ended with %d", code)
	}
	if got := query(t, home, "select count(*) from heart_rate"); got[0][0] == "0" {
		t.Error("nothing of what was right is there")
	}
}
