package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// PeakRows turns dates with their minutes and workouts into how high the heart rate rose in these.
func PeakRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		user        *array.String
		date        *array.Date32
		hearts      samples.HeartColumns
		workouts    samples.SpanColumns
		users, days = rows.Strings("user_id"), rows.Dates("local_date")
		peaks       = rows.Float64s("heart_rate_peak_bpm")
		watched     = rows.Int32s("watched_min")
	)
	in := rows.NewCursor(dates, rows.Bound(nil, hearts.Columns(), workouts.Columns("workout"), map[string]any{
		"user_id": &user, "local_date": &date,
	}))
	return rows.NewStream(rows.NewColumns(users, days, peaks, watched), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		bpm, watchedMin := Peak(hearts.At(in.Row), workouts.At(in.Row))
		if watchedMin == 0 {
			return true, nil
		}
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		peaks.Add(bpm)
		watched.Add(int32(watchedMin))
		return true, nil
	}), nil
}
