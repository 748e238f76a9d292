package fitabase

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/ingest/imports"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// syncDelayS is how long after the end of its hours a batch is sent.
const syncDelayS = 300

const noonS = secondsPerDay / 2

// The devices of a person. The export names none; these stand for what must have been there.
func watch() syncv1.Device { return syncv1.Device{ID: "fitbit", Model: "Fitbit", Kind: "watch"} }
func scale() syncv1.Device { return syncv1.Device{ID: "scale", Kind: "scale"} }
func app() syncv1.Device   { return syncv1.Device{ID: "app", Kind: "app"} }

// emitPerson cuts what is known of a person into batches and emits them in order of time.
func (e *export) emitPerson(ctx context.Context, p *person, emit func(*syncv1.Batch) error) error {
	e.sortPerson(p)
	c := &cutter{export: e, person: p, windowS: int64(e.opts.BatchHours) * 3600}
	if first := c.next(); e.opts.OptInRanking && first != math.MaxInt64 {
		c.consentAt, c.hasConsent = first, true
	}
	for at := c.next(); at != math.MaxInt64; at = c.next() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("emit batches: %w", err)
		}
		for _, b := range c.cut(floorDiv(at, c.windowS) * c.windowS) {
			e.count(b)
			if err := emit(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *export) sortPerson(p *person) {
	for i := range p.columns {
		c := &p.columns[i]
		repeated, contradicted := c.sort()
		e.stats.Repeated += repeated
		e.reportContradictions(c.file, contradicted)
	}
	repeated, contradicted := p.sortItems()
	e.stats.Repeated += repeated
	e.reportContradictions("sleep and weight", contradicted)
}

func (e *export) reportContradictions(file string, n int64) {
	if n > 0 {
		e.problem(imports.Problem{File: file,
			Message: fmt.Sprintf("%d values of one person are told a second time and differently: the later row counts", n)})
	}
}

func (e *export) count(b *syncv1.Batch) {
	e.stats.Batches++
	for i := range b.Series {
		e.stats.Samples += int64(len(b.Series[i].Values))
	}
	e.stats.Readings += int64(len(b.Readings))
	e.stats.DailySummaries += int64(len(b.DailySummaries))
	e.stats.Events += int64(len(b.Events))
}

// A cutter walks through a person's data window by window. Windows are hours of UTC, so that they depend on nothing but
// their length.
type cutter struct {
	export  *export
	person  *person
	windowS int64

	column     [columnCount]int // the first sample not yet cut
	summary    int
	reading    int
	consentAt  int64
	hasConsent bool
}

// next returns the earliest moment that is not yet cut, math.MaxInt64 when all is.
func (c *cutter) next() int64 {
	at := int64(math.MaxInt64)
	for i := range c.person.columns {
		if col := &c.person.columns[i]; c.column[i] < len(col.at) {
			at = min(at, col.at[c.column[i]])
		}
	}
	if c.summary < len(c.person.summaries) {
		at = min(at, c.noon(c.person.summaries[c.summary].date))
	}
	if c.reading < len(c.person.readings) {
		at = min(at, c.person.readings[c.reading].at)
	}
	return at
}

// cut returns the batches of the window: the watch's, the scale's and the app's, those that hold something.
func (c *cutter) cut(start int64) []*syncv1.Batch {
	end := start + c.windowS
	fromWatch := c.batch(watch(), syncv1.SourceNative, start)
	fromScale := c.batch(scale(), syncv1.SourceNative, start)
	fromApp := c.batch(app(), syncv1.SourceManual, start)

	for i := range c.person.columns {
		fromWatch.Series = c.appendSeries(fromWatch.Series, columnIndex(i), end)
	}
	for ; c.summary < len(c.person.summaries) && c.noon(c.person.summaries[c.summary].date) < end; c.summary++ {
		s := c.person.summaries[c.summary]
		fromWatch.DailySummaries = append(fromWatch.DailySummaries, syncv1.DailySummary{Metric: s.metric, LocalDate: s.date, Value: s.value})
	}
	for ; c.reading < len(c.person.readings) && c.person.readings[c.reading].at < end; c.reading++ {
		r := c.person.readings[c.reading]
		b := fromScale
		if r.isManual {
			b = fromApp
		}
		b.Readings = append(b.Readings, syncv1.Reading{
			Metric: r.metric, AtMS: r.at * 1000, OffsetMin: c.export.zone.OffsetMin(r.at), Value: r.value,
		})
	}
	if c.hasConsent && c.consentAt < end {
		yes := int32(1)
		fromApp.Events = append(fromApp.Events, syncv1.Event{
			Kind: "consent", Name: "ranking", StartMS: c.consentAt * 1000, OffsetMin: c.export.zone.OffsetMin(c.consentAt), Value: &yes,
		})
		c.hasConsent = false
	}

	return slices.DeleteFunc([]*syncv1.Batch{fromWatch, fromScale, fromApp}, func(b *syncv1.Batch) bool {
		return len(b.Series)+len(b.DailySummaries)+len(b.Readings)+len(b.Events) == 0
	})
}

// appendSeries cuts the samples of a column up to end into series of one offset each.
func (c *cutter) appendSeries(all []syncv1.Series, index columnIndex, end int64) []syncv1.Series {
	col, what := &c.person.columns[index], index.series()
	for from := c.column[index]; from < len(col.at) && col.at[from] < end; from = c.column[index] {
		offset := c.export.zone.OffsetMin(col.at[from])
		to := from + 1
		for to < len(col.at) && col.at[to] < end && c.export.zone.OffsetMin(col.at[to]) == offset {
			to++
		}
		c.column[index] = to
		s := syncv1.Series{
			Metric:    what.metric,
			StartMS:   col.at[from] * 1000,
			OffsetMin: offset,
			PeriodMS:  int32(what.periodS * 1000),
			Values:    slices.Clone(col.values[from:to]),
		}
		if col.at[to-1]-col.at[from] != int64(to-1-from)*what.periodS { // spot values, or a series with holes
			s.AtMS = make([]int32, to-from)
			for i := range s.AtMS {
				s.AtMS[i] = int32((col.at[from+i] - col.at[from]) * 1000)
			}
		}
		all = append(all, s)
	}
	return all
}

// batch returns an empty batch of a device for the window that begins at start.
func (c *cutter) batch(device syncv1.Device, source syncv1.Source, start int64) *syncv1.Batch {
	end := start + c.windowS
	sentAt := end + syncDelayS
	return &syncv1.Batch{
		BatchID:   batchID(c.person.id, device.ID, start, c.windowS),
		UserID:    c.person.id,
		Device:    device,
		Seq:       uint64(end),
		SentAtMS:  sentAt * 1000,
		OffsetMin: c.export.zone.OffsetMin(sentAt),
		TimeZone:  c.export.zone.Name(),
		Source:    source,
	}
}

// batchID names a batch after what decides its content, so that the same import gives the same names.
func batchID(userID, deviceID string, start, windowS int64) string {
	sum := sha256.Sum256([]byte(userID + "\n" + deviceID))
	return "fitabase:" + hex.EncodeToString(sum[:8]) + ":" + time.Unix(start, 0).UTC().Format("20060102T15") + ":" +
		strconv.FormatInt(windowS/3600, 10) + "h"
}

// noon returns the instant at which a date's sleep is known for certain.
func (c *cutter) noon(date int32) int64 {
	wall := int64(date)*secondsPerDay + noonS
	if at, _, n := c.export.zone.Instants(wall); n > 0 {
		return at
	}
	return wall - int64(c.export.zone.OffsetMin(wall))*60
}
