package activity

import (
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// BoutRules are the limits by which a walk, a run and a ride are told.
type BoutRules struct {
	LeastMin, RideMin         float64 // the shortest of steps, and of a heart alone
	GapMin                    float64 // so many minutes below end no stretch
	StepsMin                  float64 // a minute of so many counts
	SharePct                  float64 // of a stretch, minutes that count
	WalkCadence               float64
	RunCadence, RunHeartPct   float64 // a run when the heart says so too
	CertainCadence            float64 // a run whatever the heart says
	RideCadence, RideHeartPct float64
}

// Confidence in what one kind of evidence tells.
const (
	byHeartAlonePct  = 60 // it may be any exercise without steps
	withoutAHeartPct = 65 // a run, or a fast walk
)

// A Bout is a stretch of minutes that looks like a walk, a run or a ride.
type Bout struct {
	Kind          string
	First, Last   int32 // minutes since 1970-01-01 UTC
	ActiveMin     int
	Steps         int64
	Cadence       int32   // steps/min of the middle minute, the lower of two
	HeartBPM      float64 // mean of the samples; NaN without any
	ConfidencePct int32

	cadences           []int32
	heartSum, heartCnt int64
}

// IsRide reports whether it was told by the heart alone, so that it has no steps.
func (b *Bout) IsRide() bool { return b.Kind == ride }

func (b *Bout) durationMin() int32 { return b.Last - b.First + 1 }

// The kinds of bouts.
const (
	walk   = "walk"
	runner = "run"
	ride   = "ride"
)

// Bouts returns the bouts of a date. The person's highest and resting heart rate are NaN when they are not known.
func Bouts(r *BoutRules, heart samples.Heart, walked samples.Walked, maxBPM, restingBPM float64) []Bout {
	var bouts []Bout
	for _, b := range r.steppingStretches(walked) {
		if !r.isLong(&b, r.LeastMin) {
			continue
		}
		b.measure(heart)
		if b.Kind = r.kind(&b, maxBPM); b.Kind != "" {
			b.ConfidencePct = r.confidence(&b)
			bouts = append(bouts, b)
		}
	}
	for _, b := range r.ridingStretches(heart, walked, restingBPM+r.RideHeartPct*(maxBPM-restingBPM)/100) {
		if r.isLong(&b, r.RideMin) {
			b.measure(heart)
			b.Kind, b.ConfidencePct = ride, byHeartAlonePct
			bouts = append(bouts, b)
		}
	}
	return bouts
}

func (r *BoutRules) steppingStretches(walked samples.Walked) []Bout {
	var stretches []Bout
	for i, minute := range walked.Minutes {
		if steps := walked.Counts[i]; float64(steps) >= r.StepsMin {
			stretches = r.extend(stretches, minute)
			b := &stretches[len(stretches)-1]
			b.Steps += int64(steps)
			b.cadences = append(b.cadences, steps)
		}
	}
	for i := range stretches {
		cadences := stretches[i].cadences
		slices.Sort(cadences)
		stretches[i].Cadence = cadences[(len(cadences)-1)/2]
	}
	return stretches
}

// ridingStretches are of minutes with so fast a heart. Where there are steps nobody rides, whatever the heart does.
func (r *BoutRules) ridingStretches(heart samples.Heart, walked samples.Walked, fromBPM float64) []Bout {
	var stretches []Bout
	k := 0
	for i, minute := range heart.Minutes {
		if !(float64(heart.Sum(i)) >= fromBPM*float64(heart.Count(i))) { // also when it is not known
			continue
		}
		at, found := samples.Seek(walked.Minutes, k, minute)
		if k = at; !found || float64(walked.Counts[k]) < r.RideCadence {
			stretches = r.extend(stretches, minute)
		}
	}
	return stretches
}

// extend adds a minute to the last stretch, or begins another when too many lie between.
func (r *BoutRules) extend(stretches []Bout, minute int32) []Bout {
	if n := len(stretches); n == 0 || float64(minute-stretches[n-1].Last) > r.GapMin+1 {
		stretches = append(stretches, Bout{First: minute})
	}
	b := &stretches[len(stretches)-1]
	b.Last = minute
	b.ActiveMin++
	return stretches
}

func (r *BoutRules) isLong(b *Bout, leastMin float64) bool {
	duration := float64(b.durationMin())
	return duration >= leastMin && 100*float64(b.ActiveMin) >= r.SharePct*duration
}

// measure takes in the heart rate of all minutes from the first to the last.
func (b *Bout) measure(heart samples.Heart) {
	first, end := heart.Within(samples.Span{From: b.First, Until: b.Last + 1})
	for i := first; i < end; i++ {
		b.heartSum += int64(heart.Sum(i))
		b.heartCnt += int64(heart.Count(i))
	}
	b.HeartBPM = float64(b.heartSum) / float64(b.heartCnt)
}

func (r *BoutRules) kind(b *Bout, maxBPM float64) string {
	cadence := float64(b.Cadence)
	switch {
	case cadence >= r.CertainCadence,
		cadence >= r.RunCadence && float64(b.heartSum)*100 >= r.RunHeartPct*maxBPM*float64(b.heartCnt) && b.heartCnt > 0:
		return runner
	case cadence >= r.WalkCadence && cadence < r.CertainCadence:
		return walk
	default:
		return ""
	}
}

func (r *BoutRules) confidence(b *Bout) int32 {
	if float64(b.Cadence) >= r.RunCadence && b.heartCnt == 0 {
		return withoutAHeartPct
	}
	return int32(math.RoundToEven(float64(b.ActiveMin) * 100 / float64(b.durationMin())))
}
