package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// A tableLog is bronze as the protocol sees it.
type tableLog interface {
	// load returns what bronze says at this moment.
	load(ctx context.Context) (*head, error)
	// commit makes a change true if nothing has changed since the head, and returns the size of its files.
	// lake.ErrConflict means that nothing happened; after any other error the outcome is unknown: the next head tells.
	commit(ctx context.Context, base *head, c change) (fileBytes int64, err error)
	// pile returns no rows: where those of a file that seal will write are collected.
	pile() pile
	// seal writes a buffer as files and returns their paths. Nobody sees them before a commit. Sealing the same buffer
	// again is harmless.
	seal(ctx context.Context, lakePartition int32, source string, b *buffer) ([]string, error)
	// recordGap records a gap once: when one with the same partition, beginning and outcome is recorded already, it
	// returns that one.
	recordGap(ctx context.Context, gap schemas.IngestGap) (schemas.IngestGap, error)
}

// A head is bronze at one moment.
type head struct {
	marks
	has  func(commitID string) bool // whether the commit is among the last ones
	base *lake.Snapshot
}

// A change is what one commit of bronze changes.
type change struct {
	id         string
	files      []string
	properties map[string]string
}

// A reading is where messages come from. Its readers hand over what they find, and what went wrong, as arrivals.
type reading interface {
	// start begins a reader at an offset; every arrival of it carries the term, every row the lake's partition.
	start(partition int32, generation, term int, from int64)
	// stop ends the partition's reader, if it has one; what it still hands over is of an old term.
	stop(partition int32)
	// hold keeps all readers from fetching, or lets them go on.
	hold(on bool)
	// latest returns the offset after the last message of a partition.
	latest(ctx context.Context, partition int32, from int64) (int64, error)
	// hint tells Kafka how far bronze has come; it does not wait and cannot fail.
	hint(next map[int32]int64)
}

// An arrival is what a reader hands over: that it has begun, a message turned into rows, or why it ended.
type arrival struct {
	partition int32
	term      int
	opened    bool

	offset   int64
	next     int64                // everything below it was handed over, or held no message
	rows     []schemas.SyncRecord // good until intake is given back
	intake   *intake
	samples  int
	bytes    int
	weight   int64 // of the budget; whoever holds the arrival gives it back
	rejected bool  // the message was set aside whole

	err error
}

// How often and how fast things are tried again.
const (
	maxTries     = 10 // of anything that fails in a row, before the process gives up
	firstPause   = 50 * time.Millisecond
	longestPause = 10 * time.Second
	spacePause   = time.Second // between two looks at a full disk
	longAgo      = time.Minute // failures before it are another story
)

// A protocol works the partitions of a topic. It does no waiting of its own and starts nothing: take is called with
// every arrival and step whenever something may be due, both by one goroutine, so that a test can run it with a seed
// and any number of faults. An error it returns ends the work; everything else it settles.
type protocol struct {
	cfg     Config
	topic   identity
	log     tableLog
	reading reading
	budget  *budget
	random  *rand.Rand // for jitter
	newID   func() string

	partitions    []*partition // in order of number
	generation    int          // of the source, as the last claim found it
	newGeneration bool         // the next claim begins a new one
	pending       *attempt     // the commit under way; there is one at a time
	tries         int          // of writing anything, failed in a row
	diskFull      error        // nil = there is room
	storm         storm
	stormed       error // nil = the weather is fine
	rewound       error // the topic is another one: once nothing is held any more, all work ends
	ending        error // the same, for good
	stopping      bool  // the process is to end
}

// identity tells sources apart; kafka.Identity does.
type identity interface {
	String() string
	Matches(stored string) bool
}

// assign gives partitions to the protocol, once.
func (c *protocol) assign(numbers []int32) {
	now := c.cfg.Now()
	for _, n := range slices.Sorted(slices.Values(numbers)) {
		p := &partition{number: n, state: StateUnassigned, since: now, buffer: newBuffer(0, c.log.pile)}
		p.enter(StateClaiming, now)
		c.partitions = append(c.partitions, p)
	}
}

// step does what is due. The order matters: a commit under way goes first, for nothing else may touch its partitions;
// what a reader lost is heeded before its buffer is written, for it may say that all must be.
func (c *protocol) step(ctx context.Context) error {
	for _, do := range []func(context.Context) error{c.advance, c.claim, c.heed, c.flush, c.crossGaps, c.end, c.watchFenced} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// claim raises the epochs of the partitions that are to be claimed, all in one commit. From then on no commit of an
// older owner counts, whatever it still holds, and reading begins at the watermark that this commit was based on.
func (c *protocol) claim(ctx context.Context) error {
	due := c.due(StateClaiming)
	if len(due) == 0 || c.pending != nil || c.stopping {
		return nil
	}
	starts, err := c.raise(ctx, due)
	if err != nil {
		return c.claimAgain(ctx, due, err)
	}
	c.newGeneration = false
	c.written(ctx)
	for i, p := range due {
		c.seek(p, starts[i])
	}
	return nil
}

// raise commits new epochs for the partitions and returns the watermarks that the commit was based on.
func (c *protocol) raise(ctx context.Context, due []*partition) (starts []int64, err error) {
	base, err := c.log.load(ctx)
	if err != nil {
		return nil, err
	}
	properties, generation, err := c.source(base.marks)
	if err != nil {
		return nil, err
	}
	target := base.marks
	target.generation = generation
	landed := true // an earlier attempt whose answer was lost
	starts = make([]int64, len(due))
	for i, p := range due {
		at, err := target.of(p.number)
		if err != nil {
			return nil, err
		}
		starts[i] = at.watermark
		if p.epoch != at.epoch || at.epoch.number == 0 {
			landed = false
			p.epoch = epoch{number: at.epoch.number + 1, owner: c.newID()}
		}
		properties[propertyEpoch+partitionKey(p.number, generation)] = p.epoch.String()
	}
	if !landed {
		if err := failpoint.Hit("claim.before"); err != nil {
			return nil, err
		}
		if _, err := c.log.commit(ctx, base, change{id: c.newID(), properties: properties}); err != nil {
			return nil, err
		}
		if err := failpoint.Hit("claim.after"); err != nil {
			return nil, err
		}
	}
	for _, p := range due {
		p.generation = generation
	}
	c.generation = generation
	return starts, nil
}

// source returns what a claim says about the source, and which generation that makes it.
func (c *protocol) source(m marks) (map[string]string, int, error) {
	properties := map[string]string{propertySource: c.topic.String()}
	known := m.source == "" || c.topic.Matches(m.source)
	switch {
	case known && (!c.newGeneration || m.generation > c.generation): // or another process has begun it
		return properties, m.generation, nil
	case !known && !c.cfg.NewSource:
		return nil, 0, otherSource(m.source, c.topic.String())
	}
	properties[propertyPastSource+strconv.Itoa(m.generation)] = m.source
	properties[propertyGeneration] = strconv.Itoa(m.generation + 1)
	return properties, m.generation + 1, nil
}

// claimAgain settles a claim that failed: most are tried again in a while.
func (c *protocol) claimAgain(ctx context.Context, due []*partition, err error) error {
	if errors.Is(err, errOtherSource) {
		return c.haltAll(ctx, ReasonSource, err)
	}
	if err := c.failed(ctx, "claim partitions", err); err != nil {
		return err
	}
	for _, p := range due {
		p.retryAt = c.after(c.tries)
	}
	return nil
}

// seek begins to read a partition at an offset, which is where what is held of it ends.
func (c *protocol) seek(p *partition, from int64) {
	c.unread(p)
	if !p.holds() {
		p.buffer = newBuffer(from, c.log.pile)
	}
	p.enter(StateSeeking, c.cfg.Now())
	c.reading.start(p.number, p.generation, p.term, from)
}

// unread ends the reader of a partition. What it still hands over is not heard any more.
func (c *protocol) unread(p *partition) {
	c.reading.stop(p.number)
	p.term++
	p.opened, p.lost = false, nil
}

// drop lets go of everything that is held of a partition; it is in Kafka still.
func (c *protocol) drop(p *partition) {
	c.unread(p)
	if p.sealed != nil {
		c.budget.release(p.sealed.weight)
		p.sealed = nil
	}
	c.budget.release(p.buffer.weight)
	p.buffer = newBuffer(p.buffer.end, c.log.pile)
}

// take takes an arrival in. It reports whether something may be due because of it.
func (c *protocol) take(a arrival) bool {
	p := c.partition(a.partition)
	switch {
	case p == nil || a.term != p.term:
		c.budget.release(a.weight)
		return false
	case a.err != nil:
		c.unread(p)
		p.lost = a.err
		return true
	case a.opened:
		p.opened, p.openedAt = true, c.cfg.Now()
		if p.state == StateSeeking {
			p.enter(StateFilling, c.cfg.Now())
		}
		return false
	case a.offset < p.buffer.end:
		c.budget.release(a.weight) // delivered twice
		return false
	}
	p.failures = 0
	before := p.buffer.weight
	p.buffer.add(a, c.cfg.Now())
	c.budget.correct(p.buffer.weight - before - a.weight)
	return c.weather(a) || c.full(p.buffer) || c.memoryShort()
}

// weather reports whether the arrival blows a storm of rejected messages. Then no more is read; what was taken in is
// written, for it may be anybody's.
func (c *protocol) weather(a arrival) bool {
	if c.cfg.OnStorm == StormGoOn || c.stormed != nil || !c.storm.count(a.rejected, c.cfg.Now()) {
		return false
	}
	c.stormed = stormError(c.storm)
	c.reading.hold(true)
	return true
}

// heed looks at what readers lost.
func (c *protocol) heed(ctx context.Context) error {
	now := c.cfg.Now()
	for _, p := range c.partitions {
		if p.state == StateSeeking && p.term > 0 && p.failures > 0 && !p.opened && p.lost == nil && !p.retryAt.IsZero() && !now.Before(p.retryAt) {
			p.retryAt = time.Time{}
			c.seek(p, p.buffer.end)
		}
		switch {
		case p.lost == nil || gapOf(p.lost) != nil: // crossGaps sees to it, once nothing is held
		case errors.Is(p.lost, kafka.ErrRewound):
			c.rewound = p.lost
			c.silence()
		default:
			c.readFailed(ctx, p)
		}
	}
	return nil
}

// readFailed lets a partition be read again in a while, or ends the work when that was done often enough.
func (c *protocol) readFailed(ctx context.Context, p *partition) {
	err := p.lost
	p.lost = nil
	if !p.openedAt.IsZero() && c.cfg.Now().Sub(p.openedAt) > longAgo {
		p.failures = 0 // it was read well since the last one, though nothing may have come
	}
	p.openedAt = time.Time{}
	p.failures++
	if !c.cfg.Patient || p.failures >= maxTries || errors.Is(err, kafka.ErrStalled) {
		c.ending = fmt.Errorf("read partition %d: %w", p.number, err)
		c.silence()
		return
	}
	c.cfg.Logger.WarnContext(ctx, "reading failed, trying again", schemas.LogKeyPartition, p.number, schemas.LogKeyError, err)
	p.why, p.retryAt = err, c.after(p.failures+3)
	if p.state == StateFilling {
		p.enter(StateSeeking, c.cfg.Now())
	}
}

// silence ends all readers.
func (c *protocol) silence() {
	for _, p := range c.partitions {
		lost := p.lost
		c.unread(p)
		p.lost = lost
		if p.state == StateFilling {
			p.enter(StateSeeking, c.cfg.Now())
		}
	}
}

// end ends the work once nothing is held any more.
func (c *protocol) end(ctx context.Context) error {
	if c.rewound == nil && c.ending == nil || c.holds() {
		return nil
	}
	if c.ending != nil {
		return c.ending
	}
	why := c.rewound
	c.rewound = nil
	// A topic that Kafka itself tells apart from the one before is met at the next start, by its identity.
	if !c.cfg.NewSource || errors.Is(why, kafka.ErrRecreated) {
		return c.haltAll(ctx, ReasonRewound, rewoundError(why))
	}
	c.newGeneration = true
	for _, p := range c.partitions {
		if p.state != StateHalted && p.state != StateClaiming {
			c.drop(p)
			p.enter(StateClaiming, c.cfg.Now())
			p.retryAt = time.Time{}
		}
	}
	return nil
}

// haltAll stops all work until the operator decides.
func (c *protocol) haltAll(ctx context.Context, reason Reason, why error) error {
	c.pending = nil
	for _, p := range c.partitions {
		c.drop(p)
		p.enter(StateHalted, c.cfg.Now())
		p.reason, p.why = reason, why
	}
	c.cfg.Logger.ErrorContext(ctx, "halted", schemas.LogKeyReason, string(reason), schemas.LogKeyError, why)
	return why
}

// halt stops a partition until the operator decides.
func (c *protocol) halt(ctx context.Context, p *partition, reason Reason, why error) {
	c.drop(p)
	p.enter(StateHalted, c.cfg.Now())
	p.reason, p.why = reason, why
	c.cfg.Logger.ErrorContext(ctx, "halted", schemas.LogKeyPartition, p.number, schemas.LogKeyReason, string(reason), schemas.LogKeyError, why)
}

// allHalted reports whether nothing is left to be done, or somebody waits for all of it.
func (c *protocol) allHalted() bool {
	return !c.cfg.Patient || !slices.ContainsFunc(c.partitions, func(p *partition) bool { return p.state != StateHalted })
}

// failed settles an error of writing. It returns one when the work cannot go on.
func (c *protocol) failed(ctx context.Context, what string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, lake.ErrConflict):
		return nil // somebody else got on: it is looked at anew
	case IsDiskFull(err):
		return c.noRoom(ctx, err)
	}
	if c.tries++; c.tries >= maxTries {
		return fmt.Errorf("%s: %w", what, err)
	}
	c.cfg.Logger.WarnContext(ctx, "writing failed, trying again", schemas.LogKeyError, err)
	return nil
}

// written notes that something was written: whatever was in the way is gone.
func (c *protocol) written(ctx context.Context) {
	c.tries = 0
	if c.diskFull == nil {
		return
	}
	c.diskFull = nil
	c.cfg.Logger.InfoContext(ctx, "there is room again")
	c.cfg.tellDisk(false)
	c.reading.hold(c.stormed != nil)
}

// noRoom stops reading until there is room. What is held is kept. The error is returned when nobody would wait.
func (c *protocol) noRoom(ctx context.Context, err error) error {
	if !c.cfg.Patient {
		return err
	}
	if c.diskFull == nil {
		c.cfg.Logger.ErrorContext(ctx, "the disk is full: reading waits", schemas.LogKeyError, err)
		c.cfg.tellDisk(true)
		c.reading.hold(true)
	}
	c.diskFull = err
	return nil
}

// watchFenced looks at the partitions that somebody else claimed. As long as their owner gets on, or there is nothing
// to get on with, they are left alone: two processes that took partitions from each other would both get nowhere.
func (c *protocol) watchFenced(ctx context.Context) error {
	due := c.due(StateFenced)
	if len(due) == 0 || c.stopping {
		return nil
	}
	base, err := c.log.load(ctx)
	if err != nil {
		for _, p := range due {
			p.watch.until = c.after(maxTries) // whoever commits will tell what is wrong
		}
		return nil
	}
	for _, p := range due {
		at, err := base.of(p.number)
		if err != nil {
			return err
		}
		if at == p.watch.last {
			latest, err := c.reading.latest(ctx, p.number, at.watermark)
			if err == nil && latest > at.watermark || errors.Is(err, kafka.ErrRewound) || gapOf(err) != nil {
				p.enter(StateClaiming, c.cfg.Now())
				p.retryAt = time.Time{}
				continue
			}
		}
		p.watch.last, p.watch.until = at, c.cfg.Now().Add(c.takeover(p.watch.turns))
	}
	return nil
}

// takeover is how long the owner of a partition may stand still before it is taken over. It grows each time that we
// were fenced in a row, and is never the same for two processes, so that one of them comes to commit.
func (c *protocol) takeover(turns int) time.Duration {
	d := min(c.cfg.Takeover<<min(max(turns-1, 0), 6), max(time.Minute, c.cfg.Takeover))
	return d + time.Duration(c.random.Int64N(int64(d)))
}

// fence lets go of a partition that somebody else has claimed.
func (c *protocol) fence(ctx context.Context, p *partition, at place) {
	c.drop(p)
	p.enter(StateFenced, c.cfg.Now())
	p.watch.turns++
	p.watch.last, p.watch.until = at, c.cfg.Now().Add(c.takeover(p.watch.turns))
	c.cfg.Logger.WarnContext(ctx, "fenced: another process has claimed the partition", schemas.LogKeyPartition, p.number, schemas.LogKeyEpoch, at.epoch.number)
	if c.cfg.Fenced != nil {
		c.cfg.Fenced(p.number)
	}
	if c.cfg.OnFenced == FencedStop {
		c.ending = fencedError(p.number)
		c.silence()
	}
}

// due returns the partitions in a state whose time has come.
func (c *protocol) due(s State) []*partition {
	var due []*partition
	for _, p := range c.partitions {
		at := p.retryAt
		if s == StateFenced {
			at = p.watch.until
		}
		if p.state == s && !c.cfg.Now().Before(at) {
			due = append(due, p)
		}
	}
	return due
}

func (c *protocol) partition(number int32) *partition {
	i, ok := slices.BinarySearchFunc(c.partitions, number, func(p *partition, n int32) int { return int(p.number - n) })
	if !ok {
		return nil
	}
	return c.partitions[i]
}

// holds reports whether anything was read that is not yet in bronze.
func (c *protocol) holds() bool {
	return c.pending != nil || slices.ContainsFunc(c.partitions, (*partition).holds)
}

// after returns the moment to try something again that failed n times in a row: twice as long each time, and never the
// same for two processes.
func (c *protocol) after(n int) time.Time {
	d := min(firstPause<<min(max(n-1, 0), 10), longestPause)
	if c.diskFull != nil {
		d = spacePause
	}
	return c.cfg.Now().Add(d/2 + time.Duration(c.random.Int64N(int64(d))))
}

func (c *protocol) status() Status {
	s := Status{Partitions: make([]PartitionStatus, len(c.partitions)), MemoryBytes: c.budget.inUse()}
	for i, p := range c.partitions {
		state, reason, why := c.shown(p)
		s.Partitions[i] = PartitionStatus{
			Partition: p.number, State: state, Reason: reason, Since: p.since,
			Epoch: p.epoch.number, Watermark: p.watermark(), Read: p.buffer.end,
		}
		if why != nil {
			s.Partitions[i].Detail = why.Error()
		}
	}
	return s
}

// shown returns the state of a partition with what lies over it.
func (c *protocol) shown(p *partition) (State, Reason, error) {
	switch {
	case p.state == StateHalted:
		return p.state, p.reason, p.why
	case p.state == StateFenced || p.state == StateUnassigned:
		return p.state, "", nil
	case c.diskFull != nil:
		return StatePaused, ReasonDiskFull, c.diskFull
	case c.stormed != nil:
		return StatePaused, ReasonRejectStorm, c.stormed
	case p.failures > 0 && !p.opened:
		return StatePaused, ReasonReadErrors, p.why
	default:
		return p.state, "", nil
	}
}

func partitionKey(kafkaPartition int32, generation int) string {
	return strconv.Itoa(int(lakePartition(kafkaPartition, generation)))
}
