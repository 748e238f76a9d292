package lake

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// IngestTables are the tables that ingest and merge write.
func IngestTables() []TableSpec {
	return []TableSpec{
		{Name: schemas.TableSyncRecords, Columns: ColumnsOf[schemas.SyncRecord](), PartitionBy: []string{"ingest_date"}},
		{Name: schemas.TableIngestGaps, Columns: ColumnsOf[schemas.IngestGap]()},
		{Name: schemas.TableSeriesHours, Columns: ColumnsOf[schemas.SeriesHour](), PartitionBy: []string{"local_month", "user_bucket"}},
		{Name: schemas.TableSleepSegments, Columns: ColumnsOf[schemas.SleepSegmentRow]()},
		{Name: schemas.TableReadings, Columns: ColumnsOf[schemas.ReadingRow]()},
		{Name: schemas.TableDailySummaries, Columns: ColumnsOf[schemas.DailySummaryRow]()},
		{Name: schemas.TableEvents, Columns: ColumnsOf[schemas.EventRow]()},
		{Name: schemas.TableRRRuns, Columns: ColumnsOf[schemas.RRRunRow](), PartitionBy: []string{"local_month", "user_bucket"}},
		{Name: schemas.TableWorkouts, Columns: ColumnsOf[schemas.WorkoutRow]()},
		{Name: schemas.TableWorkoutPoints, Columns: ColumnsOf[schemas.WorkoutPointsRow](), PartitionBy: []string{"local_month", "user_bucket"}},
		{Name: schemas.TableDeletions, Columns: ColumnsOf[schemas.DeletionRow]()},
		{Name: schemas.TableDirtyDays, Columns: ColumnsOf[schemas.DirtyDay]()},
	}
}

// CreateIngestTables makes whatever of them is missing.
func (l *Lake) CreateIngestTables(ctx context.Context) error {
	for _, spec := range IngestTables() {
		if err := l.Create(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
