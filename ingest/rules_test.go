package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// These tests hold what the README promises of syncing to silver: batches go through Rows into bronze and are
// merged, in every order of arrival where order must not matter.

var evening = time.Date(2026, 3, 1, 22, 50, 0, 0, time.UTC) // ten minutes before midnight in Rome

// syncOf returns a batch of one device with heart rates from a minute of the evening on; -1 is a minute without one.
func syncOf(user, device string, seq uint64, fromMin int, values ...int32) *syncv1.Batch {
	s := syncv1.Series{Metric: schemas.HeartRate, StartMS: evening.Add(time.Duration(fromMin) * time.Minute).UnixMilli(), OffsetMin: 60, PeriodMS: 60_000}
	for i, v := range values {
		if v >= 0 {
			s.AtMS, s.Values = append(s.AtMS, int32(i)*60_000), append(s.Values, v)
		}
	}
	return &syncv1.Batch{BatchID: fmt.Sprint(user, device, seq), UserID: user, Device: syncv1.Device{ID: device}, Seq: seq,
		SentAtMS: evening.Add(time.Hour).UnixMilli(), OffsetMin: 60, Source: syncv1.SourceNative, Series: []syncv1.Series{s}}
}

// arrive takes batches in, each in a commit of its own, and merges after each.
func arrive(t *testing.T, batches ...*syncv1.Batch) *lake.Lake {
	t.Helper()
	l := openLake(t, t.TempDir())
	for i := range batches {
		take(t, l, i, batches[i:i+1])
	}
	return l
}

// arriveAtOnce takes batches in by one commit and merges once.
func arriveAtOnce(t *testing.T, batches ...*syncv1.Batch) *lake.Lake {
	t.Helper()
	l := openLake(t, t.TempDir())
	take(t, l, 0, batches)
	return l
}

func take(t *testing.T, l *lake.Lake, first int, batches []*syncv1.Batch) {
	t.Helper()
	var rows []schemas.SyncRecord
	for i, b := range batches {
		offset := int64(first + i)
		rows = append(rows, ingest.Rows(b, ingest.Position{Offset: offset, BrokerAtMS: evening.Add(2*time.Hour).UnixMilli() + offset}, 1)...)
	}
	name := lake.BronzeName{Start: int64(first), End: int64(first + len(batches))}
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, name.String(),
		map[string]int64{"ingest_date": int64(rows[0].IngestDate)}, nil, rows)
	if err != nil {
		t.Fatal(err)
	}
	bronze, err := l.Load(t.Context(), schemas.TableSyncRecords)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(t.Context(), lake.Commit{Base: bronze, ID: path, Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: name.End})}); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.NewMerger(l).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func read[T any](t *testing.T, l *lake.Lake, table string) []T {
	t.Helper()
	s, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	for _, f := range s.Files {
		if err := lake.ReadRows(t.Context(), l, f.Path, func(rows []T) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// samples returns every sample of silver as "user device metric date minute value", sorted.
func samples(t *testing.T, l *lake.Lake) []string {
	t.Helper()
	var lines []string
	for _, h := range read[schemas.SeriesHour](t, l, schemas.TableSeriesHours) {
		for i, v := range h.Values {
			offset := h.OffsetsMS[0] + int32(i)*h.PeriodMS
			if len(h.OffsetsMS) > 1 {
				offset = h.OffsetsMS[i]
			}
			minute := time.UnixMicro(h.HourAt).Add(time.Duration(offset) * time.Millisecond).Sub(evening).Minutes()
			lines = append(lines, fmt.Sprintf("%s %s %s %s %+03.0f %d", h.UserID, h.DeviceID, h.Metric, schemas.Date(h.LocalDate), minute, v))
		}
	}
	slices.Sort(lines)
	return lines
}

// permutations calls do with the batches in every order.
func permutations(batches []*syncv1.Batch, do func([]*syncv1.Batch)) {
	var walk func(done, left []*syncv1.Batch)
	walk = func(done, left []*syncv1.Batch) {
		if len(left) == 0 {
			do(done)
		}
		for i := range left {
			rest := append(slices.Clone(left[:i]), left[i+1:]...)
			walk(append(slices.Clone(done), left[i]), rest)
		}
	}
	walk(nil, batches)
}

// inEveryOrder holds the samples of silver to want, whatever order the batches come in: all at once in every order, and
// one by one in a few.
func inEveryOrder(t *testing.T, want []string, batches ...*syncv1.Batch) {
	t.Helper()
	slices.Sort(want)
	n := 0
	permutations(batches, func(order []*syncv1.Batch) {
		how := arriveAtOnce
		if n++; n%7 == 1 {
			how = arrive
		}
		var names []string
		for _, b := range order {
			names = append(names, b.BatchID)
		}
		if diff := cmp.Diff(want, samples(t, how(t, order...))); diff != "" {
			t.Errorf("in the order %s (-want +got):\n%s", strings.Join(names, ", "), diff)
		}
	})
}

func TestWhatADeviceRecordsForANewOwnerMovesNothingOfTheOld(t *testing.T) {
	t.Parallel()
	inEveryOrder(t, []string{
		"ann w heart_rate 2026-03-01 +00 61", "ann w heart_rate 2026-03-01 +01 62",
		"bob w heart_rate 2026-03-01 +01 90", "bob w heart_rate 2026-03-01 +02 91",
	}, syncOf("ann", "w", 1, 0, 61, 62), syncOf("bob", "w", 1, 1, 90, 91))
}

func TestWhatWasTrueOfAPersonIsKeptWithItsTime(t *testing.T) {
	t.Parallel()
	told := func(seq uint64, day int, grams int32) *syncv1.Batch {
		b := syncOf("ann", "app", seq, 0)
		b.Series = nil
		b.Events = []syncv1.Event{{Kind: "profile", Name: "weight_g", StartMS: evening.AddDate(0, 0, day).UnixMilli(), OffsetMin: 60, Value: &grams}}
		return b
	}
	for _, order := range [][]*syncv1.Batch{
		{told(1, -30, 70_000), told(2, -10, 68_000), told(3, -30, 71_000)}, {told(3, -30, 71_000), told(2, -10, 68_000), told(1, -30, 70_000)},
	} {
		var got []string
		for _, e := range read[schemas.EventRow](t, arrive(t, order...), schemas.TableEvents) {
			got = append(got, fmt.Sprint(schemas.Date(e.LocalDate), " ", e.Name, " ", *e.Value))
		}
		if diff := cmp.Diff([]string{"2026-01-30 weight_g 71000", "2026-02-19 weight_g 68000"}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
}

func TestAGrowingPrefixAddsAndSupersedesAndTakesNothingAway(t *testing.T) {
	t.Parallel()
	// The device sends the hour so far, again and again; the fourth sync corrects one minute and knows of no other.
	inEveryOrder(t, []string{
		"ann w heart_rate 2026-03-01 +00 61", "ann w heart_rate 2026-03-01 +01 99", "ann w heart_rate 2026-03-01 +02 63",
	}, syncOf("ann", "w", 1, 0, 61), syncOf("ann", "w", 2, 0, 61, 62), syncOf("ann", "w", 3, 0, 61, 62, 63), syncOf("ann", "w", 4, 1, 99))
}

func TestAWindowReadAgainAfterMidnightCountsOnceOnEachDate(t *testing.T) {
	t.Parallel()
	inEveryOrder(t, []string{
		"ann w heart_rate 2026-03-01 +08 61", "ann w heart_rate 2026-03-01 +09 62", "ann w heart_rate 2026-03-02 +10 63",
		"ann w heart_rate 2026-03-02 +11 64",
	}, syncOf("ann", "w", 1, 8, 61, 62), syncOf("ann", "w", 2, 8, 61, 62, 63), syncOf("ann", "w", 3, 9, 62, 63, 64))
}

func TestTheChunksOfABacklogMayComeInAnyOrderAndAgain(t *testing.T) {
	t.Parallel()
	inEveryOrder(t, []string{
		"ann w heart_rate 2026-03-01 +00 61", "ann w heart_rate 2026-03-01 +03 62", "ann w heart_rate 2026-03-02 +70 63",
	}, syncOf("ann", "w", 1, 0, 61), syncOf("ann", "w", 2, 3, 62), syncOf("ann", "w", 3, 70, 63), syncOf("ann", "w", 2, 3, 62))
}

func TestAWrongClockIsNotedAndNoTimeIsChanged(t *testing.T) {
	t.Parallel()
	var right, wrong []*syncv1.Batch
	for seq := range uint64(4) {
		b := syncOf("ann", "w", seq+1, int(seq), 61)
		b.SentAtMS = evening.Add(2 * time.Hour).UnixMilli()
		ahead := *b
		ahead.SentAtMS += time.Hour.Milliseconds()
		right, wrong = append(right, b), append(wrong, &ahead)
	}
	l := arrive(t, wrong...)
	if diff := cmp.Diff(samples(t, arrive(t, right...)), samples(t, l)); diff != "" {
		t.Errorf("samples (-right clock +wrong clock):\n%s", diff)
	}
	status, err := ingest.SyncStatus(t.Context(), l, "ann", evening)
	if err != nil {
		t.Fatal(err)
	}
	if len(status) != 1 || status[0].Syncs != 4 || !status[0].Clock.Wrong || status[0].Clock.Correction() != -time.Hour {
		t.Errorf("sync status: %+v", status)
	}
	if other, err := ingest.SyncStatus(t.Context(), l, "bob", evening); err != nil || len(other) != 0 {
		t.Errorf("of somebody else: %+v, %v", other, err)
	}
}

func TestTheStatusOfADeviceSaysWhatWasRefusedAndWhatToDo(t *testing.T) {
	t.Parallel()
	b := syncOf("ann", "w", 1, 0, 61, 250+1)
	b.Series = append(b.Series, syncv1.Series{Metric: schemas.Steps, PeriodMS: 60_000, Values: []int32{1, 2},
		StartMS: time.Date(2029, 5, 1, 0, 0, 0, 0, time.UTC).UnixMilli()})
	status, err := ingest.SyncStatus(t.Context(), arrive(t, b, b), "ann", evening)
	if err != nil {
		t.Fatal(err)
	}
	at := evening.Add(2*time.Hour + time.Millisecond)
	want := []ingest.Refusal{
		{Reason: schemas.RejectFutureTime, Values: 4, LastAt: at, Remedy: "The watch's clock is in 2029: charge it and pair it again."},
		{Reason: schemas.RejectValueRange, Values: 2, LastAt: at, Remedy: schemas.RejectValueRange.Remedy(0)},
	}
	if len(status) != 1 || status[0].Syncs != 1 || !status[0].LastSyncAt.Equal(at) {
		t.Fatalf("sync status: %+v", status)
	}
	if diff := cmp.Diff(want, status[0].Refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestNoCountIsEverNegative(t *testing.T) {
	t.Parallel()
	b := syncOf("ann", "w", 1, 0)
	b.Series = []syncv1.Series{{Metric: schemas.Steps, StartMS: evening.UnixMilli(), OffsetMin: 60, PeriodMS: 60_000, Values: []int32{10, -4200, 12}}}
	b.DailySummaries = []syncv1.DailySummary{{Metric: schemas.Steps, LocalDate: int32(schemas.DateOf(evening.UnixMilli(), 60)), Value: -1}}
	l := arrive(t, b)
	if diff := cmp.Diff([]string{"ann w steps 2026-03-01 +00 10", "ann w steps 2026-03-01 +02 12"}, samples(t, l)); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if rows := read[schemas.DailySummaryRow](t, l, schemas.TableDailySummaries); len(rows) > 0 {
		t.Errorf("daily summaries: %+v", rows)
	}
}

// A running counter is kept as it was read; what it comes to is computed when everything is in its place (the model
// stg_counter_steps), so a reading that comes late or again changes nothing but its own neighbours.
func TestARunningCounterIsKeptAsItWasRead(t *testing.T) {
	t.Parallel()
	counter := func(seq uint64, fromMin int, values ...int32) *syncv1.Batch {
		b := syncOf("ann", "w", seq, fromMin, values...)
		b.Series[0].Metric = schemas.StepCounter
		return b
	}
	afterReset := counter(1, 2, 4, 9)
	afterReset.Device.Epoch, afterReset.BatchID = 1, "after"
	inEveryOrder(t, []string{
		"ann w step_counter 2026-03-01 +00 70000", "ann w step_counter 2026-03-01 +01 70010",
		"ann w step_counter 2026-03-01 +02 4", "ann w step_counter 2026-03-01 +03 9",
	}, counter(1, 0, 70_000), counter(2, 0, 70_000, 70_010), afterReset, counter(3, 1, 70_010, 70_020))
}

func TestADeviceThatWasResetCountsOn(t *testing.T) {
	t.Parallel()
	// After a reset the device numbers its syncs from 1 again, under a higher epoch: they are newer than all before.
	after := syncOf("ann", "w", 1, 1, 90)
	after.Device.Epoch, after.BatchID = 1, "after"
	inEveryOrder(t, []string{"ann w heart_rate 2026-03-01 +00 61", "ann w heart_rate 2026-03-01 +01 90"},
		syncOf("ann", "w", 900, 0, 61, 62), after)
}

func TestTwoDevicesAtOnceAreKeptApart(t *testing.T) {
	t.Parallel()
	inEveryOrder(t, []string{
		"ann ring heart_rate 2026-03-01 +00 70", "ann w heart_rate 2026-03-01 +00 61", "ann w heart_rate 2026-03-01 +01 62",
	}, syncOf("ann", "w", 1, 0, 61, 62), syncOf("ann", "ring", 5, 0, 70))
}
