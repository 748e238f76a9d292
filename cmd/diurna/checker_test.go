//go:build !race

package main_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // writes damaged files
	"github.com/twmb/franz-go/pkg/kfake"
	_ "modernc.org/sqlite" // writes damage

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/checker"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
)

// openChecker looks at the lake of a home.
func openChecker(t *testing.T, home string) *checker.Checker {
	t.Helper()
	c, err := checker.Open(t.Context(), checker.Config{Ledger: filepath.Join(home, "ledger.db"), Lake: filepath.Join(home, "lake")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// report fails the test with what was found.
func report(t *testing.T, when string, found []checker.Finding, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, f := range found {
		t.Errorf("%s: %s", when, f)
	}
}

// waitCaughtUp waits until every table has come as far as the journal.
func waitCaughtUp(t *testing.T, c *checker.Checker, journal *checker.Journal, within time.Duration) {
	t.Helper()
	gold := tablesOfModels(t)
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		found, err := c.Behind(t.Context(), journal, gold...)
		if err == nil && len(found) == 0 {
			return
		}
		if time.Now().After(end) {
			report(t, fmt.Sprintf("after %s", within), found, err)
			t.FailNow()
		}
	}
}

// tablesOfModels names the tables that the models of all packages make.
func tablesOfModels(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"../../transform/models/*/*.sql", "../../medals/models/*/*.sql", "../../ranking/models/*/*.sql"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("there are no models in %s: %v", pattern, err)
		}
		for _, path := range paths {
			model, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(model, []byte("\n-- build:    table\n")) {
				names = append(names, "gold."+strings.TrimSuffix(filepath.Base(path), ".sql"))
			}
		}
	}
	return names
}

// fillHome sends traffic to a broker of its own and has a pipeline take it all.
func fillHome(t *testing.T, traffic *traffic, messages int) (home string, cluster *kfake.Cluster, journal *checker.Journal) {
	t.Helper()
	cluster, journal = startKafka(t), checker.NewJournal(nil)
	if err := newProducer(t, cluster.ListenAddrs(), traffic, journal).send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	home = filepath.Join(t.TempDir(), "home")
	takeAll(t, home, cluster, journal)
	return home, cluster, journal
}

// takeAll runs a pipeline on the home until it has caught up with the journal.
func takeAll(t *testing.T, home string, cluster *kfake.Cluster, journal *checker.Journal, args ...string) {
	t.Helper()
	r := startRun(t, home, append([]string{"--brokers", strings.Join(cluster.ListenAddrs(), ","), "--flush-age", "50ms"}, args...)...)
	waitCaughtUp(t, openChecker(t, home), journal, time.Minute)
	if code := r.interrupt(t); code != 0 {
		t.Fatalf("an interrupted run ended with %d", code)
	}
}

func TestTheCheckerFindsNothingWrongWithALakeThatIsRight(t *testing.T) {
	t.Parallel()
	home, _, journal := fillHome(t, newTraffic(1, 6, 60), 400)
	c := openChecker(t, home)
	found, err := c.CheckSettled(t.Context(), journal)
	report(t, "a lake nobody touched", found, err)
}

// TestTheCheckerFindsEveryDamage damages copies of one lake in every way the checker is there for. Each damage is found,
// and called what it is.
func TestTheCheckerFindsEveryDamage(t *testing.T) {
	t.Parallel()
	home, _, journal := fillHome(t, newTraffic(2, 6, 60), 300)
	d := &damaged{home: home, backup: home + "-backup"}
	if err := os.Rename(home, d.backup); err != nil {
		t.Fatal(err)
	}
	partition := strconv.Itoa(int(slices.Max(slices.Collect(maps.Keys(journal.Ends())))))
	const bronze, hours = "bronze.sync_records", "silver.series_hours"
	for _, tt := range []struct {
		name   string
		damage func(*damaged)
		want   checker.Invariant
		table  string
	}{
		{"a message is missing", func(d *damaged) {
			d.rewrite(bronze, `select * from r where "offset" <> (select max("offset") from r)`)
		}, checker.NoLoss, bronze},
		{"a row of a message is missing", func(d *damaged) {
			d.rewrite(bronze, `select * from r where (partition, "offset", item_index) <> (select max((partition, "offset", item_index)) from r)`)
		}, checker.NoLoss, bronze},
		{"a row of bronze is there twice", func(d *damaged) {
			d.rewrite(bronze, `select * from r union all (select * from r where kind = 'series' limit 1)`)
		}, checker.NoDuplicate, bronze},
		{"a value of bronze is another one", func(d *damaged) {
			d.rewrite(bronze, `select * replace (case when kind = 'series' then list_transform("values", lambda v: v + 1) else "values" end as "values") from r`)
		}, checker.NoLoss, bronze},
		{"a dead letter has other bytes", func(d *damaged) {
			d.rewrite(bronze, `select * replace (case when kind = 'dead_letter' then 'x'::blob else payload end as payload) from r`)
		}, checker.DeadLetters, bronze},
		{"a rejection has another reason", func(d *damaged) {
			d.rewrite(bronze, `select * replace (case when kind = 'reject' then 'decode' else reason end as reason) from r`)
		}, checker.DeadLetters, bronze},
		{"a row of silver is missing", func(d *damaged) {
			d.rewrite(hours, `select * from r limit (select count(*) - 1 from r)`)
		}, checker.NoLoss, hours},
		{"a row of silver is there twice", func(d *damaged) {
			d.rewrite(hours, `from r union all (from r limit 1)`)
		}, checker.NoDuplicate, hours},
		{"an hour of silver holds values of another", func(d *damaged) {
			d.rewrite(hours, `select * replace (hour_at + interval 1 hour as hour_at) from r`)
		}, checker.NoLoss, hours},
		{"an older revision stands", func(d *damaged) {
			d.rewrite(hours, `select * replace (list_transform(revisions, lambda v: struct_update(v, "offset" := v."offset" - 1)) as revisions) from r`)
		}, checker.NoLoss, hours},
		{"a reading is missing", func(d *damaged) {
			d.rewrite("silver.readings", `from r limit (select count(*) - 1 from r)`)
		}, checker.NoLoss, "silver.readings"},
		{"an event says something else", func(d *damaged) {
			d.rewrite("silver.events", `select * replace ('x' as "text") from r`)
		}, checker.NoLoss, "silver.events"},
		{"a segment has another stage", func(d *damaged) {
			d.rewrite("silver.sleep_segments", `select * replace ('unknown' as stage) from r`)
		}, checker.NoLoss, "silver.sleep_segments"},
		{"a summary is there twice", func(d *damaged) {
			d.rewrite("silver.daily_summaries", `from r union all (from r limit 1)`)
		}, checker.NoDuplicate, "silver.daily_summaries"},
		{"a run has another interval", func(d *damaged) {
			d.rewrite("silver.rr_runs", `select * replace (list_transform(intervals_ms, lambda v: v + 1) as intervals_ms) from r`)
		}, checker.NoLoss, "silver.rr_runs"},
		{"a workout has another total", func(d *damaged) {
			d.rewrite("silver.workouts", `select * replace (list_transform(totals, lambda t: struct_update(t, "value" := t."value" + 1)) as totals) from r`)
		}, checker.NoLoss, "silver.workouts"},
		{"a workout is there twice", func(d *damaged) {
			d.rewrite("silver.workouts", `from r union all (from r where not is_deleted limit 1)`)
		}, checker.NoDuplicate, "silver.workouts"},
		{"a track is missing", func(d *damaged) {
			d.rewrite("silver.workout_points", `from r where piece_index = 0`)
		}, checker.NoLoss, "silver.workout_points"},
		{"a piece of a track is there twice", func(d *damaged) {
			d.rewrite("silver.workout_points", `from r union all (from r where piece_index > 0 limit 1)`)
		}, checker.NoDuplicate, "silver.workout_points"},
		{"a deletion is forgotten", func(d *damaged) {
			d.rewrite("silver.deletions", `from r limit (select count(*) - 1 from r)`)
		}, checker.NoLoss, "silver.deletions"},
		{"a byte of a data file is flipped", func(d *damaged) {
			path := d.files(hours)[0]
			data := read(d.t, path)
			data[len(data)/2] ^= 0x10
			write(d.t, path, data)
		}, checker.Atomic, hours},
		{"a data file is cut short", func(d *damaged) {
			path := d.files(bronze)[0]
			data := read(d.t, path)
			write(d.t, path, data[:len(data)-100])
		}, checker.Atomic, bronze},
		{"a data file is gone", func(d *damaged) {
			if err := os.Remove(d.files(bronze)[0]); err != nil {
				d.t.Fatal(err)
			}
		}, checker.Atomic, bronze},
		{"a manifest is damaged", func(d *damaged) {
			manifests, err := filepath.Glob(filepath.Join(d.home, "lake/silver/readings/metadata/*-m*.avro"))
			if err != nil || len(manifests) == 0 {
				d.t.Fatalf("no manifests: %v", err)
			}
			for _, m := range manifests {
				write(d.t, m, read(d.t, m)[:200])
			}
		}, checker.Immutable, "silver.readings"},
		{"a watermark of bronze was lowered", func(d *damaged) {
			d.property(bronze, "ingest.wm."+partition, "1")
		}, checker.Monotonic, bronze},
		{"a watermark of silver was lowered", func(d *damaged) {
			d.property(hours, "merge.wm."+partition, "1")
		}, checker.Monotonic, hours},
		{"a watermark runs ahead of the files", func(d *damaged) {
			d.property(bronze, "ingest.wm."+partition, "100000")
		}, checker.Continuity, bronze},
		{"an epoch was lowered", func(d *damaged) {
			d.property(bronze, "ingest.ep."+partition, "900:one")
			d.property(bronze, "ingest.ep."+partition, "899:one")
		}, checker.Monotonic, bronze},
		{"who was replaced commits once more", func(d *damaged) {
			d.property(bronze, "ingest.ep."+partition, "900:two")
			d.moveAs(bronze, partition, "899:one")
		}, checker.Fencing, bronze},
		{"two owners have one epoch", func(d *damaged) {
			d.property(bronze, "ingest.ep."+partition, "900:one")
			d.property(bronze, "ingest.ep."+partition, "900:two")
		}, checker.Fencing, bronze},
		{"a rewrite loses a row of the list of deletions", func(d *damaged) {
			d.rewrite("silver.deletions", `from r limit (select count(*) - 1 from r)`)
		}, checker.RewriteNeutral, "silver.deletions"},
		{"a rewrite of bronze doubles a row", func(d *damaged) {
			d.rewrite(bronze, `from r union all (from r limit 1)`)
		}, checker.RewriteNeutral, bronze},
		{"a file nobody refers to is left", func(d *damaged) {
			write(d.t, filepath.Join(d.home, "lake/silver/readings/data/merged-0.parquet"), []byte("x"))
		}, checker.NoLeak, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d.t = t
			d.restore()
			c := openChecker(t, d.home)
			found, err := c.CheckSettled(t.Context(), journal)
			report(t, "before the damage", found, err)
			tt.damage(d)
			found, err = c.Check(t.Context(), journal)
			if err != nil {
				t.Fatal(err)
			}
			leaks, err := c.Leaks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, leaks...)
			if !slices.ContainsFunc(found, func(f checker.Finding) bool { return f.Invariant == tt.want && f.Table == tt.table }) {
				t.Errorf("no finding of %q in %s; there are %v", tt.want, tt.table, found)
			}
		})
	}
}

// TestTheCheckerFindsWhatIsLeftOfThePast asks for less than there is.
func TestTheCheckerFindsWhatIsLeftOfThePast(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	batch := filepath.Join(t.TempDir(), "batch.json")
	write(t, batch, []byte(s3Batch))
	diurna(t, "publish", "--home", home, batch)
	diurna(t, "lake", "expire", "--home", home, "--keep-last", "1", "--keep-for", "0s", "--empty-trash")
	c := openChecker(t, home)
	found, err := c.Swept(t.Context(), 1)
	report(t, "swept", found, err)
	of := func(table string) bool {
		found, err := c.Swept(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(found, func(f checker.Finding) bool { return f.Invariant == checker.NoLeak && f.Table == table })
	}
	if !of(schemas.TableSyncRecords) {
		t.Error("a snapshot more than there may be is not found")
	}
	if of("") {
		t.Error("something is in the trash, or left over")
	}
	thrown := filepath.Join(home, "lake", "_trash", "20260301T10Z", "x.parquet")
	if err := os.MkdirAll(filepath.Dir(thrown), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, thrown, []byte("x"))
	if !of("") {
		t.Error("what lies in the trash is not found")
	}
}

// A damaged is a home that a test may damage.
type damaged struct {
	t            *testing.T // of the case that damages it
	home, backup string
}

// restore makes the home what it was. It stays where it is, for Iceberg names every file by its whole path.
func (d *damaged) restore() {
	t := d.t
	t.Helper()
	if err := os.RemoveAll(d.home); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", d.backup, d.home).CombinedOutput(); err != nil {
		t.Fatalf("copy home: %v %s", err, out)
	}
}

// open opens the lake as the product does: a commit of wrong rows is made by the right means.
func (d *damaged) open() *lake.Lake {
	t := d.t
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(d.home, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // what was committed is committed
	l, err := lake.Open(t.Context(), lake.Config{Dir: filepath.Join(d.home, "lake"), Catalog: db, UserBuckets: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// files returns the live files of a table.
func (d *damaged) files(table string) []string {
	t := d.t
	t.Helper()
	s, err := d.open().Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range s.Files {
		paths = append(paths, f.Path)
	}
	return paths
}

// rewrite replaces a file of the table by the rows that a query makes of its own (r): the first file of which the query
// makes others.
func (d *damaged) rewrite(table, query string) {
	t := d.t
	t.Helper()
	l := d.open()
	s, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	duck, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer duck.Close()
	for _, f := range s.Files {
		with := fmt.Sprintf("with r as (from read_parquet('%s', hive_partitioning=false)) ", f.Path)
		var differs bool
		if err := duck.QueryRowContext(t.Context(), with+", q as ("+query+
			") select (select count(*) from q) <> (select count(*) from r) or exists (select md5(q::varchar) from q except select md5(r::varchar) from r)").Scan(&differs); err != nil {
			t.Fatal(err)
		}
		if !differs {
			continue
		}
		tmp, err := l.TempPath(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := duck.ExecContext(t.Context(), fmt.Sprintf("copy (%s%s) to '%s' (format parquet, compression zstd)", with, query, tmp)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f.Path)
		path, err := l.Publish(t.Context(), table, tmp, name[:strings.LastIndex(name, "-")], f.Partition)
		if err != nil {
			t.Fatal(err)
		}
		d.commit(l, lake.Commit{Base: s, ID: "damage", Add: []string{path}, Remove: []string{f.Path}})
		return
	}
	t.Fatal("the query changes no file of the table")
}

// property sets a property of a table.
func (d *damaged) property(table, key, value string) {
	t := d.t
	t.Helper()
	l := d.open()
	s, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(l, lake.Commit{Base: s, ID: "damage", Properties: map[string]string{key: value}})
}

// moveAs moves a watermark of bronze as the owner of an epoch.
func (d *damaged) moveAs(table, partition, epoch string) {
	t := d.t
	t.Helper()
	l := d.open()
	s, err := l.Load(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(l, lake.Commit{Base: s, ID: "late", Properties: map[string]string{"ingest.wm." + partition: "100000", "ingest.by." + partition: epoch}})
}

func (d *damaged) commit(l *lake.Lake, c lake.Commit) {
	t := d.t
	t.Helper()
	if _, err := l.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
