package vitals

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// StressRows turns dates, each with its scores and times in bed in lists, into minutes in bands of stress.
func StressRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		limits          bands
		user            *array.String
		date            *array.Date32
		scores          minuteColumns
		beds            samples.SpanColumns
		users, days     = rows.Strings("user_id"), rows.Dates("local_date")
		measured        = rows.Int32s("measured_min")
		rest, low       = rows.Int32s("rest_min"), rows.Int32s("low_min")
		medium, high    = rows.Int32s("medium_min"), rows.Int32s("high_min")
		awake, calm     = rows.Int32s("awake_measured_min"), rows.Int32s("awake_calm_min")
		mean            = rows.Float64s("stress_mean")
		episodes        = rows.Int32s("high_episode_count")
		episodeMinutes  = rows.Int32s("high_episode_min")
		columns         = rows.NewColumns(users, days, measured, rest, low, medium, high, awake, calm, mean, episodes, episodeMinutes)
		constantColumns = map[string]*float64{
			"rest_max": &limits.restMax, "low_max": &limits.lowMax, "medium_max": &limits.mediumMax,
			"episode_min": &limits.episodeMin,
		}
	)
	in := rows.NewCursor(dates, rows.Bound(constantColumns, scores.columns("stress", "score"), beds.Columns("bed"), map[string]any{
		"user_id": &user, "local_date": &date,
	}))
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		d := stressOf(&limits, scores.at(in.Row), beds.At(in.Row))
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		measured.Add(d.measuredMin)
		rest.Add(d.restMin)
		low.Add(d.lowMin)
		medium.Add(d.mediumMin)
		high.Add(d.highMin)
		awake.Add(d.awakeMin)
		calm.Add(d.awakeCalmMin)
		mean.Add(float64(d.scoreSum) / float64(d.sampleCount))
		episodes.Add(d.episodeCount)
		episodeMinutes.Add(d.episodeMin)
		return true, nil
	}), nil
}
