package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newLakeVerifyCommand(a *app) *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read every byte of the lake and find what is damaged",
		Long: `Verify reads every file that a kept snapshot of the lake refers to, Iceberg's own included, and compares each with the
hash and the size it was written with. It opens every data file and counts its rows, checks that the files of received
rows hold every offset below the watermark once, and that no watermark ever fell. It may run beside a pipeline.

Each thing that is wrong is a line with the path of the file. Exit code 1 means that something is.`,
		Example: `  diurna lake verify
  diurna lake verify --table bronze.sync_records`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.keepLake(cmd, func(ctx context.Context, k *lakeKeeper) error { return a.verify(ctx, k, only) })
		},
	}
	addTableFlag(cmd, &only)
	return cmd
}

func (a *app) verify(ctx context.Context, k *lakeKeeper, only string) error {
	tables, err := k.tables(ctx, only)
	if err != nil {
		return err
	}
	r, err := k.lake.Verify(ctx, tables, func(done, total int64) { k.progress.show("verify", done, total) })
	if err != nil {
		return err
	}
	k.progress.end()
	for _, p := range r.Problems {
		fmt.Fprintln(a.stdout, p)
	}
	if len(r.Problems) > 0 {
		return fmt.Errorf("%d things are wrong with the lake: restore what is damaged from a backup, or rebuild all of it "+
			"from the files of received rows with `diurna lake repair --from-files`", len(r.Problems))
	}
	fmt.Fprintf(a.stdout, "all is well: %d tables, %d files, %s\n", r.Tables, r.Files, humanSize(r.Bytes))
	if r.Unchecked > 0 {
		_, err = fmt.Fprintf(a.stdout, "%d files of metadata could be read but not compared: an older version wrote them without noting their hash\n",
			r.Unchecked)
	}
	return errors.Join(err)
}
