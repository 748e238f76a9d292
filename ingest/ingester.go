package ingest

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// A GapPolicy says what to do when messages were deleted before they were read.
type GapPolicy string

// The policies.
const (
	GapHalt   GapPolicy = "halt"   // the partition stands still until the operator decides
	GapRecord GapPolicy = "record" // it goes on behind the gap, which is recorded
)

// A StormPolicy says what to do when many messages cannot be read at all.
type StormPolicy string

// The policies.
const (
	StormPause StormPolicy = "pause"
	StormGoOn  StormPolicy = "go-on"
)

// A FencedPolicy says what to do when another process claims a partition.
type FencedPolicy string

// The policies.
const (
	FencedWait FencedPolicy = "wait" // stand by, and take over when the other stands still
	FencedStop FencedPolicy = "stop"
)

// Config says what an Ingester reads, where to, and how long it may hold what it read. Zero values take the defaults.
type Config struct {
	Lake        *lake.Lake
	Topic       *kafka.Topic
	UserBuckets int

	// Group is the consumer group whose members share the partitions; "" = this process works all of them.
	Group string

	// A buffer is written when any partition's has this many samples or bytes of messages, or when the oldest message
	// in it has waited this long.
	FlushSamples int
	FlushBytes   int
	FlushAge     time.Duration
	// MemoryBytes bounds what is held in all partitions together. When it runs out, the largest buffers are written.
	MemoryBytes int64

	OnGap    GapPolicy
	OnStorm  StormPolicy
	OnFenced FencedPolicy
	// NewSource accepts that the topic is another one than the lake was filled from: it is read from its beginning, and
	// what the lake has is kept.
	NewSource bool
	// Takeover is how long another owner of a partition may stand still, with messages to read, before it is taken over.
	Takeover time.Duration

	// Patient is for a process that stays: it waits for room on a full disk and for brokers that do not answer, and a
	// partition that halts does not stop the others. Otherwise Run returns an error at once, for somebody waits for it.
	Patient bool
	// Room returns how many bytes are free where the lake is and how many of them are to stay free; ok is false when
	// nobody knows. It may be nil.
	Room func() (free, reserve int64, ok bool)

	// What happens is told to these, which may be nil and must not block.
	Committed  func(Commit)
	GapCrossed func(messages int64)
	Fenced     func(partition int32)
	DiskFull   func(full bool)

	Now    func() time.Time
	Logger *slog.Logger
}

// Defaults of Config.
const (
	DefaultFlushSamples = 8 << 20
	DefaultFlushBytes   = 32 << 20
	DefaultFlushAge     = 30 * time.Second
	DefaultMemoryBytes  = 256 << 20
)

// How long the last writing may take: when the process is asked to end, and when its partitions are given to another.
const (
	lastFlush   = 20 * time.Second
	revokeFlush = 1500 * time.Millisecond
)

// hintGroup is the consumer group under which Kafka is told how far bronze is, when there is none to share partitions.
const hintGroup = "diurna-ingest"

func (cfg Config) withDefaults() Config {
	if cfg.FlushSamples == 0 {
		cfg.FlushSamples = DefaultFlushSamples
	}
	if cfg.FlushBytes == 0 {
		cfg.FlushBytes = DefaultFlushBytes
	}
	if cfg.FlushAge == 0 {
		cfg.FlushAge = DefaultFlushAge
	}
	if cfg.MemoryBytes == 0 {
		cfg.MemoryBytes = DefaultMemoryBytes
	}
	if cfg.Takeover == 0 {
		cfg.Takeover = 2*cfg.FlushAge + 2*time.Second // longer than a healthy owner takes to commit
	}
	return cfg
}

func (cfg Config) tellDisk(full bool) {
	if cfg.DiskFull != nil {
		cfg.DiskFull(full)
	}
}

// An Ingester moves sync batches from the partitions of a topic into bronze.
type Ingester struct {
	cfg    Config
	status atomic.Pointer[Status]
}

// New returns an Ingester. It works nothing before Run.
func New(cfg Config) *Ingester {
	in := &Ingester{cfg: cfg.withDefaults()}
	in.status.Store(&Status{})
	return in
}

// Status returns what the Ingester was doing a moment ago. It may be called from any goroutine.
func (in *Ingester) Status() Status { return *in.status.Load() }

// Run ingests until ctx ends, writes what it then holds, and returns nil. It returns an error when it can no longer keep
// its promise: the topic is another one, messages were deleted unread, or nothing can be written or read any more. What
// it had not written then is in Kafka still.
func (in *Ingester) Run(ctx context.Context) error {
	var err error
	if in.cfg.Group == "" {
		err = in.work(ctx, in.cfg.Topic.Partitions(), lastFlush)
	} else {
		err = in.cfg.Topic.Join(ctx, in.cfg.Group, func(ctx context.Context, partitions []int32) error {
			return in.work(ctx, partitions, revokeFlush)
		})
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// work works the partitions until ctx ends, and may then take so long to write what it holds.
func (in *Ingester) work(ctx context.Context, partitions []int32, grace time.Duration) error {
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx)) // what is being written when ctx ends is written to its end
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()

	arrivals, pressed := make(chan arrival), make(chan struct{}, 1)
	memory := &budget{limit: in.cfg.MemoryBytes, pressed: func() {
		select {
		case pressed <- struct{}{}:
		default:
		}
	}}
	reading, stop := context.WithCancel(ctx)
	r := &readers{
		topic: in.cfg.Topic, userBuckets: in.cfg.UserBuckets, budget: memory, arrivals: arrivals,
		hints: newHinter(in.cfg.Topic, in.hintGroup(), in.cfg.Logger), ctx: reading, running: map[int32]context.CancelFunc{},
	}
	var hints sync.WaitGroup
	hints.Go(func() { r.hints.run(reading) })
	c := &protocol{
		cfg: in.cfg, topic: in.cfg.Topic.Identity(), log: bronze{in.cfg.Lake, in.cfg.Topic.Identity().Topic}, reading: r, budget: memory,
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), newID: cryptorand.Text, //nolint:gosec // jitter is no secret
	}
	c.assign(partitions)
	err := in.collect(ctx, whole, c, arrivals, pressed)
	stop()
	r.wait()
	hints.Wait()
	r.hints.tell(whole)
	in.status.Store(&Status{})
	return err
}

func (in *Ingester) hintGroup() string {
	if in.cfg.Group != "" {
		return in.cfg.Group
	}
	return hintGroup
}

// collect runs the protocol: it hands it arrivals, and has it look now and then whether something is due.
func (in *Ingester) collect(ctx, whole context.Context, c *protocol, arrivals <-chan arrival, pressed <-chan struct{}) error {
	tick := time.NewTicker(min(max(in.cfg.FlushAge/8, 10*time.Millisecond), 250*time.Millisecond))
	defer tick.Stop()
	for due := true; ; {
		if due {
			if err := c.step(whole); err != nil {
				return err
			}
			in.publish(c)
		}
		select {
		case a := <-arrivals:
			due = c.take(a)
			a.intake.giveBack()
		case <-pressed:
			if err := failpoint.Hit("budget.exhausted"); err != nil {
				return err
			}
			due = true
		case <-tick.C:
			due = true
		case <-ctx.Done():
			return in.last(whole, c)
		}
	}
}

// last writes what is held when the work ends. It is safe in Kafka; writing it now only saves the next start some work.
func (in *Ingester) last(ctx context.Context, c *protocol) error {
	c.stopping = true
	c.silence()
	if err := failpoint.Hit("shutdown.seal"); err != nil {
		return err
	}
	for c.holds() && c.diskFull == nil {
		if err := c.step(ctx); err != nil {
			if ctx.Err() != nil {
				in.cfg.Logger.WarnContext(ctx, "ended before everything was written: the next start reads it again", schemas.LogKeyError, err)
				return nil //nolint:nilerr // it is logged, and no harm is done
			}
			return err
		}
		if c.holds() {
			pause(ctx, 10*time.Millisecond)
		}
	}
	return nil
}

func (in *Ingester) publish(c *protocol) {
	s := c.status()
	in.status.Store(&s)
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
