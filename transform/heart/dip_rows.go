package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// DipRows turns nights, each with the minutes of its date and the times in bed, into how much slower the heart was asleep.
func DipRows(_ context.Context, nights array.RecordReader) (array.RecordReader, error) {
	var (
		awakeMin       float64
		user           *array.String
		night          *array.Date32
		asleep         *array.Float64
		asleepMeasured *array.Int32
		hearts         samples.HeartColumns
		beds           samples.SpanColumns
		users, dates   = rows.Strings("user_id"), rows.Dates("night_date")
		awakeMeans     = rows.Float64s("awake_mean_bpm")
		asleepMeans    = rows.Float64s("asleep_mean_bpm")
		dips           = rows.Float64s("dip_pct")
		awakeMeasured  = rows.Int32s("awake_measured_min")
		sleepMeasured  = rows.Int32s("asleep_measured_min")
	)
	in := rows.NewCursor(nights, rows.Bound(map[string]*float64{"awake_min": &awakeMin}, hearts.Columns(), beds.Columns("bed"), map[string]any{
		"user_id": &user, "night_date": &night, "asleep_mean_bpm": &asleep, "asleep_measured_min": &asleepMeasured,
	}))
	columns := rows.NewColumns(users, dates, awakeMeans, asleepMeans, dips, awakeMeasured, sleepMeasured)
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		awake, measuredMin := Awake(hearts.At(in.Row), beds.At(in.Row))
		if measuredMin == 0 || float64(measuredMin) < awakeMin {
			return true, nil
		}
		users.Add(user.Value(in.Row), 1)
		dates.Add(int32(night.Value(in.Row)))
		awakeMeans.Add(awake)
		asleepMeans.Add(asleep.Value(in.Row))
		dips.Add(100 * (awake - asleep.Value(in.Row)) / awake)
		awakeMeasured.Add(int32(measuredMin))
		sleepMeasured.Add(asleepMeasured.Value(in.Row))
		return true, nil
	}), nil
}
