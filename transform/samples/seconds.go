package samples

import (
	"cmp"
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// secondPeriodMS is the longest period of samples of which it makes sense to ask second by second.
const secondPeriodMS = 3000

// A second is what was measured of oxygen saturation in it.
type second struct {
	number   int64 // since 1970-01-01 UTC
	permille int32 // the lowest sample
	coveredS int32 // that it speaks for
}

// oxygenSeconds returns oxygen saturation second by second, of hours that were measured often enough, each from the device
// that stands for its minute. The day has been filled with the hours.
func (d *day) oxygenSeconds(hours []Hour) (seconds []second) {
	var tracks []track
	if !d.taken {
		groups, _ := d.byMetric()
		tracks = groups[OxygenSaturation]
	}
	for i := range hours {
		h := &hours[i]
		if h.Metric != OxygenSaturation || h.PeriodMS < 1 || h.PeriodMS > secondPeriodMS {
			continue
		}
		for k, v := range h.Values {
			if d.taken || d.stands(tracks, h, h.Place(k, minuteMS)) {
				seconds = append(seconds, second{h.Place(k, 1000), v, max(h.PeriodMS, 1000) / 1000})
			}
		}
	}
	return bySecond(seconds)
}

// stands reports whether the device of an hour is the one, of those with tracks of the metric, that stands for a minute.
func (d *day) stands(tracks []track, h *Hour, minute int64) bool {
	own := slices.IndexFunc(tracks, func(t track) bool { return t.device == h.Device })
	return len(tracks) == 1 || d.chosen[OxygenSaturation].owners[minute-d.first] == int16(own)
}

// bySecond sorts seconds, and makes one of those that are the same.
func bySecond(seconds []second) []second {
	slices.SortFunc(seconds, func(a, b second) int { return cmp.Compare(a.number, b.number) })
	merged := seconds[:0]
	for _, s := range seconds {
		if n := len(merged); n > 0 && merged[n-1].number == s.number {
			last := &merged[n-1]
			last.permille, last.coveredS = min(last.permille, s.permille), max(last.coveredS, s.coveredS)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// secondLists are the columns of a date's seconds of oxygen saturation.
type secondLists struct{ seconds, values, covered *rows.IntLists }

func newSecondLists() *secondLists {
	return &secondLists{
		seconds: rows.Int32Lists("oxygen_saturation_seconds"),
		values:  rows.Int32Lists("oxygen_saturation_second_mins_permille"),
		covered: rows.Int32Lists("oxygen_saturation_covered_s"),
	}
}

func (l *secondLists) columns() []rows.Column { return []rows.Column{l.seconds, l.values, l.covered} }

// add adds the seconds of a date, numbered from its midnight UTC on.
func (l *secondLists) add(date int32, seconds []second) {
	if len(seconds) == 0 {
		l.seconds.Skip()
		l.values.Skip()
		l.covered.Skip()
		return
	}
	for _, s := range seconds {
		l.seconds.Append(int32(s.number - int64(date)*minutesOfDay*60))
		l.values.Append(s.permille)
		l.covered.Append(s.coveredS)
	}
	l.seconds.End()
	l.values.End()
	l.covered.End()
}
