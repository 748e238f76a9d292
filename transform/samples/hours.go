package samples

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// Fingerprint changes when the same hours would come to something else.
const Fingerprint = "5"

// hours reads the hours of one person's date after the other.
type hours struct {
	rows *rows.Cursor
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		hour                         *array.Timestamp
		offset, period               *array.Int32
		offsets, values, sentinels   rows.Lists
	}
	user string
	date arrow.Date32
	of   Hours
}

// newHours reads hours, and the constants that come with them.
func newHours(reader array.RecordReader, constants map[string]*float64) *hours {
	h := &hours{}
	c := &h.cols
	h.rows = rows.NewCursor(reader, rows.Bound(constants, map[string]any{
		"user_id": &c.user, "local_date": &c.date, "device_id": &c.device, "metric": &c.metric, "source": &c.source,
		"hour_at": &c.hour, "utc_offset_min": &c.offset, "period_ms": &c.period,
		"offsets_ms": &c.offsets, "values": &c.values, "sentinel_values": &c.sentinels,
	}))
	return h
}

// nextDay fills user, date and of with the next person's date. Lists may lie in a batch that goes when the next comes,
// so they are copied.
func (h *hours) nextDay() bool {
	h.of = h.of[:0]
	for h.rows.Next() {
		user, date := h.cols.user.Value(h.rows.Row), h.cols.date.Value(h.rows.Row)
		switch {
		case len(h.of) == 0:
			h.user, h.date = strings.Clone(user), date
		case user != h.user || date != h.date:
			h.rows.Back()
			return true
		}
		h.addHour(h.rows.Row)
	}
	return len(h.of) > 0 && h.rows.Err() == nil
}

// addHour adds the row to the hours of the date.
func (h *hours) addHour(row int) {
	metric, ok := metricOf(h.cols.metric.Value(row))
	offsets, values := h.cols.offsets.At(row), h.cols.values.At(row)
	if !ok || len(values) == 0 || len(offsets) == 0 {
		return
	}
	h.of.Add(Hour{
		Metric: metric, Device: h.cols.device.Value(row), SourceRank: RankOf(h.cols.source.Value(row)),
		HourUS: int64(h.cols.hour.Value(row)), UTCOffsetMin: h.cols.offset.Value(row), PeriodMS: h.cols.period.Value(row),
		OffsetsMS: offsets, Values: values, Sentinels: h.cols.sentinels.At(row),
	})
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
