package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
)

const (
	// maxStandings bounds how many boards are kept in memory.
	maxStandings = 16
	// daySlot is how often a day can end somewhere: every UTC offset in use is a multiple of it.
	daySlot = 15 * time.Minute
)

// A standingsKey tells standings that may differ apart.
type standingsKey struct {
	board    string
	period   schemas.Period
	revision int    // of a frozen board; what follows does not matter to it
	snapshot string // of the tables
	slot     int64  // since 1970
}

// A standingsCache keeps the newest standings of each board and period.
type standingsCache struct {
	cfg   Config
	group singleflight.Group

	mu   sync.Mutex
	kept []cached // least recently used first
}

type cached struct {
	key       standingsKey
	standings *ranking.Standings
}

func (c *standingsCache) load(ctx context.Context, board string, p schemas.Period) (*ranking.Standings, error) {
	now := c.cfg.Now()
	key := standingsKey{board: board, period: p}
	var err error
	if key.revision, err = ranking.Revision(ctx, c.cfg.Ledger, board, p); err != nil {
		return nil, err
	}
	if key.revision == 0 {
		if key.snapshot, err = c.cfg.Tables.Snapshot(ctx); err != nil {
			return nil, fmt.Errorf("name snapshot: %w", err)
		}
		key.slot = now.Unix() / int64(daySlot.Seconds())
	}
	if s := c.find(key); s != nil {
		return s, nil
	}
	// Whoever else asks meanwhile waits for the same answer, so one who goes away must not end it for the others.
	made, err, _ := c.group.Do(fmt.Sprintf("%+v", key), func() (any, error) {
		return c.make(context.WithoutCancel(ctx), key, now)
	})
	if err != nil {
		return nil, err
	}
	return made.(*ranking.Standings), nil //nolint:forcetypeassert // make returns nothing else
}

func (c *standingsCache) make(ctx context.Context, key standingsKey, now time.Time) (s *ranking.Standings, err error) {
	db, release, err := c.cfg.Tables.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open tables: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if s, err = ranking.Load(ctx, db, c.cfg.Ledger, key.board, key.period, now); err != nil {
		return nil, err
	}
	c.keep(key, s)
	return s, nil
}

func (c *standingsCache) find(key standingsKey) *ranking.Standings {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.kept {
		if k.key == key {
			c.kept = append(append(c.kept[:i:i], c.kept[i+1:]...), k)
			return k.standings
		}
	}
	return nil
}

func (c *standingsCache) keep(key standingsKey, s *ranking.Standings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var kept []cached
	for _, k := range c.kept {
		if k.key.board != key.board || k.key.period != key.period { // an older state is of no more use
			kept = append(kept, k)
		}
	}
	kept = append(kept, cached{key, s})
	c.kept = kept[max(0, len(kept)-maxStandings):]
}
