package schedule

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed definitions/schedule.json
var definition []byte

// rules say when reports are made.
type rules struct {
	Version           string                             `json:"version"`
	Comment           string                             `json:"comment"`
	AfterWakingMin    int                                `json:"after_waking_min"`
	UnknownWakingHour int                                `json:"unknown_waking_hour"` // of a night without times
	AwakeFromHour     int                                `json:"awake_from_hour"`     // nothing is sent before
	AwakeToHour       int                                `json:"awake_to_hour"`       // nor from then on
	CorrectionPauseH  int                                `json:"correction_pause_h"`
	HeadlineChangePct float64                            `json:"headline_change_pct"`
	Kinds             map[schemas.PeriodKind]kindOfRules `json:"kinds"`
}

// kindOfRules are the rules of one kind of period. Days are counted from its last date.
type kindOfRules struct {
	EarliestDay  int `json:"earliest_day"`
	EarliestHour int `json:"earliest_hour"`
	DeadlineDay  int `json:"deadline_day"`
	DeadlineHour int `json:"deadline_hour"`
	LapseDays    int `json:"lapse_days"`    // after the deadline a report missed is no news
	HistoryDays  int `json:"history_days"`  // records it takes before the first
	ThinInARow   int `json:"thin_in_a_row"` // reports without enough data, one after the other
}

func readRules() (*rules, error) {
	dec := json.NewDecoder(bytes.NewReader(definition))
	dec.DisallowUnknownFields()
	r := new(rules)
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("parse rules of the schedule: %w", err)
	}
	return r, nil
}
