package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A part is one role in a process of its own.
type part struct {
	cmd *exec.Cmd
	web string

	mu  sync.Mutex
	log bytes.Buffer
}

// startPart starts a role and returns once it says where it answers.
func startPart(t *testing.T, environment []string, args ...string) *part {
	t.Helper()
	return startPartBy(t, exec.CommandContext(t.Context(), binary, args...), environment)
}

func startPartBy(t *testing.T, cmd *exec.Cmd, environment []string) *part {
	t.Helper()
	p := &part{cmd: cmd}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // when the test failed on the way; after stop it is gone
	lines := bufio.NewReader(out)
	for p.web == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("it ended before it said where it answers: %v\n%s", err, p.said())
		}
		if address, ok := strings.CutPrefix(line, "HTTP: "); ok {
			p.web = strings.TrimSpace(address)
		}
	}
	go io.Copy(io.Discard, lines) // keeps the pipe open until the process ends
	return p
}

// Write takes in what the process logs.
func (p *part) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *part) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// stop asks the process to end and returns its exit code and how long it took.
func (p *part) stop(t *testing.T) (code int, took time.Duration) {
	t.Helper()
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // the code says it
	return p.cmd.ProcessState.ExitCode(), time.Since(begun)
}

// get returns what the process answers.
func (p *part) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.web+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said())
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

func startBroker(t *testing.T, partitions int) (address string, topic *kafka.Topic) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", Partitions: partitions, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	topic, err = kafka.Open(t.Context(), kafka.Config{Brokers: []string{b.Addr()}, Topic: b.Topic()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		topic.Close()
		_ = b.Close()
	})
	return b.Addr(), topic
}

func send(t *testing.T, topic *kafka.Topic, records ...kafka.Record) {
	t.Helper()
	p := topic.Producer()
	defer p.Close()
	if _, err := p.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to this: " + what)
		}
	}
}

// received returns how many messages the processes have committed.
func received(t *testing.T, parts ...*part) (n int) {
	t.Helper()
	for _, p := range parts {
		_, body := p.get(t, "/metrics")
		n += int(metric(t, body, "diurna_ingest_messages_total"))
	}
	return n
}

func metric(t *testing.T, body, name string) float64 {
	t.Helper()
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestIngestAndBuildWorkAsProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	address, topic := startBroker(t, 4)
	home := filepath.Join(t.TempDir(), "home")
	common := []string{"--home", home, "--brokers", address, "--flush-age", "100ms", "--log-format", "json"}
	one := startPart(t, nil, append([]string{"ingest", "--group", "sharing"}, common...)...)
	two := startPart(t, nil, append([]string{"ingest", "--group", "sharing"}, common...)...)
	build := startPart(t, nil, append([]string{"build"}, common...)...)
	until(t, "both share the partitions", func() bool {
		_, a := one.get(t, "/metrics")
		_, b := two.get(t, "/metrics")
		const filling = `state="filling"} 1`
		return strings.Count(a, filling) == 2 && strings.Count(b, filling) == 2
	})
	for i := range 40 {
		send(t, topic, kafka.Record{Key: fmt.Sprint("u", i), Value: []byte(strings.ReplaceAll(stepsBatch("1", "07", "10"), "ann", fmt.Sprint("u", i)))})
	}
	until(t, "everything is built", func() bool {
		rows := query(t, home, "select count(*), sum(step_count) from activity_days")
		return rows[0][0] == "40" && rows[0][1] == "400"
	})
	if n := received(t, one, two); n != 40 {
		t.Errorf("they committed %d messages, want 40", n)
	}
	if _, stderr, code := diurnaCode(t, append([]string{"build"}, common...)...); code != 1 || !strings.Contains(stderr, "in use by another diurna") {
		t.Errorf("a second build ended with %d: %s", code, stderr)
	}
	for name, p := range map[string]*part{"one": one, "two": two, "build": build} {
		if code, _ := p.stop(t); code != 0 {
			t.Errorf("%s ended with %d\n%s", name, code, p.said())
		}
	}
}

func TestTwoIngestsOfEverythingAreRefusedUnlessTheyAreMeant(t *testing.T) {
	t.Parallel()
	address, topic := startBroker(t, 2)
	home := filepath.Join(t.TempDir(), "home")
	common := []string{"ingest", "--home", home, "--brokers", address, "--flush-age", "50ms", "--log-format", "json"}
	one := startPart(t, nil, common...)
	if _, stderr, code := diurnaCode(t, common...); code != 1 || !strings.Contains(stderr, "--group") {
		t.Errorf("a second ingest ended with %d: %s", code, stderr)
	}
	two := startPart(t, nil, append(common, "--ingest.own-all")...)
	for i := range 20 {
		send(t, topic, kafka.Record{Key: fmt.Sprint("u", i), Value: []byte(stepsBatch(strconv.Itoa(i), "07", "10"))})
	}
	until(t, "everything is committed", func() bool { return received(t, one, two) == 20 })
	for _, p := range []*part{one, two} {
		if code, _ := p.stop(t); code != 0 {
			t.Errorf("it ended with %d\n%s", code, p.said())
		}
	}
}

func TestTheFirstSignalLetsIngestFinishAndTheSecondDoesNot(t *testing.T) {
	t.Parallel()
	address, topic := startBroker(t, 1)
	home := filepath.Join(t.TempDir(), "home")
	common := []string{"ingest", "--home", home, "--brokers", address, "--flush-age", "1h", "--log-format", "json"}
	send(t, topic, kafka.Record{Key: "ann", Value: []byte(stepsBatch("1", "07", "10"))})

	polite := startPart(t, nil, common...)
	until(t, "a message is held", func() bool {
		_, body := polite.get(t, "/metrics")
		return metric(t, body, "diurna_ingest_memory_bytes") > 0
	})
	code, took := polite.stop(t)
	if code != 0 || took > 20*time.Second || !strings.Contains(polite.said(), `"msg":"committed","batches":1`) {
		t.Errorf("it ended with %d after %s, want what it held committed\n%s", code, took, polite.said())
	}

	send(t, topic, kafka.Record{Key: "ann", Value: []byte(stepsBatch("2", "08", "10"))})
	slow := startPart(t, []string{"DIURNA_FAILPOINTS=shutdown.seal=sleep:1m"}, common...)
	until(t, "a message is held", func() bool {
		_, body := slow.get(t, "/metrics")
		return metric(t, body, "diurna_ingest_memory_bytes") > 0
	})
	begun := time.Now()
	if err := slow.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // two signals at the same time are one
	_, _ = slow.stop(t)
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the second signal ended it after %s", took)
	}
	last := startPart(t, nil, append(common, "--flush-age", "50ms")...)
	until(t, "what was not written is read again", func() bool { return received(t, last) == 1 })
	if code, _ := last.stop(t); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// TestIngestKeepsToItsMemory has a backlog read that would take gigabytes if it were held.
func TestIngestKeepsToItsMemory(t *testing.T) {
	t.Parallel()
	address, topic := startBroker(t, 16)
	backlog := 0
	for i := range 160 {
		r := largeBatch(t, i)
		backlog += len(r.Value)
		send(t, topic, r)
	}
	home := filepath.Join(t.TempDir(), "home")
	in := startPart(t, []string{"DIURNA_INGEST_MEMORY=64MiB"}, "ingest", "--home", home, "--brokers", address, "--flush-age", "1m", "--log-format", "json")
	most := 0
	until(t, "most of the backlog is in bronze", func() bool {
		most = max(most, residentMiB(t, in.cmd.Process.Pid))
		return received(t, in) >= 110
	})
	if code, _ := in.stop(t); code != 0 {
		t.Errorf("it ended with %d\n%s", code, in.said())
	}
	t.Logf("%d MiB of memory at most for a backlog of %d MiB of messages", most, backlog>>20)
	if most > 448 {
		t.Errorf("it took %d MiB, want 448 at most: 64 for what is held and fetched, the rest for code, libraries and garbage", most)
	}
}

func residentMiB(t *testing.T, process int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if size, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(size), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return n >> 10
		}
	}
	t.Fatal("the process has no resident memory")
	return 0
}

// largeBatch is about a MiB on the wire, some four times that in rows, and nearly as much in pages.
func largeBatch(t *testing.T, n int) kafka.Record {
	t.Helper()
	user := fmt.Sprint("u", n)
	b := &syncv1.Batch{BatchID: fmt.Sprint("b", n), UserID: user, Device: syncv1.Device{ID: "watch", Kind: "watch"},
		Seq: uint64(n + 1), SentAtMS: 1_700_000_000_000, Source: syncv1.SourceNative}
	dice := rand.New(rand.NewPCG(uint64(n), 0))
	for day := range 60 {
		values := make([]int32, 17_280)
		for i := range values {
			values[i] = 90 + dice.Int32N(60)
		}
		b.Series = append(b.Series, syncv1.Series{Metric: schemas.HeartRate, StartMS: 1_690_000_000_000 + int64(day)*86_400_000,
			PeriodMS: 5000, Values: values})
	}
	value, err := syncv1.EncodeProto(b)
	if err != nil {
		t.Fatal(err)
	}
	return kafka.Record{Key: user, Value: value, ContentType: syncv1.ContentTypeProto}
}

// TestAFullDiskPausesIngestUntilThereIsRoom fills the small disk of an ingest that runs, and makes room again.
func TestAFullDiskPausesIngestUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if out, err := inNamespace(t, `mount -t tmpfs -o size=1m tmpfs "$2"`, disk); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("a small disk cannot be mounted: %v %s", err, out)
		}
		t.Skipf("this machine lets nobody mount a small disk: %v %s", err, out)
	}
	address, topic := startBroker(t, 2)
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", `mount -t tmpfs -o size=4m tmpfs "$2"
		exec "$1" ingest --home "$2/home" --brokers "$3" --flush-age 50ms --log-format json`, "sh", binary, disk, address)
	cmd.SysProcAttr = namespace()
	in := startPartBy(t, cmd, nil)
	sent := 0
	produce := func() {
		sent++
		send(t, topic, kafka.Record{Key: fmt.Sprint("u", sent), Value: []byte(stepsBatch(strconv.Itoa(sent), "07", "10"))})
	}
	produce()
	until(t, "the first message is in bronze", func() bool { return received(t, in) == sent })

	// The process's own view of its disk.
	filler := filepath.Join("/proc", strconv.Itoa(in.cmd.Process.Pid), "root", disk, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	produce()
	until(t, "it says that it is not ready", func() bool {
		code, body := in.get(t, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "disk_full")
	})
	if code, _ := in.get(t, "/healthz"); code != http.StatusOK {
		t.Error("it says that it is not alive")
	}
	if _, body := in.get(t, "/metrics"); metric(t, body, `diurna_ingest_paused{reason="disk_full"}`) != 2 {
		t.Error("the metric does not say that two partitions are paused")
	}
	produce()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	until(t, "it goes on", func() bool { return received(t, in) == sent })
	until(t, "it is ready again", func() bool {
		code, _ := in.get(t, "/readyz")
		return code == http.StatusOK
	})
	if code, _ := in.stop(t); code != 0 {
		t.Errorf("it ended with %d\n%s", code, in.said())
	}
}
