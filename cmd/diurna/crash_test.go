package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// writeExport makes a small export in the form of the Fitabase one: people with a month of minutes.
func writeExport(t *testing.T, people, days int) string {
	t.Helper()
	dir := t.TempDir()
	var steps, heart strings.Builder
	steps.WriteString("Id,ActivityHour")
	for minute := range 60 {
		fmt.Fprintf(&steps, ",Steps%02d", minute)
	}
	heart.WriteString("\nId,Time,Value\n"[1:])
	steps.WriteString("\n")
	start := time.Date(2016, 4, 12, 0, 0, 0, 0, time.UTC)
	for p := range people {
		for hour := range days * 24 {
			at := start.Add(time.Duration(hour) * time.Hour)
			fmt.Fprintf(&steps, "%d,%s", 1000+p, at.Format("1/2/2006 3:04:05 PM"))
			for minute := range 60 {
				fmt.Fprintf(&steps, ",%d", (p*7+hour*13+minute*3)%90)
			}
			steps.WriteString("\n")
			for second := 0; second < 3600; second += 10 {
				fmt.Fprintf(&heart, "%d,%s,%d\n", 1000+p, at.Add(time.Duration(second)*time.Second).Format("1/2/2006 3:04:05 PM"),
					55+(p+hour+second/10)%60)
			}
		}
	}
	for name, content := range map[string]string{
		"minuteStepsWide_merged.csv": steps.String(), "heartrate_seconds_merged.csv": heart.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestAnImportKilledAtAnyPointEndsInTheSameTables kills imports without warning at ten points after their first commit,
// while they receive, merge or build, imports again, and compares all of gold, and of silver the samples, with an import
// that nobody disturbed.
func TestAnImportKilledAtAnyPointEndsInTheSameTables(t *testing.T) {
	t.Parallel()
	export := writeExport(t, 3, 4)
	importInto := func(home string) []string {
		return []string{"import", "fitabase", export, "--zone", "Europe/Berlin", "--home", home,
			"--flush-age", "1ms", "--batch-hours", "1", "--log-format", "json"}
	}
	undisturbed := filepath.Join(t.TempDir(), "home")
	diurna(t, importInto(undisturbed)...)
	want, wantSamples := gold(t, undisturbed), samples(t, undisturbed)

	killed := 0
	for point := range 10 {
		t.Run(fmt.Sprint("point ", point), func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			if killAfterSteps(t, 1+point, importInto(home)) {
				killed++
			}
			diurna(t, importInto(home)...)
			compareGold(t, "imported again", want, gold(t, home))
			if gotSamples := samples(t, home); !slices.EqualFunc(wantSamples, gotSamples, slices.Equal[[]string]) {
				t.Errorf("samples differ: %v, want %v", gotSamples, wantSamples)
			}
		})
	}
	if killed < 9 {
		t.Errorf("only %d of 10 imports were killed on the way: the others were done before", killed)
	}
}

func samples(t *testing.T, home string) [][]string {
	t.Helper()
	return query(t, home, `select 'steps', count(*), count(distinct (user_id, device_id, measured_at)), sum(value) from steps
		union all select 'heart_rate', count(*), count(distinct (user_id, device_id, measured_at)), sum(value) from heart_rate order by all`)
}

// killAfterSteps starts the binary, sends it SIGKILL when it has logged its n-th durable step, and reports whether it was
// still running then.
func killAfterSteps(t *testing.T, n int, args []string) bool {
	t.Helper()
	state, stderr := signalAfterSteps(t, n, os.Kill, args)
	if state.Exited() && !state.Success() {
		t.Fatalf("import ended by itself: %v\n%s", state, stderr)
	}
	return !state.Exited()
}

// signalAfterSteps starts the binary, sends it a signal when it has logged its n-th durable step, and returns how it
// ended and what it wrote to its standard error.
func signalAfterSteps(t *testing.T, n int, signal os.Signal, args []string) (state *os.ProcessState, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	log := &stepWatcher{n: n, seen: make(chan struct{})}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its state says it
		close(done)
	}()
	select {
	case <-log.seen:
		_ = cmd.Process.Signal(signal) // it may have ended meanwhile
	case <-done:
	}
	<-done
	return cmd.ProcessState, log.text.String()
}

// A stepWatcher closes seen when the log has told of n durable steps, the first of which is a commit of bronze.
type stepWatcher struct {
	mu   sync.Mutex
	text bytes.Buffer
	n    int
	seen chan struct{}
}

func (w *stepWatcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	steps := 0
	for _, step := range []string{"committed", "merged", "built"} {
		steps += strings.Count(w.text.String(), `"msg":"`+step+`"`)
	}
	if w.n > 0 && steps >= w.n {
		w.n = 0
		close(w.seen)
	}
	return len(p), nil
}
