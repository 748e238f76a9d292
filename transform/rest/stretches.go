package rest

import "slices"

const (
	slotMin   = 5
	hourSlots = 60 / slotMin
	dayMin    = 24 * 60
)

// A Kind says what wrist and heart did.
type Kind int32

// The kinds, as the table has them.
const (
	Unrest Kind = iota
	RestBySteps
	RestByMotion
)

// A Stretch is slots of five minutes on end that are of one kind. In slots that belong to none, the watch was not worn.
type Stretch struct {
	First        int32 // slot since 1970-01-01 UTC
	Slots        int32
	Kind         Kind
	UTCOffsetMin int32
}

// A Day is the hours of a person's date with a heart rate, and the slots of each, as stg_day_samples has them.
type Day struct {
	FirstSlots, UTCOffsetsMin []int32 // by hour
	HeartMinsBPM              []int32
	HeartSums, Hearts         []int32 // by slot
	Steps, Walking            []int32
	Epochs, MotionMedians     []int32
}

// A Search is 24 hours of a person, and what counts as rest in them.
type Search struct {
	User       string
	Date       int32   // in which they end, days since 1970-01-01
	MedianBPM  float64 // below, the heart rests
	StillCount float64 // up to it, a motion epoch is still; NaN when none was measured
	DayCutMin  float64 // minute of the person's clock at which the 24 hours begin and end
	Charging   []int32 // slots

	slots []slot // from the first hour on
	first int32
}

// A slot is what the samples of five minutes come to.
type slot struct {
	number         int32 // since 1970-01-01 UTC
	utcOffsetMin   int32
	heartSum       int64
	hearts         int32
	steps, walking int32 // samples, and those with a step
	epochs, still  int32 // of motion
}

// Add adds those hours of a date that belong to the search: of its own date those before the cut, of the one before those
// after it. In hours whose heart rate is never below the median nobody rests.
func (s *Search) Add(d *Day, isOwn bool) {
	for i, first := range d.FirstSlots {
		minute := (first*slotMin + d.UTCOffsetsMin[i]) % dayMin
		if (float64(minute) < s.DayCutMin) != isOwn || float64(d.HeartMinsBPM[i]) >= s.MedianBPM {
			continue
		}
		for n := range int32(hourSlots) {
			if k := i*hourSlots + int(n); d.Hearts[k]+d.Steps[k]+d.Epochs[k] > 0 {
				s.slot(first+n, d.UTCOffsetsMin[i]).add(d, k, s.StillCount)
			}
		}
	}
}

// add adds the samples of a slot. By their median its epochs of motion are all still, or none is.
func (t *slot) add(d *Day, k int, stillCount float64) {
	t.heartSum += int64(d.HeartSums[k])
	t.hearts += d.Hearts[k]
	t.steps += d.Steps[k]
	t.walking += d.Walking[k]
	t.epochs += d.Epochs[k]
	if float64(d.MotionMedians[k]) <= stillCount {
		t.still += d.Epochs[k]
	}
}

// slot returns the slot of that number. Hours come in order, but for those that were recorded at another offset.
func (s *Search) slot(number, utcOffsetMin int32) *slot {
	if len(s.slots) == 0 {
		s.first = number
	}
	for ; number < s.first; s.first-- {
		s.slots = slices.Insert(s.slots, 0, slot{number: s.first - 1})
	}
	for int32(len(s.slots)) <= number-s.first {
		s.slots = append(s.slots, slot{number: s.first + int32(len(s.slots))})
	}
	t := &s.slots[number-s.first]
	if t.hearts+t.steps+t.epochs == 0 || utcOffsetMin < t.utcOffsetMin {
		t.utcOffsetMin = utcOffsetMin
	}
	return t
}

// Stretches appends those of the search, in order.
func (s *Search) Stretches(stretches []Stretch) []Stretch {
	from := len(stretches)
	for i := range s.slots {
		t := &s.slots[i]
		if !s.isWorn(t) {
			continue
		}
		kind := s.kind(t)
		if n := len(stretches); n > from {
			last := &stretches[n-1]
			if last.First+last.Slots == t.number && last.Kind == kind && last.UTCOffsetMin == t.utcOffsetMin {
				last.Slots++
				continue
			}
		}
		stretches = append(stretches, Stretch{t.number, 1, kind, t.utcOffsetMin})
	}
	return stretches
}

// isWorn reports whether the slot has a heart rate, and its person was not charging the watch.
func (s *Search) isWorn(t *slot) bool { return t.hearts > 0 && !slices.Contains(s.Charging, t.number) }

// kind tells whether wrist and heart rest. Steps and motion count as medians: a turn in bed breaks no rest.
func (s *Search) kind(t *slot) Kind {
	switch {
	case float64(t.heartSum) >= s.MedianBPM*float64(t.hearts), t.steps > 0 && 2*t.walking >= t.steps, 2*t.still < t.epochs,
		t.steps+t.epochs == 0:
		return Unrest
	case t.epochs > 0:
		return RestByMotion
	}
	return RestBySteps
}
