package transform_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// heartDay is what a day of one person brings about the heart, piece by piece: samples as this watch tells them, a night
// with beats, steps, and at times a workout.
func heartDay(r *rand.Rand, user string, day int32) map[string]piece {
	pieces := map[string]piece{}
	put := func(kind string, p piece) { pieces[fmt.Sprint(kind, " ", user, " ", day)] = p }

	var heart []schemas.SeriesHour
	for hour := range 24 {
		heart = append(heart, heartHour(r, user, day, hour))
	}
	put("heart", piece{hours: heart})
	if day%3 == 0 {
		put("band", piece{hours: []schemas.SeriesHour{hours(user, "band", schemas.HeartRate, day, 12, 60_000, repeat(30, 80+r.Int32N(9))...)}})
	}

	var steps []schemas.SeriesHour
	for hour := 7; hour < 23; hour++ {
		values := repeat(60, 0)
		for range r.IntN(8) {
			values[r.IntN(60)] = 1 + r.Int32N(90)
		}
		if hour == 20 && day%4 == 0 { // at the pace of the heart
			copy(values[10:], repeat(5, 150))
		}
		steps = append(steps, hours(user, "watch", schemas.Steps, day, hour, 60_000, values...))
	}
	put("steps", piece{hours: steps})

	onset := -30 + r.Int64N(60)
	put("night", piece{segments: []schemas.SleepSegmentRow{
		segment(user, "watch", day, onset, onset+200, schemas.StageLight),
		segment(user, "watch", day, onset+200, onset+380+r.Int64N(60), schemas.StageDeep),
	}})
	run := schemas.RRRunRow{UserID: user, DeviceID: "watch", LocalMonth: 201604, LocalDate: day, Source: "native",
		StartAt: int64(day)*86_400_000_000 + (60+r.Int64N(30))*60_000_000, IntervalsMS: make([]int32, 3000)}
	run.EndAt = run.StartAt
	base := 850 + r.Int32N(200)
	for i := range run.IntervalsMS {
		run.IntervalsMS[i] = base + r.Int32N(70)
		if r.IntN(100) == 0 {
			run.IntervalsMS[i] *= 2
		}
		run.EndAt += int64(run.IntervalsMS[i]) * 1000
	}
	put("beats", piece{runs: []schemas.RRRunRow{run}})

	if r.IntN(2) == 0 {
		start := int64(day)*86_400_000_000 + 18*3_600_000_000
		put("workout", piece{
			workouts: []schemas.WorkoutRow{{UserID: user, DeviceID: "watch", WorkoutID: fmt.Sprint("run-", day), Sport: "running",
				StartAt: start, EndAt: start + 30*60_000_000, LocalDate: day, Source: "native"}},
			hours: []schemas.SeriesHour{hours(user, "watch", schemas.HeartRate, day, 18, 5_000, slices.Concat(
				repeat(360, 170+r.Int32N(25)), repeat(60, 135), repeat(60, 120))...)},
		})
	}
	return pieces
}

// heartHour is an hour of samples, in one of the ways of watches, with values that no heart can have.
func heartHour(r *rand.Rand, user string, day int32, hour int) schemas.SeriesHour {
	rate := func() int32 {
		switch {
		case r.IntN(60) == 0:
			return []int32{30, 240, 255, 199}[r.IntN(4)]
		case hour < 6:
			return 48 + r.Int32N(12)
		}
		return 62 + r.Int32N(20)
	}
	period := []int32{60_000, 5_000, 7_000, 1_000, 0}[(int(day)+len(user)+hour/12)%5]
	if hour == 20 && day%4 == 0 {
		return hours(user, "watch", schemas.HeartRate, day, hour, 60_000, repeat(60, 149)...)
	}
	if r.IntN(12) == 0 {
		return hours(user, "watch", schemas.HeartRate, day, hour, 60_000, repeat(60, 123+r.Int32N(9))...)
	}
	count := 60
	if period > 0 {
		count = int(min(600, 3_600_000/period))
	}
	h := hours(user, "watch", schemas.HeartRate, day, hour, period)
	h.OffsetsMS = nil
	for i := range count {
		switch {
		case period > 0 && r.IntN(20) == 0: // a hole
		case period > 0:
			h.OffsetsMS = append(h.OffsetsMS, int32(i)*period)
			h.Values = append(h.Values, rate())
		default:
			h.OffsetsMS = append(h.OffsetsMS, int32(i)*60_000+r.Int32N(59_000))
			h.Values = append(h.Values, rate())
		}
	}
	return h
}

func TestHeartsInAnyOrderOfArrivalEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 7))
	w := newWorld(t, tablesAbout(t, "heart")...)
	all := map[string]piece{}
	const days = 14
	for _, user := range []string{"a", "b"} {
		for day := range int32(days) {
			maps.Copy(all, heartDay(r, user, firstDay+day))
		}
		all["profile "+user] = piece{events: []schemas.EventRow{event(user, firstDay+3, 8, "profile", "birth_year", 1986)}}
	}
	keys := slices.Sorted(maps.Keys(all))
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for i, chunk := range slices.Collect(slices.Chunk(keys, len(keys)/3+1)) {
		sync := map[string]piece{}
		for _, key := range chunk {
			sync[key] = all[key]
		}
		if i == 2 { // and something that was there goes
			for _, key := range keys[:4] {
				sync[key] = piece{}
			}
		}
		w.put(sync)
		w.build(false)
	}
	w.sameAsFull()
	gold := w.gold()
	for _, name := range tablesAbout(t, "heart") {
		if len(gold[name]) == 0 {
			t.Errorf("%s has no rows: nothing was compared", name)
		}
	}
	checkDays(t, w, "a", firstDay+days-3)
}

// checkDays restates the figures of a person's days, sample by sample, from what the models are said to do.
func checkDays(t *testing.T, w *world, user string, from int32) {
	t.Helper()
	r, err := transform.OpenReader(t.Context(), w.lake, w.project, testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := r.DB.QueryContext(t.Context(), `select d.local_date - date '1970-01-01', heart_rate_min_bpm, heart_rate_p5_bpm,
			heart_rate_p50_bpm, heart_rate_mean_bpm, heart_rate_p95_bpm, heart_rate_peak_bpm, d.heart_rate_max_bpm, d.sample_count,
			refused_count, measured_min, d.covered_s, z.zone_1_from_bpm, z.zone_1_s, z.zone_4_from_bpm, z.zone_5_from_bpm, z.zone_4_s,
			z.uncovered_s
		from heart_rate_days as d
		inner join heart_rate_zone_days as z on d.user_id = z.user_id and d.local_date = z.local_date and zone_system = 'max'
		where d.user_id = ? order by 1`, user)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	checked := 0
	for rows.Next() {
		var day int32
		got := make([]float64, 17)
		targets := []any{&day}
		for i := range got {
			targets = append(targets, &got[i])
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		samples, refused := naiveSamples(w, user, day)
		if samples == nil {
			continue // two devices
		}
		checked++
		want := naiveFigures(samples, refused, got[11], got[13], got[14])
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("figure %d of day %d is %v, want %v", i, day-from, got[i], want[i])
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if checked < 3 {
		t.Errorf("%d days were compared", checked)
	}
}

// A naiveSample is a sample that a heart can have.
type naiveSample struct {
	atMS, periodMS int64
	bpm            int64
}

// naiveSamples are the samples of a day in order, nil when two devices have some, and how many were left out.
func naiveSamples(w *world, user string, day int32) (samples []naiveSample, refused int) {
	devices := map[string]bool{}
	for _, p := range w.pieces {
		for _, h := range p.hours {
			if h.UserID != user || h.LocalDate != day || h.Metric != schemas.HeartRate {
				continue
			}
			devices[h.DeviceID] = true
			var last *naiveSample
			for i, bpm := range h.Values {
				offset := int64(h.OffsetsMS[0]) + int64(i)*int64(h.PeriodMS)
				if len(h.OffsetsMS) > 1 {
					offset = int64(h.OffsetsMS[i])
				}
				s := naiveSample{h.HourAt/1000 + offset, int64(h.PeriodMS), int64(bpm)}
				if bpm < 25 || bpm > 230 || last != nil && max(s.bpm-last.bpm, last.bpm-s.bpm)*1000 > 6*(s.atMS-last.atMS) {
					refused++
					continue
				}
				last = &s
				samples = append(samples, s)
			}
		}
	}
	if len(devices) != 1 {
		return nil, 0
	}
	slices.SortFunc(samples, func(a, b naiveSample) int {
		for _, d := range []int64{a.atMS - b.atMS, b.periodMS - a.periodMS, a.bpm - b.bpm} {
			if d != 0 {
				return int(d)
			}
		}
		return 0
	})
	return samples, refused
}

// naiveFigures are the figures in the order in which checkDays reads them.
func naiveFigures(samples []naiveSample, refused int, zone1, zone4, zone5 float64) []float64 {
	const minute = 60_000
	minutes := map[int64]bool{}
	end := int64(0)
	var heldMS, weightMS, weighted, zone1MS, zone4MS int64
	weightOf := map[int64]int64{}
	for i, s := range samples {
		minutes[s.atMS/minute] = true
		end = max(end, s.atMS+s.periodMS)
		var held, weight int64
		after := int64(math.MaxInt64)
		if i+1 < len(samples) {
			after = samples[i+1].atMS - s.atMS
		}
		switch isDense := i > 0 && s.atMS-samples[i-1].atMS <= 2000; {
		case s.periodMS > 0:
			held, weight = min(after, s.periodMS, 120_000), min(after, s.periodMS, 900_000)
		case after == math.MaxInt64:
			held, weight = 0, minute
		case isDense:
			held, weight = min(after, 10_000), after
		default:
			held, weight = min(after, 120_000), after
		}
		if s.periodMS == 0 && after > 900_000 {
			weight = minute
		}
		heldMS, weightMS, weighted = heldMS+held, weightMS+weight, weighted+weight*s.bpm
		weightOf[s.bpm] += weight
		if bpm := float64(s.bpm); bpm >= zone1 && bpm < zone1*1.2 {
			zone1MS += held
		} else if bpm >= zone4 && bpm < zone5 {
			zone4MS += held
		}
	}
	rates := slices.Sorted(maps.Keys(weightOf))
	percentile := func(pct int64) float64 {
		upTo := int64(0)
		for _, bpm := range rates {
			if upTo += weightOf[bpm]; 100*upTo >= pct*weightMS {
				return float64(bpm)
			}
		}
		return 0
	}
	peak, above := 0.0, int64(0)
	for _, bpm := range slices.Backward(rates) {
		if above += weightOf[bpm]; above >= min(minute, weightMS) {
			peak = float64(bpm)
			break
		}
	}
	seconds := func(ms int64) float64 { return float64(ms / 1000) }
	return []float64{
		float64(rates[0]), percentile(5), percentile(50), float64(weighted) / float64(weightMS), percentile(95), peak,
		float64(rates[len(rates)-1]), float64(len(samples)), float64(refused), float64(len(minutes)), seconds(heldMS), zone1,
		seconds(zone1MS), zone4, zone5, seconds(zone4MS), seconds(max(0, end-samples[0].atMS-heldMS)),
	}
}

// TestNightsOfBeats follows beats from silver to the status, and holds the median of a night against its windows.
func TestNightsOfBeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tablesAbout(t, "heart")...)
	r := rand.New(rand.NewPCG(43, 7))
	pieces := map[string]piece{}
	for day := range int32(24) {
		for key, p := range heartDay(r, "a", firstDay+day) {
			if strings.HasPrefix(key, "beats") || strings.HasPrefix(key, "night") {
				pieces[key] = p
			}
		}
	}
	w.put(pieces)
	w.build(false)
	gold := w.gold()
	if n := len(gold["hrv_nights"]); n != 24 {
		t.Errorf("there are %d nights, want 24", n)
	}
	var statuses []string
	for _, row := range gold["hrv_baselines"] {
		statuses = append(statuses, field(row, "hrv_status"))
	}
	if len(statuses) != 24 || statuses[19] != "no_status" || statuses[20] == "no_status" {
		t.Errorf("statuses are %v, want one from the 21st night on", statuses)
	}
	for _, row := range gold["hrv_windows"] {
		rmssd, missing := strconv.ParseFloat(field(row, "hrv_rmssd_ms"), 64)
		covered, err := strconv.ParseFloat(field(row, "nn_covered_ms"), 64)
		if err != nil {
			t.Fatal(err)
		}
		// Steps of up to 70 ms at random are about 28 ms. The last two intervals of a run are not classified, so that one
		// missed beat may be among the differences of a window, but not the three that it holds.
		if missing == nil && covered >= 150_000 && (rmssd < 5 || rmssd > 100) {
			t.Errorf("a window has an RMSSD of %v ms: differences across missed beats are among its differences", rmssd)
		}
	}
}

// field is the value of a column in a row as text.
func field(row, name string) string {
	_, rest, _ := strings.Cut(row, "'"+name+"': ")
	value, _, _ := strings.Cut(rest, ",")
	return strings.TrimSuffix(value, "}")
}

// TestSleepThatWasFoundIsAsleepInTheDip: a watch that tells no sleep, on a person who rests from 23 to 7 h.
func TestSleepThatWasFoundIsAsleepInTheDip(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "heart_rate_dips")
	for _, day := range []int32{firstDay + 1, firstDay + 2, firstDay} {
		var p piece
		for hour := range 24 {
			bpm, steps := int32(80), int32(20)
			if hour < 7 || hour >= 23 {
				bpm, steps = 50, 0
			}
			p.hours = append(p.hours,
				hours("u", "watch", schemas.HeartRate, day, hour, 60_000, repeat(60, bpm)...),
				hours("u", "watch", schemas.Steps, day, hour, 60_000, repeat(60, steps)...))
		}
		w.put(map[string]piece{fmt.Sprint(day): p})
		w.build(false)
	}
	got := w.ask(`select awake_mean_bpm, dip_pct, awake_measured_min, asleep_measured_min
		from heart_rate_dips where night_date = '2016-04-13'`)
	if want := []string{"80\t37.5\t960\t480"}; !slices.Equal(got, want) {
		t.Errorf("the dip is %q, want %q", got, want)
	}
	w.sameAsFull()
}

// TestASpotValueIsNoHighestHeartRate: two slips of a watch that measures every ten minutes do not make zones for a year, two
// hard runs do.
func TestASpotValueIsNoHighestHeartRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "heart_rate_max_days")
	pieces := map[string]piece{}
	for _, user := range []string{"runs", "slips"} {
		pieces["profile "+user] = piece{events: []schemas.EventRow{event(user, firstDay, 8, "profile", "birth_year", 1976)}}
	}
	for day := firstDay; day <= firstDay+2; day++ {
		slip := hours("slips", "watch", schemas.HeartRate, day, 12, 0, 70, 70, 205, 70, 70, 70)
		slip.OffsetsMS = []int32{0, 600_000, 1_200_000, 1_800_000, 2_400_000, 3_000_000}
		start := int64(day)*86_400_000_000 + 18*3_600_000_000
		run := schemas.WorkoutRow{UserID: "runs", DeviceID: "watch", WorkoutID: fmt.Sprint(day), Sport: "running", StartAt: start,
			EndAt: start + 30*60_000_000, LocalDate: day, Source: "native"}
		pieces[fmt.Sprint("slip ", day)] = piece{hours: []schemas.SeriesHour{slip}}
		pieces[fmt.Sprint("run ", day)] = piece{workouts: []schemas.WorkoutRow{run}, hours: []schemas.SeriesHour{
			hours("runs", "watch", schemas.HeartRate, day, 18, 5_000, slices.Concat(repeat(180, 150), repeat(60, 190), repeat(120, 150))...)}}
	}
	w.put(pieces)
	w.build(false)
	got := w.ask(`select user_id, heart_rate_max_bpm, heart_rate_max_source from heart_rate_max_days
		where local_date = '2016-04-14' order by user_id`)
	if want := []string{"runs\t190\tobserved", "slips\t180\tage"}; !slices.Equal(got, want) {
		t.Errorf("the highest heart rates are %q, want %q", got, want)
	}
}
