package rest

import "slices"

const (
	slotMin   = 5
	hourSlots = 60 / slotMin
	dayMin    = 24 * 60
)

// A Day is the hours of a person's date with a heart rate, and the slots of each, as stg_day_samples has them.
type Day struct {
	FirstSlots, UTCOffsetsMin []int32 // by hour
	HeartMinsBPM              []int32
	HeartSums, Hearts         []int32 // by slot
	Steps, Walking            []int32
	Epochs                    []int32
	Motions                   []int32 // by epoch, in order of slot
}

// A Search is 24 hours of a person, and what counts as rest in them.
type Search struct {
	User          string
	Date          int32   // in which they end, days since 1970-01-01
	MedianBPM     float64 // below, the heart rests
	StillCount    float64 // up to it, a motion epoch is still; NaN when none was measured
	IsNight       bool    // sleep is looked for on that date
	IsNightBefore bool    // and on the one before
	DayCutMin     float64 // minute of the person's clock at which the 24 hours begin and end
	Charging      []int32 // slots

	slots []slot // from the first hour on
	first int64
}

// A slot is what the samples of five minutes come to.
type slot struct {
	number         int64 // since 1970-01-01 UTC
	utcOffsetMin   int32
	heartSum       int64
	hearts         int
	steps, walking int // samples, and those with a step
	epochs, still  int // of motion
}

// Add adds those hours of a date that belong to the search: of its own date those before the cut, of the one before those
// after it. In hours whose heart rate is never below the median nobody rests.
func (s *Search) Add(d *Day, isOwn bool) {
	motions := d.Motions
	for i, first := range d.FirstSlots {
		from := i * hourSlots
		minute := (first*slotMin + d.UTCOffsetsMin[i]) % dayMin
		isIn := (float64(minute) < s.DayCutMin) == isOwn && float64(d.HeartMinsBPM[i]) < s.MedianBPM
		for k := from; k < from+hourSlots; k++ {
			epochs := motions[:d.Epochs[k]]
			motions = motions[d.Epochs[k]:]
			if isIn && d.Hearts[k]+d.Steps[k]+d.Epochs[k] > 0 {
				s.slot(int64(first)+int64(k-from), d.UTCOffsetsMin[i]).add(d, k, s.still(epochs))
			}
		}
	}
}

// still counts the epochs in which the wrist was still.
func (s *Search) still(motions []int32) (n int) {
	for _, count := range motions {
		if float64(count) <= s.StillCount {
			n++
		}
	}
	return n
}

func (t *slot) add(d *Day, k, still int) {
	t.heartSum += int64(d.HeartSums[k])
	t.hearts += int(d.Hearts[k])
	t.steps += int(d.Steps[k])
	t.walking += int(d.Walking[k])
	t.epochs += int(d.Epochs[k])
	t.still += still
}

// slot returns the slot of that number. Hours come in order, but for those that were recorded at another offset.
func (s *Search) slot(number int64, utcOffsetMin int32) *slot {
	if len(s.slots) == 0 {
		s.first = number
	}
	for ; number < s.first; s.first-- {
		s.slots = slices.Insert(s.slots, 0, slot{number: s.first - 1})
	}
	for int64(len(s.slots)) <= number-s.first {
		s.slots = append(s.slots, slot{number: s.first + int64(len(s.slots))})
	}
	t := &s.slots[number-s.first]
	if t.hearts+t.steps+t.epochs == 0 || utcOffsetMin < t.utcOffsetMin {
		t.utcOffsetMin = utcOffsetMin
	}
	return t
}

// isWorn reports whether the slot has a heart rate, and its person was not charging the watch.
func (s *Search) isWorn(t *slot) bool {
	return t.hearts > 0 && !slices.Contains(s.Charging, int32(t.number))
}

// isResting reports whether wrist and heart rest. Steps and motion count as medians: a turn in bed breaks no rest.
func (s *Search) isResting(t *slot) bool {
	return float64(t.heartSum) < s.MedianBPM*float64(t.hearts) &&
		(t.steps == 0 || 2*t.walking < t.steps) && 2*t.still >= t.epochs && t.steps+t.epochs > 0
}
