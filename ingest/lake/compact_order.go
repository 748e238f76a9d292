package lake

import (
	"cmp"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// The stored order of each table's rows. It is part of what a full compaction promises: another order would be other
// bytes.

func receivedRecords() storing[schemas.SyncRecord] {
	order := func(a, b *schemas.SyncRecord) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.ItemIndex, b.ItemIndex))
	}
	return storing[schemas.SyncRecord]{table: schemas.TableSyncRecords, jobs: neighboursInBronze,
		key: order, compare: order, footer: bronzeFooter}
}

func storedSeriesHours() storing[schemas.SeriesHour] {
	type row = schemas.SeriesHour
	return storing[row]{
		table: schemas.TableSeriesHours,
		jobs:  smallFilesByPartition,
		key: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Metric, b.Metric),
				cmp.Compare(a.HourAt, b.HourAt), cmp.Compare(a.DeviceID, b.DeviceID))
		},
		compare: func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.UTCOffsetMin, b.UTCOffsetMin),
				cmp.Compare(a.PeriodMS, b.PeriodMS), cmp.Compare(a.Source, b.Source))
		},
	}
}

func storedSleepSegments() storing[schemas.SleepSegmentRow] {
	return storedItems(schemas.TableSleepSegments, func(a, b *schemas.SleepSegmentRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.StartAt, b.StartAt))
	})
}

func storedReadings() storing[schemas.ReadingRow] {
	return storedItems(schemas.TableReadings, func(a, b *schemas.ReadingRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
			cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.MeasuredAt, b.MeasuredAt))
	})
}

func storedDailySummaries() storing[schemas.DailySummaryRow] {
	return storedItems(schemas.TableDailySummaries, func(a, b *schemas.DailySummaryRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
			cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.LocalDate, b.LocalDate))
	})
}

func storedEvents() storing[schemas.EventRow] {
	return storedItems(schemas.TableEvents, func(a, b *schemas.EventRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.StartAt, b.StartAt))
	})
}

func storedRRRuns() storing[schemas.RRRunRow] {
	s := storedItems(schemas.TableRRRuns, compareRRRuns)
	s.values = rrValues
	return s
}

func storedWorkouts() storing[schemas.WorkoutRow] {
	return storedItems(schemas.TableWorkouts, compareWorkouts)
}

func storedWorkoutPoints() storing[schemas.WorkoutPointsRow] {
	s := storedItems(schemas.TableWorkoutPoints, compareTracks)
	s.values = trackValues
	s.compare = func(a, b *schemas.WorkoutPointsRow) int { return cmp.Compare(a.PieceIndex, b.PieceIndex) }
	return s
}

func storedDeletions() storing[schemas.DeletionRow] {
	return storedItems(schemas.TableDeletions, func(a, b *schemas.DeletionRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.Metric, b.Metric),
			cmp.Compare(a.FromAt, b.FromAt), cmp.Compare(a.ToAt, b.ToAt), compareBool(a.AllDevices, b.AllDevices))
	})
}

// storedItems is for tables of which merge leaves one row for each key.
func storedItems[T any](table string, key func(a, b *T) int) storing[T] {
	return storing[T]{table: table, jobs: smallFilesByPartition, key: key, compare: func(_, _ *T) int { return 0 }}
}

// storedDirtyDays drops what everybody is done with. Each round of merging adds a small file; they are folded together
// with the larger ones of which something may go.
func storedDirtyDays(doneBelow map[int32]int64) storing[schemas.DirtyDay] {
	s := storedItems(schemas.TableDirtyDays, func(a, b *schemas.DirtyDay) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.LocalDate, b.LocalDate),
			cmp.Compare(a.Reason, b.Reason))
	})
	s.compare = func(a, b *schemas.DirtyDay) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Domain, b.Domain))
	}
	s.drop = func(d *schemas.DirtyDay) bool { return d.Offset <= doneBelow[d.Partition] }
	s.jobs = func(files []File, full bool) []job {
		chosen := slices.DeleteFunc(slices.Clone(files), func(f File) bool {
			done := doneBelow[int32(f.Lower["partition"].Int)]
			return !full && f.Rows >= smallFile && f.Lower["offset"].Int > done
		})
		if len(chosen) < enoughFiles(full) {
			return nil
		}
		return []job{{files: chosen, stem: "dirty"}}
	}
	return s
}
