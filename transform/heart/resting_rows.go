package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// RestingRows turns dates, with what is known of the heart asleep or else with the minutes and the times in bed, into
// resting heart rates.
func RestingRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		waking         Waking
		lowest, most   float64
		user           *array.String
		date           *array.Date32
		asleep         *array.Float64
		asleepMeasured *array.Int32
		hearts         samples.HeartColumns
		steps          samples.StepColumns
		beds           samples.SpanColumns
		users, days    = rows.Strings("user_id"), rows.Dates("local_date")
		resting        = rows.Float64s("resting_heart_rate_bpm")
		sources        = rows.Strings("resting_heart_rate_source")
		measured       = rows.Int32s("measured_min")
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"still_min": &waking.StillMin, "awake_measured_min": &waking.MeasuredMin, "awake_percentile": &waking.Percentile,
		"plausible_low_bpm": &lowest, "plausible_high_bpm": &most,
	}, hearts.Columns(), steps.Columns(), beds.Columns("bed"), map[string]any{
		"user_id": &user, "local_date": &date, "asleep_bpm": &asleep, "asleep_measured_min": &asleepMeasured,
	}))
	return rows.NewStream(rows.NewColumns(users, days, resting, sources, measured), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		source, bpm, measuredMin, ok := "asleep", rows.Float(asleep, in.Row), int(asleepMeasured.Value(in.Row)), true
		if asleep.IsNull(in.Row) {
			source = "awake"
			bpm, measuredMin, ok = waking.Resting(hearts.At(in.Row), steps.At(in.Row), beds.At(in.Row))
		}
		if !ok || bpm < lowest || bpm > most {
			return true, nil
		}
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		resting.Add(bpm)
		sources.Add(source, 1)
		measured.Add(int32(measuredMin))
		return true, nil
	}), nil
}
