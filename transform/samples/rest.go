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
	slots        [hourSlots]restSlot
	motions      []epoch // in order of slot
}

// A restSlot is what the samples of five minutes come to.
type restSlot struct {
	heartSum, hearts int32
	steps, walking   int32 // samples, and those with a step
	epochs           int32 // of motion
}

// An epoch is a sample of motion in a slot of its hour.
type epoch struct{ slot, count int32 }

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
	r.hours[n] = restHour{slot: slot, utcOffsetMin: h.UTCOffsetMin, motions: r.hours[n].motions[:0]}
	return &r.hours[n]
}

func (h *Hour) slotOf(i int) int { return int(min(h.offsetMS(i)/slotMS, hourSlots-1)) }

func (h *restHour) addHearts(of *Hour) {
	if lowest := slices.Min(of.Values); h.hearts == 0 || lowest < h.lowestBPM {
		h.lowestBPM = lowest
	}
	for i, v := range of.Values {
		s := &h.slots[of.slotOf(i)]
		s.hearts++
		s.heartSum += v
		h.heartSum += v
	}
	h.hearts += int32(len(of.Values))
	h.coveredMS += int64(len(of.Values)) * int64(max(of.PeriodMS, 5000))
}

func (h *restHour) addSteps(of *Hour) {
	for i, v := range of.Values {
		s := &h.slots[of.slotOf(i)]
		s.steps++
		if v > 0 {
			s.walking++
		}
	}
}

func (h *restHour) addMotion(of *Hour) {
	h.motionMedian = max(h.motionMedian, lowerMedian(of.Values))
	for i, v := range of.Values {
		slot := of.slotOf(i)
		h.slots[slot].epochs++
		h.motions = append(h.motions, epoch{int32(slot), v})
		h.motionSum += v
	}
	bySlot := func(a, b epoch) int { return cmp.Compare(a.slot, b.slot) }
	if !slices.IsSortedFunc(h.motions, bySlot) {
		slices.SortStableFunc(h.motions, bySlot)
	}
}

// lowerMedian returns the median of counts, the lower of two. It is 0 in most hours.
func lowerMedian(counts []int32) int32 {
	place, zeros := (len(counts)-1)/2, 0
	for _, v := range counts {
		if v == 0 {
			zeros++
		}
	}
	if zeros > place && slices.Min(counts) == 0 {
		return 0
	}
	sorted := slices.Clone(counts)
	slices.Sort(sorted)
	return sorted[place]
}
