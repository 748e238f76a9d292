package transform_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// hourOf is an hour of steps of one of many people.
func hourOf(person int, day int32, hour int, steps int32) (key string, p piece) {
	user := fmt.Sprintf("user-%03d", person)
	return fmt.Sprint(user, day, hour), piece{hours: []schemas.SeriesHour{
		hours(user, "watch", schemas.Steps, firstDay+day, hour, 60_000, repeat(10, steps, 0)...),
	}}
}

// newBigWorld makes a world whose files have several groups of rows.
func newBigWorld(t *testing.T, people int) *world {
	t.Helper()
	w := newWorld(t, "activity_hours")
	w.fileRows = 16_384
	sync := map[string]piece{}
	for person := range people {
		for day := range int32(2) {
			for hour := 8; hour < 16; hour++ {
				key, p := hourOf(person, day, hour, 20)
				sync[key] = p
			}
		}
	}
	w.put(sync)
	w.build(false)
	return w
}

func (w *world) groupsOf(table string) []lake.RowGroup {
	w.t.Helper()
	s, err := w.lake.Load(w.t.Context(), "gold."+table)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(s.Files) != 1 {
		w.t.Fatalf("%s has %d files", table, len(s.Files))
	}
	file, err := lake.ReadGroups(s.Files[0].Path, "user_id")
	if err != nil {
		w.t.Fatal(err)
	}
	return file.Groups
}

func TestALateBatchOfOnePersonLeavesOtherGroupsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newBigWorld(t, 400)
	before := w.groupsOf("activity_hours")
	if len(before) < 3 {
		t.Fatalf("%d groups are too few to say anything", len(before))
	}
	for n, person := range []int{3, 170, 399} {
		key, p := hourOf(person, 1, 17, 5)
		w.put(map[string]piece{key: p})
		result := w.build(false)
		m := result.Models[slices.IndexFunc(result.Models, func(m transform.ModelResult) bool { return m.Model == "activity_hours" })]
		after := w.groupsOf("activity_hours")
		if m.ChangedDays != 1 || m.FilesAdded != 1 || m.FilesGone != 1 || m.Rows != rowsInGroups(after) {
			t.Errorf("late batch %d: %+v", n, m)
		}
		longer := 0
		for i := range before {
			if i < len(after) && after[i].Rows == before[i].Rows+1 {
				longer++
				after[i].Rows--
			}
		}
		if longer != 1 || !slices.Equal(before, after) {
			t.Errorf("late batch %d: the groups %v became %v", n, before, after)
		}
		before = w.groupsOf("activity_hours")
	}
	w.sameAsFull()
	w.inOrder("activity_hours", "user_id, local_date, local_hour")
}

// TestLateBatchesOfSomePeopleComeOutAsOneFullBuild changes, adds and takes away hours of people who share files.
func TestLateBatchesOfSomePeopleComeOutAsOneFullBuild(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 4))
	w := newBigWorld(t, 400)
	for range 25 {
		sync := map[string]piece{}
		for range 1 + rng.IntN(3) {
			person := rng.IntN(410) // some of whom are new
			if rng.IntN(4) == 0 {
				person = 200 + rng.IntN(3)
			}
			day := rng.Int32N(4)
			for range 1 + rng.IntN(4) {
				key, p := hourOf(person, day, 8+rng.IntN(12), rng.Int32N(50))
				if rng.IntN(3) == 0 {
					p = piece{}
				}
				sync[key] = p
			}
		}
		w.put(sync)
		w.build(false)
	}
	w.sameAsFull()
	w.inOrder("activity_hours", "user_id, local_date, local_hour")
}

func rowsInGroups(groups []lake.RowGroup) (n int64) {
	for _, g := range groups {
		n += g.Rows
	}
	return n
}

// inOrder checks that the rows of each file of a table lie in order.
func (w *world) inOrder(table, order string) {
	w.t.Helper()
	s, err := w.lake.Load(w.t.Context(), "gold."+table)
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "?threads=1")
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	for _, f := range s.Files {
		var n int
		if err := db.QueryRowContext(w.t.Context(), fmt.Sprintf(`select count(*) from (
				select row(%[1]s) <= lag(row(%[1]s)) over (order by file_row_number) as is_late
				from read_parquet('%[2]s', file_row_number = true))
			where is_late`, order, f.Path)).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		if n > 0 {
			w.t.Errorf("%d rows of %s are not in order", n, table)
		}
	}
}

// TestDaysOfEverybodyAreComparedWithThoseThatWereThere: of many rows at once, new days need no comparing, and old ones do.
func TestDaysOfEverybodyAreComparedWithThoseThatWereThere(t *testing.T) {
	t.Parallel()
	const people = 140 // with 24 hours each, more rows than are compared as one
	w := newWorld(t)
	w.project = loadProject(t).Of("activity_hours")
	day := func(person int, date, steps int32) (p piece) {
		for hour := range 24 {
			p.hours = append(p.hours, hours(fmt.Sprintf("u%03d", person), "watch", schemas.Steps, date, hour, 60_000, steps))
		}
		return p
	}
	pieces := func(date, changed int32) map[string]piece {
		all := map[string]piece{}
		for n := range people {
			all[fmt.Sprintf("%d of u%03d", date, n)] = day(n, date, 30)
		}
		for n := range int(changed) { // of the day before
			all[fmt.Sprintf("%d of u%03d", date-1, n)] = day(n, date-1, 40)
		}
		return all
	}
	changedHours := func() int64 { return modelNamed(w.build(false), "activity_hours").ChangedDays }
	w.put(pieces(firstDay, 0))
	if n := changedHours(); n != people {
		t.Errorf("the first build changed %d days, want %d", n, people)
	}
	second := pieces(firstDay+1, 3)
	second[fmt.Sprintf("%d of u%03d", firstDay, 100)] = piece{}                // gone
	second[fmt.Sprintf("%d of u%03d", firstDay, 101)] = day(101, firstDay, 30) // sent again
	w.put(second)
	if n := changedHours(); n != people+3+1 {
		t.Errorf("a day of everybody, three changed ones and one that is gone changed %d days, want %d", n, people+4)
	}
	w.sameAsFull()
}
