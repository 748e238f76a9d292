package ingest

import (
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A Position is where a message lies in Kafka and when the broker took it.
type Position struct {
	Partition  int32
	Offset     int64
	BrokerAtMS int64
}

// Rows returns the rows of bronze that a batch becomes. It is pure: the same batch at the same position gives the same
// rows, so that a message read twice changes nothing.
//
// The first row is always the batch's own. Then come its parts, in the order of the batch: series cut at UTC hours and
// local midnights, items as they are. What cannot be true is left out and stands in a row of KindReject: its reason, its
// metric, when it was said to be (start_at, end_at), what it was to be (name) and how many (text), never its value. A
// whole run of a series that lies outside the time gate is one such row, and so are all implausible values of one
// piece. A batch without a valid user, device or batch id is set aside whole.
//
// The rows share memory with the batch: it must not change as long as they live.
func Rows(b *syncv1.Batch, at Position, buckets int) []schemas.SyncRecord {
	return new(mapping).of(b, at, buckets)
}

// of is Rows, but the rows are good only until the next call.
func (m *mapping) of(b *syncv1.Batch, at Position, buckets int) []schemas.SyncRecord {
	m.begin(b, at, buckets)
	m.batch(b)
	if !validIdentity(b) {
		m.setAside(aside{kind: schemas.KindBatch, reason: schemas.RejectMissingKey, count: 1})
		return m.rows
	}
	for i := range b.Series {
		m.series(&b.Series[i], schemas.KindSeries, "")
	}
	m.items(b)
	if m.overflow {
		m.rows = m.rows[:1]
		m.setAside(aside{kind: schemas.KindBatch, reason: schemas.RejectTooManySamples, count: 1})
	}
	return m.rows
}

// DeadLetter returns the row of a message that could not be decoded. It holds data, which must not change.
func DeadLetter(data []byte, reason schemas.RejectReason, at Position) schemas.SyncRecord {
	row := recordAt(at)
	row.Kind = schemas.KindDeadLetter
	row.Reason = string(reason)
	row.Payload = data
	return row
}

// Bucket returns the partition of people to which the user belongs, 0 to buckets-1. It never changes for a user as long
// as the number of buckets does not, which a lake fixes when it is made.
func Bucket(userID string, buckets int) int32 {
	if buckets <= 1 {
		return 0
	}
	return int32(xxhash.Sum64String(userID) % uint64(buckets))
}

// maxRows is what one batch may become. A series of hourly values is a row a value, which is two hundred times what it
// takes on the wire; no watch sends so many, and memory is not theirs to take.
const maxRows = 1 << 18

// A mapping builds the rows of one batch. Times, dates and offsets of rows are pointers and lists; they are cut from
// slabs, for otherwise they would be most of the work.
type mapping struct {
	common   schemas.SyncRecord // what every row of the batch says
	latestMS int64              // the end of the time gate
	rows     []schemas.SyncRecord
	overflow bool

	times   []int64
	dates   []int32
	offsets []int32
}

func (m *mapping) begin(b *syncv1.Batch, at Position, buckets int) {
	*m = mapping{
		common:   recordAt(at),
		latestMS: at.BrokerAtMS + toleranceMS,
		rows:     slices.Grow(m.rows[:0], expectedRows(b)),
		times:    m.times[:0], dates: m.dates[:0], offsets: m.offsets[:0],
	}
	c := &m.common
	// An identity that breaks the rule may be anything, a person's e-mail address for one: it stays out of the lake.
	if schemas.ValidUserID(b.UserID) {
		c.UserID = b.UserID
		c.UserBucket = Bucket(b.UserID, buckets)
	}
	if schemas.ValidName(b.BatchID) {
		c.BatchID = b.BatchID
	}
	if schemas.ValidName(b.Device.ID) {
		c.DeviceID = b.Device.ID
	}
	c.DeviceEpoch = int32(b.Device.Epoch)
	c.Seq = int64(b.Seq)
	c.Source = string(b.Source)
	c.SentAt = b.SentAtMS * microsPerMilli
	c.TimeZone = b.TimeZone
}

const microsPerMilli = 1000

func recordAt(at Position) schemas.SyncRecord {
	return schemas.SyncRecord{
		Partition:  at.Partition,
		Offset:     at.Offset,
		BrokerAt:   at.BrokerAtMS * microsPerMilli,
		IngestDate: int32(schemas.DateOf(at.BrokerAtMS, 0)),
	}
}

// expectedRows is right for a batch without rejects whose series start at full hours, and close for any other.
func expectedRows(b *syncv1.Batch) int {
	n := 2 + len(b.SleepSegments) + len(b.RRRuns) + len(b.Workouts) + len(b.Readings) + len(b.DailySummaries) +
		len(b.Events) + len(b.Deletions)
	for i := range b.Series {
		s := &b.Series[i]
		if last := len(s.Values) - 1; last >= 0 {
			n += min(len(s.Values), 2+int((s.TimeMS(last)-s.StartMS)/hourMS))
		}
	}
	return min(n, maxRows)
}

// add returns a new row of the kind with everything filled in that the batch says of all its rows.
func (m *mapping) add(kind schemas.RecordKind) *schemas.SyncRecord {
	if len(m.rows) == maxRows {
		m.overflow = true
		return &schemas.SyncRecord{} // goes nowhere: the batch is set aside as a whole
	}
	m.rows = append(m.rows, m.common)
	row := &m.rows[len(m.rows)-1]
	row.Kind = kind
	row.ItemIndex = int32(len(m.rows) - 1)
	return row
}

func (m *mapping) batch(b *syncv1.Batch) {
	row := m.add(schemas.KindBatch)
	row.UTCOffsetMin = b.OffsetMin
	row.DeviceModel = b.Device.Model
	row.DeviceFirmware = b.Device.Firmware
	row.DeviceKind = b.Device.Kind
}

// An aside is something that is set aside.
type aside struct {
	kind      schemas.RecordKind // what it was to be
	metric    string
	reason    schemas.RejectReason
	count     int   // of values, or of items
	startMS   int64 // 0 with endMS = it has no time
	endMS     int64
	offsetMin int32
	date      *int32 // of what has a date and no time
}

func (m *mapping) setAside(a aside) {
	row := m.add(schemas.KindReject)
	row.Name = string(a.kind)
	row.Metric = a.metric
	row.Reason = string(a.reason)
	row.Text = strconv.Itoa(a.count)
	row.UTCOffsetMin = a.offsetMin
	row.LocalDate = a.date
	if a.startMS != 0 || a.endMS != 0 {
		row.StartAt = m.time(a.startMS)
		row.EndAt = m.time(a.endMS)
	}
}

// time returns a pointer to the instant in microseconds, as the lake stores it.
func (m *mapping) time(ms int64) *int64 {
	m.times = append(room(m.times, 1), ms*microsPerMilli)
	return &m.times[len(m.times)-1]
}

func (m *mapping) date(d schemas.Date) *int32 {
	m.dates = append(room(m.dates, 1), int32(d))
	return &m.dates[len(m.dates)-1]
}

// list returns an empty list with room for n offsets.
func (m *mapping) list(n int) []int32 {
	m.offsets = room(m.offsets, n)
	from := len(m.offsets)
	m.offsets = m.offsets[:from+n]
	return m.offsets[from : from : from+n]
}

// room returns the slab when n more fit into it, and a new one otherwise: growing would move what rows point to.
func room[T any](slab []T, n int) []T {
	if len(slab)+n <= cap(slab) {
		return slab
	}
	const usual = 64
	return make([]T, 0, max(n, usual))
}

func validIdentity(b *syncv1.Batch) bool {
	return schemas.ValidUserID(b.UserID) && schemas.ValidName(b.Device.ID) && schemas.ValidName(b.BatchID)
}
