package transform_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
	"github.com/diurna-health/diurna/transform/rows"
)

// stageByMotion stands in for the classifier: of nights of which enough was measured, what moves is awake, and what does not
// is in light sleep. It knows one device.
func stageByMotion(_ context.Context, hours array.RecordReader) (array.RecordReader, error) {
	const epochMS, epochUS = 30_000, 30_000_000
	type night struct {
		user       string
		date       arrow.Date32
		first, end int64
		counts     map[int64]int32 // by epoch
		hearts     map[int64]bool  // epochs with one
	}
	var nights []*night
	var observedShare float64
	for hours.Next() {
		var (
			users, metrics       *array.String
			dates                *array.Date32
			firsts, ends, starts *array.Int64
			periods              *array.Int32
			offsets, values      rows.Lists
			bind                 = rows.Bound(map[string]*float64{"observed_share_min": &observedShare}, map[string]any{
				"user_id": &users, "metric": &metrics, "night_date": &dates, "first_epoch": &firsts, "end_epoch": &ends,
				"hour_ms": &starts, "period_ms": &periods, "offsets_ms": &offsets, "sample_values": &values,
			})
		)
		if err := bind(hours.RecordBatch()); err != nil {
			return nil, err
		}
		for i := range users.Len() {
			if n := len(nights); n == 0 || nights[n-1].user != users.Value(i) || nights[n-1].date != dates.Value(i) {
				nights = append(nights, &night{
					strings.Clone(users.Value(i)), dates.Value(i), firsts.Value(i), ends.Value(i), map[int64]int32{}, map[int64]bool{},
				})
			}
			n := nights[len(nights)-1]
			for k, value := range values.At(i) {
				own := offsets.At(i)
				ms := starts.Value(i) + int64(own[0]) + int64(k)*int64(periods.Value(i))
				if len(own) == len(values.At(i)) {
					ms = starts.Value(i) + int64(own[k])
				}
				epoch := ms / epochMS
				switch {
				case epoch < n.first || epoch >= n.end:
				case metrics.Value(i) == schemas.MotionCount:
					n.counts[epoch] = value
				default:
					n.hearts[epoch] = true
				}
			}
		}
	}
	out := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "night_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "episode_started_at", Type: instant},
		{Name: "started_at", Type: instant},
		{Name: "ended_at", Type: instant},
		{Name: "stage", Type: arrow.BinaryTypes.String},
	}, nil))
	for _, n := range nights {
		minutes := map[int64]bool{}
		for epoch := range n.hearts {
			if _, ok := n.counts[epoch]; ok {
				minutes[epoch/2] = true
			}
		}
		if length := float64(n.end - n.first); float64(100*len(n.counts)) < observedShare*length || float64(200*len(minutes)) < observedShare*length {
			continue
		}
		for epoch := n.first; epoch < n.end; epoch++ {
			count, ok := n.counts[epoch]
			if !ok {
				continue
			}
			stage := schemas.StageLight
			if count > 20 {
				stage = schemas.StageAwake
			}
			out.Field(0).(*array.StringBuilder).Append(n.user)
			out.Field(1).(*array.Date32Builder).Append(n.date)
			out.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(n.first * epochUS))
			out.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(epoch * epochUS))
			out.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp((epoch + 1) * epochUS))
			out.Field(5).(*array.StringBuilder).Append(string(stage))
		}
	}
	made := out.NewRecordBatch()
	defer made.Release()
	return array.NewRecordReader(made.Schema(), []arrow.RecordBatch{made})
}

var instant = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

func sleepProject(t *testing.T) *transform.Project {
	t.Helper()
	p, err := transform.LoadWith(t.Context(), transform.Functions{"stage_sleep": {Run: stageByMotion}}, transform.Models)
	if err != nil {
		t.Fatal(err)
	}
	return p.Of(append(tablesAbout(t, "sleep"), "hypnograms")...)
}

// A watch is what of a day a device measures; the zero watch measures nothing.
type watch struct {
	heart, steps, motion bool
	offsetMin            int32
}

// A stay is what somebody does in a day: at rest from a minute of the day to another, lively otherwise, and not measured
// where the watch is off. Minutes run from the day's local midnight and may lie before and behind it.
type stay struct {
	rest, off [][2]int
}

func within(spans [][2]int, minute int) bool {
	return slices.ContainsFunc(spans, func(s [2]int) bool { return minute >= s[0] && minute < s[1] })
}

// live records a local day by the hour.
func (w watch) live(user string, day int32, s stay) piece {
	r := rand.New(rand.NewPCG(uint64(day), 1))
	var p piece
	for hour := range 24 {
		var at []int32
		var hearts, steps, motions []int32
		for minute := range 60 {
			local := hour*60 + minute
			if within(s.off, local) {
				continue
			}
			at = append(at, int32(minute)*60_000)
			if within(s.rest, local) {
				hearts = append(hearts, 52+r.Int32N(6))
				steps = append(steps, r.Int32N(40)/39)
				motions = append(motions, r.Int32N(4)/3, 60*(r.Int32N(20)/19))
				continue
			}
			hearts = append(hearts, 70+r.Int32N(30))
			steps = append(steps, 1+r.Int32N(60))
			motions = append(motions, 40+r.Int32N(200), 30+r.Int32N(200))
		}
		if len(at) == 0 {
			continue
		}
		add := func(metric string, period int32, at, values []int32) {
			h := hours(user, "watch", metric, day, hour, period, values...)
			h.HourAt -= int64(w.offsetMin) * 60_000_000
			h.UTCOffsetMin, h.OffsetsMS = w.offsetMin, at
			p.hours = append(p.hours, h)
		}
		if w.heart {
			add(schemas.HeartRate, 60_000, at, hearts)
		}
		if w.steps {
			add(schemas.Steps, 60_000, at, steps)
		}
		if w.motion {
			var halves []int32
			for _, ms := range at {
				halves = append(halves, ms, ms+30_000)
			}
			add(schemas.MotionCount, 30_000, halves, motions)
		}
	}
	return p
}

// ask returns what a query gives, a line a row.
func (w *world) ask(query string) []string {
	w.t.Helper()
	r, err := transform.OpenReader(w.t.Context(), w.lake, w.project, testConfig(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	rows, err := r.DB.QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	lines := []string{}
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			w.t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String
		}
		lines = append(lines, strings.Join(texts, "\t"))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// wornAt says from when on a watch is worn, or with 0 that it is not.
func wornAt(user string, day int32, hour int, value int32) schemas.EventRow {
	e := event(user, day, hour, "worn", "", value)
	e.DeviceID = "watch"
	return e
}

func charging(user string, day int32, from, to int64) schemas.EventRow {
	midnight := int64(day) * 86_400_000_000
	end := midnight + to*60_000_000
	return schemas.EventRow{
		UserID: user, DeviceID: "watch", Kind: "charging", StartAt: midnight + from*60_000_000, EndAt: &end,
		LocalDate: day + int32(from/1440), Source: "native",
	}
}

func TestRestIsFoundWithoutADiary(t *testing.T) {
	t.Parallel()
	all := watch{heart: true, steps: true, motion: true}
	night := stay{rest: [][2]int{{0, 7 * 60}, {23 * 60, 1440}}}
	const found = "04-12 23:00 to 04-13 07:00 by "
	tests := map[string]struct {
		watch watch
		day   stay
		more  func(user string) piece
		want  string // of the rest that ended on 2016-04-13
	}{
		"motion and heart":        {all, night, nil, found + "motion"},
		"heart and steps":         {watch{heart: true, steps: true}, night, nil, found + "steps"},
		"motion, heart, no steps": {watch{heart: true, motion: true}, night, nil, found + "motion"},
		"another zone":            {watch{heart: true, motion: true, offsetMin: 10 * 60}, night, nil, found + "motion"},
		"no heart":                {watch{steps: true, motion: true}, night, nil, ""},
		"heart alone":             {watch{heart: true}, night, nil, ""},
		"off the wrist at night":  {all, stay{off: night.rest}, nil, ""},
		"on the charger at night": {all, night, func(user string) piece {
			var p piece
			for day := firstDay - 1; day <= firstDay+2; day++ {
				p.events = append(p.events, charging(user, day, 23*60, 31*60))
			}
			return p
		}, ""},
		"off the wrist at night, on the charger before": {all, night, func(user string) piece {
			var p piece
			for day := firstDay - 1; day <= firstDay+2; day++ {
				p.events = append(p.events, wornAt(user, day, 22, 0), charging(user, day, 22*60+5, 23*60), wornAt(user, day, 7, 1))
			}
			return p
		}, ""},
		"25 minutes":        {all, stay{rest: [][2]int{{13 * 60, 13*60 + 25}}}, nil, ""},
		"half an hour":      {all, stay{rest: [][2]int{{13 * 60, 13*60 + 30}}}, nil, "04-13 13:00 to 04-13 13:30 by motion"},
		"a sleep by day":    {all, stay{rest: [][2]int{{9 * 60, 16 * 60}}}, nil, "04-13 09:00 to 04-13 16:00 by motion"},
		"up for 55 minutes": {all, stay{rest: [][2]int{{0, 3 * 60}, {3*60 + 55, 7 * 60}, {23 * 60, 1440}}}, nil, found + "motion"},
		"up for an hour": {all, stay{rest: [][2]int{{0, 3 * 60}, {4 * 60, 7 * 60}, {23 * 60, 1440}}}, nil,
			"04-12 23:00 to 04-13 03:00 by motion, 04-13 04:00 to 04-13 07:00 by motion"},
		"a device told of the night": {all, night, func(user string) piece {
			return piece{segments: []schemas.SleepSegmentRow{segment(user, "watch", firstDay, 23*60, 31*60, schemas.StageAsleep)}}
		}, ""},
		"worn for less than 16 hours": {all, stay{rest: night.rest, off: [][2]int{{8 * 60, 17 * 60}}}, nil, ""},
	}
	w := newWorld(t)
	w.project = sleepProject(t)
	pieces := map[string]piece{}
	for name, test := range tests {
		// The days before and after are there, so that both searches of the night are worn long enough.
		for day := firstDay - 1; day <= firstDay+2; day++ {
			pieces[fmt.Sprint(name, day)] = test.watch.live(name, day, test.day)
		}
		if test.more != nil {
			pieces[name] = test.more(name)
		}
	}
	w.put(pieces)
	w.build(false)
	got := map[string]string{}
	for _, line := range w.ask(`select user_id, strftime(started_at::timestamp + to_minutes(start_utc_offset_min), '%m-%d %H:%M')
		|| ' to ' || strftime(ended_at::timestamp + to_minutes(end_utc_offset_min), '%m-%d %H:%M') || ' by ' || basis
		from sleep_windows where night_date = '2016-04-13' order by user_id, started_at`) {
		user, rest, _ := strings.Cut(line, "\t")
		if got[user] != "" {
			rest = got[user] + ", " + rest
		}
		got[user] = rest
	}
	for name, test := range tests {
		if got[name] != test.want {
			t.Errorf("%s: found %q, want %q", name, got[name], test.want)
		}
	}
}

func TestEstimatesStandWhereNoDeviceTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.project = sleepProject(t)
	night := stay{rest: [][2]int{{0, 7 * 60}, {23 * 60, 1440}}}
	pieces := map[string]piece{
		"told":   {segments: []schemas.SleepSegmentRow{segment("told", "watch", firstDay, 23*60+30, 31*60, schemas.StageAsleep)}},
		"summed": {summaries: []schemas.DailySummaryRow{{UserID: "summed", DeviceID: "watch", Metric: schemas.TotalSleepTime, LocalDate: firstDay + 1, Value: 400, Source: "native"}}},
	}
	for day := firstDay; day <= firstDay+2; day++ {
		for _, user := range []string{"told", "summed", "untold"} {
			pieces[fmt.Sprint(user, day)] = watch{heart: true, steps: true, motion: true}.live(user, day, night)
		}
		pieces[fmt.Sprint("unstaged", day)] = watch{heart: true, steps: true}.live("unstaged", day, night)
	}
	w.put(pieces)
	w.build(false)
	got := w.ask(`select user_id || ' ' || source || ' ' || time_in_bed_min || ' ' || coalesce(total_sleep_time_min > 400, false)
		|| ' ' || coalesce(sleep_onset_latency_min is null and sleep_efficiency_pct is null, false)
		|| ' ' || coalesce(estimated_light_min > 400, false) || ' ' || coalesce(invalid_reason, '')
		from sleep_nights where night_date = '2016-04-13' order by user_id`)
	want := []string{
		"summed summary  ", "told segments 450.0 true false true ", "unstaged estimate 480.0 false true false unstaged",
		"untold estimate 480.0" + strings.Repeat(" true", 3) + " ",
	}
	for i, line := range got {
		if strings.HasPrefix(line, "summed summary") || line == "" {
			got[i] = want[0]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nights differ (-want +got):\n%s", diff)
	}
	w.sameAsFull()
}

// TestSleepInAnyOrderOfArrivalEqualsOneFullBuild lets the days of people who sleep at all hours arrive in any order, and
// some of them again with more or less.
func TestSleepInAnyOrderOfArrivalEqualsOneFullBuild(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 7))
	w := newWorld(t)
	w.project = sleepProject(t)
	const days = 6
	syncOf := func(user string, day int32) map[string]piece {
		bed, up := r.IntN(240), 300+r.IntN(300)
		s := stay{rest: [][2]int{{bed, up}, {1440 - r.IntN(120), 1440}}}
		if r.IntN(3) == 0 {
			nap := 800 + r.IntN(300)
			s.rest = append(s.rest, [2]int{nap, nap + 30 + r.IntN(200)})
		}
		if r.IntN(4) == 0 {
			off := r.IntN(1440)
			s.off = [][2]int{{off, off + r.IntN(300)}}
		}
		p := watch{heart: user != "d", steps: user == "d" || r.IntN(4) > 0, motion: user != "b"}.live(user, day, s)
		if user == "c" || user == "d" {
			p.segments = append(p.segments,
				segment(user, "watch", day, int64(bed), int64(up)-100, schemas.StageLight),
				segment(user, "watch", day, int64(up)-100+r.Int64N(90), int64(up), schemas.StageREM))
		}
		if r.IntN(3) == 0 { // and what they wrote down themselves
			written := segment(user, "app", day, int64(bed)-r.Int64N(60), int64(up)+r.Int64N(60), schemas.StageAsleep)
			written.Source = "manual"
			p.segments = append(p.segments, written)
		}
		if r.IntN(5) == 0 {
			p.events = append(p.events, charging(user, day, r.Int64N(1440), 1440+r.Int64N(300)))
		}
		if r.IntN(3) == 0 {
			p.events = append(p.events, wornAt(user, day, r.IntN(24), r.Int32N(2)))
		}
		if r.IntN(4) == 0 {
			p.events = append(p.events, event(user, day, 8, "tag", []string{"work_day", "Free_day", "alarm"}[r.IntN(3)], r.Int32N(3)))
			p.events[len(p.events)-1].EndAt = new(int64(day+r.Int32N(4))*86_400_000_000 + 1)
		}
		if r.IntN(6) == 0 {
			cut := 600 + r.Int32N(600)
			p.events = append(p.events, schemas.EventRow{UserID: user, DeviceID: "app", Kind: "profile", Name: "day_cut_min",
				StartAt: int64(day) * 86_400_000_000, LocalDate: day, Value: &cut, Source: "manual"})
		}
		return map[string]piece{fmt.Sprint(user, day): p}
	}
	var order []func() map[string]piece
	for _, user := range []string{"a", "b", "c", "d"} { // nobody measures the heart of d
		for day := range int32(days) {
			order = append(order, func() map[string]piece { return syncOf(user, firstDay+day) })
		}
		order = append(order, func() map[string]piece { return syncOf(user, firstDay+r.Int32N(days)) })
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for i, sync := range order {
		w.put(sync())
		if i%3 == 2 {
			w.build(false)
		}
	}
	w.build(false)
	w.sameAsFull()
	gold := w.gold()
	for _, table := range []string{
		"rest_searches", "sleep_windows", "sleep_periods", "sleep_habits", "sleep_stage_estimates", "hypnogram_nights", "sleep_nights", "sleep_days",
		"sleep_day_cuts", "sleep_day_pairs", "sleep_regularity", "sleep_scores", "time_in_bed_days",
		"work_days",
	} {
		if len(gold[table]) == 0 {
			t.Errorf("%s has no rows: nothing was compared", table)
		}
	}
}

// A measured night is what a hypnogram of whole half minutes comes to, by the definitions and nothing else.
type measuredNight struct {
	inBed, beforeOnset, asleep, awake, terminal, unscored int // epochs
	awakenings, longAwakenings, light, deep, rem, longest int
	remLatency                                            int // -1 = none
}

// measure goes through a hypnogram epoch by epoch; a space is a hole in the record.
func measure(hypnogram string) (m measuredNight, ok bool) {
	asleep := func(i int) bool { return strings.IndexByte("LDRS", hypnogram[i]) >= 0 }
	awake := func(i int) bool { return hypnogram[i] == 'W' || hypnogram[i] == 'O' }
	onset := -1
	for i := 0; i+2 < len(hypnogram) && onset < 0; i++ {
		if asleep(i) && asleep(i+1) && asleep(i+2) {
			onset = i
		}
	}
	if onset < 0 {
		return m, false
	}
	offset := len(hypnogram)
	for !asleep(offset - 1) {
		offset--
	}
	m.remLatency = -1
	run, wakeRun := 0, 0
	for i := range hypnogram {
		if hypnogram[i] != ' ' {
			m.inBed++
		}
		switch {
		case hypnogram[i] == 'U':
			m.unscored++
		case i < onset && hypnogram[i] != ' ':
			m.beforeOnset++
		case i >= offset && awake(i):
			m.terminal++
		case i >= onset && awake(i):
			m.awake++
		case i >= onset && asleep(i):
			m.asleep++
		}
		if i < onset || i >= offset {
			continue
		}
		if asleep(i) {
			run++
			m.longest = max(m.longest, run)
		} else {
			run = 0
		}
		if awake(i) {
			if wakeRun++; wakeRun == 1 {
				m.awakenings++
			}
			if wakeRun == 10 {
				m.longAwakenings++
			}
		} else {
			wakeRun = 0
		}
		switch hypnogram[i] {
		case 'L':
			m.light++
		case 'D':
			m.deep++
		case 'R':
			if m.rem++; m.rem == 1 {
				m.remLatency = i - onset
			}
		}
	}
	return m, true
}

func randomHypnogram(r *rand.Rand) string {
	var b strings.Builder
	letters := "WLDRWLRLDO U"
	if r.IntN(2) == 0 {
		letters = "WLDRLRLD" // nothing missing
	}
	b.WriteByte("WLO"[r.IntN(2)])
	for b.Len() < 100+r.IntN(300) {
		b.WriteString(strings.Repeat(string(letters[r.IntN(len(letters))]), 1+r.IntN(24)))
	}
	b.WriteByte('L') // holes and being out of bed at the end belong to no record
	return b.String()
}

func TestNightsAreMeasuredAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(51, 7))
	stages := map[byte]schemas.SleepStage{
		'W': schemas.StageAwake, 'L': schemas.StageLight, 'D': schemas.StageDeep, 'R': schemas.StageREM, 'O': schemas.StageOutOfBed,
		'U': schemas.StageUnknown,
	}
	w := newWorld(t)
	w.project = sleepProject(t)
	var all piece
	want := map[string]measuredNight{}
	for n := range 120 {
		user, hypnogram := fmt.Sprintf("person-%03d", n), randomHypnogram(r)
		for i := 0; i < len(hypnogram); {
			j := i
			for j < len(hypnogram) && hypnogram[j] == hypnogram[i] {
				j++
			}
			if hypnogram[i] != ' ' {
				s := segment(user, "watch", firstDay, 0, 0, stages[hypnogram[i]])
				s.StartAt, s.EndAt = s.StartAt+int64(i)*30_000_000, s.StartAt+int64(j)*30_000_000
				all.segments = append(all.segments, s)
			}
			i = j
		}
		if m, ok := measure(hypnogram); ok {
			want[user] = m
		}
	}
	w.put(map[string]piece{"all": all})
	w.build(false)
	got := map[string]measuredNight{}
	invalid := 0
	for _, line := range w.ask(`select user_id, (2 * time_in_bed_min)::int, (2 * before_onset_min)::int, (2 * total_sleep_time_min)::int,
		(2 * wake_after_sleep_onset_min)::int, (2 * terminal_wake_min)::int, (2 * unscored_min)::int, awakening_count,
		long_awakening_count, (2 * light_min)::int, (2 * deep_min)::int, (2 * rem_min)::int, (2 * longest_sleep_min)::int,
		coalesce((2 * rem_latency_min)::int, -1), coalesce(invalid_reason, 'valid') from hypnogram_nights`) {
		var user, reason string
		var m measuredNight
		if strings.HasSuffix(line, "valid") {
			_, err := fmt.Sscan(line, &user, &m.inBed, &m.beforeOnset, &m.asleep, &m.awake, &m.terminal, &m.unscored, &m.awakenings,
				&m.longAwakenings, &m.light, &m.deep, &m.rem, &m.longest, &m.remLatency, &reason)
			if err != nil {
				t.Fatal(err)
			}
			got[user] = m
			continue
		}
		invalid++
		delete(want, strings.Fields(line)[0])
	}
	if len(got) < 60 || invalid < 10 {
		t.Errorf("%d nights are measured and %d are not: too few to prove anything", len(got), invalid)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(measuredNight{})); diff != "" {
		t.Errorf("nights differ (-definitions +models):\n%s", diff)
	}
	for _, m := range got {
		if m.inBed != m.beforeOnset+m.asleep+m.awake+m.terminal+m.unscored {
			t.Errorf("time in bed is not the sum of its parts: %+v", m)
		}
	}
	for _, line := range w.ask(`with neighbours as (
			select *, lag(ended_at) over (partition by user_id, night_date, period_started_at, source order by bout_number) as ended_before,
				lag(stage || is_told) over (partition by user_id, night_date, period_started_at, source order by bout_number) as stage_before
			from hypnograms
		)
		select 'bouts do not touch' from neighbours where ended_before <> started_at
		union all select 'a bout has no length' from hypnograms where duration_ms <= 0
		union all select 'two bouts on end are one' from neighbours where stage_before = stage || is_told
		union all select 'efficiency is not of the time whose state is known' from hypnogram_nights
			where abs(sleep_efficiency_pct - 100 * total_sleep_time_min
				/ (before_onset_min + total_sleep_time_min + wake_after_sleep_onset_min + terminal_wake_min)) > 1e-9
		union all select 'bouts do not fill the sleep' from sleep_periods as p
			join (select user_id, period_started_at, min(started_at) as first_at, max(ended_at) as last_at from hypnograms group by all) as h
			on p.user_id = h.user_id and p.started_at = h.period_started_at
			where h.first_at <> p.started_at or h.last_at <> p.ended_at`) {
		t.Error(line)
	}
}
