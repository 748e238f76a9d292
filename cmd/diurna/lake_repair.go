package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

func newLakeRepairCommand(a *app) *cobra.Command {
	var fromFiles bool
	var atHole string
	cmd := &cobra.Command{
		Use:   "repair --from-files",
		Short: "Make the lake anew from the files of received rows",
		Long: `Repair makes the lake's catalog anew from the files of received rows alone: when the ledger is lost or damaged, when
metadata is, or when the home was moved, for the catalog names every file by where it was. Each file is read and compared
with its hash; those that follow each other without hole or overlap are taken, and how far they reach is where ingest
goes on. Everything else is then merged and built from them. Awards, reports that were sent, addresses and tokens lie in
the ledger and are not touched.

It needs the home to itself. Where offsets are in no whole file it changes nothing, unless --at-hole says what to do: stop
reads from Kafka again from the first hole on, skip records the hole as a gap and keeps what comes behind it.`,
		Example: `  diurna lake repair --from-files --home ./moved-home`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !fromFiles {
				return &schemas.Error{Code: schemas.CodeInvalid, Message: "say what to repair from: --from-files is the one way there is"}
			}
			at, err := parseAtHole(atHole)
			if err != nil {
				return err
			}
			return a.repair(cmd, at)
		},
	}
	cmd.Flags().BoolVar(&fromFiles, "from-files", false, "from the names and footers of the files of received rows")
	cmd.Flags().StringVar(&atHole, "at-hole", "", "what to do where offsets are in no file: `stop|skip`; nothing = change nothing")
	return cmd
}

func parseAtHole(text string) (lake.AtHole, error) {
	switch at := lake.AtHole(text); at {
	case lake.RefuseHoles, lake.StopAtHoles, lake.SkipHoles:
		return at, nil
	default:
		return "", &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf("--at-hole is %q: it must be stop or skip", text)}
	}
}

func (a *app) repair(cmd *cobra.Command, at lake.AtHole) (err error) {
	cfg, log, progress, err := a.setUpProgress(cmd)
	if err != nil {
		return err
	}
	defer progress.end()
	ctx := cmd.Context()
	h, err := home.Open(cfg.Home)
	if err != nil {
		return err
	}
	lock, err := h.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	alone, err := h.LockIngest()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alone.Close()) }()
	db, err := ledger.Open(ctx, h.LedgerPath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := ledger.Migrate(ctx, db); err != nil {
		return err
	}
	where, err := lakeConfig(ctx, cfg, h, db, log)
	if err != nil {
		return err
	}
	report, err := lake.RepairFromFiles(ctx, where, lake.Repair{
		AtHole: at, Progress: func(done, total int64) { progress.show("repair", done, total) },
	})
	if err != nil {
		return err
	}
	a.tellRepair(report)
	return rebuild(ctx, where, duckDB(cfg, log), progress)
}

func (a *app) tellRepair(r *lake.RepairReport) {
	fmt.Fprintf(a.stdout, "%d files with %d received rows are live again, up to %s\n", r.Files, r.Rows, positions(r.Watermarks))
	for _, hole := range r.Holes {
		fmt.Fprintf(a.stdout, "partition %d: the offsets %d to %d are in no file\n", hole.Partition, hole.Start, hole.End-1)
	}
	for _, p := range r.LeftOut {
		fmt.Fprintln(a.stdout, "left out:", p)
	}
}

// rebuild merges and builds everything from bronze.
func rebuild(ctx context.Context, where lake.Config, engine transform.Config, progress *progress) error {
	l, err := lake.Open(ctx, where)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.CreateIngestTables(ctx); err != nil {
		return err
	}
	project, err := loadProject(ctx)
	if err != nil {
		return err
	}
	progress.stage("merging")
	if _, err := lake.NewMerger(l).Run(ctx); err != nil {
		return err
	}
	progress.stage("building")
	_, err = transform.NewBuilder(l, project, engine).Build(ctx)
	return err
}
