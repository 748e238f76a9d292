package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/transform"
)

// readSettled returns, by partition, the offset below which a process before this one has done all that follows from a
// build, by the models that there are now; nil when none has.
func readSettled(ctx context.Context, db *sql.DB, l *lake.Lake, project *transform.Project) (map[int32]int64, error) {
	models, err := modelsSHA256(ctx, l, project)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "select lake_partition, below_offset from lake_settled where models_sha256 = ?", models)
	if err != nil {
		return nil, fmt.Errorf("read what is settled: %w", err)
	}
	defer rows.Close()
	var marks map[int32]int64
	for rows.Next() {
		var partition int32
		var offset int64
		if err := rows.Scan(&partition, &offset); err != nil {
			return nil, fmt.Errorf("read what is settled: %w", err)
		}
		if marks == nil {
			marks = map[int32]int64{}
		}
		marks[partition] = offset
	}
	return marks, rows.Err()
}

// writeSettled records that all that follows from a build is done up to there.
func writeSettled(ctx context.Context, db *sql.DB, l *lake.Lake, project *transform.Project, marks map[int32]int64) error {
	models, err := modelsSHA256(ctx, l, project)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record what is settled: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	for partition, offset := range marks {
		if _, err := tx.ExecContext(ctx, `insert into lake_settled (lake_partition, below_offset, models_sha256) values (?, ?, ?)
			on conflict (lake_partition) do update set below_offset = excluded.below_offset, models_sha256 = excluded.models_sha256`,
			partition, offset, models); err != nil {
			return fmt.Errorf("record what is settled: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record what is settled: %w", err)
	}
	return nil
}

// modelsSHA256 names the models that made the gold tables as they are. A new version of a model changes rows that no
// dirty day speaks of.
func modelsSHA256(ctx context.Context, l *lake.Lake, project *transform.Project) (string, error) {
	var made []string
	for _, m := range project.Models() {
		if m.Build != transform.BuildTable {
			continue
		}
		s, err := l.Load(ctx, "gold."+m.Name)
		if errors.Is(err, lake.ErrNoTable) {
			continue
		}
		if err != nil {
			return "", err
		}
		made = append(made, m.Name+" "+s.Properties["model.sha256"])
	}
	slices.Sort(made)
	h := sha256.New()
	for _, line := range made {
		fmt.Fprintln(h, line)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
