package schemas

// The rows of the lake's bronze and silver tables. A field's parquet tag is the column; times are microseconds since
// 1970-01-01 UTC, dates days since then, because that is what Parquet and Iceberg store.

// The tables of the lake that ingest writes.
const (
	TableSyncRecords    = "bronze.sync_records"
	TableIngestGaps     = "bronze.ingest_gaps"
	TableSeriesHours    = "silver.series_hours"
	TableSleepSegments  = "silver.sleep_segments"
	TableReadings       = "silver.readings"
	TableDailySummaries = "silver.daily_summaries"
	TableEvents         = "silver.events"
	TableRRRuns         = "silver.rr_runs"
	TableWorkouts       = "silver.workouts"
	TableWorkoutPoints  = "silver.workout_points"
	TableDeletions      = "silver.deletions"
	TableDirtyDays      = "silver.dirty_days"
)

// A RecordKind says what a row of sync_records holds.
type RecordKind string

// The kinds of sync record.
const (
	KindBatch        RecordKind = "batch"         // the batch itself, one row even when it holds nothing
	KindSeries       RecordKind = "series"        // a piece of a series: one UTC hour, one local date
	KindSleepSegment RecordKind = "sleep_segment" // start_at, end_at, text = stage; local_date of the end
	KindRRRun        RecordKind = "rr_run"        // start_at, values = intervals in ms
	KindWorkout      RecordKind = "workout"       // name = id, text = sport
	KindWorkoutTotal RecordKind = "workout_total" // name = workout's id, metric, value
	KindWorkoutTrack RecordKind = "workout_track" // name = workout's id, then as series
	KindReading      RecordKind = "reading"       // metric, start_at, value
	KindDailySummary RecordKind = "daily_summary" // metric, local_date, value
	KindEvent        RecordKind = "event"         // metric = the event's kind, name, value, text
	KindDeletion     RecordKind = "deletion"      // metric, start_at, end_at; name = "all" for all devices
	KindReject       RecordKind = "reject"        // a value or item set aside, with its reason
	KindDeadLetter   RecordKind = "dead_letter"   // a message that could not be decoded, with its bytes
)

// A SyncRecord is a row of bronze: something as it was received. Its key is (partition, offset, item_index). One table
// holds them all, so that one commit carries the rows and the Kafka offsets: that is the whole of exactly-once.
type SyncRecord struct {
	Partition  int32      `parquet:"partition"`
	Offset     int64      `parquet:"offset"`
	ItemIndex  int32      `parquet:"item_index"`
	Kind       RecordKind `parquet:"kind,dict"`
	BrokerAt   int64      `parquet:"broker_at,timestamp(microsecond)"`
	IngestDate int32      `parquet:"ingest_date,date"` // of broker_at; the table's partition

	BatchID     string `parquet:"batch_id,optional,dict"`
	UserID      string `parquet:"user_id,optional,dict"`
	UserBucket  int32  `parquet:"user_bucket"`
	DeviceID    string `parquet:"device_id,optional,dict"`
	DeviceEpoch int32  `parquet:"device_epoch"`
	Seq         int64  `parquet:"seq"`
	Source      string `parquet:"source,optional,dict"`
	SentAt      int64  `parquet:"sent_at,timestamp(microsecond)"`
	TimeZone    string `parquet:"time_zone,optional,dict"`

	// Of a batch row.
	DeviceModel    string `parquet:"device_model,optional,dict"`
	DeviceFirmware string `parquet:"device_firmware,optional,dict"`
	DeviceKind     string `parquet:"device_kind,optional,dict"`

	// Of a datum.
	Metric          string  `parquet:"metric,optional,dict"`
	StartAt         *int64  `parquet:"start_at,optional,timestamp(microsecond)"`
	EndAt           *int64  `parquet:"end_at,optional,timestamp(microsecond)"`
	UTCOffsetMin    int32   `parquet:"utc_offset_min"`
	EndUTCOffsetMin int32   `parquet:"end_utc_offset_min"`
	LocalDate       *int32  `parquet:"local_date,optional,date"` // of start_at; of a sleep segment, of its end
	HourAt          *int64  `parquet:"hour_at,optional,timestamp(microsecond)"`
	PeriodMS        int32   `parquet:"period_ms"`
	OffsetsMS       []int32 `parquet:"offsets_ms,list"` // as in SeriesHour
	Values          []int32 `parquet:"values,list"`
	Name            string  `parquet:"name,optional,dict"`
	Text            string  `parquet:"text,optional,dict"` // stage, sport, event text
	Value           *int32  `parquet:"value,optional"`

	// Of what was set aside.
	Reason  string `parquet:"reason,optional,dict"`
	Payload []byte `parquet:"payload,optional"` // a dead letter's bytes
}

// An IngestGap is a row of bronze: offsets of a partition that Kafka deleted before they were read. Those that were
// skipped and the files of sync_records tile the offsets of a partition from the first to the watermark.
type IngestGap struct {
	Source     string `parquet:"source,dict"`
	Partition  int32  `parquet:"partition"`
	FromOffset int64  `parquet:"from_offset"`
	ToOffset   int64  `parquet:"to_offset"` // the first that was still there
	FoundAt    int64  `parquet:"found_at,timestamp(microsecond)"`
	Skipped    bool   `parquet:"skipped"` // ingest went on behind it; false = it stands before it
}

// A Revision orders what was said about the same moment: the highest wins, whatever came first.
type Revision struct {
	DeviceEpoch int32 `parquet:"device_epoch"`
	Seq         int64 `parquet:"seq"`
	BrokerAt    int64 `parquet:"broker_at,timestamp(microsecond)"`
	Partition   int32 `parquet:"partition"`
	Offset      int64 `parquet:"offset"`
}

// Compare returns -1, 0 or +1 as r is older than, the same as or newer than o.
func (r Revision) Compare(o Revision) int {
	switch {
	case r.DeviceEpoch != o.DeviceEpoch:
		return order(r.DeviceEpoch < o.DeviceEpoch)
	case r.Seq != o.Seq:
		return order(r.Seq < o.Seq)
	case r.BrokerAt != o.BrokerAt:
		return order(r.BrokerAt < o.BrokerAt)
	case r.Partition != o.Partition:
		return order(r.Partition < o.Partition)
	case r.Offset != o.Offset:
		return order(r.Offset < o.Offset)
	default:
		return 0
	}
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// A RevisionRun says that the next Count samples were won by one revision.
type RevisionRun struct {
	Count       int32 `parquet:"count"`
	DeviceEpoch int32 `parquet:"device_epoch"`
	Seq         int64 `parquet:"seq"`
	BrokerAt    int64 `parquet:"broker_at,timestamp(microsecond)"`
	Partition   int32 `parquet:"partition"`
	Offset      int64 `parquet:"offset"`
}

// Revision returns the run's revision.
func (r RevisionRun) Revision() Revision {
	return Revision{r.DeviceEpoch, r.Seq, r.BrokerAt, r.Partition, r.Offset}
}

// A SeriesHour is a row of silver: the samples of one metric from one device in one UTC hour that share an offset, a
// local date, a period and a source. A sample lies at hour_at + offsets_ms[i]; when there is but one offset and
// period_ms is not 0, the samples follow each other from there, one every period_ms.
type SeriesHour struct {
	UserID       string        `parquet:"user_id,dict"`
	UserBucket   int32         `parquet:"user_bucket"`
	Metric       string        `parquet:"metric,dict"`
	DeviceID     string        `parquet:"device_id,dict"`
	HourAt       int64         `parquet:"hour_at,timestamp(microsecond)"`
	LocalMonth   int32         `parquet:"local_month"` // 201604: of local_date; with user_bucket the table's partition
	LocalDate    int32         `parquet:"local_date,date"`
	UTCOffsetMin int32         `parquet:"utc_offset_min"`
	PeriodMS     int32         `parquet:"period_ms"` // 0 = spot values
	Source       string        `parquet:"source,dict"`
	OffsetsMS    []int32       `parquet:"offsets_ms,list"`
	Values       []int32       `parquet:"values,list"`
	Revisions    []RevisionRun `parquet:"revisions,list"`
}

// A SleepSegmentRow is a row of silver, keyed by (user_id, device_id, start_at).
type SleepSegmentRow struct {
	UserID         string   `parquet:"user_id,dict"`
	UserBucket     int32    `parquet:"user_bucket"`
	DeviceID       string   `parquet:"device_id,dict"`
	StartAt        int64    `parquet:"start_at,timestamp(microsecond)"`
	EndAt          int64    `parquet:"end_at,timestamp(microsecond)"`
	StartOffsetMin int32    `parquet:"start_utc_offset_min"`
	EndOffsetMin   int32    `parquet:"end_utc_offset_min"`
	LocalDate      int32    `parquet:"local_date,date"` // of end_at, at the end's offset
	Stage          string   `parquet:"stage,dict"`
	Source         string   `parquet:"source,dict"`
	Revision       Revision `parquet:"revision"`
}

// A ReadingRow is a row of silver, keyed by (user_id, device_id, metric, measured_at).
type ReadingRow struct {
	UserID       string   `parquet:"user_id,dict"`
	UserBucket   int32    `parquet:"user_bucket"`
	DeviceID     string   `parquet:"device_id,dict"`
	Metric       string   `parquet:"metric,dict"`
	MeasuredAt   int64    `parquet:"measured_at,timestamp(microsecond)"`
	UTCOffsetMin int32    `parquet:"utc_offset_min"`
	LocalDate    int32    `parquet:"local_date,date"`
	Value        int32    `parquet:"value"`
	Source       string   `parquet:"source,dict"`
	Revision     Revision `parquet:"revision"`
}

// A DailySummaryRow is a row of silver, keyed by (user_id, device_id, metric, local_date).
type DailySummaryRow struct {
	UserID     string   `parquet:"user_id,dict"`
	UserBucket int32    `parquet:"user_bucket"`
	DeviceID   string   `parquet:"device_id,dict"`
	Metric     string   `parquet:"metric,dict"`
	LocalDate  int32    `parquet:"local_date,date"`
	Value      int32    `parquet:"value"`
	Source     string   `parquet:"source,dict"`
	Revision   Revision `parquet:"revision"`
}

// An EventRow is a row of silver, keyed by (user_id, device_id, kind, name, start_at).
type EventRow struct {
	UserID       string   `parquet:"user_id,dict"`
	UserBucket   int32    `parquet:"user_bucket"`
	DeviceID     string   `parquet:"device_id,dict"`
	Kind         string   `parquet:"kind,dict"`
	Name         string   `parquet:"name,dict"`
	StartAt      int64    `parquet:"start_at,timestamp(microsecond)"`
	EndAt        *int64   `parquet:"end_at,optional,timestamp(microsecond)"`
	UTCOffsetMin int32    `parquet:"utc_offset_min"`
	LocalDate    int32    `parquet:"local_date,date"`
	Value        *int32   `parquet:"value,optional"`
	Text         string   `parquet:"text,optional,dict"`
	Source       string   `parquet:"source,dict"`
	Revision     Revision `parquet:"revision"`
}

// An RRRunRow is a row of silver, keyed by (user_id, device_id, start_at): consecutive beats, never cut.
type RRRunRow struct {
	UserID       string   `parquet:"user_id,dict"`
	UserBucket   int32    `parquet:"user_bucket"`
	DeviceID     string   `parquet:"device_id,dict"`
	StartAt      int64    `parquet:"start_at,timestamp(microsecond)"`
	EndAt        int64    `parquet:"end_at,timestamp(microsecond)"`
	LocalMonth   int32    `parquet:"local_month"` // of local_date; with user_bucket the table's partition
	LocalDate    int32    `parquet:"local_date,date"`
	UTCOffsetMin int32    `parquet:"utc_offset_min"`
	Source       string   `parquet:"source,dict"`
	IntervalsMS  []int32  `parquet:"intervals_ms,list"`
	Revision     Revision `parquet:"revision"`
}

// A WorkoutRow is a row of silver, keyed by (user_id, device_id, workout_id): the newest version, whole. Of one that a
// deletion hides only the key, the times and the revision are left, so that an older version stays replaced.
type WorkoutRow struct {
	UserID         string         `parquet:"user_id,dict"`
	UserBucket     int32          `parquet:"user_bucket"`
	DeviceID       string         `parquet:"device_id,dict"`
	WorkoutID      string         `parquet:"workout_id"`
	Sport          string         `parquet:"sport,optional,dict"` // as the device calls it
	StartAt        int64          `parquet:"start_at,timestamp(microsecond)"`
	EndAt          int64          `parquet:"end_at,timestamp(microsecond)"`
	StartOffsetMin int32          `parquet:"start_utc_offset_min"`
	EndOffsetMin   int32          `parquet:"end_utc_offset_min"`
	LocalDate      int32          `parquet:"local_date,date"` // of start_at, at the start's offset
	Source         string         `parquet:"source,dict"`
	Totals         []WorkoutTotal `parquet:"totals,list"` // by metric
	IsDeleted      bool           `parquet:"is_deleted"`
	Revision       Revision       `parquet:"revision"`
}

// A WorkoutTotal is a figure of a whole workout, in the unit of its metric.
type WorkoutTotal struct {
	Metric string `parquet:"metric,dict"`
	Value  int32  `parquet:"value"`
}

// A WorkoutPointsRow is a row of silver, keyed by (user_id, device_id, workout_id, piece_index): the samples of one
// metric of a workout's track in one UTC hour, as in SeriesHour. Piece 0 holds none: it says which version the pieces
// belong to, also when that has no track. Where a person was stands here and nowhere else in silver.
type WorkoutPointsRow struct {
	UserID         string   `parquet:"user_id,dict"`
	UserBucket     int32    `parquet:"user_bucket"`
	DeviceID       string   `parquet:"device_id,dict"`
	WorkoutID      string   `parquet:"workout_id,dict"`
	WorkoutStartAt int64    `parquet:"workout_start_at,timestamp(microsecond)"`
	LocalMonth     int32    `parquet:"local_month"`     // of local_date; with user_bucket the table's partition
	LocalDate      int32    `parquet:"local_date,date"` // of the workout, whatever midnights its track crosses
	PieceIndex     int32    `parquet:"piece_index"`
	Metric         string   `parquet:"metric,optional,dict"`
	HourAt         *int64   `parquet:"hour_at,optional,timestamp(microsecond)"`
	UTCOffsetMin   int32    `parquet:"utc_offset_min"`
	PeriodMS       int32    `parquet:"period_ms"`
	OffsetsMS      []int32  `parquet:"offsets_ms,list"`
	Values         []int32  `parquet:"values,list"`
	Revision       Revision `parquet:"revision"`
}

// A DeletionRow is a row of silver: a person's wish that what was recorded in [from_at, to_at) be hidden. It is kept,
// so that what it hides stays hidden when it comes later.
type DeletionRow struct {
	UserID     string   `parquet:"user_id,dict"`
	UserBucket int32    `parquet:"user_bucket"`
	DeviceID   string   `parquet:"device_id,dict"` // the device that said so; its counters are in the revision
	AllDevices bool     `parquet:"all_devices"`
	Metric     string   `parquet:"metric,dict"`
	FromAt     int64    `parquet:"from_at,timestamp(microsecond)"`
	ToAt       int64    `parquet:"to_at,timestamp(microsecond)"`
	Revision   Revision `parquet:"revision"`
}

// A DirtyDay is a row of the list that drives every build: this person's day changed, in this domain, because of the
// messages of a partition below an offset.
type DirtyDay struct {
	Partition  int32  `parquet:"partition"`
	Offset     int64  `parquet:"offset"` // the end of the merged range: everything below it is in silver
	UserID     string `parquet:"user_id,dict"`
	UserBucket int32  `parquet:"user_bucket"`
	LocalDate  int32  `parquet:"local_date,date"`
	Domain     string `parquet:"domain,dict"` // the silver table that changed
	Reason     string `parquet:"reason,dict"` // data or deletion
}
