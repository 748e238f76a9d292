package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/kafkatest"
	"github.com/diurna-health/diurna/schemas"
)

// A clusterStage is a cluster with TLS and a login, kfake or Apache Kafka, for several stages.
type clusterStage struct{ *kafkatest.Cluster }

// TestIngestOnACluster is what must hold on kfake, and on Apache Kafka when make test-kafka runs it.
func TestIngestOnACluster(t *testing.T) {
	c := clusterStage{kafkatest.StartCluster(t)}
	t.Run("what was deleted unread halts, and when it is recorded is passed over", c.gaps)
	t.Run("a topic made anew is refused, also when it is longer", c.madeAnew)
	t.Run("members of a group share out a topic", c.members)
	t.Run("brokers that are killed lose and double nothing", c.killed)
}

// stage returns a lake and a new topic of two partitions.
func (c clusterStage) stage(t *testing.T) *stage {
	t.Helper()
	s := &stage{lake: openLake(t, t.TempDir())}
	s.topic = c.open(t, c.NewTopic(t, 2))
	return s
}

func (c clusterStage) open(t *testing.T, topic string) *kafka.Topic {
	t.Helper()
	opened, err := kafka.Open(t.Context(), kafka.Config{
		Brokers: []string{c.Addr}, Topic: topic, PrefetchBytes: 16 << 20, SessionTimeout: 3 * time.Second,
		Security: kafka.Security{TLS: true, CAFile: c.Certs.CAFile,
			Mechanism: kafka.MechanismScramSHA512, User: kafkatest.User, Password: kafkatest.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

func (c clusterStage) gaps(t *testing.T) {
	s := c.stage(t)
	sent := s.publish(t, batch(t, "a", 0))
	s.ingestUpTo(t, sent)
	sent = s.publish(t, batch(t, "a", 1), batch(t, "a", 2), batch(t, "a", 3))
	for p, end := range sent {
		c.Trim(t, s.topic.Identity().Topic, p, end-1)
	}
	err := s.ingester().Run(t.Context())
	if schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), "messages 1 to 2 of partition") {
		t.Errorf("ingesting after a loss gave %v, want the offsets", err)
	}
	s.ingestUpTo(t, sent, func(cfg *ingest.Config) { cfg.OnGap = ingest.GapRecord })
	if n := count(s.bronze(t), schemas.KindBatch); n != 2 {
		t.Errorf("%d batches are in bronze, want the first and the last of four", n)
	}
}

func (c clusterStage) madeAnew(t *testing.T) {
	s := c.stage(t)
	name := s.topic.Identity().Topic
	s.ingestUpTo(t, s.publish(t, batch(t, "a", 0)))
	c.MakeAnew(t, name, 2)
	other := &stage{lake: s.lake, topic: c.open(t, name)}
	sent := other.publish(t, batch(t, "a", 1), batch(t, "a", 2), batch(t, "a", 3))
	if err := s.ingester().Run(t.Context()); err == nil {
		t.Error("with a connection from before, the new topic was read on where the old one ended")
	}
	if err := other.ingester().Run(t.Context()); schemas.ErrorCode(err) != schemas.CodeConflict || !strings.Contains(err.Error(), "--new-source") {
		t.Errorf("the new topic gave %v, want a conflict that names the way out", err)
	}
	other.ingestUpTo(t, sent, func(cfg *ingest.Config) { cfg.NewSource = true })
	if n := count(other.bronze(t), schemas.KindBatch); n != 4 {
		t.Errorf("%d batches are in bronze, want 4", n)
	}
}

func (c clusterStage) members(t *testing.T) {
	s := c.stage(t)
	member := func(cfg *ingest.Config) { cfg.Group, cfg.Patient = "ingest "+s.topic.Identity().Topic, true }
	second := &stage{lake: s.lake, topic: c.open(t, s.topic.Identity().Topic)} // as another process has it
	one, two := s.ingester(member), second.ingester(member)
	stop, stop2 := s.run(t, one), second.run(t, two)
	sent := kafka.Positions{}
	send := func(round int) {
		t.Helper()
		for i := range 20 {
			sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i), round)))
		}
		s.waitFor(t, sent)
	}
	send(0)
	eventually(t, func() bool { return states(one)[ingest.StateFilling] == 1 && states(two)[ingest.StateFilling] == 1 })
	send(1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	send(2)
	if err := stop2(); err != nil {
		t.Error(err)
	}
	if n := count(s.bronze(t), schemas.KindBatch); n != 60 {
		t.Errorf("%d batches are in bronze, want 60", n)
	}
}

func (c clusterStage) killed(t *testing.T) {
	s := c.stage(t)
	stop := s.run(t, s.ingester(func(cfg *ingest.Config) { cfg.Patient = true }))
	sent := kafka.Positions{}
	messages := 0
	for round := range 3 {
		for i := range 20 {
			sent.Add(s.publish(t, batch(t, fmt.Sprint("u", i), round)))
			messages++
		}
		c.End(t, round%2 == 0) // with messages on their way into bronze
		c.Resume(t)
	}
	s.waitFor(t, sent)
	if err := stop(); err != nil {
		t.Error(err)
	}
	// A message whose acknowledgement was lost may lie in Kafka twice; in bronze every one of them is once.
	if n, lie := count(s.bronze(t), schemas.KindBatch), sent[0]+sent[1]; int64(n) != lie || n < messages {
		t.Errorf("%d batches are in bronze; %d were sent and %d lie in the topic", n, messages, lie)
	}
}
