package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// propertySource is the property of bronze that names the cluster and topic its watermarks count in.
const propertySource = "ingest.source"

// Config says what an Ingester reads, where to, and how long it may hold what it read.
type Config struct {
	Lake        *lake.Lake
	Topic       *kafka.Topic
	UserBuckets int

	// A buffer is written when any partition's has this many samples or bytes of messages, or when the oldest message
	// in it has waited this long. Zero values take the defaults.
	FlushSamples int
	FlushBytes   int
	FlushAge     time.Duration

	// Committed is called after every commit; it must not block.
	Committed func(Commit)
	Now       func() time.Time
	Logger    *slog.Logger
}

// Defaults of Config.
const (
	DefaultFlushSamples = 8 << 20
	DefaultFlushBytes   = 32 << 20
	DefaultFlushAge     = 30 * time.Second
)

// lastFlush is how long the last writing may take when the process is asked to end.
const lastFlush = 20 * time.Second

// A Commit says what one commit of bronze was about, in numbers only.
type Commit struct {
	Messages, Samples, Rows, Files int
	Bytes                          int // of the messages
	Rejects                        map[schemas.RejectReason]int
	Held                           time.Duration // how long its oldest message waited
	Took                           time.Duration
}

// An Ingester moves sync batches from the partitions of a topic into bronze.
type Ingester struct {
	cfg     Config
	buffers map[int32]*buffer
	oldest  time.Time // when the oldest message in any buffer was read; zero when all are empty
}

// New returns an Ingester for every partition of the topic.
func New(cfg Config) *Ingester {
	if cfg.FlushSamples == 0 {
		cfg.FlushSamples = DefaultFlushSamples
	}
	if cfg.FlushBytes == 0 {
		cfg.FlushBytes = DefaultFlushBytes
	}
	if cfg.FlushAge == 0 {
		cfg.FlushAge = DefaultFlushAge
	}
	return &Ingester{cfg: cfg, buffers: map[int32]*buffer{}}
}

// Run ingests until ctx ends, writes what it then holds, and returns nil. It returns an error when it can no longer keep
// its promise: messages were deleted unread, the topic is another one, or somebody else commits the same partitions.
func (in *Ingester) Run(ctx context.Context) error {
	marks, err := in.watermarks(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // asked to end before it began
	}
	if err != nil {
		return err
	}
	readers, stop := context.WithCancel(ctx)
	arrivals := make(chan arrival)
	var wg sync.WaitGroup
	for _, p := range in.cfg.Topic.Partitions() {
		in.buffers[p] = &buffer{partition: p, start: marks[p], end: marks[p]}
		wg.Go(func() { in.read(readers, p, marks[p], arrivals) })
	}
	err = in.collect(ctx, arrivals)
	stop()
	wg.Wait()
	return err
}

// watermarks returns where each partition goes on, and refuses a topic that is not the one bronze counts in.
func (in *Ingester) watermarks(ctx context.Context) (map[int32]int64, error) {
	bronze, err := in.cfg.Lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	here := in.cfg.Topic.Identity().String()
	if source := bronze.Properties[propertySource]; source != "" && source != here {
		return nil, &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
			"this lake was filled from the Kafka topic %s, and this is %s: its offsets mean something else. "+
				"Point --brokers at the old cluster, or start with a new --home", source, here)}
	}
	return bronze.Watermarks(lake.IngestWatermark)
}

// An arrival is a message turned into rows, or the end of a partition's reading.
type arrival struct {
	partition int32
	offset    int64
	rows      []schemas.SyncRecord
	samples   int
	bytes     int
	err       error
}

// read turns the messages of a partition into arrivals until ctx ends.
func (in *Ingester) read(ctx context.Context, partition int32, from int64, arrivals chan<- arrival) {
	send := func(a arrival) {
		select {
		case arrivals <- a:
		case <-ctx.Done():
		}
	}
	source, err := in.cfg.Topic.Source(ctx, partition, from)
	if err != nil {
		send(arrival{partition: partition, err: err})
		return
	}
	for ctx.Err() == nil {
		m, err := source.Fetch(ctx)
		if err != nil {
			send(arrival{partition: partition, err: err})
			return
		}
		a := arrival{partition: partition, offset: m.Offset, bytes: len(m.Value)}
		a.rows, a.samples = records(m, in.cfg.UserBuckets)
		send(a)
	}
}

// collect gathers arrivals and writes them when there are enough of them or they have waited long enough. What is being
// written when ctx ends is written to its end.
func (in *Ingester) collect(ctx context.Context, arrivals <-chan arrival) error {
	whole := context.WithoutCancel(ctx)
	tick := time.NewTicker(max(in.cfg.FlushAge/8, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case a := <-arrivals:
			if a.err != nil && ctx.Err() == nil {
				return errors.Join(in.flush(whole), fmt.Errorf("read partition %d: %w", a.partition, a.err))
			}
			if a.err == nil && in.take(a) {
				if err := in.flush(whole); err != nil {
					return err
				}
			}
		case <-tick.C:
			if !in.oldest.IsZero() && in.cfg.Now().Sub(in.oldest) >= in.cfg.FlushAge {
				if err := in.flush(whole); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			// What is held is safe in Kafka; writing it now only saves the next start some work.
			last, cancel := context.WithTimeout(whole, lastFlush)
			defer cancel()
			return in.flush(last)
		}
	}
}

// take adds an arrival to its partition's buffer and reports whether the buffer is full.
func (in *Ingester) take(a arrival) bool {
	b := in.buffers[a.partition]
	b.rows = append(b.rows, a.rows...)
	b.samples += a.samples
	b.bytes += a.bytes
	b.messages++
	b.end = a.offset + 1
	if in.oldest.IsZero() {
		in.oldest = in.cfg.Now()
	}
	return b.samples >= in.cfg.FlushSamples || b.bytes >= in.cfg.FlushBytes
}

// flush makes all buffers durable. The order is the promise: files first, then rows and watermarks in one commit, and
// only then are the buffers let go.
func (in *Ingester) flush(ctx context.Context) error {
	if in.oldest.IsZero() {
		return nil
	}
	start := in.cfg.Now()
	var held []*buffer
	var paths []string
	for _, p := range in.cfg.Topic.Partitions() {
		if b := in.buffers[p]; b.messages > 0 {
			files, err := b.write(in.cfg.Lake, in.cfg.Topic.Identity().Topic)
			if err != nil {
				return err
			}
			held, paths = append(held, b), append(paths, files...)
		}
	}
	if err := in.commit(ctx, held, paths); err != nil {
		return err
	}
	done := describe(held)
	done.Files, done.Held, done.Took = len(paths), start.Sub(in.oldest), in.cfg.Now().Sub(start)
	for _, b := range held {
		b.clear()
	}
	in.oldest = time.Time{}
	in.cfg.Logger.InfoContext(ctx, "committed", schemas.LogKeyBatches, done.Messages, schemas.LogKeySamples, done.Samples,
		schemas.LogKeyRows, done.Rows, schemas.LogKeyFiles, done.Files, schemas.LogKeyTook, done.Took.Round(time.Millisecond))
	if in.cfg.Committed != nil {
		in.cfg.Committed(done)
	}
	return nil
}

// commit adds the files and moves the watermarks from where the buffers start to where they end. It goes on only from
// exactly there: a watermark that somebody else moved means that the buffers repeat what is already in bronze.
func (in *Ingester) commit(ctx context.Context, held []*buffer, paths []string) error {
	marks := map[int32]int64{}
	for _, b := range held {
		marks[b.partition] = b.end
	}
	properties := lake.WatermarkProperties(lake.IngestWatermark, marks)
	properties[propertySource] = in.cfg.Topic.Identity().String()
	id := rand.Text()
	for {
		bronze, err := in.cfg.Lake.Load(ctx, schemas.TableSyncRecords)
		if err != nil {
			return err
		}
		if bronze.Has(id) {
			return nil // an earlier attempt did land, though its answer was lost
		}
		current, err := bronze.Watermarks(lake.IngestWatermark)
		if err != nil {
			return err
		}
		for _, b := range held {
			if current[b.partition] != b.start {
				return &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
					"partition %d was committed up to offset %d by another process: only one may ingest it",
					b.partition, current[b.partition])}
			}
		}
		_, err = in.cfg.Lake.Commit(ctx, lake.Commit{Base: bronze, ID: id, Add: paths, Properties: properties})
		if !errors.Is(err, lake.ErrConflict) {
			return err
		}
	}
}

func describe(held []*buffer) Commit {
	c := Commit{Rejects: map[schemas.RejectReason]int{}}
	for _, b := range held {
		c.Messages += b.messages
		c.Samples += b.samples
		c.Bytes += b.bytes
		c.Rows += len(b.rows)
		for i := range b.rows {
			if reason := b.rows[i].Reason; reason != "" {
				c.Rejects[schemas.RejectReason(reason)]++
			}
		}
	}
	return c
}
