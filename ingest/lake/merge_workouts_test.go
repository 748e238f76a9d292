package lake

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// A saying is one message: the records of it that silver is made of.
type saying []schemas.SyncRecord

const day0 = testHour - testHour%dayUS

// speak is a message of a device: its number among the device's own, and where it lies in the partition. Its records
// know their place and no more.
func speak(device string, seq, offset int64, records ...schemas.SyncRecord) saying {
	for i := range records {
		r := &records[i]
		r.UserID, r.DeviceID, r.Seq, r.Offset, r.ItemIndex, r.Source = "u", device, seq, offset, int32(i), "native"
		r.BrokerAt = 1000 + offset
	}
	return records
}

func workoutAt(id string, startUS int64) schemas.SyncRecord {
	end, date := startUS+hourUS, int32(startUS/dayUS)
	return schemas.SyncRecord{Kind: schemas.KindWorkout, Name: id, Text: "running", StartAt: &startUS, EndAt: &end, LocalDate: &date}
}

func totalOf(id, metric string, value int32) schemas.SyncRecord {
	return schemas.SyncRecord{Kind: schemas.KindWorkoutTotal, Name: id, Metric: metric, Value: &value}
}

// trackOf is a piece of track at 1 Hz from the hour on.
func trackOf(id, metric string, hourUS int64, values ...int32) schemas.SyncRecord {
	return schemas.SyncRecord{Kind: schemas.KindWorkoutTrack, Name: id, Metric: metric, HourAt: &hourUS, PeriodMS: 1000,
		OffsetsMS: []int32{0}, Values: values}
}

func runAt(startUS int64, offsetMin int32, intervals ...int32) schemas.SyncRecord {
	end := startUS
	for _, ms := range intervals {
		end += int64(ms) * msUS
	}
	date := int32((startUS + int64(offsetMin)*60_000*msUS) / dayUS)
	return schemas.SyncRecord{Kind: schemas.KindRRRun, StartAt: &startUS, EndAt: &end, UTCOffsetMin: offsetMin, LocalDate: &date,
		Values: intervals}
}

func deleting(metric string, fromUS, toUS int64, all bool) schemas.SyncRecord {
	r := schemas.SyncRecord{Kind: schemas.KindDeletion, Metric: metric, StartAt: &fromUS, EndAt: &toUS}
	if all {
		r.Name = "all"
	}
	return r
}

// settleItems merges messages into a table one round after the other; a round takes so many messages.
func settleItems[T any](m merging[T], sayings []saying, atOnce int) []T {
	var silver []T
	hide := &deletions{byUser: map[string][]deletion{}}
	for round := range slices.Chunk(sayings, atOnce) {
		ordered := slices.SortedStableFunc(slices.Values(round), func(a, b saying) int { return int(a[0].Offset - b[0].Offset) })
		var erasing []deletion
		for _, said := range ordered {
			for i := range said {
				if said[i].Kind == schemas.KindDeletion {
					erasing = append(erasing, deletion{deletionRow(&said[i])})
				}
			}
		}
		hide.byUser["u"] = append(hide.byUser["u"], erasing...)
		fresh := sorted(m.fresh(func(yield func(*schemas.SyncRecord) bool) {
			for _, said := range ordered {
				for i := range said {
					if !yield(&said[i]) {
						return
					}
				}
			}
		}), m.compare)
		silver = settleRound(m, silver, fresh, hide, erasing)
	}
	return silver
}

// settleRound is what groupMerge does, in memory.
func settleRound[T any](m merging[T], old, fresh []T, hide *deletions, erasing []deletion) (left []T) {
	all := sorted(slices.Concat(old, fresh), m.compare)
	for len(all) > 0 {
		key := all[0]
		same := func(row T) bool { return m.compare(&row, &key) == 0 }
		n := slices.IndexFunc(all, func(row T) bool { return !same(row) })
		if n < 0 {
			n = len(all)
		}
		all = all[n:]
		was := slices.DeleteFunc(slices.Clone(old), func(row T) bool { return !same(row) })
		now := slices.DeleteFunc(slices.Clone(fresh), func(row T) bool { return !same(row) })
		touched := len(now) > 0 || slices.ContainsFunc(was, func(row T) bool { return len(touching(erasing, m.about(&row))) > 0 })
		if touched {
			was = m.resolve(was, now, hide)
		}
		left = append(left, was...)
	}
	return left
}

// everyOrder merges the messages in every order and every size of round, and returns the rows, which must be the same
// each time.
func everyOrder[T any](t *testing.T, m merging[T], sayings []saying) []T {
	t.Helper()
	want := settleItems(m, sayings, len(sayings))
	orders := 0
	permutations(slices.Clone(sayings), func(order []saying) {
		orders++
		for atOnce := 1; atOnce <= len(order); atOnce++ {
			if diff := gocmp.Diff(want, settleItems(m, order, atOnce)); diff != "" && !t.Failed() {
				t.Errorf("order %v, %d at once, gives other rows (-want +got):\n%s", offsetsOf(order), atOnce, diff)
			}
			again := append(slices.Clone(order), order[0], order[len(order)/2]) // two messages come once more
			if diff := gocmp.Diff(want, settleItems(m, again, atOnce)); diff != "" && !t.Failed() {
				t.Errorf("order %v, with two that come again, gives other rows (-want +got):\n%s", offsetsOf(again), diff)
			}
		}
	})
	if orders < 2 {
		t.Error("one order proves nothing")
	}
	return want
}

func offsetsOf(order []saying) (offsets []int64) {
	for _, said := range order {
		offsets = append(offsets, said[0].Offset)
	}
	return offsets
}

func TestEveryOrderOfVersionsGivesOneWorkout(t *testing.T) {
	t.Parallel()
	const evening = day0 + 23*hourUS
	longer := speak("watch", 2, 10, workoutAt("w", day0), totalOf("w", "distance", 5000), totalOf("w", "steps", 900),
		trackOf("w", "latitude", day0, 1, 2, 3), trackOf("w", "longitude", day0, 4, 5, 6), trackOf("w", "latitude", day0+hourUS, 7))
	shorter := speak("watch", 3, 11, workoutAt("w", day0), trackOf("w", "altitude", day0, 9))
	moved := speak("watch", 4, 12, workoutAt("w", evening+2*hourUS), totalOf("w", "distance", 1))
	first := speak("watch", 1, 13, workoutAt("w", day0-40*dayUS), trackOf("w", "latitude", day0-40*dayUS, 8))
	other := speak("phone", 9, 14, workoutAt("w", day0), trackOf("w", "latitude", day0, 5, 5))
	twice := speak("watch", 5, 15, workoutAt("w", day0), totalOf("w", "distance", 7), trackOf("w", "latitude", day0, 1),
		workoutAt("w", day0), totalOf("w", "steps", 8), totalOf("w", "steps", 9))
	ofTheWatch := speak("watch", 3, 16, deleting("workouts", day0, day0+1, false))
	late := speak("watch", 8, 17, deleting("workouts", evening, evening+3*hourUS, false))
	ofAll := speak("phone", 1, 18, deleting("workouts", day0, day0+1, true))
	location := speak("phone", 1, 19, deleting("latitude", day0+1000*msUS, day0+2*hourUS, true))
	for name, tt := range map[string]struct {
		sayings  []saying
		workouts []string // device, sport and metrics of totals of each
		values   [][]int32
	}{
		"a later version replaces totals and track":   {[]saying{longer, shorter}, []string{"watch running"}, [][]int32{{9}}},
		"also when it has no track, and another date": {[]saying{first, longer, moved}, []string{"watch running distance=1"}, nil},
		"devices are told apart":                      {[]saying{longer, other, shorter}, []string{"phone running", "watch running"}, [][]int32{{5, 5}, {9}}},
		"of two in one message the later":             {[]saying{longer, twice}, []string{"watch running steps=9"}, nil},
		"a deletion hides what is older":              {[]saying{longer, ofTheWatch, first}, []string{"watch deleted"}, nil},
		"and not what is newer":                       {[]saying{longer, ofTheWatch, moved}, []string{"watch running distance=1"}, nil},
		"of the newest version alone":                 {[]saying{longer, moved, late, first}, []string{"watch deleted"}, nil},
		"of another device whatever it is":            {[]saying{longer, ofAll, other}, []string{"phone running", "watch deleted"}, [][]int32{{5, 5}}},
		"a deletion of places leaves the rest": {[]saying{longer, location, first},
			[]string{"watch running distance=5000 steps=900"}, [][]int32{{1}, {4, 5, 6}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, w := range everyOrder(t, workouts(), tt.sayings) {
				got = append(got, describe(w))
			}
			if diff := gocmp.Diff(tt.workouts, got); diff != "" {
				t.Errorf("workouts (-want +got):\n%s", diff)
			}
			var values [][]int32
			for _, p := range everyOrder(t, workoutPoints(), tt.sayings) {
				if p.PieceIndex > 0 {
					values = append(values, p.Values)
				}
			}
			if diff := gocmp.Diff(tt.values, values); diff != "" {
				t.Errorf("values of the tracks (-want +got):\n%s", diff)
			}
		})
	}
}

func describe(w schemas.WorkoutRow) string {
	var text strings.Builder
	text.WriteString(w.DeviceID + " " + w.Sport)
	if w.IsDeleted {
		text.WriteString("deleted")
	}
	for _, total := range w.Totals {
		fmt.Fprintf(&text, " %s=%d", total.Metric, total.Value)
	}
	return text.String()
}

func TestEveryOrderOfRunsGivesTheNewestOfEach(t *testing.T) {
	t.Parallel()
	const midnight = day0 + 24*hourUS
	got := everyOrder(t, rrRuns(), []saying{
		speak("watch", 1, 10, runAt(day0, 0, 800, 810, 820), runAt(midnight-1000*msUS, 0, 900, 900)),
		speak("watch", 2, 11, runAt(day0, 0, 700)),
		speak("watch", 3, 12, runAt(midnight-1000*msUS, 60, 950), runAt(day0+hourUS, 0, 1000)),
		speak("watch", 4, 13, deleting("rr_runs", day0+hourUS, day0+2*hourUS, false)),
	})
	runOf := func(r schemas.RRRunRow) string {
		return fmt.Sprint(r.StartAt-day0, " ", int64(r.LocalDate)-day0/dayUS, " ", r.LocalMonth, " ", r.IntervalsMS, " ", r.EndAt-r.StartAt)
	}
	var runs []string
	for _, r := range got {
		runs = append(runs, runOf(r))
	}
	want := []string{"0 0 201604 [700] 700000", "86399000000 1 201604 [950] 950000"}
	if diff := gocmp.Diff(want, runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// receiveSayings puts messages into a lake's bronze, one file each.
func receiveSayings(t *testing.T, l *Lake, sayings ...saying) {
	t.Helper()
	for _, said := range sayings {
		for i := range said {
			said[i].IngestDate = 20_000
		}
		path, err := WriteRows(t.Context(), l, schemas.TableSyncRecords, "sync", map[string]int64{"ingest_date": 20_000}, nil, said)
		if err != nil {
			t.Fatal(err)
		}
		base, err := l.Load(t.Context(), schemas.TableSyncRecords)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(t.Context(), Commit{Base: base, ID: path, Add: []string{path},
			Properties: WatermarkProperties(IngestWatermark, map[int32]int64{0: said[0].Offset + 1})}); err != nil {
			t.Fatal(err)
		}
	}
}

func storedRows[T any](t *testing.T, l *Lake, table string) (rows []T, dirty []int32) {
	t.Helper()
	read := func(table string, each func(path string) error) {
		s, err := l.Load(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Files {
			if err := each(f.Path); err != nil {
				t.Fatal(err)
			}
		}
	}
	read(table, func(path string) error {
		return ReadRows(t.Context(), l, path, func(some []T) error { rows = append(rows, some...); return nil })
	})
	read(schemas.TableDirtyDays, func(path string) error {
		return ReadRows(t.Context(), l, path, func(days []schemas.DirtyDay) error {
			for _, d := range days {
				if d.Domain == table {
					dirty = append(dirty, d.LocalDate-int32(day0/dayUS))
				}
			}
			return nil
		})
	})
	slices.Sort(dirty)
	return rows, slices.Compact(dirty)
}

// TestATrackMovesToAnotherMonthWithItsWorkout merges versions that lie in three months, round by round, in each order,
// and cut off after the tracks of any round: the next one must find what it replaces.
func TestATrackMovesToAnotherMonthWithItsWorkout(t *testing.T) {
	t.Parallel()
	versions := func() []saying {
		var all []saying
		for i := range int64(3) {
			start := day0 - (2-i)*40*dayUS
			all = append(all, speak("watch", i+1, 0, workoutAt("w", start), trackOf("w", "altitude", start, int32(i), 5, 6)))
		}
		return all
	}
	permutations([]int{0, 1, 2}, func(order []int) {
		for cutOff := range 8 {
			l := lakeOf(t)
			for round, i := range order {
				said := versions()[i]
				for j := range said {
					said[j].Offset, said[j].BrokerAt = int64(round), int64(round)
				}
				receiveSayings(t, l, said)
				if cutOff&(1<<round) == 0 {
					if _, err := NewMerger(l).Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					continue
				}
				r, err := NewMerger(l).open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := mergeTable(t.Context(), r, workoutPoints()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := NewMerger(l).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			points, _ := storedRows[schemas.WorkoutPointsRow](t, l, schemas.TableWorkoutPoints)
			if len(points) != 2 || !slices.Equal(points[1].Values, []int32{2, 5, 6}) || points[0].LocalMonth != 201604 {
				t.Errorf("order %v, cut off %03b: %d rows are left, want the head and the piece of the last version", order, cutOff, len(points))
			}
			if workouts, _ := storedRows[schemas.WorkoutRow](t, l, schemas.TableWorkouts); len(workouts) != 1 || workouts[0].StartAt != day0 {
				t.Errorf("order %v, cut off %03b: %d workouts are left", order, cutOff, len(workouts))
			}
		}
	})
}

// TestDaysOfWorkoutsAreDirtyWhereSomethingChanged: the day that lost the workout, the one that got it, and no other.
func TestDaysOfWorkoutsAreDirtyWhereSomethingChanged(t *testing.T) {
	t.Parallel()
	l := lakeOf(t)
	run := func(said saying) {
		receiveSayings(t, l, said)
		if _, err := NewMerger(l).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, workouts, points, rr []int32) {
		t.Helper()
		_, gotWorkouts := storedRows[schemas.WorkoutRow](t, l, schemas.TableWorkouts)
		_, gotPoints := storedRows[schemas.WorkoutPointsRow](t, l, schemas.TableWorkoutPoints)
		_, gotRuns := storedRows[schemas.RRRunRow](t, l, schemas.TableRRRuns)
		if diff := gocmp.Diff([][]int32{workouts, points, rr}, [][]int32{gotWorkouts, gotPoints, gotRuns}); diff != "" {
			t.Errorf("%s: dirty days of workouts, points and runs (-want +got):\n%s", when, diff)
		}
	}
	run(speak("watch", 1, 0, workoutAt("w", day0), trackOf("w", "altitude", day0, 1), runAt(day0+2*dayUS, 0, 800)))
	check("new", []int32{0}, []int32{0}, []int32{2})
	run(speak("watch", 2, 1, workoutAt("w", day0+dayUS)))
	check("moved, without a track", []int32{0, 1}, []int32{0, 1}, []int32{2})
	run(speak("watch", 3, 2, workoutAt("w", day0+dayUS), runAt(day0+2*dayUS, 0, 800)))
	check("said again", []int32{0, 1}, []int32{0, 1}, []int32{2})
	run(speak("watch", 4, 3, workoutAt("later", day0+5*dayUS), deleting("workouts", day0+4*dayUS, day0+6*dayUS, false)))
	check("another one, and a deletion of its own message", []int32{0, 1, 5}, []int32{0, 1}, []int32{2})
	run(speak("phone", 1, 4, deleting("workouts", day0, day0+2*dayUS, true), deleting("rr_runs", day0, day0+6*dayUS, true)))
	check("deleted", []int32{0, 1, 5}, []int32{0, 1}, []int32{2})
	got, _ := storedRows[schemas.WorkoutRow](t, l, schemas.TableWorkouts)
	for _, w := range got {
		if w.WorkoutID == "w" && (!w.IsDeleted || w.Sport != "" || len(w.Totals) > 0) {
			t.Error("something of the deleted workout is left beside its key and times")
		}
	}
	if runs, _ := storedRows[schemas.RRRunRow](t, l, schemas.TableRRRuns); len(runs) != 0 {
		t.Error("a deleted run is there")
	}
}

// TestFilesOfLongRowsAreCutByTheirValues: a night of beats is a row, and 65,536 of them would be gigabytes.
func TestFilesOfLongRowsAreCutByTheirValues(t *testing.T) {
	t.Parallel()
	l := lakeOf(t)
	intervals := slices.Repeat([]int32{900}, 100_000)
	const runs = 2*fileValues/100_000 + 5
	records := make([]schemas.SyncRecord, 0, runs)
	for i := range int64(runs) {
		records = append(records, runAt(day0+i*hourUS/4, 0, intervals...))
	}
	receiveSayings(t, l, speak("watch", 1, 0, records...))
	if _, err := NewMerger(l).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"merged", "compacted"} {
		s, err := l.Load(t.Context(), schemas.TableRRRuns)
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for _, f := range s.Files {
			rows += f.Rows
			if f.Rows*100_000 > fileValues+100_000 {
				t.Errorf("%s: a file holds %d rows", when, f.Rows)
			}
		}
		if rows != runs || len(s.Files) != 3 {
			t.Errorf("%s: %d rows in %d files, want %d in 3", when, rows, len(s.Files), runs)
		}
		if _, err := l.Compact(t.Context(), schemas.TableRRRuns, Compaction{Full: true}); err != nil {
			t.Fatal(err)
		}
	}
}

func lakeOf(t *testing.T) *Lake {
	t.Helper()
	dir := t.TempDir()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}
