package transform

import (
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A silverTable is a table that models in staging may read. Its rows belong to a person (user_id) and a local date
// (local_date), and its name is the domain in silver.dirty_days.
type silverTable struct {
	name    string
	columns []lake.Column
}

// silverTables lists them. Their columns are needed before the first row is there.
func silverTables() []silverTable {
	return []silverTable{
		{schemas.TableSeriesHours, lake.ColumnsOf[schemas.SeriesHour]()},
		{schemas.TableSleepSegments, lake.ColumnsOf[schemas.SleepSegmentRow]()},
		{schemas.TableReadings, lake.ColumnsOf[schemas.ReadingRow]()},
		{schemas.TableDailySummaries, lake.ColumnsOf[schemas.DailySummaryRow]()},
		{schemas.TableEvents, lake.ColumnsOf[schemas.EventRow]()},
	}
}

const (
	// tableDefinitions holds the thresholds of all models.
	tableDefinitions = "definitions"
	// tableDirtyDays holds the days that a model is to write.
	tableDirtyDays = "dirty_days"
	// silverDateColumn dates the rows of every silver table.
	silverDateColumn = "local_date"
)
