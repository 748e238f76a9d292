//go:build !race

package main_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/diurna-health/diurna/internal/checker"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// sendAll sends the messages one after the other, in their order.
func sendAll(t *testing.T, cluster *kfake.Cluster, journal *checker.Journal, sendings []sending) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic(trafficTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for chunk := range slices.Chunk(sendings, 100) {
		records := make([]*kgo.Record, len(chunk))
		for i := range chunk {
			records[i] = chunk[i].record()
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for i := range chunk {
			m := chunk[i].says
			m.Partition, m.Offset = records[i].Partition, records[i].Offset
			if err := journal.Add(m); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// cutAnew returns batches that say the same in other cuts: some of them in two, each part with the number of the whole.
func cutAnew(t *testing.T, dice *rand.Rand, sendings []sending) []sending {
	t.Helper()
	var out []sending
	for _, s := range sendings {
		b := s.says.Batch
		if b == nil || len(s.says.Aside) > 0 || len(b.Series[0].Values) < 4 || dice.IntN(2) == 0 {
			out = append(out, s)
			continue
		}
		first, second := *b, *b
		first.ID, second.ID = b.ID+":1", b.ID+":2"
		first.Series, second.Series = nil, nil
		for _, series := range b.Series {
			cut := 1 + dice.IntN(len(series.Values)-1)
			if series.AtMS != nil {
				cut = len(series.Values) // values at times of their own stay together
			}
			head, tail := series, series
			head.Values, tail.Values = series.Values[:cut], series.Values[cut:]
			tail.StartMS += int64(cut) * int64(series.PeriodMS)
			first.Series = append(first.Series, head)
			if len(tail.Values) > 0 {
				second.Series = append(second.Series, tail)
			}
		}
		second.Segments, second.RRRuns, second.Workouts, second.Readings = nil, nil, nil, nil
		second.Summaries, second.Events, second.Deletions = nil, nil, nil
		for _, part := range []checker.Batch{first, second} {
			value, err := syncv1.EncodeProto(wireOf(&part))
			if err != nil {
				t.Fatal(err)
			}
			says := s.says
			says.Batch = &part
			out = append(out, sending{key: s.key, value: value, contentType: "application/x-protobuf", says: says})
		}
	}
	return out
}

// TestTheOrderAndTheCutsOfBatchesDoNotShowInGold sends what some devices said in five other orders, cut into other
// batches and taken in other gulps. Each time silver is what the journal comes to, and gold is the same.
func TestTheOrderAndTheCutsOfBatchesDoNotShowInGold(t *testing.T) {
	t.Parallel()
	seed := uint64(number(t, "DIURNA_SEED", 7))
	traffic := newTraffic(seed, 5, 60)
	sendings := make([]sending, 250)
	for i := range sendings {
		sendings[i] = traffic.next()
	}
	last := sendings[len(sendings)-1].says.AtMS
	var want checker.Digest
	for round := range 6 {
		name := "in the order in which they were made"
		if round > 0 {
			name = fmt.Sprint("shuffle ", round)
		}
		t.Run(name, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, uint64(round)))
			mine := slices.Clone(sendings)
			if round > 0 {
				mine = cutAnew(t, dice, mine)
				dice.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			}
			for i := range mine {
				mine[i].says.AtMS = last + int64(i)*minuteMS
			}
			cluster := startKafka(t, kfake.SeedTopics(int32(1+dice.IntN(5)), trafficTopic))
			journal, home := checker.NewJournal(nil), filepath.Join(t.TempDir(), "home")
			var args []string
			for taken := 0; taken < len(mine); { // some of it while a pipeline runs, some while none does
				n := min(len(mine)-taken, len(mine)/2+1)
				sendAll(t, cluster, journal, mine[taken:taken+n])
				taken += n
				args = []string{"--flush-age", strconv.Itoa(5+dice.IntN(200)) + "ms"}
				takeAll(t, home, cluster, journal, args...)
			}
			c := openChecker(t, home)
			found, err := c.CheckSettled(t.Context(), journal)
			report(t, "in the end", found, err)
			got, err := c.Digest(t.Context(), "gold.")
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				want = got
				if got["gold.heart_rate_days"].Rows.Rows == 0 {
					t.Error("gold is empty")
				}
			}
			report(t, "compared with the first order", want.SameRows(got), nil)
		})
	}
}

// TestAReplayMakesTheSameLake fills a home in many small gulps, with the pipeline killed in between and compacted, and
// another from offset 0 in one. Bronze holds the same rows, and silver, once compacted whole, the same bytes.
func TestAReplayMakesTheSameLake(t *testing.T) {
	t.Parallel()
	cluster, journal := startKafka(t), checker.NewJournal(nil)
	p := newProducer(t, cluster.ListenAddrs(), newTraffic(uint64(number(t, "DIURNA_SEED", 17)), 8, 60), journal)
	first, again := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "again")
	for range 4 {
		if err := p.send(t.Context(), 120); err != nil {
			t.Fatal(err)
		}
		r := startRun(t, first, "--brokers", cluster.ListenAddrs()[0], "--flush-age", "20ms")
		c := openChecker(t, first)
		for marks := map[int32]int64{}; len(marks) == 0; marks, _ = c.Received(t.Context()) {
			time.Sleep(20 * time.Millisecond)
		}
		if err := r.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = r.cmd.Wait() // it was killed
	}
	takeAll(t, first, cluster, journal, "--flush-age", "20ms")
	diurna(t, "lake", "compact", "--home", first)
	takeAll(t, again, cluster, journal, "--flush-age", "3s")
	digest := func(home, prefix string) checker.Digest {
		t.Helper()
		d, err := openChecker(t, home).Digest(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if len(d) == 0 {
			t.Fatalf("nothing in %s", prefix)
		}
		return d
	}
	for _, prefix := range []string{"bronze.", "silver.", "gold."} {
		report(t, "replayed", digest(first, prefix).SameRows(digest(again, prefix)), nil)
	}
	if len(digest(first, "bronze.").SameFiles(digest(again, "bronze."))) == 0 {
		t.Error("bronze lies in the same files: the homes were not filled differently enough")
	}
	diurna(t, "lake", "compact", "--full", "--home", first)
	diurna(t, "lake", "compact", "--full", "--home", again)
	report(t, "compacted whole", digest(first, "silver.").SameFiles(digest(again, "silver.")), nil)
	report(t, "compacted whole", digest(first, "bronze.").SameRows(digest(again, "bronze.")), nil)
	for _, home := range []string{first, again} {
		found, err := openChecker(t, home).CheckSettled(t.Context(), journal)
		report(t, "compacted whole", found, err)
	}
}
