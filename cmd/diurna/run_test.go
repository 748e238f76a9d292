package main_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// A running is a `diurna run` in another process.
type running struct {
	cmd     *exec.Cmd
	address string // of its broker
	web     string // where it answers over HTTP
}

func startRun(t *testing.T, home string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.CommandContext(t.Context(), binary, append([]string{"run", "--home", home, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}, args...)...)}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // when the test failed on the way; after interrupt it is gone
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("run said %q and ended: %v", line, err)
	}
	r.address, _, _ = strings.Cut(strings.TrimPrefix(line, "Kafka: "), ",")
	if line, err = lines.ReadString('\n'); err != nil {
		t.Fatalf("run said %q and ended: %v", line, err)
	}
	r.web = strings.TrimSpace(strings.TrimPrefix(line, "HTTP: "))
	go io.Copy(io.Discard, lines) // keeps the pipe open until the process ends
	return r
}

// interrupt presses Ctrl-C and returns the exit code.
func (r *running) interrupt(t *testing.T) int {
	t.Helper()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait() // the code says it
	return r.cmd.ProcessState.ExitCode()
}

// produce sends a batch with a Kafka client that knows nothing of Diurna.
func (r *running) produce(t *testing.T, batch string) {
	t.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(r.address), Topic: "diurna.sync", RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafka.Message{Key: []byte("ann"), Value: []byte(batch)}); err != nil {
		t.Fatal(err)
	}
}

func stepsBatch(seq, hour, value string) string {
	return `{"batch_id":"b` + seq + `","user_id":"ann","device":{"id":"w"},"seq":` + seq + `,"sent_at":"2026-03-02T23:00:00Z","utc_offset":"Z",
		"series":[{"metric":"steps","start":"2026-03-02T` + hour + `:00:00Z","period_ms":60000,"values":[` + value + `]}]}`
}

func waitForSteps(t *testing.T, home, want string) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		rows := query(t, home, "select step_count from activity_days where user_id = 'ann'")
		if len(rows) == 1 && rows[0][0] == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the day has %v steps, want %s", rows, want)
		}
	}
}

func TestARunTakesWhatAnyKafkaClientSendsAndStopsCleanly(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	first := startRun(t, home, "--flush-age", "100ms")
	first.produce(t, stepsBatch("1", "07", "10"))
	waitForSteps(t, home, "10")

	// The home has one pipeline; whoever sends uses it.
	if _, stderr, code := diurnaCode(t, "run", "--home", home, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"); code != 1 || !strings.Contains(stderr, "this home is in use by another diurna") {
		t.Errorf("a second run ended with %d: %s", code, stderr)
	}
	file := filepath.Join(t.TempDir(), "batch.json")
	if err := os.WriteFile(file, []byte(stepsBatch("2", "08", "5")), 0o600); err != nil {
		t.Fatal(err)
	}
	diurna(t, "publish", "--home", home, file)
	waitForSteps(t, home, "15") // at once: publish waits until it is built
	export := writeExport(t, 1, 1)
	diurna(t, "import", "fitabase", export, "--zone", "Europe/Berlin", "--home", home)
	if rows := query(t, home, "select count(*) from activity_days"); rows[0][0] != "2" {
		t.Errorf("%s days after an import into a running home, want 2", rows[0][0])
	}
	if code := first.interrupt(t); code != 0 {
		t.Errorf("an interrupted run ended with %d, want 0", code)
	}

	// What the broker took and nobody has stored yet, the next run stores.
	second := startRun(t, home, "--flush-age", "1h")
	second.produce(t, stepsBatch("3", "09", "4"))
	if code := second.interrupt(t); code != 0 {
		t.Errorf("an interrupted run ended with %d, want 0", code)
	}
	third := startRun(t, home, "--flush-age", "100ms")
	waitForSteps(t, home, "19")
	if code := third.interrupt(t); code != 0 {
		t.Errorf("an interrupted run ended with %d, want 0", code)
	}
}

func TestAnInterruptedImportGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 3, 3)
	importInto := func(home string) []string {
		return []string{"import", "fitabase", export, "--zone", "Europe/Berlin", "--home", home,
			"--flush-age", "1ms", "--batch-hours", "1", "--log-format", "json"}
	}
	undisturbed := filepath.Join(t.TempDir(), "home")
	diurna(t, importInto(undisturbed)...)
	want, wantSamples := gold(t, undisturbed), samples(t, undisturbed)

	for _, steps := range []int{1, 4} {
		home := filepath.Join(t.TempDir(), "home")
		state, stderr := signalAfterSteps(t, steps, os.Interrupt, importInto(home))
		if state.ExitCode() != 1 || !strings.HasSuffix(stderr, "diurna: interrupted\n") {
			t.Errorf("an import interrupted after %d steps ended with %d: %s", steps, state.ExitCode(), stderr)
		}
		query(t, home, "from user_days") // the home answers
		diurna(t, importInto(home)...)
		compareGold(t, "after "+strconv.Itoa(steps)+" steps", want, gold(t, home))
		if gotSamples := samples(t, home); !slices.EqualFunc(wantSamples, gotSamples, slices.Equal[[]string]) {
			t.Errorf("samples differ: %v, want %v", gotSamples, wantSamples)
		}
	}
}

// get returns what an address answers.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestARunTellsItsOperatorHowItIs(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	r := startRun(t, home, "--flush-age", "50ms")
	r.produce(t, stepsBatch("1", "10", "7,8"))
	r.produce(t, `{"this is":"no batch"}`)
	waitForSteps(t, home, "15")
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, r.web+path); status != http.StatusOK || body != "ok\n" {
			t.Errorf("%s answers %d %q, want 200 ok", path, status, body)
		}
	}
	_, metrics := get(t, r.web+"/metrics")
	for _, want := range []string{
		"diurna_ingest_messages_total 2", "diurna_ingest_samples_total 2", `diurna_ingest_rejects_total{reason="future_ts"} 0`,
		`diurna_ingest_lag_messages{partition="0"} 0`, `diurna_step_seconds_count{step="commit"}`,
		"diurna_ingest_flush_age_seconds ", "diurna_ingest_bytes_per_sample ", `diurna_ingest_state{partition="0",state="filling"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	if strings.Contains(metrics, "ann") {
		t.Error("/metrics names a person")
	}
	if status, _ := get(t, r.web+"/v1/rankings"); status != http.StatusUnauthorized {
		t.Errorf("rankings without a token answer %d, want 401", status)
	}
	if code := r.interrupt(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}
