package activity

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// BoutRows turns rows of dates, each with its minutes in lists, into rows of bouts.
func BoutRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		rules           BoutRules
		user            *array.String
		date            *array.Date32
		hearts          samples.HeartColumns
		steps           samples.StepColumns
		highest         *array.Float64
		resting         *array.Float64
		users, days     = rows.Strings("user_id"), rows.Dates("local_date")
		firsts, lasts   = rows.Int64s("first_minute"), rows.Int64s("last_minute")
		kinds           = rows.Strings("bout_kind")
		lengths         = rows.Int32s("duration_min")
		active          = rows.Int32s("active_min")
		counts, cadence = rows.Int64s("step_count"), rows.Int64s("cadence_steps_per_min")
		means           = rows.Float64s("heart_rate_mean_bpm")
		confidence      = rows.Int32s("confidence_pct")
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"least_min": &rules.LeastMin, "ride_min": &rules.RideMin, "gap_min": &rules.GapMin, "steps_min": &rules.StepsMin,
		"share_pct": &rules.SharePct, "walk_cadence": &rules.WalkCadence, "run_cadence": &rules.RunCadence,
		"run_heart_pct": &rules.RunHeartPct, "certain_cadence": &rules.CertainCadence,
		"ride_cadence": &rules.RideCadence, "ride_heart_pct": &rules.RideHeartPct,
	}, hearts.Columns(), steps.Columns(), map[string]any{
		"user_id": &user, "local_date": &date, "heart_rate_max_bpm": &highest, "resting_heart_rate_bpm": &resting,
	}))
	columns := rows.NewColumns(users, days, firsts, lasts, kinds, lengths, active, counts, cadence, means, confidence)
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		bouts := Bouts(&rules, hearts.At(in.Row), steps.At(in.Row), rows.Float(highest, in.Row), rows.Float(resting, in.Row))
		for _, b := range bouts {
			users.Add(user.Value(in.Row), 1)
			days.Add(int32(date.Value(in.Row)))
			firsts.Add(int64(b.First))
			lasts.Add(int64(b.Last))
			kinds.Add(b.Kind, 1)
			lengths.Add(b.durationMin())
			active.Add(int32(b.ActiveMin))
			counts.AddIf(!b.IsRide(), b.Steps)
			cadence.AddIf(!b.IsRide(), int64(b.Cadence))
			means.AddIf(!math.IsNaN(b.HeartBPM), math.Round(b.HeartBPM*10)/10)
			confidence.Add(b.ConfidencePct)
		}
		return true, nil
	}), nil
}
