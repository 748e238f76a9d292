package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound what is taken. Zero values take the defaults.
type Limits struct {
	PackedBytes int64 // of a body as it is sent
	BodyBytes   int64 // of a body unpacked
	Batches     int   // in a body
	MemoryBytes int64 // of the bodies of all requests under way

	TokenRate   float64 // batches a second that one token may send for long
	TokenBurst  int     // and at once
	DeviceRate  float64 // batches a minute that one device may send for long
	DeviceBurst int     // and at once: a watch that was away for weeks has many
}

// DefaultLimits are generous to an honest app: a device syncs a few times an hour.
func DefaultLimits() Limits {
	return Limits{
		PackedBytes: 32 << 20, BodyBytes: 64 << 20, Batches: 1000, MemoryBytes: 512 << 20,
		TokenRate: 500, TokenBurst: 5000, DeviceRate: 60, DeviceBurst: 600,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, pair := range []struct{ value, fallback *int64 }{
		{&l.PackedBytes, &d.PackedBytes}, {&l.BodyBytes, &d.BodyBytes}, {&l.MemoryBytes, &d.MemoryBytes},
	} {
		if *pair.value == 0 {
			*pair.value = *pair.fallback
		}
	}
	for _, pair := range []struct{ value, fallback *int }{
		{&l.Batches, &d.Batches}, {&l.TokenBurst, &d.TokenBurst}, {&l.DeviceBurst, &d.DeviceBurst},
	} {
		if *pair.value == 0 {
			*pair.value = *pair.fallback
		}
	}
	if l.TokenRate == 0 {
		l.TokenRate = d.TokenRate
	}
	if l.DeviceRate == 0 {
		l.DeviceRate = d.DeviceRate
	}
	return l
}

// A memory is what the bodies of all requests may take together.
type memory struct {
	mu   sync.Mutex
	used int64
	max  int64
}

// leastCharge is what any request takes, empty as it may be.
const leastCharge = 64 << 10

// A charge is what one request has of the memory.
type charge struct {
	memory *memory
	held   int64
}

// admit returns the charge of a new request; ok is false when there is no room for one more.
func (m *memory) admit() (c *charge, ok bool) {
	c = &charge{memory: m}
	return c, c.grow(leastCharge)
}

// grow takes n more bytes and reports whether there was room.
func (c *charge) grow(n int64) bool {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	if c.memory.used+n > c.memory.max {
		return false
	}
	c.memory.used += n
	c.held += n
	return true
}

// release gives everything back.
func (c *charge) release() {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	c.memory.used -= c.held
	c.held = 0
}

// buckets are the rates of many senders, by key.
type buckets struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex
	byKey  map[string]*rate.Limiter
	sweeps int // at this many keys those that are full again are forgotten
}

const firstSweep = 4096

func newBuckets(limit rate.Limit, burst int) *buckets {
	return &buckets{limit: limit, burst: burst, byKey: map[string]*rate.Limiter{}, sweeps: firstSweep}
}

// take takes one from the key's bucket; when it is empty, wait is how long until there is one.
func (b *buckets) take(key string, now time.Time) (wait time.Duration, ok bool) {
	return b.try(key, now, 1)
}

// look is take without taking.
func (b *buckets) look(key string, now time.Time) (wait time.Duration, ok bool) {
	return b.try(key, now, 0)
}

func (b *buckets) try(key string, now time.Time, n int) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, found := b.byKey[key]
	if !found {
		b.forget(now)
		l = rate.NewLimiter(b.limit, b.burst)
		b.byKey[key] = l
	}
	tokens := l.TokensAt(now)
	if tokens < 1 {
		return time.Duration((1 - tokens) / float64(b.limit) * float64(time.Second)), false
	}
	return 0, l.AllowN(now, n)
}

// forget removes the full buckets now and then: a new one is full too, so nothing is lost with them.
func (b *buckets) forget(now time.Time) {
	if len(b.byKey) < b.sweeps {
		return
	}
	for key, l := range b.byKey {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.byKey, key)
		}
	}
	b.sweeps = max(firstSweep, 2*len(b.byKey))
}
