package heart

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// QualityRows turns dates with their minutes into those on which a sensor may have lost the heart.
func QualityRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		lock        Lock
		user        *array.String
		date        *array.Date32
		hearts      samples.HeartColumns
		steps       samples.StepColumns
		flat        rows.Lists
		users, days = rows.Strings("user_id"), rows.Dates("local_date")
		locks       = rows.Int32s("cadence_lock_min")
		flats       = rows.Int32s("flat_line_min")
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"steps_per_min": &lock.StepsPerMin, "distance_bpm": &lock.DistanceBPM, "lock_min": &lock.Min,
	}, hearts.Columns(), steps.Columns(), map[string]any{
		"user_id": &user, "local_date": &date, "flat_line_lengths_ms": &flat,
	}))
	return rows.NewStream(rows.NewColumns(users, days, locks, flats), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		lockedMin, flatMS := lock.LockedMin(hearts.At(in.Row), steps.At(in.Row)), int64(0)
		for _, ms := range flat.At(in.Row) {
			flatMS += int64(ms)
		}
		if lockedMin == 0 && flatMS == 0 {
			return true, nil
		}
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		locks.Add(int32(lockedMin))
		flats.Add(int32(flatMS / 60_000))
		return true, nil
	}), nil
}
