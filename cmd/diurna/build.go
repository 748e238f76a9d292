package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func newBuildCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Only build: make tables of what others ingest into the home",
		Long: `Build merges and builds what ` + "`diurna ingest`" + ` receives into the home, and settles medals and rankings, until Ctrl-C.
One process builds a home at a time. Given --brokers, it tells ` + "`diurna publish`" + ` and ` + "`diurna import`" + ` where to send to.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			return a.build(cmd.Context(), ownAddress(cmd, cfg), log)
		},
	}
	addPipelineFlags(cmd.Flags())
	addSettingFlag(cmd.Flags(), "http", "http.address")
	return cmd
}

func (a *app) build(ctx context.Context, cfg Config, log *slog.Logger) error {
	limitMemory(cfg, buildMemory)
	collectSeldom()
	web, err := listen(ctx, cfg.HTTP.Address)
	if err != nil {
		return err
	}
	p, err := startPipeline(ctx, cfg, log, role{stays: true})
	if err != nil {
		web.close()
		return err
	}
	web.mux.Handle("GET /metrics", p.metrics.handler())
	fmt.Fprintf(a.stdout, "HTTP: %s\n", web.url(""))
	fmt.Fprintf(a.stdout, "Home: %s\n", p.home.Dir())

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	web.ready.Store(true)
	return errors.Join(group.Wait(), p.close())
}

// collectSeldom lets Go's memory grow to five times what is in use before it is collected, unless the environment says
// otherwise: what a builder holds itself is small beside what DuckDB holds, and is mostly of one batch of rows.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
