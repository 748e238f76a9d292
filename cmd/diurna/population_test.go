package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/population"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// TestTheFiguresOfAPopulationAreTheTruth sends a made-up population through the real binary, in order and shuffled, and
// compares every day, night, medal and place with the log of what is true.
func TestTheFiguresOfAPopulationAreTheTruth(t *testing.T) {
	t.Parallel()
	made, err := population.New(population.Config{
		Seed: 7, From: schemas.NewDate(2026, 9, 28), To: schemas.NewDate(2026, 11, 1), // clocks change both ways within
	})
	if err != nil {
		t.Fatal(err)
	}
	truth := made.Truth()
	for name, batches := range map[string]iter.Seq[*syncv1.Batch]{"in order": made.Batches(), "shuffled": made.Shuffle(3)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "home")
			diurna(t, "publish", "--home", home, "--log-level", "warn", writeBatches(t, batches))
			for table, want := range truthTables(truth) {
				compareTable(t, home, table, want)
			}
			comparePlaces(t, home, truth)
			compareMedals(t, home, truth)
		})
	}
}

func writeBatches(t *testing.T, batches iter.Seq[*syncv1.Batch]) string {
	t.Helper()
	var file bytes.Buffer
	for b := range batches {
		data, err := syncv1.EncodeJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		file.Write(data)
		file.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "batches.ndjson")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A truthTable is what a query must answer, by person and date.
type truthTable struct {
	query string
	rows  map[string][]string
}

func truthTables(truth *population.Truth) map[string]truthTable {
	tables := map[string]truthTable{
		"activity_days": {query: `select user_id, local_date, step_count, observed_min, active_hour_count, sedentary_min,
			light_activity_min, moderate_activity_min, vigorous_activity_min, moderate_equivalent_min from activity_days`},
		"heart_rate_days": {query: `select user_id, local_date, heart_rate_min_bpm, cast(heart_rate_mean_bpm as decimal(9, 4)),
			heart_rate_max_bpm, sample_count, measured_min from heart_rate_days`},
		"sleep_nights": {query: `select user_id, night_date, source, sleep_onset_at, sleep_offset_at, time_in_bed_min,
			total_sleep_time_min, sleep_onset_latency_min, wake_after_sleep_onset_min, light_min, deep_min, rem_min,
			awakening_count from sleep_nights`},
		"user_days": {query: `select user_id, local_date, worn_min, wear_source, is_valid_day, is_valid_night from user_days
			where has_steps or has_heart_rate or has_sleep`},
	}
	for name, table := range tables {
		table.rows = map[string][]string{}
		for _, d := range truth.Days {
			if row := truthRow(name, &d); row != nil {
				table.rows[d.UserID+" "+d.LocalDate.String()] = row
			}
		}
		tables[name] = table
	}
	return tables
}

func truthRow(table string, d *population.Day) []string {
	switch table {
	case "activity_days":
		if d.Steps == nil {
			return nil
		}
		row := texts(d.Steps.StepCount, d.Steps.ObservedMin, d.Steps.ActiveHourCount)
		if a := d.Activity; a != nil {
			return append(row, texts(a.SedentaryMin, a.LightActivityMin, a.ModerateActivityMin, a.VigorousActivityMin, a.ModerateEquivalentMin)...)
		}
		return append(row, "", "", "", "", "")
	case "heart_rate_days":
		if h := d.HeartRate; h != nil {
			return texts(h.MinBPM, strconv.FormatFloat(h.MeanBPM, 'f', 4, 64), h.MaxBPM, h.SampleCount, h.MeasuredMin)
		}
	case "sleep_nights":
		if n := d.Night; n != nil {
			return texts(n.Source, n.OnsetAt, n.OffsetAt, n.TimeInBedMin, n.TotalSleepTimeMin, n.SleepOnsetLatencyMin,
				n.WakeAfterSleepOnsetMin, n.LightMin, n.DeepMin, n.REMMin, n.AwakeningCount)
		}
	case "user_days":
		if d.Steps != nil || d.HeartRate != nil || d.Night != nil {
			worn := []string{"", ""}
			if d.Wear != nil {
				worn = texts(d.Wear.WornMin, d.Wear.WearSource)
			}
			return append(worn, texts(d.IsValidDay, d.IsValidNight)...)
		}
	}
	return nil
}

// texts writes values as a query answers them in CSV: nothing for what is missing.
func texts(values ...any) []string {
	row := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case *int:
			if v != nil {
				row[i] = strconv.Itoa(*v)
			}
		case *time.Time:
			if v != nil {
				row[i] = v.UTC().Format(time.RFC3339Nano)
			}
		default:
			row[i] = fmt.Sprint(v)
		}
	}
	return row
}

func compareTable(t *testing.T, home, table string, want truthTable) {
	t.Helper()
	got := map[string][]string{}
	for _, row := range query(t, home, want.query) {
		got[row[0]+" "+row[1]] = row[2:]
	}
	if len(want.rows) < 500 {
		t.Fatalf("%s: the truth has %d rows: too few to prove anything", table, len(want.rows))
	}
	if diff := cmp.Diff(want.rows, got); diff != "" {
		t.Errorf("%s differs from the truth (-want +got):\n%s", table, diff[:min(len(diff), 4000)])
	}
}

// comparePlaces compares the steps a board counts with the truth, for everybody whose steps are all their own.
func comparePlaces(t *testing.T, home string, truth *population.Truth) {
	t.Helper()
	week := schemas.ISOWeekOf(schemas.NewDate(2026, 10, 21))
	counted, shaken := map[string]int64{}, map[string]bool{}
	for _, d := range truth.Days {
		if d.Steps != nil && week.Contains(d.LocalDate) {
			counted[d.UserID] += min(d.Steps.StepCount, 40_000)
			shaken[d.UserID] = shaken[d.UserID] || d.Steps.ShakenStepCount > 0
		}
	}
	compared := 0
	for _, p := range truth.People {
		var view struct {
			Me *struct {
				Value *int64 `json:"value"`
			} `json:"me"`
		}
		answer := diurna(t, "ranking", "--home", home, "--board", "steps-week", "--period", week.String(), "--user", p.UserID, "--format", "json")
		if err := json.Unmarshal([]byte(answer), &view); err != nil {
			t.Fatal(err)
		}
		switch {
		case !p.OptedIn():
			if view.Me != nil && view.Me.Value != nil {
				t.Errorf("somebody who takes no part has a place")
			}
		case shaken[p.UserID] || counted[p.UserID] == 0:
		case view.Me == nil || view.Me.Value == nil:
			t.Errorf("%s: no place, want %d steps", p.Role, counted[p.UserID])
		default:
			compared++
			if *view.Me.Value != counted[p.UserID] {
				t.Errorf("%s: the board counts %d steps, want %d", p.Role, *view.Me.Value, counted[p.UserID])
			}
		}
	}
	if compared < 10 {
		t.Errorf("only %d places could be compared", compared)
	}
}

// compareMedals counts the days of 10,000 steps in the truth and on everybody's wall.
func compareMedals(t *testing.T, home string, truth *population.Truth) {
	t.Helper()
	want := map[string]int{}
	for _, d := range truth.Days {
		if d.Steps != nil && d.IsValidDay && d.Steps.StepCount >= 10_000 { // a day hardly worn is no data
			want[d.UserID]++
		}
	}
	total := 0
	for _, p := range truth.People {
		var wall struct {
			Awards []struct {
				Medal string `json:"medal"`
				Level int64  `json:"level"`
			} `json:"awards"`
		}
		if err := json.Unmarshal([]byte(diurna(t, "medals", "--home", home, "--user", p.UserID, "--format", "json")), &wall); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, a := range wall.Awards {
			if a.Medal == "daily_stride" && a.Level == 10_000 {
				got++
			}
		}
		total += got
		if got != want[p.UserID] {
			t.Errorf("%s: %d medals for days of 10,000 steps, want %d", p.Role, got, want[p.UserID])
		}
	}
	if total < 50 {
		t.Errorf("%d such medals in all prove little", total)
	}
}
