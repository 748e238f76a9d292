package hypnogram

import (
	"cmp"
	"slices"
)

// A Stage is what a stretch of a sleep was.
type Stage int32

// The stages, by the numbers they have in the select. Light is N1 and N2; of Asleep the stage is not known.
const (
	Unknown Stage = iota
	Awake
	OutOfBed
	Asleep
	Light
	Deep
	REM
)

func (s Stage) isAsleep() bool { return s >= Asleep }
func (s Stage) isAwake() bool  { return s == Awake || s == OutOfBed }

// A Stretch of a sleep is in one stage. Times are ms after midnight UTC of the night's date.
type Stretch struct {
	FromMS, ToMS int64
	Stage        Stage
}

func (s Stretch) ms() int64 { return s.ToMS - s.FromMS }

// Rules say what counts.
type Rules struct {
	OnsetRunMS       float64 // of sleep on end are its onset
	LongAwakeningMin float64
	ObservedShareMin float64 // %, below which a night is not measured
	GapMaxMin        float64 // of a night that is measured
}

// A Night is what a hypnogram comes to.
type Night struct {
	OnsetMS, OffsetMS int64

	InBedMS         int64 // that was told
	UnscoredMS      int64 // of it
	BeforeOnsetMS   int64
	AsleepMS        int64 // from onset on, and of it:
	LightMS, DeepMS int64
	REMMS           int64
	AwakeMS         int64 // between onset and offset
	TerminalWakeMS  int64

	AwakeningCount, LongAwakeningCount int
	LongestSleepMS, LongestGapMS       int64

	BeginsAwake bool // the record does
	IsStaged    bool
	HasREM      bool
	FirstREMMS  int64

	InvalidReason string // gap or unobserved; "" = the night is measured
}

// PeriodMS is the time from onset to offset.
func (n *Night) PeriodMS() int64 { return n.OffsetMS - n.OnsetMS }

// ObservedMS is how much of it was told.
func (n *Night) ObservedMS() int64 { return n.AsleepMS + n.AwakeMS }

// Measure measures the night of the stretches, which it sorts. It is not ok when there is no onset.
func Measure(rules *Rules, stretches []Stretch) (n Night, ok bool) {
	slices.SortFunc(stretches, func(a, b Stretch) int { return cmp.Compare(a.FromMS, b.FromMS) })
	spans := spansOf(stretches)
	if ok = n.findSleep(rules, spans); !ok {
		return n, false
	}
	n.BeginsAwake = stretches[0].Stage == Awake
	n.sumStretches(stretches)
	n.sumSpans(rules, spans)
	switch {
	case float64(n.LongestGapMS) > rules.GapMaxMin*60_000:
		n.InvalidReason = "gap"
	case 100*float64(n.ObservedMS()) < rules.ObservedShareMin*float64(n.PeriodMS()):
		n.InvalidReason = "unobserved"
	}
	return n, true
}

// spansOf returns the spans of one state: light, deep and REM sleep on end are one sleep, out of bed counts as awake, and
// between two stretches that do not touch lies what is unknown.
func spansOf(stretches []Stretch) []Stretch {
	spans := make([]Stretch, 0, len(stretches))
	add := func(from, to int64, state Stage) {
		if last := len(spans) - 1; last >= 0 && spans[last].Stage == state {
			spans[last].ToMS = to
			return
		}
		spans = append(spans, Stretch{from, to, state})
	}
	for i, s := range stretches {
		if i > 0 && stretches[i-1].ToMS < s.FromMS {
			add(stretches[i-1].ToMS, s.FromMS, Unknown)
		}
		switch {
		case s.Stage.isAsleep():
			add(s.FromMS, s.ToMS, Asleep)
		case s.Stage.isAwake():
			add(s.FromMS, s.ToMS, Awake)
		default:
			add(s.FromMS, s.ToMS, Unknown)
		}
	}
	return spans
}

// findSleep finds the first span of sleep that is long enough, and the end of the last one.
func (n *Night) findSleep(rules *Rules, spans []Stretch) (ok bool) {
	for _, s := range spans {
		if s.Stage != Asleep {
			continue
		}
		if !ok && float64(s.ms()) >= rules.OnsetRunMS {
			n.OnsetMS, ok = s.FromMS, true
		}
		n.OffsetMS = s.ToMS
	}
	return ok
}

func (n *Night) sumStretches(stretches []Stretch) {
	for _, s := range stretches {
		n.InBedMS += s.ms()
		if s.Stage == Unknown {
			n.UnscoredMS += s.ms()
		} else if s.ToMS <= n.OnsetMS {
			n.BeforeOnsetMS += s.ms()
		}
		switch {
		case s.Stage.isAsleep() && s.FromMS >= n.OnsetMS:
			n.addSleep(s)
		case s.Stage.isAwake() && s.FromMS >= n.OffsetMS:
			n.TerminalWakeMS += s.ms()
		case s.Stage.isAwake() && s.FromMS >= n.OnsetMS:
			n.AwakeMS += s.ms()
		}
	}
}

func (n *Night) addSleep(s Stretch) {
	n.AsleepMS += s.ms()
	n.IsStaged = n.IsStaged || s.Stage != Asleep
	switch s.Stage { //nolint:exhaustive // the others are not asleep, or in no stage that is told
	case Light:
		n.LightMS += s.ms()
	case Deep:
		n.DeepMS += s.ms()
	case REM:
		n.REMMS += s.ms()
		if !n.HasREM {
			n.HasREM, n.FirstREMMS = true, s.FromMS
		}
	}
}

func (n *Night) sumSpans(rules *Rules, spans []Stretch) {
	for _, s := range spans {
		if s.FromMS < n.OnsetMS || s.ToMS > n.OffsetMS {
			continue
		}
		switch s.Stage { //nolint:exhaustive // spans are of a state
		case Asleep:
			n.LongestSleepMS = max(n.LongestSleepMS, s.ms())
		case Awake:
			n.AwakeningCount++
			if float64(s.ms()) >= rules.LongAwakeningMin*60_000 {
				n.LongAwakeningCount++
			}
		default:
			n.LongestGapMS = max(n.LongestGapMS, s.ms())
		}
	}
}
