package samples

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

func TestMinutesComeOutOfListsAsTheyWentIn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	column, longest := rows.Int32Lists("minutes"), 0
	var want [][]int32
	for range 200 {
		var minutes []int32
		for minute := rng.Int32N(3); minute < 60; minute++ {
			if rng.IntN(5) > 0 {
				minutes = append(minutes, 29_000_000+minute)
			}
		}
		want = append(want, minutes)
		addMinutes(column, minutes)
	}
	batch := rows.NewColumns(column).Take()
	defer batch.Release()
	var lists rows.Lists
	if err := rows.Bind(batch, map[string]any{"minutes": &lists}); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		longest = max(longest, len(lists.At(i)))
		if got := Minutes(lists.At(i)); !slices.Equal(got, want[i]) {
			t.Errorf("minutes %v became %v", want[i], got)
		}
	}
	if longest > 40 {
		t.Errorf("a list of 60 minutes has %d numbers", longest)
	}
	addMinutes(column, nil)
	none := rows.NewColumns(column).Take()
	defer none.Release()
	if list, ok := none.Column(0).(*array.List); !ok || list.DataType().ID() != arrow.LIST || !list.IsNull(0) {
		t.Error("no minutes are a list")
	}
}
