package syncv1

import "github.com/diurna-health/diurna/schemas"

// A Batch is what one device of one person sent in one sync, decoded: defaults filled in (every part has its own
// offset), deltas added up. Nothing in it has been checked beyond its form; ingest does that, value by value.
type Batch struct {
	BatchID   string
	UserID    string
	Device    Device
	Seq       uint64
	SentAtMS  int64
	OffsetMin int32 // the default of everything below
	TimeZone  string
	Source    Source

	Series         []Series
	SleepSegments  []SleepSegment
	RRRuns         []RRRun
	Workouts       []Workout
	Readings       []Reading
	DailySummaries []DailySummary
	Events         []Event
	Deletions      []Deletion
}

// A Device is the thing that measured.
type Device struct {
	ID, Model, Firmware, Kind string
	Epoch                     uint32 // rises when the device was reset
}

// A Source says how the data came to be.
type Source string

// The sources. Only native data is evidence for medals and rankings.
const (
	SourceNative Source = "native"
	SourceManual Source = "manual"
	SourceImport Source = "import"
)

// A Series is samples of one metric at one UTC offset. Value i covers [t, t + PeriodMS), where t is
// StartMS + i*PeriodMS when AtMS is nil, else StartMS + AtMS[i]. Decoding gives AtMS only where it says something:
// it is nil when it would be 0, PeriodMS, 2*PeriodMS ...
type Series struct {
	Metric    string
	StartMS   int64
	OffsetMin int32
	PeriodMS  int32   // 0 = spot values
	AtMS      []int32 // strictly rising, one per value; nil = regular and nothing missing
	Values    []int32
}

// TimeMS returns the instant of value i.
func (s *Series) TimeMS(i int) int64 {
	if s.AtMS == nil {
		return s.StartMS + int64(i)*int64(s.PeriodMS)
	}
	return s.StartMS + int64(s.AtMS[i])
}

// A SleepSegment is a stretch of one stage.
type SleepSegment struct {
	StartMS, EndMS               int64
	StartOffsetMin, EndOffsetMin int32
	Stage                        schemas.SleepStage // "" = one that schemas.SleepStages does not list
}

// An RRRun is an unbroken run of beat-to-beat intervals, dated by its start.
type RRRun struct {
	StartMS     int64
	OffsetMin   int32
	IntervalsMS []int32
}

// A Workout replaces every field of an earlier version with the same ID.
type Workout struct {
	ID, Sport                    string
	StartMS, EndMS               int64
	StartOffsetMin, EndOffsetMin int32
	Totals                       []Quantity
	Track                        []Series
}

// A Quantity is a value of a metric.
type Quantity struct {
	Metric string
	Value  int32
}

// A Reading is a single measurement.
type Reading struct {
	Metric    string
	AtMS      int64
	OffsetMin int32
	Value     int32
}

// A DailySummary is a day's figure from a source that knows no more.
type DailySummary struct {
	Metric    string
	LocalDate int32 // days since 1970-01-01
	Value     int32
}

// An Event is something that was true at a time or from a time on.
type Event struct {
	Kind, Name string
	StartMS    int64
	EndMS      int64 // 0 = no end known
	OffsetMin  int32
	Value      *int32
	Text       string
}

// A Deletion hides what was recorded in [FromMS, ToMS), also when it comes later.
type Deletion struct {
	AllDevices   bool
	Metric       string
	FromMS, ToMS int64
}
