package main_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// reportHash is the SHA-256 of the report below without its as-of time. The figures themselves are a real person's and
// stay out of the repository; TestEveryFigureOfARealWeekIsThatOfTheFiles says what they must be.
const reportHash = "d4f27d32f182f4b59907a784b8b2070a1d2b6bd3bb9f105a27a6f7934ce0c4ab"

// TestEveryFigureOfARealWeekIsThatOfTheFiles recomputes, from the export's files and by code that shares nothing with
// the pipeline, every number and date in the report of the person with the most heart rate that week.
func TestEveryFigureOfARealWeekIsThatOfTheFiles(t *testing.T) {
	t.Parallel()
	dir := fitabase(t)
	home := filepath.Join(t.TempDir(), "home")
	diurna(t, "import", "fitabase", dir, "--zone", "America/New_York", "--home", home)

	person := fullestPerson(t, dir, week(0))
	report := diurna(t, "report", "--home", home, "--user", person, "--period", "2016-W16", "--format", "json")
	if again := diurna(t, "report", "--home", home, "--user", person, "--period", "2016-W16", "--format", "json"); again != report {
		t.Error("asking again gives another report of the same lake")
	}

	var told map[string]any
	if err := json.Unmarshal([]byte(report), &told); err != nil {
		t.Fatal(err)
	}
	asOf := told["as_of"].(string)
	newest := query(t, home, "select max(run.broker_at) from (select unnest(revisions) as run from silver.series_hours)")[0][0]
	at, err := time.Parse(time.RFC3339, asOf)
	if want, wantErr := time.Parse(time.RFC3339, newest); err != nil || wantErr != nil || !at.Equal(want.Truncate(time.Second)) {
		t.Errorf("as of %s: want the time of the newest message, %s", asOf, newest)
	}
	if !strings.HasSuffix(asOf, "-04:00") {
		t.Errorf("as of %s: want the person's clock", asOf)
	}
	frozen := sha256.Sum256([]byte(strings.Replace(report, asOf, "", 1)))
	if got := hex.EncodeToString(frozen[:]); got != reportHash {
		t.Errorf("the report has changed: its hash is %s", got)
	}

	delete(told, "as_of")
	got := map[string]any{}
	flatten(got, "", told)
	want := recompute(t, dir, person)
	for _, path := range slices.Sorted(maps.Keys(got)) {
		figure, isKnown := want[path]
		switch {
		case !isKnown:
			t.Errorf("%s is a figure that nobody recomputes", path)
		case !sameFigure(figure, got[path]):
			t.Errorf("%s is not what the files say", path)
		}
		delete(want, path)
	}
	for path := range want {
		t.Errorf("%s is missing", path)
	}
}

// flatten collects every number, null and date of a report by its path. Rows are named by their date, reasons by
// themselves.
func flatten(into map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"date", "name", "kind"} {
			if label, ok := v[name].(string); ok && strings.HasSuffix(path, "]") {
				path = path[:strings.LastIndex(path, "[")] + "[" + label + "]"
			}
		}
		if reason, ok := v["reason"].(string); ok && strings.HasPrefix(path, "thin[") {
			path = fmt.Sprintf("thin[%s %s]", v["section"], reason)
		}
		for name, part := range v {
			flatten(into, strings.TrimPrefix(path+"."+name, "."), part)
		}
	case []any:
		for i, part := range v {
			flatten(into, fmt.Sprintf("%s[%d]", path, i), part)
		}
	case string:
		if _, err := time.Parse(time.DateOnly, v); err == nil {
			into[path] = v
		}
	case bool:
	default: // a number or null
		into[path] = v
	}
}

func sameFigure(want, got any) bool {
	a, isNumber := want.(float64)
	b, ok := got.(float64)
	if isNumber && ok {
		return math.Abs(a-b) <= 1e-6
	}
	return want == got
}

// A dayFacts is what the files say of a day.
type dayFacts struct {
	steps, intensity map[int]int   // by minute of the day
	bpm              map[int][]int // by minute of the day
	asleep, inBed    int           // of the night that ended that day; 0 without
}

func (d *dayFacts) count(level int) float64 {
	n := 0.0
	for _, v := range d.intensity {
		if v == level {
			n++
		}
	}
	return n
}

func (d *dayFacts) stepCount() float64 {
	sum := 0
	for _, n := range d.steps {
		sum += n
	}
	return float64(sum)
}

func (d *dayFacts) activeHours() float64 {
	hours := map[int]int{}
	for minute, n := range d.steps {
		hours[minute/60] += n
	}
	active := 0.0
	for _, n := range hours {
		if n >= 250 {
			active++
		}
	}
	return active
}

func (d *dayFacts) equivalent() float64 { return d.count(2) + 2*d.count(3) }

func (d *dayFacts) heartRate() (lowest, mean, highest float64) {
	lowest = math.Inf(1)
	sum := 0.0
	for _, minute := range slices.Sorted(maps.Keys(d.bpm)) {
		total := 0
		for _, v := range d.bpm[minute] {
			total += v
			lowest, highest = min(lowest, float64(v)), max(highest, float64(v))
		}
		sum += float64(total) / float64(len(d.bpm[minute]))
	}
	return lowest, sum / float64(len(d.bpm)), highest
}

// motion returns the minutes with a step sample that are in no stretch of 90 minutes or more without a step.
func (d *dayFacts) motion() int {
	worn, still, before := 0, 0, -1
	minutes := slices.Sorted(maps.Keys(d.steps))
	endStretch := func(next int) {
		if next-before-1 < 90 {
			worn += still
		}
		still = 0
	}
	for i, minute := range minutes {
		if i == 0 {
			before = minute - 1
		}
		if d.steps[minute] == 0 {
			still++
			continue
		}
		endStretch(minute)
		worn, before = worn+1, minute
	}
	if len(minutes) > 0 {
		endStretch(minutes[len(minutes)-1] + 1)
	}
	return worn
}

func (d *dayFacts) worn() (minutes int, byHeartRate bool) {
	if len(d.bpm) > 0 {
		return len(d.bpm), true
	}
	return d.motion(), false
}

func (d *dayFacts) isValidDay() bool {
	worn, byHeartRate := d.worn()
	if byHeartRate && worn-d.inBed >= 600 {
		return true
	}
	return len(d.bpm) < 1320 && d.motion() >= 600
}

func (d *dayFacts) isValidNight() bool { return d.inBed >= 240 }

// week returns the dates of 2016-W16, or of the one so many weeks before.
func week(before int) []string {
	monday := time.Date(2016, 4, 18-7*before, 0, 0, 0, 0, time.UTC)
	dates := make([]string, 7)
	for i := range dates {
		dates[i] = monday.AddDate(0, 0, i).Format(time.DateOnly)
	}
	return dates
}

// fullestPerson returns the one with the most minutes of heart rate on the dates, of those with sleep on most of them.
func fullestPerson(t *testing.T, dir string, dates []string) string {
	t.Helper()
	minutes, nights := map[string]int{}, map[string]map[string]bool{}
	for _, row := range table(t, dir, "heartrate_minute_4users_derived.csv.gz") {
		if slices.Contains(dates, wall(t, row["minute"]).Format(time.DateOnly)) {
			minutes[row["Id"]]++
		}
	}
	for _, row := range table(t, dir, "sleepDay_merged.csv.gz") {
		if date := wall(t, row["SleepDay"]).Format(time.DateOnly); slices.Contains(dates, date) {
			if nights[row["Id"]] == nil {
				nights[row["Id"]] = map[string]bool{}
			}
			nights[row["Id"]][date] = true
		}
	}
	maps.DeleteFunc(minutes, func(id string, _ int) bool { return len(nights[id]) < 4 })
	people := slices.SortedFunc(maps.Keys(minutes), func(a, b string) int {
		return cmp.Or(cmp.Compare(minutes[b], minutes[a]), cmp.Compare(a, b))
	})
	if len(people) == 0 {
		t.Fatal("nobody in the export has both heart rate and sleep that week")
	}
	return people[0]
}

// personFacts reads what the files say of a person, by date.
func personFacts(t *testing.T, dir, person string) map[string]*dayFacts {
	t.Helper()
	days := map[string]*dayFacts{}
	day := func(at time.Time) *dayFacts {
		date := at.Format(time.DateOnly)
		if days[date] == nil {
			days[date] = &dayFacts{steps: map[int]int{}, intensity: map[int]int{}, bpm: map[int][]int{}}
		}
		return days[date]
	}
	rows := func(name string, do func(row map[string]string)) {
		for _, row := range table(t, dir, name) {
			if row["Id"] == person {
				do(row)
			}
		}
	}
	wide := func(name, prefix string, of func(*dayFacts) map[int]int) {
		rows(name, func(row map[string]string) {
			hour := wall(t, row["ActivityHour"])
			for minute := range 60 {
				if value := row[fmt.Sprintf("%s%02d", prefix, minute)]; value != "" {
					of(day(hour))[hour.Hour()*60+minute] = atoi(t, value)
				}
			}
		})
	}
	wide("minuteStepsWide_merged.csv.gz", "Steps", func(d *dayFacts) map[int]int { return d.steps })
	wide("minuteIntensitiesWide_merged.csv.gz", "Intensity", func(d *dayFacts) map[int]int { return d.intensity })
	heart := func(at time.Time, bpm string) {
		d, minute := day(at), at.Hour()*60+at.Minute()
		d.bpm[minute] = append(d.bpm[minute], atoi(t, bpm))
	}
	rows("heartrate_minute_4users_derived.csv.gz", func(row map[string]string) { heart(wall(t, row["minute"]), row["hr_bpm"]) })
	rows("heartrate_seconds_part_8877689391-2016-05-10.csv.gz", func(row map[string]string) { heart(wall(t, row["Time"]), row["Value"]) })
	rows("sleepDay_merged.csv.gz", func(row map[string]string) {
		d := day(wall(t, row["SleepDay"]))
		d.asleep, d.inBed = atoi(t, row["TotalMinutesAsleep"]), atoi(t, row["TotalTimeInBed"])
	})
	return days
}

// A measure is one figure of a day; ok is false when the day does not have it.
type measure func(*dayFacts) (value float64, ok bool)

var (
	asleep     measure = func(d *dayFacts) (float64, bool) { return float64(d.asleep), d.inBed > 0 }
	inBed      measure = func(d *dayFacts) (float64, bool) { return float64(d.inBed), d.inBed > 0 }
	efficiency measure = func(d *dayFacts) (float64, bool) { return 100 * float64(d.asleep) / float64(d.inBed), d.inBed > 0 }
	meanBPM    measure = func(d *dayFacts) (float64, bool) { _, mean, _ := d.heartRate(); return mean, len(d.bpm) > 0 }
	measured   measure = func(d *dayFacts) (float64, bool) { return float64(len(d.bpm)), len(d.bpm) > 0 }
	steps      measure = func(d *dayFacts) (float64, bool) { return d.stepCount(), d.isMoving() }
	hours      measure = func(d *dayFacts) (float64, bool) { return d.activeHours(), d.isMoving() }
	equivalent measure = func(d *dayFacts) (float64, bool) { return d.equivalent(), d.isMoving() && len(d.intensity) > 0 }
)

// isMoving says that there are steps of a watch that was worn.
func (d *dayFacts) isMoving() bool { worn, _ := d.worn(); return len(d.steps) > 0 && worn > 0 }

// values returns a measure of those of the dates that have it and are valid.
func values(days map[string]*dayFacts, dates []string, m measure, isValid func(*dayFacts) bool) []float64 {
	var all []float64
	for _, date := range dates {
		if d := days[date]; d != nil && isValid(d) {
			if v, ok := m(d); ok {
				all = append(all, v)
			}
		}
	}
	return all
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// recompute returns every number, null and date that the report of the person's week must hold, by path.
func recompute(t *testing.T, dir, person string) map[string]any {
	t.Helper()
	days := personFacts(t, dir, person)
	dates := week(0)
	before := slices.Concat(week(3), week(2), week(1))
	want := map[string]any{
		"rules.day_worn_awake_min": 600.0, "rules.night_in_bed_min": 240.0, "rules.history_weeks": 3.0,
		"period.year": 2016.0, "period.week": 16.0,
		"period.first_date": dates[0], "period.last_date": dates[6],
		"period.nights.first_evening": before[20], "period.nights.last_morning": dates[6],
		"records.first_date": slices.Min(slices.Collect(maps.Keys(days))), "records.last_date": slices.Max(slices.Collect(maps.Keys(days))),
		"coverage.of_days": 7.0, "coverage.of_nights": 7.0,
		"movement.moderate_equivalent_goal_min": 150.0,
	}
	validDays, validNights := 0.0, 0.0
	byHeartRate, byMotion, nights := 0.0, 0.0, 0.0
	var short, withoutHeart []string
	for _, date := range dates {
		d := days[date]
		if d == nil {
			t.Fatal("the fullest person has a day without anything: this test knows no such week")
		}
		worn, isByHeartRate := d.worn()
		if isByHeartRate {
			byHeartRate++
		} else {
			byMotion++
			withoutHeart = append(withoutHeart, date)
		}
		if d.isValidDay() {
			validDays++
		} else {
			short = append(short, date)
		}
		if d.isValidNight() {
			validNights++
		}
		if d.inBed > 0 {
			nights++
		}
		row := func(section, name string, value any) { want[fmt.Sprintf("%s[%s].%s", section, date, name)] = value }
		for _, section := range []string{"coverage.days", "sleep.nights", "heart.days", "movement.days"} {
			row(section, "date", date)
		}
		row("coverage.days", "worn_min", float64(worn))
		for _, name := range []string{"wake_after_sleep_onset_min", "light_min", "deep_min", "rem_min", "awakening_count", "sleep_onset_at", "sleep_offset_at"} {
			row("sleep.nights", name, nil) // the export knows minutes only
		}
		cell := func(section, name string, value float64, isThere bool) {
			row(section, name, nil)
			if isThere {
				row(section, name, value)
			}
		}
		cell("sleep.nights", "total_sleep_time_min", float64(d.asleep), d.inBed > 0)
		cell("sleep.nights", "time_in_bed_min", float64(d.inBed), d.inBed > 0)
		cell("sleep.nights", "sleep_efficiency_pct", 100*float64(d.asleep)/float64(d.inBed), d.inBed > 0)
		lowest, average, highest := d.heartRate()
		cell("heart.days", "heart_rate_min_bpm", lowest, len(d.bpm) > 0)
		cell("heart.days", "heart_rate_mean_bpm", average, len(d.bpm) > 0)
		cell("heart.days", "heart_rate_max_bpm", highest, len(d.bpm) > 0)
		cell("heart.days", "measured_min", float64(len(d.bpm)), len(d.bpm) > 0)
		cell("movement.days", "step_count", d.stepCount(), len(d.steps) > 0)
		cell("movement.days", "active_hour_count", d.activeHours(), len(d.steps) > 0)
		cell("movement.days", "moderate_activity_min", d.count(2), len(d.intensity) > 0)
		cell("movement.days", "vigorous_activity_min", d.count(3), len(d.intensity) > 0)
		cell("movement.days", "moderate_equivalent_min", d.equivalent(), len(d.intensity) > 0)
	}
	want["coverage.valid_days"], want["coverage.valid_nights"] = validDays, validNights

	isValidDay, isValidNight := (*dayFacts).isValidDay, (*dayFacts).isValidNight
	anyDay := func(*dayFacts) bool { return true }
	figure := func(path string, value float64, n, needs int) {
		want[path+".value"], want[path+".n"], want[path+".of"], want[path+".needs"] = nil, float64(n), 7.0, float64(needs)
		if n >= needs {
			want[path+".value"] = value
		}
	}
	average := func(path string, m measure, isValid func(*dayFacts) bool, needs int) {
		v := values(days, dates, m, isValid)
		figure(path, mean(v), len(v), needs)
	}
	average("sleep.total_sleep_time", asleep, isValidNight, 3)
	average("sleep.time_in_bed", inBed, isValidNight, 3)
	average("sleep.sleep_efficiency", efficiency, isValidNight, 3)
	figure("sleep.deep", 0, 0, 3)
	figure("sleep.rem", 0, 0, 3)
	average("heart.heart_rate_mean", meanBPM, isValidDay, 4)
	lowest := values(days, dates, func(d *dayFacts) (float64, bool) { low, _, _ := d.heartRate(); return low, len(d.bpm) > 0 }, anyDay)
	highest := values(days, dates, func(d *dayFacts) (float64, bool) { _, _, high := d.heartRate(); return high, len(d.bpm) > 0 }, anyDay)
	figure("heart.heart_rate_min", slices.Min(lowest), len(lowest), 1)
	figure("heart.heart_rate_max", slices.Max(highest), len(highest), 1)
	average("movement.step_count_mean", steps, isValidDay, 5)
	average("movement.active_hour_count_mean", hours, isValidDay, 5)
	average("movement.moderate_equivalent_mean", equivalent, isValidDay, 5)
	total := func(path string, m measure) float64 {
		v := values(days, dates, m, anyDay)
		figure(path, mean(v)*float64(len(v)), len(v), 1)
		return float64(len(v))
	}
	total("movement.step_count_total", steps)
	classed := total("movement.moderate_equivalent_total", equivalent)

	thin := func(what string, n, needs float64, dates ...string) {
		want["thin["+what+"].n"], want["thin["+what+"].needs"] = n, needs
		for i, date := range dates {
			want[fmt.Sprintf("thin[%s].dates[%d]", what, i)] = date
		}
	}
	if len(short) > 0 {
		thin("report short_wear", float64(len(short)), 0, short...)
	}
	if len(withoutHeart) > 0 {
		thin("heart some_heart_rate", float64(len(withoutHeart)), 0, withoutHeart...)
	}
	for _, tile := range []struct {
		section, name string
		m             measure
		isValid       func(*dayFacts) bool
		needs         int
	}{
		{"sleep", "total_sleep_time_min", asleep, isValidNight, 3},
		{"heart", "heart_rate_mean_bpm", meanBPM, isValidDay, 4},
		{"movement", "step_count", steps, isValidDay, 5},
	} {
		path := "headline.tiles[" + tile.name + "]"
		average(path+".figure", tile.m, tile.isValid, tile.needs)
		now, history := values(days, dates, tile.m, tile.isValid), values(days, before, tile.m, tile.isValid)
		comparison := map[string]any{
			"history_n": float64(len(history)), "history_of": 21.0, "history_needs": 12.0,
			"change": nil, "change_pct": nil, "history_mean": nil, "history_mad": nil,
		}
		if len(history) >= 12 && len(now) >= max(4, tile.needs) {
			noise := make([]float64, len(history))
			for i, v := range history {
				noise[i] = math.Abs(v - median(history))
			}
			change := mean(now) - mean(history)
			comparison["change"], comparison["change_pct"] = change, 100*change/mean(history)
			comparison["history_mean"], comparison["history_mad"] = mean(history), median(noise)
		} else {
			thin(tile.section+" no_history", float64(len(history)), 12)
		}
		for name, value := range comparison {
			want[path+".comparison."+name] = value
		}
	}

	basis := func(kind string, n float64) { want["basis["+kind+"].n"], want["basis["+kind+"].of"] = n, 7.0 }
	basis("sleep_summary", nights)
	basis("wear_heart_rate", byHeartRate)
	if byMotion > 0 {
		basis("wear_motion", byMotion)
	}
	minutes := values(days, dates, measured, isValidDay)
	basis("heart_rate", float64(len(minutes)))
	want["basis[heart_rate].mean"] = mean(minutes)
	basis("device_activity", classed)

	best := slices.MaxFunc(dates, func(a, b string) int { // of equal days the first
		rank := func(date string) float64 {
			if !days[date].isValidDay() {
				return -1
			}
			return days[date].equivalent()
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(days[a].stepCount(), days[b].stepCount()), cmp.Compare(b, a))
	})
	want["best_day.date"], want["best_day.of"] = best, validDays
	want["best_day.step_count"], want["best_day.moderate_equivalent_min"] = days[best].stepCount(), days[best].equivalent()
	want["best_day.total_sleep_time_min"] = nil
	if days[best].isValidNight() {
		want["best_day.total_sleep_time_min"] = float64(days[best].asleep)
	}
	return want
}
