package mix

import (
	"fmt"
	"math/rand/v2"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// The things that are drawn, each from its own generator, so that none depends on how often another was asked.
const (
	drawCut = iota
	drawPerson
	drawHeartRate
	drawHole
	drawSteps
	drawMotion
	drawOxygen
	drawStress
	drawRR
	drawWorkout
)

func (c Config) dice(person, what, hour int) *rand.Rand {
	return rand.New(rand.NewPCG(c.Seed<<20^uint64(what), uint64(c.Date)<<40^uint64(person)<<8^uint64(hour))) //nolint:gosec // made-up people, not secrets
}

// offsetOf is the UTC offset of a person in minutes. Half of them live at one offset, and one in eight at no whole hour.
func offsetOf(person int) int32 {
	switch person % 8 {
	case 1:
		return 0
	case 3:
		return 120
	case 5:
		return -300
	case 7:
		return 330
	default:
		return 60
	}
}

// midnightMS returns when the person's local day begins.
func (c Config) midnightMS(person int) int64 {
	return int64(c.Date)*schemas.MillisPerDay - int64(offsetOf(person))*minuteMS
}

// A watch is the device of one person on the day.
type watch struct {
	Config
	person       int
	user, device string
	midnightMS   int64
	offsetMin    int32
	heartPeriod  int   // seconds
	restingBPM   int32 // asleep
	bedHour      int   // the night is the eight hours from then, round midnight
	workoutAt    int   // minute; -1 = none
}

const (
	nightHours     = 8
	workoutMinutes = 20
	missing        = -1 // no metric of the mix has negative values in its series
)

func (c Config) watch(person int) watch {
	dice := c.dice(person, drawPerson, 0)
	w := watch{
		Config: c, person: person,
		user: fmt.Sprintf("user-%07d", person), device: fmt.Sprintf("watch-%07d", person),
		midnightMS: c.midnightMS(person), offsetMin: offsetOf(person),
		heartPeriod: 60,
		restingBPM:  48 + dice.Int32N(16),
		bedHour:     22 + dice.IntN(3),
		workoutAt:   -1,
	}
	if person%5 == 0 {
		w.heartPeriod = 5
	}
	if person%10 == 3 {
		w.workoutAt = 16*minutesPerHour + dice.IntN(3*minutesPerHour)
	}
	return w
}

func (w *watch) asleep(hour int) bool { return (hour-w.bedHour+48)%24 < nightHours }

// series returns the series of a span, one per metric, and none where the watch kept nothing.
func (w *watch) series(s Span) []syncv1.Series {
	var all []syncv1.Series
	for _, m := range []struct {
		name      string
		periodSec int
		hour      func(hour int) []int32
	}{
		{schemas.HeartRate, w.heartPeriod, w.heartRate},
		{schemas.Steps, 60, w.steps},
		{"stress", 180, w.stress},
		{schemas.MotionCount, 30, w.motion},
		{"oxygen_saturation", 300, w.oxygen},
	} {
		all = append(all, w.runs(s, m.name, m.periodSec, m.hour)...)
	}
	return all
}

// runs cuts a metric's hours to the span. Hours of which the watch keeps nothing end a series.
func (w *watch) runs(s Span, metric string, periodSec int, hour func(int) []int32) []syncv1.Series {
	var all []syncv1.Series
	var values []int32
	start := 0 // second of the day
	end := func() {
		if len(values) > 0 {
			all = append(all, w.oneSeries(metric, start, periodSec, values))
		}
		values = nil
	}
	for h := s.From / minutesPerHour; h*minutesPerHour < s.To; h++ {
		kept := hour(h)
		if kept == nil {
			end()
			continue
		}
		from := (max(s.From, h*minutesPerHour) - h*minutesPerHour) * 60 / periodSec
		to := (min(s.To, (h+1)*minutesPerHour) - h*minutesPerHour) * 60 / periodSec
		if values == nil {
			start = h*3600 + from*periodSec
		}
		values = append(values, kept[from:to]...)
	}
	end()
	return all
}

// oneSeries leaves out what is missing, and gives times only where something is.
func (w *watch) oneSeries(metric string, startSec, periodSec int, values []int32) syncv1.Series {
	s := syncv1.Series{
		Metric: metric, StartMS: w.midnightMS + int64(startSec)*1000, OffsetMin: w.offsetMin,
		PeriodMS: int32(periodSec) * 1000,
	}
	whole := true
	for i, v := range values {
		if v == missing {
			whole = false
			continue
		}
		s.AtMS = append(s.AtMS, int32(i)*s.PeriodMS)
		s.Values = append(s.Values, v)
	}
	if whole {
		s.AtMS = nil
	}
	return s
}

// heartRate drifts towards what the hour asks for. In one hour of sixteen the watch is off for some minutes.
func (w *watch) heartRate(hour int) []int32 {
	dice := w.dice(w.person, drawHeartRate, hour)
	n := 3600 / w.heartPeriod
	values := make([]int32, n)
	goal := w.restingBPM
	if !w.asleep(hour) {
		goal += 15 + dice.Int32N(15)
	}
	bpm := goal * 8
	for i := range values {
		bpm += (goal*8-bpm)/16 + dice.Int32N(17) - 8
		if !w.asleep(hour) && dice.IntN(n) == 0 {
			bpm += 240 // stairs
		}
		values[i] = max(bpm/8, 30)
	}
	w.takeOff(values, hour)
	return values
}

func (w *watch) takeOff(values []int32, hour int) {
	dice := w.dice(w.person, drawHole, hour)
	if dice.IntN(16) != 0 {
		return
	}
	perMinute := len(values) / minutesPerHour
	from := dice.IntN(50) * perMinute
	to := from + (1+dice.IntN(10))*perMinute
	for i := from; i < to; i++ {
		values[i] = missing
	}
}

// steps come in walks; at night there are none.
func (w *watch) steps(hour int) []int32 {
	values := make([]int32, minutesPerHour)
	if w.asleep(hour) {
		return values
	}
	dice := w.dice(w.person, drawSteps, hour)
	walking := 0
	for i := range values {
		switch {
		case walking > 0:
			walking--
			values[i] = 85 + dice.Int32N(35)
		case dice.IntN(24) == 0:
			walking = dice.IntN(12)
			values[i] = 20 + dice.Int32N(60)
		case dice.IntN(4) == 0:
			values[i] = dice.Int32N(18)
		}
	}
	return values
}

func (w *watch) stress(hour int) []int32 {
	dice := w.dice(w.person, drawStress, hour)
	values := make([]int32, 20)
	score := int32(25)
	if w.asleep(hour) {
		score = 12
	}
	for i := range values {
		score = min(max(score+dice.Int32N(11)-5, 0), 100)
		values[i] = score
	}
	return values
}

// motion is kept at night: a wrist that lies still, and turns.
func (w *watch) motion(hour int) []int32 {
	if !w.asleep(hour) {
		return nil
	}
	dice := w.dice(w.person, drawMotion, hour)
	values := make([]int32, 120)
	restless := 0
	for i := range values {
		switch {
		case restless > 0:
			restless--
			values[i] = dice.Int32N(120)
		case dice.IntN(40) == 0:
			restless = dice.IntN(4)
			values[i] = 40 + dice.Int32N(200)
		case dice.IntN(10) == 0:
			values[i] = dice.Int32N(6)
		}
	}
	return values
}

// oxygen is kept at night, in whole percent though the unit is permille: so watches measure it.
func (w *watch) oxygen(hour int) []int32 {
	if !w.asleep(hour) {
		return nil
	}
	dice := w.dice(w.person, drawOxygen, hour)
	values := make([]int32, 12)
	for i := range values {
		values[i] = 940 + 10*dice.Int32N(5)
	}
	return values
}

// rrRuns are a minute of beats at every full and half hour of the night, sent with the span in which they begin.
func (w *watch) rrRuns(s Span) []syncv1.RRRun {
	var runs []syncv1.RRRun
	for minute := (s.From + 29) / 30 * 30; minute < s.To; minute += 30 {
		if !w.asleep(minute / minutesPerHour) {
			continue
		}
		dice := w.dice(w.person, drawRR, minute/30)
		run := syncv1.RRRun{
			StartMS:   w.midnightMS + int64(minute)*minuteMS + int64(dice.IntN(1000)),
			OffsetMin: w.offsetMin,
		}
		mean := minuteMS / w.restingBPM
		for left := int32(minuteMS); left > 0; {
			beat := mean + dice.Int32N(90) - 45
			run.IntervalsMS = append(run.IntervalsMS, beat)
			left -= beat
		}
		runs = append(runs, run)
	}
	return runs
}

// workouts returns the workout that ended within the span.
func (w *watch) workouts(s Span) []syncv1.Workout {
	end := w.workoutAt + workoutMinutes
	if w.workoutAt < 0 || end <= s.From || end > s.To {
		return nil
	}
	startMS := w.midnightMS + int64(w.workoutAt)*minuteMS
	return []syncv1.Workout{{
		ID: fmt.Sprintf("run-%d", w.Date), Sport: "run",
		StartMS: startMS, EndMS: startMS + workoutMinutes*minuteMS,
		StartOffsetMin: w.offsetMin, EndOffsetMin: w.offsetMin,
		Totals: []syncv1.Quantity{{Metric: "distance", Value: 3600}, {Metric: "active_energy", Value: 260}},
		Track:  w.track(startMS),
	}}
}

// track is a run of about 3 m/s along a road that bends.
func (w *watch) track(startMS int64) []syncv1.Series {
	dice := w.dice(w.person, drawWorkout, 0)
	walk := func(metric string, at, step, low, high int32) syncv1.Series {
		s := syncv1.Series{Metric: metric, StartMS: startMS, OffsetMin: w.offsetMin, PeriodMS: 1000}
		for range workoutMinutes * 60 {
			at = min(max(at+dice.Int32N(2*step+1)-step, low), high)
			s.Values = append(s.Values, at)
		}
		return s
	}
	line := func(metric string, at, step int32) syncv1.Series {
		s := syncv1.Series{Metric: metric, StartMS: startMS, OffsetMin: w.offsetMin, PeriodMS: 1000}
		for range workoutMinutes * 60 {
			at += step + dice.Int32N(41) - 20
			s.Values = append(s.Values, at)
		}
		return s
	}
	return []syncv1.Series{
		walk(schemas.HeartRate, 130, 1, 110, 185),
		walk("cadence", 165, 1, 150, 185),
		walk("speed", 3000, 60, 2200, 3800),
		walk("altitude", 12_000, 15, 5000, 20_000),
		line("latitude", 525_000_000, 180),
		line("longitude", 134_000_000, 290),
	}
}
