package checker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// checkSilver compares silver with what the journal comes to.
func (c *Checker) checkSilver(ctx context.Context, tables map[string]*table, journal *Journal, found *findings) error {
	messages, err := c.readable(ctx, tables, journal)
	if err != nil {
		return err
	}
	hide := deletionsIn(messages)
	if t := tables[schemas.TableDeletions]; t != nil {
		hide.applied = t.marks(mergeMark)
	}
	if t := tables[schemas.TableSeriesHours]; t != nil {
		if err := c.checkSeries(ctx, t, messages, hide, found); err != nil {
			return err
		}
	}
	if t := tables[schemas.TableWorkoutPoints]; t != nil {
		if err := c.checkTracks(ctx, t, messages, hide, found); err != nil {
			return err
		}
	}
	for _, kind := range itemKinds() {
		if t := tables[kind.table]; t != nil {
			if err := c.checkItems(ctx, t, kind, messages, hide, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// readable returns the messages that ingest could read, in order: all but those in gaps.
func (c *Checker) readable(ctx context.Context, tables map[string]*table, journal *Journal) ([]Message, error) {
	gaps, err := c.gaps(ctx, tables[tableGaps])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(journal.sorted(), func(m Message) bool {
		return slices.ContainsFunc(gaps, func(s span) bool {
			return m.Partition == s.partition && m.Offset >= s.start && m.Offset < s.end
		})
	}), nil
}

// A revision orders what was said about the same thing.
type revision struct {
	epoch     int32
	seq       int64
	atMS      int64
	partition int32
	offset    int64
}

func (m *Message) revision() revision {
	return revision{m.Batch.Epoch, m.Batch.Seq, m.AtMS, m.Partition, m.Offset}
}

func (r revision) compare(o revision) int {
	return cmp.Or(cmp.Compare(r.epoch, o.epoch), cmp.Compare(r.seq, o.seq), cmp.Compare(r.atMS, o.atMS),
		cmp.Compare(r.partition, o.partition), cmp.Compare(r.offset, o.offset))
}

// deletions are what people asked to hide.
type deletions struct {
	byUser  map[string][]hiding
	applied map[int32]int64 // by partition: below which offset the lake knows them
}

type hiding struct {
	Deletion
	device string
	rev    revision
}

func deletionsIn(messages []Message) *deletions {
	d := &deletions{byUser: map[string][]hiding{}}
	for i := range messages {
		m := &messages[i]
		if m.Batch == nil {
			continue
		}
		for _, one := range m.Batch.Deletions {
			d.byUser[m.Batch.User] = append(d.byUser[m.Batch.User], hiding{one, m.Batch.Device, m.revision()})
		}
	}
	return d
}

// A verdict says whether something must be, may be or must not be in a table.
type verdict int

const (
	mustShow verdict = iota
	mayShow          // a deletion hides it that the table did not come to yet
	mustHide
)

// judge says what becomes of something that won with a revision, in a table that has come to the given marks. For the
// device that says it a deletion is a revision like any other; for other devices it is final.
func (d *deletions) judge(user, device, metric string, atMS int64, rev revision, marks map[int32]int64) verdict {
	v := mustShow
	for i := range d.byUser[user] {
		h := &d.byUser[user][i]
		if h.Metric != metric || atMS < h.FromMS || atMS >= h.ToMS || !h.AllDevices && h.device != device ||
			h.device == device && h.rev.compare(rev) <= 0 {
			continue
		}
		switch p := h.rev.partition; {
		case h.rev.offset < marks[p]:
			return mustHide
		case h.rev.offset < d.applied[p]:
			v = mayShow // deletions are merged before everything else
		}
	}
	return v
}

// A sampleKey is one instant of one metric of one device; the three names are one number.
type sampleKey struct {
	series int32
	atMS   int64
}

// A sample is what won a key.
type sample struct {
	message   int32 // which
	value     int32
	period    int32
	offsetMin int32
	seen      bool
}

// names gives numbers to triples of names.
type names struct {
	numbers map[[3]string]int32
	all     [][3]string
}

func (n *names) number(user, device, metric string) int32 {
	key := [3]string{user, device, metric}
	number, ok := n.numbers[key]
	if !ok {
		number = int32(len(n.all))
		n.numbers[key] = number
		n.all = append(n.all, key)
	}
	return number
}

// winners returns the highest revision of every sample said below the marks. Of equal revisions the later one in its
// batch wins: who says a thing twice means the second.
func winners(messages []Message, marks map[int32]int64) (*names, map[sampleKey]sample) {
	n := &names{numbers: map[[3]string]int32{}}
	best := map[sampleKey]sample{}
	for i := range messages {
		m := &messages[i]
		if m.Batch == nil || m.Offset >= marks[m.Partition] {
			continue
		}
		for j := range m.Batch.Series {
			s := &m.Batch.Series[j]
			series := n.number(m.Batch.User, m.Batch.Device, s.Metric)
			s.each(func(at int64, value int32) {
				key := sampleKey{series, at}
				if was, ok := best[key]; !ok || m.revision().compare(messages[was.message].revision()) >= 0 {
					best[key] = sample{message: int32(i), value: value, period: s.PeriodMS, offsetMin: s.OffsetMin}
				}
			})
		}
	}
	return n, best
}

// checkSeries compares the hours of silver, sample by sample.
func (c *Checker) checkSeries(ctx context.Context, t *table, messages []Message, hide *deletions, found *findings) error {
	marks := t.marks(mergeMark)
	names, best := winners(messages, marks)
	err := c.hourRows(ctx, t.paths(), func(h *hourRow) {
		series := names.number(h.user, h.device, h.metric)
		if h.counts() != len(h.values) {
			found.add(NoLoss, t.table, h.place(h.hourMS), "the row has %d values and revisions for %d", len(h.values), h.counts())
			return
		}
		run, left := 0, int32(0)
		if len(h.runCounts) > 0 {
			left = h.runCounts[0]
		}
		eachSample(h.hourMS, h.periodMS, h.offsets, h.values, func(at int64, value int32) {
			for left == 0 {
				run++
				left = h.runCounts[run]
			}
			left--
			key := sampleKey{series, at}
			want, ok := best[key]
			switch place := h.place(at); {
			case !ok:
				found.add(NoDuplicate, t.table, place, "nobody said that")
			case want.seen:
				found.add(NoDuplicate, t.table, place, "the instant is there twice")
			default:
				want.seen = true
				best[key] = want
				m := &messages[want.message]
				if hide.judge(h.user, h.device, h.metric, at, m.revision(), marks) == mustHide {
					found.add(NoDuplicate, t.table, place, "it was deleted")
				}
				c.checkSample(t.table, place, h, run, at, value, want, m, found)
			}
		})
	})
	if err != nil {
		return c.unreadable(ctx, t.table, t.paths(), err, found)
	}
	for key, want := range best {
		name, m := names.all[key.series], &messages[want.message]
		if !want.seen && hide.judge(name[0], name[1], name[2], key.atMS, m.revision(), marks) == mustShow {
			found.add(NoLoss, t.table, fmt.Sprintf("partition %d offset %d %s at %d", m.Partition, m.Offset, name[2], key.atMS),
				"it won and is not there")
		}
	}
	return nil
}

func (c *Checker) checkSample(
	table, place string, h *hourRow, run int, at int64, value int32, want sample, m *Message, found *findings,
) {
	switch {
	case h.partitions[run] != m.Partition || h.messageOffsets[run] != m.Offset || h.seqs[run] != m.Batch.Seq || h.epochs[run] != m.Batch.Epoch:
		found.add(NoLoss, table, place, "the revision of partition %d offset %d stands, and that of partition %d offset %d won",
			h.partitions[run], h.messageOffsets[run], m.Partition, m.Offset)
	case value != want.value:
		found.add(NoLoss, table, place, "the value is not the one that won")
	case h.periodMS != want.period || h.offsetMin != want.offsetMin || h.source != m.Batch.source():
		found.add(NoLoss, table, place, "period, offset or source are not those that won")
	case h.date != dateOf(at, want.offsetMin):
		found.add(NoLoss, table, place, "the local date is not that of the instant")
	case at < h.hourMS || at >= h.hourMS+3_600_000:
		found.add(NoLoss, table, place, "it lies in a row of another hour")
	}
}

// An hourRow is a row of silver.series_hours as DuckDB reads it.
type hourRow struct {
	user, metric, device, source string
	hourMS                       int64
	date, offsetMin, periodMS    int32
	offsets, values              []int32
	runCounts, epochs            []int32
	partitions                   []int32
	seqs, messageOffsets         []int64
}

func (h *hourRow) counts() int {
	n := 0
	for _, count := range h.runCounts {
		n += int(count)
	}
	return n
}

func (h *hourRow) place(atMS int64) string {
	place := fmt.Sprintf("%s at %d", h.metric, atMS)
	if len(h.partitions) > 0 {
		return fmt.Sprintf("partition %d offset %d %s", h.partitions[0], h.messageOffsets[0], place)
	}
	return place
}

func (c *Checker) hourRows(ctx context.Context, paths []string, each func(*hourRow)) error {
	if len(paths) == 0 {
		return nil
	}
	column := func(field string) string { return "list_transform(revisions, lambda r: r." + field + ")" }
	rows, err := c.query(ctx, `select user_id, metric, device_id, source, epoch_ms(hour_at),
		date_diff('day', date '1970-01-01', local_date)::int, utc_offset_min, period_ms, offsets_ms, "values",
		`+strings.Join([]string{column("count"), column("device_epoch"), column("partition"), column("seq"), column(`"offset"`)}, ", "), paths, "")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var h hourRow
		var offsets, values, counts, epochs, partitions list32
		var seqs, messageOffsets list64
		if err := rows.Scan(&h.user, &h.metric, &h.device, &h.source, &h.hourMS, &h.date, &h.offsetMin, &h.periodMS,
			&offsets, &values, &counts, &epochs, &partitions, &seqs, &messageOffsets); err != nil {
			return err
		}
		h.offsets, h.values, h.runCounts, h.epochs, h.partitions = offsets, values, counts, epochs, partitions
		h.seqs, h.messageOffsets = seqs, messageOffsets
		each(&h)
	}
	return rows.Err()
}

// A list64 is a list of long integers without nulls.
type list64 []int64

// Scan implements sql.Scanner.
func (l *list64) Scan(src any) error {
	items, ok := src.([]any)
	if !ok {
		return fmt.Errorf("a list came as %T", src)
	}
	*l = make([]int64, len(items))
	for i, item := range items {
		v, ok := item.(int64)
		if !ok {
			return fmt.Errorf("an integer of a list came as %T", item)
		}
		(*l)[i] = v
	}
	return nil
}

// An item is a row of a silver table other than series: what it is told apart by, and what it says.
type item struct {
	user, device string
	fact
	source string
	all    bool // of a deletion
}

// An itemKind says how the items of one table come together.
type itemKind struct {
	table string
	kind  string
	// said calls do with what a batch says.
	said func(b *Batch, do func(fact))
	// key leaves of an item what it is told apart by.
	key func(item) item
	// hidden returns what a deletion must name to hide the item, and the instant it must cover; "" = none can.
	hidden func(item) (metric string, atMS int64)
	query  string // user, device, kind's columns in the order of fact, source, revision
	where  string // "" = all rows are items
}

func itemKinds() []itemKind {
	const revision = `revision.device_epoch, revision.seq, epoch_ms(revision.broker_at), revision.partition, revision."offset"`
	const date = `date_diff('day', date '1970-01-01', local_date)::int`
	instant := func(i item) (string, int64) { return i.metric, i.at }
	items := (*Batch).items
	return []itemKind{
		{schemas.TableSleepSegments, kindSegment, items,
			func(i item) item { return item{user: i.user, device: i.device, fact: fact{at: i.at}} },
			func(i item) (string, int64) { return "sleep_segments", i.at },
			`select user_id, device_id, '', '', epoch_ms(start_at), epoch_ms(end_at), start_utc_offset_min, end_utc_offset_min,
				` + date + `, 0::bigint, stage, source, false, ` + revision, ""},
		{schemas.TableReadings, kindReading, items,
			func(i item) item { return item{user: i.user, device: i.device, fact: fact{metric: i.metric, at: i.at}} },
			instant,
			`select user_id, device_id, metric, '', epoch_ms(measured_at), 0::bigint, utc_offset_min, 0,
				` + date + `, "value"::bigint, '', source, false, ` + revision, ""},
		{schemas.TableDailySummaries, kindSummary, items,
			func(i item) item {
				return item{user: i.user, device: i.device, fact: fact{metric: i.metric, date: i.date}}
			},
			func(i item) (string, int64) { return i.metric, int64(i.date)*dayMS + dayMS/2 },
			`select user_id, device_id, metric, '', 0::bigint, 0::bigint, 0, 0, ` + date + `, "value"::bigint, '', source, false, ` + revision, ""},
		{schemas.TableEvents, kindEvent, items,
			func(i item) item {
				return item{user: i.user, device: i.device, fact: fact{metric: i.metric, name: i.name, at: i.at}}
			},
			func(i item) (string, int64) { return "events", i.at },
			`select user_id, device_id, kind, name, epoch_ms(start_at), coalesce(epoch_ms(end_at), 0), utc_offset_min, 0,
				` + date + `, coalesce("value", ` + fmt.Sprint(noValue) + `)::bigint, coalesce("text", ''), source, false, ` + revision, ""},
		{schemas.TableRRRuns, kindRRRun, items,
			func(i item) item { return item{user: i.user, device: i.device, fact: fact{at: i.at}} },
			func(i item) (string, int64) { return "rr_runs", i.at },
			`select user_id, device_id, '', '', epoch_ms(start_at), epoch_ms(end_at), utc_offset_min, 0,
				` + date + `, 0::bigint, sha256(array_to_string(intervals_ms, ',') || ','), source, false, ` + revision, ""},
		{schemas.TableWorkouts, kindWorkout, (*Batch).wholeWorkouts,
			func(i item) item { return item{user: i.user, device: i.device, fact: fact{name: i.name}} },
			func(i item) (string, int64) { return "workouts", i.at },
			`select user_id, device_id, '', workout_id, epoch_ms(start_at), epoch_ms(end_at), start_utc_offset_min, end_utc_offset_min,
				` + date + `, ` + fmt.Sprint(noValue) + `, coalesce(sport, '') ||
				array_to_string(list_transform(totals, lambda t: ' ' || t.metric || '=' || t."value"), ''), source, false, ` + revision,
			// Of a deleted one the key may stay, and nothing that it said.
			"where not is_deleted or sport is not null or len(totals) > 0"},
		{schemas.TableDeletions, kindDeletion, items,
			func(i item) item { return i },
			func(item) (string, int64) { return "", 0 },
			`select user_id, device_id, metric, case when all_devices then 'all' else '' end, epoch_ms(from_at), epoch_ms(to_at), 0, 0,
				0, 0::bigint, '', '', all_devices, ` + revision, ""},
	}
}

type itemWinner struct {
	item item
	rev  revision
	seen bool
}

// checkItems compares the rows of a table with the newest item of each key.
func (c *Checker) checkItems(ctx context.Context, t *table, kind itemKind, messages []Message, hide *deletions, found *findings) error {
	marks := t.marks(mergeMark)
	best := map[item]itemWinner{}
	for i := range messages {
		m := &messages[i]
		if m.Batch == nil || m.Offset >= marks[m.Partition] {
			continue
		}
		kind.said(m.Batch, func(f fact) {
			if f.kind != kind.kind {
				return
			}
			f.kind = ""
			one := item{user: m.Batch.User, device: m.Batch.Device, fact: f, source: m.Batch.source()}
			if t.table == schemas.TableDeletions {
				one.source, one.all = "", f.name == "all"
			}
			key := kind.key(one)
			if was, ok := best[key]; !ok || m.revision().compare(was.rev) >= 0 {
				best[key] = itemWinner{item: one, rev: m.revision()}
			}
		})
	}
	judge := func(w itemWinner) verdict {
		metric, at := kind.hidden(w.item)
		if metric == "" {
			return mustShow
		}
		return hide.judge(w.item.user, w.item.device, metric, at, w.rev, marks)
	}
	err := c.itemRows(ctx, kind, t.paths(), func(got item, rev revision) {
		key := kind.key(got)
		want, ok := best[key]
		place := fmt.Sprintf("partition %d offset %d %s at %d", rev.partition, rev.offset, got.metric, got.at)
		switch {
		case !ok:
			found.add(NoDuplicate, t.table, place, "nobody said that")
			return
		case want.seen:
			found.add(NoDuplicate, t.table, place, "it is there twice")
		case rev != want.rev:
			found.add(NoLoss, t.table, place, "the revision of partition %d offset %d won", want.rev.partition, want.rev.offset)
		case got != want.item:
			found.add(NoLoss, t.table, place, "it does not say what won")
		case judge(want) == mustHide:
			found.add(NoDuplicate, t.table, place, "it was deleted")
		}
		want.seen = true
		best[key] = want
	})
	if err != nil {
		return c.unreadable(ctx, t.table, t.paths(), err, found)
	}
	for _, want := range best {
		if !want.seen && judge(want) == mustShow {
			found.add(NoLoss, t.table, fmt.Sprintf("partition %d offset %d %s at %d", want.rev.partition, want.rev.offset, want.item.metric, want.item.at),
				"it won and is not there")
		}
	}
	return nil
}

func (c *Checker) itemRows(ctx context.Context, kind itemKind, paths []string, each func(item, revision)) error {
	if len(paths) == 0 {
		return nil
	}
	rows, err := c.query(ctx, kind.query, paths, kind.where)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i item
		var r revision
		if err := rows.Scan(&i.user, &i.device, &i.metric, &i.name, &i.at, &i.end, &i.offsetMin, &i.endOffsetMin, &i.date,
			&i.value, &i.text, &i.source, &i.all, &r.epoch, &r.seq, &r.atMS, &r.partition, &r.offset); err != nil {
			return err
		}
		each(i, r)
	}
	return rows.Err()
}
