package lake

import (
	"cmp"
	"slices"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

const (
	msUS   int64 = 1_000
	hourUS       = 3_600_000 * msUS
)

func seriesHours() merging[schemas.SeriesHour] {
	return merging[schemas.SeriesHour]{
		table:   schemas.TableSeriesHours,
		kind:    schemas.KindSeries,
		convert: seriesHour,
		compare: compareHours,
		resolve: resolveHour,
		same:    sameSamples,
		about: func(h *schemas.SeriesHour) about {
			return about{
				user: h.UserID, bucket: h.UserBucket, device: h.DeviceID, metric: h.Metric,
				from: h.HourAt, to: h.HourAt + hourUS - 1, date: h.LocalDate,
			}
		},
		partition: func(h *schemas.SeriesHour) map[string]int64 {
			return map[string]int64{"local_month": int64(h.LocalMonth), "user_bucket": int64(h.UserBucket)}
		},
		timeColumn: "hour_at",
	}
}

// compareHours orders by person, metric, hour and device. Rows of one hour that differ in offset, date, period or
// source compare equal: they are resolved together, for a sample may have moved from one to another.
func compareHours(a, b *schemas.SeriesHour) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Metric, b.Metric),
		cmp.Compare(a.HourAt, b.HourAt), cmp.Compare(a.DeviceID, b.DeviceID))
}

func seriesHour(rec *schemas.SyncRecord) schemas.SeriesHour {
	rev := revisionOf(rec)
	return schemas.SeriesHour{
		UserID: rec.UserID, UserBucket: rec.UserBucket, Metric: rec.Metric, DeviceID: rec.DeviceID,
		HourAt: *rec.HourAt, LocalMonth: monthOf(*rec.LocalDate), LocalDate: *rec.LocalDate,
		UTCOffsetMin: rec.UTCOffsetMin, PeriodMS: rec.PeriodMS, Source: rec.Source,
		OffsetsMS: packOffsets(rec.OffsetsMS, rec.PeriodMS), Values: rec.Values,
		Revisions: []schemas.RevisionRun{run(rev, int32(len(rec.Values)))},
	}
}

func revisionOf(rec *schemas.SyncRecord) schemas.Revision {
	return schemas.Revision{
		DeviceEpoch: rec.DeviceEpoch, Seq: rec.Seq, BrokerAt: rec.BrokerAt, Partition: rec.Partition, Offset: rec.Offset,
	}
}

func run(rev schemas.Revision, count int32) schemas.RevisionRun {
	return schemas.RevisionRun{
		Count: count, DeviceEpoch: rev.DeviceEpoch, Seq: rev.Seq, BrokerAt: rev.BrokerAt,
		Partition: rev.Partition, Offset: rev.Offset,
	}
}

// resolveHour brings the rows of one hour down to one sample per instant: the highest revision wins, the later of two
// in one batch; what a newer deletion covers is left out. The samples that are left are cut again by what a row has
// in common, so that every order of arrival ends in the same rows.
func resolveHour(old, fresh []schemas.SeriesHour, hide *deletions) []schemas.SeriesHour {
	first := &fresh
	if len(old) > 0 {
		first = &old
	}
	hiding := hide.of((*first)[0].UserID)
	if len(old) == 0 && len(fresh) == 1 && len(hiding) == 0 {
		return fresh // received once: nothing to settle
	}
	cursors := make([]hourCursor, 0, len(old)+len(fresh))
	for _, rows := range [][]schemas.SeriesHour{old, fresh} {
		for i := range rows {
			if len(rows[i].Values) > 0 {
				cursors = append(cursors, hourCursor{row: &rows[i], left: rows[i].Revisions[0].Count})
			}
		}
	}
	var cuts hourCuts
	for {
		winner := next(cursors)
		if winner == nil {
			break
		}
		at, rev := winner.at(), winner.revision()
		if !hidden(hiding, winner.row, at, rev) {
			cuts.add(winner.row, at, winner.row.Values[winner.i], rev)
		}
		for i := range cursors {
			if c := &cursors[i]; !c.done() && c.at() == at {
				c.advance()
			}
		}
	}
	return cuts.rows()
}

func hidden(hiding []deletion, row *schemas.SeriesHour, at int32, rev schemas.Revision) bool {
	for i := range hiding {
		if hiding[i].hides(row.DeviceID, row.Metric, row.HourAt+int64(at)*msUS, rev) {
			return true
		}
	}
	return false
}

// next returns the cursor that holds the winner of the earliest instant, nil when all are done.
func next(cursors []hourCursor) *hourCursor {
	var best *hourCursor
	for i := range cursors {
		c := &cursors[i]
		switch {
		case c.done():
		case best == nil || c.at() < best.at():
			best = c
		case c.at() == best.at() && c.revision().Compare(best.revision()) >= 0:
			best = c // of equal revisions the later row: a batch that says a thing twice means the second
		}
	}
	return best
}

// An hourCursor walks the samples of a row with the revision of each.
type hourCursor struct {
	row  *schemas.SeriesHour
	i    int   // sample
	run  int   // of row.Revisions
	left int32 // samples left in the run
}

func (c *hourCursor) done() bool { return c.i >= len(c.row.Values) }

// at returns the sample's place within the hour, in ms.
func (c *hourCursor) at() int32 {
	if c.row.PeriodMS > 0 && len(c.row.OffsetsMS) == 1 {
		return c.row.OffsetsMS[0] + int32(c.i)*c.row.PeriodMS
	}
	return c.row.OffsetsMS[c.i]
}

func (c *hourCursor) revision() schemas.Revision { return c.row.Revisions[c.run].Revision() }

func (c *hourCursor) advance() {
	c.i++
	if c.left--; c.left == 0 && c.run+1 < len(c.row.Revisions) {
		c.run++
		c.left = c.row.Revisions[c.run].Count
	}
}

// hourCuts gathers samples into rows by offset, date, period and source.
type hourCuts struct{ out []*schemas.SeriesHour }

func (c *hourCuts) add(from *schemas.SeriesHour, at, value int32, rev schemas.Revision) {
	row := c.cut(from)
	row.OffsetsMS = append(row.OffsetsMS, at)
	row.Values = append(row.Values, value)
	if n := len(row.Revisions); n > 0 && row.Revisions[n-1].Revision() == rev {
		row.Revisions[n-1].Count++
		return
	}
	row.Revisions = append(row.Revisions, run(rev, 1))
}

func (c *hourCuts) cut(from *schemas.SeriesHour) *schemas.SeriesHour {
	for _, row := range c.out {
		if compareCuts(row, from) == 0 {
			return row
		}
	}
	row := *from
	n := len(from.Values)
	row.OffsetsMS, row.Values, row.Revisions = make([]int32, 0, n), make([]int32, 0, n), nil
	c.out = append(c.out, &row)
	return &row
}

func compareCuts(a, b *schemas.SeriesHour) int {
	return cmp.Or(cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.UTCOffsetMin, b.UTCOffsetMin),
		cmp.Compare(a.PeriodMS, b.PeriodMS), cmp.Compare(a.Source, b.Source))
}

func (c *hourCuts) rows() []schemas.SeriesHour {
	slices.SortFunc(c.out, compareCuts)
	rows := make([]schemas.SeriesHour, len(c.out))
	for i, row := range c.out {
		row.OffsetsMS = packOffsets(row.OffsetsMS, row.PeriodMS)
		rows[i] = *row
	}
	return rows
}

// packOffsets leaves only the first offset of samples that follow each other at the period.
func packOffsets(offsets []int32, period int32) []int32 {
	if period == 0 {
		return offsets
	}
	for i := 1; i < len(offsets); i++ {
		if offsets[i]-offsets[i-1] != period {
			return offsets
		}
	}
	return offsets[:1]
}

// sameSamples reports whether two resolved hours hold the same samples in the same rows, whatever revision won them.
func sameSamples(a, b []schemas.SeriesHour) bool {
	return slices.EqualFunc(a, b, func(x, y schemas.SeriesHour) bool {
		return compareCuts(&x, &y) == 0 && slices.Equal(x.OffsetsMS, y.OffsetsMS) && slices.Equal(x.Values, y.Values)
	})
}

// monthOf returns the month of a date as 201604.
func monthOf(date int32) int32 {
	t := time.Unix(int64(date)*86_400, 0).UTC()
	return int32(t.Year())*100 + int32(t.Month())
}
