package lake

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// What a deletion names when it means items rather than a metric.
const (
	deletesSleepSegments = "sleep_segments"
	deletesEvents        = "events"
)

const (
	dayUS  = 24 * hourUS
	noonUS = 12 * hourUS
)

// newest resolves items: of the rows with one key the highest revision is left, the later of two in one batch, and
// nothing when a newer deletion covers it.
func newest[T any](revision func(*T) *schemas.Revision, where func(*T) about) func(old, fresh []T, hide *deletions) []T {
	return func(old, fresh []T, hide *deletions) []T {
		best := latest(old, fresh, revision)
		place := where(best)
		if hide.hides(place.user, place.device, place.metric, place.from, *revision(best)) {
			return nil
		}
		return []T{*best}
	}
}

// latest returns the row of the highest revision, the later of two in one batch.
func latest[T any](old, fresh []T, revision func(*T) *schemas.Revision) *T {
	var best *T
	for _, rows := range [][]T{old, fresh} {
		for i := range rows {
			if best == nil || revision(&rows[i]).Compare(*revision(best)) >= 0 {
				best = &rows[i]
			}
		}
	}
	return best
}

// sameItems compares resolved rows by all they say, but not by who said it.
func sameItems[T any](revision func(*T) *schemas.Revision) func(a, b []T) bool {
	return func(a, b []T) bool {
		return slices.EqualFunc(a, b, func(x, y T) bool {
			*revision(&x) = *revision(&y)
			return reflect.DeepEqual(x, y)
		})
	}
}

func sleepSegments() merging[schemas.SleepSegmentRow] {
	type row = schemas.SleepSegmentRow
	revision := func(s *row) *schemas.Revision { return &s.Revision }
	place := func(s *row) about {
		return about{user: s.UserID, bucket: s.UserBucket, device: s.DeviceID, metric: deletesSleepSegments,
			from: s.StartAt, to: s.StartAt, date: s.LocalDate}
	}
	return merging[row]{
		table: schemas.TableSleepSegments,
		fresh: eachOf(schemas.KindSleepSegment, func(rec *schemas.SyncRecord) row {
			return row{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID,
				StartAt: *rec.StartAt, EndAt: *rec.EndAt, StartOffsetMin: rec.UTCOffsetMin,
				EndOffsetMin: rec.EndUTCOffsetMin, LocalDate: *rec.LocalDate, Stage: rec.Text,
				Source: rec.Source, Revision: revisionOf(rec)}
		}),
		compare: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
				cmp.Compare(a.StartAt, b.StartAt))
		},
		resolve: newest(revision, place),
		same:    sameItems(revision),
		about:   place,
	}
}

func readings() merging[schemas.ReadingRow] {
	type row = schemas.ReadingRow
	revision := func(s *row) *schemas.Revision { return &s.Revision }
	place := func(s *row) about {
		return about{user: s.UserID, bucket: s.UserBucket, device: s.DeviceID, metric: s.Metric,
			from: s.MeasuredAt, to: s.MeasuredAt, date: s.LocalDate}
	}
	return merging[row]{
		table: schemas.TableReadings,
		fresh: eachOf(schemas.KindReading, func(rec *schemas.SyncRecord) row {
			return row{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID, Metric: rec.Metric,
				MeasuredAt: *rec.StartAt, UTCOffsetMin: rec.UTCOffsetMin, LocalDate: *rec.LocalDate,
				Value: *rec.Value, Source: rec.Source, Revision: revisionOf(rec)}
		}),
		compare: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
				cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.MeasuredAt, b.MeasuredAt))
		},
		resolve: newest(revision, place),
		same:    sameItems(revision),
		about:   place,
	}
}

func dailySummaries() merging[schemas.DailySummaryRow] {
	type row = schemas.DailySummaryRow
	revision := func(s *row) *schemas.Revision { return &s.Revision }
	place := func(s *row) about {
		// A day's figure has no instant; a deletion takes it when it covers the day's noon in UTC.
		noon := int64(s.LocalDate)*dayUS + noonUS
		return about{user: s.UserID, bucket: s.UserBucket, device: s.DeviceID, metric: s.Metric,
			from: noon, to: noon, date: s.LocalDate}
	}
	return merging[row]{
		table: schemas.TableDailySummaries,
		fresh: eachOf(schemas.KindDailySummary, func(rec *schemas.SyncRecord) row {
			return row{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID, Metric: rec.Metric,
				LocalDate: *rec.LocalDate, Value: *rec.Value, Source: rec.Source, Revision: revisionOf(rec)}
		}),
		compare: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
				cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.LocalDate, b.LocalDate))
		},
		resolve: newest(revision, place),
		same:    sameItems(revision),
		about:   place,
	}
}

func events() merging[schemas.EventRow] {
	type row = schemas.EventRow
	revision := func(s *row) *schemas.Revision { return &s.Revision }
	place := func(s *row) about {
		return about{user: s.UserID, bucket: s.UserBucket, device: s.DeviceID, metric: deletesEvents,
			from: s.StartAt, to: s.StartAt, date: s.LocalDate}
	}
	return merging[row]{
		table: schemas.TableEvents,
		fresh: eachOf(schemas.KindEvent, func(rec *schemas.SyncRecord) row {
			return row{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID, Kind: rec.Metric,
				Name: rec.Name, StartAt: *rec.StartAt, EndAt: rec.EndAt, UTCOffsetMin: rec.UTCOffsetMin,
				LocalDate: *rec.LocalDate, Value: rec.Value, Text: rec.Text, Source: rec.Source,
				Revision: revisionOf(rec)}
		}),
		compare: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
				cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.StartAt, b.StartAt))
		},
		resolve: newest(revision, place),
		same:    sameItems(revision),
		about:   place,
	}
}
