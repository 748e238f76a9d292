package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"
	_ "time/tzdata" // a machine without zone files must not move anybody's midnight

	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

const (
	sweepEvery = 5 * time.Minute
	sweepGrace = time.Hour // longer than any commit takes, and any report
)

// A pipeline is everything between Kafka and gold in one process: broker, ingest, merge, build. It holds the home's lock
// from start to close.
type pipeline struct {
	cfg     Config
	log     *slog.Logger
	home    *home.Home
	lock    *home.Lock
	db      *sql.DB
	lake    *lake.Lake
	broker  *broker.Broker // nil when the brokers are somebody else's
	topic   *kafka.Topic
	project *transform.Project
	builder *transform.Builder
	settler *settler
	metrics *metrics
	built   func() // called after every build; nil = nobody asked
}

// startPipeline takes the home and opens everything that runs on it. The order matters: the lock first, and the
// addresses last, for whoever reads them may use them at once.
func startPipeline(ctx context.Context, cfg Config, log *slog.Logger) (_ *pipeline, err error) {
	p := &pipeline{cfg: cfg, log: log, metrics: newMetrics(time.Now)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.home, err = home.Init(cfg.Home, cfg.Lake.UserBuckets); err != nil {
		return nil, err
	}
	if p.lock, err = p.home.Lock(); err != nil {
		return nil, err
	}
	if p.db, p.lake, err = openLake(ctx, p.home, log); err != nil {
		return nil, err
	}
	if err := ledger.Migrate(ctx, p.db); err != nil {
		return nil, err
	}
	if err := p.lake.CreateIngestTables(ctx); err != nil {
		return nil, err
	}
	if err := p.openTopic(ctx); err != nil {
		return nil, err
	}
	if p.project, err = loadProject(ctx); err != nil {
		return nil, err
	}
	p.builder = transform.NewBuilder(p.lake, p.project, duckDB(cfg, log))
	p.settler = &settler{p: p}
	return p, p.lock.WriteRun(home.Addresses{Brokers: p.brokers(), Topic: cfg.Kafka.Topic})
}

func openLake(ctx context.Context, h *home.Home, log *slog.Logger) (*sql.DB, *lake.Lake, error) {
	db, err := ledger.Open(ctx, h.LedgerPath())
	if err != nil {
		return nil, nil, err
	}
	l, err := lake.Open(ctx, lake.Config{
		Dir: h.LakeDir(), Catalog: db, UserBuckets: h.UserBuckets(), Now: time.Now, Logger: log,
	})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, l, nil
}

func (p *pipeline) openTopic(ctx context.Context) (err error) {
	if len(p.cfg.Kafka.Brokers) == 0 {
		if p.broker, err = broker.Start(ctx, broker.Config{
			Dir: p.home.BrokerDir(), Addr: p.cfg.Broker.Address, Topic: p.cfg.Kafka.Topic,
			Partitions: p.cfg.Broker.Partitions, Now: time.Now, Logger: p.log,
		}); err != nil {
			return err
		}
	}
	p.topic, err = kafka.Open(ctx, kafka.Config{Brokers: p.brokers(), Topic: p.cfg.Kafka.Topic})
	return err
}

func (p *pipeline) brokers() []string {
	if p.broker != nil {
		return []string{p.broker.Addr()}
	}
	return p.cfg.Kafka.Brokers
}

// run ingests, merges and builds until ctx ends or one of them cannot go on. Each hands on to the next by a nudge: what
// there is to do stands in the lake, so a nudge that is lost or comes twice does no harm.
func (p *pipeline) run(ctx context.Context) error {
	received, merged := make(nudge, 1), make(nudge, 1)
	received.give() // what an earlier run left behind
	merged.give()

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return ingest.New(ingest.Config{
			Lake: p.lake, Topic: p.topic, UserBuckets: p.home.UserBuckets(),
			FlushSamples: p.cfg.Ingest.FlushSamples, FlushBytes: int(p.cfg.Ingest.FlushBytes), FlushAge: p.cfg.Ingest.FlushAge,
			Committed: func(c ingest.Commit) {
				p.metrics.committed(c)
				received.give()
			},
			Now: time.Now, Logger: p.log,
		}).Run(ctx)
	})
	merger := lake.NewMerger(p.lake)
	group.Go(func() error {
		return received.each(ctx, func() error {
			defer p.metrics.timed("merge")()
			more, err := merger.Run(ctx)
			if more {
				merged.give()
			}
			return err
		})
	})
	group.Go(func() error {
		return merged.each(ctx, func() error {
			return p.build(ctx)
		})
	})
	group.Go(func() error { return p.sweep(ctx) })
	return group.Wait()
}

// build builds what was merged and settles what follows from it.
func (p *pipeline) build(ctx context.Context) error {
	built := p.metrics.timed("build")
	_, err := p.builder.Build(ctx)
	built()
	if err != nil {
		return err
	}
	if p.built != nil {
		p.built() // consents count as soon as they are known, though no gold table has them
	}
	defer p.metrics.timed("settle")()
	return p.settler.settle(ctx)
}

// sweep removes, now and then, the files that no snapshot needs any more.
func (p *pipeline) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		tables, err := p.lake.Tables(ctx)
		if err != nil {
			return endOf(ctx, err)
		}
		for _, table := range tables {
			n, err := p.lake.Sweep(ctx, table, sweepGrace)
			if err != nil {
				return endOf(ctx, err)
			}
			p.log.DebugContext(ctx, "swept", schemas.LogKeyTable, table, schemas.LogKeyFiles, n)
		}
	}
}

// close gives everything back, the home last.
func (p *pipeline) close() error {
	var errs []error
	if p.topic != nil {
		p.topic.Close()
	}
	if p.broker != nil {
		errs = append(errs, p.broker.Close())
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	return errors.Join(errs...)
}

// waitBuilt returns when everything below the positions is in the lake and every model is built from it.
func waitBuilt(ctx context.Context, l *lake.Lake, project *transform.Project, sent kafka.Positions) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		built, err := builtUpTo(ctx, l, project)
		if err != nil {
			return fmt.Errorf("look how far the build is: %w", err)
		}
		done := true
		for partition, end := range sent {
			done = done && built[partition] >= end
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// builtUpTo returns, by partition, the offset below which every model is built.
func builtUpTo(ctx context.Context, l *lake.Lake, project *transform.Project) (map[int32]int64, error) {
	var least map[int32]int64
	for _, m := range project.Models() {
		if m.Build != transform.BuildTable {
			continue
		}
		s, err := l.Load(ctx, "gold."+m.Name)
		if errors.Is(err, lake.ErrNoTable) {
			return nil, nil // not built yet, so nothing is
		}
		if err != nil {
			return nil, err
		}
		marks, err := s.Watermarks(lake.BuildWatermark)
		if err != nil {
			return nil, err
		}
		if least == nil {
			least = marks
		}
		for p := range least {
			least[p] = min(least[p], marks[p])
		}
	}
	return least, nil
}

// A nudge tells another goroutine that there may be something to do. Nudges given while one waits become one.
type nudge chan struct{}

func (n nudge) give() {
	select {
	case n <- struct{}{}:
	default:
	}
}

// each calls do once for every nudge until ctx ends or do fails.
func (n nudge) each(ctx context.Context, do func() error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n:
			if err := do(); err != nil {
				return endOf(ctx, err)
			}
		}
	}
}

// endOf returns err, or nil when it is but the echo of ctx's end.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that is what the function is for
	}
	return err
}
