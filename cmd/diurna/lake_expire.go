package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
)

func newLakeExpireCommand(a *app) *cobra.Command {
	var only string
	var emptyTrash bool
	keep := lake.DefaultExpiry()
	cmd := &cobra.Command{
		Use:   "expire",
		Short: "Let old snapshots go and sweep what only they needed",
		Long: `Expire lets the old snapshots of each table go and moves the data files that only they needed into the trash, the
folder _trash of the lake, from where they can be moved back. What anybody reads stays. A running pipeline does the same
now and then, and empties the trash after lake.trash_for.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.keepLake(cmd, func(ctx context.Context, k *lakeKeeper) error { return a.expire(ctx, k, only, keep, emptyTrash) })
		},
	}
	addTableFlag(cmd, &only)
	cmd.Flags().IntVar(&keep.KeepLast, "keep-last", keep.KeepLast, "keep this `NUMBER` of snapshots at the least")
	cmd.Flags().DurationVar(&keep.KeepFor, "keep-for", keep.KeepFor, "keep snapshots for this `TIME` after they were replaced")
	cmd.Flags().BoolVar(&emptyTrash, "empty-trash", false, "remove for good what lies in the trash")
	return cmd
}

func (a *app) expire(ctx context.Context, k *lakeKeeper, only string, keep lake.Expiry, emptyTrash bool) error {
	tables, err := k.tables(ctx, only)
	if err != nil {
		return err
	}
	snapshots, swept := 0, 0
	for i, table := range tables {
		k.progress.show("expire", int64(i), int64(len(tables)))
		expired, err := k.lake.Expire(ctx, table, keep)
		if err != nil {
			return err
		}
		n, err := k.lake.Sweep(ctx, table, sweepGrace)
		if err != nil {
			return err
		}
		snapshots, swept = snapshots+expired, swept+n
	}
	keepFor, most := k.cfg.Lake.TrashFor, int64(0)
	if emptyTrash {
		keepFor = 0
	} else if most, err = mostTrash(ctx, k.lake); err != nil {
		return err
	}
	removed, err := k.lake.EmptyTrash(ctx, keepFor, most)
	if err != nil {
		return err
	}
	k.progress.show("expire", int64(len(tables)), int64(len(tables)))
	k.progress.end()
	_, err = fmt.Fprintf(a.stdout, "%d snapshots expired, %d files swept (those younger than %s stay), %d files removed from the trash\n",
		snapshots, swept, sweepGrace.Round(time.Minute), removed)
	return err
}
