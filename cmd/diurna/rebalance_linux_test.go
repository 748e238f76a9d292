//go:build !race

package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/checker"
)

// TestMembersOfAGroupComeAndGoAndNothingIsLostOrDoubled has up to four ingesters share a topic as a consumer group, and
// twenty times one joins, leaves or is killed, while messages come in.
func TestMembersOfAGroupComeAndGoAndNothingIsLostOrDoubled(t *testing.T) {
	const changes, most = 20, 4
	seed := uint64(number(t, "DIURNA_SEED", 13))
	dice := rand.New(rand.NewPCG(seed, 6))
	cluster := startKafka(t)
	home := filepath.Join(t.TempDir(), "home")
	c := newCast(t, "DIURNA_INGEST_BALLAST=0B", "DIURNA_DUCKDB_THREADS=1")
	x := &torture{t: t, cast: c, home: home, brokers: strings.Join(cluster.ListenAddrs(), ","), seed: seed, dice: rand.New(rand.NewPCG(seed, 7)), journal: checker.NewJournal(nil)}
	sender := newProducer(t, cluster.ListenAddrs(), newTraffic(seed, 12, 30), x.journal)
	sending, stop := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- sender.keepSending(sending, 10, 100*time.Millisecond) }()

	join := func(n int) *role {
		return x.add(fmt.Sprint("member-", n), nil, x.args("ingest", "--group", "watches")...)
	}
	members := []*role{join(0)}
	x.add("build", nil, x.args("build")...)
	x.checker = x.waitForLake()
	stalls := x.watchProgress(t.Context())
	joins, leaves, kills := 0, 0, 0
	for change := range changes {
		time.Sleep(time.Duration(300+dice.IntN(900)) * time.Millisecond)
		var what string
		switch dice := dice.IntN(3); {
		case len(members) < 2 || dice == 0 && len(members) < most:
			members = append(members, join(change+1))
			joins, what = joins+1, "a member joined"
		case dice == 1:
			x.dismiss(members[0])
			members = slices.Delete(members, 0, 1)
			leaves, what = leaves+1, "a member left"
		default:
			members[len(members)-1].kill()
			kills, what = kills+1, "a member was killed"
		}
		x.look(what)
	}
	stop()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	x.settle()
	t.Logf("%d joins, %d leaves, %d kills; %d messages; bronze stood still for %s at the longest", joins, leaves, kills, x.journal.Len(), stalls().Round(10*time.Millisecond))
}

// watchProgress returns a function that stops watching and tells for how long bronze stood still at the longest, though
// there was something to take.
func (x *torture) watchProgress(ctx context.Context) func() time.Duration {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan time.Duration, 1)
	c := openChecker(x.t, x.home)
	go func() {
		var longest time.Duration
		moved, last := time.Now(), int64(-1)
		for ctx.Err() == nil {
			var received, ends int64
			marks, err := c.Received(ctx)
			for _, mark := range marks {
				received += mark
			}
			for _, end := range x.journal.Ends() {
				ends += end
			}
			if err == nil && (received != last || received >= ends) {
				moved, last = time.Now(), received
			}
			longest = max(longest, time.Since(moved))
			time.Sleep(20 * time.Millisecond)
		}
		done <- longest
	}()
	return func() time.Duration {
		stop()
		return <-done
	}
}
