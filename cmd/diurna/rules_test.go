package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ruleBatch writes a sync batch of steps, a minute each, and returns its file.
func ruleBatch(t *testing.T, dir, id, device string, epoch, seq int, start string, steps ...int) string {
	t.Helper()
	return metricBatch(t, dir, id, device, epoch, seq, "steps", start, steps...)
}

func metricBatch(t *testing.T, dir, id, device string, epoch, seq int, metric, start string, values ...int) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"batch_id": id, "user_id": "ann", "device": map[string]any{"id": device, "epoch": epoch}, "seq": seq,
		"sent_at": "2026-03-02T09:00:00+01:00", "utc_offset": "+01:00",
		"series": []any{map[string]any{"metric": metric, "start": start, "period_ms": 60000, "values": values}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, id+".json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A growing prefix, a window read again over midnight, a backlog in chunks, a device that was reset and two devices at once
// come to the same days, whatever order they arrive in.
func TestTheDaysAreTheSameInEveryOrderOfArrival(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := []string{
		ruleBatch(t, dir, "prefix-1", "watch", 0, 1, "2026-03-01T10:00:00+01:00", 10),
		ruleBatch(t, dir, "prefix-2", "watch", 0, 2, "2026-03-01T10:00:00+01:00", 10, 20),
		ruleBatch(t, dir, "prefix-3", "watch", 0, 3, "2026-03-01T10:00:00+01:00", 10, 20, 30),
		ruleBatch(t, dir, "night-1", "watch", 0, 4, "2026-03-01T23:58:00+01:00", 1, 2),
		ruleBatch(t, dir, "night-2", "watch", 0, 5, "2026-03-01T23:58:00+01:00", 1, 2, 4, 8),
		ruleBatch(t, dir, "after-reset", "watch", 1, 1, "2026-03-01T10:02:00+01:00", 33), // newer than all before it
		ruleBatch(t, dir, "other-watch", "spare", 0, 1, "2026-03-01T10:00:00+01:00", 5),
	}
	orders := [][]int{{0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {4, 2, 6, 0, 5, 3, 1}}
	var first [][]string
	for i, order := range orders {
		home := filepath.Join(t.TempDir(), "home")
		for half := range 2 { // two processes, one after the other
			args := []string{"publish", "--home", home}
			for _, at := range order[half*3 : min(half*3+3+half, len(order))] {
				args = append(args, files[at])
			}
			diurna(t, args...)
		}
		days := query(t, home, "select local_date, step_count from activity_days order by local_date")
		if i == 0 {
			first = days
			// 5 (of one device alone: the other's 10 are not added), 20 and 33, then 1 + 2 before midnight; 4 + 8 after it.
			if diff := cmp.Diff([][]string{{"2026-03-01", "61"}, {"2026-03-02", "12"}}, days); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(first, days); diff != "" {
			t.Errorf("order %v (-first +this):\n%s", order, diff)
		}
		if samples := query(t, home, "select count(*) from steps"); samples[0][0] != "8" {
			t.Errorf("order %v: %s samples of both devices are kept, want 8", order, samples[0][0])
		}
	}
}

// A running counter that is read again and again, is reset, and stands beside a watch that sends steps on one of the days
// comes to the same days, whatever order its readings arrive in.
func TestARunningCounterComesToTheSameDaysInEveryOrderOfArrival(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	counter := func(id string, epoch, seq int, start string, values ...int) string {
		return metricBatch(t, dir, id, "phone", epoch, seq, "step_counter", start, values...)
	}
	files := []string{
		counter("morning", 0, 1, "2026-03-01T10:00:00+01:00", 70000, 70010),
		counter("morning-again", 0, 2, "2026-03-01T10:00:00+01:00", 70000, 70010, 70030),
		counter("after-reset", 1, 1, "2026-03-01T10:03:00+01:00", 5, 25),
		counter("over-midnight", 1, 2, "2026-03-01T23:59:00+01:00", 100, 107, 109),
		counter("beside-a-watch", 1, 3, "2026-03-02T10:00:00+01:00", 300, 340),
		ruleBatch(t, dir, "watch", "watch", 0, 1, "2026-03-02T10:00:00+01:00", 41),
	}
	// 10, 20, then 5 and 20 since the reset, 75 until 23:59; what was counted over midnight is of no date for certain. On
	// the second date the watch counted, and the phone's 2, 191 and 40 are not added.
	want := [][]string{{"2026-03-01", "130"}, {"2026-03-02", "41"}}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {3, 1, 5, 2, 0, 4}} {
		home := filepath.Join(t.TempDir(), "home")
		for half := range 2 { // two processes, one after the other
			args := []string{"publish", "--home", home}
			for _, at := range order[half*3 : half*3+3] {
				args = append(args, files[at])
			}
			diurna(t, args...)
		}
		days := query(t, home, "select local_date, step_count from activity_days order by local_date")
		if diff := cmp.Diff(want, days); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", order, diff)
		}
	}
}
