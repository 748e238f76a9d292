package tracks

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// A reader gathers the pieces of each workout, which come together, and has it measured.
type reader struct {
	rows    *rows.Cursor
	columns pieceColumns
	key     workoutKey
	workout *Workout // which is being gathered; its memory is that of the one before
	measure func(*Workout, workoutKey, *builder)
	out     *builder
}

// newReader returns rows of the fields, which measure makes of each workout.
func newReader(pieces array.RecordReader, fields []arrow.Field, measure func(*Workout, workoutKey, *builder)) array.RecordReader {
	r := &reader{measure: measure, out: &builder{Builder: rows.NewBuilder(fields...)}}
	r.rows = rows.NewCursor(pieces, rows.Bound(nil, r.columns.targets()))
	return rows.NewStream(r.out, r.fill)
}

// fill looks at one more row.
func (r *reader) fill() (more bool, err error) {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return false, err
		}
		r.settle()
		return false, nil
	}
	if key := r.columns.key(r.rows.Row); r.workout == nil || key != r.key {
		r.settle()
		r.key = key.clone()
		r.begin()
	}
	r.columns.addTo(r.workout, r.rows.Row)
	return true, nil
}

func (r *reader) settle() {
	if r.workout != nil {
		r.measure(r.workout, r.key, r.out)
	}
}

// begin begins the workout of the row, without a track.
func (r *reader) begin() {
	track := map[string][]Sample{}
	if r.workout != nil {
		track = r.workout.Track
		for metric, samples := range track {
			track[metric] = samples[:0]
		}
	}
	r.workout = r.columns.workout(r.rows.Row)
	r.workout.Track = track
}

// A workoutKey names a workout.
type workoutKey struct {
	user, device, id string
	date             arrow.Date32
}

// clone outlives the batch that the texts lie in.
func (k workoutKey) clone() workoutKey {
	return workoutKey{strings.Clone(k.user), strings.Clone(k.device), strings.Clone(k.id), k.date}
}

// pieceColumns are the columns of the pieces of workouts, each with what is known of the workout.
type pieceColumns struct {
	users, devices, ids, families, settings, sexes, metrics *array.String

	dates              *array.Date32
	starts, ends, from *array.Int64
	periods            *array.Int32
	offsets, values    rows.Lists

	speedCap, movingFrom, pauseFrom, gapFrom, climbFrom, rest, highest *array.Float64

	zones [5]*array.Float64
}

func (c *pieceColumns) targets() map[string]any {
	return map[string]any{
		"user_id": &c.users, "local_date": &c.dates, "device_id": &c.devices, "workout_id": &c.ids, "started_us": &c.starts,
		"ended_us": &c.ends, "sport_family": &c.families, "setting": &c.settings, "speed_cap_m_per_s": &c.speedCap,
		"moving_from_m_per_s": &c.movingFrom, "pause_from_s": &c.pauseFrom, "gap_from_s": &c.gapFrom, "climb_from_m": &c.climbFrom,
		"resting_heart_rate_bpm": &c.rest, "heart_rate_max_bpm": &c.highest, "zone_1_from_bpm": &c.zones[0],
		"zone_2_from_bpm": &c.zones[1], "zone_3_from_bpm": &c.zones[2], "zone_4_from_bpm": &c.zones[3],
		"zone_5_from_bpm": &c.zones[4], "sex": &c.sexes, "metric": &c.metrics, "from_us": &c.from, "period_ms": &c.periods,
		"offsets_ms": &c.offsets, "sample_values": &c.values,
	}
}

func (c *pieceColumns) key(row int) workoutKey {
	return workoutKey{c.users.Value(row), c.devices.Value(row), c.ids.Value(row), c.dates.Value(row)}
}

// workout returns the workout of the row, without its track. What is null is 0 or no text.
func (c *pieceColumns) workout(row int) *Workout {
	text := func(column *array.String) string {
		if column.IsNull(row) {
			return ""
		}
		return strings.Clone(column.Value(row))
	}
	number := func(column *array.Float64) float64 {
		if column.IsNull(row) {
			return 0
		}
		return column.Value(row)
	}
	w := &Workout{
		StartMS: c.starts.Value(row) / 1000, EndMS: c.ends.Value(row) / 1000, Family: text(c.families), Setting: text(c.settings),
		Rules: Rules{
			SpeedCapMS: number(c.speedCap), MovingFromMS: number(c.movingFrom),
			PauseFromMS: int64(1000 * number(c.pauseFrom)), GapFromMS: int64(1000 * number(c.gapFrom)),
			ClimbFromM: number(c.climbFrom), AccuracyCapM: accuracyCapM, LostAfterFixs: fixesUntilMoved,
		},
		RestBPM: number(c.rest), MaxBPM: number(c.highest), Sex: text(c.sexes),
	}
	for z, column := range c.zones {
		w.ZoneBounds[z] = number(column)
	}
	return w
}

// addTo adds the samples of the row to the workout's track.
func (c *pieceColumns) addTo(w *Workout, row int) {
	values, offsets := c.values.At(row), c.offsets.At(row)
	if len(values) == 0 {
		return
	}
	metric := strings.Clone(c.metrics.Value(row)) // to set a value of a map is to set its key too
	period := int32(0)
	if !c.periods.IsNull(row) {
		period = c.periods.Value(row)
	}
	samples := slices.Grow(w.Track[metric], len(values))
	from := c.from.Value(row) / 1000
	if len(offsets) == len(values) {
		for i, v := range values {
			samples = append(samples, Sample{from + int64(offsets[i]), period, v})
		}
	} else {
		for i, v := range values {
			samples = append(samples, Sample{from + int64(offsets[0]) + int64(i)*int64(period), period, v})
		}
	}
	w.Track[metric] = samples
}
