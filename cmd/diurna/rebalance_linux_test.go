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
// twenty times one joins, leaves or is killed, while messages come in. A session lasts longer than the test, so that what
// it waits for is not its end.
func TestMembersOfAGroupComeAndGoAndNothingIsLostOrDoubled(t *testing.T) {
	const changes, most = 20, 4
	const session, longestStall = 2 * time.Minute, time.Minute // so that who waits for a session to end is found out on a busy machine too
	seed := uint64(number(t, "DIURNA_SEED", 13))
	dice := rand.New(rand.NewPCG(seed, 6))
	cluster := startKafka(t)
	home := filepath.Join(t.TempDir(), "home")
	c := newCast(t, "DIURNA_INGEST_SESSION="+session.String(), "DIURNA_INGEST_BALLAST=0B", "DIURNA_DUCKDB_THREADS=1")
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
	stall := stalls().Round(10 * time.Millisecond)
	t.Logf("%d joins, %d leaves, %d kills; %d messages; a partition stood still for %s at the longest", joins, leaves, kills, x.journal.Len(), stall)
	if stall > longestStall {
		t.Errorf("a partition stood still for %s, more than %s", stall, longestStall)
	}
}

// watchProgress returns a function that stops watching and tells for how long a partition stood still at the longest,
// though there was something to take.
func (x *torture) watchProgress(ctx context.Context) func() time.Duration {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan time.Duration, 1)
	c := openChecker(x.t, x.home)
	go func() {
		var longest time.Duration
		moved, last := map[int32]time.Time{}, map[int32]int64{}
		for ctx.Err() == nil {
			ends := x.journal.Ends() // before: what is taken was sent
			marks, err := c.Received(ctx)
			for p, end := range ends {
				if since, seen := moved[p]; !seen || err == nil && (marks[p] != last[p] || marks[p] >= end) {
					moved[p], last[p] = time.Now(), marks[p]
				} else {
					longest = max(longest, time.Since(since))
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		done <- longest
	}()
	return func() time.Duration {
		stop()
		return <-done
	}
}
