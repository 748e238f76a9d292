package vitals

import "github.com/diurna-health/diurna/transform/samples"

// bands are the highest scores of three of the four, and how long an episode of the fourth is.
type bands struct{ restMax, lowMax, mediumMax, episodeMin float64 }

// A stressDay is what a date's scores come to.
type stressDay struct {
	measuredMin                         int32
	restMin, lowMin, mediumMin, highMin int32
	awakeMin, awakeCalmMin              int32 // out of bed, and of it at rest or low
	scoreSum, sampleCount               int64
	episodeCount, episodeMin            int32
}

// stressOf returns what the scores come to.
func stressOf(limits *bands, scores minutes, beds samples.Spans) (d stressDay) {
	var run highRun
	for i, minute := range scores.minutes {
		covered := scores.coveredMin(i)
		d.measuredMin += covered
		d.scoreSum += int64(scores.sums[i])
		d.sampleCount += int64(scores.count(i))

		sum, count := float64(scores.sums[i]), float64(scores.count(i))
		isCalm := sum <= limits.lowMax*count
		switch {
		case sum <= limits.restMax*count:
			d.restMin += covered
		case isCalm:
			d.lowMin += covered
		case sum <= limits.mediumMax*count:
			d.mediumMin += covered
		default:
			d.highMin += covered
			if minute > run.until {
				d.end(limits, run)
				run = highRun{}
			}
			run.min, run.until = run.min+covered, minute+covered
		}
		if !beds.Contain(minute) {
			d.awakeMin += covered
			if isCalm {
				d.awakeCalmMin += covered
			}
		}
	}
	d.end(limits, run)
	return d
}

// A highRun is high scores on end.
type highRun struct{ min, until int32 }

// end counts a run that is long enough for an episode.
func (d *stressDay) end(limits *bands, run highRun) {
	if run.min > 0 && float64(run.min) >= limits.episodeMin {
		d.episodeCount++
		d.episodeMin += run.min
	}
}
