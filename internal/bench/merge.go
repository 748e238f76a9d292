package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/bench/mix"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// The two ways in which DuckDB merges.
var (
	//go:embed duckdb/merge.sql
	duckDBMerge string
	//go:embed duckdb/merge_samples.sql
	duckDBMergeSamples string
)

// compareMerge merges the quarters of an hour of a day, one in twenty sent again, from bronze into silver.
func compareMerge(ctx context.Context, f ingestFlags, dir string, rep *report) error {
	say("counting what is to be merged")
	m := mix.Config{Seed: f.seed, People: f.people, Date: mixDate, Cut: mix.ByQuarters}
	received, kept := countSeries(m)
	rep.mergePeople = f.people
	merge := func(name, statement string) *contender {
		return &contender{
			name: name, ours: statement == "", samples: received, kept: kept, count: countLists,
			run: func(ctx context.Context, dir, profile string) (result, error) {
				return runJob(ctx, job{
					Stage: stageMerge, Dir: dir, Cores: 1, Profile: profile, SQL: statement, People: f.people, Seed: f.seed,
					Memory: f.memory,
				})
			},
		}
	}
	rep.merge = merge("merge", "")
	rep.mergeDuckDB = []*contender{
		merge("merge by DuckDB, piece by piece", duckDBMerge),
		merge("merge by DuckDB, sample by sample", duckDBMergeSamples),
	}
	if err := rounds(ctx, append([]*contender{rep.merge}, rep.mergeDuckDB...), f, dir); err != nil {
		return err
	}
	var err error
	rep.silver, err = measureSilver(ctx, f, dir)
	return err
}

// countSeries counts the samples of series that are received, and those that are left when what was sent again is
// settled.
func countSeries(m mix.Config) (received, kept int) {
	type span struct{ person, from int }
	seen := map[span]bool{}
	for _, s := range m.Spans() {
		n := 0
		b := m.Batch(s)
		for i := range b.Series {
			n += len(b.Series[i].Values)
		}
		received += n
		if key := (span{s.Person, s.From}); !seen[key] {
			seen[key] = true
			kept += n
		}
	}
	return received, kept
}

// mergeStage fills bronze, and then measures the merge into silver: by Diurna, or by a statement of DuckDB.
func mergeStage(ctx context.Context, j job) (result, error) {
	h, err := openHome(ctx, j.Dir)
	if err != nil {
		return result{}, err
	}
	defer h.close() //nolint:errcheck // what was measured is in r
	m := mix.Config{Seed: j.Seed, People: j.People, Date: mixDate, Cut: mix.ByQuarters}
	if err := fillBronze(ctx, h.lake, m, func(*syncv1.Batch) {}); err != nil {
		return result{}, fmt.Errorf("fill bronze: %w", err)
	}
	if j.SQL != "" {
		bronze, _, err := h.files(ctx, schemas.TableSyncRecords)
		if err != nil {
			return result{}, err
		}
		j.SQL = strings.ReplaceAll(j.SQL, "{{bronze}}", list(bronze))
		return duckDBStage(ctx, j)
	}
	r, err := measured(j, func() error {
		_, err := lake.NewMerger(h.lake).Run(ctx)
		return err
	})
	if err != nil {
		return result{}, err
	}
	r.Files, r.Bytes, err = h.files(ctx, schemas.TableSeriesHours)
	return r, err
}

// bronzeFileSamples is how many samples a file of bronze holds, as ingest cuts them.
const bronzeFileSamples = ingest.DefaultFlushSamples

// fillBronze writes the batches, changed as asked, as ingest would: one message an offset from the end of bronze on, but
// without Kafka.
func fillBronze(ctx context.Context, l *lake.Lake, m mix.Config, change func(*syncv1.Batch)) error {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return err
	}
	marks, err := bronze.Watermarks(lake.IngestWatermark)
	if err != nil {
		return err
	}
	brokerAt := (int64(m.Date) + 2) * schemas.MillisPerDay
	var rows []schemas.SyncRecord
	start, held := marks[0], 0
	next := start
	for b := range m.Batches() {
		change(b)
		rows = append(rows, ingest.Rows(b, ingest.Position{Offset: next, BrokerAtMS: brokerAt + next}, 1)...)
		next++
		if held += mix.Samples(b); held >= bronzeFileSamples {
			if err := addBronze(ctx, l, start, next, rows); err != nil {
				return err
			}
			rows, start, held = nil, next, 0
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return addBronze(ctx, l, start, next, rows)
}

func addBronze(ctx context.Context, l *lake.Lake, start, next int64, rows []schemas.SyncRecord) error {
	stem := fmt.Sprintf("sync-00000-%020d-%020d", start, next)
	path, err := lake.WriteRows(ctx, l, schemas.TableSyncRecords, stem,
		map[string]int64{"ingest_date": int64(rows[0].IngestDate)}, nil, rows)
	if err != nil {
		return err
	}
	base, err := l.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return err
	}
	_, err = l.Commit(ctx, lake.Commit{
		Base: base, ID: stem, Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: next}),
	})
	return err
}
