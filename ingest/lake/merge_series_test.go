package lake

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

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

func says(name string, rev schemas.Revision, offsetMin, period int32, at, values []int32) arrival {
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
			silver = resolveHours(silver, a.hours, hide.of("u"))
		}
	}
	return silver
}

// resolveHours is the resolver on rows as they are stored.
func resolveHours(old, fresh []schemas.SeriesHour, hiding []deletion) []schemas.SeriesHour {
	known := newSymbols()
	in, out := &pieces{symbols: known}, &pieces{symbols: known}
	for _, h := range slices.Concat(old, fresh) {
		in.add(piece{
			hourKey: hourKey{known.numberOf(h.UserID), known.numberOf(h.Metric), known.numberOf(h.DeviceID), h.HourAt},
			cut:     cut{h.LocalDate, h.UTCOffsetMin, h.PeriodMS, known.numberOf(h.Source)},
			bucket:  h.UserBucket,
		}, h.OffsetsMS, h.Values, h.Revisions...)
	}
	var parts []part
	for i := range in.rows {
		parts = append(parts, part{&in.rows[i], in})
	}
	(&resolver{symbols: known}).resolve(parts, hiding, out)
	var hours []schemas.SeriesHour
	for i := range out.rows {
		hours = append(hours, out.hour(&out.rows[i]))
	}
	return hours
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
	first := says("0-30", rev(1, 1), 60, 60_000, minutes(0, 30), fill(30, 60))
	second := says("20-50 newer", rev(2, 2), 60, 60_000, minutes(20, 30), fill(30, 70))
	resent := says("0-60 older, sent late", rev(0, 9), 60, 60_000, minutes(0, 60), fill(60, 50))
	moved := says("40-60 at another offset", rev(3, 3), -300, 60_000, minutes(40, 20), fill(20, 80))
	spots := says("spots", rev(4, 4), 60, 0, []int32{1, 61_000, 1_200_000}, []int32{90, 91, 92})
	reset := says("after a reset", schemas.Revision{DeviceEpoch: 1, Seq: 1, BrokerAt: 300, Offset: 20}, 60, 60_000,
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
			says("early with a high number", schemas.Revision{Seq: 2, BrokerAt: 5}, 0, 60_000, minutes(0, 5), fill(5, 70)),
			says("late with a low number", schemas.Revision{Seq: 1, BrokerAt: 10}, 0, 60_000, minutes(3, 7), fill(7, 60)),
			says("much later", schemas.Revision{Seq: 1, BrokerAt: 20}, 0, 60_000, minutes(20, 7), fill(7, 60)),
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
				if diff := gocmp.Diff(want, settle(order)); diff != "" {
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
		says("whole hour", schemas.Revision{Seq: 1, Offset: 1}, 60, 60_000, minutes(0, 60), fill(60, 60)),
		says("ten minutes again", schemas.Revision{Seq: 2, Offset: 2}, 60, 60_000, minutes(10, 10), fill(10, 70)),
	})
	if len(got) != 1 {
		t.Fatalf("%d rows, want one", len(got))
	}
	want := slices.Concat(fill(10, 60), fill(10, 70), fill(40, 60))
	if diff := gocmp.Diff(want, got[0].Values); diff != "" {
		t.Error("values (-want +got):\n" + diff)
	}
	if diff := gocmp.Diff([]int32{0}, got[0].OffsetsMS); diff != "" {
		t.Error("a full hour keeps one offset (-want +got):\n" + diff)
	}
	runs := []schemas.RevisionRun{{Count: 10, Seq: 1, Offset: 1}, {Count: 10, Seq: 2, Offset: 2}, {Count: 40, Seq: 1, Offset: 1}}
	if diff := gocmp.Diff(runs, got[0].Revisions); diff != "" {
		t.Error("revisions (-want +got):\n" + diff)
	}
}

func TestWhatIsDeletedStaysDeletedWhenItComesAgainAndNewerDataShows(t *testing.T) {
	t.Parallel()
	rev := func(seq int64) schemas.Revision { return schemas.Revision{Seq: seq, Offset: seq} }
	hour := func(seq int64, v int32) arrival {
		return says("hour", rev(seq), 0, 60_000, minutes(0, 60), fill(60, v))
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
				arrivals = append(arrivals, says("random", rev, []int32{0, 345}[rng.IntN(2)], period, at, values))
			}
			n := 0
			for _, row := range settle(arrivals) {
				for _, got := range samplesOf(row) {
					n++
					if w := naive[got.atMS]; w.value != got.value || w.rev != got.rev {
						t.Fatalf("at %d ms: %d by %v, want %d by %v", got.atMS, got.value, got.rev, w.value, w.rev)
					}
				}
			}
			if n != len(naive) {
				t.Errorf("%d samples, want %d", n, len(naive))
			}
		})
	}
}

// A sample is one value of a row, with what the row says of it.
type sample struct {
	atMS   int32
	value  int32
	rev    schemas.Revision
	date   int32
	offset int32
	period int32
	source string
}

func samplesOf(h schemas.SeriesHour) []sample {
	var all []sample
	for i, v := range h.Values {
		at := h.OffsetsMS[0] + int32(i)*h.PeriodMS
		if h.PeriodMS == 0 || len(h.OffsetsMS) > 1 {
			at = h.OffsetsMS[i]
		}
		all = append(all, sample{atMS: at, value: v, date: h.LocalDate, offset: h.UTCOffsetMin, period: h.PeriodMS, source: h.Source})
	}
	i := 0
	for _, run := range h.Revisions {
		for range run.Count {
			all[i].rev = run.Revision()
			i++
		}
	}
	return all
}

// plainHours resolves an hour sample by sample, in the most obvious way.
func plainHours(rows []schemas.SeriesHour, hiding []deletion) []schemas.SeriesHour {
	won := map[int32]sample{}
	for _, h := range rows {
		for _, s := range samplesOf(h) {
			if w, ok := won[s.atMS]; !ok || s.rev.Compare(w.rev) >= 0 {
				won[s.atMS] = s
			}
		}
	}
	byCut := map[sample][]sample{}
	for _, s := range won {
		hidden := slices.ContainsFunc(hiding, func(d deletion) bool {
			return d.hides(rows[0].DeviceID, rows[0].Metric, rows[0].HourAt+int64(s.atMS)*msUS, s.rev)
		})
		if !hidden {
			key := sample{date: s.date, offset: s.offset, period: s.period, source: s.source}
			byCut[key] = append(byCut[key], s)
		}
	}
	var hours []schemas.SeriesHour
	for key, samples := range byCut {
		slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.atMS, b.atMS) })
		h := rows[0]
		h.LocalDate, h.LocalMonth, h.UTCOffsetMin, h.PeriodMS, h.Source = key.date, monthOf(key.date), key.offset, key.period, key.source
		h.OffsetsMS, h.Values, h.Revisions = nil, nil, nil
		for _, s := range samples {
			h.OffsetsMS, h.Values = append(h.OffsetsMS, s.atMS), append(h.Values, s.value)
			if n := len(h.Revisions); n > 0 && h.Revisions[n-1].Revision() == s.rev {
				h.Revisions[n-1].Count++
			} else {
				h.Revisions = append(h.Revisions, run(s.rev, 1))
			}
		}
		h.OffsetsMS = packOffsets(h.OffsetsMS, h.PeriodMS)
		hours = append(hours, h)
	}
	slices.SortFunc(hours, func(a, b schemas.SeriesHour) int {
		return cmp.Or(cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.UTCOffsetMin, b.UTCOffsetMin),
			cmp.Compare(a.PeriodMS, b.PeriodMS), cmp.Compare(a.Source, b.Source))
	})
	return hours
}

// TestResolvingByStretchesGivesWhatResolvingBySamplesDoes settles random hours, whose parts overlap on one grid and on
// several, with holes, corrected offsets, repeated revisions and deletions, and compares every row whole.
func TestResolvingByStretchesGivesWhatResolvingBySamplesDoes(t *testing.T) {
	t.Parallel()
	rows := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var parts []schemas.SeriesHour
		for range 1 + rng.IntN(7) {
			parts = append(parts, randomPart(rng))
		}
		var hiding []deletion
		for range rng.IntN(4) - 1 {
			from := rng.Int64N(3_600_000)
			hiding = append(hiding, *erase("", schemas.Revision{Seq: rng.Int64N(4)}, []string{"w", "phone"}[rng.IntN(2)], true,
				from, from+rng.Int64N(3_600_000)).erasing)
		}
		want := plainHours(parts, hiding)
		rows += len(want)
		// At once, and in two rounds.
		cut := 1 + rng.IntN(len(parts))
		if diff := gocmp.Diff(want, resolveHours(nil, parts, hiding)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
		first := resolveHours(nil, parts[:cut], nil)
		if diff := gocmp.Diff(want, resolveHours(first, parts[cut:], hiding)); diff != "" {
			t.Fatalf("seed %d, in two rounds (-want +got):\n%s", seed, diff)
		}
	}
	if rows < 3000 {
		t.Errorf("%d rows prove little", rows)
	}
}

func randomPart(rng *rand.Rand) schemas.SeriesHour {
	period := []int32{0, 60_000, 60_000, 60_000, 30_000, 7_000}[rng.IntN(6)]
	grid := max(period, 10_000)
	phase := []int32{0, 0, 0, 5_000}[rng.IntN(4)]
	holes := rng.IntN(3) == 0
	var at, values []int32
	from := rng.Int32N(40)
	for i := from; i < from+1+rng.Int32N(30); i++ {
		if ms := phase + i*grid; ms < 3_600_000 && (!holes || rng.IntN(4) > 0) {
			at, values = append(at, ms), append(values, rng.Int32N(200))
		}
	}
	if len(at) == 0 {
		at, values = []int32{phase}, []int32{1}
	}
	rev := schemas.Revision{DeviceEpoch: rng.Int32N(2), Seq: rng.Int64N(4)}
	h := says("", rev, []int32{0, 0, 345}[rng.IntN(3)], period, at, values).hours[0]
	h.Source = []string{"native", "native", "import"}[rng.IntN(3)]
	return h
}
