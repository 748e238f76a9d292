package lake

import (
	"cmp"
	"context"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

// received is a helping of bronze as merging wants it: pieces of series, which are nearly all of it, by columns, and
// the few items as records. Batches, rejects and what else has no silver table are left out.
type received struct {
	symbols *symbols
	series  pieces
	items   []schemas.SyncRecord // in order of (partition, offset, item_index)
	listed  int                  // values and offsets of items
	rows    int
}

func newReceived() *received {
	known := newSymbols()
	return &received{symbols: known, series: pieces{symbols: known}}
}

// bytes returns about how much memory it takes.
func (r *received) bytes() int {
	const record = 512
	return r.series.bytes() + len(r.items)*record + r.listed*4
}

// read adds the rows of a file from an offset on.
func (r *received) read(ctx context.Context, l *Lake, path string, from int64) error {
	f := newBronzeFile(r.symbols)
	opened, err := openColumns(ctx, l, path, f.columns)
	if err != nil {
		return err
	}
	defer opened.close()
	r.series.grow(opened.count(), opened.valuesOf(f.offsets.leaf), opened.valuesOf(f.values.leaf))
	for {
		n, err := opened.read()
		if err != nil || n == 0 {
			return err
		}
		for i := range n {
			if f.offset.rows[i] < from {
				continue
			}
			r.rows++
			switch kind := f.kinds[f.kind.rows[i]]; kind {
			case "":
			case schemas.KindSeries:
				f.addPiece(&r.series, i)
			default:
				r.items = append(r.items, f.record(kind, i))
				r.listed += len(f.values.of(i)) + len(f.offsets.of(i))
			}
		}
	}
}

// mergedKinds are the kinds of record that silver has a table for.
func mergedKinds() []schemas.RecordKind {
	return []schemas.RecordKind{
		schemas.KindSeries, schemas.KindSleepSegment, schemas.KindReading, schemas.KindDailySummary, schemas.KindEvent,
		schemas.KindRRRun, schemas.KindWorkout, schemas.KindWorkoutTotal, schemas.KindWorkoutTrack, schemas.KindDeletion,
	}
}

// sortItems puts the items of all files in the order in which they were received.
func (r *received) sortItems() {
	r.items = sorted(r.items, func(a, b *schemas.SyncRecord) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset),
			cmp.Compare(a.ItemIndex, b.ItemIndex))
	})
}

// people returns who is spoken of.
func (r *received) people() map[string]bool {
	people := map[string]bool{}
	for i := range r.items {
		people[r.items[i].UserID] = true
	}
	seen := make([]bool, len(r.symbols.texts))
	for i := range r.series.rows {
		if user := r.series.rows[i].user; !seen[user] {
			seen[user] = true
			people[r.symbols.text(user)] = true
		}
	}
	return people
}

// order returns the places of the series' pieces by key; those of one key as they stood in their messages. What a
// device says comes in the order of time, so sorting by person and metric, which needs no comparing, leaves little to
// do.
func (r *received) order() []uint32 {
	rank, rows := r.symbols.ranks(), r.series.rows
	order := make([]uint32, len(rows))
	for i := range order {
		order[i] = uint32(i)
	}
	order = countingSort(order, len(rank), func(i uint32) uint32 { return rank[rows[i].metric] })
	order = countingSort(order, len(rank), func(i uint32) uint32 { return rank[rows[i].user] })
	later := func(i, j uint32) int {
		a, b := &rows[i], &rows[j]
		if a.hourAt != b.hourAt {
			return cmp.Compare(a.hourAt, b.hourAt)
		}
		return cmp.Or(cmp.Compare(rank[a.device], rank[b.device]), cmp.Compare(a.item, b.item), cmp.Compare(i, j))
	}
	for from := 0; from < len(order); {
		to := from + 1
		for first := &rows[order[from]]; to < len(order) && rows[order[to]].user == first.user && rows[order[to]].metric == first.metric; {
			to++
		}
		if one := order[from:to]; !slices.IsSortedFunc(one, later) {
			slices.SortFunc(one, later)
		}
		from = to
	}
	return order
}

// countingSort returns the places in order of their rank, of which there are n; those of equal rank as they were.
func countingSort(places []uint32, n int, rank func(uint32) uint32) []uint32 {
	next := make([]int, n+1)
	for _, p := range places {
		next[rank(p)+1]++
	}
	for i := 1; i <= n; i++ {
		next[i] += next[i-1]
	}
	out := make([]uint32, len(places))
	for _, p := range places {
		r := rank(p)
		out[next[r]] = p
		next[r]++
	}
	return out
}

// A bronzeFile reads those columns of a file of sync_records that merging asks for.
type bronzeFile struct {
	symbols *symbols                      // of the helping
	words   *symbols                      // of what only items say: anything, and of no use to others
	kinds   map[uint32]schemas.RecordKind // those that are merged, by word

	kind, user, device, source, metric, name, text *texts
	partition, item, bucket, epoch                 *numbers[int32]
	utcOffset, endOffset, date, period, value      *numbers[int32]
	offset, brokerAt, seq, startAt, endAt, hourAt  *numbers[int64]
	offsets, values                                *lists[int32]
}

func newBronzeFile(known *symbols) *bronzeFile {
	f := &bronzeFile{symbols: known, words: newSymbols(), kinds: map[uint32]schemas.RecordKind{}}
	for _, kind := range mergedKinds() {
		f.kinds[f.words.numberOf(string(kind))] = kind
	}
	return f
}

func (f *bronzeFile) columns(s *parquet.Schema) []column {
	f.kind, f.user = textsOf(s, f.words, "kind"), textsOf(s, f.symbols, "user_id")
	f.device, f.source = textsOf(s, f.symbols, "device_id"), textsOf(s, f.symbols, "source")
	f.metric = textsOf(s, f.symbols, "metric")
	f.name, f.text = textsOf(s, f.words, "name"), textsOf(s, f.words, "text")
	f.partition, f.item = numbersOf[int32](s, "partition"), numbersOf[int32](s, "item_index")
	f.bucket, f.epoch = numbersOf[int32](s, "user_bucket"), numbersOf[int32](s, "device_epoch")
	f.utcOffset, f.endOffset = numbersOf[int32](s, "utc_offset_min"), numbersOf[int32](s, "end_utc_offset_min")
	f.date, f.period = numbersOf[int32](s, "local_date"), numbersOf[int32](s, "period_ms")
	f.value = numbersOf[int32](s, "value")
	f.offset, f.brokerAt = numbersOf[int64](s, "offset"), numbersOf[int64](s, "broker_at")
	f.seq, f.startAt = numbersOf[int64](s, "seq"), numbersOf[int64](s, "start_at")
	f.endAt, f.hourAt = numbersOf[int64](s, "end_at"), numbersOf[int64](s, "hour_at")
	f.offsets = listsOf[int32](s, "offsets_ms", "list", "element")
	f.values = listsOf[int32](s, "values", "list", "element")
	return []column{f.kind, f.user, f.device, f.source, f.metric, f.name, f.text, f.partition, f.item, f.bucket, f.epoch,
		f.utcOffset, f.endOffset, f.date, f.period, f.value, f.offset, f.brokerAt, f.seq, f.startAt, f.endAt, f.hourAt,
		f.offsets, f.values}
}

// addPiece appends a row of series to the pieces. A row without values says nothing.
func (f *bronzeFile) addPiece(to *pieces, i int) {
	values := f.values.of(i)
	if len(values) == 0 {
		return
	}
	period := f.period.rows[i]
	to.add(piece{
		hourKey: hourKey{f.user.rows[i], f.metric.rows[i], f.device.rows[i], f.hourAt.rows[i]},
		cut:     cut{f.date.rows[i], f.utcOffset.rows[i], period, f.source.rows[i]},
		bucket:  f.bucket.rows[i], item: f.item.rows[i],
	}, packOffsets(f.offsets.of(i), period), values, schemas.RevisionRun{
		Count: int32(len(values)), DeviceEpoch: f.epoch.rows[i], Seq: f.seq.rows[i], BrokerAt: f.brokerAt.rows[i],
		Partition: f.partition.rows[i], Offset: f.offset.rows[i],
	})
}

// record returns a row that is not of a series.
func (f *bronzeFile) record(kind schemas.RecordKind, i int) schemas.SyncRecord {
	return schemas.SyncRecord{
		Partition: f.partition.rows[i], Offset: f.offset.rows[i], ItemIndex: f.item.rows[i], Kind: kind,
		BrokerAt: f.brokerAt.rows[i], UserID: f.user.text(i), UserBucket: f.bucket.rows[i], DeviceID: f.device.text(i),
		DeviceEpoch: f.epoch.rows[i], Seq: f.seq.rows[i], Source: f.source.text(i), Metric: f.metric.text(i),
		StartAt: f.startAt.pointer(i), EndAt: f.endAt.pointer(i), UTCOffsetMin: f.utcOffset.rows[i],
		EndUTCOffsetMin: f.endOffset.rows[i], LocalDate: f.date.pointer(i), HourAt: f.hourAt.pointer(i),
		PeriodMS: f.period.rows[i], OffsetsMS: f.offsets.copyOf(i), Values: f.values.copyOf(i),
		Name: f.name.text(i), Text: f.text.text(i), Value: f.value.pointer(i),
	}
}

func revisionOf(rec *schemas.SyncRecord) schemas.Revision {
	return schemas.Revision{
		DeviceEpoch: rec.DeviceEpoch, Seq: rec.Seq, BrokerAt: rec.BrokerAt, Partition: rec.Partition, Offset: rec.Offset,
	}
}
