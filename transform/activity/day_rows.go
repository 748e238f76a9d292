package activity

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// intensityLevels are those of an activity class: sedentary, light, moderate, vigorous.
const intensityLevels = 4

// DayRows turns rows of dates with steps, each with its minutes in lists, into the figures of the dates.
func DayRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	var (
		rules                    DayRules
		user                     *array.String
		date                     *array.Date32
		steps                    samples.StepColumns
		offset                   *array.Int32
		offsets, samples         rows.Lists
		levels, levelSamples     rows.Lists
		distance, floors, energy *array.Int64
		within                   [3]*array.Int64
		users, days              = rows.Strings("user_id"), rows.Dates("local_date")
		counts, sampleCounts     = rows.Int64s("step_count"), rows.Int64s("sample_count")
		observed, activeHours    = rows.Int32s("observed_min"), rows.Int32s("active_hour_count")
		intensities              = rows.Int64s("intensity_sample_count")
		byLevel                  = [intensityLevels]*rows.Numbers[int32]{
			rows.Int32s("sedentary_min"), rows.Int32s("light_activity_min"),
			rows.Int32s("moderate_activity_min"), rows.Int32s("vigorous_activity_min"),
		}
		equivalent             = rows.Int32s("moderate_equivalent_min")
		lightMin, moderateMin  = rows.Int32s("cadence_light_min"), rows.Int32s("cadence_moderate_min")
		vigorousMin            = rows.Int32s("cadence_vigorous_min")
		peak1, peak30          = rows.Int32s("peak_1_cadence_per_min"), rows.Float64s("peak_30_cadence_per_min")
		distances, floorCounts = rows.Int64s("distance_cm"), rows.Int32s("floor_count")
		energies               = rows.Int64s("active_energy_cal")
		stepsWithin            = [3]*rows.Numbers[int64]{
			rows.Int64s("distance_step_count"), rows.Int64s("active_energy_step_count"), rows.Int64s("intensity_step_count"),
		}
	)
	in := rows.NewCursor(dates, rows.Bound(map[string]*float64{
		"active_hour_step_count": &rules.ActiveHourSteps, "cadence_moderate": &rules.CadenceModerate,
		"cadence_vigorous": &rules.CadenceVigorous, "peak_min": &rules.PeakMin, "vigorous_weight": &rules.VigorousWeight,
	}, steps.Columns(), map[string]any{
		"user_id": &user, "local_date": &date, "step_utc_offset_min": &offset, "step_utc_offsets_min": &offsets,
		"step_sample_counts": &samples, "intensity_levels": &levels, "intensity_sample_counts": &levelSamples,
		"distance_cm": &distance, "floor_count": &floors, "active_energy_cal": &energy,
		"distance_step_count": &within[0], "active_energy_step_count": &within[1], "intensity_step_count": &within[2],
	}))
	columns := rows.NewColumns(users, days, counts, sampleCounts, observed, activeHours, intensities, byLevel[0], byLevel[1],
		byLevel[2], byLevel[3], equivalent, lightMin, moderateMin, vigorousMin, peak1, peak30, distances, floorCounts, energies,
		stepsWithin[0], stepsWithin[1], stepsWithin[2])
	return rows.NewStream(columns, func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		walked, ownOffsets := steps.At(in.Row), offsets.At(in.Row)
		d := StepDayOf(&rules, walked, func(i int) int32 {
			return hourOf(walked.Minutes[i], i, ownOffsets, offset.Value(in.Row))
		})
		users.Add(user.Value(in.Row), 1)
		days.Add(int32(date.Value(in.Row)))
		counts.Add(d.Steps)
		sampleCounts.Add(sumOr(samples.At(in.Row), len(walked.Minutes)))
		observed.Add(int32(len(walked.Minutes)))
		activeHours.Add(int32(d.ActiveHours))
		lightMin.Add(int32(d.LightMin))
		moderateMin.Add(int32(d.ModerateMin))
		vigorousMin.Add(int32(d.VigorMin))
		peak1.Add(d.Peak1)
		peak30.AddIf(d.HasPeak, d.Peak)

		var minOf [intensityLevels]int32
		classes := levels.At(in.Row)
		for _, level := range classes {
			if level >= 0 && level < intensityLevels {
				minOf[level]++
			}
		}
		isClassed := len(classes) > 0
		intensities.AddIf(isClassed, sumOr(levelSamples.At(in.Row), len(classes)))
		for level, n := range minOf {
			byLevel[level].AddIf(isClassed, n)
		}
		equivalent.AddIf(isClassed, int32(math.RoundToEven(float64(minOf[2])+rules.VigorousWeight*float64(minOf[3]))))

		distances.AddIf(distance.IsValid(in.Row), distance.Value(in.Row))
		floorCounts.AddIf(floors.IsValid(in.Row), int32(floors.Value(in.Row)))
		energies.AddIf(energy.IsValid(in.Row), energy.Value(in.Row))
		for i, column := range stepsWithin {
			column.AddIf(within[i].IsValid(in.Row), within[i].Value(in.Row))
		}
		return true, nil
	}), nil
}

// sumOr returns the sum of a list, n when there is none.
func sumOr(list []int32, n int) int64 {
	if len(list) == 0 {
		return int64(n)
	}
	sum := int64(0)
	for _, v := range list {
		sum += int64(v)
	}
	return sum
}
