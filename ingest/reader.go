package ingest

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// expansion is how much more memory than bytes on the wire a message may take while it is decoded, at the worst that
// real batches come to. What it takes is known afterwards, and corrected.
const expansion = 8

// readers read the partitions of a topic, each in its own goroutine, and turn messages into rows.
type readers struct {
	topic       *kafka.Topic
	userBuckets int
	budget      *budget
	arrivals    chan<- arrival
	gate        gate
	hints       *hinter

	ctx     context.Context //nolint:containedctx // of the goroutines that start begins
	mu      sync.Mutex
	running map[int32]context.CancelFunc
	wg      sync.WaitGroup
}

// start implements reading.
func (r *readers) start(partition int32, generation, term int, from int64) {
	ctx, cancel := context.WithCancel(r.ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[partition] = cancel
	r.wg.Go(func() { r.read(ctx, partition, generation, term, from) })
}

// stop implements reading.
func (r *readers) stop(partition int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel, ok := r.running[partition]; ok {
		cancel()
		delete(r.running, partition)
	}
}

// wait returns when every reader has ended; their context must have.
func (r *readers) wait() { r.wg.Wait() }

// hold implements reading.
func (r *readers) hold(on bool) { r.gate.set(on) }

// latest implements reading.
func (r *readers) latest(ctx context.Context, partition int32, from int64) (int64, error) {
	source, err := r.topic.Source(ctx, partition, from)
	if err != nil {
		return 0, err
	}
	return source.Latest(ctx)
}

// hint implements reading.
func (r *readers) hint(next map[int32]int64) { r.hints.give(next) }

// read hands over the messages of a partition until ctx ends or they can no longer be had.
func (r *readers) read(ctx context.Context, partition int32, generation, term int, from int64) {
	send := func(a arrival) bool {
		a.partition, a.term = partition, term
		select {
		case r.arrivals <- a:
			return true
		case <-ctx.Done():
			r.budget.release(a.weight)
			return false
		}
	}
	source, err := r.topic.Source(ctx, partition, from)
	if err == nil && send(arrival{opened: true}) {
		for err == nil && r.gate.wait(ctx) {
			var a arrival
			if a, err = r.next(ctx, source, generation); err == nil && !send(a) {
				return
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		send(arrival{err: err})
	}
}

// next fetches a message and turns it into rows, once there is memory for them.
func (r *readers) next(ctx context.Context, source kafka.Source, generation int) (arrival, error) {
	m, err := source.Fetch(ctx)
	if err != nil {
		return arrival{}, err
	}
	if err := failpoint.Hit("fetch.after"); err != nil {
		return arrival{}, err
	}
	expected := int64(len(m.Value)) * expansion
	if err := r.budget.acquire(ctx, expected); err != nil {
		return arrival{}, err
	}
	m.Partition = lakePartition(m.Partition, generation)
	a := arrival{offset: m.Offset, next: source.Next(), bytes: len(m.Value), intake: intakes.Get().(*intake)}
	a.rows, a.samples = a.intake.rows(m, r.userBuckets)
	a.rejected = rejected(a.rows)
	a.weight = weigh(a.rows)
	r.budget.correct(a.weight - expected)
	return a, nil
}

// rejected reports whether a message was set aside whole.
func rejected(rows []schemas.SyncRecord) bool {
	if rows[0].Kind == schemas.KindDeadLetter {
		return true
	}
	last := rows[len(rows)-1]
	return last.Kind == schemas.KindReject && last.Name == string(schemas.KindBatch)
}

// A gate keeps goroutines waiting while it is closed.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // nil = open; closed when it opens
}

func (g *gate) set(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case closed && g.open == nil:
		g.open = make(chan struct{})
	case !closed && g.open != nil:
		close(g.open)
		g.open = nil
	}
}

// wait returns once the gate is open; false when ctx ended before.
func (g *gate) wait(ctx context.Context) bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open == nil {
		return ctx.Err() == nil
	}
	select {
	case <-open:
		return true
	case <-ctx.Done():
		return false
	}
}

// hintTimeout is how long Kafka may take to hear how far bronze is.
const hintTimeout = 5 * time.Second

// A hinter tells Kafka how far bronze has come, so that lag tools show it. It is a hint and nothing else: ingest never
// reads it, and it may be late, lost, moved or deleted.
type hinter struct {
	topic *kafka.Topic
	group string
	log   *slog.Logger

	mu   sync.Mutex
	next map[int32]int64
	wake chan struct{}
}

func newHinter(topic *kafka.Topic, group string, log *slog.Logger) *hinter {
	return &hinter{topic: topic, group: group, log: log, next: map[int32]int64{}, wake: make(chan struct{}, 1)}
}

func (h *hinter) give(next map[int32]int64) {
	h.mu.Lock()
	maps.Copy(h.next, next)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run tells until ctx ends.
func (h *hinter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
			h.tell(ctx)
		}
	}
}

// tell gives the hints that are not given yet.
func (h *hinter) tell(ctx context.Context) {
	h.mu.Lock()
	next := h.next
	h.next = map[int32]int64{}
	h.mu.Unlock()
	if len(next) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hintTimeout)
	defer cancel()
	err := failpoint.Hit("hint.before")
	if err == nil {
		err = h.topic.Hint(ctx, h.group, next)
	}
	if err == nil {
		err = failpoint.Hit("hint.after")
	}
	if err != nil && ctx.Err() == nil {
		h.log.DebugContext(ctx, "hint not given", schemas.LogKeyError, err)
	}
}
