package tracks

import (
	"context"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// A Recording is what one device or app recorded of a workout.
type Recording struct {
	Device, ID   string
	Date         int32 // the person's, at the start, in days since 1970-01-01
	StartUS      int64 // since 1970-01-01 UTC
	EndUS        int64
	DistanceM    float64 // NaN = not known
	CountedIndex int     // of the recording that counts instead; its own where it counts itself
}

// SameRules say when two recordings are of one workout.
type SameRules struct {
	OverlapPct  float64 // they share this much of the shorter one
	DistancePct float64 // or overlap at all and differ by no more in distance
}

// areOfOneWorkout reports whether two recordings are.
func (r SameRules) areOfOneWorkout(a, b *Recording) bool {
	if a.StartUS >= b.EndUS || b.StartUS >= a.EndUS {
		return false
	}
	overlap := float64(min(a.EndUS, b.EndUS) - max(a.StartUS, b.StartUS))
	shorter := float64(min(a.EndUS-a.StartUS, b.EndUS-b.StartUS))
	return 100*overlap >= r.OverlapPct*shorter ||
		100*math.Abs(a.DistanceM-b.DistanceM) <= r.DistancePct*math.Max(a.DistanceM, b.DistanceM)
}

// Choose tells which of the recordings count. They come in the order in which they are preferred, and one gives way to the
// first before it that counts itself: what gave way takes no other with it.
func Choose(recordings []Recording, rules SameRules) {
	var counted []int
	for i := range recordings {
		recordings[i].CountedIndex = i
		for _, better := range counted {
			if rules.areOfOneWorkout(&recordings[better], &recordings[i]) {
				recordings[i].CountedIndex = better
				break
			}
		}
		if recordings[i].CountedIndex == i {
			counted = append(counted, i)
		}
	}
}

// DoubleRows turns the recordings around each date, the preferred first, into those of the date that do not count: it is the
// Go part of the model workout_doubles.
func DoubleRows(_ context.Context, neighbours array.RecordReader) (array.RecordReader, error) {
	var (
		same                 SameRules
		user, device, id     *array.String
		date, recordingDate  *array.Date32
		start, end           *array.Int64
		distance             *array.Float64
		users, dates         = rows.Strings("user_id"), rows.Dates("local_date")
		devices, ids         = rows.Strings("device_id"), rows.Strings("workout_id")
		countedOn, countedID = rows.Strings("counted_device_id"), rows.Strings("counted_workout_id")
		who                  string
		when                 int32
		recordings           []Recording
	)
	in := rows.NewCursor(neighbours, rows.Bound(map[string]*float64{
		"same_overlap_pct": &same.OverlapPct, "same_distance_pct": &same.DistancePct,
	}, map[string]any{
		"user_id": &user, "local_date": &date, "recording_date": &recordingDate, "device_id": &device, "workout_id": &id,
		"started_us": &start, "ended_us": &end, "distance_m": &distance,
	}))
	begin := func() {
		who, when, recordings = strings.Clone(user.Value(in.Row)), int32(date.Value(in.Row)), recordings[:0]
	}
	isSame := func() bool { return int32(date.Value(in.Row)) == when && user.Value(in.Row) == who }
	add := func() {
		recordings = append(recordings, Recording{
			Device: strings.Clone(device.Value(in.Row)), ID: strings.Clone(id.Value(in.Row)), Date: int32(recordingDate.Value(in.Row)),
			StartUS: start.Value(in.Row), EndUS: end.Value(in.Row), DistanceM: rows.Float(distance, in.Row),
		})
	}
	return rows.NewStream(rows.NewColumns(users, dates, devices, ids, countedOn, countedID), func() (bool, error) {
		if !in.NextGroup(begin, isSame, add) {
			return false, in.Err()
		}
		Choose(recordings, same)
		for i, r := range recordings {
			if r.CountedIndex == i || r.Date != when {
				continue
			}
			counted := recordings[r.CountedIndex]
			users.Add(who, 1)
			dates.Add(when)
			devices.Add(r.Device, 1)
			ids.Add(r.ID, 1)
			countedOn.Add(counted.Device, 1)
			countedID.Add(counted.ID, 1)
		}
		return true, nil
	}), nil
}
