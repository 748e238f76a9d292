package activity

import (
	"math"
	"slices"

	"github.com/diurna-health/diurna/transform/samples"
)

// A Minute is one with a step or heart-rate sample.
type Minute struct {
	Number   int32 // since 1970-01-01 UTC
	Hour     int32 // of the person's clock
	HasSteps bool
	Steps    int32
	HeartBPM float64 // mean; NaN when not measured
}

// A Day is a person's date: its minutes, and what is known of the person. What is not known is NaN.
type Day struct {
	Minutes []Minute // in order
	Beds    samples.Spans

	WornByMotion bool // for want of a heart rate
	SleepUnknown bool // only the sums of the night are known
	WeightG      float64
	RestingBPM   float64
	ModerateBPM  float64 // from which on a heart is moderately fast
	VigorousBPM  float64
	SedentaryBPM float64 // below which a heart rests
	ShakerBPM    float64 // below which nobody takes many steps
	Keytel       Keytel

	classed []classed // the minutes, in the memory of the date before
}

// Keytel is what the heart says of energy (methods.md E049).
type Keytel struct {
	FromBPM         float64 // below, it says nothing
	Kcal, KcalABeat float64 // a minute
}

func (k Keytel) kcal(bpm float64) float64 { return k.Kcal + k.KcalABeat*bpm }

// Rules are the limits that hold for everybody.
type Rules struct {
	CadenceModerate, CadenceVigorous         float64
	RecentStepMin, WornStretchMin            float64
	ProlongedMin, LongMin, MotionStillMin    float64
	ModeratePoints, VigorousPoints           float64
	METLight, METModerate, METVigorous       float64
	ImplausibleCadence                       float64
	ImplausibleRunCadence, ImplausibleRunMin float64
	ShakerCadence, ShakerRunMin              float64
}

// Classes of a minute.
const (
	still = iota
	light
	moderate
	vigorous
)

// A classed is a minute and what it counts for.
type classed struct {
	Minute

	cadence     int // its class by steps; still without any
	heart       int // its class by heart rate: moderate, vigorous, or still
	isMeasured  bool
	isInBed     bool
	isWornAwake bool
	isSedentary bool
	isKeytel    bool // the heart is fast enough to tell the energy
}

// classify tells for each minute in order what it counts for.
func (d *Day) classify(r *Rules) []classed {
	minutes := slices.Grow(d.classed[:0], len(d.Minutes))[:len(d.Minutes)]
	d.classed = minutes
	for i := range d.Minutes {
		m := &d.Minutes[i]
		minutes[i] = classed{
			Minute: *m, cadence: r.cadence(m), isMeasured: !math.IsNaN(m.HeartBPM), isInBed: d.Beds.Contain(m.Number),
		}
		if c := &minutes[i]; !c.isInBed {
			c.heart = d.heart(m)
			c.isKeytel = m.HeartBPM >= d.Keytel.FromBPM
			c.isWornAwake = d.WornByMotion && !d.SleepUnknown
		}
	}
	if !d.SleepUnknown {
		wake(minutes, r.WornStretchMin)
	}
	for i := range minutes {
		m := &minutes[i]
		m.isSedentary = m.isWornAwake && m.HasSteps && m.Steps == 0 && !(m.HeartBPM >= d.SedentaryBPM) // also when one is not known
	}
	return minutes
}

func (r *Rules) cadence(m *Minute) int {
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

func (d *Day) heart(m *Minute) int {
	switch {
	case m.HeartBPM >= d.VigorousBPM:
		return vigorous
	case m.HeartBPM >= d.ModerateBPM:
		return moderate
	default:
		return still
	}
}

// wake marks the minutes out of bed in those stretches of the clock that have a heart rate: there the watch was worn.
func wake(minutes []classed, stretchMin float64) {
	for from := 0; from < len(minutes); {
		to, isWorn := from, false
		// All are whole numbers: the first minute behind the stretch is told without dividing by it again and again.
		end := (math.Floor(float64(minutes[from].Number)/stretchMin) + 1) * stretchMin
		for ; to < len(minutes) && float64(minutes[to].Number) < end; to++ {
			isWorn = isWorn || minutes[to].isMeasured
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

// runsOf returns the longest runs of minutes of which something is so.
func runsOf(minutes []classed, is func(*classed) bool) []run {
	var runs []run
	for i := range minutes {
		if !is(&minutes[i]) {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].to == i-1 && minutes[i].Number == minutes[i-1].Number+1 {
			runs[n-1].to = i
		} else {
			runs = append(runs, run{i, i})
		}
	}
	return runs
}

// inLongRuns returns the minutes of those runs that are at least so long.
func inLongRuns(minutes []classed, leastMin float64, is func(*classed) bool) []classed {
	var within []classed
	for _, r := range runsOf(minutes, is) {
		if float64(r.length()) >= leastMin {
			within = append(within, minutes[r.from:r.to+1]...)
		}
	}
	return within
}
