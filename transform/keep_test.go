package transform_test

import (
	"fmt"
	"testing"

	"github.com/diurna-health/diurna/schemas"
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
