package ingest

import (
	"context"
	"sync"
)

// A budget bounds the memory of messages and rows, whatever the backlog. A message acquires its weight before it is
// decoded and gives it back once it is committed or dropped. Whoever has to wait is served in turn.
//
// Weights are corrected once they are known, and a correction never waits: the limit may be passed by what is just
// being decoded, one message a partition, and no further.
type budget struct {
	limit   int64
	pressed func() // called when somebody has to wait; must not block

	mu      sync.Mutex
	used    int64
	waiting []*waiter
}

type waiter struct {
	bytes int64
	ready chan struct{}
}

// acquire waits until there is room for so many bytes. More than the whole budget is as much as the whole budget: it
// waits until nothing else is held.
func (b *budget) acquire(ctx context.Context, bytes int64) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.fits(bytes) {
		b.used += bytes
		b.mu.Unlock()
		return nil
	}
	w := &waiter{bytes: bytes, ready: make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	b.pressed()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		b.leave(w)
		return ctx.Err()
	}
}

// fits reports whether so many bytes may be taken now. b.mu is held.
func (b *budget) fits(bytes int64) bool {
	return b.used+bytes <= b.limit || b.used <= 0
}

// leave takes a waiter out of the queue; when it was served meanwhile, it gives back what it got.
func (b *budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.waiting {
		if other == w {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			b.serve()
			return
		}
	}
	b.used -= w.bytes
	b.serve()
}

// correct changes what is held by a difference, up or down, without waiting.
func (b *budget) correct(bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += bytes
	b.serve()
}

func (b *budget) release(bytes int64) { b.correct(-bytes) }

// serve hands room to whoever waits, in turn. b.mu is held.
func (b *budget) serve() {
	for len(b.waiting) > 0 && b.fits(b.waiting[0].bytes) {
		w := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.used += w.bytes
		close(w.ready)
	}
}

// blockedBy reports whether what buffers hold is in the way: it is most of the budget, or whoever is next would not get
// room without it being written. What is on its way into a buffer passes by itself.
func (b *budget) blockedBy(held int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return held > b.limit/2 || held > 0 && len(b.waiting) > 0 && held+b.waiting[0].bytes > b.limit
}

func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
