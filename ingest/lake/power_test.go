package lake_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/ingest/lake/laketest"
	"github.com/diurna-health/diurna/schemas"
)

// The lives of a lake in this file are simulated: received batches are committed, merged, compacted, expired and swept
// on a disk in memory, which fails somewhere. Everything that happens follows from a seed.
//
// The ledger is SQLite in a file that is never synced: for these tests what it committed is durable at once, whatever
// happens to the disk of the lake. That is the worst case, for it is the ledger that refers to files.

var errPowerCut = errors.New("the power is cut")

func TestPowerCutsAndKillsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	eachLife(t, lives(t), (*life).liveThroughCuts)
}

// TestEverySyncThatIsLeftOutIsNoticed tests the test above: on a disk that does not do one kind of sync, lives go wrong.
func TestEverySyncThatIsLeftOutIsNoticed(t *testing.T) {
	t.Parallel()
	isData := func(path string) bool { return strings.Contains(path+"/", "/data/") }
	isMetadata := func(path string) bool { return strings.Contains(path+"/", "/metadata/") }
	for name, lies := range map[string]func(laketest.Op, string) bool{
		"of data files":     func(op laketest.Op, path string) bool { return op == laketest.OpSync && isData(path) },
		"of metadata files": func(op laketest.Op, path string) bool { return op == laketest.OpSync && isMetadata(path) },
		"of their folders":  func(op laketest.Op, path string) bool { return op == laketest.OpSyncDir && isData(path) },
		"of metadata's folders": func(op laketest.Op, path string) bool {
			return op == laketest.OpSyncDir && isMetadata(path)
		},
		"of the folders above": func(op laketest.Op, path string) bool {
			return op == laketest.OpSyncDir && !isData(path) && !isMetadata(path)
		},
	} {
		begun, ledgerPath := newLife(t), filepath.Join(t.TempDir(), "ledger.db")
		seed, enough := uint64(1), uint64(40)
		for ; seed <= enough; seed++ {
			if begun.copy(seed, ledgerPath, func(l *life) error {
				l.disk.Lies = lies
				return l.liveThroughCuts()
			}) != nil {
				break
			}
		}
		if seed > enough {
			t.Errorf("%d lives went well without any sync %s", enough, name)
		}
		t.Logf("without syncs %s the life of seed %d is the first to go wrong", name, seed)
	}
}

// liveThroughCuts lives through one power cut or two, and some kills.
func (l *life) liveThroughCuts() error {
	for cuts := 1 + l.rng.IntN(3)/2; cuts > 0; {
		// Short lives too: folders are made early in them.
		if err := l.liveUntilCut(1 + l.rng.IntN([]int{60, 250}[l.rng.IntN(2)])); err != nil {
			return err
		}
		// A killed process leaves the disk as it is; it takes a power cut later on to show what was not synced.
		if l.rng.IntN(3) > 0 {
			l.disk = l.disk.CutPower(l.rng.Uint64(), []int{0, 50, 100}[l.rng.IntN(3)])
			cuts--
		}
		if err := l.restart(); err != nil {
			return err
		}
	}
	return l.end()
}

func TestAFullDiskLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	eachLife(t, lives(t)/8, func(l *life) error {
		from, n := 1+l.rng.IntN(200), 0
		until := from + 1 + l.rng.IntN(40)
		return l.liveWithFaults(func(op laketest.Op) error {
			if op != laketest.OpCreate && op != laketest.OpWrite && op != laketest.OpMkdir {
				return nil
			}
			if n++; n >= from && n < until {
				return syscall.ENOSPC
			}
			return nil
		})
	})
}

func TestAnOperationOfTheDiskThatFailsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	eachLife(t, lives(t)/8, func(l *life) error {
		at, n := 1+l.rng.IntN(1000), 0
		return l.liveWithFaults(func(laketest.Op) error {
			if n++; n == at {
				return syscall.EIO
			}
			return nil
		})
	})
}

// eachLife runs lives of n seeds from DIURNA_POWER_FROM (1) on, or of DIURNA_SEED alone, and says of one that went wrong
// how to see it again.
func eachLife(t *testing.T, n int, live func(*life) error) {
	t.Helper()
	debug.SetGCPercent(400) // many short lives: a quarter less time
	first := uint64(envNumber(t, "DIURNA_POWER_FROM", 1))
	last := first + uint64(n) - 1
	if seed := envNumber(t, "DIURNA_SEED", 0); seed != 0 {
		first, last = uint64(seed), uint64(seed)
	}
	begun := newLife(t)
	var next atomic.Uint64
	next.Store(first)
	var failures atomic.Int32
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), int(last-first)+1) {
		ledgerPath := filepath.Join(t.TempDir(), "ledger.db")
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed <= last && failures.Load() < 5; seed = next.Add(1) - 1 {
				if err := begun.copy(seed, ledgerPath, live); err != nil {
					failures.Add(1)
					t.Errorf("seed %d: %v\nrun it again: DIURNA_SEED=%d go test ./ingest/lake -run '^%s$'", seed, err, seed, t.Name())
				}
			}
		})
	}
	wg.Wait()
}

func lives(t *testing.T) int {
	t.Helper()
	return envNumber(t, "DIURNA_POWER_SEEDS", powerSeeds)
}

func envNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s is %q, want a number", name, value)
	}
	return n
}

// A beginning is a lake with its tables and nothing in them, from which every life starts: making it takes longer than
// most lives.
type beginning struct {
	disk   *laketest.Disk
	ledger []byte
	at     time.Time
}

func newLife(t *testing.T) *beginning {
	t.Helper()
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := &life{disk: laketest.NewDisk(), now: at}
	err := l.openLedger(path)
	if err == nil {
		err = l.open()
	}
	if err == nil {
		err = l.lake.CreateIngestTables(t.Context())
	}
	if err == nil {
		err = l.db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// What was made before a life begins is durable, so that a power cut early in it is not one of making the tables.
	return &beginning{disk: l.disk.CutPower(0, 100), ledger: content, at: at}
}

// copy lives one life from the beginning.
func (b *beginning) copy(seed uint64, ledgerPath string, live func(*life) error) (err error) {
	if err := os.WriteFile(ledgerPath, b.ledger, 0o600); err != nil {
		return err
	}
	l := &life{
		rng: rand.New(rand.NewPCG(seed, 4)), disk: b.disk.CutPower(0, 100), now: b.at, seed: seed,
		acknowledged: map[int32]int64{},
	}
	if err := l.openLedger(ledgerPath); err != nil {
		return err
	}
	defer func() {
		l.close()
		err = errors.Join(err, l.db.Close())
	}()
	if err := l.open(); err != nil {
		return err
	}
	if err := live(l); err != nil {
		return fmt.Errorf("%w\nwhat happened: %s", err, strings.Join(l.story, ", "))
	}
	return nil
}

// A life is what happens to one lake.
type life struct {
	seed  uint64
	rng   *rand.Rand
	disk  *laketest.Disk
	db    *sql.DB
	lake  *lake.Lake
	now   time.Time
	story []string

	ctx context.Context // of the process that lives now: it ends when it is killed
	die context.CancelFunc

	acknowledged map[int32]int64 // by partition: the watermark of the last commit that was reported as done
}

// openLedger opens SQLite so that nothing waits for a disk.
func (l *life) openLedger(path string) (err error) {
	l.db, err = sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=synchronous(off)&_pragma=journal_mode(memory)"+
		"&_pragma=busy_timeout(10000)&_pragma=locking_mode(exclusive)")
	if err == nil {
		l.db.SetMaxOpenConns(1)
	}
	return err
}

func (l *life) open() (err error) {
	l.disk.Now = func() time.Time { return l.now }
	l.ctx, l.die = context.WithCancel(context.Background())
	l.lake, err = lake.Open(l.ctx, lake.Config{
		Store: lake.NewLocalStore("/home/lake", l.disk), Catalog: l.db, UserBuckets: 1,
		Now: func() time.Time { return l.now }, Logger: slog.New(slog.DiscardHandler),
	})
	return err
}

func (l *life) close() {
	l.die()
	if l.lake != nil {
		l.lake.Close()
	}
}

// liveUntilCut lives until the n-th change of the disk, at which everything stops.
func (l *life) liveUntilCut(n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	l.disk.Fault = func(op laketest.Op, _ string) error {
		if left.Load() <= 0 || op.Changes() && left.Add(-1) <= 0 {
			l.die() // the ledger hears no more of this process
			return errPowerCut
		}
		return nil
	}
	for range 60 {
		err := l.step()
		if left.Load() <= 0 {
			l.tell("cut")
			break
		}
		if err != nil {
			return fmt.Errorf("before the cut: %w", err)
		}
	}
	l.disk.Fault = nil
	return nil
}

// liveWithFaults lives with a disk that fails now and then, and then loses power.
func (l *life) liveWithFaults(fault func(laketest.Op) error) error {
	var mu sync.Mutex
	l.disk.Fault = func(op laketest.Op, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		return fault(op)
	}
	for range 8 {
		if err := l.step(); err != nil {
			if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
				return fmt.Errorf("with a failing disk: %w", err)
			}
			l.tell("failed")
		}
	}
	l.disk.Fault = nil
	for range 3 { // faults over, life goes on in the same process
		if err := l.step(); err != nil {
			return fmt.Errorf("after the disk failed: %w", err)
		}
	}
	l.disk = l.disk.CutPower(l.rng.Uint64(), []int{0, 50, 100}[l.rng.IntN(3)])
	if err := l.restart(); err != nil {
		return err
	}
	return l.end()
}

func (l *life) tell(what string) { l.story = append(l.story, what) }

// step does one of the things that processes do to a lake.
func (l *life) step() error {
	l.now = l.now.Add(time.Duration(l.rng.IntN(600)) * time.Second)
	switch l.rng.IntN(8) {
	case 0, 1, 2:
		return l.receive(int32(l.rng.IntN(2)), 1+l.rng.IntN(4))
	case 3, 4:
		return l.merge()
	case 5:
		table := []string{schemas.TableSyncRecords, schemas.TableSeriesHours}[l.rng.IntN(2)]
		l.tell("compact " + table)
		_, err := l.lake.Compact(l.ctx, table, lake.Compaction{Full: l.rng.IntN(2) == 0})
		return err
	case 6:
		table := []string{schemas.TableSyncRecords, schemas.TableSeriesHours, schemas.TableDirtyDays}[l.rng.IntN(3)]
		l.tell("expire " + table)
		_, err := l.lake.Expire(l.ctx, table, lake.Expiry{KeepLast: 1 + l.rng.IntN(2), KeepFor: time.Minute})
		return err
	default:
		table := []string{schemas.TableSyncRecords, schemas.TableSeriesHours, schemas.TableDirtyDays}[l.rng.IntN(3)]
		l.tell("sweep " + table)
		_, err := l.lake.Sweep(l.ctx, table, time.Duration(l.rng.IntN(3))*time.Minute)
		return err
	}
}

// message is what the broker holds at an offset: some minutes of a person's heart rate, sometimes a deletion of some.
// Sequence numbers do not rise with offsets: batches come late.
func (l *life) message(partition int32, offset int64) schemas.SyncRecord {
	rng := rand.New(rand.NewPCG(l.seed, uint64(partition)<<32|uint64(offset)))
	user := fmt.Sprintf("p%d-u%d", partition, rng.IntN(2))
	seq := offset + rng.Int64N(3)
	hour, from := rng.Int64N(3), rng.Int32N(50)
	r := heartRate(user, offset, seq, hour, from, rng.Int32N(90), rng.Int32N(90), rng.Int32N(90))
	if rng.IntN(8) == 0 {
		begin := firstHour + hour*hourUS + int64(from)*60_000_000
		r = deletion(user, offset, seq, schemas.HeartRate, begin, begin+2*60_000_000)
	}
	r.Partition, r.IngestDate = partition, 20_000
	return r
}

// receive commits the next messages of a partition the way ingest does, after having asked the lake which these are.
func (l *life) receive(partition int32, messages int) error {
	base, marks, err := l.bronze()
	if err != nil {
		return err
	}
	start := marks[partition]
	end := start + int64(messages)
	l.tell(fmt.Sprintf("receive %d [%d,%d)", partition, start, end))
	var rows []schemas.SyncRecord
	for offset := start; offset < end; offset++ {
		rows = append(rows, l.message(partition, offset))
	}
	path, err := lake.WriteRows(l.ctx, l.lake, schemas.TableSyncRecords, lake.BronzeName{Partition: partition, Start: start, End: end}.String(),
		map[string]int64{"ingest_date": 20_000}, nil, rows)
	if err != nil {
		return err
	}
	if _, err := l.lake.Commit(l.ctx, lake.Commit{Base: base, ID: fmt.Sprint(partition, "-", start, "-", l.rng.Uint64()), Add: []string{path},
		Properties: lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{partition: end})}); err != nil {
		return err
	}
	l.acknowledged[partition] = end
	return nil
}

func (l *life) merge() error {
	l.tell("merge")
	_, err := lake.NewMerger(l.lake).Run(l.ctx)
	return err
}

// restart starts the next process on what is left of the disk, and looks at it before anything else happens.
func (l *life) restart() error {
	l.close()
	l.tell("restart")
	if err := l.open(); err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	if err := l.check(); err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	return nil
}

// end goes on after the last fault, and looks at everything once more.
func (l *life) end() error {
	for partition := range int32(2) {
		if err := l.receive(partition, 2); err != nil {
			return fmt.Errorf("life does not go on: %w", err)
		}
	}
	if err := l.merge(); err != nil {
		return fmt.Errorf("life does not go on: %w", err)
	}
	if err := l.check(); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	if err := l.checkBronze(); err != nil {
		return err
	}
	return l.checkSilver()
}

// check looks at everything the tables refer to.
func (l *life) check() error {
	for _, spec := range lake.IngestTables() {
		s, err := l.lake.Load(l.ctx, spec.Name)
		if err != nil {
			return err
		}
		for _, f := range s.Files {
			if err := l.checkFile(f); err != nil {
				return fmt.Errorf("%s: %w", spec.Name, err)
			}
		}
	}
	return l.checkTiles()
}

// checkTiles compares the names of the files of bronze with the watermarks: they cover every offset once. That the bytes
// are those that were written is known by then.
func (l *life) checkTiles() error {
	s, marks, err := l.bronze()
	if err != nil {
		return err
	}
	for partition, end := range l.acknowledged {
		if marks[partition] < end {
			return fmt.Errorf("partition %d was committed up to %d and stands at %d", partition, end, marks[partition])
		}
	}
	names := map[int32][]lake.BronzeName{}
	for _, f := range s.Files {
		name, ok := lake.ParseBronzeName(f.Path)
		if !ok {
			return fmt.Errorf("the name %s says nothing", filepath.Base(f.Path))
		}
		names[name.Partition] = append(names[name.Partition], name)
	}
	for partition := range int32(2) {
		next := int64(0)
		slices.SortFunc(names[partition], func(a, b lake.BronzeName) int { return int(a.Start - b.Start) })
		for _, name := range names[partition] {
			if name.Start != next {
				return fmt.Errorf("partition %d is covered up to %d, and again from %d", partition, next, name.Start)
			}
			next = name.End
		}
		if next != marks[partition] {
			return fmt.Errorf("partition %d is covered up to %d and its watermark is %d", partition, next, marks[partition])
		}
	}
	return nil
}

func (l *life) bronze() (*lake.Snapshot, map[int32]int64, error) {
	s, err := l.lake.Load(l.ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, nil, err
	}
	marks, err := s.Watermarks(lake.IngestWatermark)
	return s, marks, err
}

// checkFile compares a file with its name and with what the table says of it.
func (l *life) checkFile(f lake.File) error {
	digest, size, err := lake.NewLocalStore("/", l.disk).Digest(l.ctx, f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("file %s is referred to and missing", filepath.Base(f.Path))
	}
	if err != nil {
		return err
	}
	if size != f.Bytes || !strings.HasSuffix(f.Path, "-"+digest.Short()+".parquet") {
		return fmt.Errorf("file %s has %d bytes of %d and the hash %s", filepath.Base(f.Path), size, f.Bytes, digest.Short())
	}
	return nil
}

// checkBronze compares what is in bronze with what was sent, row by row.
func (l *life) checkBronze() error {
	s, marks, err := l.bronze()
	if err != nil {
		return err
	}
	got := map[int32][]schemas.SyncRecord{}
	for _, f := range s.Files {
		if err := lake.ReadRows(l.ctx, l.lake, f.Path, func(rows []schemas.SyncRecord) error {
			for _, r := range rows {
				got[r.Partition] = append(got[r.Partition], r)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for partition := range int32(2) {
		rows := got[partition]
		slices.SortFunc(rows, func(a, b schemas.SyncRecord) int { return int(a.Offset - b.Offset) })
		var want []schemas.SyncRecord
		for offset := range marks[partition] {
			want = append(want, l.message(partition, offset))
		}
		if diff := cmp.Diff(want, rows, cmpopts.EquateEmpty()); diff != "" {
			return fmt.Errorf("bronze of partition %d up to %d (-sent +found):\n%s", partition, marks[partition], diff)
		}
	}
	return nil
}

// checkSilver compares every sample in silver with what comes of all messages, worked out one by one.
func (l *life) checkSilver() error {
	s, err := l.lake.Load(l.ctx, schemas.TableSeriesHours)
	if err != nil {
		return err
	}
	merged, err := s.Watermarks(lake.MergeWatermark)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(l.acknowledged, merged); diff != "" {
		return fmt.Errorf("merged up to (-want +got):\n%s", diff)
	}
	got := map[string]int32{}
	for _, f := range s.Files {
		if err := lake.ReadRows(l.ctx, l.lake, f.Path, func(rows []schemas.SeriesHour) error {
			for _, r := range rows {
				for i, value := range r.Values {
					key := sampleKey(r.UserID, r.HourAt+int64(sampleOffsetMS(&r, i))*1000)
					if _, ok := got[key]; ok {
						return fmt.Errorf("sample %s is in silver twice", key)
					}
					got[key] = value
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if diff := cmp.Diff(l.wantSilver(), got); diff != "" {
		return fmt.Errorf("samples in silver (-want +got):\n%s", diff)
	}
	return nil
}

func sampleKey(user string, at int64) string {
	return fmt.Sprintf("%s at %s", user, time.UnixMicro(at).UTC().Format(time.TimeOnly))
}

// sampleOffsetMS returns the place of a sample within its hour: one offset stands for a run by the period.
func sampleOffsetMS(r *schemas.SeriesHour, i int) int32 {
	if len(r.OffsetsMS) == 1 {
		return r.OffsetsMS[0] + int32(i)*r.PeriodMS
	}
	return r.OffsetsMS[i]
}

// wantSilver settles every sample by the rule: the highest (seq, broker time, offset) wins, and a deletion hides what is
// lower than itself.
func (l *life) wantSilver() map[string]int32 {
	type said struct {
		rank  [3]int64
		value int32
	}
	won := map[string]said{}
	var deleted []schemas.SyncRecord
	rank := func(r *schemas.SyncRecord) [3]int64 { return [3]int64{r.Seq, r.BrokerAt, r.Offset} }
	higher := func(a, b [3]int64) bool { return slices.Compare(a[:], b[:]) > 0 }
	for partition := range int32(2) {
		for offset := range l.acknowledged[partition] {
			r := l.message(partition, offset)
			if r.Kind == schemas.KindDeletion {
				deleted = append(deleted, r)
				continue
			}
			for i, value := range r.Values {
				key := sampleKey(r.UserID, *r.HourAt+int64(r.OffsetsMS[0])*1000+int64(i)*60_000_000)
				if old, ok := won[key]; !ok || higher(rank(&r), old.rank) {
					won[key] = said{rank(&r), value}
				}
			}
		}
	}
	for _, d := range deleted {
		for at := *d.StartAt; at < *d.EndAt; at += 60_000_000 {
			key := sampleKey(d.UserID, at)
			if s, ok := won[key]; ok && higher(rank(&d), s.rank) {
				delete(won, key)
			}
		}
	}
	want := map[string]int32{}
	for key, s := range won {
		want[key] = s.value
	}
	return want
}
