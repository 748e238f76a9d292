package medals

import (
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// Evidence is why a medal was earned: the days that count, what they are worth, and by which formulas. It speaks of the
// time up to the day that completed the rule, so that later days do not change it.
type Evidence struct {
	Rule          RuleKind     `json:"rule"`
	Unit          Unit         `json:"unit"`
	Metric        Metric       `json:"metric"`
	AtLeast       float64      `json:"at_least,omitempty"`        // what a unit needed, when it is the same for all
	AtLeastMetric Metric       `json:"at_least_metric,omitempty"` // else each item says what it needed
	Value         float64      `json:"value"`                     // the sum, the count or the length that reached the level
	First         schemas.Date `json:"first"`
	Last          schemas.Date `json:"last"`
	Count         int          `json:"count"` // how many items make the value
	// Items are the days or longer units, the oldest first. Of a sum over a lifetime only the completing day is kept:
	// the others are every day from First to Last.
	Items        []Item   `json:"items"`
	OmittedItems int      `json:"omitted_items,omitempty"`
	Shields      []Shield `json:"shields,omitempty"`
	Methods      []string `json:"methods"` // formula versions, sorted
}

// An Item is a day, or a longer unit, that counts.
type Item struct {
	Period string       `json:"period"` // the day or unit, as in 2016-04-18 or 2016-W16
	Date   schemas.Date `json:"date"`   // on which it had enough
	Value  float64      `json:"value"`
	Needed float64      `json:"needed,omitempty"`
}

// A ShieldReason says why a day that is no success kept a streak.
type ShieldReason string

// The reasons for a shield.
const (
	ShieldTravel  ShieldReason = "travel"
	ShieldIllness ShieldReason = "illness"
	ShieldNoData  ShieldReason = "no_data"
)

// A Shield is a day that kept a streak without lengthening it.
type Shield struct {
	Date   schemas.Date `json:"date"`
	Reason ShieldReason `json:"reason"`
}

// maxItems bounds the items kept with an award: a year of days.
const maxItems = 366

// evidence starts the evidence of a rule.
func (r *Rule) evidence() Evidence {
	return Evidence{Rule: r.Rule, Unit: r.Unit, Metric: r.Metric, AtLeast: r.AtLeast, AtLeastMetric: r.AtLeastMetric}
}

// add takes an item that counts, and the methods of the days it is made of.
func (e *Evidence) add(item Item, methods ...string) {
	if e.Count == 0 {
		e.First = item.Date
	}
	e.Last = item.Date
	e.Count++
	e.Items = append(e.Items, item)
	e.addMethods(methods...)
}

func (e *Evidence) addMethods(methods ...string) {
	for _, m := range methods {
		if i, found := slices.BinarySearch(e.Methods, m); !found {
			e.Methods = slices.Insert(e.Methods, i, m)
		}
	}
}

// frozen returns the evidence for a level that value reached, independent of what is added later.
func (e *Evidence) frozen(value float64, keep int) Evidence {
	frozen := *e
	frozen.Value = value
	frozen.Items = slices.Clone(e.Items[max(0, len(e.Items)-keep):])
	frozen.OmittedItems = e.Count - len(frozen.Items)
	frozen.Shields = slices.Clone(e.Shields)
	frozen.Methods = slices.Clone(e.Methods)
	return frozen
}
