//go:build !race

package main_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/internal/checker"
	"github.com/diurna-health/diurna/internal/ledger"
)

// The limits of a process whatever is done to it (I13).
const (
	mostMemoryBytes = 1 << 30
	mostOpenFiles   = 256
)

// failpoints returns the name of every failpoint in the source, so that none can be forgotten.
func failpoints(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			hit, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || hit.Sel.Name != "Hit" {
				return true
			}
			if of, ok := hit.X.(*ast.Ident); !ok || of.Name != "failpoint" {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a failpoint whose name is not written out cannot be armed by it", path)
				return true
			}
			name, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			names[name] = true
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(names))
}

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s is %q, which is no number", name, value)
	}
	return n
}

// A torture is a home under torture: who works on it, who sends to it, and who looks.
type torture struct {
	*cast
	t       *testing.T
	home    string
	brokers string
	seed    uint64
	dice    *rand.Rand
	kafka   *kafkaHints
	sender  *producer
	journal *checker.Journal
	checker *checker.Checker
	pin     *checker.Pin
	checks  int
	kills   int
	freezes int
}

// TestNothingIsLostOrDoubledWhoeverIsKilled has two ingesters that both own all partitions, a builder, a compactor and a
// reader work on one home while messages come in, and kills and freezes them: at every failpoint once, and then at
// random. After each fault an independent checker looks at the lake. In the end everything must be there, once, and the
// same messages taken in peace must make the same tables.
//
// DIURNA_TORTURE_KILLS sets how many are killed at random, DIURNA_SEED what is drawn.
func TestNothingIsLostOrDoubledWhoeverIsKilled(t *testing.T) {
	kills := number(t, "DIURNA_TORTURE_KILLS", 30)
	seed := uint64(number(t, "DIURNA_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("to draw the same again: DIURNA_SEED=%d", seed)

	cluster := startKafka(t)
	x := &torture{t: t, cast: newCast(t, "DIURNA_INGEST_MEMORY=16MiB", "DIURNA_INGEST_BALLAST=0B", "DIURNA_DUCKDB_MEMORY=256MiB", "DIURNA_DUCKDB_THREADS=1"), home: filepath.Join(t.TempDir(), "home"),
		brokers: strings.Join(cluster.ListenAddrs(), ","), seed: seed, dice: rand.New(rand.NewPCG(seed, 2))}
	x.journal = checker.NewJournal(x.journalFile())
	x.sender = newProducer(t, cluster.ListenAddrs(), newTraffic(seed, 10, 40), x.journal)
	x.kafka = newKafkaHints(t, cluster.ListenAddrs())

	sending, stop := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- x.sender.keepSending(sending, 10, 100*time.Millisecond) }()

	x.add("ingest-a", nil, x.args("ingest", "--ingest.own-all", "--on-gap", "record")...)
	x.add("ingest-b", nil, x.args("ingest", "--ingest.own-all", "--on-gap", "record")...)
	x.add("build", nil, x.args("build")...)
	x.checker = x.waitForLake()
	visitors := []*role{
		x.add("compact", anything, "lake", "compact", "--home", x.home),
		x.add("expire", anything, "lake", "expire", "--home", x.home, "--keep-last", "2", "--keep-for", "0s", "--empty-trash"),
		x.add("read", oneMoment, "sql", "--home", x.home, "--format", "csv", momentQuery),
	}
	go x.age(t.Context())

	began := time.Now()
	x.strikeEverywhere()
	t.Logf("%d failpoints in %s", len(x.struck), time.Since(began).Round(time.Second))
	began = time.Now()
	// However many kills there are, they meet about as many messages: every check reads all that came before.
	x.sender.patience.Store(int64(kills / 60))
	x.strikeAtRandom(kills)
	t.Logf("%d kills and %d freezes at random in %s, %d checks in all", x.kills, x.freezes, time.Since(began).Round(time.Second), x.checks)

	stop()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	x.dismiss(visitors...) // they come again at once, and would take the others' time
	x.settle()
}

func anything(string) error { return nil }

// momentQuery must answer "true" at any moment: a reader sees one state of each table, with every instant once.
const momentQuery = `select count(*) = count(distinct (user_id, device_id, measured_at)) from heart_rate`

func oneMoment(stdout string) error {
	if lines := strings.Fields(stdout); len(lines) == 0 || lines[len(lines)-1] != "true" {
		return fmt.Errorf("a reader saw an instant twice: %q", stdout)
	}
	return nil
}

func (x *torture) args(command string, more ...string) []string {
	return append([]string{command, "--home", x.home, "--brokers", x.brokers, "--flush-age", "200ms", "--log-format", "json"}, more...)
}

func (x *torture) journalFile() *os.File {
	f, err := os.Create(filepath.Join(x.dir, "journal.jsonl"))
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = f.Close() }) // every line is written when it is said
	return f
}

// keepSending sends some messages at a time until ctx ends.
func (p *producer) keepSending(ctx context.Context, n int, every time.Duration) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every * time.Duration(max(1, p.patience.Load()))):
		}
		if err := p.send(context.WithoutCancel(ctx), n); err != nil {
			return err
		}
	}
}

// waitForLake waits until somebody has made the home and opens it for looking.
func (x *torture) waitForLake() *checker.Checker {
	x.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := checker.Open(x.t.Context(), checker.Config{Ledger: filepath.Join(x.home, "ledger.db"), Lake: filepath.Join(x.home, "lake")})
		if err == nil {
			if found, err := c.Behind(x.t.Context(), checker.NewJournal(nil)); err == nil && len(found) == 0 {
				x.t.Cleanup(func() { _ = c.Close() }) // it only read
				return c
			}
			_ = c.Close() // the next one reads what is there then
		}
		if wrong := x.faults(); len(wrong) > 0 || time.Now().After(end) {
			x.t.Fatalf("nobody made the lake: %v; %v", err, wrong)
		}
	}
}

// age makes files that are some seconds old look hours old, so that sweeps find something to remove. What is younger
// belongs to commits that are under way.
func (x *torture) age(ctx context.Context) {
	const commitsTake = 90 * time.Second
	for ctx.Err() == nil {
		now := time.Now()
		_ = filepath.WalkDir(filepath.Join(x.home, "lake"), func(path string, d fs.DirEntry, err error) error { // what is gone meanwhile needs no ageing
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // as above
			}
			if info, err := d.Info(); err == nil && now.Sub(info.ModTime()) > commitsTake && now.Sub(info.ModTime()) < time.Hour {
				_ = os.Chtimes(path, time.Time{}, now.Add(-3*time.Hour))
			}
			return nil
		})
		time.Sleep(time.Second)
	}
}

// holdPin asks what was pinned last again, which a lease protects, and then pins what is there now.
func (x *torture) holdPin() {
	x.t.Helper()
	if x.pin != nil {
		found, err := x.pin.Check(x.t.Context())
		report(x.t, "asked again", found, err)
		x.lease("delete from lake_leases where owner = 'checker'")
	}
	x.lease("insert into lake_leases (lease_id, owner, taken_at_ms, expires_at_ms) values (?, 'checker', ?, ?)",
		strconv.FormatUint(x.dice.Uint64(), 36), time.Now().UnixMilli(), time.Now().Add(time.Hour).UnixMilli())
	var err error
	if x.pin, err = x.checker.Pin(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
}

// lease changes the list of leases.
func (x *torture) lease(statement string, args ...any) {
	x.t.Helper()
	db, err := ledger.Open(x.t.Context(), filepath.Join(x.home, "ledger.db"))
	if err != nil {
		x.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(x.t.Context(), statement, args...); err != nil {
		x.t.Fatal(err)
	}
}

// holdLedger keeps everybody from writing to the ledger, and so from committing, until what it returns is called.
func (x *torture) holdLedger() (release func()) {
	x.t.Helper()
	db, err := ledger.Open(x.t.Context(), filepath.Join(x.home, "ledger.db"))
	if err != nil {
		x.t.Fatal(err)
	}
	conn, err := db.Conn(x.t.Context())
	if err == nil {
		_, err = conn.ExecContext(x.t.Context(), "begin immediate")
	}
	if err != nil {
		x.t.Fatal(err)
	}
	return func() {
		_, err := conn.ExecContext(x.t.Context(), "rollback")
		if err := errors.Join(err, conn.Close(), db.Close()); err != nil {
			x.t.Error(err)
		}
	}
}

// look has the checker look at the lake as it is.
func (x *torture) look(after string) {
	x.t.Helper()
	x.checks++
	x.measure()
	var found []checker.Finding
	var err error
	if x.checks%15 == 0 {
		x.holdPin()
		found, err = x.checker.Check(x.t.Context(), x.journal)
	} else {
		found, err = x.checker.CheckFiles(x.t.Context(), x.journal)
	}
	report(x.t, "after "+after, found, err)
	wrong := x.faults()
	for _, what := range wrong {
		x.t.Errorf("after %s: %s", after, what)
	}
	if len(found) > 0 || len(wrong) > 0 {
		x.t.Fatalf("DIURNA_SEED=%d draws the same again", x.seed)
	}
}

// strikeEverywhere kills whoever comes by each failpoint.
func (x *torture) strikeEverywhere() {
	for _, name := range failpoints(x.t) {
		if slices.Contains(elsewhere(), name) {
			if test := armedBy(x.t, name); test != "" {
				x.t.Logf("failpoint %s is armed by %s", name, test)
			} else {
				x.t.Errorf("no test arms failpoint %s", name)
			}
			continue
		}
		x.strike(name)
		x.look("failpoint " + name)
	}
}

// elsewhere are the failpoints that none of the roles comes by. Tests of their own arm them.
func elsewhere() []string {
	return []string{"repair.mid", "gateway.before_publish", "gateway.after_publish", "requeue.before_record",
		"s3.put.before", "s3.put.lost_reply", "cache.fill"}
}

// armedBy returns the file of a test that arms a failpoint.
func armedBy(t *testing.T, name string) string {
	t.Helper()
	found := ""
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		if strings.Contains(string(read(t, path)), name+"=") {
			found = path
			return filepath.SkipAll
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// strike arms all roles with a failpoint and waits until one of them has died of it.
func (x *torture) strike(name string) {
	x.t.Helper()
	const attempts, patience = 4, 20 * time.Second
	began := time.Now()
	for attempt := 0; attempt < attempts && x.struckBy(name) == ""; attempt++ {
		for _, r := range x.roles {
			pass := max(0, x.dice.IntN(3)-attempt)
			if r.check != nil || name == "shutdown.seal" || name == "budget.exhausted" || strings.HasPrefix(name, "claim.") {
				pass = 0 // it comes by once
			}
			r.arm(name + "=kill@" + strconv.Itoa(pass))
		}
		if provoke := x.provoke(name); provoke != nil {
			provoke()
		}
		for end := time.Now().Add(patience); x.struckBy(name) == "" && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if by := x.struckBy(name); by == "" {
		x.t.Errorf("nobody came by failpoint %s", name)
	} else {
		x.t.Logf("failpoint %s killed %s after %s", name, by, time.Since(began).Round(100*time.Millisecond))
	}
	for _, r := range x.roles {
		r.disarm()
	}
}

func (x *torture) struckBy(name string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.struck[name]
}

// provoke returns what has to be done so that somebody comes by a failpoint; nil when work alone leads there.
func (x *torture) provoke(name string) func() {
	switch name {
	case "shutdown.seal":
		return func() {
			for _, r := range x.roles {
				if strings.HasPrefix(r.name, "ingest") {
					<-r.running()
					time.Sleep(2 * time.Second) // until it holds something
					r.signal(syscall.SIGTERM)
				}
			}
		}
	case "budget.exhausted":
		return func() {
			for _, r := range x.roles {
				<-r.running()
			}
			time.Sleep(2 * time.Second) // until the partitions are claimed, which is a commit as well
			defer x.holdLedger()()      // who cannot commit has to hold what comes: a message of each partition, and one more
			if err := x.sender.flood(x.t.Context(), 40); err != nil {
				x.t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
	case "gap.recorded":
		return func() { x.loseMessages() }
	case "expire.mid":
		return func() { // of readers that were killed: what they pin does not expire
			x.lease("delete from lake_leases where owner <> 'checker' and taken_at_ms < ?", time.Now().Add(-10*time.Second).UnixMilli())
			x.holdPin() // so that our own pin is of now, too
		}
	case "lease.expired":
		return func() { // of a reader that died long ago
			x.lease("insert into lake_leases (lease_id, owner, taken_at_ms, expires_at_ms) values (?, 'reader', 1, 2)", strconv.FormatUint(x.dice.Uint64(), 36))
		}
	default:
		return nil
	}
}

// loseMessages has the broker delete messages that nobody has read yet.
func (x *torture) loseMessages() {
	time.Sleep(time.Second) // the ingesters have begun
	for _, r := range x.roles {
		if strings.HasPrefix(r.name, "ingest") {
			<-r.running()
			r.signal(syscall.SIGSTOP)
		}
	}
	time.Sleep(500 * time.Millisecond)
	for p, end := range x.journal.Ends() {
		x.kafka.deleteBefore(x.t, p, end)
	}
	for _, r := range x.roles {
		if strings.HasPrefix(r.name, "ingest") {
			r.signal(syscall.SIGCONT)
		}
	}
}

// running returns a channel that is closed as soon as the role has a process.
func (r *role) running() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up
}

// strikeAtRandom kills and freezes.
func (x *torture) strikeAtRandom(kills int) {
	for x.kills < kills {
		time.Sleep(time.Duration(x.dice.IntN(300)) * time.Millisecond)
		r := x.roles[x.dice.IntN(len(x.roles))]
		switch dice := x.dice.IntN(12); {
		case dice < 2:
			x.freezes++
			r.freeze(time.Duration(50+x.dice.IntN(1500)) * time.Millisecond)
			x.look("freezing " + r.name)
		case dice == 2:
			x.freezes++
			go r.freeze(5 * time.Second) // long enough for another to take its place
		case dice == 3:
			x.kafka.disturb(x.t, x.dice) // I15
		default:
			x.kills++
			r.kill()
			if x.kills%2 == 0 { // two in a row, now and then
				x.look("killing " + r.name)
			}
		}
	}
}

// settle lets everybody work in peace until all is done, and looks at what has come of it.
func (x *torture) settle() {
	t := x.t
	began := time.Now()
	waitCaughtUp(t, x.checker, x.journal, 2*time.Minute)
	t.Logf("caught up with %d messages %s after the last fault", x.journal.Len(), time.Since(began).Round(100*time.Millisecond))
	x.dismiss()
	for _, wrong := range x.faults() {
		t.Error(wrong)
	}
	found, err := x.checker.CheckSettled(t.Context(), x.journal)
	report(t, "in the end", found, err)
	if x.usage.rssBytes > mostMemoryBytes || x.usage.openFiles > mostOpenFiles {
		t.Errorf("%s: %s took %d MiB of memory, and %s had %d files open; the most are %d MiB and %d", checker.Bounded, x.usage.rssRole,
			x.usage.rssBytes>>20, x.usage.filesRole, x.usage.openFiles, mostMemoryBytes>>20, mostOpenFiles)
	}
	t.Logf("the most a process took: %d MiB (%s), %d open files (%s); %d processes were started", x.usage.rssBytes>>20, x.usage.rssRole,
		x.usage.openFiles, x.usage.filesRole, x.starts)
	x.sweep()
}

// sweep has everything removed that nobody needs, and looks whether something of it is left, or more is gone.
func (x *torture) sweep() {
	t := x.t
	x.lease("delete from lake_leases")
	err := filepath.WalkDir(filepath.Join(x.home, "lake"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chtimes(path, time.Time{}, time.Now().Add(-3*time.Hour))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	diurna(t, "lake", "expire", "--home", x.home, "--keep-last", "1", "--keep-for", "0s", "--empty-trash")
	found, err := x.checker.Swept(t.Context(), 1)
	report(t, "swept", found, err)
	found, err = x.checker.CheckSettled(t.Context(), x.journal)
	report(t, "swept", found, err)
	if stdout, stderr, code := diurnaCode(t, "lake", "verify", "--home", x.home); code != 0 {
		t.Errorf("verify ends with %d: %s%s", code, stdout, stderr)
	}
}
