package tracks

import (
	"cmp"
	"slices"
)

// A Measure is what a workout comes to. Figures that were not recorded are null: their flag is false.
type Measure struct {
	Positions      bool // there are some
	PositionsM     float64
	FixCount       int
	LeftOutCount   int
	CoveredShare   float64
	LongestGapMS   int64
	GapCount       int
	Counted        bool // the device told distances in time
	CountedM       float64
	Course         Course // of positions, or of the device's distances where there are none
	Heights        bool
	GainM, LossM   float64
	HeartSource    string // track, minutes or ""
	MeanBPM        float64
	MaxBPM         int32
	HeartCoveredMS int64
	Zoned          bool
	ZonesMS        [5]int64
	Loaded         bool
	TRIMP          float64
	Lengths        []Length
	Steady         Steady
}

// MeasureWorkout measures a workout.
func MeasureWorkout(w *Workout) Measure {
	w.sortTrack()
	var m Measure
	positions, leftOut := w.positions()
	counted := w.counted()
	m.FixCount, m.LeftOutCount, m.Positions = len(positions.MS), leftOut, len(positions.MS) > 1
	m.Counted, m.CountedM = len(counted.MS) > 1, counted.TotalM()
	switch {
	case m.Positions:
		m.Course, m.PositionsM, m.GapCount = positions, positions.TotalM(), positions.GapCount
		m.CoveredShare, m.LongestGapMS = w.covered(&positions)
	case m.Counted:
		m.Course = counted
	}
	if heights := w.heights(); len(heights) > 1 {
		m.Heights = true
		m.GainM, m.LossM = Climb(heights, w.Rules.ClimbFromM)
	}
	held, source := w.beats()
	m.heart(w, held, source)
	m.Lengths = w.lengths()
	m.Steady = steadyMinutes(w, &m.Course, held)
	return m
}

func (m *Measure) heart(w *Workout, held []Held, source string) {
	m.HeartSource = source
	m.MeanBPM, _ = MeanBPM(held)
	for _, h := range held {
		m.MaxBPM = max(m.MaxBPM, h.BPM)
		m.HeartCoveredMS += h.ForMS
	}
	if m.HeartCoveredMS == 0 {
		m.HeartSource = ""
		return
	}
	if w.ZoneBounds[0] > 0 {
		m.Zoned, m.ZonesMS = true, TimeInZones(held, w.ZoneBounds)
	}
	if w.RestBPM > 0 && w.MaxBPM > w.RestBPM {
		m.Loaded, m.TRIMP = true, TRIMP(held, w.StartMS, w.RestBPM, w.MaxBPM, weightingOf(w.Sex))
	}
}

// weightingOf returns the weighting of a sex; of neither it is the mean of both, factor by factor.
func weightingOf(sex string) Weighting {
	switch sex {
	case "male":
		return OfMen
	case "female":
		return OfWomen
	default:
		return Weighting{(OfMen.Factor + OfWomen.Factor) / 2, (OfMen.Exponent + OfWomen.Exponent) / 2}
	}
}

// Steady is what the even minutes of a run or walk come to.
type Steady struct {
	Minutes      int
	SpeedMPerMin float64
	ClimbMPerMin float64
	MeanBPM      float64
}

const (
	warmUpMin     = 3    // before, the heart is still on its way
	flatGrade     = 0.02 // steeper is not flat
	steadyLow     = 0.5  // of the reserve
	steadyHigh    = 0.9
	minuteCovered = 55_000 // ms of a minute with a heart rate
)

// steadyMinutes looks for whole minutes on the way, without a pause or a gap, on the flat, at half to nine tenths of the
// heart rate reserve.
func steadyMinutes(w *Workout, c *Course, held []Held) (s Steady) {
	if w.Family != "run" && w.Family != "walk" || len(c.MS) < 2 || w.MaxBPM <= w.RestBPM || w.RestBPM == 0 || len(held) == 0 {
		return s
	}
	heights := w.Track["altitude"]
	var speed, climb, bpm float64
	for start := c.MS[0] + warmUpMin*60_000; start+60_000 <= c.MS[len(c.MS)-1]; start += 60_000 {
		covered, mean := meanWithin(held, start, start+60_000)
		x := (mean - w.RestBPM) / (w.MaxBPM - w.RestBPM)
		m, even := c.within(start, start+60_000, w.Rules)
		if covered < minuteCovered || x < steadyLow || x > steadyHigh || !even {
			continue
		}
		up := heightAt(heights, start+60_000) - heightAt(heights, start)
		if up > flatGrade*m || -up > flatGrade*m {
			continue
		}
		s.Minutes++
		speed, climb, bpm = speed+m, climb+up, bpm+mean
	}
	if s.Minutes > 0 {
		n := float64(s.Minutes)
		s.SpeedMPerMin, s.ClimbMPerMin, s.MeanBPM = speed/n, climb/n, bpm/n
	}
	return s
}

// within returns how far the course came in a stretch of time, and whether it moved all the time and was recorded.
func (c *Course) within(fromMS, toMS int64, rules Rules) (m float64, even bool) {
	from, to := lastUntil(c.MS, fromMS), lastUntil(c.MS, toMS)
	if from < 0 || to <= from || toMS-c.MS[to] > rules.GapFromMS || fromMS-c.MS[from] > rules.GapFromMS {
		return 0, false
	}
	for i := from + 1; i <= to; i++ {
		if c.MS[i]-c.MS[i-1] > rules.GapFromMS || c.M[i] == c.M[i-1] && c.MS[i]-c.MS[i-1] >= rules.PauseFromMS {
			return 0, false
		}
	}
	return (c.M[to] - c.M[from]) * 60_000 / float64(c.MS[to]-c.MS[from]), c.M[to] > c.M[from]
}

// lastUntil returns the last of the rising times that is not after ms, -1 when all are.
func lastUntil(times []int64, ms int64) int {
	i, _ := slices.BinarySearch(times, ms+1)
	return i - 1
}

// meanWithin returns how many ms of the stretch have a heart rate, and its mean.
func meanWithin(held []Held, fromMS, toMS int64) (covered int64, bpm float64) {
	first, _ := slices.BinarySearchFunc(held, fromMS-holdMS, func(h Held, ms int64) int { return cmp.Compare(h.MS, ms) })
	for _, h := range held[first:] {
		if h.MS >= toMS {
			break
		}
		if ms := min(h.MS+h.ForMS, toMS) - max(h.MS, fromMS); ms > 0 {
			covered += ms
			bpm += float64(ms) * float64(h.BPM)
		}
	}
	if covered == 0 {
		return 0, 0
	}
	return covered, bpm / float64(covered)
}

// heightAt returns the last height told by then, in metres, the first before it, 0 where there are none.
func heightAt(heights []Sample, ms int64) float64 {
	if len(heights) == 0 {
		return 0
	}
	next, _ := slices.BinarySearchFunc(heights, ms+1, func(h Sample, ms int64) int { return cmp.Compare(h.MS, ms) })
	at := heights[max(0, next-1)]
	return float64(at.Value) / 100
}
