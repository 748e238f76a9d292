package page_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/medals/page"
	"github.com/diurna-health/diurna/schemas"
)

const stylesheet = "wall.css"

// textOnGround are the pairs of colours in which the page sets text.
var textOnGround = []string{"ink on ground", "ink on card", "ink on chip", "soft on ground", "soft on card", "card on day"}

var update = flag.Bool("update", false, "write the golden files")

func TestEveryPageIsItsGolden(t *testing.T) {
	for name, got := range pages(t) {
		path := filepath.Join("testdata", name+".golden.html")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-golden +rendered):\n%s", name, diff)
		}
	}
}

func TestRenderingTwiceGivesTheSameBytesAndLeavesTheWallAsItWas(t *testing.T) {
	wall, untouched := fullWall(t), fullWall(t)
	first, second := render(t, wall), render(t, wall)
	if first != second {
		t.Error("two renderings of one wall differ")
	}
	if diff := cmp.Diff(untouched, wall); diff != "" {
		t.Errorf("rendering changed the wall (-before +after):\n%s", diff)
	}
}

func TestWhatWasEarnedLastComesFirstAndOfOneDateTheHighestMetal(t *testing.T) {
	got := headings(render(t, fullWall(t)))
	want := []string{
		"daily_stride-5000", "year_round-12", "step_streak-14", "step_streak-7", "always_on-7", "daily_stride-15000", "daily_stride-10000",
		"step_million-5000000", "who_week-1", "full_night-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of the cards (-want +got):\n%s", diff)
	}
}

func TestAMedalEarnedOftenIsOneCardThatNamesEveryDate(t *testing.T) {
	card := cardOf(t, render(t, fullWall(t)), "daily_stride-5000")
	for _, want := range []string{"3 times, last 5 April 2026", "7,400 steps on 5 April 2026.", "<li>4 April 2026</li>", "<li>20 March 2026</li>"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	if strings.Contains(card, "<li>5 April 2026</li>") {
		t.Error("the last time is among those before")
	}
}

func TestAMedalOfTheLastSevenDaysIsMarkedAsNewAndAnOlderOneIsNot(t *testing.T) {
	html := render(t, fullWall(t))
	for id, isNew := range map[string]bool{"daily_stride-5000": true, "step_streak-14": true, "always_on-7": false, "full_night-1": false} {
		if got := strings.Contains(cardOf(t, html, id), `<span class="new">`); got != isNew {
			t.Errorf("%s is marked as new: %t, want %t", id, got, isNew)
		}
	}
}

func TestTheHighestLevelOfAStreakIsDrawnWithABeadForEachDayAndAShieldForEachKeptOne(t *testing.T) {
	html := render(t, fullWall(t))
	card := cardOf(t, html, "step_streak-14")
	if n := strings.Count(card, `class="bead"`); n != 14 {
		t.Errorf("%d beads, want 14", n)
	}
	// The shields of 24 and 25 March stand between the beads of 23 and 26 March.
	drawn := regexp.MustCompile(`class="(bead|shield)"`).FindAllStringSubmatch(card, -1)
	var at []int
	for i, d := range drawn {
		if d[1] == "shield" {
			at = append(at, i)
		}
	}
	if diff := cmp.Diff([]int{4, 5}, at); diff != "" {
		t.Errorf("places of the shields (-want +got):\n%s", diff)
	}
	if !strings.Contains(card, "14 days reached, 2 shielded days between them.") || !strings.Contains(card, "2 shields") {
		t.Errorf("the shields are not told in words:\n%s", card)
	}
	if strings.Contains(cardOf(t, html, "step_streak-7"), `class="bead"`) {
		t.Error("a lower level is drawn again")
	}
}

func TestAStreakOfNightsSpeaksOfNights(t *testing.T) {
	wall := fullWall(t)
	for i := range wall.Awards {
		if wall.Awards[i].Medal == "step_streak" {
			wall.Awards[i].Evidence.Metric = medals.MainSleepMin
		}
	}
	card := cardOf(t, render(t, wall), "step_streak-14")
	for _, want := range []string{"The nights of this streak", "14 nights reached, 2 shielded nights between them.", `<th scope="col">Night</th>`} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q", want)
		}
	}
}

func TestTheWhyListsEachDayWithItsValueAndWhatItNeeded(t *testing.T) {
	card := cardOf(t, render(t, fullWall(t)), "step_streak-14")
	for _, want := range []string{
		`<tr><th scope="row">20 March 2026</th><td>7,400 steps</td><td>7,000 steps</td></tr>`,
		`<tr><th scope="row">4 April 2026</th><td>8,700 steps</td><td>7,000 steps</td></tr>`,
	} {
		if !strings.Contains(card, want) {
			t.Errorf("the why lacks %q", want)
		}
	}
	if rows := strings.Count(card, `<th scope="row">`); rows != 14 {
		t.Errorf("%d rows, want 14", rows)
	}
}

func TestPrivateMedalsAreMarkedAndOthersAreNot(t *testing.T) {
	html := render(t, fullWall(t))
	for id, isPrivate := range map[string]bool{"always_on-7": true, "step_streak-14": false} {
		if got := strings.Contains(cardOf(t, html, id), "</svg>private</span>"); got != isPrivate {
			t.Errorf("%s is marked as private: %t, want %t", id, got, isPrivate)
		}
	}
	if !strings.Contains(html, "Private medals are yours alone") {
		t.Error("what private means is not told")
	}
	if strings.Contains(render(t, emptyWall()), "Private medals") {
		t.Error("a wall without private medals explains them")
	}
}

func TestEveryMetalIsAWordAndAShapeOfItsOwn(t *testing.T) {
	html := render(t, fullWall(t))
	shapes := map[string]string{}
	for _, m := range regexp.MustCompile(`<svg class="medal (\w+) [^>]*>.*?<path class="metal" d="([^"]+)"`).FindAllStringSubmatch(html, -1) {
		shapes[m[1]] = m[2]
	}
	if got := slices.Sorted(maps.Keys(shapes)); !slices.Equal(got, []string{"bronze", "diamond", "gold", "platinum", "silver"}) {
		t.Fatalf("the metals drawn are %v", got)
	}
	seen := map[string]string{}
	for metal, shape := range shapes {
		if other := seen[shape]; other != "" {
			t.Errorf("%s and %s have one shape", metal, other)
		}
		seen[shape] = metal
		if !strings.Contains(html, `<span class="tier">`+metal+"</span>") {
			t.Errorf("no card says %s", metal)
		}
	}
}

func TestTheNearestComesFirstAndWhatIsOutOfReachLast(t *testing.T) {
	html := render(t, fullWall(t))
	_, next, found := strings.Cut(html, `id="next-title"`)
	if !found {
		t.Fatal("nothing comes next")
	}
	var got []string
	for _, m := range regexp.MustCompile(`<h3>([^<]+)</h3>`).FindAllStringSubmatch(next, -1) {
		got = append(got, m[1])
	}
	if diff := cmp.Diff([]string{"Always On", "Step Million", "Double Dose", "Year-Round"}, got); diff != "" {
		t.Errorf("order of what comes next (-want +got):\n%s", diff)
	}
	for _, want := range []string{"33 of 100", "About 70 days at your pace of the last 28 days.", "No forecast: nothing of it in the last 28 days.", `<rect class="fill" width="33"`} {
		if !strings.Contains(next, want) {
			t.Errorf("the progress lacks %q", want)
		}
	}
}

func TestAWallWithoutMedalsSaysWhatIsNearest(t *testing.T) {
	html := render(t, startedWall(t))
	for _, want := range []string{"No medal yet. The nearest is Sleep Run: 5 full nights in a row.", "Nearest: Sleep Run", "3 of 5", "2 more days in a row."} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(html, "3 of 5"); n != 1 {
		t.Errorf("the nearest is shown %d times", n)
	}
	if strings.Contains(html, `id="earned-title"`) {
		t.Error("an empty shelf is shown")
	}
	if html := render(t, emptyWall()); !strings.Contains(html, "No medal yet, because no records of your watch have come in.") {
		t.Error("somebody without records is not told what to do")
	}
}

// The words below judge or name a condition. Medals are for encouragement and do neither.
var diagnostic = regexp.MustCompile(`(?i)diagnos|apn(o)?ea|arr?hythmi|fibrillat|hypertens|hypotens|tachycard|bradycard|` +
	`insomnia|fever|disease|disorder|syndrome|symptom|patholog|abnormal|clinical|patient|treatment|therap|` +
	`infect|at risk|dangerous|unhealthy|obes|overweight|underweight|depress|anxi|\bbad\b|\bpoor\b|\bfail|lazy`)

func TestNoPageAndNoTemplateHoldsADiagnosticWord(t *testing.T) {
	all := pages(t)
	for _, path := range []string{"templates/wall.html", "words.go", "page.go", "drawing.go"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(data)
	}
	for name, text := range all {
		if word := diagnostic.FindString(text); word != "" {
			t.Errorf("%s holds %q", name, word)
		}
	}
	for name, html := range pages(t) {
		if !strings.Contains(html, "not medical advice") {
			t.Errorf("%s does not say that it is not medical advice", name)
		}
	}
}

func TestThePageAsksNoHostAndRunsNoScript(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|url\(|src=|href=|https?:|javascript:|\son[a-z]+=`)
	for name, html := range pages(t) {
		if found := forbidden.FindString(html); found != "" {
			t.Errorf("%s holds %q", name, found)
		}
	}
}

func TestNoIDOfAPersonOrAnAwardIsOnThePage(t *testing.T) {
	for name, html := range pages(t) {
		if strings.Contains(html, "somebody-very-particular") || strings.Contains(html, "award-") {
			t.Errorf("%s holds an id", name)
		}
	}
}

func TestWhatComesFromDataIsEscaped(t *testing.T) {
	wall := fullWall(t)
	wall.Awards[0].Why = `<script>alert(1)</script>`
	wall.Awards[0].Family = `"><b>`
	if html := render(t, wall); strings.Contains(html, "<script") || strings.Contains(html, "<b>") {
		t.Error("markup from data reaches the page")
	}
}

func TestThePageIsWellFormedWithLandmarksAndHeadingsInOrder(t *testing.T) {
	for name, html := range pages(t) {
		seen, count := map[string]bool{}, map[string]int{}
		var named []string
		level := 0
		d := xml.NewDecoder(strings.NewReader(html))
		d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			e, isStart := token.(xml.StartElement)
			if !isStart {
				continue
			}
			count[e.Name.Local]++
			if n := strings.TrimPrefix(e.Name.Local, "h"); len(n) == 1 && n >= "1" && n <= "6" {
				if at := int(n[0] - '0'); at > level+1 {
					t.Errorf("%s: a heading of level %d follows one of level %d", name, at, level)
				}
				level = int(n[0] - '0')
			}
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "id":
					if seen[a.Value] {
						t.Errorf("%s has the id %q twice", name, a.Value)
					}
					seen[a.Value] = true
				case "aria-labelledby":
					named = append(named, strings.Fields(a.Value)...)
				}
			}
		}
		for _, id := range named {
			if !seen[id] {
				t.Errorf("%s names %q, which is not there", name, id)
			}
		}
		for _, one := range []string{"main", "header", "footer", "h1", "title"} {
			if count[one] < 1 || one != "title" && count[one] != 1 {
				t.Errorf("%s has %d of %s", name, count[one], one)
			}
		}
		if count["table"] != count["caption"] {
			t.Errorf("%s has %d tables and %d captions", name, count["table"], count["caption"])
		}
	}
}

func pages(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"full": render(t, fullWall(t)), "started": render(t, startedWall(t)), "empty": render(t, emptyWall()),
	}
}

func render(t *testing.T, wall *medals.Wall) string {
	t.Helper()
	html, err := page.HTML(wall)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func headings(html string) []string {
	var ids []string
	for _, m := range regexp.MustCompile(`<li class="card[^"]*" id="([^"]+)"`).FindAllStringSubmatch(html, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func cardOf(t *testing.T, html, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(html, `id="`+id+`"`)
	if !found {
		t.Fatalf("there is no card %s", id)
	}
	card, _, _ := strings.Cut(rest, `<li class="card`)
	return card
}

func date(t *testing.T, s string) schemas.Date {
	t.Helper()
	d, err := schemas.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fullWall is a wall with every metal, a shielded streak, a private medal, repeated ones and each sort of forecast.
func fullWall(t *testing.T) *medals.Wall {
	t.Helper()
	asOf := date(t, "2026-04-05")
	n := 0
	award := func(medal, name, family string, level int64, text string, tier medals.Tier, earned, why string, e medals.Evidence) medals.Award {
		n++
		return medals.Award{
			ID: fmt.Sprintf("award-%d", n), Medal: medal, Name: name, Family: family, Level: level, LevelText: text, Tier: tier,
			Private: family == "heart", EarnedOn: date(t, earned), AwardedAt: time.Date(2026, 4, 6, 8, 0, 0, 0, time.UTC), Why: why, Evidence: e,
		}
	}
	stride := func(level int64, text string, tier medals.Tier, earned, value, said string) medals.Award {
		return award("daily_stride", "Daily Stride", "activity", level, text+" steps in a day", tier, earned, value+" steps on "+said+".",
			medals.Evidence{Rule: medals.RuleSum, Unit: medals.UnitDay, Metric: "step_count", Count: 1,
				Items: []medals.Item{{Period: earned, Date: date(t, earned), Value: 7400}}})
	}
	streak := medals.Evidence{
		Rule: medals.RuleStreak, Unit: medals.UnitDay, Metric: "step_count", AtLeastMetric: "step_goal",
		Shields: []medals.Shield{
			{Date: date(t, "2026-03-24"), Reason: medals.ShieldTravel}, {Date: date(t, "2026-03-25"), Reason: medals.ShieldNoData},
		},
	}
	for d, v := date(t, "2026-03-20"), 7400.0; d <= date(t, "2026-04-04"); d++ {
		if d != streak.Shields[0].Date && d != streak.Shields[1].Date {
			streak.Items = append(streak.Items, medals.Item{Period: d.String(), Date: d, Value: v, Needed: 7000})
			v += 100
		}
	}
	streak.Count = len(streak.Items)
	week := streak
	week.Items, week.Count = streak.Items[:7], 7
	worn := medals.Evidence{Rule: medals.RuleCount, Unit: medals.UnitDay, Metric: "worn_min", AtLeast: 1200, Count: 7}
	for d := date(t, "2026-03-20"); d <= date(t, "2026-03-26"); d++ {
		worn.Items = append(worn.Items, medals.Item{Period: d.String(), Date: d, Value: 1260})
	}
	one := func(rule medals.RuleKind, unit medals.Unit, metric medals.Metric, period, on string, value float64, omitted int) medals.Evidence {
		return medals.Evidence{Rule: rule, Unit: unit, Metric: metric, Count: 1 + omitted, OmittedItems: omitted,
			Items: []medals.Item{{Period: period, Date: date(t, on), Value: value}}}
	}
	year := medals.Evidence{Rule: medals.RuleCount, Unit: medals.UnitMonth, Metric: "valid_day_count", AtLeast: 15, Count: 12, OmittedItems: 10,
		Items: []medals.Item{
			{Period: "2026-03", Date: date(t, "2026-03-15"), Value: 15}, {Period: "2026-04", Date: date(t, "2026-04-04"), Value: 16},
		}}
	private := "Kept over a day of travel: 24 March 2026. Kept over a day without data: 25 March 2026."
	return &medals.Wall{
		UserID: "somebody-very-particular", Catalogue: "medals/1", AsOf: &asOf,
		Awards: []medals.Award{
			stride(5000, "5,000", "bronze", "2026-04-05", "7,400", "5 April 2026"),
			award("step_streak", "Step Streak", "activity", 14, "14 days in a row at your step goal", "gold", "2026-04-04",
				"14 days in a row from 20 March 2026 to 4 April 2026, the last with 8,700 steps. "+private, streak),
			award("year_round", "Year-Round", "wear", 12, "all 12 months of a year", "diamond", "2026-04-04",
				"12 months, the last of them April 2026: 16 valid days by 4 April 2026.", year),
			stride(5000, "5,000", "bronze", "2026-04-04", "8,700", "4 April 2026"),
			award("step_streak", "Step Streak", "activity", 7, "7 days in a row at your step goal", "silver", "2026-03-28",
				"7 days in a row from 20 March 2026 to 28 March 2026, the last with 8,000 steps. "+private, week),
			award("always_on", "Always On", "heart", 7, "7 days of 20 h", "bronze", "2026-03-26",
				"7 days from 20 March 2026 to 26 March 2026, the last with 21 h 00 worn.", worn),
			stride(15000, "15,000", "gold", "2026-03-22", "16,123", "22 March 2026"),
			stride(10000, "10,000", "silver", "2026-03-22", "16,123", "22 March 2026"),
			stride(5000, "5,000", "bronze", "2026-03-20", "7,400", "20 March 2026"),
			award("step_million", "Step Million", "activity", 5_000_000, "5,000,000 steps in all", "platinum", "2026-03-15",
				"5,001,500 steps on 701 days from 2 April 2024 to 15 March 2026.",
				one(medals.RuleSum, medals.UnitLife, "step_count", "2026-03-15", "2026-03-15", 8000, 700)),
			award("who_week", "WHO Week", "activity", 1, "1 week of 150 active minutes", "bronze", "2026-03-14",
				"1 week, week 11 of 2026: 161 active minutes by 14 March 2026.",
				one(medals.RuleCount, medals.UnitWeek, "moderate_equivalent_min", "2026-W11", "2026-03-14", 161, 0)),
			award("full_night", "Full Night", "sleep", 1, "1 full night", "bronze", "2026-03-02",
				"1 night, 2 March 2026, with 7 h 08 of sleep.",
				one(medals.RuleCount, medals.UnitDay, "main_sleep_min", "2026-03-02", "2026-03-02", 428, 0)),
		},
		Progress: []medals.Progress{
			{Medal: "step_million", Name: "Step Million", Rule: "All your steps.", Value: 2_450_000, Next: 10_000_000, NextText: "10,000,000 steps in all",
				Forecast: medals.Forecast{Basis: medals.ForecastPace, Text: "about 640 days at your pace of the last 28 days"}},
			{Medal: "double_dose", Name: "Double Dose", Rule: "Weeks with 300 active minutes or more; a vigorous minute counts as two.", Next: 1,
				NextText: "1 week of 300 active minutes", Forecast: medals.Forecast{Basis: medals.ForecastNoPace, Text: "no forecast: nothing of it in the last 28 days"}},
			{Medal: "year_round", Name: "Year-Round", Rule: "A calendar year with 15 valid days or more in each month; a valid day is worn for 10 h awake.",
				Value: 11, Next: 12, NextText: "all 12 months of a year", Forecast: medals.Forecast{Basis: medals.ForecastOutOfReach, Text: "no longer possible in 2026"}},
			{Medal: "always_on", Name: "Always On", Rule: "Days with the watch on for 20 h or more.", Private: true, Value: 33, Next: 100,
				NextText: "100 days of 20 h", Forecast: medals.Forecast{Basis: medals.ForecastPace, Text: "about 70 days at your pace of the last 28 days"}},
		},
	}
}

// startedWall is of somebody with records and no medal.
func startedWall(t *testing.T) *medals.Wall {
	t.Helper()
	asOf := date(t, "2026-03-04")
	return &medals.Wall{
		UserID: "somebody-very-particular", AsOf: &asOf,
		Progress: []medals.Progress{
			{Medal: "daily_stride", Name: "Daily Stride", Rule: "Steps in one day.", Value: 2200.5, Next: 5000, NextText: "5,000 steps in a day",
				Forecast: medals.Forecast{Basis: medals.ForecastOneFeat, Text: "in a single day; the figure is your best day so far"}},
			{Medal: "sleep_run", Name: "Sleep Run", Rule: "Full nights in a row.", Value: 3, Next: 5, NextText: "5 full nights in a row",
				Forecast: medals.Forecast{Basis: medals.ForecastInARow, Text: "2 more days in a row"}},
		},
	}
}

// emptyWall is of somebody whose watch has sent nothing.
func emptyWall() *medals.Wall {
	return &medals.Wall{
		UserID: "somebody-very-particular",
		Progress: []medals.Progress{
			{Medal: "daily_stride", Name: "Daily Stride", Rule: "Steps in one day.", Next: 5000, NextText: "5,000 steps in a day",
				Forecast: medals.Forecast{Basis: medals.ForecastOneFeat, Text: "in a single day; the figure is your best day so far"}},
		},
	}
}
