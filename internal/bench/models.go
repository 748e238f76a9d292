package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/bench/mix"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
	"github.com/diurna-health/diurna/transform"
)

// modelsFlags are what a person can choose.
type modelsFlags struct {
	people, few, days int
	seed              uint64
	memory            string
	dir, out, profile string
}

func parseModels(args []string) (modelsFlags, error) {
	var f modelsFlags
	set := flag.NewFlagSet("bench models", flag.ContinueOnError)
	set.IntVar(&f.people, "people", 10_000, "people whose day is built")
	set.IntVar(&f.few, "few", 100, "people of the small lake, beside which a late batch of the large one is measured")
	set.IntVar(&f.days, "days", 60, "days of gold behind that day")
	set.Uint64Var(&f.seed, "seed", 1, "seed of the people")
	set.StringVar(&f.memory, "memory", "2GB", "memory of DuckDB, as it writes it")
	set.StringVar(&f.dir, "dir", "", "folder for everything that is written; \"\" = the system's for temporary files")
	set.StringVar(&f.out, "out", "", "file for the table; \"\" = standard output alone")
	set.StringVar(&f.profile, "cpuprofile", "", "file for a CPU profile of the large build")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if f.people < 1 || f.few < 1 || f.days < 1 {
		return f, errors.New("-people, -few and -days must be at least 1")
	}
	return f, nil
}

// runModels builds a day of many people with many days of gold behind it, and then a late batch of one of them.
func runModels(ctx context.Context, args []string) error {
	f, err := parseModels(args)
	if err != nil {
		return err
	}
	return inScratch(f.dir, func(dir string) error {
		rep := &modelsReport{Command: makeLine("models", args), Load: load(), Flags: f}
		build := func(name string, people int, profile string) (result, error) {
			say(fmt.Sprintf("building a day of %d people", people))
			j := f.job(stageModels, filepath.Join(dir, name), people)
			j.Profile = profile
			return runJob(ctx, j)
		}
		if _, err = build("few", f.few, ""); err != nil {
			return err
		}
		if rep.Many, err = build("many", f.people, f.profile); err != nil {
			return err
		}
		if rep.FewLate, rep.ManyLate, err = measureLate(ctx, f, dir); err != nil {
			return err
		}
		return rep.write(ctx)
	})
}

func (f modelsFlags) job(stage, dir string, people int) job {
	return job{Stage: stage, Dir: dir, Cores: 1, People: people, Seed: f.seed, Days: f.days, Memory: f.memory}
}

// lateRounds is how often both lakes are measured in turn: a machine is fast in one minute and slow in the next.
const lateRounds = 3

// measureLate returns, of all late batches in the small lake and in the large one, the ones in the middle. They are built
// in processes of their own: the memory that a build of everybody leaves behind is not theirs, and nobody who builds by the
// clock has it.
func measureLate(ctx context.Context, f modelsFlags, dir string) (few, many result, err error) {
	var ofFew, ofMany []result
	for round := range lateRounds {
		say(fmt.Sprintf("late batches, round %d of %d", round+1, lateRounds))
		r, err := runJob(ctx, f.job(stageLate, filepath.Join(dir, "few"), f.few))
		if err != nil {
			return few, many, err
		}
		ofFew = append(ofFew, r.Late...)
		if r, err = runJob(ctx, f.job(stageLate, filepath.Join(dir, "many"), f.people)); err != nil {
			return few, many, err
		}
		ofMany = append(ofMany, r.Late...)
	}
	middle := func(all []result) result {
		slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.CPU, b.CPU) })
		return all[len(all)/2]
	}
	return middle(ofFew), middle(ofMany), nil
}

// A modelsRun is a home, a builder of all models over it, and how long its tables took.
type modelsRun struct {
	home    *home
	project *transform.Project
	builder *transform.Builder
	times   *modelTimes
}

func openModels(ctx context.Context, j job) (*modelsRun, error) {
	project, err := transform.Load(ctx, transform.Models)
	if err != nil {
		return nil, err
	}
	h, err := openHome(ctx, j.Dir)
	if err != nil {
		return nil, err
	}
	debug.SetGCPercent(400) // as diurna build does
	times := &modelTimes{}
	builder := transform.NewBuilder(h.lake, project, transform.Config{
		MemoryLimit: j.Memory, Threads: j.Cores, TempDir: filepath.Join(j.Dir, "temp"), MaxTempSize: "50GB",
		Now: time.Now, Logger: slog.New(times),
	})
	return &modelsRun{h, project, builder, times}, nil
}

func (m *modelsRun) close() error { return m.home.close() }

func (m *modelsRun) build(ctx context.Context) error {
	_, err := m.builder.Build(ctx)
	return err
}

// modelsStage makes a lake with two days of everybody, for a night takes two, copies the gold of the second to the days
// before, adds another day, and measures the build of that.
func modelsStage(ctx context.Context, j job) (result, error) {
	m, err := openModels(ctx, j)
	if err != nil {
		return result{}, err
	}
	defer m.close() //nolint:errcheck // what was measured is in r

	_, err = m.addDay(ctx, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate - 1})
	if err == nil {
		_, err = m.addDay(ctx, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate})
	}
	if err == nil {
		err = m.build(ctx)
	}
	if err == nil {
		err = copyGold(ctx, m.home, m.project, j.Days)
	}
	if err != nil {
		return result{}, fmt.Errorf("make what lies behind: %w", err)
	}
	samples, err := m.addDay(ctx, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate + 1})
	if err != nil {
		return result{}, err
	}
	m.times.reset()
	r, err := measured(j, func() error { return m.build(ctx) })
	r.Samples, r.Models = samples, m.times.reset()
	return r, err
}

// lateBatches is how many late batches a process builds: one takes half as long again as another, whatever the lake.
const lateBatches = 7

// lateStage measures the builds of late batches in the lake of modelsStage, one after the other. The person's day comes
// again with other values: every model has something to do.
func lateStage(ctx context.Context, j job) (result, error) {
	m, err := openModels(ctx, j)
	if err != nil {
		return result{}, err
	}
	defer m.close() //nolint:errcheck // what was measured is in the results

	var all result
	for n := range uint64(lateBatches) {
		samples, err := m.addDay(ctx, mix.Config{Seed: j.Seed + 1 + n, People: 1, Date: mixDate + 1})
		if err != nil {
			return result{}, err
		}
		r, err := measured(j, func() error { return m.build(ctx) })
		if err != nil {
			return result{}, err
		}
		r.Samples, r.Models = samples, m.times.reset()
		all.Late = append(all.Late, r)
	}
	return all, nil
}

// addDay merges a day into silver, and returns how many samples it has.
func (m *modelsRun) addDay(ctx context.Context, day mix.Config) (samples int, err error) {
	err = fillBronze(ctx, m.home.lake, day, func(b *syncv1.Batch) { samples += mix.Samples(b) })
	if err == nil {
		_, err = lake.NewMerger(m.home.lake).Run(ctx)
	}
	return samples, err
}

// copyGold gives every gold table the rows of its last date once more for each of the days before, their dates and times
// moved.
func copyGold(ctx context.Context, h *home, project *transform.Project, days int) error {
	db, err := openDuckDB(ctx, os.TempDir(), defaultMemory)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, m := range project.Models() {
		if m.Build == transform.BuildTable {
			if err := copyTable(ctx, h, db, m, days); err != nil {
				return fmt.Errorf("copy %s: %w", m.Name, err)
			}
		}
	}
	return nil
}

// copiedRows is about how many rows of a copied table lie in a file, dates after dates, as a builder leaves them that
// builds day after day; copiedGroupRows is how many lie in a group of rows, which is what one person is found by.
const (
	copiedRows      = 65_536
	copiedGroupRows = copiedRows / 16
)

func copyTable(ctx context.Context, h *home, db *sql.DB, m *transform.Model, days int) error {
	table := "gold." + m.Name
	base, err := h.lake.Load(ctx, table)
	if err != nil || len(base.Files) == 0 {
		return err
	}
	paths, _, err := h.files(ctx, table)
	if err != nil {
		return err
	}
	var columns []string
	for _, c := range base.Columns {
		switch {
		case c.Type == "DATE":
			columns = append(columns, fmt.Sprintf("%[1]s - cast(k as integer) as %[1]s", c.Name))
		case strings.HasPrefix(c.Type, "TIMESTAMP"):
			columns = append(columns, fmt.Sprintf("%[1]s - k * interval 1 day as %[1]s", c.Name))
		default:
			columns = append(columns, c.Name)
		}
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`create or replace table copied as
		select *, cast((row_number() over (order by %[1]s, user_id) - 1) // %[2]d as integer) as file_number
		from (select %[3]s from read_parquet(%[4]s), range(2, %[5]d) as t(k)
			where %[1]s = (select max(%[1]s) from read_parquet(%[4]s)))`,
		m.DateColumn(), copiedRows, strings.Join(columns, ", "), list(paths), days+2)); err != nil {
		return err
	}
	var files int
	if err := db.QueryRowContext(ctx, "select 1 + max(file_number) from copied").Scan(&files); err != nil {
		return err
	}
	commit := lake.Commit{Base: base, ID: "copied-" + m.Name}
	for n := range files {
		tmp, err := h.lake.TempPath(ctx, table)
		if err != nil {
			return err
		}
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`copy (select * exclude file_number from copied where file_number = %d
			order by %s) to '%s' (format parquet, compression zstd, row_group_size %d)`, n, strings.Join(m.Grain, ", "), tmp, copiedGroupRows)); err != nil {
			return err
		}
		path, err := h.lake.Publish(ctx, table, tmp, m.Name, nil)
		if err != nil {
			return err
		}
		commit.Add = append(commit.Add, path)
	}
	_, err = h.lake.Commit(ctx, commit)
	return err
}

// A modelTime is how long one table took.
type modelTime struct {
	Model string        `json:"model"`
	Took  time.Duration `json:"took"`
}

// modelTimes takes them from the builder's log.
type modelTimes struct {
	slog.Handler

	mu    sync.Mutex
	times []modelTime
}

func (t *modelTimes) Enabled(context.Context, slog.Level) bool { return true }

func (t *modelTimes) Handle(_ context.Context, record slog.Record) error {
	var m modelTime
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case schemas.LogKeyModel:
			m.Model = a.Value.String()
		case schemas.LogKeyTook:
			m.Took, _ = a.Value.Any().(time.Duration)
		}
		return true
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times = append(t.times, m)
	return nil
}

// reset returns what was noted, the longest first, and forgets it.
func (t *modelTimes) reset() []modelTime {
	t.mu.Lock()
	defer t.mu.Unlock()
	times := t.times
	t.times = nil
	slices.SortFunc(times, func(a, b modelTime) int { return int(b.Took - a.Took) })
	return times
}

// A modelsReport is what a run of bench models found.
type modelsReport struct {
	Command string
	Load    string // before the run
	Flags   modelsFlags
	Many    result

	FewLate, ManyLate result // of the late batches, the ones in the middle
}

func (r *modelsReport) write(ctx context.Context) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Models\n\n    %s\n\n", r.Command)
	where, err := machine(ctx, r.Load)
	if err != nil {
		return err
	}
	b.WriteString(where)
	r.writeFigures(&b)
	r.writeModels(&b)
	return deliver(b.Bytes(), r.Flags.out)
}

func (r *modelsReport) writeFigures(w io.Writer) {
	fmt.Fprintf(w, "A day of %d people is %.1f M samples, with %d days of gold behind it; one core, %s for DuckDB.\n\n",
		r.Flags.people, float64(r.Many.Samples)/1e6, r.Flags.days, r.Flags.memory)
	fmt.Fprintf(w, "| path | measured | goal | bar |\n|---|---|---|---|\n")
	fmt.Fprintf(w, "| that day, all models but the stager: wall clock | %.1f s | 15 s | 35 s |\n",
		(r.Many.Wall - r.took(stagerModel)).Seconds())
	fmt.Fprintf(w, "| that day, all models: wall clock | %.1f s | | |\n", r.Many.Wall.Seconds())
	fmt.Fprintf(w, "| that day, all models: CPU | %.1f s | | |\n", r.Many.CPU.Seconds())
	fmt.Fprintf(w, "| a late batch of one person, median CPU beside that in a lake of %d people (%.2f s) | %.2f x | 1.05 x | 1.3 x |\n",
		r.Flags.few, r.FewLate.CPU.Seconds(), r.ManyLate.CPU.Seconds()/r.FewLate.CPU.Seconds())
	fmt.Fprintf(w, "| peak memory of the process | %.2f GiB | | |\n", gib(r.Many.PeakRSS))
}

// stagerModel is the table that the sleep stager makes, which has a bar of its own.
const stagerModel = "sleep_stage_estimates"

// took returns how long a table of the large build took.
func (r *modelsReport) took(model string) time.Duration {
	for _, m := range r.Many.Models {
		if m.Model == model {
			return m.Took
		}
	}
	return 0
}

func (r *modelsReport) writeModels(w io.Writer) {
	fmt.Fprintf(w, "\nWhere the time goes, wall clock:\n\n| table | day of %d, s | late batch, s |\n|---|---|---|\n", r.Flags.people)
	for _, m := range r.Many.Models {
		late := time.Duration(0)
		for _, l := range r.ManyLate.Models {
			if l.Model == m.Model {
				late = l.Took
			}
		}
		fmt.Fprintf(w, "| %s | %.2f | %.3f |\n", m.Model, m.Took.Seconds(), late.Seconds())
	}
}
