package hrv

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Fingerprint names what decides the windows of given intervals; it changes with the rules of this package.
const Fingerprint = "range 300-2000 ms, Lipponen-Tarvainen 2019 (least threshold 26 ms), Malik below 11 intervals, 5 min"

// batchRows is about how many windows are handed on together.
const batchRows = 4096

// WindowRows turns rows of runs into rows of windows: it is the Go part of the model hrv_windows. The runs come with
// user_id, local_date, device_id, started_ms and intervals_ms, those of one device and date together and in order.
func WindowRows(_ context.Context, runs array.RecordReader) (array.RecordReader, error) {
	columns, err := findColumns(runs.Schema(), "user_id", "local_date", "device_id", "started_ms", "intervals_ms")
	if err != nil {
		return nil, err
	}
	r := &windowReader{runs: runs, columns: columns, out: newWindowBuilder()}
	r.references.Store(1)
	return r, nil
}

// A windowReader reads runs while its windows are read. It does not wrap an iterator: those switch goroutines, which one
// that is called from C, as DuckDB calls it, must not.
type windowReader struct {
	runs    array.RecordReader
	columns []int

	of      owner
	windows []Window // of it so far
	told    int64    // its beats until then are among them
	isDone  bool

	out        *windowBuilder
	batch      arrow.RecordBatch
	err        error
	references atomic.Int64
}

func (r *windowReader) Schema() *arrow.Schema { return r.out.Schema() }

// RecordBatch returns the present batch, which is good until Next.
func (r *windowReader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record returns the present batch.
//
// Deprecated: it is called RecordBatch now.
func (r *windowReader) Record() arrow.RecordBatch { return r.batch }

func (r *windowReader) Err() error { return r.err }

func (r *windowReader) Retain() { r.references.Add(1) }

func (r *windowReader) Release() {
	if r.references.Add(-1) == 0 {
		r.releaseBatch()
		r.out.Release()
	}
}

func (r *windowReader) releaseBatch() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// Next makes the next batch of windows.
func (r *windowReader) Next() bool {
	r.releaseBatch()
	for r.err == nil && !r.isDone && r.out.rows < batchRows {
		if r.runs.Next() {
			r.err = r.take(r.runs.RecordBatch())
			continue
		}
		r.err = r.runs.Err()
		r.isDone = true
		r.out.append(r.of, r.windows)
	}
	if r.err != nil || r.out.rows == 0 {
		return false
	}
	r.batch = r.out.NewRecordBatch()
	return true
}

// take windows the runs of a batch.
func (r *windowReader) take(batch arrow.RecordBatch) error {
	rows, err := readRuns(batch, r.columns)
	if err != nil {
		return err
	}
	for i := range int(batch.NumRows()) {
		if next := rows.owner(i); next != r.of {
			r.out.append(r.of, r.windows)
			r.of, r.windows, r.told = next.clone(), r.windows[:0], 0
		}
		run := rows.run(i)
		r.windows, r.told = appendRun(r.windows, &run, r.told)
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

func findColumns(schema *arrow.Schema, names ...string) ([]int, error) {
	columns := make([]int, len(names))
	for i, name := range names {
		at := schema.FieldIndices(name)
		if len(at) != 1 {
			return nil, fmt.Errorf("there is no column %s", name)
		}
		columns[i] = at[0]
	}
	return columns, nil
}

// runRows are the columns of a batch of runs.
type runRows struct {
	users, devices *array.String
	dates          *array.Date32
	starts         *array.Int64
	lists          *array.List
	intervals      *array.Int32
}

func readRuns(batch arrow.RecordBatch, columns []int) (rows runRows, err error) {
	var ok [6]bool
	rows.users, ok[0] = batch.Column(columns[0]).(*array.String)
	rows.dates, ok[1] = batch.Column(columns[1]).(*array.Date32)
	rows.devices, ok[2] = batch.Column(columns[2]).(*array.String)
	rows.starts, ok[3] = batch.Column(columns[3]).(*array.Int64)
	if rows.lists, ok[4] = batch.Column(columns[4]).(*array.List); ok[4] {
		rows.intervals, ok[5] = rows.lists.ListValues().(*array.Int32)
	}
	if slices.Contains(ok[:], false) {
		return rows, fmt.Errorf("columns of runs have other types than they should: %s", batch.Schema())
	}
	return rows, nil
}

func (r *runRows) owner(i int) owner {
	return owner{r.users.Value(i), r.devices.Value(i), r.dates.Value(i)}
}

func (r *runRows) run(i int) Run {
	from, to := r.lists.ValueOffsets(i)
	return Run{StartMS: r.starts.Value(i), IntervalsMS: r.intervals.Int32Values()[from:to]}
}

// A windowBuilder collects windows until they make a batch.
type windowBuilder struct {
	*array.RecordBuilder

	rows int
}

func newWindowBuilder() *windowBuilder {
	whole, number := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64
	return &windowBuilder{RecordBuilder: array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "user_id", Type: arrow.BinaryTypes.String},
		{Name: "local_date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "device_id", Type: arrow.BinaryTypes.String},
		{Name: "window_start_at", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "beat_count", Type: whole},
		{Name: "artefact_count", Type: whole},
		{Name: "difference_count", Type: whole},
		{Name: "nn_covered_ms", Type: whole},
		{Name: "nn_mean_ms", Type: number},
		{Name: "hrv_rmssd_ms", Type: number},
		{Name: "hrv_sdnn_ms", Type: number},
		{Name: "hrv_pnn50_pct", Type: number},
	}, nil))}
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
		b.rows++
	}
}

// NewRecordBatch hands over what was collected and begins anew.
func (b *windowBuilder) NewRecordBatch() arrow.RecordBatch {
	b.rows = 0
	return b.RecordBuilder.NewRecordBatch()
}
