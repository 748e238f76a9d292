package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
)

func newLakeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lake",
		Short: "Look after the lake",
	}
	cmd.AddCommand(newLakeStatusCommand(a))
	return cmd
}

func newLakeStatusCommand(a *app) *cobra.Command {
	var files bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the lake's tables: rows, files, size, and how far each is",
		Long: `Status shows every table of the lake with its rows, live files and size, and how far received data has come: the
offsets below which messages are in bronze (received), settled in silver (merged) and in gold (built).

With --files it lists the absolute path of every live data file, one a line, and nothing else.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			h, err := home.Open(cfg.Home)
			if err != nil {
				return err
			}
			db, l, err := openLake(cmd.Context(), h, log)
			if err != nil {
				return err
			}
			show := showTables
			if files {
				show = listFiles
			}
			return errors.Join(show(cmd.Context(), l, a.stdout), db.Close())
		},
	}
	cmd.Flags().BoolVar(&files, "files", false, "list the live data files instead")
	return cmd
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

func listFiles(ctx context.Context, l *lake.Lake, w io.Writer) error {
	return eachTable(ctx, l, func(s *lake.Snapshot) error {
		for _, f := range s.Files {
			if _, err := fmt.Fprintln(w, f.Path); err != nil {
				return err
			}
		}
		return nil
	})
}

func showTables(ctx context.Context, l *lake.Lake, w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "table\trows\tfiles\tsize\tup to\t")
	err := eachTable(ctx, l, func(s *lake.Snapshot) error {
		var rows, bytes int64
		for _, f := range s.Files {
			rows += f.Rows
			bytes += f.Bytes
		}
		reached, err := reached(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\t\n", s.Table, rows, len(s.Files), humanSize(bytes), reached)
		return nil
	})
	return errors.Join(err, out.Flush())
}

// reached says how far a table is, by partition: received 0:12 1:9.
func reached(s *lake.Snapshot) (string, error) {
	for _, mark := range []struct{ prefix, word string }{
		{lake.IngestWatermark, "received"}, {lake.MergeWatermark, "merged"}, {lake.BuildWatermark, "built"},
	} {
		marks, err := s.Watermarks(mark.prefix)
		if err != nil {
			return "", err
		}
		if len(marks) == 0 {
			continue
		}
		parts := make([]string, 0, len(marks))
		for partition, offset := range marks {
			parts = append(parts, strconv.Itoa(int(partition))+":"+strconv.FormatInt(offset, 10))
		}
		slices.Sort(parts)
		return mark.word + " " + strings.Join(parts, " "), nil
	}
	return "", nil
}

// humanSize writes a size for people: 1.4 MiB.
func humanSize(bytes int64) string {
	size, unit := float64(bytes), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
