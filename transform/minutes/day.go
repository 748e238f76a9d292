package minutes

import (
	"cmp"
	"slices"
)

// A Metric is one of those that a minute has.
type Metric int

// The metrics of minutes.
const (
	HeartRate Metric = iota
	Steps
	Intensity
	Motion
	metricCount
)

const (
	minuteMS     = 60_000
	minuteUS     = minuteMS * 1000
	minutesOfDay = 24 * 60
)

// An Hour is a row of silver: samples of one metric from one device.
type Hour struct {
	Metric       Metric
	Device       string
	SourceRank   int32 // lower is preferred
	HourUS       int64
	UTCOffsetMin int32
	PeriodMS     int32
	OffsetsMS    []int32 // one for each value, or the first alone
	Values       []int32
}

// A tally is what the samples of a minute come to.
type tally struct {
	min, max, sum, count int32
	sourceRank           int32
	offsetMin            int32
}

func (t *tally) add(v, rank, offsetMin int32) {
	if t.count == 0 {
		*t = tally{min: v, max: v, sum: v, count: 1, sourceRank: rank, offsetMin: offsetMin}
		return
	}
	t.min, t.max = min(t.min, v), max(t.max, v)
	t.sum += v
	t.count++
	t.sourceRank = min(t.sourceRank, rank)
	t.offsetMin = min(t.offsetMin, offsetMin)
}

// A track is what one device recorded of one metric on one date.
type track struct {
	metric  Metric
	device  string
	minutes []tally
}

// A day gathers a person's date.
type day struct {
	first  int64 // minute since 1970 UTC of the first place in minutes
	tracks []track
	spare  [][]tally // of days before
}

// fill takes the hours of a person's date.
func (d *day) fill(hours []Hour) {
	d.clear()
	if len(hours) == 0 {
		return
	}
	last := int64(0)
	d.first = hours[0].firstMinute()
	for i := range hours {
		d.first = min(d.first, hours[i].firstMinute())
		last = max(last, hours[i].lastMinute())
	}
	for i := range hours {
		d.track(&hours[i], int(last-d.first+1)).add(&hours[i], d.first)
	}
	slices.SortFunc(d.tracks, func(a, b track) int {
		return cmp.Or(cmp.Compare(a.metric, b.metric), cmp.Compare(a.device, b.device))
	})
}

func (d *day) clear() {
	for _, t := range d.tracks {
		d.spare = append(d.spare, t.minutes)
	}
	d.tracks = d.tracks[:0]
}

// track returns the track of the hour's device and metric, n minutes long.
func (d *day) track(h *Hour, n int) *track {
	for i := range d.tracks {
		if d.tracks[i].metric == h.Metric && d.tracks[i].device == h.Device {
			return &d.tracks[i]
		}
	}
	var minutes []tally
	if k := len(d.spare); k > 0 {
		minutes, d.spare = d.spare[k-1], d.spare[:k-1]
	}
	if cap(minutes) < n {
		minutes = make([]tally, n)
	}
	minutes = minutes[:n]
	clear(minutes)
	d.tracks = append(d.tracks, track{h.Metric, h.Device, minutes})
	return &d.tracks[len(d.tracks)-1]
}

func (h *Hour) startUS(i int) int64 {
	if len(h.OffsetsMS) == len(h.Values) {
		return h.HourUS + int64(h.OffsetsMS[i])*1000
	}
	return h.HourUS + (int64(h.OffsetsMS[0])+int64(i)*int64(h.PeriodMS))*1000
}

func (h *Hour) firstMinute() int64 { return floorDiv(h.startUS(0), minuteUS) }
func (h *Hour) lastMinute() int64  { return floorDiv(h.startUS(len(h.Values)-1), minuteUS) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// add counts the samples of an hour. Hours begin at whole hours, so that minutes can be told from the offsets alone.
func (t *track) add(h *Hour, first int64) {
	base := int(floorDiv(h.HourUS, minuteUS) - first)
	if len(h.OffsetsMS) == len(h.Values) {
		for i, v := range h.Values {
			t.minutes[base+int(h.OffsetsMS[i]/minuteMS)].add(v, h.SourceRank, h.UTCOffsetMin)
		}
		return
	}
	at := int(h.OffsetsMS[0])
	for _, v := range h.Values {
		t.minutes[base+at/minuteMS].add(v, h.SourceRank, h.UTCOffsetMin)
		at += int(h.PeriodMS)
	}
}

// A Minute is a row: what stands for a person's minute, by metric; a metric without samples was not measured.
type Minute struct {
	Number      int64 // minutes since 1970-01-01 UTC
	LocalMinute int32 // of the person's clock: 0 is midnight
	of          [metricCount]*tally
}

// each calls do for every minute in which something was measured, in order.
func (d *day) each(do func(*Minute)) {
	var groups [metricCount][]track
	for i := 0; i < len(d.tracks); {
		j := i
		for j < len(d.tracks) && d.tracks[j].metric == d.tracks[i].metric {
			j++
		}
		groups[d.tracks[i].metric] = d.tracks[i:j]
		i = j
	}
	n := 0
	if len(d.tracks) > 0 {
		n = len(d.tracks[0].minutes)
	}
	for at := range n {
		var m Minute
		measured := false
		for metric, tracks := range groups {
			m.of[metric] = d.choose(tracks, at)
			measured = measured || m.of[metric] != nil
		}
		if measured {
			m.Number = d.first + int64(at)
			m.LocalMinute = m.localMinute()
			do(&m)
		}
	}
}

// choose returns the tally that stands for the minute; nil when nothing was measured.
func (d *day) choose(tracks []track, at int) *tally {
	if len(tracks) == 1 {
		if t := &tracks[0].minutes[at]; t.count > 0 {
			return t
		}
		return nil
	}
	var best *tally
	bestWorn := false
	for i := range tracks { // in order of the device's name
		t := &tracks[i].minutes[at]
		if t.count == 0 {
			continue
		}
		worn := d.worn(tracks[i].device, at)
		if best == nil || worn && !bestWorn || worn == bestWorn && t.sourceRank < best.sourceRank {
			best, bestWorn = t, worn
		}
	}
	return best
}

// worn reports whether the device shows that it was worn in the minute: a heart, or a step.
func (d *day) worn(device string, at int) bool {
	for i := range d.tracks {
		if t := &d.tracks[i]; t.device == device && t.minutes[at].count > 0 {
			if t.metric == HeartRate || t.metric == Steps && t.minutes[at].max > 0 {
				return true
			}
		}
	}
	return false
}

// localMinute tells the minute on the person's clock by the offset of the steps, or of the first metric that has one.
func (m *Minute) localMinute() int32 {
	t := m.of[Steps]
	for _, other := range m.of {
		if t == nil {
			t = other
		}
	}
	return int32(((m.Number+int64(t.offsetMin))%minutesOfDay + minutesOfDay) % minutesOfDay)
}
