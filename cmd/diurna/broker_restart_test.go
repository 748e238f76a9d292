//go:build !race

package main_test

import (
	"context"
	"crypto/sha256"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/internal/checker"
)

// TestABrokerThatRestartsLosesAndDoublesNothing stops the broker five times while messages come in, for longer each
// time, and starts it again on the same log and port. Producer and pipeline find it again by themselves.
func TestABrokerThatRestartsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(port int) *kfake.Cluster {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(trafficPartitions, trafficTopic), kfake.DataDir(dir), kfake.SyncWrites(), kfake.Ports(port))
		if err != nil {
			t.Fatal(err)
		}
		return cluster
	}
	cluster := start(0)
	defer func() { cluster.Close() }()
	address := cluster.ListenAddrs()[0]
	_, portText, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatal(err)
	}

	journal, home := checker.NewJournal(nil), filepath.Join(t.TempDir(), "home")
	p := newProducer(t, []string{address}, newTraffic(5, 8, 40), journal)
	r := startRun(t, home, "--brokers", address, "--flush-age", "50ms")
	sending, stop := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- p.keepSending(sending, 5, 50*time.Millisecond) }()
	c := openChecker(t, home)
	for restart := range 5 {
		time.Sleep(700 * time.Millisecond)
		cluster.Close()
		time.Sleep(time.Duration(restart*restart) * 150 * time.Millisecond)
		cluster = start(port)
		found, err := c.CheckFiles(t.Context(), journal)
		report(t, "after restart "+strconv.Itoa(restart+1), found, err)
	}
	time.Sleep(500 * time.Millisecond)
	stop()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	unknown := p.complete(t, []string{address})
	waitCaughtUp(t, c, journal, 60*time.Second)
	found, err := c.CheckSettled(t.Context(), journal)
	report(t, "in the end", found, err)
	t.Logf("%d messages, of which the producer did not know %d", journal.Len(), unknown)
	if code := r.interrupt(t); code != 0 {
		t.Errorf("the pipeline ended with %d", code)
	}
}

// complete asks the broker itself what lies in the topic. A message whose acknowledgement was lost may have been stored
// where the producer does not know of: it was sent again, and both are taken.
func (p *producer) complete(t *testing.T, brokers []string) (unknown int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(trafficTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	known, ends := p.journal.Positions(), p.journal.Ends()
	for read := map[int32]int64{}; !maps.Equal(read, ends); {
		quiet, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		fetches := client.PollFetches(quiet)
		cancel()
		if err := fetches.Err(); err != nil {
			t.Fatalf("read the topic to its end: %v; at %v of %v", err, read, ends)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			read[r.Partition] = r.Offset + 1
			ends[r.Partition] = max(ends[r.Partition], read[r.Partition])
			if known[checker.Position{Partition: r.Partition, Offset: r.Offset}] {
				return
			}
			m, ok := p.made[sha256.Sum256(r.Value)]
			if !ok {
				t.Errorf("the topic holds a message at %d of partition %d that was never sent", r.Offset, r.Partition)
			}
			m.Partition, m.Offset, m.AtMS = r.Partition, r.Offset, r.Timestamp.UnixMilli()
			if err := p.journal.Add(m); err != nil {
				t.Fatal(err)
			}
			unknown++
		})
	}
	return unknown
}
