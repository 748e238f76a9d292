package samples

import (
	"cmp"
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// A wornHour is an hour in which some device was worn, by the clock it was recorded with.
type wornHour struct {
	startedMin   int64 // since 1970-01-01 UTC
	utcOffsetMin int32
	measuredMin  int32
}

// wornHours returns how much of each hour of a date a device measured the heart; on a date without any heart rate, steps
// stand for it. What counts is how many samples there are and their period, not the gaps between them.
func wornHours(of []Hour) []wornHour {
	hours := measuredHours(of, HeartRate)
	if len(hours) == 0 {
		hours = measuredHours(of, Steps)
	}
	slices.SortFunc(hours, func(a, b wornHour) int {
		return cmp.Or(cmp.Compare(a.startedMin, b.startedMin), cmp.Compare(a.utcOffsetMin, b.utcOffsetMin),
			cmp.Compare(b.measuredMin, a.measuredMin))
	})
	// Of several devices the one that measured most of the hour stands for it.
	return slices.CompactFunc(hours, func(a, b wornHour) bool {
		return a.startedMin == b.startedMin && a.utcOffsetMin == b.utcOffsetMin
	})
}

func measuredHours(of []Hour, metric Metric) (hours []wornHour) {
	for i := range of {
		h := &of[i]
		if h.Metric != metric {
			continue
		}
		coveredMS := int64(len(h.Values)) * int64(max(h.PeriodMS, 1000))
		hours = append(hours, wornHour{
			startedMin: floorDiv(h.HourUS, minuteMS*1000), utcOffsetMin: h.UTCOffsetMin,
			measuredMin: int32(min(60, coveredMS/minuteMS)),
		})
	}
	return hours
}

// wornLists are the columns of a date's hours in which a device was worn.
type wornLists struct{ started, offsets, measured *rows.IntLists }

func newWornLists() *wornLists {
	return &wornLists{
		started: rows.Int32Lists("worn_hour_minutes"), offsets: rows.Int32Lists("worn_utc_offsets_min"),
		measured: rows.Int32Lists("worn_measured_mins"),
	}
}

func (l *wornLists) columns() []rows.Column { return []rows.Column{l.started, l.offsets, l.measured} }

func (l *wornLists) add(hours []wornHour) {
	if len(hours) == 0 {
		l.started.Skip()
		l.offsets.Skip()
		l.measured.Skip()
		return
	}
	for _, h := range hours {
		l.started.Append(int32(h.startedMin))
		l.offsets.Append(h.utcOffsetMin)
		l.measured.Append(h.measuredMin)
	}
	l.started.End()
	l.offsets.End()
	l.measured.End()
}
