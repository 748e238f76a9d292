package checker

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// wholeWorkouts calls do with each workout of the batch, its totals in its text.
func (b *Batch) wholeWorkouts(do func(fact)) {
	for _, w := range b.Workouts {
		f := fact{kind: kindWorkout, name: w.ID, at: w.StartMS, end: w.EndMS, offsetMin: w.StartOffsetMin,
			endOffsetMin: w.EndOffsetMin, date: dateOf(w.StartMS, w.StartOffsetMin), text: w.Sport, value: noValue}
		for _, metric := range slices.Sorted(maps.Keys(w.Totals)) {
			f.text += fmt.Sprintf(" %s=%d", metric, w.Totals[metric])
		}
		do(f)
	}
}

// A workoutKey is what workouts are told apart by.
type workoutKey struct{ user, device, id string }

// An edition is a workout as a message says it.
type edition struct {
	message *Message
	workout *Workout
}

// editions returns the newest version of every workout said below the marks. Of two in one batch the later one is.
func editions(messages []Message, marks map[int32]int64) map[workoutKey]edition {
	newest := map[workoutKey]edition{}
	for i := range messages {
		m := &messages[i]
		if m.Batch == nil || m.Offset >= marks[m.Partition] {
			continue
		}
		for j := range m.Batch.Workouts {
			key := workoutKey{m.Batch.User, m.Batch.Device, m.Batch.Workouts[j].ID}
			if was, ok := newest[key]; !ok || m.revision().compare(was.message.revision()) >= 0 {
				newest[key] = edition{m, &m.Batch.Workouts[j]}
			}
		}
	}
	return newest
}

// A point is a sample of a track; its fact has no date, for the rows have the workout's.
type point struct {
	workoutKey
	fact
}

func (v edition) points(key workoutKey, do func(point)) {
	for i := range v.workout.Track {
		s := &v.workout.Track[i]
		s.each(func(at int64, value int32) {
			do(point{key, fact{metric: s.Metric, at: at, period: s.PeriodMS, offsetMin: s.OffsetMin, value: int64(value)}})
		})
	}
}

// checkTracks compares the rows of tracks, sample by sample, with the newest version of each workout.
func (c *Checker) checkTracks(ctx context.Context, t *table, messages []Message, hide *deletions, found *findings) error {
	marks := t.marks(mergeMark)
	newest := editions(messages, marks)
	left := map[point]int{} // what must be there and was not seen yet
	for key, v := range newest {
		v.points(key, func(p point) { left[p]++ })
	}
	judge := func(p point) verdict {
		v := newest[p.workoutKey]
		return max(hide.judge(p.user, p.device, "workouts", v.workout.StartMS, v.message.revision(), marks),
			hide.judge(p.user, p.device, p.metric, p.at, v.message.revision(), marks))
	}
	err := c.pieceRows(ctx, t.paths(), func(r *pieceRow) {
		v, ok := newest[r.workoutKey]
		place := fmt.Sprintf("partition %d offset %d piece %d", r.rev.partition, r.rev.offset, r.index)
		switch {
		case !ok:
			found.add(NoDuplicate, t.table, place, "nobody said that")
			return
		case r.rev != v.message.revision():
			found.add(NoLoss, t.table, place, "the revision of partition %d offset %d won", v.message.Partition, v.message.Offset)
			return
		case r.startMS != v.workout.StartMS || r.date != dateOf(v.workout.StartMS, v.workout.StartOffsetMin):
			found.add(NoLoss, t.table, place, "start or date are not those of the workout")
		case r.index == 0 && len(r.values) > 0:
			found.add(NoDuplicate, t.table, place, "the first row holds samples")
		}
		eachSample(r.hourMS, r.periodMS, r.offsets, r.values, func(at int64, value int32) {
			p := point{r.workoutKey, fact{metric: r.metric, at: at, period: r.periodMS, offsetMin: r.offsetMin, value: int64(value)}}
			switch {
			case left[p] == 0:
				found.add(NoDuplicate, t.table, place, "nobody said that of %s at %d, or not so often", p.metric, p.at)
			case judge(p) == mustHide:
				found.add(NoDuplicate, t.table, place, "%s at %d was deleted", p.metric, p.at)
			}
			left[p]--
		})
	})
	if err != nil {
		return c.unreadable(ctx, t.table, t.paths(), err, found)
	}
	for p, n := range left {
		if m := newest[p.workoutKey].message; n > 0 && judge(p) == mustShow {
			found.add(NoLoss, t.table, fmt.Sprintf("partition %d offset %d %s at %d", m.Partition, m.Offset, p.metric, p.at),
				"it won and is not there")
		}
	}
	return nil
}

// A pieceRow is a row of silver.workout_points as DuckDB reads it.
type pieceRow struct {
	workoutKey
	startMS             int64
	date, index         int32
	metric              string
	hourMS              int64
	offsetMin, periodMS int32
	offsets, values     list32
	rev                 revision
}

func (c *Checker) pieceRows(ctx context.Context, paths []string, each func(*pieceRow)) error {
	if len(paths) == 0 {
		return nil
	}
	rows, err := c.query(ctx, `select user_id, device_id, workout_id, epoch_ms(workout_start_at),
		date_diff('day', date '1970-01-01', local_date)::int, piece_index, coalesce(metric, ''), coalesce(epoch_ms(hour_at), 0),
		utc_offset_min, period_ms, offsets_ms, "values", revision.device_epoch, revision.seq, epoch_ms(revision.broker_at),
		revision.partition, revision."offset"`, paths, "")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r pieceRow
		if err := rows.Scan(&r.user, &r.device, &r.id, &r.startMS, &r.date, &r.index, &r.metric, &r.hourMS, &r.offsetMin,
			&r.periodMS, &r.offsets, &r.values, &r.rev.epoch, &r.rev.seq, &r.rev.atMS, &r.rev.partition, &r.rev.offset); err != nil {
			return err
		}
		each(&r)
	}
	return rows.Err()
}
