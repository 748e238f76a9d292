package ingest

import (
	"context"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A Commit says what one commit of bronze was about, in numbers only.
type Commit struct {
	Partitions, Messages, Samples, Rows, Files int

	Bytes     int   // of the messages
	FileBytes int64 // of the files they became
	Rejects   map[schemas.RejectReason]int
	Held      time.Duration // how long its oldest message waited
	Took      time.Duration
}

// An attempt is one commit from sealing until its outcome is known.
type attempt struct {
	id            string
	partitions    []*partition
	failures      int
	retryAt       time.Time
	began, oldest time.Time
}

// flush begins a commit when one is due.
func (c *protocol) flush(ctx context.Context) error {
	if c.pending != nil {
		return nil
	}
	due := c.toWrite()
	if len(due) == 0 {
		return nil
	}
	now := c.cfg.Now()
	c.pending = &attempt{id: c.newID(), partitions: due, began: now, oldest: now}
	for _, p := range due {
		if p.buffer.oldest.Before(c.pending.oldest) {
			c.pending.oldest = p.buffer.oldest
		}
	}
	return c.advance(ctx)
}

// toWrite returns the partitions whose buffers are to be written now: all of them when a message has waited long enough
// or all must be written before something else, otherwise those that are full, or stand before a gap, or take most of
// the memory that runs out. What is nearly as large as the largest goes with it: one commit for both.
func (c *protocol) toWrite() []*partition {
	var held, due []*partition
	var largest int64
	now := c.cfg.Now()
	all, full := c.rewound != nil || c.ending != nil || c.stopping, c.memoryShort()
	for _, p := range c.partitions {
		if p.buffer.messages == 0 {
			continue
		}
		held = append(held, p)
		largest = max(largest, p.buffer.weight)
		all = all || now.Sub(p.buffer.oldest) >= c.cfg.FlushAge
		full = full || c.full(p.buffer)
	}
	if all {
		return held
	}
	for _, p := range held {
		if gapOf(p.lost) != nil || full && p.buffer.weight >= largest/2 {
			due = append(due, p)
		}
	}
	return due
}

// memoryShort reports whether buffers must be written for others to go on.
func (c *protocol) memoryShort() bool {
	var held int64
	for _, p := range c.partitions {
		held += p.buffer.weight
	}
	return c.budget.blockedBy(held)
}

func (c *protocol) full(b *buffer) bool {
	return b.samples >= c.cfg.FlushSamples || b.bytes >= c.cfg.FlushBytes
}

// advance takes the commit under way one attempt further.
func (c *protocol) advance(ctx context.Context) error {
	a := c.pending
	if a == nil || c.cfg.Now().Before(a.retryAt) {
		return nil
	}
	err := c.write(ctx, a)
	if err == nil {
		c.pending = nil
		return nil
	}
	if err := c.failed(ctx, "commit to bronze", err); err != nil {
		return err
	}
	a.failures++
	a.retryAt = c.after(min(a.failures, 5))
	return nil
}

// write makes what an attempt holds durable. The order is the promise: files first, then rows and watermarks in one
// commit, and only then are the buffers let go. nil means that nothing is left to be done: what could be committed is,
// and what could not is let go, to be read again from where bronze stands.
func (c *protocol) write(ctx context.Context, a *attempt) error {
	if err := c.seal(ctx, a); err != nil {
		return err
	}
	base, err := c.log.load(ctx)
	if err != nil {
		return err
	}
	if base.has(a.id) { // an earlier attempt did land, though its answer was lost
		c.committed(ctx, a, 0)
		return nil
	}
	files, properties, err := c.admit(ctx, a, base)
	if err != nil || len(a.partitions) == 0 {
		return err
	}
	size, err := c.log.commit(ctx, base, change{id: a.id, files: files, properties: properties})
	if err != nil {
		return err
	}
	c.committed(ctx, a, size)
	return nil
}

// seal writes the buffers of the attempt as files. A buffer that is sealed stays so until its commit is decided.
func (c *protocol) seal(ctx context.Context, a *attempt) error {
	if err := c.checkRoom(a); err != nil {
		return err
	}
	for _, p := range a.partitions {
		if p.sealed != nil {
			continue
		}
		p.enter(StateSealing, c.cfg.Now())
		files, err := c.log.seal(ctx, lakePartition(p.number, p.generation), c.topic.String(), p.buffer)
		if err != nil {
			return err
		}
		p.sealed = &sealed{buffer: p.buffer, files: files}
		p.buffer = newBuffer(p.sealed.end, c.log.pile)
		p.enter(StateCommitting, c.cfg.Now())
	}
	return nil
}

// checkRoom refuses to begin what may not fit: a disk that is filled to its last byte is hard to make room on.
func (c *protocol) checkRoom(a *attempt) error {
	if c.cfg.Room == nil {
		return nil
	}
	var wanted int64
	for _, p := range a.partitions {
		if p.sealed == nil {
			wanted += 2 * int64(p.buffer.bytes)
		}
	}
	free, reserve, ok := c.cfg.Room()
	if ok && free < wanted+reserve {
		return fmt.Errorf("%d bytes are free, and %d are wanted beside a reserve of %d: %w", free, wanted, reserve, syscall.ENOSPC)
	}
	return nil
}

// admit decides, by what bronze says now, which of the attempt's partitions may be committed, and returns their files and
// watermarks. The others leave the attempt.
func (c *protocol) admit(ctx context.Context, a *attempt, base *head) ([]string, map[string]string, error) {
	var files []string
	properties := map[string]string{propertySource: c.topic.String()}
	var admitted []*partition
	for _, p := range a.partitions {
		at, err := base.of(p.number)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case base.generation != p.generation || at.epoch != p.epoch:
			c.fence(ctx, p, at)
		case at.watermark != p.sealed.start:
			// Somebody who knows no epochs was here, or an attempt landed so long ago that its commit is forgotten: what
			// bronze has it has, and what follows is read again.
			c.drop(p)
			p.buffer = newBuffer(at.watermark, c.log.pile)
			c.seek(p, at.watermark)
		default:
			admitted = append(admitted, p)
			files = append(files, p.sealed.files...)
			properties[lake.IngestWatermark+partitionKey(p.number, p.generation)] = strconv.FormatInt(p.sealed.end, 10)
			properties[propertyMovedBy+partitionKey(p.number, p.generation)] = p.epoch.String()
		}
	}
	a.partitions = admitted
	return files, properties, nil
}

// committed lets go of what is in bronze now, and tells.
func (c *protocol) committed(ctx context.Context, a *attempt, fileBytes int64) {
	now := c.cfg.Now()
	done := Commit{Rejects: map[schemas.RejectReason]int{}, FileBytes: fileBytes, Held: a.began.Sub(a.oldest), Took: now.Sub(a.began)}
	next := make(map[int32]int64, len(a.partitions))
	for _, p := range a.partitions {
		done.add(p.sealed)
		next[p.number] = p.sealed.end
		c.budget.release(p.sealed.weight)
		p.sealed = nil
		p.watch.turns = 0
		if p.opened {
			p.enter(StateFilling, now)
		} else {
			p.enter(StateSeeking, now)
		}
	}
	c.written(ctx)
	c.cfg.Logger.InfoContext(ctx, "committed", schemas.LogKeyBatches, done.Messages, schemas.LogKeySamples, done.Samples,
		schemas.LogKeyRows, done.Rows, schemas.LogKeyFiles, done.Files, schemas.LogKeyTook, done.Took.Round(time.Millisecond))
	if c.cfg.Committed != nil {
		c.cfg.Committed(done)
	}
	c.reading.hint(next)
}

func (c *Commit) add(s *sealed) {
	c.Partitions++
	c.Messages += s.messages
	c.Samples += s.samples
	c.Bytes += s.bytes
	c.Rows += s.rows
	c.Files += len(s.files)
	for reason, n := range s.rejects {
		c.Rejects[reason] += n
	}
}
