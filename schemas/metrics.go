package schemas

import (
	"math"
	"slices"
	"sync"
)

// A Metric is one measurable quantity in one shape: what its integers mean and which of them can be true. A new metric
// is a new row of the table below and nothing else.
type Metric struct {
	// Name is the wire and lake name, after IEEE 1752.1 and Open mHealth.
	Name string
	// Shape says in which part of a sync batch the metric travels like this.
	Shape Shape
	// Unit is the unit of the integer on the wire and in the lake, in UCUM.
	Unit string
	// LOINC is the code under which health records know the quantity; empty where there is none that fits.
	LOINC string
	// Min and Max are the plausible range, both ends included. A value outside is set aside, never stored as a sample. In a
	// series the most of an amount is that of a minute: see Over.
	Min, Max int32
	// Meaning is one phrase for people who read the data dictionary.
	Meaning string
}

// A Shape is the form in which a metric travels. The same quantity may have several, with a range each: a minute has
// hardly more than 250 steps, a day may have 100,000.
type Shape string

// The shapes a metric can have.
const (
	ShapeSeries  Shape = "series"        // samples in time: series[], and the tracks of workouts
	ShapeReading Shape = "reading"       // a single measurement: readings[]
	ShapeDaily   Shape = "daily summary" // a day's figure from a source that knows no more: daily_summaries[]
	ShapeTotal   Shape = "workout total" // a figure of a whole workout: workouts[].totals
)

// Names of the metrics that code refers to. Everything else about them is in the table.
const (
	HeartRate        = "heart_rate"
	Steps            = "steps"
	StepCounter      = "step_counter"
	Intensity        = "intensity"
	MotionCount      = "motion_count"
	BodyWeight       = "body_weight"
	BodyFat          = "body_fat"
	TotalSleepTime   = "total_sleep_time"
	TimeInBed        = "time_in_bed"
	SleepRecordCount = "sleep_record_count"
)

// metricTable is the table. Ranges are wide: they stop what cannot be, sentinels included, not what is unusual.
var metricTable = sync.OnceValue(func() []Metric {
	const dayMin = 1440
	return []Metric{
		// Heart.
		{HeartRate, ShapeSeries, "/min", "8867-4", 25, 250, "heart beats per minute"},
		{HeartRate, ShapeReading, "/min", "8867-4", 25, 250, "heart beats per minute, measured when asked for"},
		{"resting_heart_rate", ShapeDaily, "/min", "40443-4", 25, 150, "the source's own resting heart rate of the date"},
		{"heart_rate_mean", ShapeTotal, "/min", "55425-3", 25, 250, "mean heart rate of the workout, by the source"},
		{"heart_rate_max", ShapeTotal, "/min", "55426-1", 25, 250, "highest heart rate of the workout, by the source"},
		{"hrv_rmssd", ShapeSeries, "ms", "", 1, 500, "root mean square of successive differences of beat-to-beat intervals, by the source"},
		{"hrv_rmssd", ShapeDaily, "ms", "", 1, 500, "nightly RMSSD, by the source"},
		{"hrv_sdnn", ShapeReading, "ms", "80404-7", 1, 1000, "standard deviation of beat-to-beat intervals, by the source"},

		// Movement.
		{Steps, ShapeSeries, "{steps}", "55423-8", 0, 1000, "steps counted in the sample's period, the most for each minute of it; the device's own zeros are zeros"},
		{Steps, ShapeDaily, "{steps}", "41950-7", 0, 200_000, "steps of the date"},
		{Steps, ShapeTotal, "{steps}", "55423-8", 0, 400_000, "steps of the workout"},
		{StepCounter, ShapeSeries, "{steps}", "", 0, 2_000_000_000, "steps on the device's running counter at the sample's start; it may begin again from 0"},
		{Intensity, ShapeSeries, "{level}", "", 0, 3, "the device's own activity class: 0 sedentary, 1 light, 2 moderate, 3 vigorous"},
		{MotionCount, ShapeSeries, "{counts}/(30.s)", "", 0, 10_000, "the device's motion counts per 30 s"},
		{"cadence", ShapeSeries, "/min", "", 0, 300, "steps, strokes or turns per minute"},
		{"floors", ShapeSeries, "{floors}", "100304-5", 0, 100, "floors climbed in the sample's period, the most for each minute of it"},
		{"floors", ShapeDaily, "{floors}", "100304-5", 0, 2000, "floors climbed on the date"},
		{"distance", ShapeSeries, "cm", "", 0, 600_000, "distance covered in the sample's period, the most for each minute of it"},
		{"distance", ShapeDaily, "m", "", 0, 500_000, "distance covered on the date"},
		{"distance", ShapeTotal, "m", "", 0, 1_000_000, "distance of the workout"},
		{"active_energy", ShapeSeries, "cal", "", 0, 100_000, "energy spent beyond rest in the sample's period, the most for each minute of it; 1000 cal = 1 kcal"},
		{"active_energy", ShapeDaily, "kcal", "", 0, 20_000, "energy spent beyond rest on the date"},
		{"active_energy", ShapeTotal, "kcal", "", 0, 20_000, "energy spent beyond rest in the workout"},
		{"total_energy", ShapeDaily, "kcal", "41979-6", 300, 25_000, "all energy spent on the date"},
		{"moving_time", ShapeTotal, "s", "", 0, 20 * 86_400, "time of the workout without its pauses"},
		{"elevation_gain", ShapeTotal, "m", "", 0, 20_000, "metres climbed in the workout"},
		{"vo2max", ShapeDaily, "uL/(kg.min)", "", 10_000, 100_000, "maximal oxygen uptake, the source's estimate"},

		// Tracks of workouts.
		{"latitude", ShapeSeries, "deg*1e-7", "", -900_000_000, 900_000_000, "latitude in ten-millionths of a degree"},
		{"longitude", ShapeSeries, "deg*1e-7", "", -1_800_000_000, 1_800_000_000, "longitude in ten-millionths of a degree"},
		{"altitude", ShapeSeries, "cm", "", -50_000, 1_000_000, "height above sea level"},
		{"speed", ShapeSeries, "mm/s", "", 0, 100_000, "speed over ground"},
		{"power", ShapeSeries, "W", "", 0, 3000, "mechanical power"},
		{"stroke_count", ShapeSeries, "{strokes}", "", 0, 1000, "strokes in the sample's period, the most for each minute of it"},

		// Breath, blood, skin, strain, surroundings.
		{"oxygen_saturation", ShapeSeries, "[ppth]", "59408-5", 500, 1000, "oxygen saturation of the blood, in permille"},
		{"oxygen_saturation", ShapeReading, "[ppth]", "59408-5", 500, 1000, "oxygen saturation measured when asked for, in permille"},
		{"respiratory_rate", ShapeSeries, "m/min", "9279-1", 3000, 60_000, "breaths per minute, in thousandths"},
		{"respiratory_rate", ShapeDaily, "m/min", "9279-1", 3000, 60_000, "nightly breaths per minute, in thousandths"},
		{"skin_temperature", ShapeSeries, "m[degC]", "", 10_000, 45_000, "temperature of the skin"},
		{"skin_temperature_deviation", ShapeDaily, "m[degC]", "", -10_000, 10_000, "nightly skin temperature against the source's own baseline"},
		{"stress", ShapeSeries, "{score}", "", 0, 100, "the device's own stress score"},
		{"noise_level", ShapeSeries, "dB[SPL]*1e-1", "", 0, 1500, "sound level around the wearer, in tenths of a decibel"},
		{"blood_pressure_systolic", ShapeReading, "mm[Hg]", "8480-6", 50, 280, "systolic blood pressure"},
		{"blood_pressure_diastolic", ShapeReading, "mm[Hg]", "8462-4", 30, 180, "diastolic blood pressure"},
		{"body_temperature", ShapeReading, "m[degC]", "8310-5", 30_000, 45_000, "temperature of the body"},

		// Body.
		{BodyWeight, ShapeReading, "g", "29463-7", 2_000, 500_000, "body weight"},
		{BodyFat, ShapeReading, "[ppth]", "41982-0", 20, 750, "body fat as a share of body weight, in permille"},
		{"body_height", ShapeReading, "mm", "8302-2", 300, 2800, "body height"},

		// Sleep, from sources that know only a night's sums.
		{TotalSleepTime, ShapeDaily, "min", "93832-4", 0, dayMin, "minutes asleep, all sleep that ended on the date"},
		{TimeInBed, ShapeDaily, "min", "", 0, dayMin, "minutes in bed, all sleep that ended on the date"},
		{SleepRecordCount, ShapeDaily, "{records}", "", 0, 50, "how many sleep records the source summed into the date"},
		{"light_sleep", ShapeDaily, "min", "93830-8", 0, dayMin, "minutes of light sleep that ended on the date"},
		{"deep_sleep", ShapeDaily, "min", "93831-6", 0, dayMin, "minutes of deep sleep that ended on the date"},
		{"rem_sleep", ShapeDaily, "min", "93829-0", 0, dayMin, "minutes of REM sleep that ended on the date"},
		{"sleep_score", ShapeDaily, "{score}", "", 0, 100, "the source's own sleep score"},
	}
})

type metricKey struct {
	name  string
	shape Shape
}

var metricIndex = sync.OnceValue(func() map[metricKey]Metric {
	index := make(map[metricKey]Metric, len(metricTable()))
	for _, m := range metricTable() {
		index[metricKey{m.Name, m.Shape}] = m
	}
	return index
})

// LookupMetric returns the metric of that name in that shape; ok is false when the table has none.
func LookupMetric(name string, shape Shape) (m Metric, ok bool) {
	m, ok = metricIndex()[metricKey{name, shape}]
	return m, ok
}

// IsMetric reports whether the table knows the name in any shape.
func IsMetric(name string) bool {
	return slices.ContainsFunc(metricTable(), func(m Metric) bool { return m.Name == name })
}

// Metrics returns the whole table in its order.
func Metrics() []Metric { return slices.Clone(metricTable()) }

// Over returns the metric as samples of a period have it: of what is counted, a quarter of an hour may have fifteen times as
// much as a minute.
func (m Metric) Over(periodMS int32) Metric {
	const minuteMS = 60_000
	if periodMS > minuteMS && m.Shape == ShapeSeries && slices.Contains(amounts, m.Name) {
		most := int64(m.Max) * ((int64(periodMS) + minuteMS - 1) / minuteMS)
		m.Max = int32(min(most, math.MaxInt32))
	}
	return m
}

// amounts are the metrics of series that are counted over a sample's period, and add up.
var amounts = []string{Steps, "floors", "distance", "active_energy", "stroke_count"}

// Plausible reports whether v can be a true value of the metric.
func (m Metric) Plausible(v int32) bool { return v >= m.Min && v <= m.Max }
