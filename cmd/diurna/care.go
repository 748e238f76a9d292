package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

const (
	careEvery  = 5 * time.Minute
	sweepGrace = time.Hour // longer than any commit takes
	leastTrash = 1 << 30   // what the trash may hold, however small the lake is
	littleRoom = 1 << 30   // on the disk: then the trash goes
)

// care looks after the lake now and then, beside everything else. It is nothing anybody waits for: what goes wrong is
// logged, and tried again the next time.
func (p *pipeline) care(ctx context.Context) error {
	tick := time.NewTicker(careEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := p.careOnce(ctx); err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "the lake could not be looked after", schemas.LogKeyError, err)
		}
	}
}

// careOnce sweeps what no snapshot needs any more, empties the trash, and folds small files together where that pays. What
// makes room comes first, and nothing that fails keeps the rest from being done.
func (p *pipeline) careOnce(ctx context.Context) error {
	tables, err := p.lake.Tables(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, table := range tables {
		n, err := p.lake.Sweep(ctx, table, sweepGrace)
		problems = append(problems, err)
		p.log.DebugContext(ctx, "swept", schemas.LogKeyTable, table, schemas.LogKeyFiles, n)
	}
	most, err := mostTrash(ctx, p.lake)
	problems = append(problems, err)
	if err == nil {
		_, err = p.lake.EmptyTrash(ctx, p.cfg.Lake.TrashFor, most)
		problems = append(problems, err)
	}
	done, err := doneWith(ctx, p.db, p.lake, p.project)
	problems = append(problems, err)
	for _, table := range tables {
		_, err := p.lake.Compact(ctx, table, lake.Compaction{DoneBelow: done})
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// mostTrash returns how much the trash may hold: as much as the lake itself, and nothing when the disk is nearly full. A
// lake whose files are rewritten with every sync would otherwise fill the disk with its own past.
func mostTrash(ctx context.Context, l *lake.Lake) (int64, error) {
	if free, known, err := l.Store().Free(ctx); err != nil || known && free < littleRoom {
		return 0, err
	}
	var bytes int64
	err := eachTable(ctx, l, func(s *lake.Snapshot) error {
		for _, f := range s.Files {
			bytes += f.Bytes
		}
		return nil
	})
	return max(bytes, leastTrash), err
}

// doneWith returns, by partition, the offset below which nobody needs the list of dirty days any more: every model is
// built from it, and what follows from a build is done. Nil = all of it is needed.
func doneWith(ctx context.Context, db *sql.DB, l *lake.Lake, project *transform.Project) (map[int32]int64, error) {
	built, err := builtUpTo(ctx, l, project)
	if err != nil || built == nil {
		return nil, err
	}
	settled, err := readSettled(ctx, db, l, project)
	if err != nil {
		return nil, err
	}
	done := map[int32]int64{}
	for p, offset := range built {
		if s, ok := settled[p]; ok {
			done[p] = min(offset, s)
		}
	}
	return done, nil
}
