package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

const minuteUS = 60_000_000

// EpisodeRows turns dates with their minutes and workouts into episodes.
func EpisodeRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		limits          Limits
		user            *array.String
		date            *array.Date32
		hearts          samples.HeartColumns
		steps           samples.StepColumns
		workouts        samples.SpanColumns
		users, days     = rows.Strings("user_id"), rows.Dates("local_date")
		started, ended  = rows.Instants("started_at"), rows.Instants("ended_at")
		kinds           = rows.Strings("limit_kind")
		length, measure = rows.Int32s("duration_min"), rows.Int32s("measured_min")
		limit, mean     = rows.Float64s("limit_bpm"), rows.Float64s("heart_rate_mean_bpm")
		furthest        = rows.Float64s("heart_rate_extreme_bpm")
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"high_bpm": &limits.HighBPM, "low_bpm": &limits.LowBPM, "low_asleep_bpm": &limits.LowAsleepBPM,
		"awake_min": &limits.AwakeMin, "still_min": &limits.StillMin, "episode_min": &limits.EpisodeMin,
		"measured_pct": &limits.MeasuredPct, "hole_min": &limits.HoleMin, "rearm_min": &limits.RearmMin,
	}, hearts.Columns(), steps.Columns(), workouts.Columns("workout"), map[string]any{
		"user_id": &user, "local_date": &date,
	}))
	columns := rows.NewColumns(users, days, started, kinds, ended, length, measure, limit, mean, furthest)
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		for _, e := range Episodes(&limits, hearts.At(in.Row), steps.At(in.Row), workouts.At(in.Row)) {
			users.Add(user.Value(in.Row), 1)
			days.Add(int32(date.Value(in.Row)))
			started.Add(int64(e.From) * minuteUS)
			ended.Add(int64(e.Until) * minuteUS)
			kinds.Add(e.kind(), 1)
			length.Add(e.Until - e.From)
			measure.Add(int32(e.MeasuredMin))
			limit.Add(e.LimitBPM)
			mean.Add(e.MeanBPM)
			furthest.Add(e.FurthestBPM)
		}
		return true, nil
	}), nil
}

func (e *Episode) kind() string {
	if e.IsHigh {
		return "high"
	}
	return "low"
}
