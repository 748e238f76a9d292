package tracks

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint names what decides the figures of given samples; it changes with the rules of this package.
const Fingerprint = "median of 3; hold 120 s, dense 10 s; Morton and Green by the minute; steady: 3 min, 2 %, 50 to 90 %; whole cm, cut to the workout; a rest from 0.1 m; lengths of pools"

const (
	accuracyCapM    = 30 // methods 3.6; for sources that tell it
	fixesUntilMoved = 5
)

// Measures turns the pieces of workouts into their figures: it is the Go part of the model workout_measures.
func Measures(_ context.Context, pieces array.RecordReader) (array.RecordReader, error) {
	return newReader(pieces, measureFields(), func(w *Workout, key workoutKey, out *builder) {
		m := MeasureWorkout(w)
		out.measure(key, &m)
	}), nil
}

// EffortRows turns the pieces of workouts into the splits and best efforts of their courses: it is the Go part of the
// model workout_efforts.
func EffortRows(_ context.Context, pieces array.RecordReader) (array.RecordReader, error) {
	return newReader(pieces, effortFields(), func(w *Workout, key workoutKey, out *builder) {
		course := w.Course()
		out.efforts(key, w, &course)
	}), nil
}

// A builder collects rows until they make a batch.
type builder struct {
	*rows.Builder

	column int
}

// begin starts a row with the workout it is about; the other columns follow in their order.
func (b *builder) begin(key workoutKey) {
	b.N++
	b.column = 0
	b.text(key.user)
	b.Field(b.column).(*array.Date32Builder).Append(key.date) //nolint:forcetypeassert // as in the schema
	b.column++
	b.text(key.device)
	b.text(key.id)
}

func (b *builder) text(v string) {
	b.Field(b.column).(*array.StringBuilder).Append(v) //nolint:forcetypeassert // as in the schema
	b.column++
}

func (b *builder) textOrNull(v string) {
	if v == "" {
		b.null()
		return
	}
	b.text(v)
}

func (b *builder) null() {
	b.Field(b.column).AppendNull()
	b.column++
}

func (b *builder) whole(v int64, ok bool) {
	if !ok {
		b.null()
		return
	}
	b.Field(b.column).(*array.Int64Builder).Append(v) //nolint:forcetypeassert // as in the schema
	b.column++
}

// number adds a figure rounded to so many decimals: more say nothing, and would differ between processors.
func (b *builder) number(v float64, decimals int, ok bool) {
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		b.null()
		return
	}
	scale := math.Pow10(decimals)
	b.Field(b.column).(*array.Float64Builder).Append(math.Round(v*scale) / scale) //nolint:forcetypeassert // as in the schema
	b.column++
}

func fieldsOf(kinds map[string]arrow.DataType, names ...string) []arrow.Field {
	fields := []arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String}, {Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "device_id", Type: arrow.BinaryTypes.String}, {Name: "workout_id", Type: arrow.BinaryTypes.String},
	}
	for _, name := range names {
		kind, ok := kinds[name]
		if !ok {
			kind = arrow.PrimitiveTypes.Float64
		}
		fields = append(fields, arrow.Field{Name: name, Type: kind, Nullable: true})
	}
	return fields
}

func measureFields() []arrow.Field {
	whole := arrow.PrimitiveTypes.Int64
	return fieldsOf(map[string]arrow.DataType{
		"fix_count": whole, "fix_left_out_count": whole, "gap_count": whole, "pause_count": whole, "heart_rate_max_bpm": whole,
		"swim_length_count": whole, "steady_min": whole, "heart_rate_source": arrow.BinaryTypes.String,
	}, "fix_count", "fix_left_out_count", "gps_distance_m", "gps_covered_pct", "gap_count", "longest_gap_s", "track_distance_m",
		"moving_s", "pause_count", "paused_s", "elevation_gain_m", "elevation_loss_m", "heart_rate_source", "heart_rate_mean_bpm",
		"heart_rate_max_bpm", "heart_rate_covered_s", "zone_1_s", "zone_2_s", "zone_3_s", "zone_4_s", "zone_5_s", "edwards_trimp",
		"trimp", "swim_length_count", "swolf_mean", "steady_min", "steady_speed_m_per_min", "steady_climb_m_per_min",
		"steady_heart_rate_bpm")
}

func (b *builder) measure(key workoutKey, m *Measure) {
	const ms = 1000.0
	course := m.Positions || m.Counted
	b.begin(key)
	b.whole(int64(m.FixCount), m.Positions)
	b.whole(int64(m.LeftOutCount), m.Positions)
	b.number(m.PositionsM, 1, m.Positions)
	b.number(100*m.CoveredShare, 1, m.Positions)
	b.whole(int64(m.GapCount), m.Positions)
	b.number(float64(m.LongestGapMS)/ms, 1, m.Positions)
	b.number(m.CountedM, 1, m.Counted)
	b.number(float64(m.Course.MovingMS)/ms, 1, course)
	b.whole(int64(m.Course.PauseCount), course)
	b.number(float64(m.Course.PausedMS)/ms, 1, course)
	b.number(m.GainM, 1, m.Heights)
	b.number(m.LossM, 1, m.Heights)
	heart := m.HeartSource != ""
	b.textOrNull(m.HeartSource)
	b.number(m.MeanBPM, 1, heart)
	b.whole(int64(m.MaxBPM), heart)
	b.number(float64(m.HeartCoveredMS)/ms, 1, heart)
	var minutes [5]float64
	for z, inZone := range m.ZonesMS {
		minutes[z] = float64(inZone) / 60_000
		b.number(float64(inZone)/ms, 1, m.Zoned)
	}
	b.number(EdwardsTRIMP(minutes), 2, m.Zoned)
	b.number(m.TRIMP, 2, m.Loaded)
	swolf, swam := MeanSWOLF(m.Lengths)
	b.whole(int64(len(m.Lengths)), swam)
	b.number(swolf, 2, swam)
	b.whole(int64(m.Steady.Minutes), m.Steady.Minutes > 0)
	b.number(m.Steady.SpeedMPerMin, 2, m.Steady.Minutes > 0)
	b.number(m.Steady.ClimbMPerMin, 2, m.Steady.Minutes > 0)
	b.number(m.Steady.MeanBPM, 1, m.Steady.Minutes > 0)
}

func effortFields() []arrow.Field {
	return fieldsOf(map[string]arrow.DataType{
		"effort_kind": arrow.BinaryTypes.String, "effort_number": arrow.PrimitiveTypes.Int64,
	}, "effort_kind", "effort_number", "distance_m", "started_s", "duration_s")
}

// effortLengthsM are the lengths of which best efforts are told: 1, 5 and 10 km, half marathon and marathon.
var effortLengthsM = []float64{1000, 5000, 10_000, 21_097.5, 42_195}

const splitM = 1000

func (b *builder) efforts(key workoutKey, w *Workout, course *Course) {
	if len(course.MS) == 0 {
		return
	}
	// They are counted from the start of the workout, and not from the first fix.
	leadMS := float64(course.MS[0] - w.StartMS)
	effort := func(kind string, index int, distanceM, startMS, durationMS float64) {
		if math.Round(10*distanceM) < 1 || math.Round(durationMS) < 1 {
			return // as it is written it would be nothing: a few centimetres that were left, a jump of the device
		}
		b.begin(key)
		b.text(kind)
		b.whole(int64(index+1), true)
		b.number(distanceM, 1, true)
		b.number((leadMS+startMS)/1000, 3, true)
		b.number(durationMS/1000, 3, true)
	}
	for i, s := range Splits(course, splitM) {
		effort("split", i, s.DistanceM, s.StartMS, s.EndMS-s.StartMS)
	}
	for i, length := range effortLengthsM {
		if best, ok := BestEffort(course, length, w.Rules); ok {
			effort("best", i, length, best.StartMS, best.DurationMS)
		}
	}
}
