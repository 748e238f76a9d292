package medals

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/diurna-health/diurna/medals/locales"
	"github.com/diurna-health/diurna/schemas"
)

// A Wall is what a person sees of their medals: what the ledger says, and how far the tables say it is to the next.
type Wall struct {
	UserID    string        `json:"user_id"`
	Catalogue string        `json:"catalogue"`
	AsOf      *schemas.Date `json:"as_of"` // the person's last date with records; null when there are none
	// Awards are those that stand, the last earned first.
	Awards []Award `json:"awards"`
	// Progress has one row for each medal that can still be earned, in the catalogue's order.
	Progress []Progress `json:"progress"`
}

// An Award is a medal that a person has.
type Award struct {
	ID          string       `json:"id"`
	Medal       string       `json:"medal"`
	Name        string       `json:"name"`
	Family      string       `json:"family"`
	Kind        Kind         `json:"kind"`
	Level       int64        `json:"level"`
	LevelText   string       `json:"level_text"`
	Tier        Tier         `json:"tier"`
	Period      string       `json:"period"` // empty of medals that are earned once
	RuleVersion int          `json:"rule_version"`
	Private     bool         `json:"private"` // not for others to see unless the person switches it on
	EarnedOn    schemas.Date `json:"earned_on"`
	AwardedAt   time.Time    `json:"awarded_at"`
	Why         string       `json:"why"`
	Evidence    Evidence     `json:"evidence"`
}

// Progress is how far a person is towards the next level of a medal.
type Progress struct {
	Medal     string   `json:"medal"`
	Name      string   `json:"name"`
	Rule      string   `json:"rule"`
	Private   bool     `json:"private"`
	Value     float64  `json:"value"`
	Next      int64    `json:"next"`
	NextText  string   `json:"next_text"`
	Remaining float64  `json:"remaining"`
	Forecast  Forecast `json:"forecast"`
}

// A Forecast says when the next level may come, or why that cannot be said.
type Forecast struct {
	Basis ForecastBasis `json:"basis"`
	Days  *int          `json:"days"` // null where none can be told
	Text  string        `json:"text"`
}

// A ForecastBasis says what a forecast rests on.
type ForecastBasis string

// The bases.
const (
	ForecastPace       ForecastBasis = "pace"         // the person's own last 28 days, continued
	ForecastLong       ForecastBasis = "long"         // by that pace more than two years: too far to say
	ForecastInARow     ForecastBasis = "in_a_row"     // the days that are missing, should all succeed
	ForecastOneFeat    ForecastBasis = "one_feat"     // one day's feat; not to be foretold
	ForecastThisPeriod ForecastBasis = "this_period"  // possible within the running month or year
	ForecastOutOfReach ForecastBasis = "out_of_reach" // no longer possible within it
	ForecastNoPace     ForecastBasis = "no_pace"      // nothing of it in the last 28 days
	ForecastTooShort   ForecastBasis = "too_short"    // fewer than 14 days of records
)

const (
	paceMinDays     = 14
	forecastMaxDays = 730
)

// ReadWall returns a person's wall in a language, by Diurna's own catalogue. It only reads. Of somebody with neither days
// nor medals it is a *schemas.Error with code not_found.
func ReadWall(ctx context.Context, db *sql.DB, ledger Ledger, user, languageTag string) (*Wall, error) {
	catalogue, err := DefaultCatalogue()
	if err != nil {
		return nil, err
	}
	locale, err := locales.Load(languageTag)
	if err != nil {
		return nil, err
	}
	days, err := readDays(ctx, db, []string{user})
	if err != nil {
		return nil, err
	}
	standings, err := ledger.Standings(ctx, []string{user})
	if err != nil {
		return nil, err
	}
	if len(days[user]) == 0 && len(standings[user]) == 0 {
		return nil, &schemas.Error{Code: schemas.CodeNotFound,
			Message: "nobody with that id is known here: check the id, or bring in that person's data first"}
	}
	w := &Wall{UserID: user, Catalogue: catalogue.Version, Awards: []Award{}, Progress: []Progress{}}
	if n := len(days[user]); n > 0 {
		w.AsOf = &days[user][n-1].date
	}
	say := words{locale}
	if err := w.addAwards(catalogue, standings[user], say); err != nil {
		return nil, fmt.Errorf("write medal wall: %w", err)
	}
	if err := w.addProgress(catalogue, days[user], standings[user], say); err != nil {
		return nil, fmt.Errorf("write medal wall: %w", err)
	}
	return w, nil
}

func (w *Wall) addAwards(c *Catalogue, standings []Standing, say words) error {
	for i := range standings {
		s := &standings[i]
		if !s.Stands() {
			continue
		}
		rule := c.Rule(s.Medal, s.RuleVersion)
		if rule == nil {
			rule = c.Rule(s.Medal, c.newest(s.Medal))
		}
		if rule == nil {
			continue // of a catalogue that this one has replaced: it stays in the ledger and has no words here
		}
		a := Award{
			ID: s.AwardID, Medal: s.Medal, Family: rule.Family, Kind: rule.Kind, Level: s.Level, Tier: rule.Tier(s.Level),
			Period: s.Period, RuleVersion: s.RuleVersion, Private: rule.Private, EarnedOn: s.EarnedOn,
			AwardedAt: s.AwardedAt.UTC(), Evidence: s.Evidence,
		}
		var err error
		if a.Name, err = say.name(s.Medal); err != nil {
			return err
		}
		if a.LevelText, err = say.level(s.Medal, s.Level); err != nil {
			return err
		}
		if a.Why, err = say.why(&s.Evidence); err != nil {
			return err
		}
		w.Awards = append(w.Awards, a)
	}
	order := map[string]int{}
	for i, r := range c.Rules {
		order[r.ID] = i
	}
	slices.SortFunc(w.Awards, func(a, b Award) int {
		switch {
		case a.EarnedOn != b.EarnedOn:
			return int(b.EarnedOn - a.EarnedOn)
		case a.Medal != b.Medal:
			return order[a.Medal] - order[b.Medal]
		case a.Level != b.Level:
			return compare(a.Level > b.Level)
		default:
			return strings.Compare(a.ID, b.ID)
		}
	})
	return nil
}

func (w *Wall) addProgress(c *Catalogue, days []day, standings []Standing, say words) error {
	for _, rule := range c.Current() {
		t := rule.tally(days, c.Shields)
		p := Progress{Medal: rule.ID, Private: rule.Private, Value: t.current}
		reached := t.current
		if rule.Rule == RuleSum && rule.Unit == UnitDay || rule.Rule == RuleStreak {
			reached = t.best // what comes again has been earned already
		}
		if rule.Rule == RuleSum && rule.Unit == UnitDay {
			p.Value = t.best
		}
		// A level that the person holds is not ahead, also when an older rule gave it.
		next, ok := rule.nextLevel(int64(math.Floor(reached)))
		for ok && rule.hasPeriods() == "" && holds(standings, rule.ID, next) {
			next, ok = rule.nextLevel(next)
		}
		if !ok {
			continue
		}
		p.Next, p.Remaining = next, float64(next)-p.Value
		p.Forecast = rule.forecast(t, days, p.Remaining)
		var err error
		if p.Name, err = say.name(rule.ID); err != nil {
			return err
		}
		if p.Rule, err = say.locale.Say("medal."+rule.ID+".rule", nil); err != nil {
			return err
		}
		if p.NextText, err = say.level(rule.ID, next); err != nil {
			return err
		}
		period := ""
		if len(days) > 0 {
			period = unitOf(days[len(days)-1].date, rule.hasPeriods())
		}
		if p.Forecast.Text, err = say.forecast(p.Forecast, p.Remaining, period); err != nil {
			return err
		}
		w.Progress = append(w.Progress, p)
	}
	return nil
}

// hasPeriods returns the calendar unit in which a level can be earned again; empty when it is earned once.
func (r *Rule) hasPeriods() Unit {
	span := r.Unit
	if r.Rule == RuleCount {
		span = r.Within
	}
	if r.Rule == RuleStreak || span == UnitLife {
		return ""
	}
	return span
}

func holds(standings []Standing, medal string, level int64) bool {
	return slices.ContainsFunc(standings, func(s Standing) bool {
		return s.Stands() && s.Medal == medal && s.Level == level
	})
}

// forecast says when the next level may come. It promises nothing that the person's own days do not show.
func (r *Rule) forecast(t tally, days []day, remaining float64) Forecast {
	unit := r.hasPeriods()
	switch {
	case r.Rule == RuleStreak:
		n := int(remaining)
		return Forecast{Basis: ForecastInARow, Days: &n}
	case unit == UnitDay:
		return Forecast{Basis: ForecastOneFeat}
	case len(days) < paceMinDays && unit == "":
		return Forecast{Basis: ForecastTooShort}
	case len(days) == 0:
		return Forecast{Basis: ForecastTooShort}
	case unit != "" && (t.missed || !r.fits(days[len(days)-1].date, unit, remaining)):
		return Forecast{Basis: ForecastOutOfReach}
	case unit != "":
		return Forecast{Basis: ForecastThisPeriod}
	case t.recent == 0:
		return Forecast{Basis: ForecastNoPace}
	}
	n := math.Ceil(remaining * float64(min(len(days), paceDays)) / t.recent)
	if n > forecastMaxDays {
		return Forecast{Basis: ForecastLong}
	}
	whole := int(n)
	return Forecast{Basis: ForecastPace, Days: &whole}
}

// fits reports whether so much can still be added within the unit that holds the date. A date adds at most one to a
// count of days; how much other figures may still grow is not known, so that they fit until the unit ends.
func (r *Rule) fits(asOf schemas.Date, unit Unit, remaining float64) bool {
	if r.Rule != RuleSum || r.Metric != ValidNightCount && r.Metric != ValidDayCount {
		return true
	}
	left := 0
	for d := asOf + 1; unitOf(d, unit) == unitOf(asOf, unit); d++ {
		left++
	}
	return remaining <= float64(left)
}
