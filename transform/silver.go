package transform

import (
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A tableView is what is shown of a table of the lake under a name. A row of a silver table belongs to a person (user_id)
// and a local date (local_date).
type tableView struct {
	name        string // as models write it
	table       string // the lake's table; the domain in silver.dirty_days
	columns     []lake.Column
	where       string // which of the table's rows; "" is all
	sensitivity Sensitivity
}

// aboutTheCycle tells the events that only models of SensitivityCycle see.
const aboutTheCycle = `(kind = 'cycle' or (kind = 'consent' and name = 'cycle'))`

// silverTables lists them. Their columns are needed before the first row is there.
func silverTables() []tableView {
	whole := func(table string, columns []lake.Column) tableView {
		return tableView{name: table, table: table, columns: columns}
	}
	events := whole(schemas.TableEvents, lake.ColumnsOf[schemas.EventRow]())
	events.where = "not " + aboutTheCycle
	cycleEvents := events
	cycleEvents.name, cycleEvents.where, cycleEvents.sensitivity = "silver.cycle_events", aboutTheCycle, SensitivityCycle
	return []tableView{
		whole(schemas.TableSeriesHours, lake.ColumnsOf[schemas.SeriesHour]()),
		whole(schemas.TableSleepSegments, lake.ColumnsOf[schemas.SleepSegmentRow]()),
		whole(schemas.TableReadings, lake.ColumnsOf[schemas.ReadingRow]()),
		whole(schemas.TableDailySummaries, lake.ColumnsOf[schemas.DailySummaryRow]()),
		events,
		cycleEvents,
		whole(schemas.TableRRRuns, lake.ColumnsOf[schemas.RRRunRow]()),
		whole(schemas.TableWorkouts, lake.ColumnsOf[schemas.WorkoutRow]()),
		whole(schemas.TableWorkoutPoints, lake.ColumnsOf[schemas.WorkoutPointsRow]()),
	}
}

// silverTableOf returns the silver table that models call name; it is the zero tableView when there is none.
func silverTableOf(name string) tableView {
	for _, t := range silverTables() {
		if t.name == name {
			return t
		}
	}
	return tableView{}
}

// narrow cuts a select of the table's rows down to those the table shows.
func (t tableView) narrow(rows string) string {
	if t.where == "" {
		return rows
	}
	return "select * from (" + rows + ") where " + t.where
}

const (
	// tableDefinitions holds the thresholds of all models.
	tableDefinitions = "definitions"
	// tableDirtyDays holds the days that a model is to write.
	tableDirtyDays = "dirty_days"
	// silverSeries is the one of the silver tables that holds samples.
	silverSeries = "silver.series_hours"
	// silverDateColumn dates the rows of every silver table.
	silverDateColumn = "local_date"
)
