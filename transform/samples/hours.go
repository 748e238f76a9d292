package samples

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint changes when the same hours would come to something else.
const Fingerprint = "7"

// A Source gives the hours of people's dates, person by person. *lake.HourScan is one, and so is Recorded.
type Source interface {
	// Next goes on to the next person who has hours, and reports whether there is one.
	Next(ctx context.Context) bool
	// Hours returns those of the person, date by date. Their lists go when the next person comes, and may be changed until
	// then.
	Hours() []schemas.SeriesHour
	Err() error
}

// hours reads the hours of one person's date after the other.
type hours struct {
	source    Source
	sentinels map[string][]int32   // by device
	left      []schemas.SeriesHour // of the person
	user      string
	date      int32
	of        []Hour
}

// newHours reads hours, and beside them the constants and what devices mean no heart rate by.
func newHours(source Source, beside array.RecordReader, constants map[string]*float64) (*hours, error) {
	h := &hours{source: source, sentinels: map[string][]int32{}}
	var (
		devices *array.String
		values  rows.Lists
	)
	cursor := rows.NewCursor(beside, rows.Bound(constants, map[string]any{"device_id": &devices, "sentinel_values": &values}))
	for cursor.Next() {
		if !devices.IsNull(cursor.Row) {
			h.sentinels[strings.Clone(devices.Value(cursor.Row))] = slices.Clone(values.At(cursor.Row))
		}
	}
	return h, cursor.Err()
}

// nextDay fills user, date and of with the next person's date.
func (h *hours) nextDay(ctx context.Context) bool {
	for len(h.left) == 0 {
		if !h.source.Next(ctx) {
			return false
		}
		h.left = h.source.Hours()
	}
	first := &h.left[0]
	h.user, h.date, h.of = first.UserID, first.LocalDate, h.of[:0]
	n := 0
	for n < len(h.left) && h.left[n].UserID == h.user && h.left[n].LocalDate == h.date {
		h.addHour(&h.left[n])
		n++
	}
	h.left = h.left[n:]
	return true
}

// addHour adds the row to the hours of the date.
func (h *hours) addHour(row *schemas.SeriesHour) {
	metric, ok := metricOf(row.Metric)
	if !ok || len(row.Values) == 0 || len(row.OffsetsMS) == 0 {
		return
	}
	hour := Hour{
		Metric: metric, Device: row.DeviceID, SourceRank: RankOf(row.Source),
		HourUS: row.HourAt, UTCOffsetMin: row.UTCOffsetMin, PeriodMS: row.PeriodMS, OffsetsMS: row.OffsetsMS, Values: row.Values,
	}
	if metric == HeartRate {
		hour.Sentinels = h.sentinels[hour.Device]
	}
	h.of = append(h.of, hour)
}

// Hours are some, in memory that is used again when they are cut to none.
type Hours []Hour

// Add adds an hour. What it holds may lie in a batch that goes, so it is copied.
func (h *Hours) Add(hour Hour) {
	n := len(*h)
	if n < cap(*h) {
		*h = (*h)[:n+1]
	} else {
		*h = append(*h, Hour{})
	}
	before := &(*h)[n]
	if hour.Device == before.Device {
		hour.Device = before.Device
	} else {
		hour.Device = strings.Clone(hour.Device)
	}
	hour.OffsetsMS = append(before.OffsetsMS[:0], hour.OffsetsMS...)
	hour.Values = append(before.Values[:0], hour.Values...)
	hour.Sentinels = append(before.Sentinels[:0], hour.Sentinels...)
	*before = hour
}

func metricOf(name string) (Metric, bool) {
	i := slices.Index([]string{
		HeartRate: schemas.HeartRate, Steps: schemas.Steps, Intensity: schemas.Intensity,
		Distance: "distance", Floors: "floors", ActiveEnergy: "active_energy", OxygenSaturation: "oxygen_saturation",
		RespiratoryRate: "respiratory_rate", SkinTemperature: "skin_temperature", Stress: "stress", Noise: "noise_level",
		StepCounter: schemas.StepCounter, Motion: schemas.MotionCount,
	}, name)
	return Metric(i), i >= 0
}

// RankOf returns the rank of a source: native before imported before typed in.
func RankOf(source string) int32 {
	switch source {
	case "native":
		return nativeRank
	case "import":
		return nativeRank + 1
	default:
		return nativeRank + 2
	}
}
