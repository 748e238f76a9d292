package heart

import (
	"cmp"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/transform/samples"
)

// Windows say what a half hour is, and how much of it must be measured.
type Windows struct{ Min, MeasuredMin float64 }

// A Night gathers the measured minutes of a main sleep.
type Night struct {
	samples.Span

	User string
	Date int32 // of waking, days since 1970-01-01

	beats []beat
}

// A beat is a measured minute.
type beat struct {
	minute int32
	rate   rate
}

// A Summary is what the minutes of a sleep come to.
type Summary struct {
	MinBPM, MeanBPM     float64
	MeasuredMin         int
	HasHalfHour         bool    // some half hour was measured well
	LowestHalfHourBPM   float64 // the lowest mean of these
	HalfHourMeasuredMin int     // in the fullest of these
}

// Begin begins another night.
func (n *Night) Begin(user string, date int32, sleep samples.Span) {
	n.User, n.Date, n.Span, n.beats = strings.Clone(user), date, sleep, n.beats[:0]
}

// Add adds those minutes of a date that are of the sleep. Of devices that disagree about the date, so that both have a
// minute, the one whose date came first stands for it.
func (n *Night) Add(heart samples.Heart) {
	first, end := heart.Within(n.Span)
	for i := first; i < end; i++ {
		n.beats = append(n.beats, beat{heart.Minutes[i], rateOf(heart.Mean(i))})
	}
}

// Summary returns what the minutes come to; false when there are none.
func (n *Night) Summary(w *Windows) (s Summary, ok bool) {
	byMinute := func(a, b beat) int { return cmp.Compare(a.minute, b.minute) }
	if !slices.IsSortedFunc(n.beats, byMinute) {
		slices.SortStableFunc(n.beats, byMinute)
	}
	beats := slices.CompactFunc(n.beats, func(a, b beat) bool { return a.minute == b.minute })
	if len(beats) == 0 {
		return s, false
	}
	lowest, sum := beats[0].rate, rate(0)
	for _, b := range beats {
		lowest, sum = min(lowest, b.rate), sum+b.rate
	}
	s.MeasuredMin, s.MinBPM = len(beats), lowest.bpm()
	s.MeanBPM = max(sum.mean(len(beats)), s.MinBPM)
	s.findHalfHours(w, beats, n.Span)
	return s, true
}

// findHalfHours looks at every window of the sleep, by the minute, also at those that begin or end where nothing was measured.
func (s *Summary) findHalfHours(w *Windows, beats []beat, sleep samples.Span) {
	sum, first, end := rate(0), 0, 0
	for from := sleep.From; float64(from)+w.Min <= float64(sleep.Until); from++ {
		for ; first < end && beats[first].minute < from; first++ {
			sum -= beats[first].rate
		}
		for ; end < len(beats) && float64(beats[end].minute-from) < w.Min; end++ {
			sum += beats[end].rate
		}
		measured := end - first
		if measured == 0 || float64(measured) < w.MeasuredMin {
			continue
		}
		mean := max(sum.mean(measured), s.MinBPM)
		if !s.HasHalfHour || mean < s.LowestHalfHourBPM {
			s.LowestHalfHourBPM = mean
		}
		s.HasHalfHour = true
		s.HalfHourMeasuredMin = max(s.HalfHourMeasuredMin, measured)
	}
}
