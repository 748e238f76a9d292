package regularity

import (
	"context"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// HabitRows turns sleeps in order of person and date into when the person slept before each date that is asked for.
func HabitRows(_ context.Context, sleeps array.RecordReader) (array.RecordReader, error) {
	var (
		rules           habitRules
		user, device    *array.String
		date            *array.Date32
		isDirty         *array.Boolean
		times           timeColumns
		users, dates    = rows.Strings("user_id"), rows.Dates("night_date")
		counts          = rows.Int32s("night_count")
		onsets, offsets = rows.Float64s("habitual_onset_minute"), rows.Float64s("habitual_offset_minute")
		who             string
		nights          []night // before the date under way
		longest         *sleep  // of the date under way
		isTold          bool    // the date under way is asked for
	)
	in := rows.NewCursor(sleeps, rows.Bound(map[string]*float64{
		"night_count": &rules.nightCount, "night_count_min": &rules.nightCountMin, "nap_max_min": &rules.napMaxMin,
	}, times.columns(), map[string]any{
		"user_id": &user, "night_date": &date, "device_id": &device, "is_dirty": &isDirty,
	}))
	end := func() {
		if longest == nil {
			return
		}
		if isTold {
			var h habit
			h, nights = habitOn(&rules, nights, longest.date)
			users.Add(who, 1)
			dates.Add(longest.date)
			counts.Add(int32(h.nightCount))
			onsets.AddIf(!math.IsNaN(h.onsetMinute), h.onsetMinute)
			offsets.AddIf(!math.IsNaN(h.offsetMinute), h.offsetMinute)
		}
		if float64(longest.lengthMin) >= rules.napMaxMin {
			nights = append(nights, longest.night)
		}
		longest = nil
	}
	return rows.NewStream(rows.NewColumns(users, dates, counts, onsets, offsets), func() (bool, error) {
		if !in.Next() {
			end()
			return false, in.Err()
		}
		when := int32(date.Value(in.Row))
		if user.Value(in.Row) != who {
			end()
			who, nights = strings.Clone(user.Value(in.Row)), nights[:0]
		} else if longest != nil && longest.date != when {
			end()
		}
		s := sleep{times.night(in.Row, when), times.lengthMin(in.Row), device.Value(in.Row), times.onsetMin(in.Row)}
		if longest == nil || s.precedes(longest) {
			s.device = strings.Clone(s.device) // it may lie in a batch that goes before the next sleep comes
			longest = &s
		}
		isTold = isDirty.Value(in.Row)
		return true, nil
	}), nil
}
