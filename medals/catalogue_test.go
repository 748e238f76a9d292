package medals_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/medals/locales"
)

func TestTheCatalogueHasItsTenMedalsWithTheirWords(t *testing.T) {
	c, err := medals.DefaultCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	locale, err := locales.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Current()); n != 10 {
		t.Errorf("%d medals, want 10", n)
	}
	words := locale.Messages()
	for _, r := range c.Rules {
		for _, part := range []string{"name", "rule", "level"} {
			if !slices.Contains(words, "medal."+r.ID+"."+part) {
				t.Errorf("medal %s has no %s", r.ID, part)
			}
		}
		if !slices.Contains(words, "value."+string(r.Metric)) {
			t.Errorf("metric %s has no words", r.Metric)
		}
	}
	for _, id := range words {
		if medal, isMedal := strings.CutPrefix(id, "medal."); isMedal {
			medal, _, _ = strings.Cut(medal, ".")
			if !slices.ContainsFunc(c.Rules, func(r medals.Rule) bool { return r.ID == medal }) {
				t.Errorf("message %s is of no medal", id)
			}
		}
	}
}

func TestAWrongCatalogueSaysWhatIsWrong(t *testing.T) {
	const shields = `"version": "x/1", "shields": {"no_data": {"days": 1, "within_days": 14}, "illness": {"days": 7, "within_days": 90}}`
	const good = `"id": "a", "version": 1, "family": "f", "kind": "cum", "levels": [1]`
	for name, c := range map[string]struct{ text, want string }{
		"no rules":              {`{` + shields + `, "rules": []}`, "no rules"},
		"no shields":            {`{"version": "x/1", "rules": [{` + good + `, "rule": "sum", "unit": "day", "metric": "step_count"}]}`, "shields"},
		"unknown field":         {`{` + shields + `, "bonus": 1}`, "bonus"},
		"unknown rule":          {rules(shields, good+`, "rule": "luck", "unit": "day", "metric": "step_count"`), `rule "luck" is none`},
		"unknown metric":        {rules(shields, good+`, "rule": "sum", "unit": "day", "metric": "calories"`), `metric "calories"`},
		"unknown unit":          {rules(shields, good+`, "rule": "sum", "unit": "hour", "metric": "step_count"`), `unit "hour"`},
		"sum with a bound":      {rules(shields, good+`, "rule": "sum", "unit": "day", "metric": "step_count", "at_least": 1`), "a sum has no at_least"},
		"count without a bound": {rules(shields, good+`, "rule": "count", "unit": "day", "within": "life", "metric": "step_count"`), "a count needs at_least"},
		"count of weeks a year": {rules(shields, good+`, "rule": "count", "unit": "week", "within": "year", "metric": "step_count", "at_least": 1`), "a count is of days"},
		"two bounds":            {rules(shields, good+`, "rule": "streak", "unit": "day", "metric": "step_count", "at_least": 1, "at_least_metric": "step_goal"`), "a streak is of days"},
		"falling levels":        {rules(shields, strings.Replace(good, "[1]", "[3, 2]", 1)+`, "rule": "sum", "unit": "day", "metric": "step_count"`), "levels are rising"},
		"the same version":      {rules(shields, good+`, "rule": "sum", "unit": "day", "metric": "step_count"`, good+`, "rule": "sum", "unit": "day", "metric": "step_count"`), "stands twice"},
	} {
		if _, err := medals.ParseCatalogue([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.want)
		}
	}
}

func rules(shields string, rules ...string) string {
	return "{" + shields + `, "rules": [{` + strings.Join(rules, "}, {") + "}]}"
}

func TestTiersFollowThePositionOfTheLevel(t *testing.T) {
	c, err := medals.DefaultCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	r := c.Rule("step_streak", 1)
	for level, want := range map[int64]medals.Tier{3: "bronze", 7: "silver", 14: "gold", 30: "platinum", 60: "diamond", 365: "diamond", 1_095: "diamond", 10: "silver"} {
		if got := r.Tier(level); got != want {
			t.Errorf("level %d is %s, want %s", level, got, want)
		}
	}
}
