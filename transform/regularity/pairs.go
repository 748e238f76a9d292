package regularity

import (
	"cmp"
	"slices"
)

const (
	hourMS   = 3_600_000
	minuteMS = 60_000
	dayMS    = 24 * hourMS
)

// A Span is ms after midnight of a date, on the person's clock or in UTC.
type Span struct{ From, To int64 }

// An Hour is one that was observed.
type Hour struct {
	StartMS      int64 // after midnight UTC of the date
	UTCOffsetMin int64
}

// A Date is what is known of a person's date, on its clock.
type Date struct {
	hours  []Span
	asleep []Span
}

// NewDate returns a date of the hours that were observed and the stretches of sleep, told in UTC, within them. Of an hour
// of the clock that comes twice the first counts.
func NewDate(observed []Hour, sleep []Span) *Date {
	observed = slices.Clone(observed)
	slices.SortFunc(observed, func(a, b Hour) int {
		return cmp.Or(cmp.Compare(a.StartMS, b.StartMS), cmp.Compare(a.UTCOffsetMin, b.UTCOffsetMin))
	})
	d, seen := &Date{}, map[int64]bool{}
	for _, h := range observed {
		ahead := h.UTCOffsetMin * minuteMS
		clock := h.StartMS + ahead
		if seen[clock] {
			continue
		}
		seen[clock] = true
		hour := Span{max(clock, 0), min(clock+hourMS, dayMS)} // an hour that lies on two dates is cut at midnight
		d.hours = append(d.hours, hour)
		for _, s := range sleep {
			if h.StartMS < s.To && h.StartMS+hourMS > s.From {
				d.asleep = append(d.asleep, Span{max(s.From+ahead, hour.From), min(s.To+ahead, hour.To)})
			}
		}
	}
	return d
}

// MissingMS returns how much of the date was not observed.
func (d *Date) MissingMS() int64 {
	missing := int64(dayMS)
	for _, h := range d.hours {
		missing -= h.To - h.From
	}
	return missing
}

// Compare returns how much of the clock both dates observed, and how much of that both slept or both were awake. It is not
// ok when there is nothing to compare, or when devices whose clocks disagree have some of the day twice: then nobody knows
// what was when.
func Compare(today, yesterday *Date) (observedMS, agreedMS int64, ok bool) {
	observedMS = overlap(today.hours, yesterday.hours)
	agreedMS = observedMS - overlap(today.asleep, yesterday.hours) - overlap(today.hours, yesterday.asleep) +
		2*overlap(today.asleep, yesterday.asleep)
	return observedMS, agreedMS, observedMS > 0 && observedMS <= dayMS
}

func overlap(some, others []Span) (ms int64) {
	for _, a := range some {
		for _, b := range others {
			ms += max(0, min(a.To, b.To)-max(a.From, b.From))
		}
	}
	return ms
}
