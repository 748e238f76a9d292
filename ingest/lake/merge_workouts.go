package lake

import (
	"cmp"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

const deletesWorkouts = "workouts"

// workouts keeps the newest version of each, whole. One that a deletion hides leaves its key behind: unlike other items a
// workout is not told apart by its time, so an older version may lie where the deletion does not reach.
func workouts() merging[schemas.WorkoutRow] {
	type row = schemas.WorkoutRow
	place := func(w *row) about {
		return about{user: w.UserID, bucket: w.UserBucket, device: w.DeviceID, metric: deletesWorkouts,
			from: w.StartAt, to: w.StartAt, date: w.LocalDate}
	}
	return merging[row]{
		table:   schemas.TableWorkouts,
		fresh:   workoutVersions,
		compare: compareWorkouts,
		resolve: func(old, fresh []row, hide *deletions) []row {
			best := *latest(old, fresh, func(w *row) *schemas.Revision { return &w.Revision })
			if hide.hides(best.UserID, best.DeviceID, deletesWorkouts, best.StartAt, best.Revision) {
				best.Sport, best.Totals, best.IsDeleted = "", nil, true
			}
			return []row{best}
		},
		same:  sameWorkouts,
		about: place,
	}
}

// workoutVersions makes a row of each workout with its totals, which follow it in its message.
func workoutVersions(records iter.Seq[*schemas.SyncRecord]) (rows []schemas.WorkoutRow) {
	for rec := range records {
		switch rec.Kind {
		case schemas.KindWorkout:
			rows = append(rows, schemas.WorkoutRow{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID,
				WorkoutID: rec.Name, Sport: rec.Text, StartAt: *rec.StartAt, EndAt: *rec.EndAt,
				StartOffsetMin: rec.UTCOffsetMin, EndOffsetMin: rec.EndUTCOffsetMin, LocalDate: *rec.LocalDate,
				Source: rec.Source, Revision: revisionOf(rec)})
		case schemas.KindWorkoutTotal:
			addTotal(&rows[len(rows)-1], schemas.WorkoutTotal{Metric: rec.Metric, Value: *rec.Value})
		default:
		}
	}
	return rows
}

// addTotal keeps totals in order of metric; who says one twice means the second.
func addTotal(w *schemas.WorkoutRow, total schemas.WorkoutTotal) {
	i, found := slices.BinarySearchFunc(w.Totals, total, func(a, b schemas.WorkoutTotal) int { return strings.Compare(a.Metric, b.Metric) })
	if found {
		w.Totals[i] = total
		return
	}
	w.Totals = slices.Insert(w.Totals, i, total)
}

func compareWorkouts(a, b *schemas.WorkoutRow) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.WorkoutID, b.WorkoutID))
}

// sameWorkouts takes a workout that is deleted for one that is not there.
func sameWorkouts(a, b []schemas.WorkoutRow) bool {
	shown := func(rows []schemas.WorkoutRow) []schemas.WorkoutRow {
		return slices.DeleteFunc(slices.Clone(rows), func(w schemas.WorkoutRow) bool { return w.IsDeleted })
	}
	return slices.EqualFunc(shown(a), shown(b), func(x, y schemas.WorkoutRow) bool {
		totals := slices.Equal(x.Totals, y.Totals)
		x.Totals, y.Totals, x.Revision = nil, nil, y.Revision
		return totals && reflect.DeepEqual(x, y)
	})
}
