package render

import (
	"html/template"
	"time"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/locales"
)

// A page is everything a reader sees, in words and drawings, ready to be placed.
type page struct {
	Style template.CSS

	Lang, PageTitle                string
	Brand, Kind, Title             string
	Dates, Nights, AsOf            string
	CoverageTitle, CoverageLine    string
	Coverage                       *figure
	HeadlineTitle, Lead            string
	Tiles                          []tile
	Sections                       []section
	Best                           *best
	HighlightsTitle                string
	Highlights                     []string
	ThinTitle, SureTitle, ShowWord string
	Thin, Sure                     []string
	Disclaimer                     string
}

// A figure is a drawing with its caption and its numbers as a table.
type figure struct {
	SVG     template.HTML
	Name    string
	Caption string
	Legend  []legendEntry
	Table   table
	// Wide says that the table has too many columns for a text.
	Wide bool
}

type table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

type legendEntry struct{ Class, Words string }

// A tile is one headline figure. Missing says that there is none and Value is a dash.
type tile struct {
	Class, Label, Value, Unit, Basis, Change string
	Direction, YearBefore                    string
	Missing                                  bool
}

type section struct {
	ID, Title string
	Sentences []string
	Figures   []figure
	Ring      *figure
}

type best struct{ Title, Day, Words, Basis string }

func newPage(locale *locales.Locale, s *reports.Snapshot) (*page, error) {
	w := newWords(locale, s.Period.Kind)
	period := locales.Args{"Week": s.Period.Week, "Year": s.Period.Year}
	if s.Period.Month > 0 {
		period["Month"] = w.keep(locale.Month(time.Month(s.Period.Month)))
	}
	p := &page{
		Lang:          locale.Tag(),
		PageTitle:     w.say("page.title", period),
		Brand:         w.say("brand", nil),
		Kind:          w.say("kind", nil),
		Title:         w.say("title", period),
		Dates:         w.keep(locale.DateRange(s.Period.First, s.Period.Last)),
		CoverageTitle: w.say("coverage.title", nil),
		HeadlineTitle: w.say("headline.title", nil),
		ThinTitle:     w.say("thin.title", nil),
		SureTitle:     w.say("sure.title", nil),
		ShowWord:      w.say("table.show", nil),
		Disclaimer:    w.say("disclaimer", nil),
	}
	p.Nights = w.say("nights.range", locales.Args{
		"First": w.night(s.Period.First), "Last": w.night(s.Period.Last),
	})
	if s.AsOf != nil {
		p.AsOf = w.say("as_of", locales.Args{"Instant": w.instant(*s.AsOf)})
	}
	p.CoverageLine = w.coverageLine(s)
	p.Coverage = w.coverage(s)
	if s.Long != nil {
		p.Coverage = w.coverageMap(s)
	}
	p.Lead = w.lead(s)
	if s.Status != reports.StatusEmpty {
		p.Tiles = w.tiles(s)
		p.Sections = []section{w.sleep(s), w.heart(s), w.movement(s)}
		if s.Long != nil {
			p.HighlightsTitle = w.say("highlights.title", nil)
			p.Highlights = w.highlights(s)
		} else {
			p.Best = w.best(s)
		}
		p.Thin = w.thin(s)
		p.Sure = w.sure(s)
	}
	return p, w.err
}

func (w *words) coverageLine(s *reports.Snapshot) string {
	if s.Status == reports.StatusEmpty {
		return w.say("coverage.line_none", nil)
	}
	return w.say("coverage.line", locales.Args{
		"Days": s.Coverage.ValidDays, "OfDays": s.Coverage.OfDays,
		"Nights": s.Coverage.ValidNights, "OfNights": s.Coverage.OfNights,
	})
}

// legend explains the states of cells that occur.
func (w *words) legend(s *reports.Snapshot) []legendEntry {
	seen := map[reports.CellState]bool{}
	for _, d := range s.Coverage.Days {
		seen[d.Day], seen[d.Night] = true, true
	}
	var legend []legendEntry
	for _, state := range []reports.CellState{reports.CellValid, reports.CellShort, reports.CellNone} {
		if seen[state] {
			legend = append(legend, legendEntry{string(state), w.say("coverage.legend."+string(state), nil)})
		}
	}
	return legend
}

// lead is the sentence a person reads first: what changed, or that nothing did, or what there is.
func (w *words) lead(s *reports.Snapshot) string {
	if s.Status == reports.StatusEmpty {
		return w.say("empty."+string(s.Cause), locales.Args{
			"First": w.keep(w.locale.DayMonthYear(s.Records.First)), "Last": w.keep(w.locale.DayMonthYear(s.Records.Last)),
		})
	}
	past := w.past(s.Rules.HistoryWeeks)
	var changes []string
	// A week is like the last ones only when everything it tells could be compared.
	isSteady, isKnown := true, false
	for _, t := range s.Headline.Tiles {
		switch t.Comparison.Status {
		case reports.ComparisonUp, reports.ComparisonDown:
			changes = append(changes, w.say("lead."+t.Name+"."+string(t.Comparison.Status),
				locales.Args{"Change": w.change(t), "Past": past}))
		case reports.ComparisonSteady:
			isKnown = true
		case reports.ComparisonNotComparable:
			isSteady = isSteady && t.Figure.Value == nil
		}
	}
	sleep, steps, heart := s.Sleep.TotalSleepTime.Value, s.Movement.Steps.Value, s.Heart.Mean.Value
	if s.Long != nil && s.Period.Month == 0 {
		changes = append([]string{w.say("lead.worn", locales.Args{"Days": s.Long.WornDays, "Nights": s.Long.WornNights})}, changes...)
	}
	switch {
	case len(changes) > 0:
		return join(changes...)
	case isSteady && isKnown:
		return w.say("lead.steady", locales.Args{"Past": past})
	case sleep != nil && steps != nil:
		return w.say("lead.sleep_steps", locales.Args{"Sleep": w.duration(float64(*sleep)), "Steps": w.figure(steps)})
	case sleep != nil:
		return w.say("lead.sleep", locales.Args{"Sleep": w.duration(float64(*sleep))})
	case steps != nil:
		return w.say("lead.steps", locales.Args{"Steps": w.figure(steps)})
	case heart != nil:
		return w.say("lead.heart", locales.Args{"Heart": w.figure(heart)})
	default:
		return w.say("lead.thin", nil)
	}
}

// change writes the size of a change without its direction.
func (w *words) change(t reports.Tile) string { return w.size(t.Figure.Unit, *t.Comparison.Change) }

func (w *words) size(unit reports.Unit, change reports.Number) string {
	size := max(float64(change), -float64(change))
	if unit == reports.UnitMinutes {
		return w.duration(size)
	}
	return w.integer(size)
}

// yearBefore says how a month compares with the same month a year earlier; nothing when it cannot be compared.
func (w *words) yearBefore(t reports.Tile) string {
	c := t.YearBefore
	if c == nil || c.Status == reports.ComparisonNotComparable {
		return ""
	}
	return w.say("tile.year_before."+string(c.Status), locales.Args{"Change": w.size(t.Figure.Unit, *c.Change)})
}

func (w *words) tiles(s *reports.Snapshot) []tile {
	tiles := make([]tile, 0, len(s.Headline.Tiles))
	for _, t := range s.Headline.Tiles {
		view := tile{
			Class: string(t.Section), Label: w.say("tile."+t.Name, nil),
			Value: w.none(), Missing: t.Figure.Value == nil,
			Basis: w.nOf(t.Section, t.Figure), Direction: string(t.Comparison.Status),
		}
		if t.Figure.Value != nil {
			if t.Figure.Unit == reports.UnitMinutes {
				view.Value = w.duration(float64(*t.Figure.Value))
			} else {
				view.Value = w.figure(t.Figure.Value)
			}
			if id := "tile.unit." + t.Name; w.locale.Has(id) {
				view.Unit = w.say(id, nil)
			}
		}
		view.Change = w.tileChange(s, t)
		view.YearBefore = w.yearBefore(t)
		tiles = append(tiles, view)
	}
	return tiles
}

func (w *words) tileChange(s *reports.Snapshot, t reports.Tile) string {
	args := locales.Args{"Past": w.past(s.Rules.HistoryWeeks), "Needs": t.Figure.Needs}
	switch {
	case t.Figure.Value == nil:
		return w.say("tile."+string(t.Figure.Reason), args)
	case t.Comparison.Status == reports.ComparisonNotComparable && t.Comparison.Reason == reports.ReasonTooFew:
		return w.say("tile.too_few_to_compare", args)
	case t.Comparison.Status == reports.ComparisonNotComparable:
		return w.say("tile."+string(t.Comparison.Reason), args)
	case t.Comparison.Status == reports.ComparisonSteady:
		return w.say("tile.steady", args)
	}
	args["Change"] = w.change(t)
	if id := "tile." + t.Name + "." + string(t.Comparison.Status); w.locale.Has(id) {
		return w.say(id, args)
	}
	return w.say("tile."+string(t.Comparison.Status), args)
}

// nOf says how many days or nights are in a mean.
func (w *words) nOf(section reports.Section, f reports.Figure) string {
	id := "n_of.days"
	if section == reports.SectionSleep {
		id = "n_of.nights"
	}
	return w.say(id, locales.Args{"N": f.N, "Of": f.Of})
}

func (w *words) best(s *reports.Snapshot) *best {
	b := s.BestDay
	if b == nil {
		return nil
	}
	view := &best{Title: w.say("best.title", nil), Day: w.keep(w.locale.WeekdayDayMonth(b.Date))}
	id, args := "best.steps", locales.Args{"Steps": w.integer(float64(b.StepCount))}
	if b.ModerateEquivalentMin != nil {
		id, args["Active"] = "best.active", w.count(*b.ModerateEquivalentMin)
	}
	if b.TotalSleepTimeMin != nil {
		id, args["Sleep"] = id+"_sleep", w.duration(float64(*b.TotalSleepTimeMin))
	}
	view.Words = w.say(id, args)
	by := "best.by_steps"
	if b.JudgedBy == "moderate_equivalent_min" {
		by = "best.by_active"
	}
	view.Basis = w.say(by, locales.Args{"Count": b.Of})
	return view
}

func (w *words) thin(s *reports.Snapshot) []string {
	if len(s.Thin) == 0 {
		return []string{w.say("thin.nothing", nil)}
	}
	remarks := make([]string, 0, len(s.Thin))
	for _, t := range s.Thin {
		dates := ""
		if w.kind == "" {
			dates = w.dates(t.Dates) // of a month or year they would be too many
		}
		if t.Reason == reports.ReasonBeforeRecords || t.Reason == reports.ReasonNothingSince {
			dates = w.keep(w.locale.WeekdayDayMonth(t.Dates[0]))
		}
		remarks = append(remarks, w.say("thin."+string(t.Section)+"."+string(t.Reason), locales.Args{
			"Count": t.N, "N": t.N, "Needs": t.Needs, "Dates": dates, "Past": w.past(s.Rules.HistoryWeeks),
			"Wear": w.duration(float64(s.Rules.DayWornAwakeMin)), "Bed": w.duration(float64(s.Rules.NightInBedMin)),
		}))
	}
	return remarks
}

func (w *words) sure(s *reports.Snapshot) []string {
	remarks := make([]string, 0, len(s.Basis))
	for _, b := range s.Basis {
		args := locales.Args{
			"Count": b.N, "N": b.N, "Of": b.Of, "Past": w.past(s.Rules.HistoryWeeks), "Methods": w.list(b.Methods),
			"Wear": w.duration(float64(s.Rules.DayWornAwakeMin)), "Bed": w.duration(float64(s.Rules.NightInBedMin)),
		}
		if b.Mean != nil {
			args["Hours"] = w.duration(float64(*b.Mean))
		}
		remarks = append(remarks, w.say("sure."+string(b.Kind), args))
	}
	return remarks
}

// First is the sentence a section opens with.
func (s section) First() string { return s.Sentences[0] }

// Rest is what a section says after its first sentence.
func (s section) Rest() string { return join(s.Sentences[1:]...) }

// shown is a figure with what its template puts around it.
type shown struct {
	Figure        any
	Heading, Show string
}

// WithShow hands a figure to its template together with the words that open its table.
func (p *page) WithShow(f any) shown { return shown{Figure: f, Show: p.ShowWord} }

// WithHeading does the same for a figure that stands beside another and so needs its name.
func (p *page) WithHeading(f figure) shown {
	return shown{Figure: f, Heading: f.Name, Show: p.ShowWord}
}
