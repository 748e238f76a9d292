package ingest

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the rules are Go's own where the machine has none

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// zoneNames lists the zones of the tz database: Go's own copy, or else the machine's.
func zoneNames(t *testing.T) []string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err == nil {
		file := filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip")
		if archive, err := zip.OpenReader(file); err == nil {
			defer archive.Close()
			var names []string
			for _, f := range archive.File {
				if !f.FileInfo().IsDir() {
					names = append(names, f.Name)
				}
			}
			return names
		}
	}
	var names []string
	const folder = "/usr/share/zoneinfo"
	err = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if _, err := time.LoadLocation(name); err == nil && !strings.HasPrefix(name, "right/") && !strings.HasPrefix(name, "posix/") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("there is no tz database to read names from: %v", err)
	}
	return names
}

// clockChanges lists the instants at which the zone's offset changes, from 2015 to 2035.
func clockChanges(zone *time.Location) []time.Time {
	var all []time.Time
	for at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() || end.Year() > 2035 {
			return all
		}
		_, before := end.Add(-time.Second).In(zone).Zone()
		if _, after := end.In(zone).Zone(); before != after { // else the name alone changes
			all = append(all, end)
		}
		at = end
	}
}

// offsetMin is the offset on the wall clock, as a watch records it.
func offsetMin(t *testing.T, at time.Time) int32 {
	t.Helper()
	_, s := at.Zone()
	if s%60 != 0 {
		t.Fatalf("at %s the offset is %d s", at, s)
	}
	return int32(s / 60)
}

// minutesOf makes one series for each stretch of minutes with one offset, the way watches record over a change of clocks.
func minutesOf(first, end time.Time, offsetAt func(time.Time) int32) []syncv1.Series {
	var all []syncv1.Series
	for at := first; at.Before(end); at = at.Add(time.Minute) {
		offset := offsetAt(at)
		if len(all) == 0 || all[len(all)-1].OffsetMin != offset {
			all = append(all, syncv1.Series{Metric: schemas.HeartRate, StartMS: at.UnixMilli(), OffsetMin: offset, PeriodMS: 60_000})
		}
		s := &all[len(all)-1]
		s.Values = append(s.Values, valueAt(at.Unix()/60))
	}
	return all
}

// valueAt gives neighbouring minutes different values.
func valueAt(minute int64) int32 { return 30 + int32(minute%211) }

// A localMinute is a sample as bronze has it.
type localMinute struct {
	date      schemas.Date
	offsetMin int32
	isThere   bool
}

// localMinutes takes the rows apart into the minutes since the first. Nothing may be lost, doubled or moved.
func localMinutes(t *testing.T, name string, series []syncv1.Series, first, end time.Time) []localMinute {
	t.Helper()
	b := emptyBatch()
	b.Series = series
	firstMinute := first.Unix() / 60
	got, n := make([]localMinute, int(end.Sub(first)/time.Minute)), 0
	for _, row := range Rows(b, Position{BrokerAtMS: end.UnixMilli()}, 1)[1:] {
		if row.Kind != schemas.KindSeries {
			t.Fatalf("%s: a row is of kind %s", name, row.Kind)
		}
		for i, v := range row.Values {
			offset := row.OffsetsMS[0] + int32(i)*row.PeriodMS
			if offset < 0 || offset >= hourMS {
				t.Fatalf("%s: a sample lies %d ms from the start of its hour", name, offset)
			}
			minute := (*row.HourAt/1000 + int64(offset)) / 60_000
			if got[minute-firstMinute].isThere {
				t.Fatalf("%s: a minute is there twice", name)
			}
			if v != valueAt(minute) {
				t.Fatalf("%s: minute %d has the value of another", name, minute)
			}
			got[minute-firstMinute] = localMinute{schemas.Date(*row.LocalDate), row.UTCOffsetMin, true}
			n++
		}
	}
	if n != len(got) {
		t.Fatalf("%s: %d minutes came out of %d", name, n, len(got))
	}
	return got
}

// Over every change of every clock on Earth, minutes are dated as the clock on the wall dates them.
func TestEveryTransitionOfEveryZoneIsDatedByTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	names := zoneNames(t)
	if len(names) < 400 {
		t.Fatalf("the tz database has %d zones", len(names))
	}
	seen := map[string]bool{} // many zones share a change
	lengths := map[int]int{}  // minutes of the local day with the change in it: how often
	count := 0
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range clockChanges(zone) {
			count++
			local := at.Add(-time.Minute).In(zone)
			first, end := at.Add(-27*time.Hour), at.Add(27*time.Hour) // both dates about it, whole
			key := fmt.Sprint(at.Unix(), offsetMin(t, local), offsetMin(t, at.In(zone)))
			if seen[key] {
				continue
			}
			seen[key] = true
			what := fmt.Sprintf("%s at %s", name, at.UTC().Format(time.RFC3339))
			offsetAt := func(at time.Time) int32 { return offsetMin(t, at.In(zone)) }
			got := localMinutes(t, what, minutesOf(first, end, offsetAt), first, end)
			days := map[schemas.Date]int{}
			for i, m := range got {
				wall := first.Add(time.Duration(i) * time.Minute).In(zone)
				if want := schemas.NewDate(wall.Date()); m.date != want || m.offsetMin != offsetMin(t, wall) {
					t.Fatalf("%s: %s is dated %s at %d min", what, wall, m.date, m.offsetMin)
				}
				days[m.date]++
			}
			before, after := offsetMin(t, local), offsetMin(t, at.In(zone))
			lengths[days[schemas.NewDate(local.Date())]]++
			// The dates about the change are together as much shorter as the clock was put forward.
			from, to := schemas.NewDate(local.Date()), schemas.NewDate(at.In(zone).Date())
			dates, sum := 0, 0
			for d := from; d <= to; d++ {
				dates++
				sum += days[d]
			}
			if sum != dates*1440-int(after-before) {
				t.Fatalf("%s: %d dates about the change last %d min", what, dates, sum)
			}
		}
	}
	if count < 5000 || len(seen) < 500 {
		t.Fatalf("there were %d changes in %d zones, %d of them different", count, len(names), len(seen))
	}
	for _, length := range []int{23 * 60, 24 * 60, 25 * 60, 23*60 + 30, 24*60 + 30} {
		if lengths[length] == 0 {
			t.Errorf("no local day of %d min was among them: %v", length, lengths)
		}
	}
	t.Logf("%d zones, %d changes of clocks, %d different; local days by length in minutes: %v", len(names), count, len(seen), lengths)
}

func TestE079LocalDaysAreAsLongAsTheirMinutes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, date string
		hours      float64
	}{
		{"Europe/Berlin", "2024-03-31", 23}, {"Europe/Berlin", "2024-10-27", 25}, {"America/New_York", "2024-11-03", 25},
		{"Asia/Kolkata", "2024-03-31", 24}, {"Australia/Lord_Howe", "2024-10-06", 23.5}, {"Australia/Lord_Howe", "2024-04-07", 24.5},
		{"Asia/Beirut", "2023-03-26", 23}, {"Africa/Cairo", "2023-04-28", 23}, {"Africa/Cairo", "2023-10-26", 25},
		{"America/Santiago", "2022-09-11", 23}, // clocks go forward at midnight: the day begins at 01:00
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := schemas.ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := day.Civil()
		noon := time.Date(y, m, d, 12, 0, 0, 0, zone)
		first, end := noon.Add(-30*time.Hour), noon.Add(30*time.Hour)
		n := 0
		for _, at := range localMinutes(t, c.zone, minutesOf(first, end, func(at time.Time) int32 { return offsetMin(t, at.In(zone)) }), first, end) {
			if at.date == day {
				n++
			}
		}
		if float64(n) != c.hours*60 {
			t.Errorf("%s in %s has %d minutes, want %v h", c.date, c.zone, n, c.hours)
		}
	}
	// Samoa left out 30 December 2011, before the time gate: from the 29th at 24:00 it was the 31st.
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for at := time.Date(2011, 12, 29, 0, 0, 0, 0, apia); len(n) < 3; at = at.Add(time.Minute) {
		n[schemas.DateOf(at.UnixMilli(), offsetMin(t, at)).String()]++
	}
	if n["2011-12-29"] != 24*60 || n["2011-12-30"] != 0 || n["2011-12-31"] != 24*60 {
		t.Errorf("the days of Samoa about its lost date have %v minutes", n)
	}
}

// A traveller's clock jumps: days of 15 to 48 hours, a date that is lived twice and one that never comes.
func TestTravelDaysLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		at                string // when the watch takes the new offset
		from, to          int32
		date              string
		hours             float64 // of that date
		longest, shortest float64
	}{
		{"Berlin to New York", "2025-06-01T15:00:00Z", 120, -240, "2025-06-01", 30, 30, 24},
		{"New York to Berlin", "2025-06-01T22:00:00Z", -240, 120, "2025-06-01", 22 - 4, 24, 18},
		{"Tokyo to Honolulu, a date lived nearly twice", "2025-06-01T13:00:00Z", 540, -600, "2025-06-01", 43, 43, 24},
		{"Kiritimati to Baker Island, over the date line", "2025-06-01T10:00:00Z", 840, -720, "2025-06-01", 48, 48, 24},
		{"Honolulu to Tokyo", "2025-06-01T20:00:00Z", -600, 540, "2025-06-01", 10, 24, 10},
		{"Midway to Apia at midnight: the date after never comes", "2025-06-02T11:00:00Z", -660, 780, "2025-06-02", 0, 24, 24},
		{"Apia to Midway at midnight: the date comes again whole", "2025-06-02T11:00:00Z", 780, -660, "2025-06-02", 48, 48, 24},
		{"Lord Howe to Chatham", "2025-06-01T09:45:00Z", 630, 765, "2025-06-01", 21.75, 24, 21.75},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		offsetAt := func(minute time.Time) int32 {
			if minute.Before(at) {
				return c.from
			}
			return c.to
		}
		// From a midnight of the old clock to one of the new: every date in between is whole.
		first := time.Date(2025, 5, 30, 0, -int(c.from), 0, 0, time.UTC)
		end := time.Date(2025, 6, 6, 0, -int(c.to), 0, 0, time.UTC)
		days := map[string]int{}
		for i, m := range localMinutes(t, c.name, minutesOf(first, end, offsetAt), first, end) {
			days[m.date.String()]++
			minute := first.Add(time.Duration(i) * time.Minute)
			wall := minute.In(time.FixedZone("", 60*int(offsetAt(minute))))
			if m.date != schemas.NewDate(wall.Date()) {
				t.Fatalf("%s: %s is dated %s", c.name, wall, m.date)
			}
		}
		lengths := []int{}
		for _, n := range days {
			lengths = append(lengths, n)
		}
		if got := float64(days[c.date]) / 60; got != c.hours {
			t.Errorf("%s: %s has %v h, want %v: %v", c.name, c.date, got, c.hours, days)
		}
		if got := float64(slices.Max(lengths)) / 60; got != c.longest {
			t.Errorf("%s: the longest day has %v h, want %v", c.name, got, c.longest)
		}
		if got := float64(slices.Min(lengths)) / 60; got != c.shortest {
			t.Errorf("%s: the shortest day has %v h, want %v", c.name, got, c.shortest)
		}
	}
}

func TestE082OneInstantHasTheDateOfEachOffset(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 6, 1, 22, 30, 0, 0, time.UTC)
	for offset, want := range map[int32]string{120: "2025-06-02", -240: "2025-06-01", 540: "2025-06-02"} {
		got := localMinutes(t, "E082", minutesOf(at, at.Add(time.Minute), func(time.Time) int32 { return offset }), at, at.Add(time.Minute))
		if date := got[0].date.String(); date != want {
			t.Errorf("at %+d min it is %s, want %s", offset, date, want)
		}
	}
}

func TestE078ANightOverAClockChangeLastsAsLongAsItLasts(t *testing.T) {
	t.Parallel()
	deep := schemas.StageDeep
	b := emptyBatch()
	b.SleepSegments = []syncv1.SleepSegment{{
		StartMS: ms("2024-03-30T23:00:00+01:00"), StartOffsetMin: 60, EndMS: ms("2024-03-31T07:00:00+02:00"), EndOffsetMin: 120, Stage: deep,
	}}
	row := Rows(b, Position{BrokerAtMS: ms("2024-04-01T00:00:00Z")}, 1)[1]
	if hours := float64(*row.EndAt-*row.StartAt) / 3.6e9; hours != 7 {
		t.Errorf("the night lasts %v h, want 7", hours)
	}
	if got := schemas.Date(*row.LocalDate).String(); got != "2024-03-31" {
		t.Errorf("the night is dated %s", got)
	}
}
