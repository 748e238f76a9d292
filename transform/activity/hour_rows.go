package activity

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

const minutesOfDay = 24 * 60

// HourRows turns rows of dates, each with its minutes in lists, into rows of hours.
func HourRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	of, out := &dayReader{}, newHourColumns()
	in := rows.NewCursor(dates, of.bind())
	return rows.NewStream(rows.NewColumns(out.all...), func() (bool, error) {
		if !in.Next() {
			return false, in.Err()
		}
		of.read(in.Row)
		hours := of.day.Hours(&of.rules)
		for hour := range hours {
			if hours[hour].Minutes > 0 {
				out.add(of, int32(hour), &hours[hour])
			}
		}
		return true, nil
	}), nil
}

// A dayReader reads one date after the other.
type dayReader struct {
	user                           *array.String
	date                           *array.Date32
	isWornByMotion, isSleepUnknown *array.Boolean
	hearts                         samples.HeartColumns
	steps                          samples.StepColumns
	heartOffset, stepOffset        *array.Int32
	heartOffsets, stepOffsets      rows.Lists
	beds, workouts                 samples.SpanColumns
	weight, resting                *array.Float64
	moderate, vigorous             *array.Float64
	sedentary, shaker              *array.Float64
	keytelFrom, keytelWorkout      *array.Float64
	keytel, keytelPerBeat          *array.Float64

	rules Rules

	at  int // row of the batch
	day Day
}

// bind returns what finds the columns of a batch.
func (r *dayReader) bind() func(arrow.RecordBatch) error {
	return rows.Bound(map[string]*float64{
		"cadence_moderate": &r.rules.CadenceModerate, "cadence_vigorous": &r.rules.CadenceVigorous,
		"recent_min": &r.rules.RecentMin, "worn_stretch_min": &r.rules.Wear.StretchMin,
		"worn_stretch_max_min": &r.rules.Wear.StretchMaxMin, "worn_spacing_pct": &r.rules.Wear.SpacingPct,
		"sitting_counted_pct": &r.rules.SittingCountedPct,
		"prolonged_min":       &r.rules.ProlongedMin, "long_min": &r.rules.LongMin, "motion_still_min": &r.rules.MotionStillMin,
		"moderate_points": &r.rules.ModeratePoints, "vigorous_points": &r.rules.VigorousPoints,
		"met_light": &r.rules.METLight, "met_moderate": &r.rules.METModerate, "met_vigorous": &r.rules.METVigorous,
		"implausible_cadence": &r.rules.ImplausibleCadence, "implausible_run_cadence": &r.rules.ImplausibleRunCadence,
		"implausible_run_min": &r.rules.ImplausibleRunMin,
		"shaker_cadence":      &r.rules.ShakerCadence, "shaker_run_min": &r.rules.ShakerRunMin,
	}, r.hearts.Columns(), r.steps.Columns(), r.beds.Columns("bed"), r.workouts.Columns("workout"), map[string]any{
		"user_id": &r.user, "local_date": &r.date, "is_worn_by_motion": &r.isWornByMotion, "is_sleep_unknown": &r.isSleepUnknown,
		"heart_rate_utc_offset_min": &r.heartOffset, "heart_rate_utc_offsets_min": &r.heartOffsets,
		"step_utc_offset_min": &r.stepOffset, "step_utc_offsets_min": &r.stepOffsets,
		"body_weight_g": &r.weight, "resting_bpm": &r.resting, "moderate_bpm": &r.moderate, "vigorous_bpm": &r.vigorous,
		"sedentary_bpm": &r.sedentary, "shaker_bpm": &r.shaker,
		"keytel_bpm": &r.keytelFrom, "keytel_workout_bpm": &r.keytelWorkout,
		"keytel_kcal": &r.keytel, "keytel_kcal_per_beat": &r.keytelPerBeat,
	})
}

// read fills the day with a row.
func (r *dayReader) read(row int) {
	r.at = row
	number := func(column *array.Float64) float64 { return rows.Float(column, row) }
	d := &r.day
	d.WornByMotion, d.SleepUnknown = r.isWornByMotion.Value(r.at), r.isSleepUnknown.Value(r.at)
	d.WeightG, d.RestingBPM = number(r.weight), number(r.resting)
	d.ModerateBPM, d.VigorousBPM = number(r.moderate), number(r.vigorous)
	d.SedentaryBPM, d.ShakerBPM = number(r.sedentary), number(r.shaker)
	d.Keytel = Keytel{
		FromBPM: number(r.keytelFrom), FromBPMInWorkout: number(r.keytelWorkout),
		Kcal: number(r.keytel), KcalABeat: number(r.keytelPerBeat),
	}
	d.Beds, d.Workouts = r.beds.At(r.at), r.workouts.At(r.at)
	r.readMinutes()
}

// readMinutes fills the day with the minutes in which a heart or steps were measured, in order.
func (r *dayReader) readMinutes() {
	heart, walked := r.hearts.At(r.at), r.steps.At(r.at)
	heartOffsets, stepOffsets := r.heartOffsets.At(r.at), r.stepOffsets.At(r.at)
	heartOffset, stepOffset := r.heartOffset.Value(r.at), r.stepOffset.Value(r.at)
	r.day.WornStretchMin = r.rules.Wear.stretch(r.rules.Wear.spacing(heart.Minutes))
	most, n := len(heart.Minutes)+len(walked.Minutes), 0
	both := slices.Grow(r.day.Minutes[:0], most)[:most]
	for h, s := 0, 0; h < len(heart.Minutes) || s < len(walked.Minutes); {
		nextHeart, nextStep := int32(math.MaxInt32), int32(math.MaxInt32)
		if h < len(heart.Minutes) {
			nextHeart = heart.Minutes[h]
		}
		if s < len(walked.Minutes) {
			nextStep = walked.Minutes[s]
		}
		m := &both[n]
		*m = Minute{Number: min(nextHeart, nextStep), HeartBPM: math.NaN()}
		if nextHeart <= nextStep {
			m.HeartBPM = heart.Mean(h)
			m.Hour = int8(hourOf(m.Number, h, heartOffsets, heartOffset))
			h++
		}
		if nextStep <= nextHeart {
			m.HasSteps, m.Steps = true, walked.Counts[s]
			m.Hour = int8(hourOf(m.Number, s, stepOffsets, stepOffset))
			s++
		}
		n++
	}
	r.day.Minutes = both[:n]
}

// hourOf returns the hour that the person's clock showed: by the offset of all minutes of the date, or each has its own.
func hourOf(number int32, i int, offsetsMin []int32, offsetMin int32) int32 {
	if len(offsetsMin) > 0 {
		offsetMin = offsetsMin[i]
	}
	return (number + offsetMin) % minutesOfDay / 60
}

// hourColumns are the columns of the table, but for its method.
type hourColumns struct {
	all                                   []rows.Column
	users                                 *rows.Texts
	dates, hours                          *rows.Numbers[int32]
	steps                                 *rows.Numbers[int64]
	observed, measured                    *rows.Numbers[int32]
	cadence                               [4]*rows.Numbers[int32] // by class
	cardio                                [4]*rows.Numbers[int32]
	points, wornAwake, sedentary, longest *rows.Numbers[int32]
	prolonged, prolongedMin, long, breaks *rows.Numbers[int32]
	energyCal                             *rows.Numbers[int64]
	energyMin, heartEnergyMin             *rows.Numbers[int32]
	implausible, implausibleRun, shaker   *rows.Numbers[int32]
}

func newHourColumns() *hourColumns {
	c := &hourColumns{users: rows.Strings("user_id"), dates: rows.Dates("local_date")}
	c.all = []rows.Column{c.users, c.dates}
	for _, column := range []struct {
		name string
		of   **rows.Numbers[int32]
	}{
		{"local_hour", &c.hours},
		{"observed_min", &c.observed},
		{"measured_min", &c.measured},
		{"cadence_light_min", &c.cadence[light]},
		{"cadence_moderate_min", &c.cadence[moderate]},
		{"cadence_vigorous_min", &c.cadence[vigorous]},
		{"moderate_cardio_min", &c.cardio[moderate]},
		{"vigorous_cardio_min", &c.cardio[vigorous]},
		{"cardio_points", &c.points},
		{"worn_awake_min", &c.wornAwake},
		{"sedentary_awake_min", &c.sedentary},
		{"longest_sedentary_bout_min", &c.longest},
		{"prolonged_bout_count", &c.prolonged},
		{"prolonged_bout_min", &c.prolongedMin},
		{"long_bout_count", &c.long},
		{"sedentary_break_count", &c.breaks},
		{"active_energy_min", &c.energyMin},
		{"heart_energy_min", &c.heartEnergyMin},
		{"implausible_min", &c.implausible},
		{"implausible_run_min", &c.implausibleRun},
		{"shaker_min", &c.shaker},
	} {
		*column.of = rows.Int32s(column.name)
		c.all = append(c.all, *column.of)
	}
	c.steps, c.energyCal = rows.Int64s("step_count"), rows.Int64s("active_energy_cal")
	c.all = append(c.all, c.steps, c.energyCal)
	return c
}

// add adds an hour. What there is nothing to tell from is null.
func (c *hourColumns) add(in *dayReader, hour int32, h *Hour) {
	d, r := &in.day, &in.rules
	hasSteps, isAwakeKnown, hasWeight := h.ObservedMin > 0, !d.SleepUnknown, !math.IsNaN(d.WeightG)
	isSittingKnown := hasSteps && d.isSittingTold
	c.users.Add(in.user.Value(in.at), 1)
	c.dates.Add(int32(in.date.Value(in.at)))
	c.hours.Add(hour)
	c.steps.AddIf(hasSteps, h.Steps)
	c.observed.Add(int32(h.ObservedMin))
	c.measured.Add(int32(h.MeasuredMin))
	for class := light; class <= vigorous; class++ {
		c.cadence[class].AddIf(hasSteps, int32(h.CadenceMin[class]))
	}
	for class := moderate; class <= vigorous; class++ {
		c.cardio[class].AddIf(h.IsClassed(), int32(h.CardioMin[class]))
	}
	c.points.AddIf(h.IsClassed(), int32(math.Round(
		float64(h.CardioMin[moderate])*r.ModeratePoints+float64(h.CardioMin[vigorous])*r.VigorousPoints)))
	c.wornAwake.AddIf(isAwakeKnown, int32(h.WornAwakeMin))
	c.sedentary.AddIf(isSittingKnown, int32(h.SedentaryMin))
	c.longest.AddIf(isSittingKnown && h.LongestBoutMin > 0, int32(h.LongestBoutMin))
	c.prolonged.AddIf(isSittingKnown, int32(h.ProlongedBouts))
	c.prolongedMin.AddIf(isSittingKnown, int32(h.ProlongedBoutMin))
	c.long.AddIf(isSittingKnown, int32(h.LongBouts))
	c.breaks.AddIf(isSittingKnown, int32(h.Breaks))
	c.energyCal.AddIf(hasWeight && h.EnergyMin() > 0, h.EnergyCal(d.WeightG, r))
	c.energyMin.AddIf(hasWeight, int32(h.EnergyMin()))
	c.heartEnergyMin.Add(int32(h.HeartEnergyMin))
	c.implausible.Add(int32(h.ImplausibleMin))
	c.implausibleRun.Add(int32(h.ImplausibleRunMin))
	c.shaker.Add(int32(h.ShakerMin))
}
