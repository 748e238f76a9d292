package transform_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// vitalPieces makes what n syncs may bring to the models of activity, vitals and cycle, beside what randomPieces does.
func vitalPieces(r *rand.Rand, n int) []map[string]piece {
	syncs := make([]map[string]piece, n)
	for i := range syncs {
		user := fmt.Sprintf("user-%d", r.IntN(2))
		day := firstDay + r.Int32N(9)
		device := []string{"watch", "band"}[r.IntN(2)]
		at := func(hour int) int64 { return (int64(day)*24 + int64(hour)) * 3_600_000_000 }
		spell := func(kind, name string, hour int, length int64, value int32) schemas.EventRow {
			e := event(user, day, hour, kind, name, value)
			end := e.StartAt + length*60_000_000
			e.DeviceID, e.EndAt = device, &end
			return e
		}
		reading := func(metric string, hour int, value int32) schemas.ReadingRow {
			return schemas.ReadingRow{UserID: user, DeviceID: device, Metric: metric, MeasuredAt: at(hour), LocalDate: day, Value: value, Source: "native"}
		}
		hour := r.IntN(24)
		key := fmt.Sprint(user, device, day)
		switch r.IntN(5) {
		case 0: // a night, with what is measured in it
			syncs[i] = map[string]piece{"asleep" + key: {
				segments: []schemas.SleepSegmentRow{segment(user, device, day, -60+r.Int64N(90), 300+r.Int64N(90), schemas.StageAsleep)},
				hours: []schemas.SeriesHour{
					hours(user, device, "oxygen_saturation", day, 1, 300_000, repeat(4, 950+r.Int32N(20), 930, 960)...),
					hours(user, device, "oxygen_saturation", day, 2, 1000, repeat(60, 970, 970, 930, 930, 930+r.Int32N(9))...),
					hours(user, device, "respiratory_rate", day, 1, 60_000, repeat(30, 14_000+r.Int32N(999), 15_000)...),
					hours(user, device, "respiratory_rate", day, 2, 60_000, repeat(30, 14_000+r.Int32N(999), 15_000)...),
					hours(user, device, "skin_temperature", day, 1, 60_000, repeat(60, 33_000+r.Int32N(900))...),
					hours(user, device, schemas.HeartRate, day, 1, 60_000, repeat(60, 50+r.Int32N(9))...),
				},
			}}
		case 1: // a day's hour
			syncs[i] = map[string]piece{fmt.Sprint("hour", key, hour): {hours: []schemas.SeriesHour{
				hours(user, device, schemas.Steps, day, hour, 60_000, repeat(20, 0, r.Int32N(140), 0)...),
				hours(user, device, schemas.HeartRate, day, hour, 60_000, repeat(20, 60+r.Int32N(9), 100+r.Int32N(60), 62)...),
				hours(user, device, "stress", day, hour, 180_000, repeat(10, r.Int32N(100), 80)...),
				hours(user, device, "noise_level", day, hour, 60_000, repeat(3, r.Int32N(900), 700)...),
				hours(user, device, "distance", day, hour, 60_000, repeat(20, 0, r.Int32N(9000), 0)...),
			}}}
		case 2: // what the device tells of itself and of an exercise
			told := []schemas.EventRow{
				spell("charging", "", hour, r.Int64N(5000)+1, 1), spell("worn", "", 3+r.IntN(18), r.Int64N(300)+1, int32(r.IntN(2))),
				spell("breathing", "", hour, 1+r.Int64N(4), 6000),
			}
			for k := range told[:2] {
				if r.IntN(2) == 0 { // the device tells the end by what comes next, if it does
					told[k].EndAt = nil
				}
			}
			syncs[i] = map[string]piece{"told" + key: {events: told}}
		case 3: // readings
			syncs[i] = map[string]piece{"readings" + key: {readings: []schemas.ReadingRow{
				reading("blood_pressure_systolic", hour, 115+r.Int32N(40)), reading("blood_pressure_diastolic", hour, 70+r.Int32N(20)),
				reading(schemas.BodyWeight, hour, 60_000+r.Int32N(9000)), reading("oxygen_saturation", hour, 950+r.Int32N(40)),
			}}}
		case 4: // who they are, and the cycle
			syncs[i] = map[string]piece{"self" + user + fmt.Sprint(day): {events: []schemas.EventRow{
				event(user, day, hour, "profile", "birth_year", 1980), event(user, day, hour, "profile", "height_cm", 170),
				event(user, day, hour, "consent", "cycle", int32(min(1, r.IntN(4)))), event(user, day, hour, "cycle", "period", 1),
				event(user, day-int32(17+r.IntN(3)), hour, "cycle", "period", 1), event(user, day-36, hour, "cycle", "period", 1),
			}}}
		}
		if r.IntN(6) == 0 { // and somebody deletes what they had
			for key := range syncs[i] {
				syncs[i][key] = piece{}
			}
		}
	}
	return syncs
}

func TestActivityAndVitalsInAnyOrderOfArrivalEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	tables := []string{
		"in_bed_days", "activity_hours", "movement_days", "activity_weeks", "activity_plausibility_days", "wear_reasons", "vitals_nights",
		"oxygen_desaturation_nights", "oxygen_saturation_days", "stress_days", "noise_days", "blood_pressure_days", "body_days",
		"breathing_sessions", "cycle_periods",
	}
	r := rand.New(rand.NewPCG(41, 7))
	w := newWorld(t, tables...)
	for i, sync := range vitalPieces(r, 60) {
		w.put(sync)
		if i%10 == 9 {
			w.build(false)
		}
	}
	w.sameAsFull()
	for _, table := range tables {
		if len(w.gold()[table]) == 0 {
			t.Errorf("%s has no rows: nothing was compared", table)
		}
	}
}

// The date after a workout changes with it, also when nothing of its own arrives.
func TestALateWorkoutCountsAlsoAfterMidnight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "activity_hours")
	fast := repeat(30, 150)
	w.put(map[string]piece{
		"self":  {events: []schemas.EventRow{event("u", firstDay, 8, "profile", "birth_year", 1976)}},
		"heart": {hours: []schemas.SeriesHour{hours("u", "watch", schemas.HeartRate, firstDay+1, 0, 60_000, fast...)}},
	})
	w.build(false)
	w.put(map[string]piece{"ride": {workouts: aWorkout("u", "watch", firstDay, 23*60, 90, "cycling", 0, 1).workouts}})
	w.build(false)
	w.sameAsFull()
	if rows := w.gold()["activity_hours"]; len(rows) != 1 || !strings.Contains(rows[0], "'vigorous_cardio_min': 30") {
		t.Errorf("the half hour after midnight is not vigorous: %v", rows)
	}
	w.put(map[string]piece{"ride": {}})
	w.build(false)
	w.sameAsFull()
}

// Steps that a device counts over many minutes are walked in all of them: in one they would be too fast for anybody.
func TestStepsOfManyMinutesAreWalkedInAllOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "activity_hours", "activity_bouts", "activity_plausibility_days")
	walk := func(user, metric string, period int32, values ...int32) piece {
		return piece{hours: []schemas.SeriesHour{hours(user, "watch", metric, firstDay, 9, period, values...)}}
	}
	w.put(map[string]piece{
		"long":    walk("long", schemas.Steps, 300_000, 500, 500, 660, 0, 0, 0),
		"counter": walk("counter", schemas.StepCounter, 300_000, 1000, 1500, 2000, 2660, 2660, 2660, 2660),
		"short":   walk("short", schemas.Steps, 60_000, slices.Concat(repeat(10, 100), repeat(5, 132), repeat(15, 0))...),
	})
	w.build(false)
	reader, err := transform.OpenReader(t.Context(), w.lake, w.project, testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	rows, err := reader.DB.QueryContext(t.Context(), `
		select
			d.user_id,
			concat_ws(' ', d.step_count, d.observed_min, d.cadence_moderate_min, d.cadence_vigorous_min, d.peak_1_cadence_per_min,
				d.peak_30_cadence_per_min),
			concat_ws(' ', h.step_count, h.observed_min, h.moderate_cardio_min, h.vigorous_cardio_min, h.implausible_min, p.is_plausible),
			concat_ws(' ', b.bout_kind, b.duration_min, b.step_count, b.cadence_steps_per_min)
		from activity_days as d
		join activity_hours as h on d.user_id = h.user_id
		join activity_bouts as b on d.user_id = b.user_id
		join activity_plausibility_days as p on d.user_id = p.user_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string][3]string{}
	for rows.Next() {
		var user string
		var tables [3]string
		if err := rows.Scan(&user, &tables[0], &tables[1], &tables[2]); err != nil {
			t.Fatal(err)
		}
		got[user] = tables
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	same := [3]string{"1660 30 10 5 132 55.333333333333336", "1660 30 10 5 0 true", "walk 15 1660 100"}
	if diff := cmp.Diff(map[string][3]string{"long": same, "counter": same, "short": same}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A naiveDay is a person's date, minute by minute, as somebody would write it down who has no database.
type naiveDay struct {
	steps, heart map[int]map[string][]int32 // by minute and device
}

func (d *naiveDay) add(series map[int]map[string][]int32, h schemas.SeriesHour) {
	for i, v := range h.Values {
		minute := int((h.HourAt/1000 + int64(h.OffsetsMS[0]) + int64(i)*int64(h.PeriodMS)) / 60_000)
		if series[minute] == nil {
			series[minute] = map[string][]int32{}
		}
		series[minute][h.DeviceID] = append(series[minute][h.DeviceID], v)
	}
}

// devices returns the devices of a series, on the whole day.
func devices(series map[int]map[string][]int32) []string {
	found := map[string]bool{}
	for _, byDevice := range series {
		for device := range byDevice {
			found[device] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// chosen returns the samples of the device that stands for a minute: one that shows it was worn, then the first by name.
func (d *naiveDay) chosen(series map[int]map[string][]int32, minute int) []int32 {
	names := devices(series)
	here := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return len(series[minute][n]) == 0 })
	if len(here) == 0 {
		return nil
	}
	if len(names) > 1 {
		slices.SortStableFunc(here, func(a, b string) int { return d.worn(b, minute) - d.worn(a, minute) })
	}
	return series[minute][here[0]]
}

func (d *naiveDay) worn(device string, minute int) int {
	if len(d.heart[minute][device]) > 0 || slices.ContainsFunc(d.steps[minute][device], func(v int32) bool { return v > 0 }) {
		return 1
	}
	return 0
}

// A naiveHour is what activity_hours says of an hour, in the order of hourColumns.
type naiveHour struct {
	steps, observed, measured, light, moderate, vigorous, cardioModerate, cardioVigorous int
	wornAwake, sedentary, longest, prolonged, long, breaks                               int
}

const hourColumns = `step_count, observed_min, measured_min, cadence_light_min, cadence_moderate_min, cadence_vigorous_min,
	moderate_cardio_min, vigorous_cardio_min, worn_awake_min, sedentary_awake_min, longest_sedentary_bout_min,
	prolonged_bout_count, long_bout_count, sedentary_break_count`

// hours restates activity_hours for a day worn by heart rate, of a person with the given highest and resting heart rate;
// inBed says when the person was not up.
func (d *naiveDay) hours(first int, highest, resting float64, inBed func(minute int) bool) map[int]naiveHour {
	const lengths = 1440
	type minute struct {
		steps                             int
		heart                             float64
		hasSteps, hasHeart, worn, bed, mv bool
	}
	minutes := make([]minute, lengths)
	for i := range minutes {
		m := &minutes[i]
		m.bed = inBed(first + i)
		for _, v := range d.chosen(d.steps, first+i) {
			m.steps, m.hasSteps = m.steps+int(v), true
		}
		samples := d.chosen(d.heart, first+i)
		for _, v := range samples {
			m.heart, m.hasHeart = m.heart+float64(v)/float64(len(samples)), true
		}
	}
	for i := range minutes {
		stretch := minutes[i/5*5 : i/5*5+5]
		minutes[i].worn = slices.ContainsFunc(stretch, func(m minute) bool { return m.hasHeart })
		for back := 0; back <= 5 && back <= i; back++ {
			minutes[i].mv = minutes[i].mv || minutes[i-back].steps > 0
		}
	}
	result := map[int]naiveHour{}
	lastBout, bouts := -1, [][2]int{}
	for i := range minutes {
		m := &minutes[i]
		if !m.hasSteps && !m.hasHeart {
			continue
		}
		h := result[i/60]
		class := 0
		if m.hasSteps {
			h.steps += m.steps
			h.observed++
			switch {
			case m.steps >= 130:
				h.vigorous, class = h.vigorous+1, 3
			case m.steps >= 100:
				h.moderate, class = h.moderate+1, 2
			case m.steps > 0:
				h.light, class = h.light+1, 1
			}
		}
		if m.hasHeart {
			h.measured++
			if m.mv && !m.bed && m.heart >= 0.7*highest {
				class = 3
			} else if m.mv && !m.bed && m.heart >= 0.5*highest {
				class = max(class, 2)
			}
		}
		switch class {
		case 3:
			h.cardioVigorous++
		case 2:
			h.cardioModerate++
		}
		if m.worn && !m.bed {
			h.wornAwake++
			if m.hasSteps && m.steps == 0 && (!m.hasHeart || m.heart < resting+0.2*(highest-resting)) {
				h.sedentary++
				if lastBout == i-1 && len(bouts) > 0 {
					bouts[len(bouts)-1][1] = i
				} else {
					bouts = append(bouts, [2]int{i, i})
				}
				lastBout = i
			}
		}
		result[i/60] = h
	}
	for n, b := range bouts {
		h := result[b[0]/60]
		length := b[1] - b[0] + 1
		h.longest = max(h.longest, length)
		if length >= 30 {
			h.prolonged++
		}
		if length >= 60 {
			h.long++
		}
		if next := b[1] + 1; n < len(bouts)-1 && next < lengths && minutes[next].hasSteps && minutes[next].worn && !minutes[next].bed {
			h.breaks++
		}
		result[b[0]/60] = h
	}
	return result
}

func TestActivityHoursAreWhatANaiveReadingSays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(43, 7))
	w := newWorld(t, "activity_hours")
	sync, days := map[string]piece{}, map[string]*naiveDay{}
	for _, user := range []string{"one", "two"} {
		d := &naiveDay{map[int]map[string][]int32{}, map[int]map[string][]int32{}}
		days[user] = d
		p := piece{
			events:   []schemas.EventRow{event(user, firstDay, 8, "profile", "birth_year", 1976), event(user, firstDay, 8, "profile", "heart_rate_max_bpm", 180)},
			segments: []schemas.SleepSegmentRow{segment(user, "watch", firstDay, -60, 6*60+10, schemas.StageAsleep)},
		}
		for hour := range 24 {
			p.hours = append(p.hours, naiveHours(r, user, "watch", hour)...)
			if user == "two" && r.IntN(3) > 0 { // two devices, most of the time
				p.hours = append(p.hours, naiveHours(r, user, "band", hour)...)
			}
		}
		for _, h := range p.hours {
			d.add(map[string]map[int]map[string][]int32{schemas.Steps: d.steps, schemas.HeartRate: d.heart}[h.Metric], h)
		}
		sync[user] = p
	}
	w.put(sync)
	w.build(false)
	reader, err := transform.OpenReader(t.Context(), w.lake, w.project, testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for user, d := range days {
		var resting float64
		if err := reader.DB.QueryRowContext(t.Context(), "select resting_heart_rate_bpm from resting_heart_rate_days where user_id = ? and local_date = date '2016-04-12'",
			user).Scan(&resting); err != nil {
			t.Fatal(err)
		}
		first := int(firstDay) * 1440
		want := d.hours(first, 180, resting, func(minute int) bool { return minute < first+6*60+10 })
		got := hoursIn(t, reader, user)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(naiveHour{})); diff != "" {
			t.Errorf("%s (-naive +model):\n%s", user, diff)
		}
		var peak float64
		if err := reader.DB.QueryRowContext(t.Context(), "select peak_30_cadence_per_min from activity_days where user_id = ? and local_date = date '2016-04-12'", user).Scan(&peak); err != nil {
			t.Fatal(err)
		}
		if want := d.peak(first); strconv.FormatFloat(peak, 'f', 6, 64) != strconv.FormatFloat(want, 'f', 6, 64) {
			t.Errorf("%s: peak cadence is %v, want %v", user, peak, want)
		}
	}
}

// hoursIn reads the hours of a person's date.
func hoursIn(t *testing.T, reader *transform.Reader, user string) map[int]naiveHour {
	t.Helper()
	rows, err := reader.DB.QueryContext(t.Context(), "select local_hour, "+hourColumns+" from activity_hours where user_id = ? and local_date = date '2016-04-12'", user)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[int]naiveHour{}
	for rows.Next() {
		var hour int
		var values [14]*int
		if err := rows.Scan(&hour, &values[0], &values[1], &values[2], &values[3], &values[4], &values[5], &values[6], &values[7],
			&values[8], &values[9], &values[10], &values[11], &values[12], &values[13]); err != nil {
			t.Fatal(err)
		}
		v := func(i int) int {
			if values[i] == nil {
				return 0
			}
			return *values[i]
		}
		got[hour] = naiveHour{v(0), v(1), v(2), v(3), v(4), v(5), v(6), v(7), v(8), v(9), v(10), v(11), v(12), v(13)}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// peak is the mean of the day's 30 highest minutes.
func (d *naiveDay) peak(first int) float64 {
	var all []int
	for i := range 1440 {
		samples := d.chosen(d.steps, first+i)
		if samples == nil {
			continue
		}
		sum := 0
		for _, v := range samples {
			sum += int(v)
		}
		all = append(all, sum)
	}
	slices.Sort(all)
	sum := 0
	for _, v := range all[len(all)-30:] {
		sum += v
	}
	return float64(sum) / 30
}

// naiveHours makes an hour of one device: stretches of sitting, walking and running, with a heart that follows.
func naiveHours(r *rand.Rand, user, device string, hour int) []schemas.SeriesHour {
	steps, heart := make([]int32, 60), make([]int32, 60)
	pace := int32(0)
	for i := range steps {
		if r.IntN(12) == 0 {
			pace = []int32{0, 0, 0, 30, 105, 150}[r.IntN(6)]
		}
		steps[i] = 0
		if pace > 0 {
			steps[i] = pace - 5 + r.Int32N(10)
		}
		heart[i] = 58 + pace/2 + r.Int32N(12)
		if pace == 0 && r.IntN(20) == 0 {
			heart[i] = 100
		}
	}
	until := 30 + r.IntN(31)
	return []schemas.SeriesHour{
		hours(user, device, schemas.Steps, firstDay, hour, 60_000, steps...),
		hours(user, device, schemas.HeartRate, firstDay, hour, 60_000, heart[:until]...),
	}
}
