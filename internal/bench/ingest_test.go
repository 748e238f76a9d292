package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/internal/bench/mix"
)

func TestASmallRunMeasuresEveryContenderAndWritesTheTable(t *testing.T) {
	f := ingestFlags{
		runs: 2, flushes: 2, buffer: 60_000, people: 3, seed: 1, peers: []string{peerDuckDB}, profiles: t.TempDir(),
	}
	rep := &report{Command: "bench ingest", Runs: f.runs}
	if err := compareIngest(t.Context(), f, t.TempDir(), rep); err != nil {
		t.Fatal(err)
	}
	if err := compareMerge(t.Context(), f, t.TempDir(), rep); err != nil {
		t.Fatal(err)
	}
	if rep.Corpus.Samples < 120_000 || rep.Corpus.Samples > 200_000 {
		t.Errorf("two buffers of 60,000 samples took %d samples", rep.Corpus.Samples)
	}
	for _, c := range append(rep.contenders(), append(rep.mergeDuckDB, rep.merge)...) {
		if len(c.results) != f.runs {
			t.Errorf("%s ran %d times", c.name, len(c.results))
		}
		for _, r := range c.results {
			if r.Wall <= 0 || r.CPU <= 0 || r.PeakRSS <= 0 || r.Bytes <= 0 {
				t.Errorf("%s: nothing measured: %+v", c.name, r)
			}
		}
	}
	if profiles, err := filepath.Glob(filepath.Join(f.profiles, "*.pprof")); err != nil || len(profiles) != 3 { // protobuf, JSON, merge
		t.Errorf("profiles %v, %v", profiles, err)
	}

	out := filepath.Join(t.TempDir(), "RESULTS.md")
	if err := rep.write(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| protobuf via Kafka to committed bronze | ", "| JSON via Kafka to committed bronze | ", "| bronze to silver | ",
		"| DuckDB row per hour | ", "| merge by DuckDB, piece by piece | ",
		"| compacted silver, heart rate | ", "| compacted silver, all series | ",
	} {
		if !strings.Contains(string(table), "\n"+line) {
			t.Errorf("the table lacks %q:\n%s", line, table)
		}
	}
}

func TestAContenderThatLosesASampleDoesNotCount(t *testing.T) {
	c := corpus{NDJSON: filepath.Join(t.TempDir(), "messages.ndjson"), Messages: 1, Samples: 3}
	message := `{"batch_id":"b","user_id":"u","device":{"id":"d"},"utc_offset":"+01:00","source":"native","series":[` +
		`{"metric":"steps","start":"2026-02-16T08:00:00+01:00","period_ms":60000,"values":[1,null,2]}]}` + "\n"
	if err := os.WriteFile(c.NDJSON, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	err := duckDBContender("DuckDB", duckDBHours, countLists, &c).round(t.Context(), t.TempDir(), "")
	if err == nil || !strings.Contains(err.Error(), "wrote 2 samples, not 3") {
		t.Errorf("error %v", err)
	}
}

// sameRows counts the rows that one of two sets of files has and the other has not.
const sameRows = `
	with
	a as (select {{columns}} from read_parquet({{a}}) where {{where}}),
	b as (select {{columns}} from read_parquet({{b}}) where {{where}})
	select (select count(*) from (from a except all from b)) + (select count(*) from (from b except all from a))
		+ case when (select count(*) from a) = 0 then 1 else 0 end`

func difference(t *testing.T, columns, where string, a, b []string) int {
	t.Helper()
	query := strings.NewReplacer("{{columns}}", columns, "{{where}}", where, "{{a}}", list(a), "{{b}}", list(b)).Replace(sameRows)
	n, err := count(t.Context(), query, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDuckDBMergesIntoTheSameSilver(t *testing.T) {
	j := job{Stage: stageMerge, Cores: 1, People: 8, Seed: 2}
	var files [][]string
	for _, statement := range []string{"", duckDBMerge} {
		j.Dir, j.SQL = t.TempDir(), statement
		r, err := runJob(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, r.Files)
	}
	const columns = "user_id, user_bucket, metric, device_id, hour_at, local_month, local_date, utc_offset_min, period_ms, " +
		"source, offsets_ms, values, revisions"
	if n := difference(t, columns, "true", files[0], files[1]); n != 0 {
		t.Errorf("%d rows differ", n)
	}
}

func TestDuckDBMakesTheRowsOfBronze(t *testing.T) {
	c, err := makeCorpus(t.Context(), t.TempDir(), corpusConfig{Seed: 1, Flushes: 1, FlushSamples: 600_000})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}()
	ours, err := diurnaContender("Diurna", c.JSON, c, 600_000).run(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := duckDBContender("DuckDB", duckDBHours, countLists, c).run(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	// Those who are furthest east send first, hence so many samples.
	// Where midnight falls within an hour DuckDB does not cut: one person in eight lives at such an offset.
	const columns = "batch_id, user_id, device_id, seq, source, kind, metric, hour_at::timestamp, local_date, period_ms, " +
		"offsets_ms, values"
	if n := difference(t, columns, "kind = 'series' and right(user_id, 7)::integer % 8 <> 7", ours.Files, theirs.Files); n != 0 {
		t.Errorf("%d rows differ", n)
	}
}

func TestWhatIsLeftOfTheMergeIsCountedWithoutWhatWasSentAgain(t *testing.T) {
	received, kept := countSeries(mix.Config{Seed: 1, People: 4, Date: mixDate, Cut: mix.ByQuarters})
	if again := received - kept; again < kept/40 || again > kept/10 {
		t.Errorf("%d samples of %d are sent again", again, kept)
	}
}
