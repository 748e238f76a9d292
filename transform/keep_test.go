package transform_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
	"github.com/diurna-health/diurna/transform/samples"
)

func TestManyPeopleOnFewDatesEqualOneFullBuild(t *testing.T) {
	t.Parallel()
	const people, days = 210, 3
	w := newWorld(t)
	person := func(n int, first, last int32) (p piece) {
		for day := first; day <= last; day++ {
			p.hours = append(p.hours,
				hours(fmt.Sprintf("u%03d", n), "watch", schemas.Steps, firstDay+day, 9, 60_000, int32(n), day+1),
				hours(fmt.Sprintf("u%03d", n), "watch", schemas.HeartRate, firstDay+day, 3, 60_000, 60, 60+day))
		}
		return p
	}
	// A third has one day more than the others, so that dates differ in who has them.
	first, late := map[string]piece{}, map[string]piece{}
	for n := range people {
		first[fmt.Sprint("first ", n)] = person(n, 0, days-1-int32(n%3)/2)
		if n%7 == 0 {
			late[fmt.Sprint("late ", n)] = person(n, days, days+1)
		}
	}
	w.put(map[string]piece{"before": person(0, -1, -1)})
	w.build(false)
	w.put(first)
	w.build(false)
	w.put(late)
	w.build(false)
	w.sameAsFull()
}

// TestANewDayTellsTheSamplesOfFewDates: most of a build is telling what the samples of dates come to.
func TestANewDayTellsTheSamplesOfFewDates(t *testing.T) {
	t.Parallel()
	told := 0
	counted := transform.Function{
		Fingerprint: samples.Fingerprint,
		RunSeries: func(ctx context.Context, hours samples.Source, rows array.RecordReader) (array.RecordReader, error) {
			dates, err := samples.Dates(ctx, hours, rows)
			return &countedReader{dates, &told}, err
		},
	}
	p, err := transform.LoadWith(t.Context(), transform.Functions{"dates": counted}, transform.Models)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.project = p.Of("heart_rate_dips", "vitals_nights", "workout_measures", "noise_days", "sleep_day_pairs")
	day := func(n int32) map[string]piece {
		var hearts []int32
		for minute := range int32(60) {
			hearts = append(hearts, 50+minute%7)
		}
		var all piece
		for hour := range 24 {
			all.hours = append(all.hours, hours("u", "watch", schemas.HeartRate, firstDay+n, hour, 60_000, hearts...))
			if hour >= 7 && hour < 23 {
				all.hours = append(all.hours, hours("u", "watch", schemas.Steps, firstDay+n, hour, 60_000, hearts...))
			}
		}
		return map[string]piece{fmt.Sprint("day ", n): all}
	}
	for n := range int32(9) {
		w.put(day(n))
	}
	w.build(false)
	if told != 9 {
		t.Errorf("the first build told the samples of %d dates, want 9", told)
	}
	w.put(day(9))
	told = 0
	w.build(false)
	if told != 2 { // that day, and the one before it: its evening belongs to the night
		t.Errorf("a new day told the samples of %d dates, want 2", told)
	}
	w.sameAsFull()
}

// A countedReader counts the rows that are read.
type countedReader struct {
	array.RecordReader

	n *int
}

func (r *countedReader) Next() bool {
	more := r.RecordReader.Next()
	if more {
		*r.n += int(r.RecordBatch().NumRows())
	}
	return more
}
