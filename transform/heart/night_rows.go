package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// NightRows turns nights, each with its dates' minutes in as many rows on end, into what the heart did in them.
func NightRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		windows        Windows
		user           *array.String
		night          *array.Date32
		first, end     *array.Int32
		place          *array.Int32
		hearts         samples.HeartColumns
		users, nights  = rows.Strings("user_id"), rows.Dates("night_date")
		lowest, mean   = rows.Float64s("heart_rate_min_bpm"), rows.Float64s("heart_rate_mean_bpm")
		halfHour       = rows.Float64s("lowest_half_hour_bpm")
		halfHourMin    = rows.Int32s("half_hour_measured_min")
		measured, span = rows.Int32s("measured_min"), rows.Int32s("sleep_period_min")
		of             Night
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"window_min": &windows.Min, "window_measured_min": &windows.MeasuredMin,
	}, hearts.Columns(), map[string]any{
		"user_id": &user, "night_date": &night, "first_minute": &first, "end_minute": &end, "first_place": &place,
	}))
	tell := func() {
		s, ok := of.Summary(&windows)
		if !ok {
			return
		}
		users.Add(of.User, 1)
		nights.Add(of.Date)
		lowest.Add(s.MinBPM)
		mean.Add(s.MeanBPM)
		halfHour.AddIf(s.HasHalfHour, s.LowestHalfHourBPM)
		halfHourMin.AddIf(s.HasHalfHour, int32(s.HalfHourMeasuredMin))
		measured.Add(int32(s.MeasuredMin))
		span.Add(of.Until - of.From)
	}
	columns := rows.NewColumns(users, nights, lowest, mean, halfHour, halfHourMin, measured, span)
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			tell()
			return false, in.Err()
		}
		if who, when := user.Value(in.Row), int32(night.Value(in.Row)); who != of.User || when != of.Date {
			tell()
			of.Begin(who, when, samples.Span{From: first.Value(in.Row), Until: end.Value(in.Row)})
		}
		of.Add(hearts.From(int(place.Value(in.Row))-1, in.Row)) // SQL counts from one
		return true, nil
	}), nil
}
