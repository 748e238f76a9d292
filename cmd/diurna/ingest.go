package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/internal/home"
)

// How much memory a role may take beside what ingest holds, before Go collects its garbage more eagerly.
const (
	ingestMemory = 256 << 20
	buildMemory  = 512 << 20
)

func newIngestCommand(a *app) *cobra.Command {
	var ownAll bool
	cmd := &cobra.Command{
		Use:   "ingest --brokers HOST:PORT",
		Short: "Only ingest: from a Kafka cluster to the lake, as one of several processes",
		Long: `Ingest reads sync batches from a Kafka cluster into the home's lake and does nothing else; ` + "`diurna build`" + `, or
` + "`diurna run`" + ` on the same home, makes tables of them. With --group several of them share the topic. One that dies
loses nothing, whatever it held, and two that own the same partition double nothing.`,
		Example: "  diurna ingest --brokers kafka:9092 --group diurna",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			if len(cfg.Kafka.Brokers) == 0 {
				return invalid("ingest reads from a Kafka cluster: give its --brokers (`diurna run` has a broker of its own)")
			}
			return a.ingest(cmd.Context(), ownAddress(cmd, cfg), log, ownAll)
		},
	}
	addPipelineFlags(cmd.Flags())
	addIngestFlags(cmd.Flags())
	addSettingFlag(cmd.Flags(), "http", "http.address")
	cmd.Flags().BoolVar(&ownAll, "ingest.own-all", false, "own every partition beside another process that does: for tests of just that")
	_ = cmd.Flags().MarkHidden("ingest.own-all") // it exists
	return cmd
}

// addIngestFlags adds what an operator tells an ingest that stays.
func addIngestFlags(flags *pflag.FlagSet) {
	addSettingFlag(flags, "group", "ingest.group")
	addSettingFlag(flags, "on-gap", "ingest.on_gap")
	addSettingFlag(flags, "on-storm", "ingest.on_storm")
	addSettingFlag(flags, "new-source", "ingest.new_source")
}

// ownAddress has a role that may run beside others listen on a free port, unless one was asked for.
func ownAddress(cmd *cobra.Command, cfg Config) Config {
	if !cmd.Flags().Changed("http") && cfg.HTTP.Address == DefaultConfig().HTTP.Address {
		cfg.HTTP.Address = "127.0.0.1:0"
	}
	return cfg
}

// ingestConfig returns what the settings say about ingest.
func ingestConfig(cfg Config, what role, d *disk, m *metrics, log *slog.Logger) ingest.Config {
	return ingest.Config{
		Group:        cfg.Ingest.Group,
		FlushSamples: cfg.Ingest.FlushSamples, FlushBytes: int(cfg.Ingest.FlushBytes), FlushAge: cfg.Ingest.FlushAge,
		MemoryBytes: int64(cfg.Ingest.Memory) / 4 * 3, // the rest is for what is being fetched
		OnGap:       cfg.Ingest.OnGap, OnStorm: cfg.Ingest.OnStorm, OnFenced: cfg.Ingest.OnFenced, NewSource: cfg.Ingest.NewSource,
		Patient: what.stays, Room: d.room, DiskFull: d.full,
		Committed: m.committed, GapCrossed: m.gapCrossed, Fenced: m.fenced,
		Now: time.Now, Logger: log,
	}
}

// ingest takes no lock of the home but the one that keeps a second ingest of all partitions from starting by mistake:
// the epochs in the lake are what keeps them apart.
func (a *app) ingest(ctx context.Context, cfg Config, log *slog.Logger, ownAll bool) (err error) {
	limitMemory(cfg, ingestMemory)
	h, err := home.Init(cfg.Home, cfg.Lake.UserBuckets)
	if err != nil {
		return err
	}
	if cfg.Ingest.Group == "" && !ownAll {
		var alone io.Closer
		if alone, err = h.LockIngest(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, alone.Close()) }()
	}
	db, l, err := openLake(ctx, cfg, h, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := setUpTables(ctx, h, db, l); err != nil {
		return err
	}
	topic, err := openTopic(ctx, cfg, h, cfg.Kafka.Brokers)
	if err != nil {
		return err
	}
	defer topic.Close()
	web, err := listen(ctx, cfg.HTTP.Address)
	if err != nil {
		return err
	}
	d, m := newDisk(cfg, h, log), newMetrics(time.Now)
	settings := ingestConfig(cfg, role{ingests: true, stays: true}, d, m, log)
	settings.Lake, settings.Topic, settings.UserBuckets = l, topic, h.UserBuckets()
	in := ingest.New(settings)
	m.watchLag(l, topic)
	m.watchIngest(in)
	web.mux.Handle("GET /metrics", m.handler())
	web.problem = func() error { return in.Status().Problem() }
	fmt.Fprintf(a.stdout, "Kafka: %s, topic %s\n", strings.Join(cfg.Kafka.Brokers, ","), cfg.Kafka.Topic)
	fmt.Fprintf(a.stdout, "HTTP: %s\n", web.url(""))
	fmt.Fprintf(a.stdout, "Home: %s\n", h.Dir())

	d.load()
	defer d.release()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return in.Run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	web.ready.Store(true)
	return group.Wait()
}

// limitMemory has Go keep to what ingest and the rest of the role may hold, unless the environment says otherwise.
func limitMemory(cfg Config, rest int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(cfg.Ingest.Memory) + rest)
	}
}
