package page

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/medals/locales"
	"github.com/diurna-health/diurna/schemas"
)

//go:embed templates/wall.html
var wallTemplate string

//go:embed templates/wall.css
var wallStyle string

// newDays is how long a medal is marked as new, in days up to the last date with records.
const newDays = 7

// HTML returns a person's wall as one self-contained page.
func HTML(wall *medals.Wall) ([]byte, error) {
	t, err := template.New("wall").Parse(wallTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse medal page: %w", err)
	}
	p, err := newPage(wall)
	if err != nil {
		return nil, fmt.Errorf("render medal page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render medal page: %w", err)
	}
	return b.Bytes(), nil
}

// A page is everything a reader sees, in words and drawings, ready to be placed.
type page struct {
	Style      template.CSS
	AsOf       string // empty when there are no records
	Lead       string
	Note       string
	Tiers      []tierCount
	Cards      []card
	Next       []step
	Nearest    *step // of a wall without medals; not among Next then
	HasPrivate bool
}

// A tierCount is how many medals of a metal there are.
type tierCount struct {
	Drawing drawing
	Words   string
}

// A card is one level of one medal.
type card struct {
	ID                      string
	Drawing                 drawing
	Name, Level, Tier, Date string
	Earned                  string // the date, and how often
	Family                  string
	New, Private            bool
	Shields                 string // how many days kept a streak; empty when none did
	Beads                   *beads
	Why                     string
	Table                   *table
	Before                  []string // when else it was earned, the last first
}

// A table is the days or longer units that count.
type table struct {
	Caption, Unit string
	HasNeeded     bool
	Rows          []row
	Omitted       string
}

type row struct{ Period, Value, Needed string }

// A step is how far it is to the next level.
type step struct {
	Name, Level, Figures, Forecast, Rule string
	Percent                              int
	Private, Away                        bool // Away: not to be reached any more in its period
}

func newPage(wall *medals.Wall) (*page, error) {
	locale, err := locales.Load(locales.Fallback)
	if err != nil {
		return nil, err
	}
	w := &words{locale: locale}
	p := &page{
		Style: template.CSS(wallStyle), //nolint:gosec // our own file
		Note:  w.say("wall.note", nil),
		Cards: w.cards(wall),
		Next:  w.steps(wall.Progress),
	}
	if wall.AsOf != nil {
		p.AsOf = w.date(*wall.AsOf)
	}
	p.Tiers = w.tiers(p.Cards)
	if len(p.Cards) == 0 && len(p.Next) > 0 && !p.Next[0].Away {
		p.Nearest, p.Next = &p.Next[0], p.Next[1:]
	}
	p.Lead = w.lead(wall, p)
	p.HasPrivate = slices.ContainsFunc(wall.Awards, func(a medals.Award) bool { return a.Private }) ||
		slices.ContainsFunc(wall.Progress, func(p medals.Progress) bool { return p.Private })
	return p, w.err
}

func (w *words) lead(wall *medals.Wall, p *page) string {
	switch {
	case len(p.Cards) > 0:
		last := p.Cards[0]
		return fmt.Sprintf("You have %s. The newest is %s: %s, on %s.",
			plural(len(p.Cards), "medal", "medals"), last.Name, last.Level, last.Date)
	case wall.AsOf == nil:
		return "No medal yet, because no records of your watch have come in. Wear it, let it sync, and the first ones come within days."
	case p.Nearest != nil:
		return "No medal yet. The nearest is " + p.Nearest.Name + ": " + p.Nearest.Level + "."
	default:
		return "No medal yet. Each day that your watch is worn counts towards one."
	}
}

// cards gathers the awards by medal and level and puts those earned last first; of one date the highest level.
func (w *words) cards(wall *medals.Wall) []card {
	type key struct {
		medal string
		level int64
	}
	of := map[key][]*medals.Award{}
	highest := map[string]int64{}
	var keys []key
	for i := range wall.Awards {
		a := &wall.Awards[i]
		k := key{a.Medal, a.Level}
		if of[k] == nil {
			keys = append(keys, k)
		}
		of[k] = append(of[k], a)
		highest[a.Medal] = max(highest[a.Medal], a.Level)
	}
	for _, k := range keys {
		slices.SortStableFunc(of[k], func(a, b *medals.Award) int { return cmp.Compare(b.EarnedOn, a.EarnedOn) })
	}
	tier := func(k key) int { return slices.Index(tiers, of[k][0].Tier) }
	slices.SortStableFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(of[b][0].EarnedOn, of[a][0].EarnedOn), cmp.Compare(tier(b), tier(a)),
			cmp.Compare(of[a][0].Name, of[b][0].Name), cmp.Compare(b.level, a.level))
	})
	cards := make([]card, 0, len(keys))
	for _, k := range keys {
		c := w.card(of[k], wall.AsOf)
		if a := of[k][0]; a.Evidence.Rule == medals.RuleStreak && k.level == highest[k.medal] {
			c.Beads = newBeads(&a.Evidence, c.ID)
		}
		cards = append(cards, c)
	}
	return cards
}

// card tells the last of the awards of one level; the others are dates.
func (w *words) card(awards []*medals.Award, asOf *schemas.Date) card {
	a := awards[0]
	c := card{
		ID:      a.Medal + "-" + strconv.FormatInt(a.Level, 10),
		Drawing: newDrawing(a.Tier, a.Family, a.Level),
		Name:    a.Name, Level: a.LevelText, Family: a.Family, Private: a.Private,
		Tier:  w.say("wall.tier."+string(a.Tier), nil),
		Date:  w.date(a.EarnedOn),
		New:   asOf != nil && *asOf-a.EarnedOn < newDays,
		Why:   a.Why,
		Table: w.table(&a.Evidence),
	}
	c.Earned = c.Date
	if n := len(awards); n > 1 {
		c.Earned = w.say("wall.times", locales.Args{"Count": n, "Date": c.Date})
	}
	if n := len(a.Evidence.Shields); n > 0 {
		c.Shields = plural(n, "shield", "shields")
	}
	for _, before := range awards[1:] {
		c.Before = append(c.Before, w.date(before.EarnedOn))
	}
	return c
}

// table lists the days that count. A sum over a lifetime keeps the completing day alone, which Why has told.
func (w *words) table(e *medals.Evidence) *table {
	if len(e.Items) < 2 {
		return nil
	}
	unit := unitWord(e)
	t := &table{Caption: "What counts", Unit: unit, HasNeeded: e.AtLeast > 0 || e.AtLeastMetric != ""}
	for _, item := range e.Items {
		r := row{Period: w.period(item.Period), Value: w.value(e.Metric, item.Value)}
		if t.HasNeeded {
			r.Needed = w.value(e.Metric, cmp.Or(item.Needed, e.AtLeast))
		}
		t.Rows = append(t.Rows, r)
	}
	if e.OmittedItems > 0 {
		t.Omitted = strconv.Itoa(e.OmittedItems) + " more before the first of these"
	}
	return t
}

func unitWord(e *medals.Evidence) string {
	switch {
	case e.Unit == medals.UnitWeek:
		return "Week"
	case e.Unit == medals.UnitMonth && e.Rule == medals.RuleCount:
		return "Month"
	case e.Unit == medals.UnitYear && e.Rule == medals.RuleCount:
		return "Year"
	case isOfNights(e):
		return "Night"
	default:
		return "Day"
	}
}

func isOfNights(e *medals.Evidence) bool {
	return e.Metric == medals.MainSleepMin || e.Metric == medals.ValidNightCount
}

func (w *words) tiers(cards []card) []tierCount {
	var counts []tierCount
	for _, tier := range slices.Backward(tiers) {
		n := 0
		for i := range cards {
			if cards[i].Drawing.Tier == tier {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, tierCount{newDrawing(tier, "", 0), strconv.Itoa(n) + " " + w.say("wall.tier."+string(tier), nil)})
		}
	}
	return counts
}

// steps puts the nearest first and what is out of reach last.
func (w *words) steps(progress []medals.Progress) []step {
	steps := make([]step, 0, len(progress))
	for _, p := range progress {
		steps = append(steps, step{
			Name: p.Name, Level: p.NextText, Rule: p.Rule, Private: p.Private, Forecast: sentence(p.Forecast.Text),
			Figures: w.say("wall.progress", locales.Args{
				"Value": w.locale.Integer(p.Value), "Level": w.locale.Integer(float64(p.Next)),
			}),
			Percent: percent(p.Value, float64(p.Next)),
			Away:    p.Forecast.Basis == medals.ForecastOutOfReach,
		})
	}
	slices.SortStableFunc(steps, func(a, b step) int {
		if a.Away != b.Away {
			if a.Away {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.Percent, a.Percent)
	})
	return steps
}

// percent is cut off, so that only what is reached is full.
func percent(value, of float64) int {
	if of <= 0 {
		return 0
	}
	return int(math.Floor(min(100, max(0, 100*value/of))))
}
