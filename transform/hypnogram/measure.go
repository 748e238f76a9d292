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

// ScoredMS is the time in bed of which the state is known.
func (n *Night) ScoredMS() int64 { return n.InBedMS - n.UnscoredMS }

// PeriodMS is the time from onset to offset.
func (n *Night) PeriodMS() int64 { return n.OffsetMS - n.OnsetMS }

// ObservedMS is how much of it was told.
func (n *Night) ObservedMS() int64 { return n.AsleepMS + n.AwakeMS }

// Measure measures the night of the stretches, which it sorts. It is not ok when there is no onset.
func Measure(rules *Rules, stretches []Stretch) (n Night, ok bool) {
	sort(stretches)
	spans := spansOf(withHoles(stretches))
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

func sort(stretches []Stretch) {
	slices.SortStableFunc(stretches, func(a, b Stretch) int { return cmp.Compare(a.FromMS, b.FromMS) })
}

// withHoles adds what lies between two stretches that do not touch, and is unknown.
func withHoles(stretches []Stretch) []Stretch {
	all := slices.Clone(stretches)
	for i := 1; i < len(stretches); i++ {
		if before := stretches[i-1].ToMS; before < stretches[i].FromMS {
			all = append(all, Stretch{before, stretches[i].FromMS, Unknown})
		}
	}
	sort(all)
	return all
}

// A span is stretches of one state on end: light, deep and REM sleep are one sleep, out of bed counts as awake.
type span struct {
	fromMS, toMS int64
	state        Stage // Asleep, Awake or Unknown
	ms           int64
}

func spansOf(stretches []Stretch) []span {
	spans := make([]span, 0, len(stretches))
	for _, s := range stretches {
		state := Unknown
		switch {
		case s.Stage.isAsleep():
			state = Asleep
		case s.Stage.isAwake():
			state = Awake
		}
		if len(spans) == 0 || spans[len(spans)-1].state != state {
			spans = append(spans, span{fromMS: s.FromMS, toMS: s.ToMS, state: state})
		}
		last := &spans[len(spans)-1]
		last.toMS = max(last.toMS, s.ToMS)
		last.ms += s.ms()
	}
	return spans
}

// findSleep finds the first span of sleep that is long enough, and the end of the last one.
func (n *Night) findSleep(rules *Rules, spans []span) (ok bool) {
	for _, s := range spans {
		if s.state != Asleep {
			continue
		}
		if !ok && float64(s.ms) >= rules.OnsetRunMS {
			n.OnsetMS, ok = s.fromMS, true
		}
		n.OffsetMS = s.toMS
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

func (n *Night) sumSpans(rules *Rules, spans []span) {
	for _, s := range spans {
		if s.fromMS < n.OnsetMS || s.toMS > n.OffsetMS {
			continue
		}
		switch s.state {
		case Asleep:
			n.LongestSleepMS = max(n.LongestSleepMS, s.ms)
		case Awake:
			n.AwakeningCount++
			if float64(s.ms) >= rules.LongAwakeningMin*60_000 {
				n.LongAwakeningCount++
			}
		default:
			n.LongestGapMS = max(n.LongestGapMS, s.ms)
		}
	}
}
