package medals

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/diurna-health/diurna/medals/locales"
	"github.com/diurna-health/diurna/schemas"
)

// words says medals in a language.
type words struct{ locale *locales.Locale }

func (w words) name(medal string) (string, error) { return w.locale.Say("medal."+medal+".name", nil) }

func (w words) level(medal string, level int64) (string, error) {
	return w.locale.Say("medal."+medal+".level", locales.Args{"Level": w.locale.Integer(float64(level)), "Count": int(level)})
}

// value says a figure of a metric with its unit.
func (w words) value(m Metric, v float64) (string, error) {
	whole := int(math.Floor(v))
	return w.locale.Say("value."+string(m), locales.Args{
		"Count": whole, "Value": w.locale.Integer(v), "Hours": whole / 60, "Minutes": fmt.Sprintf("%02d", whole%60),
	})
}

// why says the evidence in one sentence, and one more for each shield.
func (w words) why(e *Evidence) (string, error) {
	first, err := w.locale.Date(e.First)
	if err != nil {
		return "", err
	}
	last, err := w.locale.Date(e.Last)
	if err != nil {
		return "", err
	}
	args := locales.Args{"Count": e.Count, "First": first, "Last": last}
	figure := e.Value
	if len(e.Items) == 0 {
		return "", errors.New("evidence names no day")
	}
	if e.Rule != RuleSum {
		item := e.Items[len(e.Items)-1]
		figure = item.Value
		if args["Period"], err = w.locale.Period(item.Period); err != nil {
			return "", err
		}
	}
	if args["Value"], err = w.value(e.Metric, figure); err != nil {
		return "", err
	}
	unit := string(e.Unit)
	if e.Unit == UnitDay && e.Metric == MainSleepMin {
		unit = "night"
	}
	sentence, err := w.locale.Say("why."+string(e.Rule)+"."+unit, args)
	if err != nil {
		return "", err
	}
	sentences := []string{sentence}
	for _, s := range e.Shields {
		date, err := w.locale.Date(s.Date)
		if err != nil {
			return "", err
		}
		kept, err := w.locale.Say("why.shield."+string(s.Reason), locales.Args{"Date": date})
		if err != nil {
			return "", err
		}
		sentences = append(sentences, kept)
	}
	return strings.Join(sentences, " "), nil
}

func (w words) forecast(f Forecast, remaining float64, period string) (string, error) {
	args := locales.Args{"Count": int(math.Ceil(remaining))}
	if f.Days != nil {
		args["Count"] = *f.Days
	}
	if period != "" {
		named, err := w.locale.Period(period)
		if err != nil {
			return "", err
		}
		args["Period"] = named
	}
	return w.locale.Say("forecast."+string(f.Basis), args)
}

func (w words) asOf(d schemas.Date) (string, error) {
	date, err := w.locale.Date(d)
	if err != nil {
		return "", err
	}
	return w.locale.Say("wall.as_of", locales.Args{"Date": date})
}
