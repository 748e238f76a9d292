package stager

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// The columns that come in, one row per epoch or per heart-rate sample, in the order of user_id, night_date,
// episode_started_at, epoch_index. They are found by name; others are not read.
const (
	columnUser         = "user_id"            // string
	columnNight        = "night_date"         // date32
	columnEpisode      = "episode_started_at" // timestamp: the first epoch begins here
	columnEpoch        = "epoch_index"        // integer: 0 begins at episode_started_at; several rows of one epoch are allowed
	columnMotion       = "motion_count"       // number or null: counts of the epoch, of any row that has them
	columnHeartRate    = "heart_rate_bpm"     // number or null: the epoch's, or a sample of it
	columnHeartRateAtS = "heart_rate_at_s"    // number or null, may be left out: s into the epoch; null is its middle
)

// The columns that go out, one row per stretch of epochs with one stage: user_id, night_date, episode_started_at as they
// came in, and these. Epochs without a stage belong to no stretch.
const (
	columnStarted   = "started_at" // timestamp
	columnEnded     = "ended_at"   // timestamp
	columnStageName = "stage"      // string: awake, light, deep, rem or asleep
)

// Stretches returns a reader of the stretches of the nights that epochs make. It holds one night at a time: memory does not grow
// with the rows. Run it as a model's function with Version as the fingerprint.
func Stretches(ctx context.Context, epochs array.RecordReader, c *Coefficients) (array.RecordReader, error) {
	schema := epochs.Schema()
	in, err := newEpochColumns(schema)
	if err != nil {
		return nil, err
	}
	r := &stretchReader{ctx: ctx, rows: epochs, in: in, stager: New(c), out: rows.NewBuilder(
		schema.Field(in.user), schema.Field(in.night), schema.Field(in.episode),
		arrow.Field{Name: columnStarted, Type: schema.Field(in.episode).Type},
		arrow.Field{Name: columnEnded, Type: schema.Field(in.episode).Type},
		arrow.Field{Name: columnStageName, Type: arrow.BinaryTypes.String},
	)}
	return rows.NewStream(r.out, r.fill), nil
}

// epochColumns are the places of the columns that come in.
type epochColumns struct {
	user, night, episode, epoch, motion, heartRate, heartRateAt int
	perSecond                                                   int64 // units of the timestamps
}

func newEpochColumns(schema *arrow.Schema) (c epochColumns, err error) {
	at := func(name string, ok func(arrow.DataType) bool) int {
		found := schema.FieldIndices(name)
		switch {
		case len(found) != 1:
			err = fmt.Errorf("column %s: found %d times, want once", name, len(found))
			return -1
		case !ok(schema.Field(found[0]).Type):
			err = fmt.Errorf("column %s: the type %s is not possible", name, schema.Field(found[0]).Type)
		}
		return found[0]
	}
	is := func(id arrow.Type) func(arrow.DataType) bool {
		return func(t arrow.DataType) bool { return t.ID() == id }
	}
	c.user, c.night, c.episode = at(columnUser, is(arrow.STRING)), at(columnNight, is(arrow.DATE32)), at(columnEpisode, is(arrow.TIMESTAMP))
	c.epoch, c.motion, c.heartRate = at(columnEpoch, isNumber), at(columnMotion, isNumber), at(columnHeartRate, isNumber)
	c.heartRateAt = -1
	if schema.HasField(columnHeartRateAtS) {
		c.heartRateAt = at(columnHeartRateAtS, isNumber)
	}
	if err != nil {
		return c, err
	}
	unit := schema.Field(c.episode).Type.(*arrow.TimestampType).Unit
	c.perSecond = 1e9 / unit.Multiplier().Nanoseconds()
	return c, nil
}

func isNumber(t arrow.DataType) bool {
	switch t.ID() { //nolint:exhaustive // those that DuckDB hands over for its numbers
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.FLOAT32, arrow.FLOAT64:
		return true
	}
	return false
}

// numbers reads a column of numbers; NaN is null.
func numbers(column arrow.Array) func(i int) float64 {
	null := func(value func(i int) float64) func(i int) float64 {
		return func(i int) float64 {
			if column.IsNull(i) {
				return math.NaN()
			}
			return value(i)
		}
	}
	switch c := column.(type) {
	case *array.Int8:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Int16:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Int32:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Int64:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Uint8:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Uint16:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Uint32:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Float32:
		return null(func(i int) float64 { return float64(c.Value(i)) })
	case *array.Float64:
		return null(c.Value)
	}
	return func(int) float64 { return math.NaN() }
}

// A nightKey names a night.
type nightKey struct {
	user    string
	date    arrow.Date32
	episode arrow.Timestamp
}

// maxStagedEpochs is how long an episode may be: two days. A longer one is no sleep, and would take memory as it liked.
const maxStagedEpochs = 2 * 86400 / epochS

// add takes a row of the night in hand.
func (r *stretchReader) add(epoch int, motion, heartRate, heartRateAtS float64) error {
	if epoch < 0 || epoch >= maxStagedEpochs {
		return fmt.Errorf("column %s: must be from 0 to %d", columnEpoch, maxStagedEpochs-1)
	}
	if epoch < len(r.night.MotionCounts)-1 {
		return fmt.Errorf("column %s: rows are not in its order", columnEpoch)
	}
	for len(r.night.MotionCounts) <= epoch {
		r.night.MotionCounts = append(r.night.MotionCounts, math.NaN())
	}
	if !math.IsNaN(motion) {
		r.night.MotionCounts[epoch] = motion
	}
	if math.IsNaN(heartRate) {
		return nil
	}
	if math.IsNaN(heartRateAtS) {
		heartRateAtS = epochS / 2
	}
	r.night.HeartRate = append(r.night.HeartRate, HeartRateSample{AtS: float64(epoch)*epochS + heartRateAtS, BPM: heartRate})
	return nil
}

// endNight stages the night in hand and appends its stretches.
func (r *stretchReader) endNight() {
	h, ok := r.stager.Stage(r.night)
	if ok {
		for from := 0; from < len(h.Stages); {
			to := from + 1
			for to < len(h.Stages) && h.Stages[to] == h.Stages[from] {
				to++
			}
			if h.Stages[from] != "" {
				r.append(from, to, string(h.Stages[from]))
			}
			from = to
		}
	}
	r.night.MotionCounts, r.night.HeartRate = r.night.MotionCounts[:0], r.night.HeartRate[:0]
}

func (r *stretchReader) append(from, to int, stage string) {
	at := func(epoch int) arrow.Timestamp {
		return r.key.episode + arrow.Timestamp(int64(epoch)*epochS*r.in.perSecond)
	}
	r.out.Field(0).(*array.StringBuilder).Append(r.key.user)
	r.out.Field(1).(*array.Date32Builder).Append(r.key.date)
	r.out.Field(2).(*array.TimestampBuilder).Append(r.key.episode)
	r.out.Field(3).(*array.TimestampBuilder).Append(at(from))
	r.out.Field(4).(*array.TimestampBuilder).Append(at(to))
	r.out.Field(5).(*array.StringBuilder).Append(stage)
	r.out.N++
}

// take adds all rows of a batch.
func (r *stretchReader) take(batch arrow.RecordBatch) error {
	users, dates := batch.Column(r.in.user).(*array.String), batch.Column(r.in.night).(*array.Date32)
	episodes := batch.Column(r.in.episode).(*array.Timestamp)
	epochs, motion, heartRate := numbers(batch.Column(r.in.epoch)), numbers(batch.Column(r.in.motion)), numbers(batch.Column(r.in.heartRate))
	heartRateAt := func(int) float64 { return math.NaN() }
	if r.in.heartRateAt >= 0 {
		heartRateAt = numbers(batch.Column(r.in.heartRateAt))
	}
	for i := range int(batch.NumRows()) {
		if users.IsNull(i) || dates.IsNull(i) || episodes.IsNull(i) || math.IsNaN(epochs(i)) {
			return fmt.Errorf("columns %s, %s, %s and %s: must not be null", columnUser, columnNight, columnEpisode, columnEpoch)
		}
		if users.Value(i) != r.key.user || dates.Value(i) != r.key.date || episodes.Value(i) != r.key.episode || !r.begun {
			if r.begun {
				r.endNight()
			}
			r.begun, r.key = true, nightKey{strings.Clone(users.Value(i)), dates.Value(i), episodes.Value(i)}
		}
		if err := r.add(int(epochs(i)), motion(i), heartRate(i), heartRateAt(i)); err != nil {
			return err
		}
	}
	return nil
}
