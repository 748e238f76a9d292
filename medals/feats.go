package medals

import (
	"math"

	"github.com/diurna-health/diurna/schemas"
)

// A feat is a level that a person's days reach: what is true by the gold tables, whatever the ledger says.
type feat struct {
	rule     *Rule
	level    int64
	period   string // of repeated medals and those per period; empty over a lifetime
	earnedOn schemas.Date
	evidence Evidence
}

// A tally is what a rule makes of a person's days: the feats, and how far the person is towards the next.
type tally struct {
	feats []feat
	// current is the running value: the sum or count of the present span, or the length of the running streak.
	current float64
	best    float64 // the largest value of any span or streak
	recent  float64 // what was added in the last paceDays days
	missed  bool    // an earlier unit of the present span can no longer count
}

// paceDays is the stretch of days from which a pace is taken.
const paceDays = 28

// tally goes through a person's days in order. It depends on nothing else: whatever order the days became known in,
// the same days give the same feats.
func (r *Rule) tally(days []day, shields Shields) tally {
	if len(days) == 0 {
		return tally{}
	}
	switch r.Rule {
	case RuleSum:
		return r.sum(days)
	case RuleCount:
		return r.count(days)
	default:
		return r.streak(days, shields)
	}
}

func (r *Rule) sum(days []day) tally {
	var t tally
	last := days[len(days)-1].date
	keep := maxItems
	if r.Unit == UnitLife || r.Unit == UnitYear {
		keep = 1
	}
	for _, span := range spans(days, r.Unit) {
		t.current = 0
		e := r.evidence()
		for _, d := range span.days {
			value := d.values[r.Metric]
			if value <= 0 {
				continue
			}
			e.add(Item{Period: d.date.String(), Date: d.date, Value: value}, d.methods(r.Metric)...)
			for level, ok := r.nextLevel(int64(math.Floor(t.current))); ok && float64(level) <= t.current+value; level, ok = r.nextLevel(level) {
				t.feats = append(t.feats, feat{r, level, span.period, d.date, e.frozen(t.current+value, keep)})
			}
			t.current += value
			if d.date > last-paceDays {
				t.recent += value
			}
		}
		t.best = max(t.best, t.current)
	}
	return t
}

func (r *Rule) count(days []day) tally {
	var t tally
	last := days[len(days)-1].date
	for _, span := range spans(days, r.Within) {
		t.current, t.missed = 0, r.begunLate(span)
		e := r.evidence()
		for _, unit := range spans(span.days, r.Unit) {
			sum, reached := 0.0, false
			var methods []string
			for _, d := range unit.days {
				value, known := d.values[r.Metric]
				needed, isNeeded := r.needed(d)
				if !known || !isNeeded {
					continue
				}
				if value > 0 {
					methods = append(methods, d.methods(r.Metric)...)
				}
				sum += value
				if reached || sum < needed {
					continue
				}
				reached = true
				item := Item{Period: unit.name(r.Unit), Date: d.date, Value: sum}
				if r.AtLeastMetric != "" {
					item.Needed = needed
				}
				e.add(item, methods...)
				t.current++
				if d.date > last-paceDays {
					t.recent++
				}
				if level, ok := r.nextLevel(int64(t.current) - 1); ok && float64(level) == t.current {
					t.feats = append(t.feats, feat{r, level, span.period, d.date, e.frozen(t.current, maxItems)})
				}
			}
			t.missed = t.missed || !reached && !unit.holds(last, r.Unit)
		}
		t.best = max(t.best, t.current)
	}
	return t
}

// begunLate reports whether whole units of a year passed before the person's first day in it.
func (r *Rule) begunLate(s span) bool {
	if r.Within != UnitYear {
		return false
	}
	first, _ := schemas.YearOf(s.days[0].date).Dates()
	return unitOf(first, r.Unit) != unitOf(s.days[0].date, r.Unit)
}

func (r *Rule) streak(days []day, limits Shields) tally {
	var t tally
	noData, illness := shieldUse{limit: limits.NoData}, shieldUse{limit: limits.Illness}
	last := days[len(days)-1].date
	length, longest := int64(0), int64(0)
	e := r.evidence()
	lose := func() {
		length = 0
		e = r.evidence()
	}
	for i := range days {
		d := &days[i]
		if i > 0 && d.date != days[i-1].date+1 {
			lose() // the model has every date between the first and the last: a hole in it proves nothing
		}
		value, known := d.values[r.Metric]
		needed, isNeeded := r.needed(*d)
		known = known && isNeeded
		switch {
		case known && value >= needed:
			length++
			item := Item{Period: d.date.String(), Date: d.date, Value: value}
			if r.AtLeastMetric != "" {
				item.Needed = needed
			}
			e.add(item, d.methods(r.Metric)...)
			if level, ok := r.nextLevel(length - 1); ok && level == length && length > longest {
				t.feats = append(t.feats, feat{r, level, "", d.date, e.frozen(float64(length), maxItems)})
			}
			longest = max(longest, length)
			if d.date > last-paceDays {
				t.recent++
			}
		case length == 0:
		case d.isTravel:
			e.Shields = append(e.Shields, Shield{d.date, ShieldTravel})
		case d.isIllness && illness.use(d.date):
			e.Shields = append(e.Shields, Shield{d.date, ShieldIllness})
		case d.date == last: // it is not over, or its sync is not
		case !known && noData.use(d.date):
			e.Shields = append(e.Shields, Shield{d.date, ShieldNoData})
		default:
			lose()
		}
	}
	t.current, t.best = float64(length), float64(longest)
	return t
}

// needed returns what a day or its unit must have; false when that is not known of the day.
func (r *Rule) needed(d day) (float64, bool) {
	if r.AtLeastMetric == "" {
		return r.AtLeast, true
	}
	needed, known := d.values[r.AtLeastMetric]
	return needed, known
}

// methods returns the formulas behind a metric's figure of the day.
func (d *day) methods(m Metric) []string { return []string{d.sourceMethod(m), d.method} }

// A shieldUse remembers the days on which one sort of shield was used.
type shieldUse struct {
	limit ShieldLimit
	dates []schemas.Date // rising
}

// use reports whether a shield may be used on the date, and then has used it.
func (u *shieldUse) use(d schemas.Date) bool {
	for len(u.dates) > 0 && int(d-u.dates[0]) >= u.limit.WithinDays {
		u.dates = u.dates[1:]
	}
	if len(u.dates) >= u.limit.Days {
		return false
	}
	u.dates = append(u.dates, d)
	return true
}

// A span is a run of days within one unit of calendar.
type span struct {
	period string // empty over a lifetime
	days   []day
}

// spans cuts days, which are in order, at the borders of a unit.
func spans(days []day, unit Unit) []span {
	var all []span
	for i := range days {
		period := unitOf(days[i].date, unit)
		if n := len(all); n > 0 && all[n-1].period == period {
			all[n-1].days = days[i-len(all[n-1].days) : i+1]
			continue
		}
		all = append(all, span{period, days[i : i+1]})
	}
	return all
}

// name returns the unit's name, of a day its date.
func (s span) name(unit Unit) string { return unitOf(s.days[0].date, unit) }

// holds reports whether the date is one of the unit's.
func (s span) holds(d schemas.Date, unit Unit) bool { return s.name(unit) == unitOf(d, unit) }

func unitOf(d schemas.Date, unit Unit) string {
	switch unit {
	case UnitDay:
		return d.String()
	case UnitWeek:
		return schemas.ISOWeekOf(d).String()
	case UnitMonth:
		return schemas.MonthOf(d).String()
	case UnitYear:
		return schemas.YearOf(d).String()
	default:
		return ""
	}
}
