package fitabase

import (
	"bytes"
	order "cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's zones

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ingest/imports"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestEveryKindOfFileBecomesItsBatches(t *testing.T) {
	got := read(t, "UTC", 6, map[string]string{
		"heartrate_seconds_merged.csv": "Id,Time,Value\r\n1,4/12/2016 7:21:00 AM,97\r\n1,4/12/2016 7:21:05 AM,102\r\n1,4/12/2016 7:21:20 AM,105\r\n",
		"heart_by_minute.csv":          "Id,minute,hr_bpm,steps,intensity\n1,2016-04-12 06:00:00,61,99,9\n1,2016-04-12 06:01:00,62,99,9\n1,2016-04-12 06:03:00,63,99,9\n",
		"minuteStepsNarrow_merged.csv": "Id,ActivityMinute,Steps\n1,4/12/2016 12:00:00 PM,3\n1,4/12/2016 12:01:00 PM,0\n",
		"minuteIntensitiesNarrow.csv":  "Id,ActivityMinute,Intensity\n1,4/12/2016 12:00:00 PM,1\n",
		"sleepDay_merged.csv":          "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed,,,,\n1,4/12/2016 12:00:00 AM,2,400,431,,,,\n1,4/12/2016 12:00:00 AM,2,400,431,,,,\n",
		"weightLogInfo_merged.csv":     "Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId\n1,4/12/2016 11:59:59 PM,52.5999984741211,115.9,22,22.6,True,1\n1,4/12/2016 6:47:11 AM,133.5,294.3,,47.5,False,2\n",
		"hourlySteps_merged.csv":       "Id,ActivityHour,StepTotal\n1,4/12/2016 12:00:00 PM,3\n",
		"README.txt":                   "what this is\n",
	})
	at := func(hour, minute, second int) int64 {
		return time.Date(2016, 4, 12, hour, minute, second, 0, time.UTC).UnixMilli()
	}
	head := func(device syncv1.Device, source syncv1.Source, endHour int) syncv1.Batch {
		return syncv1.Batch{
			UserID: "1", Device: device, Source: source, TimeZone: "UTC",
			Seq: uint64(at(endHour, 0, 0) / 1000), SentAtMS: at(endHour, 5, 0),
		}
	}
	morning := head(watch(), syncv1.SourceNative, 12)
	morning.Series = []syncv1.Series{
		{Metric: "heart_rate", StartMS: at(6, 0, 0), PeriodMS: 60_000, AtMS: []int32{0, 60_000, 180_000}, Values: []int32{61, 62, 63}},
		{Metric: "heart_rate", StartMS: at(7, 21, 0), AtMS: []int32{0, 5_000, 20_000}, Values: []int32{97, 102, 105}},
	}
	weighed := head(scale(), syncv1.SourceNative, 12)
	weighed.Readings = []syncv1.Reading{{Metric: "body_weight", AtMS: at(6, 47, 11), Value: 133_500}}
	noon := head(watch(), syncv1.SourceNative, 18)
	noon.Series = []syncv1.Series{
		{Metric: "steps", StartMS: at(12, 0, 0), PeriodMS: 60_000, Values: []int32{3, 0}},
		{Metric: "intensity", StartMS: at(12, 0, 0), PeriodMS: 60_000, Values: []int32{1}},
	}
	noon.DailySummaries = []syncv1.DailySummary{
		{Metric: "sleep_record_count", LocalDate: 16903, Value: 2},
		{Metric: "time_in_bed", LocalDate: 16903, Value: 431},
		{Metric: "total_sleep_time", LocalDate: 16903, Value: 400},
	}
	typed := head(app(), syncv1.SourceManual, 24)
	typed.Readings = []syncv1.Reading{
		{Metric: "body_fat", AtMS: at(23, 59, 59), Value: 220},
		{Metric: "body_weight", AtMS: at(23, 59, 59), Value: 52_600},
	}
	want := []syncv1.Batch{morning, weighed, noon, typed}
	if diff := cmp.Diff(want, withoutIDs(got.batches)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string(nil), got.problems); diff != "" {
		t.Error(diff)
	}
	ids := map[string]bool{}
	for _, b := range got.batches {
		ids[b.BatchID] = true
	}
	if len(ids) != len(got.batches) {
		t.Errorf("%d batches have %d names", len(got.batches), len(ids))
	}
	wantStats := imports.Stats{
		Files: []string{"heart_by_minute.csv", "heartrate_seconds_merged.csv", "minuteIntensitiesNarrow.csv",
			"minuteStepsNarrow_merged.csv", "sleepDay_merged.csv", "weightLogInfo_merged.csv"},
		Skipped: []string{"README.txt", "hourlySteps_merged.csv"},
		People:  1, Batches: 4, Samples: 9, Readings: 3, DailySummaries: 3, Repeated: 3,
	}
	if diff := cmp.Diff(wantStats, got.stats); diff != "" {
		t.Error(diff)
	}
}

func TestAFileIsKnownByItsHeaderHoweverItIsPacked(t *testing.T) {
	plain := "Id,ActivityMinute,Steps\n1,4/12/2016 12:00:00 PM,3\n1,4/12/2016 12:01:00 PM,4\n"
	want := read(t, "UTC", 6, map[string]string{"a.csv": plain}).batches
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	if _, err := w.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"gzip":                        gz.String(),
		"with a byte order mark":      "\xef\xbb\xbf" + plain,
		"CRLF":                        strings.ReplaceAll(plain, "\n", "\r\n"),
		"no newline at the end":       strings.TrimSuffix(plain, "\n"),
		"empty columns at the end":    strings.ReplaceAll(plain, "\n", ",,,\n"),
		"other letters in the header": strings.Replace(plain, "ActivityMinute", "activityminute", 1),
		"quoted":                      strings.NewReplacer("Id", `"Id"`, "4/12/2016 12:00:00 PM", `"4/12/2016 12:00:00 PM"`).Replace(plain),
		"columns in another order":    "Steps,Id,ActivityMinute\n3,1,4/12/2016 12:00:00 PM\n4,1,4/12/2016 12:01:00 PM\n",
		"ISO times":                   strings.NewReplacer("4/12/2016 12:00:00 PM", "2016-04-12 12:00:00", "4/12/2016 12:01:00 PM", "2016-04-12T12:01:00").Replace(plain),
		"rows in another order":       "Id,ActivityMinute,Steps\n1,4/12/2016 12:01:00 PM,4\n1,4/12/2016 12:00:00 PM,3\n",
		"empty lines":                 strings.ReplaceAll(plain, "\n", "\n\n,,\n"),
		"empty lines, CRLF":           strings.ReplaceAll(plain, "\n", "\r\n\r\n"),
		"a row that comes twice":      plain + "1,4/12/2016 12:01:00 PM,4\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, "UTC", 6, map[string]string{"any name": content})
			if diff := cmp.Diff(want, got.batches); diff != "" {
				t.Error(diff)
			}
			if len(got.problems) > 0 {
				t.Errorf("problems: %q", got.problems)
			}
		})
	}
}

func TestABrokenRowIsReportedAndTheRestGoesOn(t *testing.T) {
	good := "1,4/12/2016 12:00:00 PM,3\n"
	for row, reason := range map[string]string{
		"1,4/12/2016 12:01:00 PM":                        "the row has 2 of 3 columns",
		"1,4/12/2016 12:01:00 PM,4,5":                    "the row has more than 3 columns",
		"1,4/12/2016 12:01:00 PM,four":                   "the value is not a whole number",
		"1,4/12/2016 12:01:00 PM,4.5":                    "the value is not a whole number",
		"1,4/12/2016 12:01:00 PM,99999999999":            "the value is not a whole number",
		"1,4/12/2016 12:01:30 PM,4":                      "the time is not a whole minute",
		"1,12.4.2016 12:01,4":                            "the time is not written as 4/12/2016 1:05:00 PM or 2016-04-12 13:05:00",
		"1,4/31/2016 12:01:00 PM,4":                      "the time is not written as 4/12/2016 1:05:00 PM or 2016-04-12 13:05:00",
		"1,4/12/0016 12:01:00 PM,4":                      "the year is not one in which a watch recorded",
		",4/12/2016 12:01:00 PM,4":                       "the Id is empty or has characters other than letters, digits, _ . and -",
		"a b,4/12/2016 12:01:00 PM,4":                    "the Id is empty or has characters other than letters, digits, _ . and -",
		strings.Repeat("9", 65) + ",4/12/2016 0:01,4":    "the Id is empty or has characters other than letters, digits, _ . and -",
		"\"1,4/12/2016 12:01:00 PM,4":                    "the Id is empty or has characters other than letters, digits, _ . and -",
		"1," + strings.Repeat("x", 2*maxLineBytes) + ",": "the line is too long for a row",
	} {
		got := read(t, "UTC", 6, map[string]string{"steps.csv": "Id,ActivityMinute,Steps\n" + row + "\n" + good})
		if diff := cmp.Diff([]string{"steps.csv:2: " + reason}, got.problems); diff != "" {
			t.Errorf("%.60q: %s", row, diff)
		}
		if got.stats.Samples != 1 || got.stats.Problems != 1 {
			t.Errorf("%.60q: %d samples and %d problems, want one of each", row, got.stats.Samples, got.stats.Problems)
		}
	}
}

func TestAWideRowGivesItsMinutesAndLeavesOutEmptyAndBrokenOnes(t *testing.T) {
	row := hourRow("1", "4/12/2016 1:00:00 PM", func(minute int) string {
		switch minute {
		case 7:
			return ""
		case 9:
			return "x"
		default:
			return fmt.Sprint(minute)
		}
	})
	got := read(t, "UTC", 6, map[string]string{"wide.csv": hourHeader("Steps") + row})
	if diff := cmp.Diff([]string{"wide.csv:2: minute 09 is not a whole number"}, got.problems); diff != "" {
		t.Error(diff)
	}
	start := time.Date(2016, 4, 12, 13, 0, 0, 0, time.UTC).UnixMilli()
	var want []sample
	for minute := range 60 {
		if minute != 7 && minute != 9 {
			want = append(want, sample{"1", "steps", start + int64(minute)*60_000, 60_000, 0, int32(minute)})
		}
	}
	if diff := cmp.Diff(want, samples(got.batches)); diff != "" {
		t.Error(diff)
	}
}

func TestTheClocksChangeWithinAWideFile(t *testing.T) {
	ones := func(int) string { return "1" }
	t.Run("Berlin, autumn: the hour that comes again lies an hour later", func(t *testing.T) {
		got := read(t, "Europe/Berlin", 24, map[string]string{"wide.csv": hourHeader("Steps") +
			hourRow("1", "10/30/2016 1:00:00 AM", ones) + hourRow("1", "10/30/2016 2:00:00 AM", ones) +
			hourRow("1", "10/30/2016 2:00:00 AM", ones) + hourRow("1", "10/30/2016 3:00:00 AM", ones) +
			hourRow("2", "10/30/2016 2:00:00 AM", ones)})
		start := time.Date(2016, 10, 29, 23, 0, 0, 0, time.UTC).UnixMilli()
		checkMinutes(t, got, "1", start, 240)
		checkMinutes(t, got, "2", start+3600_000, 60) // nothing shows that the second is meant
		for _, s := range samples(got.batches) {
			want := int32(60)
			if s.AtMS < start+2*3600_000 {
				want = 120
			}
			if s.OffsetMin != want {
				t.Fatalf("the sample %d minutes on has offset %d, want %d", (s.AtMS-start)/60_000, s.OffsetMin, want)
			}
		}
	})
	t.Run("Berlin, autumn: everybody has an order of their own", func(t *testing.T) {
		got := read(t, "Europe/Berlin", 24, map[string]string{"wide.csv": hourHeader("Steps") +
			hourRow("1", "10/30/2016 2:00:00 AM", ones) + hourRow("2", "10/30/2016 2:00:00 AM", ones) +
			hourRow("1", "10/30/2016 2:00:00 AM", ones) + hourRow("2", "10/30/2016 3:00:00 AM", ones)})
		start := time.Date(2016, 10, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
		checkMinutes(t, got, "1", start, 120)
		var second []int64
		for _, s := range samples(got.batches) {
			if s.User == "2" && s.AtMS%3600_000 == 0 {
				second = append(second, (s.AtMS-start)/3600_000)
			}
		}
		if diff := cmp.Diff([]int64{0, 2}, second); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Berlin, spring: the hour that never was is refused", func(t *testing.T) {
		got := read(t, "Europe/Berlin", 24, map[string]string{"wide.csv": hourHeader("Steps") +
			hourRow("1", "3/27/2016 1:00:00 AM", ones) + hourRow("1", "3/27/2016 2:00:00 AM", ones) + hourRow("1", "3/27/2016 3:00:00 AM", ones)})
		checkMinutes(t, got, "1", time.Date(2016, 3, 27, 0, 0, 0, 0, time.UTC).UnixMilli(), 120)
		want := []string{"wide.csv:3: 60 minutes of the hour 2016-03-27 02:00 never were in Europe/Berlin: the clocks went forward over them"}
		if diff := cmp.Diff(want, got.problems); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Lord Howe, spring: half of the hour was", func(t *testing.T) {
		got := read(t, "Australia/Lord_Howe", 24, map[string]string{"wide.csv": hourHeader("Steps") +
			hourRow("1", "10/2/2016 1:00:00 AM", ones) + hourRow("1", "10/2/2016 2:00:00 AM", ones)})
		checkMinutes(t, got, "1", time.Date(2016, 10, 1, 14, 30, 0, 0, time.UTC).UnixMilli(), 90)
		want := []string{"wide.csv:3: 30 minutes of the hour 2016-10-02 02:00 never were in Australia/Lord_Howe: the clocks went forward over them"}
		if diff := cmp.Diff(want, got.problems); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("New York, heart rate: a moment that never was", func(t *testing.T) {
		got := read(t, "America/New_York", 6, map[string]string{"hr.csv": "Id,Time,Value\n1,3/13/2016 2:30:05 AM,70\n1,3/13/2016 3:00:05 AM,71\n"})
		want := []string{"hr.csv:2: 2016-03-13 02:30 never was in America/New_York: the clocks went forward over it"}
		if diff := cmp.Diff(want, got.problems); diff != "" {
			t.Error(diff)
		}
		if n := len(samples(got.batches)); n != 1 {
			t.Errorf("%d samples, want 1", n)
		}
	})
}

func TestBatchesComeInOrderOfTimeWithRisingSeqAndNamesOfTheirOwn(t *testing.T) {
	var rows strings.Builder
	for _, id := range []string{"2", "1"} {
		for hour := range 72 {
			rows.WriteString(hourRow(id, time.Date(2016, 10, 28, hour, 0, 0, 0, time.UTC).Format("1/2/2006 3:04:05 PM"), func(m int) string { return fmt.Sprint(m % 4) }))
		}
	}
	files := map[string]string{"steps.csv": hourHeader("Steps") + rows.String(), "intensity.csv": hourHeader("Intensity") + rows.String()}
	var first []sample
	for _, hours := range []int{1, 5, 6, 24, 168} {
		got := read(t, "Europe/Berlin", hours, files)
		seen := map[string]bool{}
		last := map[string]*syncv1.Batch{}
		for _, b := range got.batches {
			key := b.UserID + "/" + b.Device.ID
			if before := last[key]; before != nil && (b.Seq <= before.Seq || b.SentAtMS <= before.SentAtMS) {
				t.Errorf("%d hours: seq or sent_at does not rise", hours)
			}
			last[key] = b
			if seen[b.BatchID] {
				t.Errorf("%d hours: the id %s comes twice", hours, b.BatchID)
			}
			seen[b.BatchID] = true
			for _, s := range b.Series {
				end := s.TimeMS(len(s.Values)-1) + int64(s.PeriodMS)
				if s.StartMS < b.SentAtMS-int64(hours)*3600_000-syncDelayS*1000 || end > b.SentAtMS {
					t.Errorf("%d hours: a series reaches out of its batch's hours", hours)
				}
			}
		}
		all := samples(got.batches)
		if first == nil {
			first = all
		}
		if diff := cmp.Diff(first, all); diff != "" {
			t.Errorf("cut by %d hours the samples are others: %s", hours, diff)
		}
		if again := read(t, "Europe/Berlin", hours, files); !cmp.Equal(got.batches, again.batches) {
			t.Errorf("%d hours: the same folder gave other batches", hours)
		}
	}
	if len(first) != 2*2*72*60 {
		t.Errorf("%d samples, want %d", len(first), 2*2*72*60)
	}
}

func TestOptingInToRankingsIsAConsentFromTheFirstMomentOn(t *testing.T) {
	dir := folder(t, map[string]string{
		"steps.csv": "Id,ActivityMinute,Steps\n1,4/13/2016 9:00:00 AM,3\n2,4/12/2016 12:00:00 PM,3\n",
		"sleep.csv": "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed\n1,4/12/2016 12:00:00 AM,1,400,431\n",
	})
	got := readDir(t, imports.Options{Dir: dir, Zone: time.UTC, OptInRanking: true})
	type consent struct {
		User, Kind, Name string
		At               string
		Value            int32
		Source           syncv1.Source
	}
	var events []consent
	for _, b := range got.batches {
		for _, e := range b.Events {
			events = append(events, consent{b.UserID, e.Kind, e.Name, time.UnixMilli(e.StartMS).UTC().Format(time.RFC3339), *e.Value, b.Source})
		}
	}
	want := []consent{
		{"1", "consent", "ranking", "2016-04-12T12:00:00Z", 1, syncv1.SourceManual},
		{"2", "consent", "ranking", "2016-04-12T12:00:00Z", 1, syncv1.SourceManual},
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsToldTwiceAndDifferentlyIsReported(t *testing.T) {
	got := read(t, "UTC", 6, map[string]string{"steps.csv": "Id,ActivityMinute,Steps\n1,4/12/2016 12:01:00 PM,5\n1,4/12/2016 12:00:00 PM,3\n1,4/12/2016 12:00:00 PM,5\n"})
	if diff := cmp.Diff([]string{"steps.csv: 1 values of one person are told a second time and differently: the later row counts"}, got.problems); diff != "" {
		t.Error(diff)
	}
	if all := samples(got.batches); len(all) != 2 || all[0].Value != 5 {
		t.Errorf("samples: %v", all)
	}
}

func TestAFileThatIsCutOffGivesWhatItStillHolds(t *testing.T) {
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	fmt.Fprint(w, "Id,ActivityMinute,Steps\n1,4/12/2016 12:00:00 PM,3\n")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got := read(t, "UTC", 6, map[string]string{"steps.csv.gz": gz.String()})
	if diff := cmp.Diff([]string{"steps.csv.gz:3: the file cannot be read from here on: unexpected EOF"}, got.problems); diff != "" {
		t.Error(diff)
	}
	if got.stats.Samples != 1 {
		t.Errorf("%d samples, want 1", got.stats.Samples)
	}
}

func TestAFolderThatCannotBeImportedIsRefusedWithASentence(t *testing.T) {
	empty := t.TempDir()
	foreign := folder(t, map[string]string{"notes.txt": "hello", "b.csv": "Id,ActivityHour,StepTotal\n", "d.csv": "Id,Time,Value,Unit\n", "empty.csv": "", "c.gz": "\x1f\x8bno"})
	file := filepath.Join(foreign, "notes.txt")
	for name, tc := range map[string]struct {
		opts imports.Options
		code schemas.Code
		says string
	}{
		"no such folder": {imports.Options{Dir: filepath.Join(empty, "nowhere"), Zone: time.UTC}, schemas.CodeNotFound, "there is no folder"},
		"a file":         {imports.Options{Dir: file, Zone: time.UTC}, schemas.CodeInvalid, "is a file"},
		"an empty one":   {imports.Options{Dir: empty, Zone: time.UTC}, schemas.CodeNotFound, "it holds no file at all"},
		"other files":    {imports.Options{Dir: foreign, Zone: time.UTC}, schemas.CodeNotFound, "it holds b.csv, c.gz, d.csv, empty.csv, notes.txt"},
		"no zone":        {imports.Options{Dir: foreign}, schemas.CodeInvalid, "without a zone"},
		"hours":          {imports.Options{Dir: foreign, Zone: time.UTC, BatchHours: 169}, schemas.CodeInvalid, "1 to 168 hours"},
	} {
		_, err := Importer{}.Read(t.Context(), tc.opts, func(*syncv1.Batch) error { return nil }, func(imports.Problem) {})
		if schemas.ErrorCode(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestAnErrorOfEmitAndACancelledContextEndTheImport(t *testing.T) {
	dir := folder(t, map[string]string{"steps.csv": "Id,ActivityMinute,Steps\n1,4/12/2016 12:00:00 PM,3\n1,5/12/2016 12:00:00 PM,3\n"})
	full := errors.New("full")
	calls := 0
	_, err := Importer{}.Read(t.Context(), imports.Options{Dir: dir, Zone: time.UTC}, func(*syncv1.Batch) error { calls++; return full }, func(imports.Problem) {})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	_, err = Importer{}.Read(ctx, imports.Options{Dir: dir, Zone: time.UTC}, func(*syncv1.Batch) error { calls++; cancel(); return nil }, func(imports.Problem) {})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.csv": "Id,ActivityMinute,Steps\n1,4/12/2016 12:00:00 PM,3\n" + strings.Repeat("2,4/12/2016 12:00:00 PM,3\n", 3*reportEvery),
		"b.csv": "Id,ActivityMinute,Intensity\n1,4/12/2016 12:00:00 PM,3\n",
	})
	var all []imports.Progress
	readDir(t, imports.Options{Dir: dir, Zone: time.UTC, Progress: func(p imports.Progress) { all = append(all, p) }})
	for i := range all[1:] {
		if all[i+1].BytesRead < all[i].BytesRead || all[i+1].PeopleDone < all[i].PeopleDone {
			t.Errorf("progress goes back from %v to %v", all[i], all[i+1])
		}
	}
	last := all[len(all)-1]
	if last.BytesRead != last.BytesTotal || last.BytesTotal == 0 || last.PeopleDone != 2 || last.People != 2 {
		t.Errorf("progress ends at %+v", last)
	}
	if all[0].BytesRead == last.BytesTotal {
		t.Error("progress is told only at the end")
	}
}

func TestEveryBatchCanBeSent(t *testing.T) {
	got := read(t, "Australia/Lord_Howe", 24, map[string]string{
		"steps.csv":  hourHeader("Steps") + hourRow("1", "4/3/2016 1:00:00 AM", func(m int) string { return fmt.Sprint(m) }),
		"hr.csv":     "Id,Time,Value\n1,4/3/2016 1:45:05 AM,70\n",
		"weight.csv": "Id,Date,WeightKg,Fat,IsManualReport\n1,4/3/2016 1:45:05 AM,70,20,false\n",
	})
	for _, b := range got.batches {
		data, err := syncv1.EncodeProto(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := syncv1.Decode("application/x-protobuf", data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(samples([]*syncv1.Batch{b}), samples([]*syncv1.Batch{back})); diff != "" {
			t.Error(diff)
		}
	}
}

// A result is what an import gave.
type result struct {
	batches  []*syncv1.Batch
	problems []string
	stats    imports.Stats
}

func read(t *testing.T, zone string, hours int, files map[string]string) result {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return readDir(t, imports.Options{Dir: folder(t, files), Zone: loc, BatchHours: hours})
}

func readDir(t *testing.T, opts imports.Options) result {
	t.Helper()
	var r result
	stats, err := Importer{}.Read(t.Context(), opts,
		func(b *syncv1.Batch) error { r.batches = append(r.batches, b); return nil },
		func(p imports.Problem) { r.problems = append(r.problems, p.String()) })
	if err != nil {
		t.Fatal(err)
	}
	r.stats = stats
	return r
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func hourHeader(prefix string) string {
	columns := []string{"Id", "ActivityHour"}
	for minute := range 60 {
		columns = append(columns, fmt.Sprintf("%s%02d", prefix, minute))
	}
	return strings.Join(columns, ",") + "\n"
}

func hourRow(id, hour string, cell func(minute int) string) string {
	cells := []string{id, hour}
	for minute := range 60 {
		cells = append(cells, cell(minute))
	}
	return strings.Join(cells, ",") + "\n"
}

// A sample is one value with everything that places it.
type sample struct {
	User, Metric   string
	AtMS, PeriodMS int64
	OffsetMin      int32
	Value          int32
}

// samples returns all samples of the batches, by person, metric, period and time.
func samples(batches []*syncv1.Batch) []sample {
	var all []sample
	for _, b := range batches {
		for i := range b.Series {
			s := &b.Series[i]
			for j, v := range s.Values {
				all = append(all, sample{b.UserID, s.Metric, s.TimeMS(j), int64(s.PeriodMS), s.OffsetMin, v})
			}
		}
	}
	slices.SortFunc(all, func(a, b sample) int {
		return order.Or(order.Compare(a.User, b.User), order.Compare(a.Metric, b.Metric),
			order.Compare(a.PeriodMS, b.PeriodMS), order.Compare(a.AtMS, b.AtMS))
	})
	return all
}

// checkMinutes holds a person's samples to be the n minutes from an instant on, without a hole.
func checkMinutes(t *testing.T, r result, user string, startMS int64, n int) {
	t.Helper()
	var want, got []int64
	for i := range int64(n) {
		want = append(want, startMS+i*60_000)
	}
	for _, s := range samples(r.batches) {
		if s.User == user {
			got = append(got, s.AtMS)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("minutes of %s: %s", user, diff)
	}
}

func withoutIDs(batches []*syncv1.Batch) []syncv1.Batch {
	var all []syncv1.Batch
	for _, b := range batches {
		c := *b
		c.BatchID = ""
		all = append(all, c)
	}
	return all
}
