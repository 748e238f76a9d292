package samples

import (
	"cmp"
	"slices"
)

const (
	slotMS    = 300_000
	hourMS    = 3_600_000
	hourSlots = hourMS / slotMS
)

// A rester tells, of the one device that stands for a date, the hours and slots of five minutes in which rest can be told
// from unrest: what the wrist does and what the heart does must be seen on the same arm. It takes samples as recorded.
type rester struct {
	hours []restHour
}

// A restHour is an hour of the device. Those without a heart rate are left out: nobody knows that it was worn.
type restHour struct {
	slot         int64 // its first, slots of five minutes since 1970-01-01 UTC
	utcOffsetMin int32
	coveredMS    int64 // by heart rates
	heartSum     int32
	hearts       int32
	lowestBPM    int32
	motionSum    int32
	motionMedian int32
	epochs       int32 // of motion
	slots        [hourSlots]restSlot
}

// A restSlot is what the samples of five minutes come to.
type restSlot struct {
	heartSum, hearts int32
	steps, walking   int32   // samples, and those with a step
	motions          []int32 // counts of the epochs
}

func (h *restHour) measuredMin() int32 { return int32(min(60, h.coveredMS/minuteMS)) }

// rest fills in the hours of a date.
func (r *rester) rest(of []Hour) {
	r.hours = r.hours[:0]
	device, ok := restDevice(of)
	if !ok {
		return
	}
	for i := range of {
		if h := &of[i]; h.Device == device {
			r.add(h)
		}
	}
	r.hours = slices.DeleteFunc(r.hours, func(h restHour) bool { return h.hearts == 0 })
	slices.SortFunc(r.hours, func(a, b restHour) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.utcOffsetMin, b.utcOffsetMin))
	})
}

// restDevice returns the device that stands for the date: of several as good the one with most heart rates.
func restDevice(of []Hour) (device string, ok bool) {
	return PreferredDevice(of, HeartRate, func(h *Hour) int64 { return int64(len(h.Values)) * int64(max(h.PeriodMS, 1000)) })
}

func (r *rester) add(h *Hour) {
	switch h.Metric { //nolint:exhaustive // the others tell nothing of rest
	case HeartRate:
		r.hour(h).addHearts(h)
	case Steps:
		r.hour(h).addSteps(h)
	case Motion:
		r.hour(h).addMotion(h)
	}
}

// hour returns an hour at its offset, a new one in the memory of a date before.
func (r *rester) hour(h *Hour) *restHour {
	slot := floorDiv(h.HourUS/1000, slotMS)
	for i := range r.hours {
		if r.hours[i].slot == slot && r.hours[i].utcOffsetMin == h.UTCOffsetMin {
			return &r.hours[i]
		}
	}
	n := len(r.hours)
	if n < cap(r.hours) {
		r.hours = r.hours[:n+1]
	} else {
		r.hours = append(r.hours, restHour{})
	}
	r.hours[n] = restHour{slot: slot, utcOffsetMin: h.UTCOffsetMin}
	return &r.hours[n]
}

func (h *restHour) addHearts(of *Hour) {
	for place, rates := range of.places(slotMS) {
		low, _, sum := extent(rates)
		if h.hearts == 0 || low < h.lowestBPM {
			h.lowestBPM = low
		}
		s := &h.slots[min(place, hourSlots-1)]
		s.hearts, h.hearts = s.hearts+int32(len(rates)), h.hearts+int32(len(rates))
		s.heartSum, h.heartSum = s.heartSum+sum, h.heartSum+sum
	}
	h.coveredMS += int64(len(of.Values)) * int64(max(of.PeriodMS, 5000))
}

func (h *restHour) addSteps(of *Hour) {
	for place, steps := range of.places(slotMS) {
		s := &h.slots[min(place, hourSlots-1)]
		s.steps += int32(len(steps))
		for _, v := range steps {
			if v > 0 {
				s.walking++
			}
		}
	}
}

func (h *restHour) addMotion(of *Hour) {
	h.motionMedian = max(h.motionMedian, lowerMedian(of.Values))
	for place, counts := range of.places(slotMS) {
		s := &h.slots[min(place, hourSlots-1)]
		if len(s.motions) == 0 {
			s.motions = counts
		} else {
			s.motions = slices.Concat(s.motions, counts)
		}
		_, _, sum := extent(counts)
		h.motionSum += sum
	}
	h.epochs += int32(len(of.Values))
}

// lowerMedian returns the median of counts, the lower of two; 0 without counts. It is 0 in most hours.
func lowerMedian(counts []int32) int32 {
	if len(counts) == 0 {
		return 0
	}
	place, zeros := (len(counts)-1)/2, 0
	for _, v := range counts {
		if v == 0 {
			zeros++
		}
	}
	if zeros > place && slices.Min(counts) == 0 {
		return 0
	}
	var memory [hourMS / 30_000]int32 // of an hour of most devices' epochs
	sorted := append(memory[:0], counts...)
	slices.Sort(sorted)
	return sorted[place]
}
