package activity

import "github.com/diurna-health/diurna/transform/samples"

// WearRules tell in which stretches of the clock a device was worn that measures a heart.
type WearRules struct {
	StretchMin    float64 // a stretch in which a heart was measured is worn: so long when it is measured all the time
	StretchMaxMin float64 // hearts further apart do not tell how often they are measured
	SpacingPct    float64 // of the time between hearts lies within the usual distance of them
}

// spacing returns how far apart the minutes of a date lie usually in which its heart was measured. The time counts and not
// the minutes, so that an exercise of every second does not hide that it was every ten minutes else. None is 0.
func (r *WearRules) spacing(measured []int32) int32 {
	most := int32(r.StretchMaxMin)
	apart := make([]int32, most+1) // by distance, the time between minutes so far apart
	all := int32(0)
	for i := 1; i < len(measured); i++ {
		if distance := measured[i] - measured[i-1]; distance <= most {
			apart[distance] += distance
			all += distance
		}
	}
	within := int32(0)
	for distance, time := range apart {
		if within += time; all > 0 && 100*float64(within) >= r.SpacingPct*float64(all) {
			return int32(distance)
		}
	}
	return 0
}

// stretch returns how long the stretches of the clock are in which hearts so far apart show that the device was worn: some
// of the shortest ones, and longer than the distance, for no device is punctual.
func (r *WearRules) stretch(spacing int32) int32 {
	shortest := int32(r.StretchMin)
	return (spacing/shortest + 1) * shortest
}

// WornMin returns in how many minutes from the first to before the last of a date the device was worn, by a heart that is
// measured every few minutes; ok is false when it is measured all the time, so that each minute speaks for itself.
func (r *WearRules) WornMin(measured []int32, date samples.Span) (worn int32, ok bool) {
	spacing := r.spacing(measured)
	if spacing <= 1 {
		return 0, false
	}
	length, until := r.stretch(spacing), date.From
	for _, minute := range measured {
		if minute < until {
			continue // of a stretch that was counted
		}
		from := max(minute/length*length, date.From)
		until = min((minute/length+1)*length, date.Until)
		worn += until - from
	}
	return worn, true
}

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
