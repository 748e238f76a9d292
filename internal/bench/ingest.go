package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest"
)

// The peers.
const (
	peerDuckDB = "duckdb"
	peerBento  = "bento"
	peerSpark  = "spark"
)

// ingestFlags are what a person can choose.
type ingestFlags struct {
	runs, flushes, people int
	buffer                int
	seed                  uint64
	peers                 []string
	merge                 bool
	memory                string
	dir, source           string
	out, profiles         string
}

func parseIngest(args []string) (ingestFlags, error) {
	var f ingestFlags
	set := flag.NewFlagSet("bench ingest", flag.ContinueOnError)
	set.IntVar(&f.runs, "runs", 5, "how often each contender runs; the figures are medians")
	set.IntVar(&f.flushes, "flushes", 2, "messages to make: as many as fill the buffer of ingest so often")
	set.IntVar(&f.buffer, "buffer", ingest.DefaultFlushSamples, "samples in a full buffer of ingest")
	set.IntVar(&f.people, "people", 1500, "people whose day is merged")
	set.StringVar(&f.memory, "memory", "10GB", "memory of DuckDB when it merges, as it writes it: sample by sample it takes 7.3 GiB for 1,500 people")
	set.Uint64Var(&f.seed, "seed", 1, "seed of the messages")
	peers := set.String("peers", "duckdb,bento",
		"which to run: duckdb, bento (built first), spark (downloaded first; needs Java 17, Python and Maven)")
	set.BoolVar(&f.merge, "merge", true, "measure the merge and bytes per sample")
	set.StringVar(&f.dir, "dir", "", "folder for everything that is written; \"\" = the system's for temporary files")
	set.StringVar(&f.source, "source", ".", "folder of the bench's own source")
	set.StringVar(&f.out, "out", "", "file for the table; \"\" = standard output alone")
	set.StringVar(&f.profiles, "cpuprofile", "", "folder for CPU profiles of Diurna, one per path, of the first run")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if *peers != "" {
		f.peers = strings.Split(*peers, ",")
	}
	for _, p := range f.peers {
		if !slices.Contains([]string{peerDuckDB, peerBento, peerSpark}, p) {
			return f, fmt.Errorf("-peers: there is no %q", p)
		}
	}
	if f.runs < 1 || f.flushes < 1 || f.people < 1 || f.buffer < 1 {
		return f, errors.New("-runs, -flushes, -buffer and -people must be at least 1")
	}
	return f, nil
}

func runIngest(ctx context.Context, args []string) error {
	f, err := parseIngest(args)
	if err != nil {
		return err
	}
	return inScratch(f.dir, func(dir string) error {
		rep := &report{Command: makeLine("ingest", args), Load: load(), Runs: f.runs}
		if err := compareIngest(ctx, f, dir, rep); err != nil {
			return err
		}
		if f.merge {
			if err := compareMerge(ctx, f, dir, rep); err != nil {
				return err
			}
		}
		return rep.write(ctx, f.out)
	})
}

// inScratch calls do with the absolute path of an empty folder below parent, which is gone afterwards: the contenders run
// in folders of their own.
func inScratch(parent string, do func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(parent, "diurna-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return do(absolute)
}

// compareIngest runs every contender on the same messages, in turns.
func compareIngest(ctx context.Context, f ingestFlags, dir string, rep *report) (err error) {
	say("making messages")
	c, err := makeCorpus(ctx, dir, corpusConfig{Seed: f.seed, Flushes: f.flushes, FlushSamples: f.buffer})
	if err != nil {
		return fmt.Errorf("make messages: %w", err)
	}
	defer func() { err = errors.Join(err, c.close()) }()
	rep.Corpus = *c

	rep.proto = diurnaContender("Diurna protobuf", c.Proto, c, f.buffer)
	rep.json = diurnaContender("Diurna JSON", c.JSON, c, f.buffer)
	if err := addPeers(ctx, f, dir, c, rep); err != nil {
		return err
	}
	if err := warm(c.NDJSON); err != nil {
		return err
	}
	return rounds(ctx, rep.contenders(), f, dir)
}

// addPeers makes ready what was asked for.
func addPeers(ctx context.Context, f ingestFlags, dir string, c *corpus, rep *report) (err error) {
	if slices.Contains(f.peers, peerDuckDB) {
		rep.duckDB = []*contender{
			duckDBContender("DuckDB row per part", duckDBPieces, countLists, c),
			duckDBContender("DuckDB row per hour", duckDBHours, countLists, c),
			duckDBContender("DuckDB row per sample", duckDBSamples, countRows, c),
		}
	}
	if slices.Contains(f.peers, peerBento) {
		say("building Bento")
		exe, err := buildBento(ctx, filepath.Join(f.source, "bento"), dir)
		if err != nil {
			return err
		}
		rep.bento = []*contender{
			bentoContender("Bento row per part", exe, bentoPieces, countLists, c),
			bentoContender("Bento row per sample", exe, bentoSamples, countRows, c),
		}
	}
	if slices.Contains(f.peers, peerSpark) {
		say("fetching Spark")
		rep.spark, err = sparkContender(ctx, filepath.Join(f.source, "spark"), c)
	}
	return err
}

// rounds lets every contender run once per round.
func rounds(ctx context.Context, all []*contender, f ingestFlags, dir string) error {
	if f.profiles != "" {
		if err := os.MkdirAll(f.profiles, 0o700); err != nil {
			return err
		}
	}
	for n := range f.runs {
		for _, c := range all {
			profile := ""
			if n == 0 && f.profiles != "" && c.ours {
				profile = filepath.Join(f.profiles, fileName(c.name)+".pprof")
			}
			if err := c.round(ctx, dir, profile); err != nil {
				return err
			}
			say(fmt.Sprintf("run %d of %d: %s %.2f M samples/s", n+1, f.runs, c.name,
				wallRate(c, c.results[n])))
		}
	}
	return nil
}

// say tells on standard error how far things are: standard output is for the table.
func say(s string) { fmt.Fprintln(os.Stderr, s) }
