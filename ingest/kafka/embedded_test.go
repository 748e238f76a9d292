package kafka

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/broker"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// What only the embedded broker does, or can be made to do.

func TestTheTimeOfAMessageIsTheEmbeddedBrokers(t *testing.T) {
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

func TestALogThatWasThrownAwayIsAnotherTopic(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1})
	topic := open(t, b.Addr())
	publish(t, topic, "a", "b")
	s := sourceOf(t, topic, 0, 0)
	fetchN(t, s, 2)
	addr, id := b.Addr(), topic.Identity()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := startBroker(t, broker.Config{Dir: t.TempDir(), Partitions: 1, Addr: addr})
	for range 2 {
		if _, err := s.Fetch(t.Context()); !errors.Is(err, ErrRecreated) {
			t.Fatalf("reading on in a topic made anew: %v", err)
		}
	}
	if other := open(t, again.Addr()).Identity(); other == id || other.Topic != id.Topic {
		t.Errorf("the new log is %v, the old one was %v", other, id)
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

func TestABrokerThatIsNotThereIsNamed(t *testing.T) {
	b := startBroker(t, broker.Config{Dir: t.TempDir()})
	addr := b.Addr()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Brokers: []string{addr}, Topic: "diurna.sync", Attempts: 2, RequestTimeout: time.Second})
	if err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("nobody listens at %s, and the error is %v", addr, err)
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
