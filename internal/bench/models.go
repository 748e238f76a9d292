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
		rep := &modelsReport{Command: "bench models " + strings.Join(args, " "), Load: load(), Flags: f}
		build := func(name string, people int, profile string) (result, error) {
			say(fmt.Sprintf("building a day of %d people", people))
			return runJob(ctx, job{
				Stage: stageModels, Dir: filepath.Join(dir, name), Cores: 1, People: people, Seed: f.seed, Days: f.days,
				Memory: f.memory, Profile: profile,
			})
		}
		if rep.Few, err = build("few", f.few, ""); err != nil {
			return err
		}
		if rep.Many, err = build("many", f.people, f.profile); err != nil {
			return err
		}
		return rep.write(ctx)
	})
}

// modelsStage makes a lake with two days of everybody, for a night takes two, copies the gold of the second to the days
// before, adds another day, and measures the build of that, and of a late batch.
func modelsStage(ctx context.Context, j job) (result, error) {
	h, err := openHome(ctx, j.Dir)
	if err != nil {
		return result{}, err
	}
	defer h.close() //nolint:errcheck // what was measured is in r
	project, err := transform.Load(ctx, transform.Models)
	if err != nil {
		return result{}, err
	}
	debug.SetGCPercent(400) // as diurna build does
	times := &modelTimes{}
	builder := transform.NewBuilder(h.lake, project, transform.Config{
		MemoryLimit: j.Memory, Threads: j.Cores, TempDir: filepath.Join(j.Dir, "temp"), MaxTempSize: "50GB",
		Now: time.Now, Logger: slog.New(times),
	})
	build := func() error {
		_, err := builder.Build(ctx)
		return err
	}

	next, _, err := addDay(ctx, h, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate - 1}, 0)
	if err == nil {
		next, _, err = addDay(ctx, h, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate}, next)
	}
	if err == nil {
		err = build()
	}
	if err == nil {
		err = copyGold(ctx, h, project, j.Days)
	}
	if err != nil {
		return result{}, fmt.Errorf("make what lies behind: %w", err)
	}
	next, samples, err := addDay(ctx, h, mix.Config{Seed: j.Seed, People: j.People, Date: mixDate + 1}, next)
	if err != nil {
		return result{}, err
	}
	times.reset()
	r, err := measured(j, build)
	if err != nil {
		return result{}, err
	}
	r.Samples, r.Models = samples, times.reset()

	err = measureLate(ctx, h, j, next, build, &r, times)
	return r, err
}

// lateBatches is how many late batches are measured: one takes half as long again as another, whatever the lake.
const lateBatches = 7

// measureLate measures the builds of late batches, one after the other, and notes the one in the middle. The person's day
// comes again with other values: every model has something to do.
func measureLate(ctx context.Context, h *home, j job, next int64, build func() error, r *result, times *modelTimes) error {
	type late struct {
		cpu    time.Duration
		models []modelTime
	}
	var all []late
	for n := range uint64(lateBatches) {
		var err error
		if next, _, err = addDay(ctx, h, mix.Config{Seed: j.Seed + 1 + n, People: 1, Date: mixDate + 1}, next); err != nil {
			return err
		}
		one, err := measured(job{}, build)
		if err != nil {
			return err
		}
		all = append(all, late{one.CPU, times.reset()})
	}
	slices.SortFunc(all, func(a, b late) int { return cmp.Compare(a.cpu, b.cpu) })
	r.Late, r.LateModels = all[lateBatches/2].cpu, all[lateBatches/2].models
	return nil
}

// addDay merges a day into silver, and returns the next offset and how many samples the day has.
func addDay(ctx context.Context, h *home, m mix.Config, from int64) (next int64, samples int, err error) {
	next, err = fillBronze(ctx, h.lake, m, from, func(b *syncv1.Batch) { samples += mix.Samples(b) })
	if err == nil {
		_, err = lake.NewMerger(h.lake).Run(ctx)
	}
	return next, samples, err
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
// builds day after day.
const copiedRows = 65_536

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
			order by %s) to '%s' (format parquet, compression zstd)`, n, strings.Join(m.Grain, ", "), tmp)); err != nil {
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
	Command   string
	Load      string // before the run
	Flags     modelsFlags
	Few, Many result
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
		r.Flags.few, r.Few.Late.Seconds(), r.Many.Late.Seconds()/r.Few.Late.Seconds())
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
		for _, l := range r.Many.LateModels {
			if l.Model == m.Model {
				late = l.Took
			}
		}
		fmt.Fprintf(w, "| %s | %.2f | %.3f |\n", m.Model, m.Took.Seconds(), late.Seconds())
	}
}
