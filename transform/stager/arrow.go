package stager

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform/rows"
	"github.com/diurna-health/diurna/transform/samples"
)

// Stretches returns a reader of the stretches of one stage of nights, given the hours of motion counts and heart rates
// that each touches, in order of person and night. Epochs without a stage belong to no stretch. It holds one night at a
// time: memory does not grow with the rows. Run it as a model's function with Version as the fingerprint.
func Stretches(ctx context.Context, hours array.RecordReader, c *Coefficients) (array.RecordReader, error) {
	in, stager, out := newNights(hours), New(c), newStretchColumns()
	return rows.NewStream(rows.NewColumns(out.all()...), func() (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if !in.next() {
			return false, in.rows.Err()
		}
		if in.episode.observe(in.observedSharePct) {
			if h, ok := stager.Stage(in.episode.night); ok {
				out.add(in, h.Stages)
			}
		}
		return true, nil
	}), nil
}

// nights reads one night after the other.
type nights struct {
	rows *rows.Cursor
	cols struct {
		user, device, metric, source *array.String
		date                         *array.Date32
		first, end, hour             *array.Int64
		period                       *array.Int32
		offsets, values              rows.Lists
	}
	observedSharePct float64

	user    string
	date    arrow.Date32
	episode episode
}

func newNights(reader array.RecordReader) *nights {
	n := &nights{}
	c := &n.cols
	n.rows = rows.NewCursor(reader, rows.Bound(map[string]*float64{"observed_share_min": &n.observedSharePct}, map[string]any{
		"user_id": &c.user, "night_date": &c.date, "first_epoch": &c.first, "end_epoch": &c.end,
		"device_id": &c.device, "metric": &c.metric, "source": &c.source, "hour_ms": &c.hour, "period_ms": &c.period,
		"offsets_ms": &c.offsets, "sample_values": &c.values,
	}))
	return n
}

// next fills user, date and episode with the next night.
func (n *nights) next() bool {
	n.episode.hours = n.episode.hours[:0]
	begun := false
	for ; n.rows.Next(); begun = true {
		row := n.rows.Row
		user, date := n.cols.user.Value(row), n.cols.date.Value(row)
		switch {
		case !begun:
			n.user, n.date = strings.Clone(user), date
			n.episode.firstEpoch, n.episode.endEpoch = n.cols.first.Value(row), n.cols.end.Value(row)
		case user != n.user || date != n.date:
			n.rows.Back()
			return true
		}
		n.addHour(row)
	}
	return begun && n.rows.Err() == nil
}

func (n *nights) addHour(row int) {
	metric := samples.HeartRate
	if n.cols.metric.Value(row) == schemas.MotionCount {
		metric = samples.Motion
	}
	offsets, values := n.cols.offsets.At(row), n.cols.values.At(row)
	if len(offsets) == 0 || len(values) == 0 {
		return
	}
	n.episode.hours.Add(samples.Hour{
		Metric: metric, Device: n.cols.device.Value(row), SourceRank: samples.RankOf(n.cols.source.Value(row)),
		HourUS: n.cols.hour.Value(row) * 1000, PeriodMS: n.cols.period.Value(row), OffsetsMS: offsets, Values: values,
	})
}

// stretchColumns are the columns that go out, one row per stretch.
type stretchColumns struct {
	users, stages            *rows.Texts
	dates                    *rows.Numbers[int32]
	episodes, started, ended *rows.Numbers[int64]
}

func newStretchColumns() *stretchColumns {
	return &stretchColumns{
		users: rows.Strings("user_id"), dates: rows.Dates("night_date"), episodes: rows.Instants("episode_started_at"),
		started: rows.Instants("started_at"), ended: rows.Instants("ended_at"), stages: rows.Strings("stage"),
	}
}

func (c *stretchColumns) all() []rows.Column {
	return []rows.Column{c.users, c.dates, c.episodes, c.started, c.ended, c.stages}
}

// add adds the stretches of a night.
func (c *stretchColumns) add(n *nights, stages []schemas.SleepStage) {
	at := func(epoch int) int64 { return (n.episode.firstEpoch + int64(epoch)) * epochMS * 1000 }
	for from := 0; from < len(stages); {
		to := from + 1
		for to < len(stages) && stages[to] == stages[from] {
			to++
		}
		if stages[from] != "" {
			c.users.Add(n.user, 1)
			c.dates.Add(int32(n.date))
			c.episodes.Add(at(0))
			c.started.Add(at(from))
			c.ended.Add(at(to))
			c.stages.Add(string(stages[from]), 1)
		}
		from = to
	}
}
