package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// The simulation runs two processes that both own every partition, in one goroutine, on a made-up topic and bronze, and
// does to them whatever a seed says: crashes and freezes at any step, answers that are lost, refused or late, full disks,
// readers that fail, deliver twice or in any order across partitions, messages deleted unread, topics made anew. Then the
// faults end, an operator does what the messages advise, and everything must be there, once.
//
// DIURNA_SEEDS says how many seeds are run (2,500 when unset), DIURNA_SEED runs one alone.

const (
	simPartitions = 3
	simEvents     = 400
)

func TestNothingIsLostOrDoubledWhateverHappens(t *testing.T) {
	t.Parallel()
	first, seeds := uint64(1), uint64(simSeeds)
	if n, err := strconv.ParseUint(os.Getenv("DIURNA_SEEDS"), 10, 64); err == nil {
		seeds = n
	}
	if one, err := strconv.ParseUint(os.Getenv("DIURNA_SEED"), 10, 64); err == nil {
		first, seeds = one, 1
	}
	const shards = 8
	met := make(chan map[string]int, shards)
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			sum := map[string]int{}
			defer func() { met <- sum }()
			for seed := first + shard; seed < first+seeds; seed += shards {
				w := newWorld(seed)
				if err := w.run(t.Context()); err != nil {
					t.Fatalf("DIURNA_SEED=%d: %v\nlast events:\n%s", seed, err, strings.Join(w.lastEvents(), "\n"))
				}
				for what, n := range w.met {
					sum[what] += n
				}
			}
		})
	}
	t.Cleanup(func() {
		if seeds < simSeeds {
			return
		}
		sum := map[string]int{}
		for range shards {
			for what, n := range <-met {
				sum[what] += n
			}
		}
		// A fault that never came up was not survived.
		for _, what := range []string{"crash", "freeze", "conflict", "lost reply", "unknown", "disk full", "duplicate", "read error",
			"gap recorded", "halted by a gap", "rewound", "recreated", "new source", "fenced", "taken over", "memory tight"} {
			if sum[what] == 0 {
				t.Errorf("in %d seeds there was no %s: %v", seeds, what, sum)
			}
		}
		t.Log(sum)
	})
}

// A world is everything the protocol meets.
type world struct {
	seed   uint64
	random *rand.Rand
	now    time.Time
	topic  *simTopic
	past   []*simTopic
	bronze *simBronze
	procs  []*simProcess
	withID bool // Kafka tells a topic apart from a later one of the same name
	calm   bool // the faults are over
	full   bool // the disk is
	events []string
	met    map[string]int
	ids    int
}

func newWorld(seed uint64) *world {
	w := &world{seed: seed, random: rand.New(rand.NewPCG(seed, 7)), now: time.Unix(1_700_000_000, 0), met: map[string]int{}}
	w.bronze = &simBronze{w: w, properties: map[string]string{}, files: map[string][]schemas.SyncRecord{}, commits: map[string]bool{}}
	w.withID = w.chance(50)
	w.topic = w.newTopic()
	for range 2 {
		w.procs = append(w.procs, w.newProcess())
	}
	return w
}

func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

// fault is chance while there are faults.
func (w *world) fault(permille int) bool { return !w.calm && w.random.IntN(1000) < permille }

func (w *world) note(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

func (w *world) lastEvents() []string { return w.events[max(0, len(w.events)-60):] }

func (w *world) run(ctx context.Context) error {
	for range simEvents {
		if err := w.event(ctx); err != nil {
			return err
		}
	}
	w.calm, w.full = true, false
	for _, p := range w.procs {
		p.frozen = 0
	}
	for range 20_000 {
		if err := w.event(ctx); err != nil {
			return err
		}
		if w.caughtUp() {
			return w.bronze.check()
		}
	}
	return fmt.Errorf("not everything was ingested in the end: bronze stands at %v of %v, processes %v, %v",
		w.bronze.properties, w.topic.ends(), w.procs[0].describe(), w.procs[1].describe())
}

// event lets one thing happen.
func (w *world) event(ctx context.Context) error {
	w.now = w.now.Add(time.Duration(w.random.IntN(200)) * time.Millisecond)
	if !w.calm {
		w.weather()
	}
	p := w.procs[w.random.IntN(len(w.procs))]
	if p.frozen > 0 {
		p.frozen--
		return nil
	}
	if p.core == nil {
		if w.calm || w.chance(30) {
			w.start(p)
		}
		return nil
	}
	if w.fault(6) {
		w.met["freeze"]++
		p.frozen = 20 + w.random.IntN(60)
		return nil
	}
	return p.act(ctx)
}

// weather is what happens to the topic and the disk.
func (w *world) weather() {
	switch n := w.random.IntN(1000); {
	case n < 400:
		if w.bronze.generation() >= w.topic.after {
			w.topic.produce(w.random.IntN(simPartitions), 1+w.random.IntN(3))
		}
	case n < 404:
		w.full = !w.full
		w.note("disk full: %v", w.full)
	case n < 410:
		part := &w.topic.partitions[w.random.IntN(simPartitions)]
		part.earliest = min(part.earliest+int64(w.random.IntN(6)), part.end())
		w.note("retention: %v", w.topic)
	case n < 412 && (w.withID || w.bronze.everywhere()):
		w.past = append(w.past, w.topic)
		w.topic = w.newTopic()
		if !w.withID {
			// Nobody could tell a topic without an ID from the one before it once it is as long.
			w.topic.after = w.bronze.generation() + 1
		}
		w.note("topic made anew")
	}
}

// caughtUp reports whether bronze stands at the end of the topic.
func (w *world) caughtUp() bool {
	if w.bronze.broken != nil {
		return true
	}
	m, err := readMarks(w.bronze.properties)
	if err != nil || w.topic.after > m.generation || !w.topic.Matches(m.source) {
		return false
	}
	for i := range simPartitions {
		at, err := m.of(int32(i))
		if err != nil || at.watermark != w.topic.partitions[i].end() {
			return false
		}
	}
	return true
}

// A simTopic is a topic with everything that was ever produced to it.
type simTopic struct {
	name       string
	number     int
	after      int // nothing is produced to it before bronze is in this generation
	partitions [simPartitions]simPartition
	random     *rand.Rand
}

type simPartition struct {
	earliest int64
	markers  []bool // by offset: whether it holds no message
}

func (p *simPartition) end() int64 { return int64(len(p.markers)) }

func (w *world) newTopic() *simTopic {
	t := &simTopic{name: "cluster/topic", number: len(w.past), random: w.random}
	if w.withID {
		t.name += fmt.Sprint("@", t.number)
	}
	return t
}

// String and Matches implement identity.
func (t *simTopic) String() string { return t.name }

func (t *simTopic) Matches(stored string) bool {
	return stored == t.name
}

func (t *simTopic) produce(partition, n int) {
	p := &t.partitions[partition]
	for range n {
		p.markers = append(p.markers, len(p.markers) > 0 && t.random.IntN(20) == 0)
	}
	p.markers = append(p.markers, false) // it does not end in a marker, so that the end is known by the watermark
}

func (t *simTopic) ends() (ends []int64) {
	for i := range t.partitions {
		ends = append(ends, t.partitions[i].end())
	}
	return ends
}

// A simProcess is one process that owns every partition.
type simProcess struct {
	w       *world
	number  int
	frozen  int
	core    *protocol
	topic   *simTopic // as it was when the process connected
	budget  *budget
	closed  bool // the gate
	readers map[int32]*simReader
	flying  []arrival
	advice  advice
}

// advice is what the operator has been told to set.
type advice struct{ newSource, recordGaps bool }

type simReader struct {
	term, generation int
	next             int64
	opened           bool
}

func (w *world) newProcess() *simProcess { return &simProcess{w: w, number: len(w.procs)} }

func (w *world) start(p *simProcess) {
	p.topic, p.readers, p.flying, p.closed = w.topic, map[int32]*simReader{}, nil, false
	p.budget = &budget{limit: 8 << 10, pressed: func() {}}
	cfg := Config{
		FlushSamples: 12, FlushBytes: 1 << 30, FlushAge: time.Second, Patient: true, OnGap: GapHalt, OnStorm: StormGoOn,
		NewSource: p.advice.newSource, Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
		Fenced:     func(int32) { w.met["fenced"]++ },
		GapCrossed: func(int64) { w.met["gap recorded"]++ },
	}.withDefaults()
	if p.advice.recordGaps {
		cfg.OnGap = GapRecord
	}
	p.advice = advice{}
	p.core = &protocol{cfg: cfg, topic: p.topic, log: &simLog{simBronze: w.bronze, p: p}, reading: p, budget: p.budget,
		random: w.random, newID: func() string {
			w.ids++
			return fmt.Sprintf("process%d-%d", p.number, w.ids)
		}}
	p.core.assign([]int32{2, 0, 1})
	w.note("process %d starts, new source %v, gaps %s", p.number, cfg.NewSource, cfg.OnGap)
}

// errCrash is thrown where a process dies.
var errCrash = errors.New("crash")

// act lets the process do one thing. When it dies, or ends with an error, it is gone.
func (p *simProcess) act(ctx context.Context) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case errCrash:
			p.w.met["crash"]++
			p.w.note("process %d dies", p.number)
			p.core = nil
		default:
			panic(r)
		}
	}()
	if p.core.memoryShort() {
		p.w.met["memory tight"]++
	}
	due := p.w.chance(40)
	if !due {
		due = p.receive()
	}
	if p.w.fault(3) {
		panic(errCrash)
	}
	if due {
		if err := p.core.step(ctx); err != nil {
			p.ended(err)
			return nil
		}
	}
	p.lookAfter()
	return nil
}

// lookAfter is the operator, who looks at the states now and then and follows the messages.
func (p *simProcess) lookAfter() {
	for _, s := range p.core.status().Partitions {
		if s.State == StateHalted && p.w.chance(10) {
			p.w.met["halted by a gap"]++
			p.ended(gapError(0, 0, 0))
			return
		}
	}
}

func (p *simProcess) ended(err error) {
	p.w.note("process %d ends: %v", p.number, err)
	switch text := err.Error(); {
	case strings.Contains(text, "--new-source"):
		p.w.met["rewound"]++
		if errors.Is(err, kafka.ErrRecreated) || errors.Is(err, errOtherSource) {
			p.w.met["recreated"]++
		}
		p.advice.newSource = true
	case strings.Contains(text, "--on-gap record"):
		p.advice.recordGaps = true
	}
	p.core = nil
}

func (p *simProcess) describe() string {
	if p.core == nil {
		return "down"
	}
	return fmt.Sprintf("%+v pending %+v", p.core.status(), p.core.pending)
}

// receive fetches for a random reader, or hands over what is on its way. It reports whether something may be due.
func (p *simProcess) receive() bool {
	if len(p.flying) > 0 && p.w.chance(60) {
		i := p.w.random.IntN(len(p.flying))
		for j := range p.flying { // of one partition, in order
			if p.flying[j].partition == p.flying[i].partition {
				i = j
				break
			}
		}
		a := p.flying[i]
		p.flying = slices.Delete(p.flying, i, i+1)
		return p.core.take(a)
	}
	if len(p.readers) == 0 {
		return false
	}
	numbers := slices.Sorted(maps.Keys(p.readers))
	number := numbers[p.w.random.IntN(len(numbers))]
	if a, ok := p.fetch(number, p.readers[number]); ok {
		a.partition, a.term = number, p.readers[number].term
		if a.err != nil {
			delete(p.readers, number)
		}
		p.flying = append(p.flying, a)
	}
	return false
}

// fetch is what a reader does next; ok is false when it waits.
func (p *simProcess) fetch(number int32, r *simReader) (a arrival, ok bool) {
	part := &p.w.topic.partitions[number]
	switch {
	case p.topic != p.w.topic && p.w.withID:
		return arrival{err: kafka.ErrRecreated}, true
	case r.next > part.end():
		return arrival{err: kafka.ErrRewound}, true
	case r.next < part.earliest:
		return arrival{err: &kafka.GapError{Partition: number, From: r.next, To: part.earliest}}, true
	case p.w.fault(5):
		p.w.met["read error"]++
		return arrival{err: errors.New("the broker hung up")}, true
	case !r.opened:
		r.opened = true
		return arrival{opened: true}, true
	case p.closed:
		return arrival{}, false
	}
	if p.w.fault(20) && r.next > part.earliest {
		p.w.met["duplicate"]++
		r.next--
	}
	for r.next < part.end() && part.markers[r.next] {
		r.next++
	}
	if r.next == part.end() {
		return arrival{}, false
	}
	rows := []schemas.SyncRecord{{
		Partition: lakePartition(number, r.generation), Offset: r.next, Kind: schemas.KindBatch,
		IngestDate: int32(r.next / 9), BatchID: messageName(p.w.topic, number, r.next),
	}}
	weight := weigh(rows)
	if p.budget.inUse()+weight > p.budget.limit {
		return arrival{}, false
	}
	p.budget.correct(weight)
	a = arrival{offset: r.next, next: r.next + 1, rows: rows, samples: 1, bytes: 10, weight: weight}
	r.next++
	return a, true
}

// messageName is what a message says, so that it can be recognised in bronze.
func messageName(t *simTopic, partition int32, offset int64) string {
	return fmt.Sprint(t.number, " ", partition, " ", offset)
}

// These implement reading.
func (p *simProcess) start(partition int32, generation, term int, from int64) {
	p.readers[partition] = &simReader{term: term, generation: generation, next: from}
}
func (p *simProcess) stop(partition int32)   { delete(p.readers, partition) }
func (p *simProcess) hold(on bool)           { p.closed = on }
func (p *simProcess) hint(_ map[int32]int64) {}
func (p *simProcess) latest(_ context.Context, partition int32, from int64) (int64, error) {
	end := p.w.topic.partitions[partition].end()
	if end > from {
		p.w.met["taken over"]++
	}
	return end, nil
}

// A simBronze is bronze, and the record of everything that ever became true of it.
type simBronze struct {
	w          *world
	version    int
	properties map[string]string
	files      map[string][]schemas.SyncRecord // sealed, committed or not
	live       []string
	commits    map[string]bool
	gaps       []schemas.IngestGap
	broken     error // the first invariant that did not hold
}

// A simLog is bronze as one process sees it, with what can go wrong on the way.
type simLog struct {
	*simBronze
	p *simProcess
}

// fail lets the process die, or an answer be an error, at a step.
func (l *simLog) fail(what string) error {
	if l.w.fault(8) {
		panic(errCrash)
	}
	if l.w.full && !l.w.calm && what != "load" {
		l.w.met["disk full"]++
		return fmt.Errorf("%s: %w", what, syscall.ENOSPC)
	}
	if l.w.fault(8) {
		l.w.met["unknown"]++
		return fmt.Errorf("%s: no answer", what)
	}
	return nil
}

func (l *simLog) load(context.Context) (*head, error) {
	if err := l.fail("load"); err != nil {
		return nil, err
	}
	m, err := readMarks(maps.Clone(l.properties))
	commits := maps.Clone(l.commits)
	if l.w.fault(200) {
		clear(commits) // so many have come since that these are forgotten
	}
	return &head{marks: m, has: func(id string) bool { return commits[id] }, base: &lake.Snapshot{ID: int64(l.version)}}, err
}

// A simPile keeps rows as they are.
type simPile struct {
	rows   []schemas.SyncRecord
	weight int64
}

func newSimPile() pile { return &simPile{} }

func (p *simPile) Add(rows []schemas.SyncRecord) {
	p.rows = append(p.rows, rows...)
	p.weight += weigh(rows)
}

func (p *simPile) Bytes() int64 { return p.weight }

func (l *simLog) pile() pile { return newSimPile() }

func (l *simLog) seal(_ context.Context, partition int32, _ string, b *buffer) ([]string, error) {
	var paths []string
	for _, r := range b.runs {
		if err := l.fail("seal"); err != nil {
			return nil, err
		}
		rows := r.rows.(*simPile).rows
		path := fmt.Sprintf("%d %d %d %s", partition, r.start, r.end, rows[0].BatchID)
		l.files[path] = slices.Clone(rows)
		paths = append(paths, path)
	}
	return paths, nil
}

func (l *simLog) commit(_ context.Context, base *head, c change) (int64, error) {
	if err := l.fail("commit"); err != nil {
		return 0, err
	}
	if base.base.ID != int64(l.version) || l.w.fault(30) {
		l.w.met["conflict"]++
		return 0, lake.ErrConflict
	}
	if err := l.apply(l.p, c); err != nil && l.broken == nil {
		l.broken = err
	}
	if l.w.fault(15) {
		l.w.met["lost reply"]++
		l.w.note("process %d: the answer to its commit is lost", l.p.number)
		return 0, errors.New("the answer is lost")
	}
	if l.w.fault(8) {
		panic(errCrash)
	}
	return 1, nil
}

// apply makes a commit true and looks whether it may be.
func (b *simBronze) apply(p *simProcess, c change) error {
	b.w.note("process %d commits %v %v", p.number, c.files, c.properties)
	before := b.properties
	b.properties = maps.Clone(before)
	maps.Copy(b.properties, c.properties)
	b.version++
	b.commits[c.id] = true
	b.live = append(b.live, c.files...)
	for key, value := range c.properties {
		switch {
		case strings.HasPrefix(key, lake.IngestWatermark):
			suffix := strings.TrimPrefix(key, lake.IngestWatermark)
			was, _ := strconv.ParseInt(before[key], 10, 64)
			is, _ := strconv.ParseInt(value, 10, 64)
			if is <= was {
				return fmt.Errorf("watermark %s went from %d to %d", suffix, was, is)
			}
			if owner := before[propertyEpoch+suffix]; !strings.Contains(owner, fmt.Sprint(":process", p.number, "-")) {
				return fmt.Errorf("process %d moved the watermark of %s, which is owned by %s", p.number, suffix, owner)
			}
			if by := c.properties[propertyMovedBy+suffix]; by != before[propertyEpoch+suffix] {
				return fmt.Errorf("the watermark of %s was moved in epoch %s, and %s stood", suffix, by, before[propertyEpoch+suffix])
			}
		case strings.HasPrefix(key, propertyEpoch):
			was, _ := parseEpoch(before[key])
			is, err := parseEpoch(value)
			if err != nil || is.number < was.number || is.number == was.number && is != was {
				return fmt.Errorf("epoch %s went from %v to %v", key, was, is)
			}
		case key == propertyGeneration:
			b.w.met["new source"]++
		}
	}
	return nil
}

func (b *simBronze) generation() int {
	m, err := readMarks(b.properties)
	if err != nil {
		b.broken = err
	}
	return m.generation
}

// everywhere reports whether bronze has something of every partition: whoever reads on then finds the topic cut back.
func (b *simBronze) everywhere() bool {
	for i := range int32(simPartitions) {
		if b.properties[lake.IngestWatermark+partitionKey(i, b.generation())] == "" {
			return false
		}
	}
	return true
}

// check looks whether bronze holds what it must, once and in order, in every generation of the source; and all of the
// topic in the last one.
func (b *simBronze) check() error {
	if b.broken != nil {
		return b.broken
	}
	for generation := range b.generation() + 1 {
		for i := range int32(simPartitions) {
			if err := b.checkPartition(i, generation); err != nil {
				return fmt.Errorf("partition %d of generation %d: %w", i, generation, err)
			}
		}
	}
	return nil
}

func (b *simBronze) checkPartition(kafkaPartition int32, generation int) error {
	number := lakePartition(kafkaPartition, generation)
	covered := map[int64]int{} // by offset: how many files and gaps
	for _, path := range b.live {
		var partition int32
		var start, end int64
		if _, err := fmt.Sscan(path, &partition, &start, &end); err != nil {
			return err
		}
		for o := start; partition == number && o < end; o++ {
			covered[o]++
		}
	}
	skipped := map[int64]bool{}
	for _, gap := range b.gaps {
		for o := gap.FromOffset; gap.Partition == number && gap.Skipped && o < gap.ToOffset; o++ {
			covered[o]++
			skipped[o] = true
		}
	}
	rows := map[int64][]string{}
	for _, path := range b.live {
		for _, row := range b.files[path] {
			if row.Partition == number {
				rows[row.Offset] = append(rows[row.Offset], row.BatchID)
			}
		}
	}
	watermark, _ := strconv.ParseInt(b.properties[lake.IngestWatermark+partitionKey(kafkaPartition, generation)], 10, 64)
	last := generation == b.generation()
	for o := range watermark {
		if covered[o] != 1 {
			return fmt.Errorf("offset %d lies in %d files and gaps", o, covered[o])
		}
		marker := last && b.w.topic.partitions[kafkaPartition].markers[o]
		if got := rows[o]; last && !marker && !skipped[o] && !slices.Equal(got, []string{messageName(b.w.topic, kafkaPartition, o)}) ||
			len(got) > 1 || (marker || skipped[o]) && len(got) > 0 {
			return fmt.Errorf("offset %d below the watermark %d is in bronze as %q", o, watermark, got)
		}
	}
	for o := range covered {
		if o >= watermark && !skipped[o] {
			return fmt.Errorf("offset %d lies beyond the watermark %d and is in bronze", o, watermark)
		}
	}
	return nil
}

func (l *simLog) recordGap(_ context.Context, gap schemas.IngestGap) (schemas.IngestGap, error) {
	if err := l.fail("record gap"); err != nil {
		return gap, err
	}
	for _, known := range l.gaps {
		if known.Partition == gap.Partition && known.FromOffset == gap.FromOffset && known.Skipped == gap.Skipped {
			return known, nil
		}
	}
	l.gaps = append(l.gaps, gap)
	l.w.note("process %d records the gap %+v", l.p.number, gap)
	return gap, l.fail("answer to record gap")
}
