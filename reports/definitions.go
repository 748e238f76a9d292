package reports

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed definitions/weekly.json definitions/monthly.json definitions/yearly.json
var definitionFiles embed.FS

// Rules are the product rules of a report: how much it takes to say something. They come from a versioned file, and
// the snapshot carries what a reader needs of them.
type Rules struct {
	Version    string          `json:"version"`
	Comment    string          `json:"comment"`
	Minimum    Minimum         `json:"minimum"`
	Comparison ComparisonRules `json:"comparison"`
	Valid      ValidRules      `json:"valid"`
	Goal       GoalRules       `json:"goal"`
}

// Minimum says how many valid days or nights it takes before a mean is printed.
type Minimum struct {
	ReportDays    int `json:"report_days"`
	SleepNights   int `json:"sleep_nights"`
	HeartRateDays int `json:"heart_rate_days"`
	MovementDays  int `json:"movement_days"`
	BestDayDays   int `json:"best_day_days"`
	// ReportNights makes a report full without enough days; 0 when nights alone do not.
	ReportNights int `json:"report_nights"`
	// PartDays, WeekdayDays and GoalWeekDays are for the parts of a month or year, its weekdays and its weeks.
	PartDays     int `json:"part_days"`
	WeekdayDays  int `json:"weekday_days"`
	GoalWeekDays int `json:"goal_week_days"`
}

// ComparisonRules say when two spans of time may be compared and when the difference is worth a sentence.
type ComparisonRules struct {
	HistoryWeeks   int     `json:"history_weeks"`   // before the period; 0: the period before it
	PeriodMinimum  int     `json:"period_minimum"`  // valid days of the period
	HistoryMinimum int     `json:"history_minimum"` // valid days of the history
	NoiseMADs      float64 `json:"noise_mads"`      // a change must exceed so many median absolute deviations
	NoisePct       float64 `json:"noise_pct"`       // and reach so many percent
}

// ValidRules repeat, for the reader, what user_days calls valid.
type ValidRules struct {
	DayWornAwakeMin int `json:"day_worn_awake_min"`
	NightInBedMin   int `json:"night_in_bed_min"`
}

// GoalRules are the public recommendations that figures are set against.
type GoalRules struct {
	ModerateEquivalentMin int `json:"moderate_equivalent_min"` // a week
}

// rulesOf reads the rules of the report on a kind of period.
func rulesOf(kind schemas.PeriodKind) (*Rules, error) {
	name := map[schemas.PeriodKind]string{
		schemas.PeriodWeek: "weekly", schemas.PeriodMonth: "monthly", schemas.PeriodYear: "yearly",
	}[kind]
	if name == "" {
		return nil, &schemas.Error{Code: schemas.CodeInvalid,
			Message: "a report is made of a week, a month or a year: give one as in 2016-W16, 2016-04 or 2016"}
	}
	data, err := definitionFiles.ReadFile("definitions/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("read rules of the %s report: %w", name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	rules := new(Rules)
	if err := dec.Decode(rules); err != nil {
		return nil, fmt.Errorf("parse rules of the %s report: %w", name, err)
	}
	return rules, nil
}
