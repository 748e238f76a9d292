package lake

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// workoutPoints keeps the tracks of the same versions that workouts keeps, each apart from its workout: it is most of
// what a workout weighs, and it says where a person was. Every version has a first row that holds no samples, so that
// one without a track replaces one that had it, and an older one that comes later finds out that it is.
func workoutPoints() merging[schemas.WorkoutPointsRow] {
	type row = schemas.WorkoutPointsRow
	return merging[row]{
		table:       schemas.TableWorkoutPoints,
		fresh:       trackVersions,
		partition:   func(p *row) filePartition { return filePartition{p.LocalMonth, p.UserBucket, true} },
		values:      trackValues,
		timeColumns: []string{"workout_start_at", "hour_at"},
		places:      placesOfTracks,
		compare:     compareTracks,
		resolve:     newestTrack,
		same: func(a, b []row) bool {
			return slices.EqualFunc(withoutHeads(a), withoutHeads(b), samePoints)
		},
		about: func(p *row) about {
			a := about{user: p.UserID, bucket: p.UserBucket, device: p.DeviceID, metric: deletesWorkouts,
				from: p.WorkoutStartAt, to: p.WorkoutStartAt, date: p.LocalDate}
			if p.PieceIndex > 0 {
				a.metric, a.from, a.to = p.Metric, timeOf(p, 0), timeOf(p, len(p.Values)-1)
			}
			return a
		},
	}
}

// trackVersions makes a head of each workout and a piece of each record of its track, which follow it in its message.
func trackVersions(records iter.Seq[*schemas.SyncRecord]) (rows []schemas.WorkoutPointsRow) {
	var head schemas.WorkoutPointsRow
	for rec := range records {
		switch rec.Kind {
		case schemas.KindWorkout:
			head = schemas.WorkoutPointsRow{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID,
				WorkoutID: rec.Name, WorkoutStartAt: *rec.StartAt, LocalMonth: monthOf(*rec.LocalDate),
				LocalDate: *rec.LocalDate, UTCOffsetMin: rec.UTCOffsetMin, Revision: revisionOf(rec)}
			rows = append(rows, head)
		case schemas.KindWorkoutTrack:
			piece := head
			piece.PieceIndex = rows[len(rows)-1].PieceIndex + 1
			piece.Metric, piece.HourAt, piece.UTCOffsetMin, piece.PeriodMS = rec.Metric, rec.HourAt, rec.UTCOffsetMin, rec.PeriodMS
			piece.OffsetsMS, piece.Values = packOffsets(rec.OffsetsMS, rec.PeriodMS), rec.Values
			rows = append(rows, piece)
		default:
		}
	}
	return rows
}

// placesOfTracks returns where earlier versions of the tracks may lie: where workouts knows one of, or this round. For
// that, tracks are merged before workouts.
func placesOfTracks(ctx context.Context, r *round, fresh []schemas.WorkoutPointsRow) ([]reach, error) {
	type key struct {
		UserID    string `parquet:"user_id"`
		DeviceID  string `parquet:"device_id"`
		WorkoutID string `parquet:"workout_id"`
	}
	wanted := map[key]bool{}
	var people reaches
	for i := range fresh {
		wanted[key{fresh[i].UserID, fresh[i].DeviceID, fresh[i].WorkoutID}] = true
		people.list = append(people.list, reach{user: fresh[i].UserID})
	}
	var places []reach
	for i := range r.received.items {
		if rec := &r.received.items[i]; rec.Kind == schemas.KindWorkout && wanted[key{rec.UserID, rec.DeviceID, rec.Name}] {
			places = append(places, reach{rec.UserID, *rec.StartAt, *rec.StartAt})
		}
	}
	type known struct {
		UserID    string `parquet:"user_id,dict"`
		DeviceID  string `parquet:"device_id,dict"`
		WorkoutID string `parquet:"workout_id"`
		StartAt   int64  `parquet:"start_at,timestamp(microsecond)"`
	}
	for _, f := range r.bases[schemas.TableWorkouts].Files {
		if !fileMayHold(f, nil, people, nil) {
			continue
		}
		if err := ScanRows(ctx, r.lake, f.Path, chunkRows, func(rows []known) error {
			for _, w := range rows {
				if wanted[key{w.UserID, w.DeviceID, w.WorkoutID}] {
					places = append(places, reach{w.UserID, w.StartAt, w.StartAt})
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// newestTrack leaves the pieces of the newest version without what deletions hide; its head stays in any case.
func newestTrack(old, fresh []schemas.WorkoutPointsRow, hide *deletions) []schemas.WorkoutPointsRow {
	rows := slices.Concat(old, fresh)
	newest := 0
	for i := range rows {
		if rows[i].PieceIndex == 0 && rows[i].Revision.Compare(rows[newest].Revision) >= 0 {
			newest = i
		}
	}
	head := rows[newest]
	left := []schemas.WorkoutPointsRow{head}
	if hide.hides(head.UserID, head.DeviceID, deletesWorkouts, head.WorkoutStartAt, head.Revision) {
		return left
	}
	for _, piece := range rows[newest+1:] {
		if piece.PieceIndex == 0 {
			break
		}
		if piece = withoutHidden(piece, hide.of(piece.UserID)); len(piece.Values) > 0 {
			left = append(left, piece)
		}
	}
	return left
}

// withoutHidden leaves out the samples of a piece that a deletion of their metric hides.
func withoutHidden(p schemas.WorkoutPointsRow, hiding []deletion) schemas.WorkoutPointsRow {
	first, last := timeOf(&p, 0), timeOf(&p, len(p.Values)-1)
	hiding = slices.DeleteFunc(slices.Clone(hiding), func(d deletion) bool {
		return !d.covers(p.DeviceID, p.Metric) || d.row.FromAt > last || d.row.ToAt <= first
	})
	if len(hiding) == 0 {
		return p
	}
	var offsets, values []int32
	for i, v := range p.Values {
		at := timeOf(&p, i)
		if !slices.ContainsFunc(hiding, func(d deletion) bool { return d.hides(p.DeviceID, p.Metric, at, p.Revision) }) {
			offsets, values = append(offsets, int32((at-*p.HourAt)/msUS)), append(values, v)
		}
	}
	if len(values) > 0 {
		offsets = packOffsets(offsets, p.PeriodMS)
	}
	p.OffsetsMS, p.Values = offsets, values
	return p
}

// timeOf returns when sample i of a piece was measured, in µs.
func timeOf(p *schemas.WorkoutPointsRow, i int) int64 {
	if len(p.OffsetsMS) == 1 {
		return *p.HourAt + (int64(p.OffsetsMS[0])+int64(i)*int64(p.PeriodMS))*msUS
	}
	return *p.HourAt + int64(p.OffsetsMS[i])*msUS
}

func compareTracks(a, b *schemas.WorkoutPointsRow) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.WorkoutID, b.WorkoutID))
}

func trackValues(p *schemas.WorkoutPointsRow) int { return len(p.Values) }

func withoutHeads(rows []schemas.WorkoutPointsRow) []schemas.WorkoutPointsRow {
	return slices.DeleteFunc(slices.Clone(rows), func(p schemas.WorkoutPointsRow) bool { return p.PieceIndex == 0 })
}

// samePoints compares what two pieces say, and of which workout. Their number in its track says nothing.
func samePoints(a, b schemas.WorkoutPointsRow) bool {
	return a.WorkoutStartAt == b.WorkoutStartAt && a.LocalDate == b.LocalDate && a.Metric == b.Metric &&
		*a.HourAt == *b.HourAt && a.UTCOffsetMin == b.UTCOffsetMin && a.PeriodMS == b.PeriodMS &&
		slices.Equal(a.OffsetsMS, b.OffsetsMS) && slices.Equal(a.Values, b.Values)
}
