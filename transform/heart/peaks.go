package heart

import "github.com/diurna-health/diurna/transform/samples"

// Peak returns the highest minute of workouts, and how many of their minutes count: those that were measured and lie between
// two that were. A watch that measures from time to time has none.
func Peak(heart samples.Heart, workouts samples.Spans) (bpm float64, watchedMin int) {
	for i := 1; i+1 < len(heart.Minutes); i++ {
		isWatched := heart.Minutes[i+1]-heart.Minutes[i-1] == 2
		if !isWatched || !workouts.Contain(heart.Minutes[i]) {
			continue
		}
		bpm = max(bpm, heart.Mean(i))
		watchedMin++
	}
	return bpm, watchedMin
}
