package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
)

//go:embed templates/board.html
var boardTemplate string

//go:embed templates/board.css
var boardStyle string

// HTML returns a view as one self-contained page.
func HTML(v *ranking.View) ([]byte, error) {
	t, err := template.New("board").Parse(boardTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse ranking page: %w", err)
	}
	p, err := newPage(v)
	if err != nil {
		return nil, fmt.Errorf("render ranking page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render ranking page: %w", err)
	}
	return b.Bytes(), nil
}

// A page is everything a reader sees, in words and drawings, ready to be placed.
type page struct {
	Style               template.CSS
	Title, Dates, Kind  string
	Lead                string // of a page without a place
	Group, Widened      string
	Stage, StageWord    string
	StageWords          string
	Place               *place
	Notice              *notice
	Tiles               []tile
	Around, Top         *board
	Left                *left
	Rules, Limits, Made []string
}

// A place is where the reader stands.
type place struct {
	Ordinal, Of string
	Top         string // empty when the board is too small to say it
	Name        string
	IsShared    bool
	Mark        *mark
}

// A mark is where on a strip the reader stands, whoever has most at its right end: how much of it is filled, and the dot.
type mark struct{ X, CX int }

// A notice says why there is no place, and what to do.
type notice struct{ Title, Why, Do, Command string }

type tile struct{ Label, Value, Unit, Words string }

// A board is some rows of the ranking.
type board struct {
	Title, Caption, Unit string
	Rows                 []row
}

type row struct {
	Rank, Name, Value, Days string
	IsMe, IsShared          bool
}

// left is what does not count in the reader's score.
type left struct{ Items []string }

func newPage(v *ranking.View) (*page, error) {
	title, dates, err := periodWords(v)
	if err != nil {
		return nil, err
	}
	p := &page{
		Style: template.CSS(boardStyle), //nolint:gosec // our own file
		Title: title, Dates: dates, Kind: "Ranking by " + v.Metric,
		Lead:  lead(v),
		Group: group(v), Widened: widened(v),
		Stage: string(v.Status), StageWord: stageWord(v.Status), StageWords: stageWords(v),
		Place: placeOf(v), Notice: noticeOf(v), Tiles: tiles(v), Left: leftOut(v),
		Rules: rules(v), Limits: limits(v), Made: made(v),
	}
	if len(v.Neighbours) > 0 {
		p.Around = newBoard("Around you", "Your place and up to three on each side", v.Unit, v.Neighbours)
	}
	if len(v.Top) > 0 {
		p.Top = newBoard("The top "+strconv.Itoa(len(v.Top)), "The most "+v.Unit+" among "+ranking.CohortWords(v.Cohort.Shown), v.Unit, v.Top)
	}
	return p, nil
}

func newBoard(title, caption, unit string, people []ranking.Row) *board {
	b := &board{Title: title, Caption: caption, Unit: capital(unit)}
	for i, r := range people {
		b.Rows = append(b.Rows, row{
			Rank: number(int64(r.Rank)), Name: r.Name, Value: number(r.Value), Days: number(int64(r.DayCount)), IsMe: r.IsMe,
			IsShared: i > 0 && people[i-1].Rank == r.Rank || i+1 < len(people) && people[i+1].Rank == r.Rank,
		})
	}
	return b
}

func placeOf(v *ranking.View) *place {
	m := v.Me
	if m == nil || m.Rank == nil || m.Of == nil {
		return nil
	}
	p := &place{Ordinal: ordinal(*m.Rank), Of: number(int64(*m.Of)), Name: m.Name}
	if m.TopPct != nil && m.PercentileCohort != nil {
		p.Top = fmt.Sprintf("top %d %%", *m.TopPct)
		if *m.PercentileCohort != v.Cohort.Shown {
			p.Top += " of " + ranking.CohortWords(*m.PercentileCohort)
		}
	}
	if m.Percentile != nil {
		// The strip is 976 wide and begins at 12; the dot stays on it.
		x := int(9.76 * *m.Percentile)
		p.Mark = &mark{x, 12 + min(960, max(16, x))}
	}
	for _, r := range v.Neighbours {
		p.IsShared = p.IsShared || !r.IsMe && r.Rank == *m.Rank
	}
	return p
}

func tiles(v *ranking.View) []tile {
	m := v.Me
	if m == nil || m.Value == nil {
		return nil
	}
	var all []tile
	unit := v.Unit
	// Of somebody of whom nothing counts yet, zero is no figure to show.
	if *m.Value > 0 || m.Absence == nil {
		own := tile{Label: "Your " + unit, Value: number(*m.Value)}
		if m.DayCount != nil {
			own.Words = "on " + plural(int64(*m.DayCount), "day that is over", "days that are over")
		}
		all = append(all, own)
	}
	if m.GapUp != nil {
		all = append(all, tile{Label: "To the next better place", Value: number(*m.GapUp), Unit: unitOf(*m.GapUp, unit), Words: "to draw level; one more passes it"})
	} else if m.Rank != nil {
		all = append(all, tile{Label: "To the next better place", Value: "–", Words: "nobody has more than you"})
	}
	if m.GapDown != nil {
		all = append(all, tile{Label: "Ahead of the next", Value: number(*m.GapDown), Unit: unitOf(*m.GapDown, unit)})
	}
	if m.RunningValue != nil {
		all = append(all, tile{Label: "Today so far", Value: "+" + number(*m.RunningValue), Unit: unitOf(*m.RunningValue, unit),
			Words: "provisional: it counts once the day is over"})
	}
	return all
}

// leftOut is nil for somebody of whom nothing is counted and nothing left out.
func leftOut(v *ranking.View) *left {
	if v.Me == nil || v.Me.Value == nil || *v.Me.Value == 0 && len(v.MineExcluded) == 0 {
		return nil
	}
	l := new(left)
	for _, e := range v.MineExcluded {
		amount := plural(e.Days, "day", "days")
		preposition := "on"
		if e.Minutes > 0 {
			amount, preposition = number(e.Minutes)+" min", "in"
		}
		l.Items = append(l.Items, fmt.Sprintf("%s %s %s %s: %s", number(e.Steps), unitOf(e.Steps, v.Unit), preposition, amount, reasonWords(e.Reason)))
	}
	return l
}

func noticeOf(v *ranking.View) *notice {
	m := v.Me
	var n *notice
	switch {
	case m != nil && m.Absence != nil:
		n = absenceNotice(*m.Absence, v)
	case v.Cohort.PeopleCount == nil:
		n = &notice{
			Title: "Too few people for a board",
			Why:   fmt.Sprintf("It takes %d people before anybody is listed, so that nobody can be told apart.", v.Rules.Minimum.Named),
			Do:    "Come back when more people take part: the board appears by itself.",
		}
	case m != nil && m.Rank == nil:
		n = &notice{
			Title: "You are not in this group",
			Why:   "This board compares " + ranking.CohortWords(v.Cohort.Shown) + ".",
			Do:    "Look at the board of everybody, or of your own country, to find your place.",
		}
	}
	return n
}

func absenceNotice(a ranking.Absence, v *ranking.View) *notice {
	again := "Your place appears by itself."
	if v.Status != ranking.StatusOpen {
		again = "This " + string(v.PeriodKind) + " is over: what you do now counts for the next."
	}
	switch a {
	case ranking.AbsenceNotTakingPart:
		return &notice{
			Title: "You do not take part",
			Why:   "Rankings are for people who said yes to them. Others then see a made-up name and a number of " + v.Unit + ", and you can leave at any time.",
			Do:    "To take part, have your consent written down:", Command: "diurna account set --user YOUR-ID --opt-in ranking",
		}
	case ranking.AbsenceNoSteps:
		return &notice{
			Title: "No place yet",
			Why:   "No day of this " + string(v.PeriodKind) + " that is over has " + v.Unit + " that count.",
			Do:    "Wear your watch and let it sync. " + again,
		}
	case ranking.AbsenceQuarantine:
		return &notice{
			Title: "Your place waits",
			Why:   "Your days have more " + v.Unit + " or more walking than a day can hold, so somebody looks at them before they count.",
			Do:    "You need not do anything. If your watch was not on your wrist then, tell the people who run this board.",
		}
	case ranking.AbsenceFewValidDays:
		return &notice{
			Title: "No place yet",
			Why:   fmt.Sprintf("It takes %d days on which the watch was worn for long enough.", v.Rules.Minimum.ValidDays),
			Do:    "Wear your watch through the day and let it sync. " + again,
		}
	default:
		return &notice{
			Title: "No place on this board",
			Why:   fmt.Sprintf("Boards are for people of %d years or more. Your reports and medals are yours all the same.", v.Rules.Minimum.Age),
			Do:    "If the year of birth in your profile is wrong, correct it there.",
		}
	}
}

func periodWords(v *ranking.View) (title, dates string, err error) {
	period, err := schemas.ParsePeriod(v.Period)
	if err != nil {
		return "", "", err
	}
	first, last := period.Dates()
	dates = dateRange(first, last)
	if period.Kind() == schemas.PeriodWeek {
		week, err := weekNumber(v.Period)
		return "Week " + week, dates, err
	}
	year, month, _ := first.Civil()
	if period.Kind() == schemas.PeriodMonth {
		return month.String() + " " + strconv.Itoa(year), dates, nil
	}
	return strconv.Itoa(year), dates, nil
}
