package samples

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// A Metric is one of those that a minute has.
type Metric int

// The metrics of minutes; the counter, of which steps are made; and motion.
const (
	HeartRate Metric = iota
	Steps
	Intensity
	Distance
	Floors
	ActiveEnergy
	OxygenSaturation
	RespiratoryRate
	SkinTemperature
	Stress
	Noise
	metricCount
	StepCounter = metricCount
	Motion      = metricCount + 1 // tells rest from unrest
)

const (
	minuteMS     = 60_000
	minuteUS     = minuteMS * 1000
	minutesOfDay = 24 * 60

	nativeRank = 1
)

// An Hour is a row of silver: samples of one metric from one device.
type Hour struct {
	Metric       Metric
	Device       string
	SourceRank   int32 // lower is preferred; nativeRank is the device's own
	HourUS       int64
	UTCOffsetMin int32
	PeriodMS     int32
	OffsetsMS    []int32 // one for each value, or the first alone
	Values       []int32
	Sentinels    []int32 // values by which the device says "not measured"
	Refused      int32   // samples that were among them and cannot be true
}

// A tally is what the samples of a minute come to.
type tally struct {
	min, max, sum, count int32
	foreign              int32 // of the sum, what the device did not measure itself
	periodMS             int32 // the longest
	sourceRank           int32
	offsetMin            int32
}

// add counts some samples of an hour.
func (t *tally) add(values []int32, h *Hour) {
	if t.count == 0 {
		*t = tally{
			min: values[0], max: values[0], periodMS: h.PeriodMS, sourceRank: h.SourceRank, offsetMin: h.UTCOffsetMin,
		}
	}
	low, high, sum := extent(values)
	t.min, t.max, t.sum, t.count = min(t.min, low), max(t.max, high), t.sum+sum, t.count+int32(len(values))
	if h.SourceRank > nativeRank {
		t.foreign += sum
	}
	t.periodMS = max(t.periodMS, h.PeriodMS)
	t.sourceRank = min(t.sourceRank, h.SourceRank)
	t.offsetMin = min(t.offsetMin, h.UTCOffsetMin)
}

// extent returns the lowest, the highest and the sum of some values, one at least.
func extent(values []int32) (low, high, sum int32) {
	low, high = values[0], values[0]
	for _, v := range values {
		low, high, sum = min(low, v), max(high, v), sum+v
	}
	return low, high, sum
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
	claims []claim   // of the tracks of a metric
	spare  [][]tally // of days before
	taken  bool      // there was nothing to choose, and there are no tracks
	counter

	chosen [metricCount]series
}

// A series is what was measured of a metric on a date: one entry for each minute in which it was, in order.
type series struct {
	minutes []int32 // since 1970-01-01 UTC
	// Of the samples of each.
	mins, maxs, sums, counts, foreign []int32
	coveredMin                        []int32 // by the longest; a spot value speaks for its minute
	offsetsMin                        []int32 // east of UTC, what the person's clock showed
	owners                            []int16 // of several devices, whose each place of the date is, or nobody

	samplesMost, periodMost int32 // of a minute
	hasForeign              bool  // something the device did not measure itself
}

// fill takes the hours of a person's date and chooses what stands for each minute. On most dates there is nothing to choose.
func (d *day) fill(hours []Hour) {
	if d.taken = d.take(hours); !d.taken {
		d.gather(hours)
		d.choose()
	}
	d.chosen[HeartRate].keepTime(&d.chosen[Steps])
}

func (d *day) gather(hours []Hour) {
	d.clear()
	var last int64
	d.first = math.MaxInt64
	for i := range hours {
		if h := &hours[i]; h.isOfMinutes() {
			d.first, last = min(d.first, h.firstMinute()), max(last, h.lastMinute()+int64(h.PeriodMS/minuteMS)+1)
		}
	}
	n := int(last - d.first + 1)
	for i := range hours {
		h := &hours[i]
		switch {
		case !h.isOfMinutes() || h.Metric == StepCounter:
		case h.isLong():
			d.track(h.Metric, h.Device, n).addLong(h, d.first)
		default:
			d.track(h.Metric, h.Device, n).add(h, d.first)
		}
	}
	for _, s := range d.stepsOf(hours) {
		d.track(Steps, s.hour.Device, n).share(s.hour, s.count, s.fromMS, s.untilMS, d.first)
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

// track returns the track of a metric and device, n minutes long.
func (d *day) track(metric Metric, device string, n int) *track {
	for i := range d.tracks {
		if d.tracks[i].metric == metric && d.tracks[i].device == device {
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
	d.tracks = append(d.tracks, track{metric, device, minutes})
	return &d.tracks[len(d.tracks)-1]
}

// offsetMS returns where in the hour a sample starts.
func (h *Hour) offsetMS(i int) int64 {
	if len(h.OffsetsMS) == len(h.Values) {
		return int64(h.OffsetsMS[i])
	}
	return int64(h.OffsetsMS[0]) + int64(i)*int64(h.PeriodMS)
}

// placeFrom returns in which stretch of a length of its hour a sample starts, and behind which sample that stretch ends.
func (h *Hour) placeFrom(from int, lengthMS int64) (place int32, end int) {
	if len(h.OffsetsMS) != len(h.Values) && h.PeriodMS > 0 {
		at, period := h.offsetMS(from), int64(h.PeriodMS)
		left := lengthMS - 1 - at%lengthMS // ms of the stretch behind the start of the sample
		return int32(at / lengthMS), min(len(h.Values), from+int(left/period)+1)
	}
	place = int32(h.offsetMS(from) / lengthMS)
	for end = from + 1; end < len(h.Values) && int32(h.offsetMS(end)/lengthMS) == place; end++ {
	}
	return place, end
}

// places are the stretches of a length in which samples of the hour start, with the samples of each. A stretch comes again
// when samples are not in order.
func (h *Hour) places(lengthMS int64) iter.Seq2[int32, []int32] {
	return func(yield func(place int32, values []int32) bool) {
		steady := 0 // samples of every stretch but the first, when each follows the one before
		if period := int64(h.PeriodMS); len(h.OffsetsMS) != len(h.Values) && period > 0 && lengthMS%period == 0 {
			steady = int(lengthMS / period)
		}
		place, end := int32(0), 0
		for from := 0; from < len(h.Values); from = end {
			if steady > 0 && from > 0 {
				place, end = place+1, min(len(h.Values), end+steady)
			} else {
				place, end = h.placeFrom(from, lengthMS)
			}
			if !yield(place, h.Values[from:end]) {
				return
			}
		}
	}
}

// isOfMinutes reports whether the hour has samples of which minutes are made. None may be left of those it had.
func (h *Hour) isOfMinutes() bool { return h.Metric != Motion && len(h.Values) > 0 }

// Place returns in which stretch of a length since 1970 a sample starts: its minute, say.
func (h *Hour) Place(i int, lengthMS int64) int64 { return floorDiv(h.startMS(i), lengthMS) }

func (h *Hour) startMS(i int) int64 { return h.HourUS/1000 + h.offsetMS(i) }
func (h *Hour) startUS(i int) int64 { return h.HourUS + h.offsetMS(i)*1000 }

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
	base := floorDiv(h.HourUS, minuteUS) - first // before the first sample, maybe
	for minute, values := range h.places(minuteMS) {
		t.minutes[base+int64(minute)].add(values, h)
	}
}

// choose lists the minutes of each metric, with the tally that stands for each.
func (d *day) choose() {
	groups, n := d.byMetric()
	for m, tracks := range groups {
		c := &d.chosen[m]
		c.clear()
		switch len(tracks) {
		case 0:
		case 1:
			for at := range tracks[0].minutes {
				if t := &tracks[0].minutes[at]; t.count > 0 {
					c.add(int32(d.first)+int32(at), t)
				}
			}
		default:
			d.chooseAmong(tracks, n, c)
		}
	}
}

// A claim is what a device says of the minutes from a place on.
type claim struct {
	tally *tally // nil = nothing
	until int    // place of the first minute that it says nothing of
	entry int    // where it is in the series; -1 = nowhere
}

const nobody = -1

// chooseAmong lists the minutes of several devices' tracks. Each is that of one device; a sample that speaks for many
// minutes has those that are its device's.
func (d *day) chooseAmong(tracks []track, n int, c *series) {
	d.claims = append(d.claims[:0], make([]claim, len(tracks))...)
	for at := range n {
		for i := range tracks {
			if t := &tracks[i].minutes[at]; t.count > 0 {
				d.claims[i] = claim{tally: t, until: at + tracks[i].metric.coveredMin(t), entry: -1}
			}
		}
		best, owner := d.best(tracks, at)
		c.owners = append(c.owners, owner)
		if best == nil {
			continue
		}
		if best.entry < 0 {
			best.entry = len(c.minutes)
			c.add(int32(d.first)+int32(at), best.tally)
			c.coveredMin[best.entry] = 0
		}
		c.coveredMin[best.entry]++
	}
}

// clear forgets what was measured, and keeps the memory.
func (s *series) clear() {
	*s = series{
		minutes: s.minutes[:0], mins: s.mins[:0], maxs: s.maxs[:0], sums: s.sums[:0], counts: s.counts[:0],
		foreign: s.foreign[:0], coveredMin: s.coveredMin[:0], offsetsMin: s.offsetsMin[:0],
		owners: s.owners[:0],
	}
}

func (s *series) add(minute int32, t *tally) {
	s.minutes = append(s.minutes, minute)
	s.mins, s.maxs = append(s.mins, t.min), append(s.maxs, t.max)
	s.sums, s.counts = append(s.sums, t.sum), append(s.counts, t.count)
	s.foreign = append(s.foreign, t.foreign)
	s.coveredMin = append(s.coveredMin, max(t.periodMS, minuteMS)/minuteMS)
	s.offsetsMin = append(s.offsetsMin, t.offsetMin)
	s.samplesMost, s.periodMost = max(s.samplesMost, t.count), max(s.periodMost, t.periodMS)
	s.hasForeign = s.hasForeign || t.foreign != 0
}

// isMeasured reports whether anything was measured.
func (d *day) isMeasured() bool {
	return slices.ContainsFunc(d.chosen[:], func(s series) bool { return len(s.minutes) > 0 })
}

// keepTime lets the clock of a minute be that of another series where that has the minute: two devices may disagree.
func (s *series) keepTime(other *series) {
	k := 0
	for i, minute := range s.minutes {
		at, found := Seek(other.minutes, k, minute)
		if k = at; found {
			s.offsetsMin[i] = other.offsetsMin[k]
		}
	}
}

// byMetric returns the tracks of each metric, and how many minutes they have.
func (d *day) byMetric() (groups [metricCount][]track, n int) {
	for i := 0; i < len(d.tracks); {
		j := i
		for j < len(d.tracks) && d.tracks[j].metric == d.tracks[i].metric {
			j++
		}
		groups[d.tracks[i].metric] = d.tracks[i:j]
		n = len(d.tracks[i].minutes)
		i = j
	}
	return groups, n
}

// best returns the claim that stands for a minute of those of several devices, and whose it is; nil when there is none.
func (d *day) best(tracks []track, at int) (best *claim, owner int16) {
	owner = nobody
	bestWorn := false
	for i := range tracks { // in order of the device's name
		c := &d.claims[i]
		if c.tally == nil || at >= c.until {
			continue
		}
		worn := d.worn(tracks[i].device, at)
		if best == nil || worn && !bestWorn || worn == bestWorn && c.tally.sourceRank < best.tally.sourceRank {
			best, owner, bestWorn = c, int16(i), worn
		}
	}
	return best, owner
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
