package activity

import "github.com/diurna-health/diurna/transform/samples"

// MovedMin returns the minutes with a step sample in which a device that measures no heart shows that it was worn: all but
// those of a stretch without a step that is as long as a watch lies on a table.
func MovedMin(walked samples.Walked, stillMin float64) (moved int) {
	moved = len(walked.Minutes)
	eachStill(walked, stillMin, func(_ samples.Span, sampleCount int) { moved -= sampleCount })
	return moved
}

const minutesOfHour = 60

// StillMin returns, for each hour that begins in a minute of the list, how many minutes of it lie in a stretch without a
// step that is so long that the device was not worn, or its person asleep.
func StillMin(walked samples.Walked, stillMin float64, hours []int32) []int32 {
	still := make([]int32, len(hours))
	eachStill(walked, stillMin, func(s samples.Span, _ int) {
		for i, hour := range hours {
			still[i] += max(0, min(s.Until, hour+minutesOfHour)-max(s.From, hour))
		}
	})
	return still
}

// eachStill yields the stretches without a step that are long enough, with their minutes that have a sample. Stretches begin
// with the date's first sample and end with its last.
func eachStill(walked samples.Walked, stillMin float64, yield func(s samples.Span, sampleCount int)) {
	n := len(walked.Minutes)
	if n == 0 {
		return
	}
	before := walked.Minutes[0] - 1 // the last minute with a step
	for i := 0; i < n; {
		if walked.Counts[i] > 0 {
			before = walked.Minutes[i]
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
		if float64(after-before-1) >= stillMin {
			yield(samples.Span{From: before + 1, Until: after}, end-i)
		}
		i = end
	}
}
