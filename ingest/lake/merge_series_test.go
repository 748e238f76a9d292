package lake

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
)

const (
	testHour = int64(16_908) * dayUS // 2016-04-17T00:00Z
	testDate = int32(16_908)
)

// An arrival is one thing that reaches the merge: a part of an hour, or a deletion.
type arrival struct {
	name    string
	hours   []schemas.SeriesHour
	erasing *deletion
}

func part(name string, rev schemas.Revision, offsetMin, period int32, at, values []int32) arrival {
	return arrival{name: name, hours: []schemas.SeriesHour{{
		UserID: "u", Metric: schemas.HeartRate, DeviceID: "w", HourAt: testHour, LocalMonth: 201604,
		LocalDate: testDate, UTCOffsetMin: offsetMin, PeriodMS: period, Source: "native",
		OffsetsMS: packOffsets(at, period), Values: values, Revisions: []schemas.RevisionRun{run(rev, int32(len(values)))},
	}}}
}

func erase(name string, rev schemas.Revision, device string, all bool, fromMS, toMS int64) arrival {
	return arrival{name: name, erasing: &deletion{schemas.DeletionRow{
		UserID: "u", DeviceID: device, AllDevices: all, Metric: schemas.HeartRate,
		FromAt: testHour + fromMS*msUS, ToAt: testHour + toMS*msUS, Revision: rev,
	}}}
}

// settle merges the arrivals one after the other, as rounds of the merger would.
func settle(arrivals []arrival) []schemas.SeriesHour {
	var silver []schemas.SeriesHour
	hide := &deletions{byUser: map[string][]deletion{}}
	for _, a := range arrivals {
		if a.erasing != nil {
			hide.byUser["u"] = append(hide.byUser["u"], *a.erasing)
		}
		if len(silver) > 0 || len(a.hours) > 0 {
			silver = resolveHour(silver, a.hours, hide)
		}
	}
	return silver
}

func permutations[T any](in []T, visit func([]T)) {
	var walk func(k int)
	walk = func(k int) {
		if k == len(in) {
			visit(in)
			return
		}
		for i := k; i < len(in); i++ {
			in[k], in[i] = in[i], in[k]
			walk(k + 1)
			in[k], in[i] = in[i], in[k]
		}
	}
	walk(0)
}

func minutes(from, n int32) []int32 {
	at := make([]int32, n)
	for i := range at {
		at[i] = (from + int32(i)) * 60_000
	}
	return at
}

func fill(n int, v int32) []int32 { return slices.Repeat([]int32{v}, n) }

func TestEveryOrderOfOverlappingPartsGivesOneHour(t *testing.T) {
	t.Parallel()
	rev := func(seq, offset int64) schemas.Revision {
		return schemas.Revision{Seq: seq, BrokerAt: 100 + offset, Offset: offset}
	}
	first := part("0-30", rev(1, 1), 60, 60_000, minutes(0, 30), fill(30, 60))
	second := part("20-50 newer", rev(2, 2), 60, 60_000, minutes(20, 30), fill(30, 70))
	resent := part("0-60 older, sent late", rev(0, 9), 60, 60_000, minutes(0, 60), fill(60, 50))
	moved := part("40-60 at another offset", rev(3, 3), -300, 60_000, minutes(40, 20), fill(20, 80))
	spots := part("spots", rev(4, 4), 60, 0, []int32{1, 61_000, 1_200_000}, []int32{90, 91, 92})
	reset := part("after a reset", schemas.Revision{DeviceEpoch: 1, Seq: 1, BrokerAt: 300, Offset: 20}, 60, 60_000,
		minutes(10, 3), fill(3, 99))
	old := erase("hides the old", rev(2, 5), "w", false, 0, 25*60_000)
	other := erase("another device, all", schemas.Revision{DeviceEpoch: 7, Seq: 1, BrokerAt: 102, Offset: 2}, "phone", true,
		45*60_000, 55*60_000)

	for name, arrivals := range map[string][]arrival{
		"parts":                 {first, second, resent, moved, spots},
		"parts and a reset":     {first, reset, resent, moved},
		"parts and a deletion":  {first, second, resent, old, moved},
		"parts and two of them": {first, second, resent, old, other, moved},
		"the same part twice":   {first, second, first, second},
		"a deletion between": {
			part("early with a high number", schemas.Revision{Seq: 2, BrokerAt: 5}, 0, 60_000, minutes(0, 5), fill(5, 70)),
			part("late with a low number", schemas.Revision{Seq: 1, BrokerAt: 10}, 0, 60_000, minutes(3, 7), fill(7, 60)),
			part("much later", schemas.Revision{Seq: 1, BrokerAt: 20}, 0, 60_000, minutes(20, 7), fill(7, 60)),
			erase("by the phone", schemas.Revision{Seq: 9, BrokerAt: 7}, "phone", true, 0, 4*60_000),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrivals = slices.Clone(arrivals)
			want := settle(slices.Clone(arrivals))
			n := 0
			permutations(arrivals, func(order []arrival) {
				n++
				if diff := cmp.Diff(want, settle(order)); diff != "" {
					var names []string
					for _, a := range order {
						names = append(names, a.name)
					}
					t.Fatalf("order %q gives another hour (-want +got):\n%s", names, diff)
				}
			})
			if len(want) == 0 || n < 24 {
				t.Fatalf("%d orders of %d rows prove nothing", n, len(want))
			}
		})
	}
}

func TestTheHighestRevisionWinsEachSample(t *testing.T) {
	t.Parallel()
	got := settle([]arrival{
		part("whole hour", schemas.Revision{Seq: 1, Offset: 1}, 60, 60_000, minutes(0, 60), fill(60, 60)),
		part("ten minutes again", schemas.Revision{Seq: 2, Offset: 2}, 60, 60_000, minutes(10, 10), fill(10, 70)),
	})
	if len(got) != 1 {
		t.Fatalf("%d rows, want one", len(got))
	}
	want := slices.Concat(fill(10, 60), fill(10, 70), fill(40, 60))
	if diff := cmp.Diff(want, got[0].Values); diff != "" {
		t.Error("values (-want +got):\n" + diff)
	}
	if diff := cmp.Diff([]int32{0}, got[0].OffsetsMS); diff != "" {
		t.Error("a full hour keeps one offset (-want +got):\n" + diff)
	}
	runs := []schemas.RevisionRun{{Count: 10, Seq: 1, Offset: 1}, {Count: 10, Seq: 2, Offset: 2}, {Count: 40, Seq: 1, Offset: 1}}
	if diff := cmp.Diff(runs, got[0].Revisions); diff != "" {
		t.Error("revisions (-want +got):\n" + diff)
	}
}

func TestWhatIsDeletedStaysDeletedWhenItComesAgainAndNewerDataShows(t *testing.T) {
	t.Parallel()
	rev := func(seq int64) schemas.Revision { return schemas.Revision{Seq: seq, Offset: seq} }
	hour := func(seq int64, v int32) arrival {
		return part("hour", rev(seq), 0, 60_000, minutes(0, 60), fill(60, v))
	}
	gone := erase("all of it", rev(5), "w", false, 0, 3_600_000)
	if got := settle([]arrival{hour(1, 60), gone, hour(1, 60), hour(4, 61)}); len(got) != 0 {
		t.Errorf("%d rows show although deleted", len(got))
	}
	if got := settle([]arrival{gone, hour(6, 62)}); len(got) != 1 || got[0].Values[0] != 62 {
		t.Errorf("what was measured after the deletion does not show: %d rows", len(got))
	}
}

// TestRandomArrivalsAgreeWithANaiveMap settles random parts and compares with a map from instant to winner.
func TestRandomArrivalsAgreeWithANaiveMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			type won struct {
				value int32
				rev   schemas.Revision
			}
			naive := map[int32]won{}
			var arrivals []arrival
			for i := range 2 + rng.IntN(6) {
				rev := schemas.Revision{Seq: int64(rng.IntN(4)), BrokerAt: int64(i), Offset: int64(i)}
				period := []int32{0, 60_000, 30_000}[rng.IntN(3)]
				var at, values []int32
				for ms := int32(0); ms < 3_600_000; ms += 30_000 {
					if rng.IntN(3) == 0 && (period != 60_000 || ms%60_000 == 0) {
						at, values = append(at, ms), append(values, rng.Int32N(200))
					}
				}
				if len(at) == 0 {
					continue
				}
				for k, ms := range at {
					if old, ok := naive[ms]; !ok || rev.Compare(old.rev) > 0 {
						naive[ms] = won{values[k], rev}
					}
				}
				arrivals = append(arrivals, part("random", rev, []int32{0, 345}[rng.IntN(2)], period, at, values))
			}
			n := 0
			for _, row := range settle(arrivals) {
				c := hourCursor{row: &row, left: row.Revisions[0].Count}
				for ; !c.done(); c.advance() {
					n++
					if w := naive[c.at()]; w.value != row.Values[c.i] || w.rev != c.revision() {
						t.Fatalf("at %d ms: %d by %v, want %d by %v", c.at(), row.Values[c.i], c.revision(), w.value, w.rev)
					}
				}
			}
			if n != len(naive) {
				t.Errorf("%d samples, want %d", n, len(naive))
			}
		})
	}
}
