package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/ranking/api"
	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/reports/schedule"
	"github.com/diurna-health/diurna/transform"
)

func newRunCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run everything in one process: broker, ingest, merge, build, medals, rankings, reports on time",
		Long: `Run starts the whole pipeline on one home and keeps going until Ctrl-C.

Without --brokers it starts a Kafka broker of its own on the loopback, so that any Kafka client can produce sync
batches to the topic. With --brokers it reads from that cluster. Reports are written into the home's outbox when they
are due in each person's own zone. Over HTTP it answers /healthz, /readyz, /metrics and /v1/rankings, and takes sync
batches at /v1/sync.`,
		Example: `  diurna run
  kcat -P -b 127.0.0.1:9092 -t diurna.sync -k some-person batch.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			return a.runAll(cmd.Context(), cfg, log)
		},
	}
	addPipelineFlags(cmd.Flags())
	addSettingFlag(cmd.Flags(), "listen", "broker.address")
	addSettingFlag(cmd.Flags(), "http", "http.address")
	addIngestFlags(cmd.Flags())
	return cmd
}

// addPipelineFlags adds what every command knows that may run a pipeline.
func addPipelineFlags(flags *pflag.FlagSet) {
	addSettingFlag(flags, "brokers", "kafka.brokers")
	addSettingFlag(flags, "topic", "kafka.topic")
	addSettingFlag(flags, "flush-age", "ingest.flush_age")
}

func (a *app) runAll(ctx context.Context, cfg Config, log *slog.Logger) error {
	limitMemory(cfg, int64(cfg.Gateway.Memory)+buildMemory)
	web, err := listen(ctx, cfg.HTTP.Address)
	if err != nil {
		return err
	}
	p, err := startPipeline(ctx, cfg, log, role{ingests: true, stays: true})
	if err != nil {
		web.close()
		return err
	}
	live := newLiveReader(p)
	p.built = live.changed
	scheduler, err := newScheduler(ctx, p, live)
	if err != nil {
		web.close()
		return errors.Join(err, p.close())
	}
	p.settler.scheduler = scheduler
	p.metrics.watchLag(p.lake, p.topic)
	p.metrics.watchIngest(p.ingester)
	web.problem = p.problem
	web.mux.Handle("GET /metrics", p.metrics.handler())
	web.mux.Handle("/v1/rankings", rankings(p, live))
	web.mux.Handle("/v1/rankings/", rankings(p, live))
	inbound := newGatewayService(p)
	inbound.mount(web.mux)

	fmt.Fprintf(a.stdout, "Kafka: %s, topic %s\n", strings.Join(p.brokers(), ","), cfg.Kafka.Topic)
	fmt.Fprintf(a.stdout, "HTTP: %s\n", web.url(""))
	fmt.Fprintf(a.stdout, "Home: %s\n", p.home.Dir())

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	group.Go(func() error { return inbound.run(ctx) })
	group.Go(func() error { return scheduler.Run(ctx, schedule.DefaultTicks) })
	web.ready.Store(true)
	err = group.Wait()
	live.changed() // gives its lease back, which needs the ledger
	return errors.Join(err, inbound.stop(), p.close())
}

func newLiveReader(p *pipeline) *liveReader {
	return &liveReader{open: func(ctx context.Context) (*transform.Reader, error) {
		return transform.OpenReader(ctx, p.lake, p.project, duckDB(p.cfg, p.log))
	}}
}

// newScheduler has reports made when they are due and dropped into the home's outbox.
func newScheduler(ctx context.Context, p *pipeline, live *liveReader) (*schedule.Scheduler, error) {
	files, err := deliver.NewFiles(ctx, p.db, p.home.OutboxDir())
	if err != nil {
		return nil, err
	}
	return schedule.New(p.db, live.Open, people{open: live.Open}, deliver.New(p.db, files), time.Now, p.log)
}

func rankings(p *pipeline, live *liveReader) http.Handler {
	return api.NewHandler(api.Config{Tables: live, Ledger: p.db, Now: time.Now, Logger: p.log})
}
