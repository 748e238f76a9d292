package ranking

import "testing"

func TestE070TheMidRankOfScoresWithTies(t *testing.T) {
	t.Parallel()
	scores := []int{10, 20, 20, 30, 40}
	for i, want := range []float64{10, 40, 40, 70, 90} {
		above, atLeast := 0, 0
		for _, s := range scores {
			if s > scores[i] {
				above++
			}
			if s >= scores[i] {
				atLeast++
			}
		}
		if got, _ := percentileOf(above, atLeast, len(scores)); *got != want {
			t.Errorf("the mid-rank of %d is %v %%, want %v", scores[i], *got, want)
		}
	}
}
