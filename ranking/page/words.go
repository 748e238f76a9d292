package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
)

func lead(v *ranking.View) string {
	switch {
	case placeOf(v) != nil:
		return ""
	case v.Cohort.PeopleCount == nil:
		return fmt.Sprintf("Fewer than %d people take part, so nobody is listed.", v.Rules.Minimum.Named)
	default:
		return group(v)
	}
}

// group says how many are compared: 212 people in Greece take part.
func group(v *ranking.View) string {
	if v.Cohort.PeopleCount == nil {
		return ""
	}
	n := number(int64(*v.Cohort.PeopleCount))
	if v.Cohort.Shown == "all" {
		return n + " people take part."
	}
	return n + " " + ranking.CohortWords(v.Cohort.Shown) + " take part."
}

func widened(v *ranking.View) string {
	if v.Cohort.PeopleCount == nil || v.Cohort.Asked == v.Cohort.Shown {
		return ""
	}
	return "You asked for " + ranking.CohortWords(v.Cohort.Asked) + ". That is too few to be shown alone, so the next wider group is here."
}

func stageWord(s ranking.Status) string {
	switch s {
	case ranking.StatusFinal:
		return "Final"
	case ranking.StatusSettling:
		return "Not final yet"
	default:
		return "Provisional"
	}
}

func stageWords(v *ranking.View) string {
	switch v.Status {
	case ranking.StatusFinal:
		return "This board is closed and does not change, except when somebody leaves it."
	case ranking.StatusSettling:
		return "The " + string(v.PeriodKind) + " is over. Data that comes late counts until " + instant(v.SettlesAt) + "; then the board is final."
	default:
		return "The board closes on " + instant(v.ClosesAt) + " and is final on " + instant(v.SettlesAt) + "."
	}
}

func reasonWords(r ranking.Reason) string {
	switch r {
	case ranking.ReasonFast:
		return "faster than anybody walks or runs."
	case ranking.ReasonSustained:
		return "a fast pace kept up for longer than can be."
	case ranking.ReasonForeign:
		return "not counted by a watch of yours that syncs here, but imported or written in by hand."
	case ranking.ReasonDaySteps:
		return "more than a day can hold. Somebody will look at it."
	case ranking.ReasonDayWalking:
		return "more hours of walking than a day can hold. Somebody will look at it."
	case ranking.ReasonOverMaximum:
		return "above what one day counts at most."
	default:
		return strings.ReplaceAll(string(r), "_", " ") + "."
	}
}

func rules(v *ranking.View) []string {
	minimum := v.Rules.Minimum
	all := []string{
		"Days that are over count. The running day is shown beside them and ranks nobody.",
		"Equal " + v.Unit + " share a place, and the place after them is left out: 1, 2, 2, 4. Of equals, who got there first is listed first.",
		fmt.Sprintf("“Top 7 %%” means that the people above you, and half of those level with you, are 7 %% of the group, rounded up. It is told in groups of %d people or more.", minimum.Percentile),
		fmt.Sprintf("A board closes when its last date is over everywhere, and is final once %s have passed since, or since it was first made. What comes later counts for your own figures alone.", plural(int64(v.Rules.GraceHours), "hour", "hours")),
		fmt.Sprintf("A group of fewer than %d people is not shown. The next wider one is, and so it is when a group would leave out so few that they could be told apart.", minimum.Named),
		"Names are made up and say nothing about a person. Who stops taking part is taken off.",
	}
	if minimum.ValidDays > 0 {
		all = append(all, fmt.Sprintf("It takes %d days on which the watch was worn for long enough.", minimum.ValidDays))
	}
	if minimum.Age > 0 {
		all = append(all, fmt.Sprintf("Boards are for people of %d years or more.", minimum.Age))
	}
	return all
}

// limitWords are what the known limits judge; the figure comes before them.
var limitWords = map[string]string{
	"ranking_day_counted_step_max":    "count at most of one day",
	"ranking_day_step_max":            "are the most that a day can have before somebody looks at it",
	"ranking_minute_step_max":         "is the fastest minute that counts",
	"ranking_sustained_min_max":       "is how long the pace of a hard run may last",
	"ranking_sustained_step_max":      "is the pace of a hard run",
	"ranking_walking_min_max":         "of walking are the most that a day can have before somebody looks at it",
	"ranking_walking_minute_step_min": "make a minute of walking",
}

func limits(v *ranking.View) []string {
	all := make([]string, 0, len(v.Rules.Limits))
	for _, l := range v.Rules.Limits {
		figure := message.NewPrinter(language.English).Sprintf("%v", l.Value) + " " + l.Unit
		if words := limitWords[l.Name]; words != "" {
			all = append(all, figure+" "+words+".")
		} else {
			all = append(all, strings.ReplaceAll(l.Name, "_", " ")+": "+figure+".")
		}
	}
	return all
}

// made says when and by what the board was made.
func made(v *ranking.View) []string {
	all := []string{"Figures as of " + instant(v.Freshness.AsOf) + "."}
	if v.Freshness.EvidenceUntil != nil {
		all = append(all, "The latest step on this board is of "+instant(*v.Freshness.EvidenceUntil)+".")
	}
	all = append(all, "Rules: "+v.Rules.Version+".")
	if v.Revision != nil {
		all = append(all, "Revision "+strconv.Itoa(*v.Revision)+".")
	}
	if v.SHA256 != nil {
		all = append(all, "SHA-256 of the entries: "+*v.SHA256+".")
	}
	return all
}

// ordinal writes 1st, 22nd, 113th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return number(int64(n)) + suffix
}

func number(n int64) string { return message.NewPrinter(language.English).Sprintf("%d", n) }

func plural(n int64, one, other string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + other
}

// unitOf is the unit, which is an English plural, for a count.
func unitOf(n int64, unit string) string {
	if n == 1 {
		return strings.TrimSuffix(unit, "s")
	}
	return unit
}

func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// dateRange writes 2–8 March 2026 and 30 March – 5 April 2026.
func dateRange(first, last schemas.Date) string {
	firstYear, firstMonth, firstDay := first.Civil()
	year, month, day := last.Civil()
	end := fmt.Sprintf("%d %s %d", day, month, year)
	switch {
	case firstYear != year:
		return fmt.Sprintf("%d %s %d – %s", firstDay, firstMonth, firstYear, end)
	case firstMonth != month:
		return fmt.Sprintf("%d %s – %s", firstDay, firstMonth, end)
	default:
		return fmt.Sprintf("%d–%s", firstDay, end)
	}
}

// weekNumber returns 9 of 2026-W09.
func weekNumber(period string) (string, error) {
	_, week, _ := strings.Cut(period, "-W")
	n, err := strconv.Atoi(week)
	if err != nil {
		return "", fmt.Errorf("name a week: %w", err)
	}
	return strconv.Itoa(n), nil
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
