package schemas

import "sort"

// A Metric is one measurable quantity: what its integers mean and which of them can be true. A new metric is a new
// row of the table below and nothing else.
type Metric struct {
	// Name is the wire and lake name, after IEEE 1752.1 and Open mHealth.
	Name string
	// Unit is the unit of the integer on the wire and in the lake, in UCUM where UCUM has one.
	Unit string
	// LOINC is the code under which health records know the quantity; empty where there is none.
	LOINC string
	// Min and Max are the plausible range, both ends included. A value outside is set aside, never stored as a sample.
	Min, Max int32
	// Shape says in which part of a sync batch the metric travels.
	Shape Shape
	// Meaning is one sentence for people who read the data dictionary.
	Meaning string
}

// A Shape is the form in which a metric travels: many samples, one reading, or one figure for a whole day.
type Shape uint8

// The shapes a metric can have.
const (
	ShapeSeries  Shape = iota + 1 // samples in time: series[]
	ShapeReading                  // a single measurement: readings[]
	ShapeDaily                    // a day's figure from a source that knows no more: daily_summaries[]
)

// Names of the metrics that code refers to. Everything else about them is in the table.
const (
	HeartRate        = "heart_rate"
	Steps            = "steps"
	Intensity        = "intensity"
	BodyWeight       = "body_weight"
	BodyFat          = "body_fat"
	TotalSleepTime   = "total_sleep_time"
	TimeInBed        = "time_in_bed"
	SleepRecordCount = "sleep_record_count"
)

var metrics = map[string]Metric{
	HeartRate: {Unit: "/min", LOINC: "8867-4", Min: 25, Max: 250, Shape: ShapeSeries,
		Meaning: "heart beats per minute"},
	Steps: {Unit: "{steps}", LOINC: "55423-8", Min: 0, Max: 1000, Shape: ShapeSeries,
		Meaning: "steps counted in the sample's period; the device's own zeros are zeros"},
	Intensity: {Unit: "{level}", Min: 0, Max: 3, Shape: ShapeSeries,
		Meaning: "the device's own activity class: 0 sedentary, 1 light, 2 moderate, 3 vigorous"},
	BodyWeight: {Unit: "g", LOINC: "29463-7", Min: 2_000, Max: 500_000, Shape: ShapeReading,
		Meaning: "body weight"},
	BodyFat: {Unit: "[ppth]", LOINC: "41982-0", Min: 20, Max: 750, Shape: ShapeReading,
		Meaning: "body fat as a share of body weight, in permille"},
	TotalSleepTime: {Unit: "min", LOINC: "93832-4", Min: 0, Max: 1440, Shape: ShapeDaily,
		Meaning: "minutes asleep, all sleep that ended on the date"},
	TimeInBed: {Unit: "min", Min: 0, Max: 1440, Shape: ShapeDaily,
		Meaning: "minutes in bed, all sleep that ended on the date"},
	SleepRecordCount: {Unit: "{records}", Min: 0, Max: 50, Shape: ShapeDaily,
		Meaning: "how many sleep records the source summed into the date"},
}

func init() { //nolint:gochecknoinits // completes the table above: the key is the name
	for name, m := range metrics {
		m.Name = name
		metrics[name] = m
	}
}

// LookupMetric returns the metric of that name; ok is false for a name the table does not know.
func LookupMetric(name string) (m Metric, ok bool) {
	m, ok = metrics[name]
	return m, ok
}

// Metrics returns the whole table, sorted by name.
func Metrics() []Metric {
	all := make([]Metric, 0, len(metrics))
	for _, m := range metrics {
		all = append(all, m)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Plausible reports whether v can be a true value of the metric.
func (m Metric) Plausible(v int32) bool { return v >= m.Min && v <= m.Max }
