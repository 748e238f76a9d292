package hrv

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint names what decides the windows of given intervals; it changes with the rules of this package.
const Fingerprint = "range 300-2000 ms, Lipponen-Tarvainen 2019 (least threshold 26 ms), Malik below 11 intervals, 5 min"

// WindowRows turns rows of runs into rows of windows: it is the Go part of the model hrv_windows. The runs come with
// user_id, local_date, device_id, started_ms and intervals_ms, those of one device and date together and in order.
func WindowRows(_ context.Context, runs array.RecordReader) (array.RecordReader, error) {
	r := &windowReader{runs: runs, out: newWindowBuilder()}
	return rows.NewStream(r.out, r.fill), nil
}

// A windowReader reads runs while its windows are read.
type windowReader struct {
	runs    array.RecordReader
	columns runColumns
	out     *windowBuilder

	marker  marker
	of      owner
	windows []Window // of it so far
	told    int64    // its beats until then are among them
}

// fill adds the windows of the next batch of runs, but for those that may not be whole yet.
func (r *windowReader) fill() (more bool, err error) {
	if r.runs.Next() {
		return true, r.take(r.runs.RecordBatch())
	}
	r.out.append(r.of, r.windows)
	return false, r.runs.Err()
}

// take windows the runs of a batch.
func (r *windowReader) take(batch arrow.RecordBatch) error {
	c := &r.columns
	if err := rows.Bind(batch, map[string]any{
		"user_id": &c.users, "local_date": &c.dates, "device_id": &c.devices, "started_ms": &c.starts, "intervals_ms": &c.intervals,
	}); err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	for i := range int(batch.NumRows()) {
		if next := c.owner(i); next != r.of {
			r.out.append(r.of, r.windows)
			r.of, r.windows, r.told = next.clone(), r.windows[:0], 0
		}
		run := Run{StartMS: c.starts.Value(i), IntervalsMS: c.intervals.At(i)}
		r.windows, r.told = r.marker.appendRun(r.windows, &run, r.told)
	}
	return nil
}

// An owner is whose runs are windowed together.
type owner struct {
	user, device string
	date         arrow.Date32
}

// clone outlives the batch that the texts lie in.
func (o owner) clone() owner {
	return owner{strings.Clone(o.user), strings.Clone(o.device), o.date}
}

// runColumns are the columns of a batch of runs.
type runColumns struct {
	users, devices *array.String
	dates          *array.Date32
	starts         *array.Int64
	intervals      rows.Lists
}

func (c *runColumns) owner(i int) owner {
	return owner{c.users.Value(i), c.devices.Value(i), c.dates.Value(i)}
}

// A windowBuilder collects windows until they make a batch.
type windowBuilder struct{ *rows.Builder }

func newWindowBuilder() *windowBuilder {
	whole, number := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64
	return &windowBuilder{rows.NewBuilder(
		arrow.Field{Name: "user_id", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		arrow.Field{Name: "device_id", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "window_start_at", Type: arrow.FixedWidthTypes.Timestamp_us},
		arrow.Field{Name: "beat_count", Type: whole},
		arrow.Field{Name: "artefact_count", Type: whole},
		arrow.Field{Name: "difference_count", Type: whole},
		arrow.Field{Name: "nn_covered_ms", Type: whole},
		arrow.Field{Name: "nn_mean_ms", Type: number},
		arrow.Field{Name: "hrv_rmssd_ms", Type: number},
		arrow.Field{Name: "hrv_sdnn_ms", Type: number},
		arrow.Field{Name: "hrv_pnn50_pct", Type: number},
	)}
}

func (b *windowBuilder) append(of owner, windows []Window) {
	whole := func(column int, v int64) { b.Field(column).(*array.Int64Builder).Append(v) } //nolint:forcetypeassert // as in the schema
	number := func(column int, v float64, ok bool) {
		if ok {
			b.Field(column).(*array.Float64Builder).Append(v) //nolint:forcetypeassert // as in the schema
		} else {
			b.Field(column).AppendNull()
		}
	}
	for i := range windows {
		w := &windows[i]
		b.Field(0).(*array.StringBuilder).Append(of.user)                              //nolint:forcetypeassert // as in the schema
		b.Field(1).(*array.Date32Builder).Append(of.date)                              //nolint:forcetypeassert // as in the schema
		b.Field(2).(*array.StringBuilder).Append(of.device)                            //nolint:forcetypeassert // as in the schema
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(w.StartMS * 1000)) //nolint:forcetypeassert // as in the schema
		whole(4, w.Beats)
		whole(5, w.Artefacts)
		whole(6, w.Pairs)
		whole(7, w.SumMS)
		for column, figure := range []func() (float64, bool){w.MeanMS, w.RMSSD, w.SDNN, w.PNN50} {
			v, ok := figure()
			number(8+column, v, ok)
		}
		b.N++
	}
}
