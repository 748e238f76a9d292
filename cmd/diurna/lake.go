package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/schemas"
)

func newLakeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lake",
		Short: "Look after the lake",
	}
	cmd.AddCommand(newLakeStatusCommand(a), newLakeVerifyCommand(a), newLakeCompactCommand(a), newLakeExpireCommand(a),
		newLakeRepairCommand(a))
	return cmd
}

// A lakeKeeper is the lake of a home, opened to be looked after: beside a running pipeline or without one.
type lakeKeeper struct {
	cfg      Config
	log      *slog.Logger
	progress *progress
	home     *home.Home
	db       *sql.DB
	lake     *lake.Lake
}

// keepLake opens the lake, does the work and closes it.
func (a *app) keepLake(cmd *cobra.Command, work func(ctx context.Context, k *lakeKeeper) error) error {
	cfg, log, progress, err := a.setUpProgress(cmd)
	if err != nil {
		return err
	}
	defer progress.end()
	h, err := home.Open(cfg.Home)
	if err != nil {
		return err
	}
	db, l, err := openLake(cmd.Context(), cfg, h, log)
	if err != nil {
		return err
	}
	return errors.Join(work(cmd.Context(), &lakeKeeper{cfg, log, progress, h, db, l}), db.Close())
}

// tables returns the tables to work on: one, or all.
func (k *lakeKeeper) tables(ctx context.Context, only string) ([]string, error) {
	all, err := k.lake.Tables(ctx)
	if err != nil || only == "" {
		return all, err
	}
	if !slices.Contains(all, only) {
		return nil, &schemas.Error{Code: schemas.CodeNotFound, Message: fmt.Sprintf(
			"the lake has no table %s: `diurna lake status` lists those it has", only)}
	}
	return []string{only}, nil
}

func addTableFlag(cmd *cobra.Command, only *string) {
	cmd.Flags().StringVar(only, "table", "", "only this `TABLE`: silver.series_hours")
}

func eachTable(ctx context.Context, l *lake.Lake, do func(*lake.Snapshot) error) error {
	tables, err := l.Tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		s, err := l.Load(ctx, table)
		if errors.Is(err, lake.ErrNoTable) {
			continue // dropped meanwhile
		}
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}
