package fitabase

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/imports"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// This test holds the batches of a real export against sums taken from its files by other code: encoding/csv, and
// wall-clock text instead of instants.
func TestARealExportGivesWhatItsFilesSay(t *testing.T) {
	dir := realExport(t)
	got := readReal(t, dir, 6)
	if got.stats.Problems != 0 {
		t.Errorf("%d problems, the first: %s", got.stats.Problems, got.problems[0])
	}
	if got.stats.People != 23 {
		t.Errorf("%d people, want 23", got.stats.People)
	}
	t.Run("steps", func(t *testing.T) { checkWide(t, dir, "minuteStepsWide_merged.csv.gz", got, "steps") })
	t.Run("intensities", func(t *testing.T) { checkWide(t, dir, "minuteIntensitiesWide_merged.csv.gz", got, "intensity") })
	t.Run("steps by the hour", func(t *testing.T) { checkHourlySteps(t, dir, got) })
	t.Run("heart rate", func(t *testing.T) { checkHeartRate(t, dir, got) })
	t.Run("sleep and weight", func(t *testing.T) { checkSleepAndWeight(t, dir, got) })
	t.Run("batches cut differently", func(t *testing.T) {
		want, other := inOrder(got.batches), inOrder(readReal(t, dir, 17).batches)
		if len(want) != len(other) {
			t.Errorf("%d series of samples, %d when cut differently", len(want), len(other))
		}
		for key := range want {
			if !slices.Equal(want[key], other[key]) {
				t.Errorf("%s of one person: %d samples, cut differently they are %d others", key.metric, len(want[key]), len(other[key]))
			}
		}
	})
}

func checkWide(t *testing.T, dir, file string, got result, metric string) {
	t.Helper()
	wantDays, wantHours := map[string]figures{}, map[string]figures{}
	for _, row := range table(t, dir, file) {
		hour := usTime(t, row[1])
		day, hourText := row[0]+" "+hour.Format(time.DateOnly), row[0]+" "+hour.Format(hourLayout)
		for _, cell := range row[2:] {
			v := number(t, cell)
			add(wantDays, day, v)
			add(wantHours, hourText, v)
		}
	}
	if len(wantDays) < 600 {
		t.Fatalf("%s has %d user-days only", file, len(wantDays))
	}
	if diff := cmp.Diff(wantDays, figuresOf(got, metric, time.DateOnly)); diff != "" {
		t.Errorf("by day: %s", diff)
	}
	if diff := cmp.Diff(wantHours, figuresOf(got, metric, hourLayout)); diff != "" {
		t.Errorf("by hour: %s", diff)
	}
}

func checkHourlySteps(t *testing.T, dir string, got result) {
	t.Helper()
	hours := figuresOf(got, "steps", hourLayout)
	both := 0
	for _, row := range table(t, dir, "hourlySteps_merged.csv.gz") {
		f, ok := hours[row[0]+" "+usTime(t, row[1]).Format(hourLayout)]
		if !ok {
			continue
		}
		both++
		if f.Sum != number(t, row[2]) {
			t.Errorf("an hour of %s has %d steps, hourlySteps says %s", row[1], f.Sum, row[2])
		}
	}
	if both != 15_307 {
		t.Errorf("%d user-hours are in both files, want 15307", both)
	}
}

func checkHeartRate(t *testing.T, dir string, got result) {
	t.Helper()
	want := map[string]figures{}
	for _, row := range table(t, dir, "heartrate_minute_4users_derived.csv.gz") {
		add(want, row[0]+" "+row[1][:len(time.DateOnly)], number(t, row[2]))
	}
	for _, row := range table(t, dir, "heartrate_seconds_part_8877689391-2016-05-10.csv.gz") {
		add(want, row[0]+" "+usTime(t, row[1]).Format(time.DateOnly), number(t, row[2]))
	}
	if diff := cmp.Diff(want, figuresOf(got, "heart_rate", time.DateOnly)); diff != "" {
		t.Error(diff)
	}
}

func checkSleepAndWeight(t *testing.T, dir string, r result) {
	t.Helper()
	want := map[string]int{}
	for _, row := range table(t, dir, "sleepDay_merged.csv.gz") {
		date := row[0] + " " + usTime(t, row[1]).Format(time.DateOnly)
		for i, metric := range []string{"sleep_record_count", "total_sleep_time", "time_in_bed"} {
			want[date+" "+metric] = number(t, row[2+i])
		}
	}
	for _, row := range table(t, dir, "weightLogInfo_merged.csv.gz") {
		at := row[0] + " " + usTime(t, row[1]).Format(time.DateTime) + " " + strings.ToLower(row[6])
		kg, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		want[at+" body_weight"] = int(math.Floor(kg*1000 + 0.5))
		if row[4] != "" {
			want[at+" body_fat"] = 10 * number(t, row[4])
		}
	}

	got := map[string]int{}
	for _, b := range r.batches {
		for _, d := range b.DailySummaries {
			got[b.UserID+" "+time.Unix(int64(d.LocalDate)*86400, 0).UTC().Format(time.DateOnly)+" "+d.Metric] = int(d.Value)
		}
		for _, r := range b.Readings {
			at := time.UnixMilli(r.AtMS + int64(r.OffsetMin)*60_000).UTC().Format(time.DateTime)
			got[b.UserID+" "+at+" "+strconv.FormatBool(b.Source == syncv1.SourceManual)+" "+r.Metric] = int(r.Value)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const hourLayout = "2006-01-02 15"

// realExport returns the folder of the real export.
func realExport(t *testing.T) string {
	t.Helper()
	root := os.Getenv("DIURNA_TESTDATA")
	if root == "" {
		t.Skip("DIURNA_TESTDATA is not set: the facts of the real Fitabase export are not checked")
	}
	return filepath.Join(root, "fitabase-fitbit-2016")
}

func readReal(t *testing.T, dir string, hours int) result {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return readDir(t, imports.Options{Dir: dir, Zone: zone, BatchHours: hours})
}

// table returns the rows of a file of the export, without the header.
func table(t *testing.T, dir, name string) [][]string {
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
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 2 {
		t.Fatalf("%s has no rows", name)
	}
	return rows[1:]
}

// figures are what is compared: no mean, so that nothing is rounded.
type figures struct{ N, Sum, Min, Max int }

func add(all map[string]figures, key string, v int) {
	f, ok := all[key]
	if !ok {
		f.Min, f.Max = v, v
	}
	all[key] = figures{f.N + 1, f.Sum + v, min(f.Min, v), max(f.Max, v)}
}

// figuresOf sums up the samples of a metric by person and by what layout leaves of the wall-clock time.
func figuresOf(r result, metric, layout string) map[string]figures {
	all := map[string]figures{}
	for key, samples := range inOrder(r.batches) {
		if key.metric != metric {
			continue
		}
		for _, s := range samples {
			add(all, key.user+" "+time.UnixMilli(s.atMS+int64(s.offsetMin)*60_000).UTC().Format(layout), int(s.value))
		}
	}
	return all
}

type seriesKey struct {
	user, metric string
	periodMS     int32
}

type placedValue struct {
	atMS             int64
	offsetMin, value int32
}

// inOrder returns the samples of the batches in the order in which they come.
func inOrder(batches []*syncv1.Batch) map[seriesKey][]placedValue {
	all := map[seriesKey][]placedValue{}
	for _, b := range batches {
		for i := range b.Series {
			s := &b.Series[i]
			key := seriesKey{b.UserID, s.Metric, s.PeriodMS}
			for j, v := range s.Values {
				all[key] = append(all[key], placedValue{s.TimeMS(j), s.OffsetMin, v})
			}
		}
	}
	return all
}

func usTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("1/2/2006 3:04:05 PM", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func number(t *testing.T, text string) int {
	t.Helper()
	v, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
