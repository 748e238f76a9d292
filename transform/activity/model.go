package activity

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint changes when the same minutes would come to something else.
const Fingerprint = "1"

// HourRows turns rows of dates, each with its minutes in lists, into rows of hours.
func HourRows(_ context.Context, dates array.RecordReader) (array.RecordReader, error) {
	in, out := &dayReader{rows: dates}, newHourColumns()
	return rows.NewStream(rows.NewColumns(out.all...), func() (bool, error) {
		if ok, err := in.next(); !ok {
			return false, err
		}
		hours := in.day.Hours(&in.rules)
		for hour := range hours {
			if hours[hour].Minutes > 0 {
				out.add(in, int32(hour), &hours[hour])
			}
		}
		return true, nil
	}), nil
}

// A dayReader reads one date after the other.
type dayReader struct {
	rows array.RecordReader
	at   int
	n    int // rows of the batch

	user                              *array.String
	date                              *array.Date32
	isWornByMotion, isSleepUnknown    *array.Boolean
	numbers, locals, steps            rows.Lists
	heartSums, heartCounts            rows.Lists
	bedFrom, bedUntil                 rows.Lists
	weight, resting                   *array.Float64
	moderate, vigorous                *array.Float64
	sedentary, shaker                 *array.Float64
	keytelFrom, keytel, keytelPerBeat *array.Float64

	rules Rules
	day   Day
}

func (r *dayReader) next() (bool, error) {
	r.at++
	for r.at >= r.n {
		if !r.rows.Next() {
			return false, r.rows.Err()
		}
		r.at, r.n = 0, int(r.rows.RecordBatch().NumRows())
		if err := r.open(r.rows.RecordBatch()); err != nil {
			return false, fmt.Errorf("activity: %w", err)
		}
	}
	r.read()
	return true, nil
}

func (r *dayReader) open(batch arrow.RecordBatch) error {
	if err := rows.Bind(batch, map[string]any{
		"user_id": &r.user, "local_date": &r.date, "is_worn_by_motion": &r.isWornByMotion, "is_sleep_unknown": &r.isSleepUnknown,
		"minute_numbers": &r.numbers, "local_minutes": &r.locals, "step_counts": &r.steps,
		"heart_rate_sums_bpm": &r.heartSums, "heart_rate_sample_counts": &r.heartCounts,
		"bed_from_minutes": &r.bedFrom, "bed_until_minutes": &r.bedUntil,
		"body_weight_g": &r.weight, "resting_bpm": &r.resting, "moderate_bpm": &r.moderate, "vigorous_bpm": &r.vigorous,
		"sedentary_bpm": &r.sedentary, "shaker_bpm": &r.shaker,
		"keytel_bpm": &r.keytelFrom, "keytel_kcal": &r.keytel, "keytel_kcal_per_beat": &r.keytelPerBeat,
	}); err != nil {
		return err
	}
	return rows.BindConstants(batch, map[string]*float64{
		"cadence_moderate": &r.rules.CadenceModerate, "cadence_vigorous": &r.rules.CadenceVigorous,
		"recent_step_min": &r.rules.RecentStepMin, "worn_stretch_min": &r.rules.WornStretchMin,
		"prolonged_min": &r.rules.ProlongedMin, "long_min": &r.rules.LongMin, "motion_still_min": &r.rules.MotionStillMin,
		"moderate_points": &r.rules.ModeratePoints, "vigorous_points": &r.rules.VigorousPoints,
		"met_light": &r.rules.METLight, "met_moderate": &r.rules.METModerate, "met_vigorous": &r.rules.METVigorous,
		"implausible_cadence": &r.rules.ImplausibleCadence, "implausible_run_cadence": &r.rules.ImplausibleRunCadence,
		"implausible_run_min": &r.rules.ImplausibleRunMin,
		"shaker_cadence":      &r.rules.ShakerCadence, "shaker_run_min": &r.rules.ShakerRunMin,
	})
}

// read fills the day with the present row.
func (r *dayReader) read() {
	number := func(column *array.Float64) float64 {
		if column.IsNull(r.at) {
			return math.NaN()
		}
		return column.Value(r.at)
	}
	d := &r.day
	d.WornByMotion, d.SleepUnknown = r.isWornByMotion.Value(r.at), r.isSleepUnknown.Value(r.at)
	d.WeightG, d.RestingBPM = number(r.weight), number(r.resting)
	d.ModerateBPM, d.VigorousBPM = number(r.moderate), number(r.vigorous)
	d.SedentaryBPM, d.ShakerBPM = number(r.sedentary), number(r.shaker)
	d.Keytel = Keytel{FromBPM: number(r.keytelFrom), Kcal: number(r.keytel), KcalABeat: number(r.keytelPerBeat)}
	d.Beds = d.Beds[:0]
	until := r.bedUntil.At(r.at)
	for i, from := range r.bedFrom.At(r.at) {
		d.Beds = append(d.Beds, Span{From: from, Until: until[i]})
	}
	d.Minutes = d.Minutes[:0]
	locals, steps, sums, counts := r.locals.At(r.at), r.steps.At(r.at), r.heartSums.At(r.at), r.heartCounts.At(r.at)
	for i, n := range r.numbers.At(r.at) {
		m := Minute{Number: n, Hour: locals[i] / 60, HeartBPM: math.NaN()}
		if !r.steps.Null(r.at, i) {
			m.HasSteps, m.Steps = true, steps[i]
		}
		if !r.heartCounts.Null(r.at, i) {
			m.HeartBPM = float64(sums[i]) / float64(counts[i])
		}
		d.Minutes = append(d.Minutes, m)
	}
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
	c.sedentary.AddIf(hasSteps && isAwakeKnown, int32(h.SedentaryMin))
	c.longest.AddIf(h.LongestBoutMin > 0, int32(h.LongestBoutMin))
	c.prolonged.Add(int32(h.ProlongedBouts))
	c.prolongedMin.Add(int32(h.ProlongedBoutMin))
	c.long.Add(int32(h.LongBouts))
	c.breaks.Add(int32(h.Breaks))
	c.energyCal.AddIf(hasWeight && h.EnergyMin() > 0, h.EnergyCal(d.WeightG, r))
	c.energyMin.AddIf(hasWeight, int32(h.EnergyMin()))
	c.heartEnergyMin.Add(int32(h.HeartEnergyMin))
	c.implausible.Add(int32(h.ImplausibleMin))
	c.implausibleRun.Add(int32(h.ImplausibleRunMin))
	c.shaker.Add(int32(h.ShakerMin))
}
