package heart

import (
	"math"

	"github.com/diurna-health/diurna/transform/samples"
)

// Limits are those beyond which a heart rate makes an episode.
type Limits struct {
	HighBPM, LowBPM, LowAsleepBPM float64
	AwakeMin                      float64 // after a step, for so long, the person is awake
	StillMin                      float64 // so long without a step, and the person is still
	EpisodeMin                    float64 // the shortest episode
	MeasuredPct                   float64 // of it
	HoleMin                       float64 // so long may pass unmeasured
	RearmMin                      float64 // what begins sooner after an episode belongs to it
}

// An Episode is a time beyond a limit.
type Episode struct {
	IsHigh               bool
	From, Until          int32 // minutes since 1970-01-01 UTC
	MeasuredMin          int
	LimitBPM             float64 // the nearer one when it changed
	MeanBPM, FurthestBPM float64
}

// Episodes returns the episodes of a date, the high ones first.
func Episodes(l *Limits, heart samples.Heart, walked samples.Walked, workouts samples.Spans) []Episode {
	states := statesOf(l, heart, walked, workouts)
	high := l.armed(l.runs(states, true, func(m *state) (float64, bool) {
		return l.HighBPM, m.rate.bpm() > l.HighBPM
	}))
	low := l.armed(l.runs(states, false, func(m *state) (float64, bool) {
		limit := l.LowAsleepBPM
		if m.isAwake {
			limit = l.LowBPM
		}
		return limit, m.rate.bpm() < limit
	}))
	return append(high, low...)
}

// A state is a measured minute and what is known of the person in it.
type state struct {
	place            int // among the measured minutes
	minute           int32
	rate             rate
	isStill, isAwake bool
}

// statesOf returns the states of the minutes that may be beyond a limit, which few are. What nobody counted is not still: a
// phone lies on the table, and a counter that is read once an hour says nothing of the minutes between.
func statesOf(l *Limits, heart samples.Heart, walked samples.Walked, workouts samples.Spans) []state {
	const rounded = 1e-6 // beats/min, more than a rate is rounded by
	slow, fast := max(l.LowBPM, l.LowAsleepBPM)+rounded, l.HighBPM-rounded
	var states []state
	lastStep, k := math.Inf(-1), 0
	var quiet samples.Span // the last minutes on end that were counted and had no step
	for i, minute := range heart.Minutes {
		if bpm := heart.Mean(i); bpm > slow && bpm < fast {
			continue
		}
		for ; k < len(walked.Minutes) && walked.Minutes[k] <= minute; k++ {
			counted := walked.Minutes[k]
			if counted != quiet.Until {
				quiet.From = counted
			}
			quiet.Until = counted + 1
			if walked.Counts[k] > 0 {
				lastStep, quiet.From = float64(counted), counted+1
			}
		}
		states = append(states, state{
			place: i, minute: minute, rate: rateOf(heart.Mean(i)),
			isStill: minute < quiet.Until && float64(minute-quiet.From) >= l.StillMin && !workouts.Contain(minute),
			isAwake: float64(minute)-lastStep <= l.AwakeMin,
		})
	}
	return states
}

// A run is measured minutes beyond a limit, with few between them that were not measured.
type run struct {
	Episode

	sum, lowest, highest rate
}

func (l *Limits) runs(states []state, isHigh bool, beyond func(*state) (limit float64, is bool)) []run {
	var runs []run
	var before *state // the last one beyond
	for i := range states {
		m := &states[i]
		limit, is := beyond(m)
		if is = is && m.isStill; !is {
			continue
		}
		if before == nil || before.place != m.place-1 || float64(m.minute-before.minute-1) > l.HoleMin {
			runs = append(runs, run{Episode: Episode{IsHigh: isHigh, From: m.minute, LimitBPM: limit}, lowest: m.rate, highest: m.rate})
		}
		r := &runs[len(runs)-1]
		r.Until = m.minute + 1
		r.MeasuredMin++
		r.LimitBPM = max(r.LimitBPM, limit)
		r.sum += m.rate
		r.lowest, r.highest = min(r.lowest, m.rate), max(r.highest, m.rate)
		before = m
	}
	return runs
}

// armed returns the runs that are long and measured enough, but for those that begin soon after another of these.
func (l *Limits) armed(runs []run) []Episode {
	var episodes []Episode
	until := math.Inf(-1)
	for _, r := range runs {
		length := float64(r.Until - r.From)
		if length < l.EpisodeMin || 100*float64(r.MeasuredMin) < l.MeasuredPct*length {
			continue
		}
		isArmed := float64(r.From)-until >= l.RearmMin
		until = float64(r.Until)
		if !isArmed {
			continue
		}
		r.MeanBPM, r.FurthestBPM = r.sum.mean(r.MeasuredMin), r.lowest.bpm()
		if r.IsHigh {
			r.FurthestBPM = r.highest.bpm()
		}
		episodes = append(episodes, r.Episode)
	}
	return episodes
}
