package regularity

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// PairRows turns dates in order of person and date into those that can be compared with the date before.
func PairRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		missingMaxMin      float64
		user               *array.String
		date               *array.Date32
		isDirty            *array.Boolean
		hours, hourOffsets rows.Lists
		starts, ends       rows.Lists
		users, days        = rows.Strings("user_id"), rows.Dates("local_date")
		observed, agreed   = rows.Int64s("observed_ms"), rows.Int64s("agreed_ms")
		before             *Date
		beforeUser         string
		beforeDate         int32
		observedHours      []Hour
		sleep              []Span
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{"missing_max_min": &missingMaxMin}, map[string]any{
		"user_id": &user, "local_date": &date, "is_dirty": &isDirty,
		"hours_ms": &hours, "utc_offsets_min": &hourOffsets, "sleep_starts_ms": &starts, "sleep_ends_ms": &ends,
	}))
	read := func(row int) *Date {
		observedHours, sleep = observedHours[:0], sleep[:0]
		for i, ms := range hours.At(row) {
			observedHours = append(observedHours, Hour{int64(ms), int64(hourOffsets.At(row)[i])})
		}
		for i, ms := range starts.At(row) {
			sleep = append(sleep, Span{int64(ms), int64(ends.At(row)[i])})
		}
		return NewDate(observedHours, sleep)
	}
	return rows.NewStream(rows.NewColumns(users, days, observed, agreed), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		today := read(in.Row)
		if float64(today.MissingMS()) > missingMaxMin*minuteMS {
			return true, nil
		}
		who, when := user.Value(in.Row), int32(date.Value(in.Row))
		if isDirty.Value(in.Row) && before != nil && who == beforeUser && when == beforeDate+1 {
			if observedMS, agreedMS, ok := Compare(today, before); ok {
				users.Add(who, 1)
				days.Add(when)
				observed.Add(observedMS)
				agreed.Add(agreedMS)
			}
		}
		before, beforeUser, beforeDate = today, strings.Clone(who), when
		return true, nil
	}), nil
}
