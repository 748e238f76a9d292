package ingest_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest"
)

// syncs returns one sync an hour, each with the skew given, in minutes.
func syncs(minutes ...float64) []ingest.Sync {
	var list []ingest.Sync
	for i, m := range minutes {
		at := time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC)
		list = append(list, ingest.Sync{BatchID: "b" + strconv.Itoa(i), ReceivedAt: at, SentAt: at.Add(time.Duration(m * float64(time.Minute)))})
	}
	return list
}

func TestAClockIsKnownWhenThreeSyncsAgreeAndWrongBeyondFiveMinutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		syncs []ingest.Sync
		want  ingest.Clock
		fix   time.Duration
	}{
		"no sync":                   {nil, ingest.Clock{}, 0},
		"two syncs":                 {syncs(60, 60), ingest.Clock{Syncs: 2, Skew: time.Hour}, 0},
		"right, seconds on the way": {syncs(-0.1, -0.2, -0.1), ingest.Clock{Syncs: 3, Skew: -6 * time.Second, Spread: 6 * time.Second, Known: true}, 0},
		"an hour ahead": {syncs(60, 60.5, 59.5), ingest.Clock{Syncs: 3, Skew: time.Hour, Spread: time.Minute, Known: true, Wrong: true},
			-time.Hour},
		"five minutes ahead":    {syncs(5, 5, 5), ingest.Clock{Syncs: 3, Skew: 5 * time.Minute, Known: true}, 0},
		"a day behind":          {syncs(-1440, -1440, -1440), ingest.Clock{Syncs: 3, Skew: -24 * time.Hour, Known: true, Wrong: true}, 24 * time.Hour},
		"held back by a queue":  {syncs(-50, -20, -35), ingest.Clock{Syncs: 3, Skew: -35 * time.Minute, Spread: 30 * time.Minute}, 0},
		"wrong, then set right": {syncs(60, 60, 60, 0, 0, 0, 0, 0), ingest.Clock{Syncs: 5, Known: true}, 0},
		"set right just now":    {syncs(60, 60, 60, 0), ingest.Clock{Syncs: 4, Skew: time.Hour, Spread: time.Hour}, 0},
	} {
		got := ingest.EstimateClock(c.syncs)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Correction() != c.fix {
			t.Errorf("%s: correction %s, want %s", name, got.Correction(), c.fix)
		}
	}
}

func TestAnEstimateDoesNotDependOnTheOrderOfArrivalNorOnWhatCameAgain(t *testing.T) {
	t.Parallel()
	list := syncs(12, 11.5, 12.5, 12, 11, 12)
	want := ingest.EstimateClock(list)
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 9))
		shuffled := append([]ingest.Sync(nil), list...)
		for range random.IntN(4) { // sent again hours later, with the stamp of the first time
			again := list[random.IntN(len(list))]
			again.ReceivedAt = again.ReceivedAt.Add(time.Duration(1+random.IntN(9)) * time.Hour)
			shuffled = append(shuffled, again)
		}
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(want, ingest.EstimateClock(shuffled)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}
