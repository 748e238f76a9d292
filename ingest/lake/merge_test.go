package lake_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

const (
	firstHour = int64(16_908) * 86_400_000_000 // 2016-04-17T00:00Z in µs
	hourUS    = int64(3_600_000_000)
)

// receive commits records as ingest would: one file per call, its rows and the watermark in one commit.
func receive(t *testing.T, l *lake.Lake, partition int32, records ...schemas.SyncRecord) {
	t.Helper()
	for i := range records {
		records[i].Partition = partition
		records[i].IngestDate = 20_000
		records[i].ItemIndex = int32(i)
	}
	path, err := lake.WriteRows(t.Context(), l, schemas.TableSyncRecords, "sync", map[string]int64{"ingest_date": 20_000}, nil, records)
	if err != nil {
		t.Fatal(err)
	}
	end := records[len(records)-1].Offset + 1
	if _, err := l.Commit(t.Context(), lake.Commit{Base: load(t, l, schemas.TableSyncRecords), ID: path, Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{partition: end})}); err != nil {
		t.Fatal(err)
	}
}

func merge(t *testing.T, l *lake.Lake) {
	t.Helper()
	if _, err := lake.NewMerger(l).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func record(kind schemas.RecordKind, user string, offset, seq int64) schemas.SyncRecord {
	return schemas.SyncRecord{
		Offset: offset, Kind: kind, BrokerAt: 1_700_000_000_000_000 + offset, BatchID: fmt.Sprint("b", offset),
		UserID: user, DeviceID: "watch", Seq: seq, Source: "native",
	}
}

func heartRate(user string, offset, seq int64, hour int64, fromMin int32, values ...int32) schemas.SyncRecord {
	r := record(schemas.KindSeries, user, offset, seq)
	at, date := firstHour+hour*hourUS, int32((firstHour+hour*hourUS)/(24*hourUS))
	r.Metric, r.HourAt, r.StartAt, r.LocalDate = schemas.HeartRate, &at, &at, &date
	r.PeriodMS, r.OffsetsMS, r.Values = 60_000, []int32{fromMin * 60_000}, values
	return r
}

func deletion(user string, offset, seq int64, metric string, from, to int64) schemas.SyncRecord {
	r := record(schemas.KindDeletion, user, offset, seq)
	r.Metric, r.StartAt, r.EndAt = metric, &from, &to
	return r
}

func rowsOf[T any](t *testing.T, l *lake.Lake, table string) []T {
	t.Helper()
	var all []T
	for _, f := range load(t, l, table).Files {
		if err := lake.ReadRows(t.Context(), l, f.Path, func(rows []T) error {
			all = append(all, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func hours(t *testing.T, l *lake.Lake) []schemas.SeriesHour {
	t.Helper()
	rows := rowsOf[schemas.SeriesHour](t, l, schemas.TableSeriesHours)
	slices.SortFunc(rows, func(a, b schemas.SeriesHour) int {
		if a.UserID != b.UserID {
			return map[bool]int{true: -1, false: 1}[a.UserID < b.UserID]
		}
		return map[bool]int{true: -1, false: 1}[a.HourAt < b.HourAt]
	})
	return rows
}

func dirtyDates(t *testing.T, l *lake.Lake, above int64) []int32 {
	t.Helper()
	var dates []int32
	for _, d := range rowsOf[schemas.DirtyDay](t, l, schemas.TableDirtyDays) {
		if d.Offset > above {
			dates = append(dates, d.LocalDate)
		}
	}
	slices.Sort(dates)
	return slices.Compact(dates)
}

func TestMergeSettlesResentHoursAndNamesTheDaysThatChanged(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	receive(t, l, 0, heartRate("a", 0, 1, 0, 0, 60, 61, 62), heartRate("a", 1, 2, 25, 0, 70), heartRate("b", 2, 1, 0, 0, 80))
	merge(t, l)
	if diff := cmp.Diff([]int32{16_908, 16_909}, dirtyDates(t, l, 0)); diff != "" {
		t.Error("dirty dates after the first round (-want +got):\n" + diff)
	}
	receive(t, l, 0, heartRate("a", 3, 3, 0, 1, 65), heartRate("b", 4, 2, 0, 0, 80))
	merge(t, l)
	got := hours(t, l)
	if len(got) != 3 {
		t.Fatalf("%d hours, want 3", len(got))
	}
	if diff := cmp.Diff([]int32{60, 65, 62}, got[0].Values); diff != "" {
		t.Error("values of the hour sent again (-want +got):\n" + diff)
	}
	// b sent the same value again: silver knows the newer revision, but no day changed for it.
	var people []string
	for _, d := range rowsOf[schemas.DirtyDay](t, l, schemas.TableDirtyDays) {
		if d.Offset > 3 {
			people = append(people, d.UserID)
		}
	}
	if diff := cmp.Diff([]string{"a"}, people); diff != "" {
		t.Error("people with dirty days in the second round (-want +got):\n" + diff)
	}
	if wm := load(t, l, schemas.TableSeriesHours).Properties["merge.wm.0"]; wm != "5" {
		t.Errorf("watermark is %s, want 5", wm)
	}
	if merged, err := lake.NewMerger(l).Run(t.Context()); merged || err != nil {
		t.Errorf("with nothing new, Run reports %v, %v", merged, err)
	}
}

func TestMergeHidesWhatIsDeletedInEveryTable(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	date, at, value := int32(16_908), firstHour+hourUS, int32(70_000)
	weight := record(schemas.KindReading, "a", 1, 2)
	weight.Metric, weight.StartAt, weight.LocalDate, weight.Value = schemas.BodyWeight, &at, &date, &value
	receive(t, l, 0, heartRate("a", 0, 1, 0, 0, 60, 61, 62), weight)
	merge(t, l)
	receive(t, l, 0,
		deletion("a", 2, 3, schemas.HeartRate, firstHour+60_000_000, firstHour+120_000_000),
		deletion("a", 3, 4, schemas.BodyWeight, firstHour, firstHour+24*hourUS))
	merge(t, l)
	if got := hours(t, l); len(got) != 1 || !cmp.Equal(got[0].Values, []int32{60, 62}) {
		t.Errorf("the hour after a deletion is %v", got)
	}
	if got := rowsOf[schemas.ReadingRow](t, l, schemas.TableReadings); len(got) != 0 {
		t.Errorf("%d readings show although deleted", len(got))
	}
	if diff := cmp.Diff([]int32{16_908}, dirtyDates(t, l, 3)); diff != "" {
		t.Error("dirty dates after the deletion (-want +got):\n" + diff)
	}
	receive(t, l, 0, heartRate("a", 4, 1, 0, 0, 60, 61, 62)) // an old batch once more
	merge(t, l)
	if got := hours(t, l); !cmp.Equal(got[0].Values, []int32{60, 62}) {
		t.Errorf("an old batch brought a deleted sample back: %v", got[0].Values)
	}
}

func TestMergeMovesASampleToAnotherDayWhenItsOffsetIsCorrected(t *testing.T) {
	t.Parallel()
	l := openLake(t, t.TempDir())
	receive(t, l, 0, heartRate("a", 0, 1, 0, 0, 60, 61))
	merge(t, l)
	moved := heartRate("a", 1, 2, 0, 0, 60, 61)
	yesterday := int32(16_907)
	moved.UTCOffsetMin, moved.LocalDate = -300, &yesterday
	receive(t, l, 0, moved)
	merge(t, l)
	got := hours(t, l)
	if len(got) != 1 || got[0].LocalDate != yesterday {
		t.Fatalf("hours are %v, want one, on the day before", got)
	}
	if diff := cmp.Diff([]int32{16_907, 16_908}, dirtyDates(t, l, 1)); diff != "" {
		t.Error("both days are dirty (-want +got):\n" + diff)
	}
}

func TestMergeGivesTheSameSilverForEveryShuffleAndCut(t *testing.T) {
	t.Parallel()
	silver := func(seed uint64) []schemas.SeriesHour {
		rng := rand.New(rand.NewPCG(seed, 7))
		type message struct {
			user          string
			seq, hour     int64
			from, n, base int32
		}
		var messages []message
		for i := range int64(60) { // seeded apart, so that every shuffle has the same messages
			m := rand.New(rand.NewPCG(uint64(i), 99))
			messages = append(messages, message{fmt.Sprint("u", m.IntN(4)), i, m.Int64N(40), m.Int32N(40), 1 + m.Int32N(20), m.Int32N(90)})
		}
		rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		l := openLake(t, t.TempDir())
		var batch []schemas.SyncRecord
		for offset, m := range messages {
			values := make([]int32, m.n)
			for i := range values {
				values[i] = m.base + int32(i)
			}
			batch = append(batch, heartRate(m.user, int64(offset), m.seq, m.hour, m.from, values...))
			if rng.IntN(9) == 0 || offset == len(messages)-1 {
				receive(t, l, 0, batch...)
				batch = nil
				if rng.IntN(2) == 0 {
					merge(t, l)
				}
			}
		}
		merge(t, l)
		return hours(t, l)
	}
	want := silver(1)
	arrival := cmpopts.IgnoreFields(schemas.RevisionRun{}, "Offset", "BrokerAt") // differ by the shuffle itself
	for seed := uint64(2); seed < 6; seed++ {
		if diff := cmp.Diff(want, silver(seed), arrival); diff != "" {
			t.Fatalf("shuffle %d gives another silver (-want +got):\n%s", seed, diff)
		}
	}
}

func TestMergeWritesNothingFromADamagedFile(t *testing.T) {
	t.Parallel()
	damage := func(path string) {
		data := readFile(t, path)
		data[len(data)/2] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, table := range map[string]string{"bronze": schemas.TableSyncRecords, "silver": schemas.TableSeriesHours} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := openLake(t, t.TempDir())
			receive(t, l, 0, heartRate("a", 0, 1, 0, 0, 60, 61))
			if name == "silver" {
				merge(t, l)
				receive(t, l, 0, heartRate("a", 1, 2, 0, 5, 70))
			}
			before := load(t, l, schemas.TableSeriesHours).Files
			damage(load(t, l, table).Files[0].Path)
			if _, err := lake.NewMerger(l).Run(t.Context()); !errors.Is(err, lake.ErrDamaged) {
				t.Errorf("merging ends with %v", err)
			}
			if diff := cmp.Diff(before, load(t, l, schemas.TableSeriesHours).Files); diff != "" {
				t.Errorf("files of silver (-before +after):\n%s", diff)
			}
		})
	}
}

func TestMergeGivesTheSameSilverInOneRoundAndInMany(t *testing.T) {
	t.Parallel()
	silver := func(roundBytes int) (rows []schemas.SeriesHour, rounds int) {
		l := openLake(t, t.TempDir())
		for i := range int64(4) {
			receive(t, l, 0, heartRate("a", 2*i, i, i/2, int32(i%2), 60, 61), heartRate("b", 2*i+1, i, 5, int32(3*i), 70, 71, 72, 73))
			receive(t, l, 1, heartRate("c", i, 9-i, 0, int32(i), 80, 81, int32(82+i)))
		}
		receive(t, l, 1, deletion("c", 4, 99, schemas.HeartRate, firstHour, firstHour+60_000_000))
		m := lake.NewMerger(l)
		m.EndRoundsAfter(roundBytes)
		if _, err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return hours(t, l), len(load(t, l, schemas.TableDirtyDays).Files) // each round lists what it made dirty
	}
	want, rounds := silver(1 << 30)
	got, manyRounds := silver(1)
	if len(want) != 4 || rounds != 1 || manyRounds < 4 {
		t.Fatalf("%d hours in %d and in %d rounds prove little", len(want), rounds, manyRounds)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hours (-in one round +in many):\n%s", diff)
	}
}

// TestMergeTakesOverWhatNobodySpeaksOf merges one late batch of one person into a table of many groups of rows. The
// others' bytes stay as they are, and the rows are those that a merge of everything at once gives.
func TestMergeTakesOverWhatNobodySpeaksOf(t *testing.T) {
	t.Parallel()
	const people, span = 40, 1000 // records of 700 hours: 28,000 rows, two groups
	day := func(person, from, to int64) (rows []schemas.SyncRecord) {
		for hour := from; hour < to; hour++ {
			rows = append(rows, heartRate(fmt.Sprintf("u%02d", person), person*span+hour, hour, hour%700, int32(hour/700), 60, int32(hour%50)))
		}
		return rows
	}
	var all []schemas.SyncRecord
	for person := range int64(people) {
		all = append(all, day(person, 0, span)...)
	}
	for name, late := range map[string][]schemas.SyncRecord{
		"a person in the middle":      {heartRate("u20", people*span, span, 3, 0, 99)},
		"the first person":            {heartRate("u00", people*span, span, 3, 0, 99)},
		"somebody new at the end":     {heartRate("v", people*span, span, 3, 0, 99)},
		"a deletion":                  {deletion("u20", people*span, span, schemas.HeartRate, firstHour, firstHour+9*hourUS)},
		"somebody between two groups": {heartRate("u23x", people*span, span, 3, 0, 99), heartRate("u24", people*span+1, span, 3, 0, 98)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTwo, atOnce := openLake(t, t.TempDir()), openLake(t, t.TempDir())
			receive(t, inTwo, 0, slices.Clone(all)...)
			merge(t, inTwo)
			before := load(t, inTwo, schemas.TableSeriesHours).Files
			receive(t, inTwo, 0, slices.Clone(late)...)
			merge(t, inTwo)
			receive(t, atOnce, 0, slices.Clone(all)...)
			receive(t, atOnce, 0, slices.Clone(late)...)
			merge(t, atOnce)
			if diff := cmp.Diff(hours(t, atOnce), hours(t, inTwo)); diff != "" {
				t.Errorf("rows (-at once +in two rounds):\n%.3000s", diff)
			}
			if kept := keptGroups(t, before, load(t, inTwo, schemas.TableSeriesHours).Files); kept == 0 {
				t.Error("no group of rows was taken over as it was")
			}
		})
	}
}

// keptGroups counts the groups of rows whose samples stand in both with the same bytes.
func keptGroups(t *testing.T, before, after []lake.File) (kept int) {
	t.Helper()
	var now []byte
	for _, f := range after {
		now = append(now, readFile(t, f.Path)...)
	}
	for _, f := range before {
		data := readFile(t, f.Path)
		p, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		values, _ := p.Schema().Lookup("values", "list", "element")
		for _, g := range p.Metadata().RowGroups {
			chunk := g.Columns[values.ColumnIndex].MetaData
			if bytes.Contains(now, data[chunk.DataPageOffset:chunk.DataPageOffset+chunk.TotalCompressedSize]) {
				kept++
			}
		}
	}
	return kept
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
