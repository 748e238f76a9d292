package checker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// bronzeName is what a file of bronze is called: the partition, the offsets [start, end) of which it holds every
// message, the hash.
var bronzeName = regexp.MustCompile(`^sync-(\d+)-(\d{20})-(\d{20})-[0-9a-f]{32}\.parquet$`)

// A span is the offsets of a partition that one file of bronze holds.
type span struct {
	path       string // "" = a gap: nobody could read them any more, and that is on record
	partition  int32
	start, end int64
}

// checkBronze compares bronze with the journal.
func (c *Checker) checkBronze(
	ctx context.Context, tables map[string]*table, whole map[string]bool, journal *Journal, found *findings,
) error {
	t := tables[schemas.TableSyncRecords]
	if t == nil {
		return nil
	}
	spans := c.spans(t, found)
	gaps, err := c.gaps(ctx, tables[tableGaps])
	if err != nil {
		return err
	}
	c.checkTiles(t, slices.Concat(spans, gaps), found)
	var unread []span
	for _, s := range spans {
		if whole[s.path] && !c.verified[s.path] {
			unread = append(unread, s)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	messages := journal.sorted() // after the lake was read: what is in bronze by then was acknowledged
	for _, s := range unread {
		before := len(found.all)
		waits, err := c.checkSpan(ctx, s, messages, found)
		if err != nil {
			if err := c.unreadable(ctx, t.table, []string{s.path}, err, found); err != nil {
				return err
			}
			continue
		}
		c.verified[s.path] = len(found.all) == before && !waits
	}
	return nil
}

func (c *Checker) spans(t *table, found *findings) []span {
	var spans []span
	for _, f := range t.files() {
		name := bronzeName.FindStringSubmatch(filepath.Base(f.path))
		if name == nil {
			found.add(Continuity, t.table, c.place(f.path), "the file's name does not say which offsets it holds")
			continue
		}
		partition, _ := strconv.ParseInt(name[1], 10, 32) // digits: the pattern says so
		start, _ := strconv.ParseInt(name[2], 10, 64)
		end, _ := strconv.ParseInt(name[3], 10, 64)
		spans = append(spans, span{f.path, int32(partition), start, end})
	}
	return spans
}

// tableGaps lists the offsets that Kafka deleted before they were read.
const tableGaps = "bronze.ingest_gaps"

func (c *Checker) gaps(ctx context.Context, t *table) ([]span, error) {
	if t == nil || len(t.paths()) == 0 {
		return nil, nil
	}
	rows, err := c.query(ctx, "select partition, from_offset, to_offset", t.paths(), "where skipped")
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.table, err)
	}
	defer rows.Close()
	var gaps []span
	for rows.Next() {
		var s span
		if err := rows.Scan(&s.partition, &s.start, &s.end); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.table, err)
		}
		gaps = append(gaps, s)
	}
	return gaps, rows.Err()
}

// checkTiles asks that the files and gaps of each partition follow each other from offset 0 to its watermark. A gap that
// begins at the watermark is on its way: it is recorded before the watermark crosses it, and the process may have died
// between the two.
func (c *Checker) checkTiles(t *table, spans []span, found *findings) {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	marks := t.marks(ingestMark)
	next := map[int32]int64{}
	for _, s := range spans {
		if isGap := s.path == ""; isGap && s.start == marks[s.partition] {
			continue
		}
		from := next[s.partition]
		switch {
		case s.end <= s.start:
			found.add(Continuity, t.table, c.place(s.path), "the file holds no offsets")
		case s.start > from:
			found.add(Continuity, t.table, c.place(s.path), "nothing holds the offsets from %d to %d of partition %d", from, s.start, s.partition)
		case s.start < from:
			found.add(Continuity, t.table, c.place(s.path), "two files hold the offsets from %d to %d of partition %d", s.start, min(from, s.end), s.partition)
		}
		next[s.partition] = max(from, s.end)
	}
	for p, mark := range marks {
		if end, begun := next[p]; begun && end != mark {
			found.add(Continuity, t.table, ingestMark+strconv.Itoa(int(p)), "the watermark is %d, and the files end at %d", mark, end)
		} else if !begun && mark > 0 {
			found.add(NoLoss, t.table, ingestMark+strconv.Itoa(int(p)), "the watermark is %d, and no file holds anything", mark)
		}
	}
	for p, end := range next {
		if _, marked := marks[p]; !marked {
			found.add(Continuity, t.table, fmt.Sprintf("partition %d", p), "files reach offset %d, and there is no watermark", end)
		}
	}
}

// checkSpan compares the rows of one file with the journal, message by message. It reports that it has to wait when the
// journal does not know all of the messages yet.
func (c *Checker) checkSpan(ctx context.Context, s span, messages []Message, found *findings) (waits bool, err error) {
	var rows []bronzeRow
	if err := c.bronzeRows(ctx, s.path, func(r *bronzeRow) { rows = append(rows, *r) }); err != nil {
		return false, err
	}
	slices.SortStableFunc(rows, func(a, b bronzeRow) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.itemIndex, b.itemIndex))
	})
	from, _ := slices.BinarySearchFunc(messages, s, func(m Message, s span) int {
		return cmp.Or(cmp.Compare(m.Partition, s.partition), cmp.Compare(m.Offset, s.start))
	})
	table := schemas.TableSyncRecords
	for next := s.start; next < s.end || len(rows) > 0; next++ {
		n := 0
		for n < len(rows) && rows[n].offset <= next {
			n++
		}
		place := fmt.Sprintf("partition %d offset %d", s.partition, next)
		if next >= s.end || n > 0 && (rows[0].offset != next || rows[0].partition != s.partition) {
			found.add(NoDuplicate, table, c.place(s.path), "the file holds partition %d offset %d, which is not its own",
				rows[0].partition, rows[0].offset)
			return false, nil
		}
		switch {
		case from == len(messages) || messages[from].Partition != s.partition:
			return true, nil // acknowledged, and not written down yet
		case messages[from].Offset == next:
			checkMessage(&messages[from], rows[:n], place, found)
			from++
		case n > 0:
			found.add(NoDuplicate, table, place, "nobody sent that message")
		}
		rows = rows[n:]
	}
	return false, nil
}

// checkMessage compares the rows of one message with what was said in it.
func checkMessage(m *Message, rows []bronzeRow, place string, found *findings) {
	table := schemas.TableSyncRecords
	if len(rows) == 0 {
		found.add(NoLoss, table, place, "the message is not there")
		return
	}
	for i := range rows {
		if rows[i].itemIndex != int32(i) {
			found.add(NoDuplicate, table, place, "row %d has the item index %d", i, rows[i].itemIndex)
			return
		}
		checkHead(m, &rows[i], place, found)
	}
	if m.Batch == nil {
		checkDeadLetter(m, rows, place, found)
		return
	}
	left, aside := m.Batch.facts(), map[string]int{}
	for i := range rows {
		if r := &rows[i]; r.kind == kindReject {
			n, _ := strconv.Atoi(r.text) // what is no number counts as none, and is missed below
			aside[r.reason] += n
		} else {
			r.facts(func(f fact) { left[f]-- })
		}
	}
	for f, n := range left {
		place := fmt.Sprintf("%s %s %s at %d", place, f.kind, f.metric, f.at)
		switch {
		case n > 0:
			found.add(NoLoss, table, place, "it was said and is not there")
		case n < 0:
			found.add(NoDuplicate, table, place, "it is there once more than it was said")
		}
	}
	checkAside(m, aside, place, found)
}

// checkDeadLetter compares the row of a message that nobody can decode with its bytes.
func checkDeadLetter(m *Message, rows []bronzeRow, place string, found *findings) {
	r := &rows[0]
	switch {
	case len(rows) > 1 || r.kind != kindDeadLetter:
		found.add(DeadLetters, schemas.TableSyncRecords, place, "the message is no dead letter")
	case r.reason == "" || m.Refused != "" && r.reason != m.Refused:
		found.add(DeadLetters, schemas.TableSyncRecords, place, "the reason is %q, and must be %q", r.reason, m.Refused)
	case m.SHA256 != "" && hex.EncodeToString(sum(r.payload)) != m.SHA256:
		found.add(DeadLetters, schemas.TableSyncRecords, place, "the bytes are not those of the message")
	}
}

// checkAside compares how many values and items were set aside for each reason.
func checkAside(m *Message, aside map[string]int, place string, found *findings) {
	for reason, n := range m.Aside {
		if aside[reason] != n {
			found.add(DeadLetters, schemas.TableSyncRecords, place, "%d were set aside as %s, and %d had to be", aside[reason], reason, n)
		}
	}
	for reason, n := range aside {
		if m.Aside[reason] == 0 {
			found.add(DeadLetters, schemas.TableSyncRecords, place, "%d were set aside as %s, and none had to be", n, reason)
		}
	}
}

// checkHead compares what every row of a message says of the message.
func checkHead(m *Message, r *bronzeRow, place string, found *findings) {
	if r.brokerMS != m.AtMS {
		found.add(NoDuplicate, schemas.TableSyncRecords, place, "the row has another broker time than the message")
	}
	b := m.Batch
	if b == nil {
		return
	}
	if r.batch != b.ID || r.user != b.User || r.device != b.Device || r.epoch != b.Epoch || r.seq != b.Seq || r.source != b.source() {
		found.add(NoDuplicate, schemas.TableSyncRecords, place, "row %d is of another batch", r.itemIndex)
	}
	if r.kind == kindSeries || r.kind == kindWorkoutTrack {
		r.eachSample(func(at int64, _ int32) {
			if at < r.hourMS || at >= r.hourMS+3_600_000 {
				found.add(NoLoss, schemas.TableSyncRecords, place, "row %d holds a value of another hour than its own", r.itemIndex)
			}
		})
	}
}

// A bronzeRow is a row of bronze as DuckDB reads it; times in ms.
type bronzeRow struct {
	partition       int32
	offset          int64
	itemIndex       int32
	kind            string
	brokerMS        int64
	batch, user     string
	device, source  string
	epoch           int32
	seq             int64
	metric, name    string
	startMS, endMS  int64
	offsetMin       int32
	endOffsetMin    int32
	date            int32
	hourMS          int64
	periodMS        int32
	offsets, values []int32
	text            string
	value           *int32
	reason          string
	payload         []byte
}

func (c *Checker) bronzeRows(ctx context.Context, path string, each func(*bronzeRow)) error {
	rows, err := c.query(ctx, `select partition, "offset", item_index, kind, epoch_ms(broker_at),
		coalesce(batch_id, ''), coalesce(user_id, ''), coalesce(device_id, ''), coalesce(source, ''), device_epoch, seq,
		coalesce(metric, ''), coalesce(name, ''), coalesce(epoch_ms(start_at), 0), coalesce(epoch_ms(end_at), 0),
		utc_offset_min, end_utc_offset_min, coalesce(date_diff('day', date '1970-01-01', local_date), 0)::int,
		coalesce(epoch_ms(hour_at), 0), period_ms, coalesce(offsets_ms, []), coalesce("values", []), coalesce("text", ''),
		value, coalesce(reason, ''), payload`, []string{path}, "")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r bronzeRow
		var offsets, values list32
		if err := rows.Scan(&r.partition, &r.offset, &r.itemIndex, &r.kind, &r.brokerMS, &r.batch, &r.user, &r.device,
			&r.source, &r.epoch, &r.seq, &r.metric, &r.name, &r.startMS, &r.endMS, &r.offsetMin, &r.endOffsetMin, &r.date,
			&r.hourMS, &r.periodMS, &offsets, &values, &r.text, &r.value, &r.reason, &r.payload); err != nil {
			return err
		}
		r.offsets, r.values = offsets, values
		each(&r)
	}
	return rows.Err()
}

// readParquet is the table function over these files and nothing else.
func readParquet(paths []string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = "'" + strings.ReplaceAll(p, "'", "''") + "'"
	}
	return "read_parquet([" + strings.Join(quoted, ", ") + "], hive_partitioning=false)"
}

// query asks something of the rows of files.
func (c *Checker) query(ctx context.Context, columns string, paths []string, rest string) (*sql.Rows, error) {
	return c.duck.QueryContext(ctx, columns+" from "+readParquet(paths)+" "+rest)
}

// A list32 is a list of integers without nulls.
type list32 []int32

// Scan implements sql.Scanner.
func (l *list32) Scan(src any) error {
	items, ok := src.([]any)
	if !ok {
		return fmt.Errorf("a list came as %T", src)
	}
	*l = make([]int32, len(items))
	for i, item := range items {
		v, ok := item.(int32)
		if !ok {
			return fmt.Errorf("an integer of a list came as %T", item)
		}
		(*l)[i] = v
	}
	return nil
}

// eachSample calls do with every value of the row. There are as many offsets as values, or only the first.
func (r *bronzeRow) eachSample(do func(atMS int64, value int32)) {
	eachSample(r.hourMS, r.periodMS, r.offsets, r.values, do)
}

func eachSample(hourMS int64, periodMS int32, offsets, values []int32, do func(atMS int64, value int32)) {
	for i, v := range values {
		switch {
		case len(offsets) == len(values):
			do(hourMS+int64(offsets[i]), v)
		case len(offsets) == 1:
			do(hourMS+int64(offsets[0])+int64(i)*int64(periodMS), v)
		default:
			do(noValue, v) // a place where nothing can be
		}
	}
}

// facts calls do with what the row says.
func (r *bronzeRow) facts(do func(fact)) {
	f := fact{kind: r.kind, metric: r.metric, name: r.name, at: r.startMS, end: r.endMS, offsetMin: r.offsetMin,
		endOffsetMin: r.endOffsetMin, date: r.date, text: r.text}
	switch r.kind {
	case kindBatch:
		f = fact{kind: kindBatch}
	case kindSeries, kindWorkoutTrack:
		r.eachSample(func(at int64, value int32) {
			do(fact{kind: r.kind, metric: r.metric, name: r.name, at: at, period: r.periodMS, offsetMin: r.offsetMin,
				date: r.date, value: int64(value)})
		})
		return
	case kindRRRun:
		f.text = sumOf(r.values)
	case kindWorkout, kindWorkoutTotal, kindEvent:
		f.value = valueOf(r.value)
	case kindReading, kindSummary:
		f.value = valueOf(r.value)
	}
	do(f)
}

func sum(data []byte) []byte {
	h := sha256.Sum256(data)
	return h[:]
}
