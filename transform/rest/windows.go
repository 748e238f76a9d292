package rest

import (
	"cmp"
	"slices"
)

// Rules are those of van Hees 2018 about rest that lies near other rest.
type Rules struct {
	RunMin    float64 // rest that is shorter is dropped
	BridgeMin float64 // unrest that is shorter is bridged
}

// A Window is a rest that looks like sleep.
type Window struct {
	First, Last                  int64 // slots of five minutes since 1970-01-01 UTC
	StartOffsetMin, EndOffsetMin int32
	ObservedMin, StillMin        int32
	ByMotion                     bool  // else by steps, for want of motion in some of it
	LengthRank                   int32 // 1 = the longest that ended on the date
}

// DurationMin returns how long it was.
func (w *Window) DurationMin() int32 { return int32(w.Last-w.First+1) * slotMin }

// A moment is a slot in which the watch was worn. One that two searches have, because the person's day cut moved between them,
// is one.
type moment struct {
	number    int64
	offsetMin int32
	kind      Kind
}

// WindowsOf returns the rests that ended on a night's date, of the stretches of its searches. They lie in the 24 hours up to
// that date's cut or in those after it.
func (r *Rules) WindowsOf(date int32, stretches []Stretch) []Window {
	moments := momentsOf(stretches)
	var windows []Window
	for _, w := range r.bridge(r.runs(moments)) {
		w.complete(moments)
		if ended := ((w.Last+1)*slotMin + int64(w.EndOffsetMin)) / dayMin; ended == int64(date) {
			windows = append(windows, w)
		}
	}
	slices.SortStableFunc(windows, func(a, b Window) int { return -cmp.Compare(a.DurationMin(), b.DurationMin()) })
	for i := range windows {
		windows[i].LengthRank = int32(i + 1)
	}
	return windows
}

// momentsOf returns the slots of stretches, in order.
func momentsOf(stretches []Stretch) []moment {
	all := make([]moment, 0, 2*dayMin/slotMin)
	for _, t := range stretches {
		for n := range t.Slots {
			all = append(all, moment{int64(t.First + n), t.UTCOffsetMin, t.Kind})
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.number, b.number) })
	moments := all[:0]
	for _, m := range all {
		if n := len(moments); n > 0 && moments[n-1].number == m.number {
			moments[n-1].join(m)
		} else {
			moments = append(moments, m)
		}
	}
	return moments
}

// join makes one of what two searches say of a slot: it is rest when either says so, by motion when none says by steps.
func (m *moment) join(other moment) {
	m.offsetMin = max(m.offsetMin, other.offsetMin)
	if m.kind == Unrest {
		m.kind = other.kind
	} else if other.kind != Unrest {
		m.kind = min(m.kind, other.kind)
	}
}

// runs returns the unbroken rests that are not too short.
func (r *Rules) runs(moments []moment) []Window {
	var runs []Window
	for _, m := range moments {
		if m.kind == Unrest {
			continue
		}
		if n := len(runs); n == 0 || runs[n-1].Last != m.number-1 {
			runs = append(runs, Window{First: m.number, ByMotion: true})
		}
		w := &runs[len(runs)-1]
		w.Last = m.number
		w.StillMin += slotMin
		w.ByMotion = w.ByMotion && m.kind == RestByMotion
	}
	return slices.DeleteFunc(runs, func(w Window) bool { return float64(w.StillMin) < r.RunMin })
}

// bridge joins rests with little unrest between them.
func (r *Rules) bridge(runs []Window) []Window {
	var rests []Window
	for _, w := range runs {
		n := len(rests)
		if n == 0 || float64(w.First-rests[n-1].Last-1)*slotMin >= r.BridgeMin {
			rests = append(rests, w)
			continue
		}
		last := &rests[n-1]
		last.Last = w.Last
		last.StillMin += w.StillMin
		last.ByMotion = last.ByMotion && w.ByMotion
	}
	return rests
}

// complete fills in what all slots of the rest say, still or not.
func (w *Window) complete(moments []moment) {
	for _, m := range moments {
		if m.number < w.First || m.number > w.Last {
			continue
		}
		w.ObservedMin += slotMin
		if m.number == w.First {
			w.StartOffsetMin = m.offsetMin
		}
		if m.number == w.Last {
			w.EndOffsetMin = m.offsetMin
		}
	}
}
