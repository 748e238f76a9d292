package lake_test

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// receiveRange commits the messages [start, end) of a partition as ingest does: under their offsets, with a footer that
// says where they came from.
func receiveRange(t *testing.T, l *lake.Lake, partition int32, start, end int64, records []schemas.SyncRecord) {
	t.Helper()
	name := lake.BronzeName{Partition: partition, Start: start, End: end}
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, name.String(), map[string]int64{"ingest_date": 20_000},
		map[string]string{"diurna.source": "cluster/topic", "diurna.topic": "topic",
			"diurna.partition": strconv.Itoa(int(partition)),
			"diurna.start":     strconv.FormatInt(start, 10), "diurna.end": strconv.FormatInt(end, 10)}, records)
	if err != nil {
		t.Fatal(err)
	}
	commitNow(t, l, schemas.TableSyncRecords, []string{path}, lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{partition: end}))
}

// commitNow commits on whatever is current.
func commitNow(t *testing.T, l *lake.Lake, table string, add []string, properties map[string]string) {
	t.Helper()
	for {
		_, err := l.Commit(t.Context(), lake.Commit{Base: load(t, l, table), ID: fmt.Sprint(table, add, properties), Add: add, Properties: properties})
		if errors.Is(err, lake.ErrConflict) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

// A stream is the records of the messages of some partitions, in order.
type stream [][]schemas.SyncRecord

// between returns the records of the messages [start, end) of a partition.
func (s stream) between(p int, start, end int64) (records []schemas.SyncRecord) {
	for _, r := range s[p] {
		if r.Offset >= start && r.Offset < end {
			records = append(records, r)
		}
	}
	return records
}

// aStream makes messages of every kind about some people: hours in pieces that overlap, things said again, deletions.
func aStream(seed uint64, partitions, messages int) stream {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := make(stream, partitions)
	for p := range s {
		for offset := range int64(messages) {
			user := fmt.Sprintf("user-%d-%d", p, rng.IntN(3))
			var r schemas.SyncRecord
			at, date := firstHour+rng.Int64N(40*24)*hourUS, int32(0)
			switch rng.IntN(15) {
			case 0:
				r = record(schemas.KindReading, user, offset, offset)
				value := rng.Int32N(1000)
				r.Metric, r.Value = schemas.BodyWeight, &value
			case 1:
				r = record(schemas.KindSleepSegment, user, offset, offset)
				end := at + hourUS
				r.EndAt, r.Text = &end, "deep"
			case 2:
				r = record(schemas.KindDailySummary, user, offset, offset)
				value := rng.Int32N(1000)
				r.Metric, r.Value = schemas.Steps, &value
			case 3:
				r = record(schemas.KindEvent, user, offset, offset)
				r.Metric, r.Name = "tag", "run"
			case 4:
				r = deletion(user, offset, offset, schemas.HeartRate, at, at+3*hourUS)
			case 5:
				r = record(schemas.KindRRRun, user, offset, offset)
				end := at + hourUS
				r.EndAt, r.Values = &end, []int32{800, 810 + rng.Int32N(90)}
			case 6:
				s[p] = append(s[p], aWorkout(rng, user, offset, at)...)
				continue
			case 7:
				r = deletion(user, offset, rng.Int64N(50), "workouts", at, at+10*24*hourUS)
			default:
				values := make([]int32, 1+rng.IntN(30))
				for i := range values {
					values[i] = 50 + rng.Int32N(60)
				}
				r = heartRate(user, offset, rng.Int64N(50), rng.Int64N(40*24), rng.Int32N(30), values...)
			}
			r.Partition, r.IngestDate = int32(p), 20_000
			if r.StartAt == nil {
				r.StartAt = &at
			}
			if r.LocalDate == nil {
				date = int32(*r.StartAt / (24 * hourUS))
				r.LocalDate = &date
			}
			s[p] = append(s[p], r)
		}
	}
	return s
}

// aWorkout is a version of one of a few workouts: whatever it says replaces what other versions said.
func aWorkout(rng *rand.Rand, user string, offset, at int64) []schemas.SyncRecord {
	head := record(schemas.KindWorkout, user, offset, rng.Int64N(50))
	end, date := at+hourUS, int32(at/(24*hourUS))
	head.Partition, head.IngestDate = int32(user[5]-'0'), 20_000
	head.Name, head.Text, head.StartAt, head.EndAt, head.LocalDate = fmt.Sprint("w", rng.IntN(2)), "running", &at, &end, &date
	records := []schemas.SyncRecord{head}
	for range rng.IntN(3) {
		total, value := head, rng.Int32N(9000)
		total.Kind, total.Text, total.Metric, total.Value = schemas.KindWorkoutTotal, "", []string{"distance", schemas.Steps}[rng.IntN(2)], &value
		records = append(records, total)
	}
	for range rng.IntN(3) {
		piece := head
		piece.Kind, piece.Text, piece.EndAt, piece.HourAt, piece.PeriodMS = schemas.KindWorkoutTrack, "", nil, &at, 1000
		piece.Metric, piece.OffsetsMS, piece.Values = "altitude", []int32{rng.Int32N(60_000)}, []int32{1, 2, rng.Int32N(900)}
		records = append(records, piece)
	}
	for i := range records {
		records[i].ItemIndex = int32(i)
	}
	return records
}

// feed receives a stream in random pieces and interleaving, merging and compacting now and then.
func (s stream) feed(t *testing.T, l *lake.Lake, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	at, ends := make([]int64, len(s)), make([]int64, len(s))
	for p := range s {
		ends[p] = s[p][len(s[p])-1].Offset + 1
	}
	for {
		var open []int
		for p := range s {
			if at[p] < ends[p] {
				open = append(open, p)
			}
		}
		if len(open) == 0 {
			break
		}
		p := open[rng.IntN(len(open))]
		end := min(at[p]+1+rng.Int64N(ends[p]/2), ends[p])
		receiveRange(t, l, int32(p), at[p], end, s.between(p, at[p], end))
		at[p] = end
		if rng.IntN(3) == 0 {
			merge(t, l)
		}
		if rng.IntN(4) == 0 {
			tables := lake.SilverTables()
			compact(t, l, lake.Compaction{Full: rng.IntN(2) == 0}, tables[rng.IntN(len(tables))])
		}
	}
	merge(t, l)
}

func compact(t *testing.T, l *lake.Lake, c lake.Compaction, tables ...string) lake.CompactResult {
	t.Helper()
	var all lake.CompactResult
	for _, table := range tables {
		r, err := l.Compact(t.Context(), table, c)
		if err != nil {
			t.Fatal(err)
		}
		all.FilesBefore += r.FilesBefore
		all.FilesAfter += r.FilesAfter
		all.Rows += r.Rows
		all.Dropped += r.Dropped
		all.Superseded += r.Superseded
	}
	return all
}

// names returns the names of a table's live files, which hold their hashes, by partition.
func names(t *testing.T, l *lake.Lake, table string) []string {
	t.Helper()
	var all []string
	for _, f := range load(t, l, table).Files {
		all = append(all, filepath.Base(filepath.Dir(f.Path))+"/"+filepath.Base(f.Path))
	}
	slices.Sort(all)
	return all
}

func TestFullCompactionGivesTheSameBytesWhateverTheCuts(t *testing.T) {
	t.Parallel()
	s := aStream(1, 2, 70)
	silver := func(seed uint64) map[string][]string {
		l := openLake(t, t.TempDir())
		s.feed(t, l, seed)
		compact(t, l, lake.Compaction{Full: true}, lake.SilverTables()...)
		all := map[string][]string{}
		for _, table := range lake.SilverTables() {
			all[table] = names(t, l, table)
			if len(all[table]) == 0 {
				t.Errorf("table %s has no files, so nothing is shown of it", table)
			}
		}
		return all
	}
	want := silver(1)
	for seed := uint64(2); seed < 5; seed++ {
		if diff := cmp.Diff(want, silver(seed)); diff != "" {
			t.Errorf("cut %d gives other files (-want +got):\n%s", seed, diff)
		}
	}
}

func TestFullCompactionCutsLargeTablesIntoFilesOfEqualRows(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	const people, hours = 70, 1000 // more rows than one file takes, in two months
	offset := int64(0)
	for from := 0; from < people; from += 35 {
		start := offset
		var records []schemas.SyncRecord
		for p := from; p < from+35; p++ {
			for h := range int64(hours) {
				r := heartRate(fmt.Sprintf("user-%03d", p), offset, 1, h%700, 0, int32(h))
				if h >= 700 {
					r.Metric = schemas.Steps
				}
				r.IngestDate = 20_000
				records = append(records, r)
				offset++
			}
		}
		receiveRange(t, l, 0, start, offset, records)
		merge(t, l)
	}
	before := rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)
	compact(t, l, lake.Compaction{Full: true}, schemas.TableSeriesHours)
	after := rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)
	if len(before) != people*hours || len(after) != len(before) {
		t.Fatalf("%d rows became %d, want %d", len(before), len(after), people*hours)
	}
	full := 0
	for _, f := range load(t, l, schemas.TableSeriesHours).Files {
		if f.Rows == 65_536 {
			full++
		}
	}
	first := names(t, l, schemas.TableSeriesHours)
	if len(first) < 2 {
		t.Errorf("%d rows lie in %d files", len(after), len(first))
	}
	if r := compact(t, l, lake.Compaction{Full: true}, schemas.TableSeriesHours); r.FilesAfter != 0 {
		t.Errorf("a second full compaction rewrote %d files", r.FilesAfter)
	}
	if diff := cmp.Diff(first, names(t, l, schemas.TableSeriesHours)); diff != "" {
		t.Error("a second full compaction changed files (-want +got):\n" + diff)
	}
}

func TestCompactionFoldsSmallFilesAndKeepsEveryRow(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	s := aStream(2, 2, 60)
	for p := range s {
		for i := int64(0); i < 60; i += 3 {
			receiveRange(t, l, int32(p), i, i+3, s.between(p, i, i+3))
		}
	}
	before := rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords)
	r := compact(t, l, lake.Compaction{}, schemas.TableSyncRecords)
	if r.FilesBefore != 40 || r.FilesAfter != 2 {
		t.Errorf("%d files became %d, want 40 and 2", r.FilesBefore, r.FilesAfter)
	}
	if diff := cmp.Diff(before, rowsOf[schemas.SyncRecord](t, l, schemas.TableSyncRecords), byKey()); diff != "" {
		t.Error("rows differ (-want +got):\n" + diff)
	}
	for _, f := range load(t, l, schemas.TableSyncRecords).Files {
		if name, ok := lake.ParseBronzeName(f.Path); !ok || name.Start != 0 || name.End != 60 {
			t.Errorf("the new file is called %s, want one of the offsets 0 to 60", filepath.Base(f.Path))
		}
	}
	if r := compact(t, l, lake.Compaction{}, schemas.TableSyncRecords); r.FilesBefore != 0 {
		t.Errorf("there was nothing left to do, and %d files were rewritten", r.FilesBefore)
	}
	merge(t, l) // bronze reads on as before
	if len(hours(t, l)) == 0 {
		t.Error("nothing was merged from the compacted files")
	}
}

// byKey compares received rows whatever their order.
func byKey() cmp.Option {
	return cmpopts.SortSlices(func(a, b schemas.SyncRecord) bool {
		return stdcmp.Or(stdcmp.Compare(a.Partition, b.Partition), stdcmp.Compare(a.Offset, b.Offset),
			stdcmp.Compare(a.ItemIndex, b.ItemIndex)) < 0
	})
}

func TestFilesOfAnOlderVersionAreFoldedTogetherWithNewOnes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openLake(t, dir)
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, lake.BronzeName{Start: 0, End: 1}.String(),
		map[string]int64{"ingest_date": 20_000}, map[string]string{"diurna.topic": "topic"}, // no source
		[]schemas.SyncRecord{stampedRecord(heartRate("a", 0, 0, 0, 0, 60))})
	if err != nil {
		t.Fatal(err)
	}
	commitNow(t, l, schemas.TableSyncRecords, []string{path}, map[string]string{"ingest.wm.0": "1"})
	receivePieces(t, l, [2]int64{1, 3})
	if r := compact(t, l, lake.Compaction{Full: true}, schemas.TableSyncRecords); r.FilesAfter != 1 || r.Rows != 3 {
		t.Errorf("%d files with %d rows came out, want 1 with 3", r.FilesAfter, r.Rows)
	}
	loseLedger(t, dir)
	if _, err := repair(t, dir, lake.Repair{}); err != nil { // the new footer agrees with the new name
		t.Fatal(err)
	}
	if got := load(t, openLake(t, dir), schemas.TableSyncRecords).Properties["ingest.source"]; got != "cluster/topic" {
		t.Errorf("the source is %q, want that of the younger file", got)
	}
}

func TestBronzeFilesWithAHoleBetweenThemStayApart(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	for i := range int64(20) {
		start := i
		if i >= 10 {
			start++ // offset 10 was deleted unread
		}
		receiveRange(t, l, 0, start, start+1, []schemas.SyncRecord{stampedRecord(heartRate("a", start, start, start, 0, 60))})
	}
	compact(t, l, lake.Compaction{Full: true}, schemas.TableSyncRecords)
	var got []lake.BronzeName
	for _, f := range load(t, l, schemas.TableSyncRecords).Files {
		name, _ := lake.ParseBronzeName(f.Path)
		got = append(got, name)
	}
	want := []lake.BronzeName{{Start: 0, End: 10}, {Start: 11, End: 21}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("ranges (-want +got):\n" + diff)
	}
}

func stampedRecord(r schemas.SyncRecord) schemas.SyncRecord {
	r.IngestDate = 20_000
	return r
}

func TestCompactionMergeAndIngestDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	s := aStream(3, 2, 60)
	quiet := openLake(t, t.TempDir())
	s.feed(t, quiet, 1)
	compact(t, quiet, lake.Compaction{Full: true}, lake.SilverTables()...)

	busy := openLake(t, t.TempDir())
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, full := range []bool{true, false} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, table := range append(lake.SilverTables(), schemas.TableSyncRecords, schemas.TableDirtyDays) {
					if _, err := busy.Compact(t.Context(), table, lake.Compaction{Full: full}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	s.feed(t, busy, 2)
	close(done)
	wg.Wait()
	compact(t, busy, lake.Compaction{Full: true}, lake.SilverTables()...)
	for _, table := range lake.SilverTables() {
		if diff := cmp.Diff(names(t, quiet, table), names(t, busy, table)); diff != "" {
			t.Errorf("%s differs from that of a quiet lake (-want +got):\n%s", table, diff)
		}
	}
	if want, got := len(s[0])+len(s[1]), len(rowsOf[schemas.SyncRecord](t, busy, schemas.TableSyncRecords)); got != want {
		t.Errorf("%d rows were received, want %d", got, want)
	}
}

func TestNothingIsRewrittenFromADamagedFile(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	for i := range int64(12) {
		receiveRange(t, l, 0, i, i+1, []schemas.SyncRecord{stampedRecord(heartRate("a", i, i, i*30, 0, 60, 61))})
	}
	before := load(t, l, schemas.TableSyncRecords)
	victim := before.Files[5]
	content, err := os.ReadFile(victim.Path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/3] ^= 0x10
	if err := os.WriteFile(victim.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = l.Compact(t.Context(), schemas.TableSyncRecords, lake.Compaction{})
	if !errors.Is(err, lake.ErrDamaged) || schemas.ErrorCode(err) != schemas.CodeConflict || !contains(err, victim.Path) {
		t.Errorf("compacting a damaged file gave %v, want ErrDamaged with its path", err)
	}
	if after := load(t, l, schemas.TableSyncRecords); after.ID != before.ID {
		t.Error("something was committed from a damaged file")
	}
}

func TestDirtyDaysGoOnceEverybodyIsDoneWithThem(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	for i := range int64(12) {
		receiveRange(t, l, 0, i, i+1, []schemas.SyncRecord{stampedRecord(heartRate("a", i, i, i*24, 0, 60, 61))})
		merge(t, l)
	}
	if r := compact(t, l, lake.Compaction{}, schemas.TableDirtyDays); r.Dropped != 0 || r.FilesAfter != 1 {
		t.Errorf("%d days were dropped though nobody said that they may; %d files", r.Dropped, r.FilesAfter)
	}
	if r := compact(t, l, lake.Compaction{Full: true, DoneBelow: map[int32]int64{0: 7}}, schemas.TableDirtyDays); r.Dropped != 0 {
		t.Errorf("one file of few rows was rewritten to drop %d", r.Dropped)
	}
	for i := int64(12); i < 24; i++ {
		receiveRange(t, l, 0, i, i+1, []schemas.SyncRecord{stampedRecord(heartRate("a", i, i, i*24, 0, 60, 61))})
		merge(t, l)
	}
	r := compact(t, l, lake.Compaction{DoneBelow: map[int32]int64{0: 14}}, schemas.TableDirtyDays)
	if r.Dropped != 14 {
		t.Errorf("%d days were dropped, want the 14 of the messages below offset 14", r.Dropped)
	}
	if got := dirtyDates(t, l, 0); len(got) != 10 {
		t.Errorf("%d days are left, want 10", len(got))
	}
}
