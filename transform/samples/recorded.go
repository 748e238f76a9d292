package samples

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
)

// Recorded are the rows of silver.series_hours as a Source: for those who have them in a table of DuckDB and not in files.
type Recorded struct {
	rows *rows.Cursor
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		hour                         *array.Timestamp
		offset, period               *array.Int32
		offsets, values              rows.Lists
	}
	hours []schemas.SeriesHour
}

// NewRecorded reads rows that are in order of user_id and local_date.
func NewRecorded(reader array.RecordReader) *Recorded {
	r := &Recorded{}
	c := &r.cols
	r.rows = rows.NewCursor(reader, rows.Bound(nil, map[string]any{
		"user_id": &c.user, "local_date": &c.date, "device_id": &c.device, "metric": &c.metric, "source": &c.source,
		"hour_at": &c.hour, "utc_offset_min": &c.offset, "period_ms": &c.period, "offsets_ms": &c.offsets, "values": &c.values,
	}))
	return r
}

// Next implements Source.
func (r *Recorded) Next(context.Context) bool {
	r.hours = r.hours[:0]
	for r.rows.Next() {
		if user := r.cols.user.Value(r.rows.Row); len(r.hours) > 0 && user != r.hours[0].UserID {
			r.rows.Back()
			return true
		}
		r.hours = append(r.hours, r.hour(r.rows.Row))
	}
	return len(r.hours) > 0 && r.rows.Err() == nil
}

// hour copies a row: its batch goes when the next comes.
func (r *Recorded) hour(row int) schemas.SeriesHour {
	c := &r.cols
	return schemas.SeriesHour{
		UserID: strings.Clone(c.user.Value(row)), Metric: strings.Clone(c.metric.Value(row)),
		DeviceID: strings.Clone(c.device.Value(row)), Source: strings.Clone(c.source.Value(row)),
		HourAt: int64(c.hour.Value(row)), LocalDate: int32(c.date.Value(row)), UTCOffsetMin: c.offset.Value(row),
		PeriodMS: c.period.Value(row), OffsetsMS: append([]int32(nil), c.offsets.At(row)...), Values: append([]int32(nil), c.values.At(row)...),
	}
}

// Hours implements Source.
func (r *Recorded) Hours() []schemas.SeriesHour { return r.hours }

// Err implements Source.
func (r *Recorded) Err() error { return r.rows.Err() }
