package page_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/page"
)

const stylesheet = "board.css"

// textOnGround are the pairs of colours in which the page sets text.
var textOnGround = []string{
	"ink on ground", "ink on card", "ink on chip", "ink on mine", "soft on ground", "soft on card", "move on card", "card on move",
}

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

func TestRenderingTwiceGivesTheSameBytesAndLeavesTheViewAsItWas(t *testing.T) {
	v := placed()
	if first, second := render(t, v), render(t, v); first != second {
		t.Error("two renderings of one view differ")
	}
	if diff := cmp.Diff(placed(), v); diff != "" {
		t.Errorf("rendering changed the view (-before +after):\n%s", diff)
	}
}

func TestTheOwnPlaceIsToldWithItsShareGapsAndStage(t *testing.T) {
	wantAll(t, words(render(t, placed())),
		"14th of 212, top 7 %", "You share this place.", "212 people in Greece take part.", "On this board you are Topaz Lynx 859.",
		"Provisional The board closes on 9 March 2026, 11:00 UTC and is final on 12 March 2026, 11:00 UTC.",
		"Your steps 59,972 on 3 days that are over", "To the next better place 1 step", "Ahead of the next 1,002 steps",
		"Today so far +1,234 steps provisional: it counts once the day is over")
}

func TestTheFirstHasNobodyToCatchUpWith(t *testing.T) {
	v := placed()
	v.Me.Rank, v.Me.GapUp = new(1), nil
	wantAll(t, words(render(t, v)), "1st of 212", "nobody has more than you")
}

func TestAShareAmongAWiderGroupNamesTheGroup(t *testing.T) {
	v := placed()
	v.Me.PercentileCohort = new("all")
	wantAll(t, words(render(t, v)), "top 7 % of everybody who takes part")
}

func TestASmallGroupHasAPlaceAndNoShare(t *testing.T) {
	v := placed()
	v.Me.TopPct, v.Me.Percentile, v.Me.PercentileCohort = nil, nil, nil
	html := render(t, v)
	wantAll(t, words(html), "14th of 212 ")
	if strings.Contains(html, "<svg class=\"strip\"") || strings.Contains(words(html), "212, top") {
		t.Error("a share is shown that was not told")
	}
}

func TestTheNeighboursShareRanksAndTheReaderIsMarked(t *testing.T) {
	around, _, _ := strings.Cut(after(t, render(t, placed()), `id="around-title"`), "</table>")
	var got []string
	for _, m := range regexp.MustCompile(`(?s)<tr( class="me")?>(.*?)</tr>`).FindAllStringSubmatch(around, -1) {
		got = append(got, strings.TrimSpace(m[1])+words(m[2]))
	}
	want := []string{
		"Place Name Steps Days", "12 Ochre Swallow 947 60,100 3", "13 Emerald Pika 260 59,973 3",
		"14 shared Plum Oriole 149 59,972 3", `class="me"14 shared Topaz Lynx 859 you 59,972 3`, "16 Copper Salmon 486 58,970 3",
		"17 Ruby Osprey 835 58,000 3", "18 Scarlet Pika 861 57,000 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows around the reader (-want +got):\n%s", diff)
	}
}

func TestOrdinalsAreAsPeopleSayThem(t *testing.T) {
	for rank, want := range map[int]string{
		1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th", 1003: "1,003rd",
	} {
		v := placed()
		v.Me.Rank = new(rank)
		wantAll(t, words(render(t, v)), " "+want+" of 212")
	}
}

func TestWhatWasLeftOutIsToldWithItsReason(t *testing.T) {
	wantAll(t, words(render(t, placed())), "1,000 steps in 4 min: faster than anybody walks or runs.",
		"12,000 steps on 1 day: above what one day counts at most.", "Your own totals and reports keep it.")
	v := placed()
	v.MineExcluded = nil
	wantAll(t, words(render(t, v)), "Left out of your score Nothing.")
	for _, reason := range []ranking.Reason{
		ranking.ReasonFast, ranking.ReasonSustained, ranking.ReasonForeign, ranking.ReasonDaySteps, ranking.ReasonDayWalking, ranking.ReasonOverMaximum,
	} {
		v.MineExcluded = []ranking.Exclusion{{Reason: reason, Days: 2, Steps: 5000}}
		if html := render(t, v); strings.Contains(html, string(reason)+".") {
			t.Errorf("the reason %s has no words", reason)
		}
	}
}

func TestEachStageSaysWhetherTheBoardCanChange(t *testing.T) {
	v := placed()
	v.Status = ranking.StatusSettling
	wantAll(t, words(render(t, v)), "Not final yet The week is over. Data that comes late counts until 12 March 2026, 11:00 UTC")
	wantAll(t, words(render(t, final())), "Final This board is closed and does not change", "Revision 2.", "SHA-256 of the entries: 5e88")
}

func TestSomebodyWithoutAPlaceIsToldWhyAndWhatToDo(t *testing.T) {
	for absence, want := range map[ranking.Absence][]string{
		ranking.AbsenceNotTakingPart: {"You do not take part", "diurna account set --user YOUR-ID --opt-in ranking"},
		ranking.AbsenceNoSteps:       {"No place yet", "Wear your watch and let it sync. Your place appears by itself."},
		ranking.AbsenceQuarantine:    {"Your place waits", "You need not do anything."},
		ranking.AbsenceFewValidDays:  {"It takes 10 days", "Wear your watch through the day"},
		ranking.AbsenceAge:           {"16 years or more", "If the year of birth in your profile is wrong, correct it there."},
	} {
		v := absent(absence)
		v.Rules.Minimum.ValidDays = 10
		html := render(t, v)
		wantAll(t, words(html), want...)
		if strings.Contains(html, `class="card place"`) {
			t.Errorf("%s has a place", absence)
		}
		if strings.Contains(words(html), "Your steps 0") {
			t.Errorf("%s is told zero where nothing counts yet", absence)
		}
		v.Status = ranking.StatusFinal
		if strings.Contains(words(render(t, v)), "appears by itself") {
			t.Errorf("%s is promised a place on a board that is final", absence)
		}
	}
}

func TestABoardOfTooFewPeopleSaysSoAndShowsTheOwnFigure(t *testing.T) {
	html := render(t, small())
	wantAll(t, words(html), "Fewer than 5 people take part, so nobody is listed.", "Too few people for a board",
		"Come back when more people take part", "Your steps 1,000 on 1 day that is over")
	if strings.Contains(html, "<table>") {
		t.Error("somebody is listed")
	}
}

func TestAGroupThatWasWidenedSaysWhatWasAskedFor(t *testing.T) {
	v := guest()
	v.Cohort.Asked, v.Cohort.Shown = "country:SE,age:25-34,sex:female", "region:150"
	wantAll(t, words(render(t, v)), "You asked for people in Sweden, aged 25 to 34, whose profile says female.", "60 people in Europe take part.")
}

func TestSomebodyOutsideTheGroupIsToldWhereToLook(t *testing.T) {
	v := placed()
	v.Me.Rank, v.Me.Of, v.Me.TopPct, v.Me.Percentile, v.Neighbours = nil, nil, nil, nil, nil
	wantAll(t, words(render(t, v)), "You are not in this group", "Look at the board of everybody")
}

func TestABoardThatNobodyAskedForThemselvesIsTheTopAndTheRules(t *testing.T) {
	html := render(t, guest())
	for _, absent := range []string{`class="card place"`, `class="card notice"`, "Left out of your score", `class="tiles"`} {
		if strings.Contains(html, absent) {
			t.Errorf("the board holds %s", absent)
		}
	}
	wantAll(t, words(html), "March 2026", "1–31 March 2026", "The top 2", "60 people take part.")
}

func TestEveryLimitHasWords(t *testing.T) {
	text := words(render(t, placed()))
	wantAll(t, text, "40,000 steps count at most of one day.", "230 steps/min is the fastest minute that counts.")
	if strings.Contains(text, "ranking_") || strings.Contains(text, "ranking day") {
		t.Error("a limit is told by its name")
	}
}

// The words below judge or name a condition. A ranking is a game and does neither.
var diagnostic = regexp.MustCompile(`(?i)diagnos|apn(o)?ea|arr?hythmi|fibrillat|hypertens|hypotens|tachycard|bradycard|` +
	`insomnia|fever|illness|disease|disorder|syndrome|symptom|patholog|abnormal|clinical|patient|treatment|therap|` +
	`infect|at risk|dangerous|unhealthy|obes|overweight|underweight|depress|anxi|\bbad\b|\bpoor\b|\bfail|lazy|cheat|fraud|suspicio`)

func TestNoPageAndNoTemplateHoldsADiagnosticOrAccusingWord(t *testing.T) {
	all := pages(t)
	for _, path := range []string{"templates/board.html", "words.go", "page.go"} {
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

func TestNoIDIsOnThePage(t *testing.T) {
	for name, html := range pages(t) {
		if strings.Contains(html, "public-id") {
			t.Errorf("%s holds an id", name)
		}
	}
}

func TestWhatComesFromDataIsEscaped(t *testing.T) {
	v := placed()
	v.Top[0].Name, v.Cohort.Asked = "<script>alert(1)</script>", "<b>"
	if html := render(t, v); strings.Contains(html, "<script") || strings.Contains(html, "<b>") {
		t.Error("markup from data reaches the page")
	}
}

func TestAViewOfNoPeriodIsAnError(t *testing.T) {
	v := placed()
	v.Period = "soon"
	if _, err := page.HTML(v); err == nil {
		t.Error("a page of no period is rendered")
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
			if count[one] != 1 {
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
		"placed": render(t, placed()), "final": render(t, final()), "small": render(t, small()), "guest": render(t, guest()),
		"not_taking_part": render(t, absent(ranking.AbsenceNotTakingPart)), "quarantine": render(t, absent(ranking.AbsenceQuarantine)),
	}
}

func render(t *testing.T, v *ranking.View) string {
	t.Helper()
	html, err := page.HTML(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

var (
	styles = regexp.MustCompile(`(?s)<style>.*?</style>`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	glued  = regexp.MustCompile(` ([,.:;])`)
)

// words returns what a page says, without its markup.
func words(html string) string {
	text := tags.ReplaceAllString(styles.ReplaceAllString(html, ""), " ")
	text = strings.NewReplacer("&#43;", "+", "&#39;", "'").Replace(text)
	return glued.ReplaceAllString(strings.Join(strings.Fields(text), " "), "$1")
}

func wantAll(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
}

func after(t *testing.T, text, mark string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, mark)
	if !found {
		t.Fatalf("the page lacks %s", mark)
	}
	return rest
}

// frame is an open week of steps without people.
func frame() *ranking.View {
	return &ranking.View{
		Format: ranking.Format, Board: "steps-week", Metric: "steps", Unit: "steps", PeriodKind: "week", Period: "2026-W10",
		FirstDate: "2026-03-02", LastDate: "2026-03-08", Status: ranking.StatusOpen,
		ClosesAt: time.Date(2026, 3, 9, 11, 0, 0, 0, time.UTC), SettlesAt: time.Date(2026, 3, 12, 11, 0, 0, 0, time.UTC),
		Freshness: ranking.Freshness{AsOf: time.Date(2026, 3, 5, 18, 0, 0, 0, time.UTC), EvidenceUntil: new(time.Date(2026, 3, 5, 17, 42, 0, 0, time.UTC))},
		Cohort:    ranking.CohortShown{Asked: "all", Shown: "all", PeopleCount: new(60)},
		Rules: ranking.Rules{
			Version: "boards/1", Minimum: ranking.Minimum{Named: 5, Percentile: 50, Difference: 5, Age: 16}, GraceHours: 72,
			Limits: []ranking.Limit{
				{Name: "ranking_day_counted_step_max", Value: 40000, Unit: "steps", Version: 1},
				{Name: "ranking_day_step_max", Value: 100000, Unit: "steps", Version: 1},
				{Name: "ranking_minute_step_max", Value: 230, Unit: "steps/min", Version: 1},
				{Name: "ranking_sustained_min_max", Value: 20, Unit: "min", Version: 1},
				{Name: "ranking_sustained_step_max", Value: 200, Unit: "steps/min", Version: 1},
				{Name: "ranking_walking_min_max", Value: 1080, Unit: "min", Version: 1},
				{Name: "ranking_walking_minute_step_min", Value: 40, Unit: "steps/min", Version: 1},
			},
		},
	}
}

func people(rows ...ranking.Row) []ranking.Row {
	for i := range rows {
		rows[i].PublicID = fmt.Sprintf("public-id-%d", i)
	}
	return rows
}

// placed is of somebody who shares the 14th place of 212.
func placed() *ranking.View {
	v := frame()
	v.Cohort = ranking.CohortShown{Asked: "country:GR", Shown: "country:GR", PeopleCount: new(212)}
	v.Top = people(
		ranking.Row{Rank: 1, Name: "Lilac Heron 485", Value: 101_250, DayCount: 3}, ranking.Row{Rank: 2, Name: "Amber Marten 77", Value: 88_410, DayCount: 3},
		ranking.Row{Rank: 2, Name: "Orange Seal 464", Value: 88_410, DayCount: 3}, ranking.Row{Rank: 4, Name: "Violet Stork 301", Value: 85_004, DayCount: 3},
		ranking.Row{Rank: 5, Name: "Silver Otter 18", Value: 79_999, DayCount: 2}, ranking.Row{Rank: 6, Name: "Golden Wren 902", Value: 77_130, DayCount: 3},
		ranking.Row{Rank: 7, Name: "Teal Badger 555", Value: 70_600, DayCount: 3}, ranking.Row{Rank: 8, Name: "Coral Finch 640", Value: 66_120, DayCount: 3},
		ranking.Row{Rank: 9, Name: "Indigo Hare 212", Value: 63_002, DayCount: 3}, ranking.Row{Rank: 10, Name: "Olive Swift 39", Value: 61_050, DayCount: 3},
	)
	v.Neighbours = people(
		ranking.Row{Rank: 12, Name: "Ochre Swallow 947", Value: 60_100, DayCount: 3},
		ranking.Row{Rank: 13, Name: "Emerald Pika 260", Value: 59_973, DayCount: 3}, ranking.Row{Rank: 14, Name: "Plum Oriole 149", Value: 59_972, DayCount: 3},
		ranking.Row{Rank: 14, Name: "Topaz Lynx 859", Value: 59_972, DayCount: 3, IsMe: true}, ranking.Row{Rank: 16, Name: "Copper Salmon 486", Value: 58_970, DayCount: 3},
		ranking.Row{Rank: 17, Name: "Ruby Osprey 835", Value: 58_000, DayCount: 3}, ranking.Row{Rank: 18, Name: "Scarlet Pika 861", Value: 57_000, DayCount: 2},
	)
	v.Me = &ranking.Me{
		PublicID: "public-id-me", Name: "Topaz Lynx 859", Value: new(int64(59_972)), RunningValue: new(int64(1234)), DayCount: new(3),
		Rank: new(14), Of: new(212), Percentile: new(93.4), TopPct: new(7), PercentileCohort: new("country:GR"),
		GapUp: new(int64(1)), GapDown: new(int64(1002)),
	}
	v.MineExcluded = []ranking.Exclusion{
		{Reason: ranking.ReasonFast, Minutes: 4, Steps: 1000}, {Reason: ranking.ReasonOverMaximum, Days: 1, Steps: 12_000},
	}
	return v
}

// final is the same, closed and frozen.
func final() *ranking.View {
	v := placed()
	v.Status, v.Revision, v.Me.RunningValue, v.MineExcluded = ranking.StatusFinal, new(2), nil, nil
	v.SHA256 = new("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8")
	return v
}

// small is a board that names nobody, asked by one of its people.
func small() *ranking.View {
	v := frame()
	v.Cohort.PeopleCount = nil
	v.Me = &ranking.Me{PublicID: "public-id-me", Name: "Lilac Heron 485", Value: new(int64(1000)), DayCount: new(1)}
	return v
}

// guest is a month that nobody asked for themselves.
func guest() *ranking.View {
	v := frame()
	v.Board, v.PeriodKind, v.Period, v.FirstDate, v.LastDate = "steps-month", "month", "2026-03", "2026-03-01", "2026-03-31"
	v.Top = people(ranking.Row{Rank: 1, Name: "Lilac Heron 485", Value: 60_000, DayCount: 4}, ranking.Row{Rank: 2, Name: "Plum Oriole 149", Value: 59_999, DayCount: 4})
	return v
}

// absent is of somebody without a place.
func absent(a ranking.Absence) *ranking.View {
	v := frame()
	v.Top = guest().Top
	v.Me = &ranking.Me{PublicID: "public-id-me", Name: "Topaz Lynx 859", Absence: new(a)}
	if a == ranking.AbsenceNotTakingPart {
		return v
	}
	v.Me.Value, v.Me.DayCount, v.Me.RunningValue = new(int64(0)), new(0), new(int64(4321))
	if a == ranking.AbsenceQuarantine {
		v.Me.DayCount, v.MineExcluded = new(1), []ranking.Exclusion{{Reason: ranking.ReasonDaySteps, Days: 1, Steps: 130_000}}
	}
	return v
}
