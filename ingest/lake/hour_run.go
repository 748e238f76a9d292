package lake

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

// An hourRun walks rows in order of key: those of a file, a chunk at a time, or pieces of the round.
type hourRun struct {
	in    *pieces
	i     int
	order []uint32 // of the round's pieces

	file      *hourFile // nil = the pieces are the round's
	partition map[string]int64
	begins    bool // the pieces are the first of a group of rows

	used  []*pieces // chunks that are read, but a part of the key may point into them
	spare []*pieces
}

func openHourRun(ctx context.Context, l *Lake, path string, known *symbols) (*hourRun, error) {
	f := &hourFile{}
	opened, err := openColumns(ctx, l, path, func(s *parquet.Schema) []column { return f.columns(s, known) })
	if err != nil {
		return nil, err
	}
	f.columnFile = opened
	run := &hourRun{file: f, in: &pieces{symbols: known}}
	if err := run.read(); err != nil {
		f.close()
		return nil, err
	}
	return run, nil
}

// row returns the row the run stands at, nil at the end.
func (r *hourRun) row() *piece {
	switch {
	case r.file == nil && r.i < len(r.order):
		return &r.in.rows[r.order[r.i]]
	case r.file != nil && r.i < len(r.in.rows):
		return &r.in.rows[r.i]
	default:
		return nil
	}
}

// next goes on to the next row. The rows before it stay valid until recycle. A file whose rows are not in order would
// be merged wrongly, without anybody noticing: it is refused.
func (r *hourRun) next() error {
	last := r.row()
	if err := r.step(); err != nil {
		return err
	}
	if row := r.row(); r.file != nil && row != nil && r.in.symbols.compareHours(&last.hourKey, &row.hourKey) > 0 {
		return fmt.Errorf("rows of the file %s are not in the order of its table", r.file.path)
	}
	return nil
}

func (r *hourRun) step() error {
	if r.i++; r.file == nil || r.i < len(r.in.rows) {
		return nil
	}
	r.used = append(r.used, r.in)
	chunk := &pieces{symbols: r.in.symbols}
	if n := len(r.spare); n > 0 {
		chunk, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	r.in = chunk
	return r.read()
}

func (r *hourRun) read() error {
	r.i, r.begins = 0, r.file.left == 0
	return r.file.readPieces(r.in)
}

// group returns the group of rows at whose beginning the run stands, nil when it stands elsewhere.
func (r *hourRun) group() parquet.RowGroup {
	if r.file == nil || !r.begins || r.i > 0 {
		return nil
	}
	return r.file.open
}

// skipGroup goes on to the first row behind the group.
func (r *hourRun) skipGroup() error {
	r.file.skip()
	return r.read()
}

// recycle says that nothing points into the rows before this one any more.
func (r *hourRun) recycle() {
	r.spare = append(r.spare, r.used...)
	r.used = r.used[:0]
}

func (r *hourRun) close() {
	if r.file != nil {
		r.file.close()
	}
}

// reaches tells what the pieces speak of: hours of one metric that follow each other are one.
func (r *hourRun) reaches() reaches {
	all := reaches{partitions: map[string]bool{}}
	var last *piece
	var partition filePartition
	for _, i := range r.order {
		row := &r.in.rows[i]
		if n := len(all.list); last != nil && last.user == row.user && last.metric == row.metric &&
			row.hourAt <= all.list[n-1].to+hourUS {
			all.list[n-1].to = row.hourAt
		} else {
			all.list = append(all.list, reach{r.in.symbols.text(row.user), row.hourAt, row.hourAt})
		}
		if p := (filePartition{monthOf(row.date), row.bucket, true}); p != partition {
			all.partitions[partitionDir(p.columns())] = true
			partition = p
		}
		last = row
	}
	return all
}

// An hourFile reads a file of series_hours.
type hourFile struct {
	*columnFile

	user, metric, device, source *texts
	hourAt                       *numbers[int64]
	bucket, date, offset, period *numbers[int32]
	offsets, values              *lists[int32]
	count, epoch, partition      *lists[int32]
	seq, brokerAt, kafkaOffset   *lists[int64]
}

func (f *hourFile) columns(s *parquet.Schema, known *symbols) []column {
	columns := f.sampleColumns(s, known)
	f.bucket = numbersOf[int32](s, "user_bucket")
	revision := func(name string) []string { return []string{"revisions", "list", "element", name} }
	f.count, f.epoch = listsOf[int32](s, revision("count")...), listsOf[int32](s, revision("device_epoch")...)
	f.seq, f.brokerAt = listsOf[int64](s, revision("seq")...), listsOf[int64](s, revision("broker_at")...)
	f.partition = listsOf[int32](s, revision("partition")...)
	f.kafkaOffset = listsOf[int64](s, revision("offset")...)
	return append(columns, f.bucket, f.count, f.epoch, f.seq, f.brokerAt, f.partition, f.kafkaOffset)
}

// sampleColumns are those of them that tell of samples: no revisions.
func (f *hourFile) sampleColumns(s *parquet.Schema, known *symbols) []column {
	f.user, f.metric = textsOf(s, known, "user_id"), textsOf(s, known, "metric")
	f.device, f.source = textsOf(s, known, "device_id"), textsOf(s, known, "source")
	f.hourAt = numbersOf[int64](s, "hour_at")
	f.date, f.offset, f.period = numbersOf[int32](s, "local_date"), numbersOf[int32](s, "utc_offset_min"), numbersOf[int32](s, "period_ms")
	f.offsets = listsOf[int32](s, "offsets_ms", "list", "element")
	f.values = listsOf[int32](s, "values", "list", "element")
	return []column{f.user, f.metric, f.device, f.source, f.hourAt, f.date, f.offset, f.period, f.offsets, f.values}
}

// readPieces replaces the pieces by the next rows of the file; there are none at the end.
func (f *hourFile) readPieces(into *pieces) error {
	into.reset()
	n, err := f.read()
	if err != nil {
		return err
	}
	into.offsets = append(into.offsets, f.offsets.items...)
	into.values = append(into.values, f.values.items...)
	for i, count := range f.count.items {
		into.revisions = append(into.revisions, schemas.RevisionRun{Count: count, DeviceEpoch: f.epoch.items[i],
			Seq: f.seq.items[i], BrokerAt: f.brokerAt.items[i], Partition: f.partition.items[i], Offset: f.kafkaOffset.items[i]})
	}
	for i := range n {
		into.rows = append(into.rows, piece{
			hourKey: hourKey{f.user.rows[i], f.metric.rows[i], f.device.rows[i], f.hourAt.rows[i]},
			cut:     cut{f.date.rows[i], f.offset.rows[i], f.period.rows[i], f.source.rows[i]},
			bucket:  f.bucket.rows[i],
			offsets: f.offsets.rows[i], values: f.values.rows[i], revisions: f.count.rows[i],
		})
	}
	return nil
}

// people returns between which two people, both included, all rows of a group are.
func (f *hourFile) people(group parquet.RowGroup) (lower, upper string, known bool) {
	chunk, ok := group.ColumnChunks()[f.user.index].(*parquet.FileColumnChunk)
	if !ok {
		return "", "", false
	}
	first, last, known := chunk.Bounds()
	return string(first.ByteArray()), string(last.ByteArray()), known
}
