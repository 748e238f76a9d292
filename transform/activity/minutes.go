package activity

import (
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// A Minute is one with a step or heart-rate sample, and what it counts for.
type Minute struct {
	Number   int32 // since 1970-01-01 UTC
	Steps    int32
	HeartBPM float64 // mean; NaN when not measured
	Hour     int8    // of the person's clock
	HasSteps bool

	cadence     class // by steps; still without any
	heart       class // by heart rate: moderate, vigorous, or still
	isInBed     bool
	isWornAwake bool
	isKeytel    bool // the heart is fast enough to tell the energy
	marks       mark
}

// A mark is what a minute is that counts by how many are so on end.
type mark uint8

// The marks of a minute.
const (
	sedentary mark = 1 << iota // awake, worn, without a step and with a heart at rest
	rushed                     // more steps than legs make for long
	shaken                     // many steps at a resting pulse
)

func (m *Minute) isMeasured() bool { return !math.IsNaN(m.HeartBPM) }

// A Day is a person's date: its minutes, and what is known of the person. What is not known is NaN.
type Day struct {
	Minutes  []Minute // in order
	Beds     samples.Spans
	Workouts samples.Spans // as recorded

	WornStretchMin int32 // so long a stretch of the clock is worn when a heart was measured in it

	WornByMotion bool // for want of a heart rate
	SleepUnknown bool // only the sums of the night are known
	WeightG      float64
	RestingBPM   float64
	ModerateBPM  float64 // from which on a heart is moderately fast
	VigorousBPM  float64
	SedentaryBPM float64 // below which a heart rests
	ShakerBPM    float64 // below which nobody takes many steps
	Keytel       Keytel

	marks         mark // of any minute
	isSittingTold bool // minutes without a step were counted too
}

// Keytel is what the heart says of energy (methods 3.3, E049).
type Keytel struct {
	FromBPM          float64 // below, it says nothing
	FromBPMInWorkout float64 // the same, in a workout
	Kcal, KcalABeat  float64 // a minute
}

func (k Keytel) kcal(bpm float64) float64 { return k.Kcal + k.KcalABeat*bpm }

// Rules are the limits that hold for everybody.
type Rules struct {
	CadenceModerate, CadenceVigorous         float64
	RecentMin                                float64
	Wear                                     WearRules
	SittingCountedPct                        float64
	ProlongedMin, LongMin, MotionStillMin    float64
	ModeratePoints, VigorousPoints           float64
	METLight, METModerate, METVigorous       float64
	ImplausibleCadence                       float64
	ImplausibleRunCadence, ImplausibleRunMin float64
	ShakerCadence, ShakerRunMin              float64
}

// A class of a minute is how hard it was.
type class int8

// The classes.
const (
	still class = iota
	light
	moderate
	vigorous
)

// classify tells for each minute in order what it counts for.
func (d *Day) classify(r *Rules) {
	for i := range d.Minutes {
		m := &d.Minutes[i]
		m.cadence = r.cadence(m)
		if m.isInBed = d.Beds.Contain(m.Number); !m.isInBed {
			m.heart = d.heart(m)
			m.isKeytel = m.HeartBPM >= d.Keytel.FromBPM ||
				m.HeartBPM >= d.Keytel.FromBPMInWorkout && d.inWorkout(m.Number, 0)
			m.isWornAwake = d.WornByMotion && !d.SleepUnknown
		}
	}
	if !d.SleepUnknown {
		wake(d.Minutes, d.WornStretchMin)
	}
	d.marks = 0
	wornMin, countedMin, stillMin := 0, 0, 0
	for i := range d.Minutes {
		m := &d.Minutes[i]
		m.marks = d.mark(m, r)
		d.marks |= m.marks
		if !m.isWornAwake {
			continue
		}
		wornMin++
		if m.HasSteps {
			countedMin++
			if m.Steps == 0 {
				stillMin++
			}
		}
	}
	// By motion there are no minutes but those with a step sample: what tells is that some are without a step.
	d.isSittingTold = !d.SleepUnknown && 100*float64(countedMin) >= r.SittingCountedPct*float64(wornMin) &&
		(stillMin > 0 || !d.WornByMotion)
}

func (d *Day) mark(m *Minute, r *Rules) (marks mark) {
	if !m.HasSteps {
		return 0
	}
	if m.Steps == 0 && m.isWornAwake && !(m.HeartBPM >= d.SedentaryBPM) { // also when one is not known
		marks |= sedentary
	}
	steps := float64(m.Steps)
	if steps > r.ImplausibleRunCadence {
		marks |= rushed
	}
	if steps >= r.ShakerCadence && m.HeartBPM < d.ShakerBPM {
		marks |= shaken
	}
	return marks
}

func (r *Rules) cadence(m *Minute) class {
	switch steps := float64(m.Steps); {
	case !m.HasSteps || steps <= 0:
		return still
	case steps >= r.CadenceVigorous:
		return vigorous
	case steps >= r.CadenceModerate:
		return moderate
	default:
		return light
	}
}

func (d *Day) heart(m *Minute) class {
	switch {
	case m.HeartBPM >= d.VigorousBPM:
		return vigorous
	case m.HeartBPM >= d.ModerateBPM:
		return moderate
	default:
		return still
	}
}

// inWorkout reports whether a minute is in a workout, or within some minutes after one.
func (d *Day) inWorkout(number int32, afterMin float64) bool {
	return slices.ContainsFunc(d.Workouts, func(w samples.Span) bool {
		return w.From <= number && float64(number) < float64(w.Until)+afterMin
	})
}

// wake marks the minutes out of bed in those stretches of the clock that have a heart rate: there the watch was worn.
func wake(minutes []Minute, stretchMin int32) {
	for from := 0; from < len(minutes); {
		to, isWorn := from, false
		// The first minute behind the stretch is told without dividing by it again and again.
		end := (minutes[from].Number/stretchMin + 1) * stretchMin
		for ; to < len(minutes) && minutes[to].Number < end; to++ {
			isWorn = isWorn || minutes[to].isMeasured()
		}
		for i := from; isWorn && i < to; i++ {
			minutes[i].isWornAwake = !minutes[i].isInBed
		}
		from = to
	}
}

// A run is minutes that follow each other.
type run struct{ from, to int } // places; to is the last

func (r run) length() int { return r.to - r.from + 1 }

// runsOf returns the longest runs of minutes of a mark.
func (d *Day) runsOf(of mark) []run {
	if d.marks&of == 0 { // of most dates
		return nil
	}
	var runs []run
	for i := 0; i < len(d.Minutes); i++ {
		if d.Minutes[i].marks&of == 0 {
			continue
		}
		from := i
		for i+1 < len(d.Minutes) && d.Minutes[i+1].marks&of != 0 && d.Minutes[i+1].Number == d.Minutes[i].Number+1 {
			i++
		}
		runs = append(runs, run{from, i})
	}
	return runs
}

// inLongRuns returns the minutes of those runs that are at least so long.
func (d *Day) inLongRuns(leastMin float64, of mark) []Minute {
	var within []Minute
	for _, r := range d.runsOf(of) {
		if float64(r.length()) >= leastMin {
			within = append(within, d.Minutes[r.from:r.to+1]...)
		}
	}
	return within
}
