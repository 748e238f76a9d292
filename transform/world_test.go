package transform_test

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// firstDay is 2016-04-12.
const firstDay int32 = 16_903

func testConfig(t *testing.T) transform.Config {
	t.Helper()
	return transform.Config{
		MemoryLimit: "1GB", Threads: 1, TempDir: t.TempDir(), MaxTempSize: "1GB", FileRows: 10,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

func openLake(t *testing.T) *lake.Lake {
	t.Helper()
	dir := t.TempDir()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := lake.Open(t.Context(), lake.Config{
		Dir: filepath.Join(dir, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// A piece is what one sync brings of one person's day; pieces with the same key replace each other.
type piece struct {
	hours     []schemas.SeriesHour
	segments  []schemas.SleepSegmentRow
	summaries []schemas.DailySummaryRow
	readings  []schemas.ReadingRow
	events    []schemas.EventRow
	runs      []schemas.RRRunRow
	workouts  []schemas.WorkoutRow
	points    []schemas.WorkoutPointsRow
}

// A world is silver as merge would leave it, and its way into a lake.
type world struct {
	t       *testing.T
	lake    transform.Store
	project *transform.Project
	pieces  map[string]piece
	offset  int64

	fileRows int // of gold; 0 = as few as testConfig has
}

// newWorld is a world of the models named, and of all they read; of the spine when none is.
func newWorld(t *testing.T, models ...string) *world {
	t.Helper()
	if len(models) == 0 {
		models = spine()
	}
	return &world{t: t, lake: newMemoryStore(t), project: loadProject(t).Of(models...), pieces: map[string]piece{}}
}

// spine names the models that tests of the builder build, and the views of what was recorded: the builder treats all
// alike, and the others cost time.
func spine() []string {
	return []string{"user_days", "profile_days", "resting_heart_rate_days",
		"heart_rate", "steps", "intensity", "sleep_segments", "readings", "daily_summaries", "events"}
}

// tablesAbout names the tables of a topic.
func tablesAbout(t *testing.T, topic string) []string {
	t.Helper()
	p := loadProject(t)
	return slices.DeleteFunc(goldTables(p), func(name string) bool { return p.Model(name).Topic != topic })
}

// newLakeWorld is a world over a lake on the disk.
func newLakeWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, lake: openLake(t), project: loadProject(t).Of(spine()...), pieces: map[string]piece{}}
}

// put merges pieces into silver, in merge's order: dirty days first, then the tables with their watermarks.
func (w *world) put(pieces map[string]piece) {
	w.t.Helper()
	w.offset += 10
	w.commit(schemas.TableDirtyDays, w.stage(pieces), nil)
	w.publish(lake.SilverTables()...)
}

// stage replaces pieces and returns the dirty days to be recorded, as a file.
func (w *world) stage(pieces map[string]piece) []string {
	w.t.Helper()
	dirty := map[schemas.DirtyDay]bool{}
	note := func(user string, date int32, table string) {
		dirty[schemas.DirtyDay{Offset: w.offset, UserID: user, LocalDate: date, Domain: table, Reason: "data"}] = true
	}
	for key, p := range pieces {
		for _, p := range []piece{w.pieces[key], p} {
			for _, r := range p.hours {
				note(r.UserID, r.LocalDate, schemas.TableSeriesHours)
			}
			for _, r := range p.segments {
				note(r.UserID, r.LocalDate, schemas.TableSleepSegments)
			}
			for _, r := range p.summaries {
				note(r.UserID, r.LocalDate, schemas.TableDailySummaries)
			}
			for _, r := range p.readings {
				note(r.UserID, r.LocalDate, schemas.TableReadings)
			}
			for _, r := range p.events {
				note(r.UserID, r.LocalDate, schemas.TableEvents)
			}
			for _, r := range p.runs {
				note(r.UserID, r.LocalDate, schemas.TableRRRuns)
			}
			for _, r := range p.workouts {
				note(r.UserID, r.LocalDate, schemas.TableWorkouts)
			}
			for _, r := range p.points {
				note(r.UserID, r.LocalDate, schemas.TableWorkoutPoints)
			}
		}
		w.pieces[key] = p
	}
	return writeRows(w.t, w.lake, schemas.TableDirtyDays, slices.Collect(maps.Keys(dirty)))
}

// publish replaces the rows of silver tables by those of all pieces, and sets their watermarks.
func (w *world) publish(tables ...string) {
	w.t.Helper()
	var all piece
	for _, key := range slices.Sorted(maps.Keys(w.pieces)) {
		p := w.pieces[key]
		all.hours = append(all.hours, p.hours...)
		all.segments = append(all.segments, p.segments...)
		all.summaries = append(all.summaries, p.summaries...)
		all.readings = append(all.readings, p.readings...)
		all.events = append(all.events, p.events...)
		all.runs = append(all.runs, p.runs...)
		all.workouts = append(all.workouts, p.workouts...)
		all.points = append(all.points, p.points...)
	}
	marks := map[string]string{lake.MergeWatermark + "0": fmt.Sprint(w.offset)}
	for _, table := range tables {
		var add []string
		switch table {
		case schemas.TableSeriesHours:
			slices.SortStableFunc(all.hours, func(a, b schemas.SeriesHour) int { // as the lake's are
				return stdcmp.Or(stdcmp.Compare(a.UserID, b.UserID), stdcmp.Compare(a.Metric, b.Metric), stdcmp.Compare(a.HourAt, b.HourAt),
					stdcmp.Compare(a.DeviceID, b.DeviceID))
			})
			add = writeRows(w.t, w.lake, table, all.hours)
		case schemas.TableSleepSegments:
			add = writeRows(w.t, w.lake, table, all.segments)
		case schemas.TableDailySummaries:
			add = writeRows(w.t, w.lake, table, all.summaries)
		case schemas.TableReadings:
			add = writeRows(w.t, w.lake, table, all.readings)
		case schemas.TableEvents:
			add = writeRows(w.t, w.lake, table, all.events)
		case schemas.TableRRRuns:
			add = writeRows(w.t, w.lake, table, all.runs)
		case schemas.TableWorkouts:
			add = writeRows(w.t, w.lake, table, all.workouts)
		case schemas.TableWorkoutPoints:
			add = writeRows(w.t, w.lake, table, all.points)
		}
		w.commit(table, add, marks)
	}
}

func writeRows[T any](t *testing.T, store transform.Store, table string, rows []T) []string {
	t.Helper()
	if len(rows) == 0 {
		return nil
	}
	var partition map[string]int64
	if slices.Contains([]string{schemas.TableSeriesHours, schemas.TableRRRuns, schemas.TableWorkoutPoints}, table) {
		partition = map[string]int64{"local_month": 201604, "user_bucket": 0}
	}
	tmp, err := store.TempPath(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(tmp, rows); err != nil {
		t.Fatal(err)
	}
	path, err := store.Publish(t.Context(), table, tmp, "test", partition)
	if err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

// commit adds the files; those of a silver table replace the ones it had.
func (w *world) commit(table string, add []string, properties map[string]string) {
	w.t.Helper()
	base, err := w.lake.Load(w.t.Context(), table)
	if err != nil {
		w.t.Fatal(err)
	}
	c := lake.Commit{Base: base, ID: fmt.Sprintf("%s-%d", table, w.offset), Add: add, Properties: properties}
	if table != schemas.TableDirtyDays {
		for _, f := range base.Files {
			if i := slices.Index(c.Add, f.Path); i >= 0 {
				c.Add = slices.Delete(slices.Clone(c.Add), i, i+1)
			} else {
				c.Remove = append(c.Remove, f.Path)
			}
		}
	}
	if _, err := w.lake.Commit(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) build(full bool) *transform.Result {
	w.t.Helper()
	cfg := testConfig(w.t)
	cfg.FileRows = stdcmp.Or(w.fileRows, cfg.FileRows)
	result, err := buildWith(w.t, w.lake, w.project, cfg, full)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range result.Models {
		if m.WithheldDays > 0 {
			w.t.Errorf("rows of %d days of %s break an audit", m.WithheldDays, m.Model)
		}
	}
	return result
}

func buildOn(t *testing.T, store transform.Store, project *transform.Project, full bool) (*transform.Result, error) {
	t.Helper()
	return buildWith(t, store, project, testConfig(t), full)
}

func buildWith(t *testing.T, store transform.Store, project *transform.Project, cfg transform.Config, full bool) (*transform.Result, error) {
	t.Helper()
	b := transform.NewBuilder(store, project, cfg)
	if full {
		return b.BuildFull(t.Context())
	}
	return b.Build(t.Context())
}

// goldTables are the tables the project makes.
func goldTables(p *transform.Project) []string {
	var names []string
	for _, m := range p.Models() {
		if m.Build == transform.BuildTable {
			names = append(names, m.Name)
		}
	}
	return names
}

// gold returns the rows of every gold table as text.
func (w *world) gold() map[string][]string {
	w.t.Helper()
	cfg := testConfig(w.t)
	cfg.Show = []transform.Sensitivity{transform.SensitivityCycle}
	r, err := transform.OpenReader(w.t.Context(), w.lake, w.project, cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	tables := map[string][]string{}
	for _, name := range goldTables(w.project) {
		rows, err := r.DB.QueryContext(w.t.Context(), "select cast(x as varchar) from "+name+" as x order by 1")
		if err != nil {
			w.t.Fatal(err)
		}
		tables[name] = []string{}
		for rows.Next() {
			var row string
			if err := rows.Scan(&row); err != nil {
				w.t.Fatal(err)
			}
			tables[name] = append(tables[name], row)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // in a loop
			w.t.Fatal(err)
		}
	}
	return tables
}

// snapshots returns what every gold table is at the moment: its files and its watermark.
func (w *world) snapshots() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, name := range goldTables(w.project) {
		s, err := w.lake.Load(w.t.Context(), "gold."+name)
		if err != nil {
			w.t.Fatal(err)
		}
		var files []string
		for _, f := range s.Files {
			files = append(files, filepath.Base(f.Path))
		}
		all[name] = fmt.Sprint(s.ID, files, s.Properties["diurna.commit"])
	}
	return all
}

// sameAsFull compares the lake with a new one that is built once from all there is.
func (w *world) sameAsFull() {
	w.t.Helper()
	fresh := newWorld(w.t)
	fresh.project, fresh.fileRows = w.project, w.fileRows
	fresh.put(w.pieces)
	fresh.build(true)
	if diff := cmp.Diff(fresh.gold(), w.gold()); diff != "" {
		w.t.Error("built step by step, rows differ from one full build (-full +steps):\n" + diff)
	}
}

func hours(user, device, metric string, day int32, hour int, period int32, values ...int32) schemas.SeriesHour {
	return schemas.SeriesHour{
		UserID: user, Metric: metric, DeviceID: device, HourAt: (int64(day)*24 + int64(hour)) * 3_600_000_000,
		LocalMonth: 201604, LocalDate: day, PeriodMS: period, Source: "native", OffsetsMS: []int32{0}, Values: values,
		Revisions: []schemas.RevisionRun{{Count: int32(len(values)), Seq: 1, BrokerAt: 5, Offset: 9}},
	}
}

// segment lies at minutes since the midnight a day begins with.
func segment(user, device string, day int32, from, to int64, stage schemas.SleepStage) schemas.SleepSegmentRow {
	at := func(minute int64) int64 { return (int64(day)*1440 + minute) * 60_000_000 }
	return schemas.SleepSegmentRow{
		UserID: user, DeviceID: device, StartAt: at(from), EndAt: at(to), LocalDate: int32(at(to) / 86_400_000_000),
		Stage: string(stage), Source: "native", Revision: schemas.Revision{Seq: from + 10_000},
	}
}

func event(user string, day int32, hour int, kind, name string, value int32) schemas.EventRow {
	return schemas.EventRow{UserID: user, DeviceID: "app", Kind: kind, Name: name, Value: &value, Source: "manual",
		StartAt: (int64(day)*24 + int64(hour)) * 3_600_000_000, LocalDate: day}
}

func repeat(n int, values ...int32) []int32 { return slices.Repeat(values, n) }

// randomPieces makes what n syncs may bring: hours of two devices, nights that run over midnight and into each other,
// summaries, beats, and pieces that come again with less.
func randomPieces(r *rand.Rand, n int) []map[string]piece {
	stages := schemas.SleepStages()
	syncs := make([]map[string]piece, n)
	for i := range syncs {
		sync := map[string]piece{}
		for range 1 + r.IntN(3) {
			user := fmt.Sprintf("user-%d", r.IntN(4))
			day := firstDay + r.Int32N(6)
			device := []string{"watch", "band"}[r.IntN(2)]
			switch r.IntN(7) {
			case 0:
				hour := r.IntN(24)
				sync[fmt.Sprint("steps", user, device, day, hour)] = piece{hours: []schemas.SeriesHour{
					hours(user, device, schemas.Steps, day, hour, 60_000, repeat(20, r.Int32N(3), 0, r.Int32N(40))...),
					hours(user, device, schemas.Intensity, day, hour, 60_000, repeat(30, r.Int32N(4), 0)...),
				}}
			case 1:
				hour := r.IntN(24)
				sync[fmt.Sprint("heart", user, device, day, hour)] = piece{hours: []schemas.SeriesHour{
					hours(user, device, schemas.HeartRate, day, hour, 7_000, repeat(100, 60+r.Int32N(9), 70+r.Int32N(9), 65)...),
				}}
			case 2:
				var night []schemas.SleepSegmentRow
				for at := r.Int64N(2000); len(night) < 6; {
					length := 1 + r.Int64N(300)
					night = append(night, segment(user, device, day, at, at+length, stages[r.IntN(len(stages))]))
					at += length + r.Int64N(3)*r.Int64N(50)
				}
				sync[fmt.Sprint("night", user, device, day)] = piece{segments: night}
			case 3:
				sync[fmt.Sprint("summary", user, device, day)] = piece{summaries: []schemas.DailySummaryRow{
					{UserID: user, DeviceID: device, Metric: schemas.TotalSleepTime, LocalDate: day, Value: 300 + r.Int32N(99), Source: "native"},
					{UserID: user, DeviceID: device, Metric: schemas.TimeInBed, LocalDate: day, Value: 350 + r.Int32N(99), Source: "native"},
				}}
			case 4: // somebody deletes what they had
				for _, kind := range []string{"night", "summary"} {
					sync[fmt.Sprint(kind, user, device, day)] = piece{}
				}
			case 5: // somebody tells of themselves
				sync[fmt.Sprint("profile", user, day)] = piece{
					events: []schemas.EventRow{
						event(user, day, r.IntN(24), "profile", "height_cm", 150+r.Int32N(50)),
						event(user, day, r.IntN(24), "goal", "steps", 5000+r.Int32N(9)*500),
					},
					readings: []schemas.ReadingRow{{UserID: user, DeviceID: "scale", Metric: schemas.BodyWeight,
						MeasuredAt: int64(day) * 86_400_000_000, LocalDate: day, Value: 50_000 + r.Int32N(40_000), Source: "native"}},
				}
			case 6: // beats, and a workout
				start := int64(day)*86_400_000_000 + r.Int64N(1000)*60_000_000
				sync[fmt.Sprint("beats", user, device, day)] = piece{
					runs: []schemas.RRRunRow{{UserID: user, DeviceID: device, LocalMonth: 201604, LocalDate: day, Source: "native",
						StartAt: start, EndAt: start + 400_000_000, IntervalsMS: repeat(100, 780+r.Int32N(90), 800, 1600, 810)}},
					workouts: []schemas.WorkoutRow{{UserID: user, DeviceID: device, WorkoutID: "w", Sport: "running", LocalDate: day,
						Source: "native", StartAt: start, EndAt: start + r.Int64N(90)*60_000_000}},
				}
			}
		}
		syncs[i] = sync
	}
	return syncs
}
