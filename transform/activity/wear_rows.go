package activity

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// WearRows turns dates with the minutes their heart was measured in, or else with their steps, into how long the device
// was worn, and in which hours.
func WearRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		certainMin, stillMin float64
		rules                WearRules
		user                 *array.String
		date                 *array.Date32
		heart                *array.Int32
		hearts               samples.HeartColumns
		offset               *array.Int32
		offsets              rows.Lists
		steps                samples.StepColumns
		hours                = [3]rows.Lists{}
		users, days          = rows.Strings("user_id"), rows.Dates("local_date")
		worn, moved          = rows.Int32s("worn_min"), rows.Int32s("motion_min")
		sources              = rows.Strings("wear_source")
		still                = rows.Int32Lists("measured_hour_still_mins")
		measured             = [3]*rows.IntLists{
			rows.Int32Lists("measured_hour_minutes"), rows.Int32Lists("measured_hour_utc_offsets_min"),
			rows.Int32Lists("measured_hour_mins"),
		}
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"certain_min": &certainMin, "still_min": &stillMin, "worn_stretch_min": &rules.StretchMin,
		"worn_stretch_max_min": &rules.StretchMaxMin, "worn_spacing_pct": &rules.SpacingPct,
	}, hearts.Columns(), steps.Columns(), map[string]any{
		"user_id": &user, "local_date": &date, "heart_rate_min": &heart,
		"heart_rate_utc_offset_min": &offset, "heart_rate_utc_offsets_min": &offsets,
		"worn_hour_minutes": &hours[0], "worn_utc_offsets_min": &hours[1], "worn_measured_mins": &hours[2],
	}))
	out := rows.NewColumns(users, days, worn, sources, moved, still, measured[0], measured[1], measured[2])
	return rows.NewStream(out, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		walked, isMeasured := steps.At(in.Row), heart.IsValid(in.Row)
		heartMin := heart.Value(in.Row)
		if measured := hearts.At(in.Row).Minutes; isMeasured && len(measured) > 0 {
			within := spanOf(int32(date.Value(in.Row)), len(measured), offsets.At(in.Row), offset.Value(in.Row))
			if wornMin, ok := rules.WornMin(measured, within); ok {
				heartMin = wornMin
			}
		}
		isMoved := len(walked.Minutes) > 0 && !(isMeasured && float64(heartMin) >= certainMin)
		movedMin := int32(0)
		if isMoved {
			movedMin = int32(MovedMin(walked, stillMin))
		}
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		if isMeasured {
			worn.Add(heartMin)
			sources.Add("heart_rate", 1)
		} else {
			worn.Add(movedMin)
			sources.Add("motion", 1)
		}
		moved.AddIf(isMoved, movedMin)
		for i := range measured {
			measured[i].AddIf(hours[i].At(in.Row))
		}
		if isMeasured {
			still.Skip()
		} else {
			still.AddIf(StillMin(walked, stillMin, hours[0].At(in.Row)))
		}
		return true, nil
	}), nil
}

// spanOf returns the minutes that a date had on the person's clock, of which n were measured: by the offset of all of them,
// or by those of the first and the last.
func spanOf(date int32, n int, offsetsMin []int32, offsetMin int32) samples.Span {
	first, last := offsetMin, offsetMin
	if len(offsetsMin) > 0 {
		first, last = offsetsMin[0], offsetsMin[n-1]
	}
	return samples.Span{From: date*minutesOfDay - first, Until: (date+1)*minutesOfDay - last}
}
