package transform_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// A sweptStore loses every temporary file whenever a table is committed.
type sweptStore struct {
	transform.Store
	dir   string
	swept int
}

func (s *sweptStore) Commit(ctx context.Context, c lake.Commit) (*lake.Snapshot, error) {
	snapshot, err := s.Store.Commit(ctx, c)
	if err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "*.tmp"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		s.swept++
	}
	return snapshot, nil
}

func TestKeptRowsThatASweepTookAreMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.lake.(*memoryStore)
	for day := range int32(2) {
		w.put(map[string]piece{fmt.Sprint(day): {hours: []schemas.SeriesHour{
			hours("u", "watch", schemas.Steps, firstDay+day, 9, 60_000, 10, 20),
			hours("u", "watch", schemas.HeartRate, firstDay+day, 9, 60_000, 70, 71),
		}}})
		swept := &sweptStore{Store: store, dir: store.dir}
		if _, err := buildOn(t, swept, w.project, false); err != nil {
			t.Fatal(err)
		}
		if swept.swept < 2 {
			t.Errorf("on day %d %d files were lost, want some made again", day, swept.swept)
		}
	}
	w.sameAsFull()
}

// The rows of so many person-days are kept by date.
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
