package medals

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

//go:embed catalogue.json
var catalogueFile []byte

// A Kind says how often a medal can be earned; people are told by it.
type Kind string

// The kinds of medal.
const (
	Repeated   Kind = "rep" // each level in each of its periods
	Cumulative Kind = "cum" // each level once, over a lifetime
	Streak     Kind = "str" // each level once, by days in a row
	Once       Kind = "one" // each level once, by a single feat
	PerPeriod  Kind = "per" // once in each period
)

// A RuleKind says how a medal is worked out from a person's days. All of them add up or count days in the order of
// their dates; what a day is worth is for the model medal_days.
type RuleKind string

// The kinds of rule.
const (
	// RuleSum adds up the metric within each unit; a level is a sum.
	RuleSum RuleKind = "sum"
	// RuleCount counts the units whose sum is at least so much, within each larger span; a level is a count.
	RuleCount RuleKind = "count"
	// RuleStreak counts days in a row on which the metric is at least so much; a level is a length.
	RuleStreak RuleKind = "streak"
)

// A Unit is a span of calendar.
type Unit string

// The units.
const (
	UnitDay   Unit = "day"
	UnitWeek  Unit = "week" // ISO 8601
	UnitMonth Unit = "month"
	UnitYear  Unit = "year"
	UnitLife  Unit = "life" // all of a person's days
)

// A Catalogue is a set of rules, in the order in which people see them. It does not change once parsed.
type Catalogue struct {
	Version string  `json:"version"`
	Comment string  `json:"comment"`
	Shields Shields `json:"shields"`
	Rules   []Rule  `json:"rules"`
}

// Shields say which days that are no success keep a streak all the same. Travel days always do.
type Shields struct {
	NoData  ShieldLimit `json:"no_data"`
	Illness ShieldLimit `json:"illness"`
}

// A ShieldLimit allows so many shields of a sort within any stretch of so many days.
type ShieldLimit struct {
	Days       int `json:"days"`
	WithinDays int `json:"within_days"`
}

// A Rule is one version of one medal.
type Rule struct {
	ID      string   `json:"id"`
	Version int      `json:"version"`
	Family  string   `json:"family"`
	Kind    Kind     `json:"kind"`
	Private bool     `json:"private"` // left out of everything that others may see, unless switched on
	Rule    RuleKind `json:"rule"`
	Unit    Unit     `json:"unit"`
	Within  Unit     `json:"within"` // of RuleCount: the span in which units are counted
	Metric  Metric   `json:"metric"`
	// AtLeast or AtLeastMetric is what RuleCount and RuleStreak compare with: the same for all, or the day's own.
	AtLeast       float64 `json:"at_least"`
	AtLeastMetric Metric  `json:"at_least_metric"`
	Levels        []int64 `json:"levels"`
	ThenEvery     int64   `json:"then_every"` // further levels above the last, so that nobody runs out; 0 = none
}

// DefaultCatalogue returns Diurna's own catalogue.
func DefaultCatalogue() (*Catalogue, error) { return ParseCatalogue(catalogueFile) }

// ParseCatalogue reads a catalogue and reports everything that is wrong with it.
func ParseCatalogue(data []byte) (*Catalogue, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	c := new(Catalogue)
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("parse medal catalogue: %w", err)
	}
	if problems := c.problems(); len(problems) > 0 {
		return nil, fmt.Errorf("check medal catalogue: %w", errors.Join(problems...))
	}
	return c, nil
}

// Current returns the newest version of each rule, in the catalogue's order.
func (c *Catalogue) Current() []*Rule {
	var current []*Rule
	for i := range c.Rules {
		if r := &c.Rules[i]; c.newest(r.ID) == r.Version {
			current = append(current, r)
		}
	}
	return current
}

// Rule returns a version of a medal's rule, nil when the catalogue does not have it.
func (c *Catalogue) Rule(id string, version int) *Rule {
	for i := range c.Rules {
		if r := &c.Rules[i]; r.ID == id && r.Version == version {
			return r
		}
	}
	return nil
}

func (c *Catalogue) newest(id string) int {
	newest := 0
	for _, r := range c.Rules {
		if r.ID == id {
			newest = max(newest, r.Version)
		}
	}
	return newest
}

var ruleID = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (c *Catalogue) problems() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Version == "" {
		report("version is missing")
	}
	if len(c.Rules) == 0 {
		report("there are no rules")
	}
	for name, limit := range map[string]ShieldLimit{"no_data": c.Shields.NoData, "illness": c.Shields.Illness} {
		if limit.Days < 0 || limit.WithinDays < 1 {
			report("shields: %s: days is from 0 and within_days from 1", name)
		}
	}
	type version struct {
		id string
		n  int
	}
	seen := map[version]bool{}
	for _, r := range c.Rules {
		for _, problem := range r.problems() {
			report("rule %q version %d: %w", r.ID, r.Version, problem)
		}
		if key := (version{r.ID, r.Version}); seen[key] {
			report("rule %q version %d stands twice", r.ID, r.Version)
		} else {
			seen[key] = true
		}
	}
	return problems
}

func (r *Rule) problems() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !ruleID.MatchString(r.ID) || r.Version < 1 || r.Family == "" {
		report("id, version from 1 and family are needed")
	}
	if !slices.Contains([]Kind{Repeated, Cumulative, Streak, Once, PerPeriod}, r.Kind) {
		report("kind %q is none", r.Kind)
	}
	if !slices.Contains(Metrics(), r.Metric) {
		report("metric %q is no column of medal_days", r.Metric)
	}
	if r.AtLeastMetric != "" && !slices.Contains(Metrics(), r.AtLeastMetric) {
		report("at_least_metric %q is no column of medal_days", r.AtLeastMetric)
	}
	compares := (r.AtLeast > 0) != (r.AtLeastMetric != "")
	isPeriod := slices.Contains([]Unit{UnitDay, UnitWeek, UnitMonth, UnitYear}, r.Unit)
	switch r.Rule {
	case RuleSum:
		if !isPeriod && r.Unit != UnitLife {
			report("unit %q is none", r.Unit)
		}
		if r.AtLeast != 0 || r.AtLeastMetric != "" || r.Within != "" {
			report("a sum has no at_least and no within")
		}
	case RuleCount:
		if !isPeriod || (r.Within != UnitLife && r.Within != UnitYear) || r.Unit == r.Within || (r.Unit == UnitWeek && r.Within == UnitYear) {
			report("a count is of days, weeks, months or years within life, or of days or months within a year")
		}
		if !compares || (r.AtLeastMetric != "" && r.Unit != UnitDay) {
			report("a count needs at_least above 0, or at_least_metric and days")
		}
	case RuleStreak:
		if r.Unit != UnitDay || r.Within != "" || !compares {
			report("a streak is of days, and needs at_least above 0 or at_least_metric")
		}
	default:
		report("rule %q is none", r.Rule)
	}
	if len(r.Levels) == 0 || r.Levels[0] < 1 || !slices.IsSorted(r.Levels) || len(slices.Compact(slices.Clone(r.Levels))) != len(r.Levels) {
		report("levels are rising and above 0")
	}
	if r.ThenEvery < 0 {
		report("then_every is not negative")
	}
	return problems
}

// nextLevel returns the first level above value; ok is false when there is none.
func (r *Rule) nextLevel(value int64) (level int64, ok bool) {
	for _, l := range r.Levels {
		if l > value {
			return l, true
		}
	}
	if r.ThenEvery == 0 {
		return 0, false
	}
	last := r.Levels[len(r.Levels)-1]
	return last + (max(value-last, 0)/r.ThenEvery+1)*r.ThenEvery, true
}

// Tier is the metal of a level: the first is bronze, the fifth and all above diamond.
type Tier string

// Tier returns the metal of a level. A level between two of the rule's, as another version had it, has that of the
// lower one.
func (r *Rule) Tier(level int64) Tier {
	tiers := []Tier{"bronze", "silver", "gold", "platinum", "diamond"}
	position := 0
	for i, l := range r.Levels {
		if level >= l {
			position = i
		}
	}
	return tiers[min(position, len(tiers)-1)]
}
