package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
)

func newLakeCompactCommand(a *app) *cobra.Command {
	var only string
	var full bool
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Fold small files together",
		Long: `Compact folds the small files of each table together, where there are many: a running pipeline does the same now and
then. With --full it rewrites silver whole: sorted, in files of a fixed number of rows, so that the same messages give
the same files byte for byte, however they arrived.

What is rewritten is checked first, and compared afterwards; a damaged file is named, and nothing is made from it. It may
run beside a pipeline.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.keepLake(cmd, func(ctx context.Context, k *lakeKeeper) error { return a.compact(ctx, k, only, full) })
		},
	}
	addTableFlag(cmd, &only)
	cmd.Flags().BoolVar(&full, "full", false, "rewrite silver whole, into the same bytes for the same messages")
	return cmd
}

func (a *app) compact(ctx context.Context, k *lakeKeeper, only string, full bool) error {
	tables, err := k.tables(ctx, only)
	if err != nil {
		return err
	}
	project, err := loadProject(ctx)
	if err != nil {
		return err
	}
	done, err := doneWith(ctx, k.db, k.lake, project)
	if err != nil {
		return err
	}
	before, after, superseded := 0, 0, 0
	for _, table := range tables {
		r, err := k.lake.Compact(ctx, table, lake.Compaction{Full: full, DoneBelow: done, Progress: func(done, total int64) {
			k.progress.show("compact "+table, done, total)
		}})
		if err != nil {
			return err
		}
		before, after, superseded = before+r.FilesBefore, after+r.FilesAfter, superseded+r.Superseded
	}
	k.progress.end()
	if before == 0 {
		fmt.Fprintln(a.stdout, "nothing to fold together")
	} else {
		fmt.Fprintf(a.stdout, "%d files became %d\n", before, after)
	}
	if superseded > 0 {
		return fmt.Errorf("%d partitions were rewritten by others again and again meanwhile, and left alone: try again when less arrives", superseded)
	}
	return nil
}
