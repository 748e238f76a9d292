package main_test

import (
	"compress/gzip"
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fitabase returns the folder of the real export, or leaves the test out with a word when there is none.
func fitabase(t *testing.T) string {
	t.Helper()
	data := os.Getenv("DIURNA_TESTDATA")
	if data == "" {
		t.Skip("DIURNA_TESTDATA is not set: the facts of the real recordings are not checked")
	}
	return filepath.Join(data, "fitabase-fitbit-2016")
}

// table reads a file of the export into rows by header, independently of the importer.
func table(t *testing.T, dir, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]string, 0, len(all)-1)
	for _, record := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[column] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wall parses a wall time of the export and gives it in the form in which SQL prints one.
func wall(t *testing.T, s string) time.Time {
	t.Helper()
	for _, layout := range []string{"1/2/2006 3:04:05 PM", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time of the export", s)
	return time.Time{}
}

type figures struct{ Min, Max, Sum, Count int }

func (f figures) with(v int) figures {
	if f.Count == 0 || v < f.Min {
		f.Min = v
	}
	return figures{f.Min, max(f.Max, v), f.Sum + v, f.Count + 1}
}

func TestTheFactsOfTheFitabaseExportHoldAfterImport(t *testing.T) {
	t.Parallel()
	dir := fitabase(t)
	home := filepath.Join(t.TempDir(), "home")
	diurna(t, "import", "fitabase", dir, "--zone", "America/New_York", "--home", home)

	t.Run("steps of a day are the sum of its minutes", func(t *testing.T) {
		want := map[[2]string]figures{}
		for _, row := range table(t, dir, "minuteStepsWide_merged.csv.gz") {
			day := wall(t, row["ActivityHour"]).Format(time.DateOnly)
			for column, value := range row {
				if strings.HasPrefix(column, "Steps") && value != "" {
					key := [2]string{row["Id"], day}
					want[key] = want[key].with(atoi(t, value))
				}
			}
		}
		got := map[[2]string]figures{}
		for _, row := range query(t, home, "select user_id, local_date, step_count, sample_count from activity_days") {
			got[[2]string{row[0], row[1]}] = figures{Sum: atoi(t, row[2]), Count: atoi(t, row[3])}
		}
		for key, f := range want {
			want[key] = figures{Sum: f.Sum, Count: f.Count}
		}
		compareFacts(t, want, got, 600)
	})
	t.Run("steps of an hour are the export's own", func(t *testing.T) {
		got := map[[2]string]int{}
		for _, row := range query(t, home, `select user_id, date_trunc('hour', local_at), sum(value) from steps group by all`) {
			got[[2]string{row[0], row[1]}] = atoi(t, row[2])
		}
		both := 0
		for _, row := range table(t, dir, "hourlySteps_merged.csv.gz") {
			key := [2]string{row["Id"], wall(t, row["ActivityHour"]).Format("2006-01-02T15:04:05")}
			sum, ok := got[key]
			if !ok {
				continue // the minutes do not have it
			}
			both++
			if sum != atoi(t, row["StepTotal"]) {
				t.Errorf("an hour's minutes do not sum to the export's total")
			}
		}
		if both != 15_307 {
			t.Errorf("%d hours are in both, want 15,307", both)
		}
	})
	t.Run("heart rate of a day", func(t *testing.T) {
		want := map[[2]string]figures{}
		add := func(id, at, bpm string) {
			key := [2]string{id, wall(t, at).Format(time.DateOnly)}
			want[key] = want[key].with(atoi(t, bpm))
		}
		for _, row := range table(t, dir, "heartrate_minute_4users_derived.csv.gz") {
			add(row["Id"], row["minute"], row["hr_bpm"])
		}
		for _, row := range table(t, dir, "heartrate_seconds_part_8877689391-2016-05-10.csv.gz") {
			add(row["Id"], row["Time"], row["Value"])
		}
		got := map[[2]string]figures{}
		for _, row := range query(t, home, `
			select user_id, local_date, heart_rate_min_bpm, heart_rate_max_bpm, sample_count + refused_count from heart_rate_days`) {
			got[[2]string{row[0], row[1]}] = figures{Min: atoi(t, row[2]), Max: atoi(t, row[3]), Count: atoi(t, row[4])}
		}
		for key, f := range want {
			want[key] = figures{Min: f.Min, Max: f.Max, Count: f.Count}
		}
		compareFacts(t, want, got, 90)
	})
	t.Run("sleep of a night", func(t *testing.T) {
		want := map[[2]string]figures{}
		for _, row := range table(t, dir, "sleepDay_merged.csv.gz") {
			key := [2]string{row["Id"], wall(t, row["SleepDay"]).Format(time.DateOnly)}
			want[key] = figures{Sum: atoi(t, row["TotalMinutesAsleep"]), Max: atoi(t, row["TotalTimeInBed"]), Count: atoi(t, row["TotalSleepRecords"])}
		}
		got := map[[2]string]figures{}
		for _, row := range query(t, home, `select user_id, night_date, cast(total_sleep_time_min as integer), cast(time_in_bed_min as integer),
			record_count, source, sleep_onset_at, sleep_offset_at, sleep_onset_latency_min from sleep_nights`) {
			got[[2]string{row[0], row[1]}] = figures{Sum: atoi(t, row[2]), Max: atoi(t, row[3]), Count: atoi(t, row[4])}
			if row[5] != "summary" || row[6] != "" || row[7] != "" || row[8] != "" {
				t.Errorf("a night of which only sums are known says more than that")
			}
		}
		compareFacts(t, want, got, 300)
	})
	t.Run("cadence of a day is that of its minutes", func(t *testing.T) { fitabaseCadence(t, dir, home) })
	t.Run("hours of activity are the export's own", func(t *testing.T) { fitabaseHours(t, dir, home) })
	t.Run("weight and fat of a day", func(t *testing.T) { fitabaseBody(t, dir, home) })
	t.Run("a second import cut differently changes no row of gold", func(t *testing.T) {
		before := gold(t, home)
		diurna(t, "import", "fitabase", dir, "--zone", "America/New_York", "--home", home, "--batch-hours", "5")
		compareGold(t, "after it", before, gold(t, home))
	})
}

// compareFacts compares figures by person and day without printing whose they are.
func compareFacts(t *testing.T, want, got map[[2]string]figures, atLeast int) {
	t.Helper()
	if len(want) < atLeast {
		t.Fatalf("the export has %d person-days: too few to prove anything", len(want))
	}
	if !maps.Equal(want, got) {
		wrong := 0
		for key, f := range want {
			if got[key] != f {
				wrong++
			}
		}
		t.Errorf("%d of %d person-days differ; %d were built: %s", wrong, len(want), len(got), cmp.Diff(len(want), len(got)))
	}
}
