package reports

import (
	"math"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A snapshot's format names the kind of its period and the version of its shape, such as diurna.report.week/1. A reader
// of stored snapshots looks here first.
const (
	formatPrefix  = "diurna.report."
	formatVersion = "/1"
)

// A Snapshot is everything one report shows, frozen: every rendering shows its figures and no other.
type Snapshot struct {
	Format   string    `json:"format"`
	Rules    RulesUsed `json:"rules"`
	UserID   string    `json:"user_id"`
	Period   Period    `json:"period"`
	AsOf     *string   `json:"as_of"` // RFC 3339; null when the caller gave none
	Records  Records   `json:"records"`
	Status   Status    `json:"status"`
	Cause    Reason    `json:"cause,omitempty"` // of an empty report
	Coverage Coverage  `json:"coverage"`
	Headline Headline  `json:"headline"`
	Sleep    Sleep     `json:"sleep"`
	Heart    Heart     `json:"heart"`
	Movement Movement  `json:"movement"`
	BestDay  *BestDay  `json:"best_day"` // null when too few days to choose from
	// Long holds the sections of a month or a year; null of a week.
	Long  *Long   `json:"long,omitempty"`
	Thin  []Thin  `json:"thin"`
	Basis []Basis `json:"basis"`
}

// RulesUsed are the rules a reader of the report is told about.
type RulesUsed struct {
	Version         string `json:"version"`
	DayWornAwakeMin int    `json:"day_worn_awake_min"`
	NightInBedMin   int    `json:"night_in_bed_min"`
	HistoryWeeks    int    `json:"history_weeks"`
}

// A Period is the span of local dates the report is about. A night belongs to the date of waking, so the nights run
// from the evening before the first date to the morning of the last.
type Period struct {
	Kind   string       `json:"kind"` // week, month or year
	ID     string       `json:"id"`   // 2016-W16, 2016-04 or 2016
	Year   int          `json:"year"` // of an ISO week, which may differ from the dates'
	Week   int          `json:"week,omitempty"`
	Month  int          `json:"month,omitempty"`
	First  schemas.Date `json:"first_date"`
	Last   schemas.Date `json:"last_date"`
	Nights NightRange   `json:"nights"`
	// Closed says that every date of the period is over at the as-of time.
	Closed bool `json:"closed"`
}

// A NightRange runs from the evening of its first date to the morning of its last.
type NightRange struct {
	FirstEvening schemas.Date `json:"first_evening"`
	LastMorning  schemas.Date `json:"last_morning"`
}

// Records are the first and the last date on which anything is known of the person.
type Records struct {
	First schemas.Date `json:"first_date"`
	Last  schemas.Date `json:"last_date"`
}

// A Status says how much the report can tell.
type Status string

// The statuses of a report.
const (
	StatusFull  Status = "full"  // enough valid days
	StatusThin  Status = "thin"  // something was recorded, but too few valid days
	StatusEmpty Status = "empty" // nothing was recorded in the period
)

// A Reason says why something is missing, short or not said. The list is closed; the words are in the locales.
type Reason string

// The reasons.
const (
	ReasonNotMeasured   Reason = "not_measured"    // no day of the period has it
	ReasonTooFew        Reason = "too_few"         // fewer valid days than the minimum
	ReasonNoHistory     Reason = "no_history"      // too few valid days in the weeks before
	ReasonMethodChanged Reason = "method_changed"  // the two sides were measured differently
	ReasonBeforeRecords Reason = "before_records"  // the period ends before the first record
	ReasonAfterRecords  Reason = "after_records"   // the period starts after the last record
	ReasonWithinGap     Reason = "within_gap"      // records before and after, none in the period
	ReasonToCome        Reason = "to_come"         // the period has not begun
	ReasonNotOver       Reason = "not_over"        // the period is still running
	ReasonNothingSince  Reason = "nothing_since"   // the records end within the period
	ReasonNotWorn       Reason = "not_worn"        // nothing shows that the watch was worn
	ReasonShortWear     Reason = "short_wear"      // days worn too short to count
	ReasonShortNights   Reason = "short_nights"    // nights too short to count
	ReasonNoNights      Reason = "no_nights"       // no sleep recorded
	ReasonMissingNights Reason = "missing_nights"  // nights without sleep recorded
	ReasonNoHeartRate   Reason = "no_heart_rate"   // no heart rate recorded, though the watch was worn
	ReasonSomeHeartRate Reason = "some_heart_rate" // days without heart rate, though the watch was worn
	ReasonNoIntensity   Reason = "no_intensity"    // the watch sends no classes of activity
)

// A Number is a figure as a snapshot stores it: full precision in memory, six decimals in JSON.
type Number float64

// MarshalJSON writes at most six decimals and never an exponent.
func (n Number) MarshalJSON() ([]byte, error) {
	rounded := math.Round(float64(n)*1e6) / 1e6
	if rounded == 0 { // never "-0"
		rounded = 0
	}
	return strconv.AppendFloat(nil, rounded, 'f', -1, 64), nil
}

// A Unit is the unit of a figure.
type Unit string

// The units, after UCUM.
const (
	UnitMinutes        Unit = "min"
	UnitPercent        Unit = "%"
	UnitSteps          Unit = "{steps}"
	UnitBeatsPerMinute Unit = "/min"
	UnitHours          Unit = "h"
	UnitCount          Unit = "{count}"
)

// A Figure is one number of a report and what it rests on.
type Figure struct {
	// Value is null when the figure cannot be given; Reason then says why.
	Value *Number `json:"value"`
	Unit  Unit    `json:"unit"`
	// N of Of days (or nights) are in the figure. For a mean they are valid ones, for a total all that were measured.
	N  int `json:"n"`
	Of int `json:"of"`
	// Needs is the least N for which the figure is given.
	Needs      int    `json:"needs"`
	Sufficient bool   `json:"sufficient"`
	Reason     Reason `json:"reason,omitempty"`
}

// A ComparisonStatus says what came of comparing the period with the weeks before it.
type ComparisonStatus string

// The outcomes of a comparison.
const (
	ComparisonUp            ComparisonStatus = "up"             // more, beyond the person's own noise
	ComparisonDown          ComparisonStatus = "down"           // less, beyond the person's own noise
	ComparisonSteady        ComparisonStatus = "steady"         // within the noise
	ComparisonNotComparable ComparisonStatus = "not_comparable" // one side is too thin, or the method changed
)

// A Comparison sets a mean against the person's own weeks before the period.
type Comparison struct {
	Status    ComparisonStatus `json:"status"`
	Reason    Reason           `json:"reason,omitempty"` // of not_comparable
	Change    *Number          `json:"change"`           // the figure's unit
	ChangePct *Number          `json:"change_pct"`
	History   *Number          `json:"history_mean"`
	Noise     *Number          `json:"history_mad"` // median absolute deviation of the single days
	N         int              `json:"history_n"`
	Of        int              `json:"history_of"`
	Needs     int              `json:"history_needs"`
}

// A CellState says how much of a day or a night was measured.
type CellState string

// The states of a day or night.
const (
	CellValid  CellState = "valid"   // enough to count
	CellShort  CellState = "short"   // something, but too little to count
	CellNone   CellState = "none"    // nothing
	CellToCome CellState = "to_come" // not over at the as-of time
)

// Coverage says how much of the period was measured.
type Coverage struct {
	ValidDays   int           `json:"valid_days"`
	OfDays      int           `json:"of_days"` // days of the period that are over
	ValidNights int           `json:"valid_nights"`
	OfNights    int           `json:"of_nights"` // nights of the period that are over
	Days        []CoverageDay `json:"days"`      // every date of the period
}

// A CoverageDay is one date of the period: the day itself, and the night that ended on its morning.
type CoverageDay struct {
	Date       schemas.Date `json:"date"`
	Day        CellState    `json:"day"`
	Night      CellState    `json:"night"`
	WornMin    *int         `json:"worn_min"`
	WearSource string       `json:"wear_source,omitempty"`
}

// Headline is what a person sees first.
type Headline struct {
	Tiles []Tile `json:"tiles"`
}

// A Tile is one of the headline's figures with its comparison. Name is the figure's name in the gold tables.
type Tile struct {
	Section    Section    `json:"section"`
	Name       string     `json:"name"`
	Figure     Figure     `json:"figure"`
	Comparison Comparison `json:"comparison"`
	// YearBefore compares a month with the same month of the year before; null of other periods.
	YearBefore *Comparison `json:"year_before,omitempty"`
}

// A Section is a part of the report.
type Section string

// The sections that figures and remarks belong to.
const (
	SectionReport   Section = "report"
	SectionSleep    Section = "sleep"
	SectionHeart    Section = "heart"
	SectionMovement Section = "movement"
)

// Sleep is the section on the nights.
type Sleep struct {
	TotalSleepTime Figure  `json:"total_sleep_time"` // mean of the valid nights
	TimeInBed      Figure  `json:"time_in_bed"`
	Efficiency     Figure  `json:"sleep_efficiency"`
	Deep           Figure  `json:"deep"` // of the nights with stages
	REM            Figure  `json:"rem"`
	Nights         []Night `json:"nights"` // one per date of the period
}

// A Night is the night that ended on the morning of its date. Everything is null where it is not known.
type Night struct {
	Date              schemas.Date `json:"date"`
	State             CellState    `json:"state"`
	Source            string       `json:"source,omitempty"` // segments or summary
	TotalSleepTimeMin *Number      `json:"total_sleep_time_min"`
	TimeInBedMin      *Number      `json:"time_in_bed_min"`
	EfficiencyPct     *Number      `json:"sleep_efficiency_pct"`
	AwakeMin          *Number      `json:"wake_after_sleep_onset_min"`
	LightMin          *Number      `json:"light_min"`
	DeepMin           *Number      `json:"deep_min"`
	REMMin            *Number      `json:"rem_min"`
	Awakenings        *int         `json:"awakening_count"`
	OnsetAt           *string      `json:"sleep_onset_at"` // RFC 3339 at the offset recorded with it
	OffsetAt          *string      `json:"sleep_offset_at"`
}

// Heart is the section on the heart rate.
type Heart struct {
	Mean    Figure     `json:"heart_rate_mean"` // mean of the valid days' means
	Lowest  Figure     `json:"heart_rate_min"`  // of all minutes measured in the period
	Highest Figure     `json:"heart_rate_max"`
	Days    []HeartDay `json:"days"` // one per date of the period
}

// A HeartDay is one day's heart rate. Everything is null where it is not known.
type HeartDay struct {
	Date        schemas.Date `json:"date"`
	State       CellState    `json:"state"`
	MinBPM      *int         `json:"heart_rate_min_bpm"`
	MeanBPM     *Number      `json:"heart_rate_mean_bpm"`
	MaxBPM      *int         `json:"heart_rate_max_bpm"`
	MeasuredMin *int         `json:"measured_min"`
}

// Movement is the section on steps and activity.
type Movement struct {
	Steps       Figure        `json:"step_count_mean"`  // mean of the valid days
	StepsTotal  Figure        `json:"step_count_total"` // over all days measured
	ActiveHours Figure        `json:"active_hour_count_mean"`
	ActiveTotal Figure        `json:"moderate_equivalent_total"` // over all days measured
	ActiveMean  Figure        `json:"moderate_equivalent_mean"`
	ActiveGoal  int           `json:"moderate_equivalent_goal_min"` // a week
	Days        []MovementDay `json:"days"`                         // one per date of the period
}

// A MovementDay is one day's movement. Everything is null where it is not known; a measured zero is zero.
type MovementDay struct {
	Date                  schemas.Date `json:"date"`
	State                 CellState    `json:"state"`
	StepCount             *int64       `json:"step_count"`
	ActiveHourCount       *int         `json:"active_hour_count"`
	ModerateActivityMin   *int         `json:"moderate_activity_min"`
	VigorousActivityMin   *int         `json:"vigorous_activity_min"`
	ModerateEquivalentMin *int         `json:"moderate_equivalent_min"`
}

// A BestDay is the valid day of the period on which the person moved most.
type BestDay struct {
	Date                  schemas.Date `json:"date"`
	JudgedBy              string       `json:"judged_by"` // moderate_equivalent_min or step_count
	StepCount             int64        `json:"step_count"`
	ModerateEquivalentMin *int         `json:"moderate_equivalent_min"`
	TotalSleepTimeMin     *Number      `json:"total_sleep_time_min"` // of the valid night before it
	Of                    int          `json:"of"`                   // valid days it was chosen from
}

// Thin says what the report could not say, and why.
type Thin struct {
	Section Section        `json:"section"`
	Reason  Reason         `json:"reason"`
	N       int            `json:"n"`
	Needs   int            `json:"needs"`
	Dates   []schemas.Date `json:"dates,omitempty"`
}

// A BasisKind names something the figures rest on.
type BasisKind string

// The kinds of basis.
const (
	BasisValidDays      BasisKind = "valid_days"      // what counts as a day and a night
	BasisSleepSegments  BasisKind = "sleep_segments"  // N nights with times and stages
	BasisSleepSummary   BasisKind = "sleep_summary"   // N nights with minutes only
	BasisWearHeartRate  BasisKind = "wear_heart_rate" // N days whose wear is known from the heart rate
	BasisWearMotion     BasisKind = "wear_motion"     // N days whose wear is judged from movement
	BasisHeartRate      BasisKind = "heart_rate"      // N days measured for Mean minutes each
	BasisDeviceActivity BasisKind = "device_activity" // activity classes are the device's own
	BasisComparison     BasisKind = "comparison"      // how weeks are compared
	BasisMayChange      BasisKind = "may_change"      // figures may change when the watch sends more
	BasisMethods        BasisKind = "methods"         // the versions of the models
)

// Basis is one thing the figures rest on.
type Basis struct {
	Kind    BasisKind `json:"kind"`
	N       int       `json:"n,omitempty"`
	Of      int       `json:"of,omitempty"`
	Mean    *Number   `json:"mean,omitempty"`
	Methods []string  `json:"methods,omitempty"`
}

// asOf writes the as-of time in its own zone; nil for the zero time.
func asOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.Truncate(time.Second).Format(time.RFC3339)
	return &s
}
