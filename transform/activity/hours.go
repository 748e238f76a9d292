package activity

import "math"

// An Hour is how an hour of the person's clock was spent. The hour that comes twice is one.
type Hour struct {
	Minutes int // in which something was measured: none is no hour

	Steps             int64
	ObservedMin       int    // with a step sample
	MeasuredMin       int    // with a heart-rate sample
	CadenceMin        [4]int // by class of cadence
	CardioMin         [4]int // by class of cadence or heart rate, whichever says more
	WornAwakeMin      int    // in which the watch was worn and its person not in bed
	SedentaryMin      int    // of them
	LongestBoutMin    int    // of bouts that begin in the hour
	ProlongedBouts    int    // of them
	ProlongedBoutMin  int    // in them
	LongBouts, Breaks int    // of them
	HeartCal          int64  // what the heart says of energy
	HeartEnergyMin    int    // in so many minutes
	stepEnergyMin     [4]int // minutes whose energy is told from steps, by class
	ImplausibleMin    int    // of more steps than legs make
	ImplausibleRunMin int    // of so many steps on end
	ShakerMin         int    // of many steps on end at a resting pulse
	gainedMin         int    // that the heart adds
}

// IsClassed reports whether anything tells how hard the hour was.
func (h *Hour) IsClassed() bool { return h.ObservedMin > 0 || h.gainedMin > 0 }

// EnergyMin returns how many minutes the energy is estimated over.
func (h *Hour) EnergyMin() int {
	n := h.HeartEnergyMin
	for _, ofClass := range h.stepEnergyMin {
		n += ofClass
	}
	return n
}

// EnergyCal returns the energy beyond rest: 1 kcal per kg and hour for each MET beyond the one of rest (methods 3.3, E048),
// or what the heart says where it may.
func (h *Hour) EnergyCal(weightG float64, r *Rules) int64 {
	mets := float64(h.stepEnergyMin[light])*(r.METLight-1) + float64(h.stepEnergyMin[moderate])*(r.METModerate-1) +
		float64(h.stepEnergyMin[vigorous])*(r.METVigorous-1)
	return h.HeartCal + int64(math.Round(weightG*mets/60))
}

// Hours returns the hours of the date's clock.
func (d *Day) Hours(r *Rules) *[24]Hour {
	d.classify(r)
	hours := &[24]Hour{}
	for i := range d.Minutes {
		m := &d.Minutes[i]
		hours[m.Hour].count(m, r)
	}
	d.countHearts(hours, r)
	d.countSitting(hours, r)
	d.countDoubts(hours, r)
	return hours
}

func (h *Hour) count(m *Minute, r *Rules) {
	h.Minutes++
	if m.HasSteps {
		h.ObservedMin++
		h.Steps += int64(m.Steps)
		h.CadenceMin[m.cadence]++
		h.CardioMin[m.cadence]++
		h.stepEnergyMin[m.cadence]++
		if float64(m.Steps) > r.ImplausibleCadence {
			h.ImplausibleMin++
		}
	}
	if m.isMeasured() {
		h.MeasuredMin++
	}
	if m.isWornAwake {
		h.WornAwakeMin++
	}
	if m.marks&sedentary != 0 {
		h.SedentaryMin++
	}
}

// countHearts adds what fast hearts say: the class of the minute where it is the higher one and the person just moved, and
// the energy, in place of what the steps say.
func (d *Day) countHearts(hours *[24]Hour, r *Rules) {
	lastStep := math.Inf(-1)
	for i := range d.Minutes {
		m := &d.Minutes[i]
		if m.Steps > 0 {
			lastStep = float64(m.Number)
		}
		h := &hours[m.Hour]
		if m.heart > m.cadence && (float64(m.Number)-lastStep <= r.RecentMin || d.inWorkout(m.Number, r.RecentMin)) {
			h.gainedMin++
			h.CardioMin[m.heart]++
			if m.HasSteps {
				h.CardioMin[m.cadence]--
			}
		}
		if !m.isKeytel {
			continue
		}
		// It is no number when rest is not known.
		if cal := math.Round(1000 * (d.Keytel.kcal(m.HeartBPM) - d.Keytel.kcal(d.RestingBPM))); cal >= 0 {
			h.HeartCal += int64(cal)
			h.HeartEnergyMin++
			if m.HasSteps {
				h.stepEnergyMin[m.cadence]--
			}
		}
	}
}

// countSitting counts bouts in the hour they begin in. By motion alone, so long without a step is a watch on a table.
func (d *Day) countSitting(hours *[24]Hour, r *Rules) {
	var bouts []run
	for _, b := range d.runsOf(sedentary) {
		if d.WornByMotion && float64(b.length()) >= r.MotionStillMin {
			for _, m := range d.Minutes[b.from : b.to+1] {
				hours[m.Hour].WornAwakeMin--
				hours[m.Hour].SedentaryMin--
			}
			continue
		}
		bouts = append(bouts, b)
	}
	for i, b := range bouts {
		h, length := &hours[d.Minutes[b.from].Hour], b.length()
		h.LongestBoutMin = max(h.LongestBoutMin, length)
		if float64(length) >= r.ProlongedMin {
			h.ProlongedBouts++
			h.ProlongedBoutMin += length
		}
		if float64(length) >= r.LongMin {
			h.LongBouts++
		}
		if i < len(bouts)-1 && d.isBrokenOff(b) {
			h.Breaks++
		}
	}
}

// isBrokenOff reports whether the very next minute is worn, awake and not sedentary.
func (d *Day) isBrokenOff(b run) bool {
	if b.to+1 == len(d.Minutes) {
		return false
	}
	next := &d.Minutes[b.to+1]
	return next.Number == d.Minutes[b.to].Number+1 && next.isWornAwake && next.HasSteps
}

// countDoubts counts, within long runs of them, steps that no legs make and steps without a pulse.
func (d *Day) countDoubts(hours *[24]Hour, r *Rules) {
	for _, m := range d.inLongRuns(r.ImplausibleRunMin, rushed) {
		hours[m.Hour].ImplausibleRunMin++
	}
	for _, m := range d.inLongRuns(r.ShakerRunMin, shaken) {
		hours[m.Hour].ShakerMin++
	}
}
