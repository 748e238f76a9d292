//go:build duckdb_arrow

package transform_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/schemas"
)

// aWorkout starts minutes after the midnight of a day and lasts some more. Its track, when it has one, runs north.
func aWorkout(user, device string, day int32, start, minutes int64, sport string, speedMS float64, version int64) piece {
	at := (int64(day)*1440 + start) * 60_000_000
	rev := schemas.Revision{Seq: version}
	p := piece{workouts: []schemas.WorkoutRow{{
		UserID: user, DeviceID: device, WorkoutID: fmt.Sprint("w", day), Sport: sport, StartAt: at, EndAt: at + minutes*60_000_000,
		LocalDate: day, Source: "native", Revision: rev,
		Totals: []schemas.WorkoutTotal{{Metric: "distance", Value: int32(minutes * 150)}},
	}}}
	head := schemas.WorkoutPointsRow{UserID: user, DeviceID: device, WorkoutID: fmt.Sprint("w", day), WorkoutStartAt: at,
		LocalMonth: 201604, LocalDate: day, Revision: rev}
	p.points = append(p.points, head)
	if speedMS == 0 {
		return p
	}
	tracks := map[string]func(s int64) int32{
		"latitude":        func(s int64) int32 { return 500_000_000 + int32(float64(s)*speedMS*1e7/111_195) },
		"longitude":       func(int64) int32 { return 80_000_000 },
		schemas.HeartRate: func(s int64) int32 { return 110 + int32(speedMS*10) + int32(s/60%7) },
	}
	for i, metric := range []string{"latitude", "longitude", schemas.HeartRate} {
		piece := head
		piece.PieceIndex, piece.Metric, piece.HourAt, piece.PeriodMS, piece.OffsetsMS = int32(i+1), metric, &at, 5000, []int32{0}
		for s := int64(0); s < minutes*60; s += 5 {
			piece.Values = append(piece.Values, tracks[metric](s))
		}
		p.points = append(p.points, piece)
	}
	return p
}

func TestWorkoutsInAnyOrderOfArrivalEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	r, rests := rand.New(rand.NewPCG(5, 7)), rand.New(rand.NewPCG(6, 7))
	w := newWorld(t, tablesAbout(t, "workouts")...)
	for _, user := range []string{"a", "b", "c"} {
		w.put(map[string]piece{"profile" + user: {events: []schemas.EventRow{
			event(user, firstDay, 0, "profile", "birth_year", 1980), event(user, firstDay, 0, "profile", "height_cm", 175),
			{UserID: user, DeviceID: "app", Kind: "profile", Name: "sex", Text: "female", LocalDate: firstDay,
				StartAt: int64(firstDay) * 86_400_000_000, Source: "manual"},
		}}})
	}
	for day := firstDay; day < firstDay+9; day += 3 { // nights by which rest is known
		for _, user := range []string{"a", "b"} {
			w.put(map[string]piece{fmt.Sprint("night", user, day): {
				segments: []schemas.SleepSegmentRow{segment(user, "watch", day, 60, 360, schemas.StageAsleep)},
				hours: []schemas.SeriesHour{hours(user, "watch", schemas.HeartRate, day, 2, 60_000, repeat(60, 48+day%3)...),
					hours(user, "watch", schemas.HeartRate, day, 3, 60_000, repeat(60, 50)...)},
			}})
		}
	}
	const syncs = 80
	for i := range syncs {
		user, day := []string{"a", "b", "c"}[r.IntN(3)], firstDay+r.Int32N(7)
		device := []string{"watch", "phone", "app"}[r.IntN(3)]
		switch r.IntN(4) {
		case 0, 1: // also over midnight, and again as another version, elsewhere in the day
			start := []int64{10, 7 * 60, 7*60 + 20, 23*60 + 40}[r.IntN(4)]
			w.put(map[string]piece{fmt.Sprint("workout", user, device, day): aWorkout(user, device, day, start, 20+r.Int64N(40),
				[]string{"running", "walking", "yoga"}[r.IntN(3)], []float64{0, 1.4, 3.1, 3.5}[r.IntN(4)], int64(i))})
		case 2:
			w.put(map[string]piece{fmt.Sprint("workout", user, device, day): {}}) // deleted
		case 3:
			hour := []int{0, 7, 23}[r.IntN(3)]
			if user == "c" {
				break // of whom nothing but workouts is known
			}
			w.put(map[string]piece{fmt.Sprint("heart", user, day, hour): {hours: []schemas.SeriesHour{
				hours(user, "watch", schemas.HeartRate, day, hour, 60_000, repeat(30, 60+r.Int32N(90), 70)...),
				hours(user, "watch", schemas.Steps, day, hour, 60_000, repeat(30, 110+r.Int32N(9), r.Int32N(120))...),
			}}})
		}
		if rests.IntN(6) == 0 { // rest is declared for some days, or taken back
			rest := event(user, day, 8, "tag", "rest_day", rests.Int32N(3))
			rest.EndAt = new(rest.StartAt + rests.Int64N(4)*86_400_000_000 + 1)
			w.put(map[string]piece{fmt.Sprint("rest", user, day): {events: []schemas.EventRow{rest}}})
		}
		if r.IntN(5) == 0 {
			w.build(false)
		}
		if i == syncs-1 {
			w.build(false)
			w.sameAsFull()
		}
	}
	gold := w.gold()
	if !slices.ContainsFunc(gold["workout_summaries"], func(row string) bool { return strings.Contains(row, "'trimp': 1") }) {
		t.Error("no workout has a load")
	}
	if !slices.ContainsFunc(gold["workout_limit_days"], func(row string) bool {
		return strings.Contains(row, "'user_id': c") && !strings.Contains(row, "'zone_1_from_bpm': NULL")
	}) {
		t.Error("who records workouts alone has no zones")
	}
	for _, table := range []string{"workout_measures", "workout_efforts", "workout_doubles", "workout_summaries", "training_load_days",
		"activity_bouts", "workout_candidates", "workout_limit_days", "vo2max_estimates"} {
		if len(gold[table]) == 0 {
			t.Errorf("%s is empty, so nothing is shown of it", table)
		}
	}
}
