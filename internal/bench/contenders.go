package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A contender is one way of getting the messages into Parquet files.
type contender struct {
	name     string
	ours     bool
	messages int
	samples  int
	kept     int // of the samples, how many its files must hold; 0 = all
	run      func(ctx context.Context, dir string, profile string) (result, error)
	count    string // the query that counts the samples in its files

	results []result // one per round
}

// Queries that count the samples in the files of a contender.
const (
	countLists = "select coalesce(sum(list_count(values)), 0)::bigint from read_parquet({{files}})"
	countRows  = "select count(*) from read_parquet({{files}})"
)

// round runs the contender once, in a folder that is gone afterwards, and counts what it wrote.
func (c *contender) round(ctx context.Context, dir, profile string) (err error) {
	dir = filepath.Join(dir, fileName(c.name)+"-"+strconv.Itoa(len(c.results)+1))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := c.run(ctx, dir, profile)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	n, err := count(ctx, c.count, r.Files)
	if err != nil {
		return fmt.Errorf("%s: count the samples it wrote: %w", c.name, err)
	}
	if n != c.written() {
		return fmt.Errorf("%s wrote %d samples, not %d", c.name, n, c.written())
	}
	c.results = append(c.results, r)
	return nil
}

// written is how many samples its files must hold.
func (c *contender) written() int { return cmp.Or(c.kept, c.samples) }

func diurnaContender(name string, b *brokerProcess, c *corpus, flushSamples int) *contender {
	return &contender{
		name: name, ours: true, messages: c.Messages, samples: c.Samples, count: countLists,
		run: func(ctx context.Context, dir, profile string) (result, error) {
			return runJob(ctx, job{
				Stage: stageIngest, Dir: dir, Cores: 1, Profile: profile, Messages: c.Messages, Samples: c.Samples,
				Broker: b.addr, FlushSamples: flushSamples,
			})
		},
	}
}

func duckDBContender(name, statement, countQuery string, c *corpus) *contender {
	return &contender{
		name: name, messages: c.Messages, samples: c.Samples, count: countQuery,
		run: func(ctx context.Context, dir, _ string) (result, error) {
			return runJob(ctx, job{
				Stage: stageDuckDB, Dir: dir, Cores: 1,
				SQL: strings.ReplaceAll(statement, "{{messages}}", literal(c.NDJSON)),
			})
		},
	}
}

// fileName turns the name of a contender into one for a file.
func fileName(name string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(name))
}
