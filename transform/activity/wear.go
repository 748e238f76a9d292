package activity

import "github.com/diurna-health/diurna/transform/samples"

// MovedMin returns the minutes with a step sample in which a device that measures no heart shows that it was worn: all but
// those of a stretch without a step that is as long as a watch lies on a table.
func MovedMin(walked samples.Walked, stillMin float64) (moved int) {
	n := len(walked.Minutes)
	if n == 0 {
		return 0
	}
	before := walked.Minutes[0] - 1 // the last minute with a step
	for i := 0; i < n; {
		if walked.Counts[i] > 0 {
			before = walked.Minutes[i]
			moved++
			i++
			continue
		}
		end := i
		for end < n && walked.Counts[end] <= 0 {
			end++
		}
		after := walked.Minutes[n-1] + 1
		if end < n {
			after = walked.Minutes[end]
		}
		if float64(after-before-1) < stillMin {
			moved += end - i
		}
		i = end
	}
	return moved
}
