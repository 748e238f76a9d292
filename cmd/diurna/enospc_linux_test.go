//go:build !race

package main_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/checker"
)

// TestADiskThatIsFullForAWhileStopsNobody has the disk be full a few times at three steps of ingest: when a data file is
// made durable, when Iceberg's manifest is, and right before the catalog. The ingester waits, goes on by itself, and
// nothing is lost or doubled.
func TestADiskThatIsFullForAWhileStopsNobody(t *testing.T) {
	t.Parallel()
	cluster := startKafka(t)
	home := filepath.Join(t.TempDir(), "home")
	x := &torture{t: t, cast: newCast(t, "DIURNA_INGEST_BALLAST=0B"), home: home, brokers: strings.Join(cluster.ListenAddrs(), ","), journal: checker.NewJournal(nil)}
	sender := newProducer(t, cluster.ListenAddrs(), newTraffic(23, 6, 40), x.journal)
	ingester := x.add("ingest", nil, x.args("ingest")...)
	builder := x.add("build", nil, x.args("build")...)
	x.checker = x.waitForLake()
	for _, doom := range []string{"seal.before_fsync=enospc@0x3", "commit.after_manifest=enospc@0x3", "commit.before_cas=enospc@0x3"} {
		ingester.arm(doom)
		builder.arm("")
		if err := sender.send(t.Context(), 60); err != nil {
			t.Fatal(err)
		}
		waitReceived(t, x.checker, x.journal, time.Minute)
		x.look(doom)
	}
	if log := string(read(t, filepath.Join(x.dir, "ingest.log"))); !strings.Contains(log, "disk") {
		t.Errorf("nobody was told that the disk is full: %s", log)
	}
	for line := range strings.Lines(string(read(t, filepath.Join(x.dir, "deeds.jsonl")))) {
		if strings.Contains(line, `"ended"`) && strings.Contains(line, `"ingest"`) {
			t.Errorf("the ingester gave up: %s", line)
		}
	}
	x.settle()
}

// waitReceived waits until bronze has come as far as the journal.
func waitReceived(t *testing.T, c *checker.Checker, journal *checker.Journal, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		marks, err := c.Received(t.Context())
		done := err == nil
		for p, end := range journal.Ends() {
			done = done && marks[p] >= end
		}
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("bronze has come to %v of %v after %s: %v", marks, journal.Ends(), within, err)
		}
	}
}
