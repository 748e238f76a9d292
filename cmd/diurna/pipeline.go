package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
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

// A pipeline is everything between Kafka and gold in one process: broker, ingest, merge, build. It holds the home's lock
// from start to close.
type pipeline struct {
	cfg      Config
	role     role
	log      *slog.Logger
	home     *home.Home
	lock     *home.Lock
	alone    io.Closer // the right to ingest the whole topic; nil when others share it
	disk     *disk
	db       *sql.DB
	lake     *lake.Lake
	broker   *broker.Broker // nil when the brokers are somebody else's
	topic    *kafka.Topic
	ingester *ingest.Ingester // nil when others ingest
	received nudge            // to merge
	project  *transform.Project
	builder  *transform.Builder
	settler  *settler
	metrics  *metrics
	built    func() // called after every build; nil = nobody asked
}

// A role says what of the pipeline a process is.
type role struct {
	ingests bool // from Kafka to bronze; otherwise other processes do that
	stays   bool // it waits out a full disk and brokers that are away; otherwise somebody waits for it
}

// startPipeline takes the home and opens everything that runs on it. The order matters: the lock first, and the
// addresses last, for whoever reads them may use them at once.
func startPipeline(ctx context.Context, cfg Config, log *slog.Logger, what role) (_ *pipeline, err error) {
	p := &pipeline{cfg: cfg, role: what, log: log, metrics: newMetrics(time.Now), received: make(nudge, 1)}
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
	p.disk = newDisk(cfg, p.home, log)
	if what.ingests && cfg.Ingest.Group == "" {
		if p.alone, err = p.home.LockIngest(); err != nil {
			return nil, err
		}
	}
	if p.db, p.lake, err = openLake(ctx, cfg, p.home, log); err != nil {
		return nil, err
	}
	if err := setUpTables(ctx, p.home, p.db, p.lake); err != nil {
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
	if p.topic == nil {
		return p, nil
	}
	return p, p.lock.WriteRun(home.Addresses{Brokers: p.brokers(), Topic: cfg.Kafka.Topic})
}

// setUpTables makes the tables of the ledger and the lake that are missing. Processes that start at once wait for each
// other.
func setUpTables(ctx context.Context, h *home.Home, db *sql.DB, l *lake.Lake) error {
	return h.SetUp(func() error {
		if err := ledger.Migrate(ctx, db); err != nil {
			return err
		}
		return l.CreateIngestTables(ctx)
	})
}

func openLake(ctx context.Context, cfg Config, h *home.Home, log *slog.Logger) (*sql.DB, *lake.Lake, error) {
	db, err := ledger.Open(ctx, h.LedgerPath())
	if err != nil {
		return nil, nil, err
	}
	where, err := lakeConfig(ctx, cfg, h, db, log)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	l, err := lake.Open(ctx, where)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, l, nil
}

func (p *pipeline) openTopic(ctx context.Context) (err error) {
	if len(p.cfg.Kafka.Brokers) == 0 {
		if !p.role.ingests {
			return nil
		}
		if p.broker, err = broker.Start(ctx, broker.Config{
			Dir: p.home.BrokerDir(), Addr: p.cfg.Broker.Address, Topic: p.cfg.Kafka.Topic,
			Partitions: p.cfg.Broker.Partitions, Now: time.Now, Logger: p.log,
		}); err != nil {
			return err
		}
	}
	if p.topic, err = openTopic(ctx, p.cfg, p.home, p.brokers()); err != nil || !p.role.ingests {
		return err
	}
	if !p.topic.BrokerTime() {
		p.log.WarnContext(ctx, "the topic keeps the time of producers, by which their clocks are judged: set its message.timestamp.type to LogAppendTime")
	}
	cfg := ingestConfig(p.cfg, p.role, p.disk, p.metrics, p.log)
	cfg.Lake, cfg.Topic, cfg.UserBuckets = p.lake, p.topic, p.home.UserBuckets()
	cfg.Committed = func(c ingest.Commit) {
		p.metrics.committed(c)
		p.received.give()
	}
	cfg.GapCrossed = func(messages int64) {
		p.metrics.gapCrossed(messages)
		p.received.give()
	}
	p.ingester = ingest.New(cfg)
	return nil
}

// openTopic connects to the topic of sync batches.
func openTopic(ctx context.Context, cfg Config, h *home.Home, brokers []string) (*kafka.Topic, error) {
	at := kafkaAt(cfg, brokers, cfg.Kafka.Topic)
	at.PrefetchBytes = int(cfg.Ingest.Memory / 4)
	at.SessionTimeout, at.MembersDir = cfg.Ingest.Session, h.MembersDir()
	return kafka.Open(ctx, at)
}

// problem returns why ingest cannot go on, nil when it can.
func (p *pipeline) problem() error {
	if p.ingester == nil {
		return nil
	}
	return p.ingester.Status().Problem()
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
	merged := make(nudge, 1)
	p.received.give() // what an earlier run left behind
	merged.give()
	if p.role.stays {
		p.disk.load()
	}

	group, ctx := errgroup.WithContext(ctx)
	if p.ingester != nil {
		group.Go(func() error { return p.ingester.Run(ctx) })
	}
	if p.ingester == nil || p.cfg.Ingest.Group != "" {
		group.Go(func() error { return p.watchBronze(ctx) })
	}
	merger := lake.NewMerger(p.lake)
	group.Go(func() error {
		return p.received.each(ctx, func() error {
			defer p.metrics.timed("merge")()
			return p.outlast(ctx, func() error {
				more, err := merger.Run(ctx)
				if more {
					merged.give()
				}
				return err
			})
		})
	})
	group.Go(func() error {
		return merged.each(ctx, func() error {
			return p.outlast(ctx, func() error { return p.build(ctx) })
		})
	})
	group.Go(func() error { return p.care(ctx) })
	return group.Wait()
}

// outlast does something again as long as the disk is full, when this process is one that stays.
func (p *pipeline) outlast(ctx context.Context, do func() error) error {
	if !p.role.stays {
		return do()
	}
	return p.disk.outlast(ctx, do)
}

// bronzeEvery is how often a process that merges looks for what others have received.
const bronzeEvery = time.Second

// watchBronze nudges the merge when other processes have committed to bronze.
func (p *pipeline) watchBronze(ctx context.Context) error {
	tick := time.NewTicker(bronzeEvery)
	defer tick.Stop()
	var last map[int32]int64
	for {
		bronze, err := p.lake.Load(ctx, schemas.TableSyncRecords)
		if err != nil {
			return endOf(ctx, err)
		}
		marks, err := bronze.Watermarks(lake.IngestWatermark)
		if err != nil {
			return err
		}
		if !maps.Equal(last, marks) {
			last = marks
			p.received.give()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// build builds what was merged and settles what follows from it. A model that breaks its audits would do so again after a
// restart, and ends no process that stays: what comes in is taken in, and medals, rankings and reports wait for a mended model.
func (p *pipeline) build(ctx context.Context) error {
	timed := p.metrics.timed("build")
	result, err := p.builder.Build(ctx)
	timed()
	p.metrics.wasBuilt(result, err)
	if isUnsound(err) && p.role.stays {
		p.log.ErrorContext(ctx, "tables are left as they were", schemas.LogKeyError, err)
		return nil
	}
	if err != nil {
		return err
	}
	if p.built != nil {
		p.built() // consents count as soon as they are known, though no gold table has them
	}
	defer p.metrics.timed("settle")()
	return p.settler.settle(ctx)
}

// isUnsound reports whether a build failed because models broke their audits, and not for want of room besides.
func isUnsound(err error) bool {
	_, isAudit := errors.AsType[*transform.AuditError](err)
	return isAudit && !isDiskFull(err)
}

// close gives everything back, the home last.
func (p *pipeline) close() error {
	var errs []error
	if p.topic != nil {
		p.topic.Close()
	}
	if p.disk != nil {
		p.disk.release()
	}
	if p.alone != nil {
		errs = append(errs, p.alone.Close())
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
func waitBuilt(ctx context.Context, l *lake.Lake, project *transform.Project, topic kafka.Identity, sent kafka.Positions) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := isBuilt(ctx, l, project, topic, sent)
		if err != nil {
			return fmt.Errorf("look how far the build is: %w", err)
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

func isBuilt(ctx context.Context, l *lake.Lake, project *transform.Project, topic kafka.Identity, sent kafka.Positions) (bool, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return false, err
	}
	wanted, begun, err := ingest.LakePositions(bronze, topic, sent)
	if err != nil || !begun {
		return len(sent) == 0, err
	}
	built, err := builtUpTo(ctx, l, project)
	if err != nil {
		return false, err
	}
	for partition, end := range wanted {
		if built[partition] < end {
			return false, nil
		}
	}
	return true, nil
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
